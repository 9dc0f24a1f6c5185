//! x
#![allow(missing_docs)]
pub mod document;
pub mod error;
pub mod engine;
pub mod model;
pub mod cite;
pub mod cli;
pub mod qa;
pub mod reader;
pub mod window;
pub use document::{Document, Format, Span};
pub use error::{Error, Result};
pub use reader::{AskOptions, Progress, Reader};
pub use qa::{Answer, Answers};
