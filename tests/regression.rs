//! Bugs that were, one test each.

mod common;

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::Scene;
use quotable::document::Document;
use quotable::engine::native::{Kernels, Native};
use quotable::engine::scripted::Scripted;
use quotable::engine::{Engine, Head, Input, Output};
use quotable::model::Model;
use quotable::summary::textrank::TextRank;
use quotable::summary::{Length, Method, SummaryOptions, summarize};
use quotable::{AskOptions, Error, Format, Reader};

fn reader(words: &[(&str, f32)]) -> Reader {
    let model = Model::embedded().unwrap();
    let ids = |text: &str| model.tokenizer.tokens(text).iter().map(|t| t.id).collect();
    let engine = Scripted::new(words.iter().map(|(text, logit)| (ids(text), *logit)).collect());
    Reader::with_engine(model, Box::new(engine)).unwrap()
}

/// Documents that all say the same pushed the one that says something else out of the best two.
#[test]
fn recurring_words_do_not_crowd_out_the_next_answer() {
    let reader = reader(&[("Bob Smith", 5.0), ("Al Jones", 3.0)]);
    let document = |text: &str| Document::new("t", text, Format::Plain).unwrap();
    let mut documents = vec![document("Perhaps Al Jones was there.")];
    documents.extend((0..70).map(|_| document("The chairman is Bob Smith.")));
    let documents: Vec<&Document> = documents.iter().collect();
    let options = AskOptions {
        top: 2,
        ..AskOptions::default()
    };
    let answers = reader.ask("who?", &documents, &options).unwrap().answers;
    let texts: Vec<&str> = answers.iter().map(|a| a.text.as_str()).collect();
    assert_eq!(texts, ["Bob Smith", "Al Jones"]);
}

/// An engine that gave too little had windows read with the logits of others.
#[test]
fn an_engine_that_gives_too_little_is_an_error() {
    struct Forgetful(Native);
    impl Engine for Forgetful {
        fn encode(&self, inputs: &[&Input], head: Head) -> quotable::Result<Output> {
            self.0.encode(&inputs[1..], head)
        }
    }
    let model = Model::embedded().unwrap();
    let engine = Forgetful(Native::new(&model).unwrap());
    let reader = Reader::with_engine(model, Box::new(engine)).unwrap();
    let document = Document::new("t", "The chairman is Bob Smith. ".repeat(300), Format::Plain).unwrap();
    let error = reader
        .ask("who?", &[&document], &AskOptions::default())
        .unwrap_err();
    assert!(
        error.to_string().contains("for each token of each window"),
        "{error}"
    );
}

/// With nine threads or more no batch had two windows for each, and all of them shared every window.
#[test]
fn each_thread_has_windows_of_its_own() {
    struct Counts(Scripted, Arc<AtomicUsize>);
    impl Engine for Counts {
        fn encode(&self, inputs: &[&Input], head: Head) -> quotable::Result<Output> {
            self.1.fetch_max(inputs.len(), Ordering::SeqCst);
            self.0.encode(inputs, head)
        }
    }
    let document = Document::new("t", "The chairman is Bob Smith. ".repeat(6000), Format::Plain).unwrap();
    for (threads, windows) in [(1, 16), (4, 16), (9, 36)] {
        let most = Arc::new(AtomicUsize::new(0));
        let engine = Counts(Scripted::default(), most.clone());
        let reader = Reader::with_engine(Model::embedded().unwrap(), Box::new(engine)).unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let ask = || reader.ask("who?", &[&document], &AskOptions::default());
        pool.unwrap().install(ask).unwrap();
        assert_eq!(most.load(Ordering::SeqCst), windows, "{threads} threads");
    }
}

/// A manifest that was changed after it was read was not looked at again, and ended the program with the first text.
#[test]
fn a_changed_manifest_is_checked() {
    let mut model = Model::embedded().unwrap();
    model.manifest.limits.window_tokens = 1;
    let error = Reader::with_kernels(model, Kernels::F32).unwrap_err();
    assert!(matches!(error, Error::ModelFileInvalid { .. }), "{error}");
    let mut model = Model::embedded().unwrap();
    model.manifest.sentence_layer = Some(1000);
    let error = Reader::with_kernels(model, Kernels::F32).unwrap_err();
    assert!(matches!(error, Error::ModelFileInvalid { .. }), "{error}");
}

