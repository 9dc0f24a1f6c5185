//! How far long work has come, on standard error, when a person is watching.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::reader::Progress;
use crate::summary::abstractive::Writing;

/// Work shorter than this shows no bar.
const PATIENCE: Duration = Duration::from_millis(1500);

/// A bar with the time left.
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

/// The same for what is written passage by passage.
pub(super) struct WritingBar(Bar);

impl WritingBar {
    pub(super) fn new(wanted: bool) -> Self {
        Self(Bar::new(wanted))
    }

    pub(super) fn update(&mut self, writing: Writing) {
        let Self(own) = self;
        if !own.wanted || own.started.elapsed() < PATIENCE {
            return;
        }
        let bar = own.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("writing {bar:30} passage {pos} of {len}, {msg} tokens")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            bar.with_style(style).with_elapsed(own.started.elapsed())
        });
        bar.set_length(writing.total_passages as u64);
        bar.set_position((writing.passages + 1).min(writing.total_passages) as u64);
        bar.set_message(writing.tokens.to_string());
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A count of lines, for a stream whose end is not known.
pub(super) struct Counter {
    spinner: Option<ProgressBar>,
    started: Instant,
    lines: u64,
    wanted: bool,
}

impl Counter {
    pub(super) fn new(wanted: bool) -> Self {
        Self {
            spinner: None,
            started: Instant::now(),
            lines: 0,
            wanted,
        }
    }

    pub(super) fn add(&mut self, lines: usize) {
        self.lines += lines as u64;
        if !self.wanted || self.started.elapsed() < PATIENCE {
            return;
        }
        let spinner = self.spinner.get_or_insert_with(|| {
            let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("answered {human_pos} lines in {elapsed}, {per_sec}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            spinner.with_style(style).with_elapsed(self.started.elapsed())
        });
        spinner.set_position(self.lines);
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }
}
