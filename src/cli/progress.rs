//! How far long work has come, on standard error, when a person is watching.

use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::reader::Progress;
use crate::summary::abstractive::Writing;

/// Work shorter than this shows no bar.
const PATIENCE: Duration = Duration::from_millis(1500);

/// What is shown, once work has taken long enough for it.
struct Shown {
    started: Instant,
    bar: Option<ProgressBar>,
    wanted: bool,
}

impl Shown {
    fn new(wanted: bool) -> Self {
        Self {
            started: Instant::now(),
            bar: None,
            wanted,
        }
    }

    /// The bar, made of a template of `indicatif` when it is first due.
    fn due(&mut self, length: Option<u64>, template: impl FnOnce() -> String) -> Option<&ProgressBar> {
        if !self.wanted || self.started.elapsed() < PATIENCE {
            return None;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let style =
                ProgressStyle::with_template(&template()).unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr())
                .with_style(style)
                .with_elapsed(self.started.elapsed())
        });
        Some(bar)
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A bar with the time left.
pub(super) struct Bar {
    shown: Shown,
    verb: &'static str,
}

impl Bar {
    pub(super) fn new(wanted: bool) -> Self {
        Self::of(wanted, "reading")
    }

    /// `verb` says what is done.
    pub(super) fn of(wanted: bool, verb: &'static str) -> Self {
        Self {
            shown: Shown::new(wanted),
            verb,
        }
    }

    pub(super) fn update(&mut self, progress: Progress) {
        let verb = self.verb;
        let template =
            || format!("{verb} {{bar:30}} {{percent}}%  {{binary_bytes}} of {{binary_total_bytes}}{{msg}}");
        // The bar's own estimate begins when it is shown, and says 0 then.
        let left = time_left(self.shown.started.elapsed(), &progress);
        if let Some(bar) = self.shown.due(Some(progress.total_bytes), template) {
            bar.set_length(progress.total_bytes);
            bar.set_position(progress.bytes);
            if let Some(left) = left {
                bar.set_message(format!(", {:#} left", HumanDuration(left)));
            }
        }
    }
}

/// If all goes on as fast as so far; unknown at the beginning.
fn time_left(elapsed: Duration, progress: &Progress) -> Option<Duration> {
    let left = progress.total_bytes.saturating_sub(progress.bytes);
    (progress.bytes > 0).then(|| elapsed.mul_f64(left as f64 / progress.bytes as f64))
}

/// The same for what is written passage by passage.
pub(super) struct WritingBar(Shown);

impl WritingBar {
    pub(super) fn new(wanted: bool) -> Self {
        Self(Shown::new(wanted))
    }

    pub(super) fn update(&mut self, writing: Writing) {
        let template = || "writing {bar:30} passage {pos} of {len}, {msg} tokens".to_owned();
        if let Some(bar) = self.0.due(None, template) {
            bar.set_length(writing.total_passages as u64);
            bar.set_position((writing.passages + 1).min(writing.total_passages) as u64);
            bar.set_message(writing.tokens.to_string());
        }
    }
}

/// A count of lines, for a stream whose end is not known.
pub(super) struct Counter {
    shown: Shown,
    lines: u64,
}

impl Counter {
    pub(super) fn new(wanted: bool) -> Self {
        Self {
            shown: Shown::new(wanted),
            lines: 0,
        }
    }

    pub(super) fn add(&mut self, lines: usize) {
        self.lines += lines as u64;
        let template = || "answered {human_pos} lines in {elapsed}, {per_sec}".to_owned();
        if let Some(spinner) = self.shown.due(None, template) {
            spinner.set_position(self.lines);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_that_of_what_is_left() {
        let at = |bytes| {
            time_left(
                Duration::from_secs(2),
                &Progress {
                    bytes,
                    total_bytes: 100,
                },
            )
        };
        assert_eq!(at(0), None);
        assert_eq!(at(25), Some(Duration::from_secs(6)));
        assert_eq!(at(100), Some(Duration::ZERO));
    }
}