/// An engine that gave what it was not asked for was said to have no head.
#[test]
fn an_engine_that_gives_something_else_is_an_error() {
    struct Hidden;
    impl Engine for Hidden {
        fn encode(&self, _: &[&Input], _: Head) -> quotable::Result<Output> {
            Ok(Output::Hidden(Vec::new()))
        }
    }
    let (spans, sentences) = (Hidden.spans(&[]), Hidden.sentences(&[]));
    for (error, head) in [(spans.unwrap_err(), "Span"), (sentences.unwrap_err(), "Sentence")] {
        let expected =
            format!("engine: was asked for Head::{head} and gave something else than Output::{head}; ");
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
}

/// No answers were one, and any number was kept room for.
#[test]
fn so_many_answers_as_there_cannot_be_are_an_error() {
    let reader = reader(&[("Bob Smith", 5.0)]);
    let document = Document::new("t", "The chairman is Bob Smith.", Format::Plain).unwrap();
    let ask = |top| {
        let options = AskOptions {
            top,
            ..AskOptions::default()
        };
        reader.ask("who?", &[&document], &options)
    };
    for top in [0, AskOptions::MAX_TOP + 1, usize::MAX] {
        let error = ask(top).unwrap_err().to_string();
        assert_eq!(error, format!("top: {top} is out of range; use 1 to 1000"));
    }
    for top in [1, AskOptions::MAX_TOP] {
        assert_eq!(ask(top).unwrap().best().unwrap().text, "Bob Smith");
    }
}

/// Inputs that no window had been planned for ended the program.
#[test]
fn an_input_that_was_not_planned_is_an_error() {
    let engine = Native::new(&Model::embedded().unwrap()).unwrap();
    for (length, id) in [(0, 5), (513, 5), (9, 999_999)] {
        let mut input = Input::with_capacity(length);
        input.extend((0..length).map(|_| (id, 0)));
        let error = engine.spans(&[&input]).unwrap_err();
        assert!(error.to_string().contains("not planned"), "{error}");
    }
}

/// Summaries cited one document for the contrary of what it says, and left the contrary out.
#[test]
fn a_contradiction_is_no_second_source() {
    let document = |name: &str, text: &str| Document::new(name, text, Format::Plain).unwrap();
    let pairs = [
        (
            "Mr. Roe was found guilty of theft by the jury.",
            "Mr. Roe was found not guilty of theft by the jury.",
        ),
        (
            "The board approved the sale of the pier on 4 May.",
            "The board rejected the sale of the pier on 4 May.",
        ),
        (
            "Mr. Roe sold the mill to Mr. Holm in May 2019.",
            "Mr. Holm sold the mill to Mr. Roe in May 2019.",
        ),
        (
            "It had paid Mr. Holm 400,000 crowns for the mill.",
            "It had paid Mr. Holm 900,000 crowns for the mill.",
        ),
    ];
    let options = SummaryOptions {
        length: Length::Sentences(9),
        method: Method::Textrank,
        together: true,
        focus: None,
    };
    for (one, other) in pairs {
        let documents = [document("one", one), document("other", other)];
        let documents: Vec<&Document> = documents.iter().collect();
        let summary = summarize(&documents, &TextRank, &options, |_| true).unwrap();
        let chosen: Vec<_> = summary.documents.iter().flat_map(|d| &d.sentences).collect();
        assert_eq!(chosen.len(), 2, "{one}");
        assert!(chosen.iter().all(|s| s.also.is_empty()), "{one}");
    }
    let same = [document("one", pairs[0].0), document("other", pairs[0].0)];
    let same: Vec<&Document> = same.iter().collect();
    let summary = summarize(&same, &TextRank, &options, |_| true).unwrap();
    let chosen: Vec<_> = summary.documents.iter().flat_map(|d| &d.sentences).collect();
    assert_eq!(chosen.len(), 1);
    assert_eq!(chosen[0].also.len(), 1);
}

/// A text that stands twice in a document was told twice where the summary was long.
#[test]
fn what_stands_twice_is_told_once() {
    let name = |i: usize| ["mill", "pier", "dam", "lock", "tower"][i % 5].to_owned() + &"x".repeat(i / 5);
    let text: String = (0..100)
        .map(|i| format!("The council of the town sold the {} for nothing.\n\n", name(i)))
        .collect();
    let document = Document::new("t", text.repeat(2), Format::Plain).unwrap();
    let options = SummaryOptions {
        length: Length::Sentences(1000),
        method: Method::Textrank,
        ..SummaryOptions::default()
    };
    let summary = summarize(&[&document], &TextRank, &options, |_| true).unwrap();
    assert_eq!(summary.documents[0].sentences.len(), 100);
}

/// Lines that named the same folder waited for each other for ever: a thread that waited for files to be
/// read began another line, which waited for the first.
#[test]
fn a_batch_over_a_folder_with_many_threads_ends() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..60 {
        std::fs::write(folder.path().join(format!("{i}.txt")), "").unwrap();
    }
    let mut child = Command::new(env!("CARGO_BIN_EXE_ask"))
        .args(["batch", "--threads", "16", "--quiet"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    // Files without text: all are read, and nothing takes long.
    let line = serde_json::json!({"question": "who?", "docs": [folder.path()]});
    let writer = std::thread::spawn(move || {
        for _ in 0..400 {
            writeln!(input, "{line}").unwrap();
        }
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    assert_eq!(output.stdout.iter().filter(|&&b| b == b'\n').count(), 400);
}

/// An open stream went on quoting what a file had said when it was first named.
#[test]
fn a_batch_sees_files_change() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("note.txt");
    let mut child = Command::new(env!("CARGO_BIN_EXE_ask"))
        .args(["batch", "--always-answer"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
    for name in ["Ada Quist", "Bo Lund"] {
        std::fs::write(&file, format!("The bridge was opened by {name}.")).unwrap();
        writeln!(
            input,
            "{}",
            serde_json::json!({"question": "who opened the bridge?", "docs": [file]})
        )
        .unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut output, &mut line).unwrap();
        let answer: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert!(
            name.contains(answer["answers"][0]["text"].as_str().unwrap()),
            "{line}"
        );
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

/// Markup dropped at the very end left no edit in the map, and the source was taken for the text.
#[test]
fn markup_at_the_very_end_is_not_text() {
    let document = Document::new("t", "$\r\n#", Format::Markdown).unwrap();
    assert_eq!(document.text(), "$");
    assert_eq!(document.source_span(&(0..1)), 0..1);
}

/// A line break that was not exactly where a text of even letters would break cut a sentence of a PDF in two.
#[test]
fn a_sentence_is_whole_where_letters_have_widths() {
    let text = "The call between Mr. Trump and Putin is the first known conversation between the two since\n\
                the president returned to the White House for a second term. It comes a day after Russia\n\
                released Pennsylvania schoolteacher Marc Fogel, who was serving a 14-year sentence and\n\
                was designated as wrongfully detained late last year.";
    let document = Document::new("t", text, Format::Plain).unwrap();
    let at = text.find("Marc Fogel").unwrap();
    let sentence = &text[document.sentence_around(&(at..at + 10))];
    assert!(
        sentence.starts_with("It comes a day") && sentence.ends_with("late last year."),
        "{sentence}"
    );
    assert_eq!(document.blocks().len(), 1);
}

/// The numbered paragraphs of a ruling were taken for a list, its summary was its closing line, and a focus on them was said to be nowhere.
#[test]
fn numbered_paragraphs_are_summarised() {
    let text = "JUDGMENT\n\n\
                1. This is an appeal from the order of Mr. Justice Harlow, by which he dismissed the claim. The appellant owned the vessel.\n\n\
                2. We do not accept that the pump was material. The appeal is allowed. The respondent must pay the appellant $3.9 million.\n\n\
                The costs follow the event in the usual way.\n";
    let document = Document::new("t", text, Format::Plain).unwrap();
    let options = SummaryOptions {
        method: Method::Textrank,
        length: Length::Sentences(1),
        focus: Some("Was the appeal allowed?".to_owned()),
        ..SummaryOptions::default()
    };
    let summary = summarize(&[&document], &TextRank, &options, |_| true).unwrap();
    let [sentence] = &summary.documents[0].sentences[..] else {
        panic!("{summary:?}");
    };
    assert_eq!(
        (sentence.text.as_str(), sentence.line),
        ("The appeal is allowed.", 5)
    );
    assert_eq!(summary.documents[0].skipped, 1);
    let all = SummaryOptions {
        focus: None,
        length: Length::Sentences(9),
        ..options
    };
    let summary = summarize(&[&document], &TextRank, &all, |_| true).unwrap();
    let sentences = &summary.documents[0].sentences;
    assert_eq!(sentences.len(), 6);
    assert_eq!(sentences[2].text, "We do not accept that the pump was material.");
    assert_eq!(
        &text[sentences[2].start_byte..sentences[2].end_byte],
        sentences[2].text
    );
}

/// A line of 200 KB was printed whole around an answer.
#[test]
fn what_is_shown_around_an_answer_is_bounded() {
    let filler = "words without any stop ".repeat(4500);
    let line = format!("{filler}the bridge was drawn by Ada Quist in the spring {filler}");
    let scene = Scene::new().file("line.txt", &line).finds("Ada Quist", 20.0);
    for context in ["sentence", "paragraph"] {
        let shown = scene.run(&["who drew it?", "line.txt", "--context", context]).out;
        assert!(shown.len() < 4000, "{} bytes", shown.len());
        assert!(shown.contains("line.txt:1  … "), "{shown}");
        assert!(
            shown.contains("the bridge was drawn by [Ada Quist] in the spring words"),
            "{shown}"
        );
        assert!(shown.trim_end().ends_with(" …"), "{shown}");
    }
    let json = scene.run(&["who drew it?", "line.txt", "--json"]).json();
    assert!(json["answers"][0]["sentence"].as_str().unwrap().len() > 30_000);
}

/// Where no span may reach into the next paragraph, its number was the answer: "1.2" to "What is the fee?".
#[test]
fn the_number_of_a_clause_is_an_answer_only_if_it_is_meant() {
    let clauses = "1.1 The fee is £12.\n\n1.2 The fine is £4.\n";
    let answers = |scene: Scene| {
        let json = scene
            .file("a.txt", clauses)
            .run(&["what?", "a.txt", "--top", "5", "--json"])
            .json();
        json["answers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| a["text"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let both = answers(Scene::new().finds("£12", 20.0).finds("1.2", 15.0));
    assert!(both[0] == "£12" && !both.contains(&"1.2".to_owned()), "{both:?}");
    assert_eq!(answers(Scene::new().finds("1.2", 20.0))[0], "1.2");
}

/// A text without sentences was summarised by its lines, run together as if they were sentences.
#[test]
fn lines_are_shown_one_below_the_other() {
    let minutes = "Minutes of the Parish Council\nHeld on Tuesday 4 February 2025 at 7.30 pm\n\n\
                   Present: Cllr A. Brown (Chair), Cllr D. Singh\nProposed by Cllr Brown\n";
    let scene = Scene::new().file("minutes.txt", minutes).file(
        "news.txt",
        "The dam broke on Monday night. Water reached the town.",
    );
    let run = |files: &[&str], options: &[&str]| {
        scene.run(&[&["summarize", "--method=lead"], files, options].concat())
    };
    let lines = "Minutes of the Parish Council\nHeld on Tuesday 4 February 2025 at 7.30 pm\n";
    let shown = run(&["minutes.txt"], &["--sentences=2"]);
    assert_eq!(shown.out, format!("{lines}  minutes.txt:1, 2\n"));
    assert!(
        shown
            .err
            .contains("minutes.txt has hardly any sentences; these are lines of it"),
        "{shown:?}"
    );
    let shown = run(&["minutes.txt"], &["--sentences=2", "--markdown", "-q"]);
    assert!(shown.out.contains("Council[^1]\n\nHeld on"), "{shown:?}");
    assert_eq!(shown.err, "");
    let shown = run(&["minutes.txt", "news.txt"], &["--sentences=2", "-q"]);
    let sentences = "The dam broke on Monday night. Water reached the town.\n";
    assert!(
        shown.out.starts_with(lines) && shown.out.contains(sentences),
        "{shown:?}"
    );
    let shown = run(&["minutes.txt"], &["--json"]);
    assert!(
        !shown.err.contains("hardly any sentences") && !shown.out.contains("by_lines"),
        "{shown:?}"
    );
    assert!(!run(&["news.txt"], &[]).err.contains("hardly any sentences"));
}

/// A second answer was a piece of the number that the first had been widened to.
#[test]
fn widened_answers_do_not_overlap() {
    let reader = reader(&[("1", 5.0), ("567", 4.0), ("crowns", 3.0)]);
    let document = Document::new("t", "It cost 1,234,567 crowns in all.", Format::Plain).unwrap();
    let options = AskOptions {
        top: 10,
        ..AskOptions::default()
    };
    let answers = reader.ask("how much?", &[&document], &options).unwrap().answers;
    assert!(
        answers.iter().any(|a| a.text.contains("1,234,567")),
        "{answers:?}"
    );
    for (i, one) in answers.iter().enumerate() {
        for other in &answers[i + 1..] {
            let apart = one.end_byte <= other.start_byte || other.end_byte <= one.start_byte;
            assert!(apart, "{one:?} {other:?}");
        }
    }
}

/// It was written as -0.0.
#[test]
fn no_relevance_has_no_sign() {
    let text = "The dam broke on Monday night. The baker sold bread to all of us.";
    let document = Document::new("t", text, Format::Plain).unwrap();
    let options = SummaryOptions {
        method: Method::Textrank,
        focus: Some("bread".to_owned()),
        ..SummaryOptions::default()
    };
    let summary = summarize(&[&document], &TextRank, &options, |_| true).unwrap();
    let relevance: Vec<f64> = summary.documents[0]
        .sentences
        .iter()
        .filter_map(|s| s.relevance)
        .collect();
    assert!(
        relevance.contains(&0.0) && relevance.iter().all(|r| r.is_sign_positive()),
        "{relevance:?}"
    );
}
