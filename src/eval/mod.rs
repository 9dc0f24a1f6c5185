//! Measuring answers and summaries against what people wrote.

pub mod answer;
pub mod calibration;
pub mod file;
pub mod lines;
pub mod problem;
pub mod rouge;
pub mod squad;
pub mod stats;
pub mod stemmer;
pub mod suite;
