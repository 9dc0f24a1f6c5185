//! A bar with the time left, on standard error, when work is long and a person is watching.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::reader::Progress;

/// Work shorter than this shows no bar.
const PATIENCE: Duration = Duration::from_millis(1500);

pub(super) struct Bar {
    started: Instant,
    bar: Option<ProgressBar>,
    wanted: bool,
    verb: &'static str,
}

impl Bar {
    pub(super) fn new(wanted: bool) -> Self {
        Self::of(wanted, "reading")
    }

    /// `verb` says what is done.
    pub(super) fn of(wanted: bool, verb: &'static str) -> Self {
        Self {
            started: Instant::now(),
            bar: None,
            wanted,
            verb,
        }
    }

    pub(super) fn update(&mut self, progress: Progress) {
        if !self.wanted || self.started.elapsed() < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(Some(progress.total_bytes), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template(&format!(
                "{} {{bar:30}} {{percent}}%  {{binary_bytes}} of {{binary_total_bytes}}, {{eta}} left",
                self.verb
            ))
            .unwrap_or_else(|_| ProgressStyle::default_bar());
            bar.with_style(style).with_elapsed(self.started.elapsed())
        });
        bar.set_position(progress.bytes);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
