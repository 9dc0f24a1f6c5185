//! Asks a file a question: `cargo run --release --example ask_a_file -- report.txt "who signed?"`

use quotable::document::read::{ReadOptions, read_file};
use quotable::harmless::one_line;
use quotable::{Answer, AskOptions, Reader, Verdict, language};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(question)) = (arguments.next(), arguments.next()) else {
        return Err("usage: ask_a_file FILE QUESTION".into());
    };
    let document = read_file(file.as_ref(), &ReadOptions::default())?;
    if let Some(language) = language::foreign(&[&document]) {
        eprintln!("the text looks like {language}; the model reads English");
    }
    let found = Reader::embedded()?.ask(&question, &[&document], &AskOptions::default())?;
    if let Some(best) = found.best() {
        let doubt = match found.verdict() {
            Verdict::Doubtful => " (doubtful)",
            _ => "",
        };
        println!("{}{doubt}", quotation(best));
        return Ok(());
    }
    match found.verdict() {
        Verdict::Unsure => println!("no sure answer"),
        _ => println!("not in the document"),
    }
    if let Some(closest) = found.answers.first() {
        println!("closest: {}", quotation(closest));
    }
    Ok(())
}

/// An answer on one line, whatever its document holds.
fn quotation(answer: &Answer) -> String {
    one_line(&format!("{}:{}: {}", answer.document, answer.line, answer.text))
}
