//! Measuring: answers and summaries beside what people wrote, a gate for builds, reports.
//!
//! In reading order: a [`suite`] holds questions with their acceptable answers ([`squad`] and [`lines`] read
//! other files into the same); [`run`] asks them; [`answer`], [`rouge`], [`summary`] and [`calibration`] are the
//! metrics, [`floor`] what needs no model, [`stats`] says what is chance; [`scores`] puts figures together,
//! [`baseline`] compares a run with an earlier one, [`history`] keeps them all, and a [`report`] shows it.
//!
//! Metrics do no I/O and know no engine. Everything that is read here is treated as hostile: limits on sizes,
//! errors with line and column, and no control character reaches a report.
//!
//! ```
//! use quotable::eval::{answer, rouge::rouge, stats};
//!
//! let golds = ["31 May 2027", "on 31 May 2027"];
//! let scores = ["31 May 2027.", "May 2027"].map(|given| answer::score(given, &golds));
//! assert!(scores[0].exact && !scores[1].exact && scores[1].is_right());
//! let f1: Vec<f64> = scores.iter().map(|s| s.f1).collect();
//! assert!(stats::bootstrap(&f1, &["lease.md"; 2]).is_some());
//! assert!(rouge("The lease ends in May.", "It ends in May.").rouge1.f1 > 0.6);
//! ```

pub mod answer;
pub mod baseline;
pub mod calibration;
pub mod file;
pub mod floor;
pub mod history;
pub mod lines;
pub mod problem;
pub mod report;
pub mod rouge;
pub mod run;
pub mod scores;
pub mod squad;
pub mod stats;
pub mod stemmer;
pub mod suite;
pub mod summary;
