//! Answers questions over a folder that is kept in memory, several at a time, none for longer than a deadline:
//! `cargo run --release --example service -- reports/ < questions.txt`
//!
//! One question a line; each answer is a line on standard output, in the order in which they are ready.

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use quotable::document::read::{ReadOptions, find, read_files};
use quotable::harmless::one_line;
use quotable::{Answer, AskOptions, Document, Error, Reader, Verdict};

/// Questions that are answered at the same time. They share rayon's threads: many would only wait for each other.
const AT_A_TIME: usize = 4;
/// A question that takes longer is given up, counted from when it was asked.
const DEADLINE: Duration = Duration::from_secs(10);

/// A question and when it was asked.
struct Asked {
    question: String,
    at: Instant,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args()
        .nth(1)
        .ok_or("usage: service FOLDER < QUESTIONS")?;
    let documents = documents(folder.into())?;
    let documents: Vec<&Document> = documents.iter().collect();
    let reader = Reader::embedded()?;
    // Whoever asks faster than is answered waits in `send`.
    let (sender, receiver) = sync_channel(AT_A_TIME);
    let receiver = Arc::new(Mutex::new(receiver));
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            let (reader, documents, receiver) = (&reader, &documents, Arc::clone(&receiver));
            scope.spawn(move || serve(reader, documents, &receiver));
        }
        drop(receiver); // Where no thread is left, `send` fails instead of waiting.
        for question in std::io::stdin().lock().lines() {
            let at = Instant::now();
            sender.send(Asked {
                question: question?,
                at,
            })?;
        }
        drop(sender); // Ends the threads once they have answered all.
        Ok(())
    })
}

/// The documents of a folder; what cannot be read is told and left out.
fn documents(folder: PathBuf) -> Result<Vec<Document>, Error> {
    let options = ReadOptions::default();
    let found = find(&[folder], &options)?;
    for unread in &found.unread {
        eprintln!("not read: {}", unread.error);
    }
    let read = read_files(&found.files, &options);
    let documents = read.into_iter().filter_map(|document| {
        let told = |error: &Error| eprintln!("not read: {error}");
        document.inspect_err(told).ok()
    });
    Ok(documents.collect())
}

/// Answers questions until there are no more, or nobody reads the answers.
fn serve(reader: &Reader, documents: &[&Document], asked: &Mutex<Receiver<Asked>>) {
    loop {
        // The lock is held while waiting: the others wait for the lock instead.
        let next = asked.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Asked { question, at }) = next else {
            return;
        };
        let line = format!("{question}\t{}\n", answer(reader, documents, &question, at));
        if std::io::stdout().write_all(line.as_bytes()).is_err() {
            return;
        }
    }
}

/// What is said to a question that was asked `at` this time.
fn answer(reader: &Reader, documents: &[&Document], question: &str, at: Instant) -> String {
    let in_time = |_| at.elapsed() < DEADLINE;
    let found = match reader.ask_with_progress(question, documents, &AskOptions::default(), in_time) {
        Ok(found) => found,
        Err(Error::Interrupted) => return format!("given up after {} s", DEADLINE.as_secs()),
        Err(error) => return error.to_string(),
    };
    match (found.verdict(), found.best()) {
        (Verdict::Doubtful, Some(best)) => format!("perhaps {}", quotation(best)),
        (_, Some(best)) => quotation(best),
        (Verdict::Unsure, None) => "no sure answer".to_owned(),
        (_, None) => "not in the documents".to_owned(),
    }
}

/// An answer on one line, whatever its document holds.
fn quotation(answer: &Answer) -> String {
    one_line(&format!("{} ({}:{})", answer.text, answer.document, answer.line))
}
