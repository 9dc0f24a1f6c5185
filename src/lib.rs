//! Ask your documents, get answers you can quote.
//!
//! `quotable` answers questions with the exact words of documents, says where they stand and how sure it
//! is, or that the documents do not say. It reads with a local transformer that is part of the crate, and
//! opens no network connection to do so. The command-line program `ask` is this library with [`cli`] around it.
//!
//! ```
//! use quotable::{AskOptions, Document, Format, Reader};
//!
//! let reader = Reader::embedded()?;
//! let minutes = Document::new(
//!     "minutes.txt",
//!     "The board met on 3 March.\nTreasurer Ines Vidal presented the accounts for 2024.",
//!     Format::Plain,
//! )?;
//! let found = reader.ask("Who presented the accounts?", &[&minutes], &AskOptions::default())?;
//! let best = found.best().expect("the minutes say it");
//! assert!(best.text.contains("Ines Vidal"));
//! assert_eq!((best.document.as_str(), best.line), ("minutes.txt", 2));
//! # Ok::<(), quotable::Error>(())
//! ```
//!
//! ```
//! use quotable::{Document, Format, Reader, SummaryOptions};
//!
//! let reader = Reader::embedded()?;
//! let text = "The dam broke on Monday night. Water reached the town in an hour. Nobody was hurt by it.";
//! let news = Document::new("news.txt", text, Format::Plain)?;
//! let summary = reader.summarize(&[&news], &SummaryOptions::default(), |_| true)?;
//! for sentence in &summary.documents[0].sentences {
//!     assert_eq!(sentence.text, news.text()[sentence.span.clone()]);
//! }
//! # Ok::<(), quotable::Error>(())
//! ```
//!
//! Without optimisation a question takes seconds instead of milliseconds. For debug builds of a program of your own, put
//! into its `Cargo.toml`:
//!
//! ```toml
//! [profile.dev.package.quotable]
//! opt-level = 3
//! ```
//!
//! The feature `cli`, on by default, is the program; a library takes a quarter fewer crates without it:
//! `quotable = { …, default-features = false }`. Of its parts, `hub` (downloads of models) and `eval` (suites and scores) are
//! features of their own. Beside it stands `pdf` (reading PDF files), on by default, too.
//!
//! In reading order: a [`Document`] is clean text with a map to its source; [`window`] cuts it to the
//! encoder's length and leaves nothing out, unless it is to [`skim`](AskOptions::skim); an [`engine`] turns windows into logits; [`qa`] turns logits
//! into candidates, merges them and says how sure it is; [`summary`] scores and chooses sentences;
//! [`cite`] finds the line; a [`Reader`] does all of it. [`language`] says which documents it was not made for.
//! [`model`] says what a model directory holds; [`hub`] downloads one, and is the only part that opens a connection.
//!
//! What always holds, each with a test of its name in `tests/invariants.rs`: answers are verbatim,
//! traceable, complete, honest, comparable, deterministic, offline and bounded.

pub mod cite;
// The program is no part of the library: it changes without notice.
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
pub mod document;
pub mod engine;
mod error;
#[cfg(feature = "eval")]
pub mod eval;
pub mod harmless;
#[cfg(feature = "hub")]
pub mod hub;
pub mod language;
pub mod model;
pub mod qa;
mod reader;
mod reply;
mod skim;
pub mod summary;
pub mod window;

pub use document::{Document, Format, Span};
pub use error::{Error, Result};
pub use qa::{Answer, Answers, Skimmed, Verdict};
pub use reader::{AskOptions, Progress, Reader};
pub use summary::{Summary, SummaryOptions};
