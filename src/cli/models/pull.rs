//! `ask models pull`

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::{known, megabytes, store};
use crate::cli::progress::Bar;
use crate::cli::render::harmless;
use crate::cli::{ANSWERED, Environment, json};
use crate::engine::Kind;
use crate::error::{Error, Result};
use crate::hub::{self, Event, Pulled, Settings};
use crate::model::registry::{self, BUILT_IN, Task};
use crate::reader::Progress;

/// How often Ctrl-C is looked for.
const PULSE: Duration = Duration::from_millis(50);

/// How long a transfer may take to notice that it should stop. One that waits for a silent server is left to end with
/// the process: a part is only ever appended to, so there is nothing to tidy up.
const GRACE: Duration = Duration::from_millis(500);

#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    #[serde(flatten)]
    pulled: &'a Pulled,
    elapsed_ms: u64,
}

pub(super) fn run(model: &str, json: bool, quiet: bool, environment: &mut Environment) -> anyhow::Result<u8> {
    let started = Instant::now();
    if model == BUILT_IN {
        return Err(Error::ModelName {
            name: model.to_owned(),
            reason: "it is part of the program, there is nothing to download".to_owned(),
        }
        .into());
    }
    let name = registry::resolve(model)?;
    if cfg!(not(feature = "libtorch"))
        && !quiet
        && registry::of_name(model).is_some_and(|entry| !entry.engines.contains(&Kind::Native))
    {
        environment.tell(
            "note: this model needs a program that was built with --features libtorch, and this one was not (README.md, A second engine)",
        );
    }
    let settings = Settings::of_variables(environment.variable)?;
    let store = store(environment)?;
    let (send, events) = mpsc::channel();
    let worker = std::thread::Builder::new().name("pull".to_owned());
    let worker = worker.spawn(move || -> Result<Pulled> {
        hub::pull(&name, &store, &settings, &mut |event| send.send(event).is_ok())
    })?;
    let mut bar = Bar::of(!quiet && environment.error_is_terminal, "downloading");
    loop {
        if environment.is_interrupted() {
            drop(events);
            let patience = Instant::now();
            while !worker.is_finished() && patience.elapsed() < GRACE {
                std::thread::sleep(PULSE);
            }
            drop(bar);
            if !quiet {
                environment.tell(&format!(
                    "interrupted; what has come is kept, to go on: ask models pull {model}"
                ));
            }
            return Err(Error::Interrupted.into());
        }
        match events.recv_timeout(PULSE) {
            Ok(Event::Progress { bytes, total_bytes }) if total_bytes > 0 => {
                bar.update(Progress { bytes, total_bytes });
            }
            Ok(Event::Waiting) if !quiet => {
                environment.tell("another process is downloading the same file; waiting for it");
            }
            Ok(Event::Note(note)) if !quiet => environment.tell(&note),
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    drop(bar);
    let pulled = match worker.join() {
        Ok(pulled) => pulled?,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    if json {
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let line = json::line(&Line {
            name: model,
            pulled: &pulled,
            elapsed_ms,
        })?;
        environment.print(&line)?;
    } else {
        environment.print(text(model, &pulled).as_bytes())?;
    }
    Ok(ANSWERED)
}

fn text(model: &str, pulled: &Pulled) -> String {
    let bytes: u64 = pulled.files.iter().map(|file| file.bytes).sum();
    let came = match pulled.downloaded_bytes {
        0 => "nothing was missing".to_owned(),
        n => format!("{} downloaded", megabytes(n)),
    };
    let checked = if pulled.files.iter().all(|file| file.sha256.is_some()) {
        "all hashes are right"
    } else {
        "hashes not checked, offline: ask models verify does"
    };
    let here = known::of_folder(&pulled.path);
    let task = here.architecture.as_deref().map(registry::task);
    let hint = if task == Some(Task::Summaries) {
        format!("to use it: ask summarize --style abstractive --model {model} FILE (engine libtorch)")
    } else if here.engines.contains(&Kind::Native) {
        format!("to use it: ask --model {model} \"…\"")
    } else {
        format!("to use it: ask --engine libtorch --model {model} \"…\"")
    };
    let text = format!(
        "{}@{}: {} in {} files, {came}, {checked}\n{}\n{hint}\n",
        pulled.repository,
        pulled.commit,
        megabytes(bytes),
        pulled.files.len(),
        pulled.path.display(),
    );
    text.lines().map(|line| format!("{}\n", harmless(line))).collect()
}
