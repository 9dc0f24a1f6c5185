//! Asks a file a question: `cargo run --release --example ask_a_file -- report.txt "who signed?"`

use quotable::document::read::{ReadOptions, read_file};
use quotable::{AskOptions, Reader};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(question)) = (arguments.next(), arguments.next()) else {
        return Err("usage: ask_a_file FILE QUESTION".into());
    };
    let document = read_file(file.as_ref(), &ReadOptions::default())?;
    let found = Reader::embedded()?.ask(&question, &[&document], &AskOptions::default())?;
    match found.answers.first().filter(|_| found.answered) {
        Some(answer) => println!("{}:{}: {}", answer.document, answer.line, answer.text),
        None => println!("not in the document"),
    }
    Ok(())
}
