//! `ask summarize` from argument to exit code.

mod common;

use common::{Scene, assert_harmless};
use insta::assert_snapshot;
use serde_json::{Value, json};

const STORM: &str = "\
Storm over Elbing

ELBING (AP) — The dam above Elbing broke on Monday night. Water reached the town within an hour. \
He blamed the council for it.

- sandbags
- pumps

Insurers expect claims of forty million crowns. Nobody was hurt by the flood.
";

fn storm() -> Scene {
    Scene::new().file("storm.txt", STORM)
}

#[test]
fn a_summary_is_a_paragraph_with_its_places() {
    assert_snapshot!(storm().run(&["summarize", "storm.txt", "--method", "lead"]), @r#"
    exit code 0
    --- output
    The dam above Elbing broke on Monday night. Water reached the town within an hour. He blamed the council for it.
      storm.txt:3
    --- error
    ask: note: 3 parts of the text left out: headings, lists, tables, code, captions, sentences of three words or fewer
    "#);
}

#[test]
fn bullets_name_the_place_of_each_sentence() {
    let outcome = storm().run(&[
        "summarize",
        "storm.txt",
        "--method=lead",
        "--sentences=2",
        "--bullets",
        "-q",
    ]);
    assert_snapshot!(outcome, @r#"
    exit code 0
    --- output
    - The dam above Elbing broke on Monday night.  storm.txt:3
    - Water reached the town within an hour.  storm.txt:3
    "#);
}

#[test]
fn scores_are_shown_on_request() {
    let outcome = storm().run(&["summarize", "storm.txt", "--method=lead", "--scores", "-q"]);
    assert_snapshot!(outcome, @r#"
    exit code 0
    --- output
    - 1.00  The dam above Elbing broke on Monday night.  storm.txt:3
    - 0.50  Water reached the town within an hour.  storm.txt:3
    - 0.33  He blamed the council for it.  storm.txt:3
    "#);
}

#[test]
fn markdown_has_footnotes() {
    let outcome = storm().run(&[
        "summarize",
        "storm.txt",
        "--method=lead",
        "--markdown",
        "--words",
        "20",
        "-q",
    ]);
    assert_snapshot!(outcome, @r#"
    exit code 0
    --- output
    The dam above Elbing broke on Monday night.[^1] Water reached the town within an hour.[^2]

    [^1]: storm.txt:3
    [^2]: storm.txt:3
    "#);
}

#[test]
fn the_whole_text_can_be_shown_with_the_sentences_marked() {
    let outcome = storm().run(&[
        "summarize",
        "storm.txt",
        "--method=lead",
        "--highlight",
        "--sentences=1",
        "-q",
    ]);
    assert_snapshot!(outcome, @r#"
    exit code 0
    --- output
    Storm over Elbing

    ELBING (AP) — [The dam above Elbing broke on Monday night.] Water reached the town within an hour. He blamed the council for it.

    - sandbags
    - pumps

    Insurers expect claims of forty million crowns. Nobody was hurt by the flood.
    "#);
    let mut scene = storm();
    scene.terminal = true;
    let shown = scene.run(&[
        "summarize",
        "storm.txt",
        "--method=lead",
        "--highlight",
        "--sentences=1",
    ]);
    assert!(
        shown
            .out
            .contains("\u{1b}[1mThe dam above Elbing broke on Monday night.\u{1b}[0m")
    );
}

#[test]
fn json_quotes_every_sentence() {
    let line = storm()
        .run(&["summarize", "storm.txt", "--method=textrank", "--json"])
        .json();
    assert_eq!(line["method"], "textrank");
    assert_eq!(line["model"], Value::Null);
    assert_eq!(line["documents"][0]["document"], "storm.txt");
    assert_eq!(line["documents"][0]["skipped"], 3);
    let sentences = line["documents"][0]["sentences"].as_array().unwrap();
    assert_eq!(sentences.len(), 3);
    for sentence in sentences {
        let at = |key: &str| sentence[key].as_u64().unwrap() as usize;
        assert_eq!(sentence["source_text"], STORM[at("start_byte")..at("end_byte")]);
        let line = STORM.lines().nth(at("line") - 1).unwrap();
        let from: String = line.chars().skip(at("column") - 1).collect();
        assert!(from.starts_with(sentence["text"].as_str().unwrap()));
    }
}

#[test]
fn a_focus_is_preferred_and_its_absence_told() {
    let scene = storm();
    let focused = |focus: &str| {
        scene.run(&[
            "summarize",
            "storm.txt",
            "--method=lead",
            "--sentences=1",
            "--bullets",
            "--focus",
            focus,
        ])
    };
    let found = focused("what do insurers claim?");
    assert!(found.out.starts_with("- Insurers expect claims"), "{found:?}");
    let none = focused("volcano");
    assert!(none.out.starts_with("- The dam"), "{none:?}");
    assert!(
        none.err
            .contains("no sentence has a word of the focus \"volcano\""),
        "{none:?}"
    );
    let listed = focused("sandbags");
    assert!(
        listed
            .err
            .contains("\"sandbags\" stand only in what is left out (1 part: headings"),
        "{listed:?}"
    );
    let long = scene.run(&[
        "summarize",
        "storm.txt",
        "--method=textrank",
        "--words=6",
        "--focus=insurers",
    ]);
    assert!(
        long.err
            .contains("no sentence with a word of the focus \"insurers\" was chosen"),
        "{long:?}"
    );
    let calm = storm().file("calm.txt", "The council met on Tuesday as on every other week.");
    let two = |options: &[&str]| {
        let all = [
            "summarize",
            "storm.txt",
            "calm.txt",
            "--method=lead",
            "--focus=insurers",
        ];
        calm.run(&[&all, options].concat()).err
    };
    let told = "the summary of calm.txt has no sentence with a word of the focus \"insurers\"";
    assert!(two(&[]).contains(told), "{}", two(&[]));
    assert!(
        !two(&["--together"]).contains("focus"),
        "{}",
        two(&["--together"])
    );
    focused("of the").fails_with(&["focus", "--focus"]);
    let line = scene
        .run(&[
            "summarize",
            "storm.txt",
            "--method=lead",
            "--focus=insurers",
            "--sentences=1",
            "--json",
        ])
        .json();
    assert_eq!(line["documents"][0]["sentences"][0]["relevance"], 1.0);
}

#[test]
fn several_documents_are_summarised_one_by_one_or_together() {
    let scene = storm().file(
        "other.txt",
        "The dam above Elbing broke late on Monday night. Schools in the valley stay closed this week.",
    );
    let one_by_one = scene.run(&[
        "summarize",
        "storm.txt",
        "other.txt",
        "--method=lead",
        "--sentences=1",
        "-q",
    ]);
    assert_snapshot!(one_by_one, @r#"
    exit code 0
    --- output
    The dam above Elbing broke on Monday night.
      storm.txt:3

    The dam above Elbing broke late on Monday night.
      other.txt:1
    "#);
    let arguments = [
        "summarize",
        "storm.txt",
        "other.txt",
        "--method=textrank",
        "--together",
        "--bullets",
        "-q",
    ];
    assert_snapshot!(scene.run(&arguments), @r#"
    exit code 0
    --- output
    - The dam above Elbing broke on Monday night.  storm.txt:3 (also other.txt:1)
    - Water reached the town within an hour.  storm.txt:3
    - Schools in the valley stay closed this week.  other.txt:1
    "#);
}

/// The cells of one table stood for the sentences of all documents.
#[test]
fn tables_are_no_match_for_sentences_in_one_summary() {
    let scene = storm().file(
        "costs.csv",
        "Airline,Seats\nPakistan International,348563137\nMalaysia Airlines,1039171244\n",
    );
    let together = scene.run(&[
        "summarize",
        "costs.csv",
        "storm.txt",
        "--together",
        "--method=textrank",
        "-q",
    ]);
    assert!(
        together.out.contains("storm.txt") && !together.out.contains("costs.csv"),
        "{together:?}"
    );
    let alone = scene.run(&["summarize", "costs.csv", "--together", "--method=textrank", "-q"]);
    assert!(alone.out.contains("costs.csv"), "{alone:?}");
}

/// A sentence of more words than a summary takes was cut into its lines, and the last of them stood for all.
#[test]
fn the_end_of_a_long_sentence_is_no_sentence() {
    let long = format!(
        "It went on\n{}until a great puppy sat there with its tongue\nhanging out of its mouth, and its great eyes half shut.\n\n{STORM}\n",
        "and on through the wood and over the hills and past\n".repeat(20)
    );
    let scene = Scene::new().file("long.txt", long);
    let summary = scene.run(&[
        "summarize",
        "long.txt",
        "--focus",
        "tongue hanging",
        "--method=textrank",
        "-q",
    ]);
    assert!(!summary.out.contains("hanging"), "{summary:?}");
}

#[test]
fn text_comes_from_a_pipe_or_from_ask_toml() {
    let scene = Scene::new().stdin(STORM);
    let piped = scene.run(&["summarize", "--method=lead", "-q"]);
    assert!(piped.out.contains("standard input:3"), "{piped:?}");
    let scene = storm().file("ask.toml", "docs = [\"storm.txt\"]");
    let found = scene.run(&["summarize", "--method=lead", "-q"]);
    assert!(found.out.contains("storm.txt:3"), "{found:?}");
    let nothing = Scene::new().run(&["summarize", "--method=lead"]);
    nothing.fails_with(&["no documents: name files or folders", "ask.toml"]);
}

/// What to do instead is the same for all commands, so no other command is named.
#[test]
fn a_remedy_names_no_other_command() {
    let scene = Scene::new().file("my.doc", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1");
    for arguments in [
        &["summarize", "my.doc"] as &[&str],
        &["summarize"],
        &["summarize", "gone.txt"],
    ] {
        let message = scene.run(arguments).failure().to_owned();
        assert!(
            !message.contains("ask \"") && !message.contains("--docs"),
            "{message}"
        );
    }
    scene
        .run(&["summarize", "my.doc"])
        .fails_with(&["save it as DOCX"]);
}

#[test]
fn wrong_options_are_told_with_their_range() {
    let run = |options: &[&str]| storm().run(&[&["summarize", "storm.txt"], options].concat());
    run(&["--sentences=0"]).fails_with(&["--sentences", "0", "1 to 100000"]);
    run(&["--words=0"]).fails_with(&["--words", "1 to"]);
    run(&["--share=0"]).fails_with(&["--share", "at most 1"]);
    run(&["--share=120%"]).fails_with(&["--share", "1.2"]);
    run(&["--words=2", "--method=lead"]).fails_with(&["no sentence is short enough", "--words"]);
    for options in [
        &["--share=some"][..],
        &["--words=9", "--sentences=2"],
        &["--json", "--bullets"],
        &["--method=best"],
    ] {
        let outcome = run(options);
        assert_eq!((outcome.code, outcome.out.as_str()), (2, ""), "{outcome:?}");
    }
    assert_eq!(run(&["--share=30%", "--method=lead"]).code, 0);
}

#[test]
fn what_could_not_be_read_makes_the_exit_code_two() {
    let scene = storm().file("picture.txt", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00");
    let outcome = scene.run(&["summarize", "storm.txt", "picture.txt", "--method=lead"]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.out.contains("The dam above Elbing"), "{outcome:?}");
    assert!(outcome.err.contains("not read: picture.txt"), "{outcome:?}");
    scene
        .run(&["summarize", "missing.txt"])
        .fails_with(&["missing.txt", "no such file"]);
}

#[test]
fn nothing_of_a_document_steers_the_terminal() {
    let text = "The \u{1b}[31mdam\u{202e} above Elbing broke on Monday night. Water *reached* the [town](x) within\u{9b} an hour.";
    let scene = Scene::new().file("evil.txt", text);
    for form in ["--bullets", "--markdown", "--highlight", "--json", "--quiet"] {
        let outcome = scene.run(&["summarize", "evil.txt", "--method=lead", form]);
        assert_eq!(outcome.code, 0, "{outcome:?}");
        assert_harmless(&outcome.out);
        assert_harmless(&outcome.err);
    }
}

#[test]
fn batch_summarises_line_by_line() {
    let scene = storm().lines([
        json!({"id": 1, "summarize": {"sentences": 1, "method": "lead"}, "context": STORM}),
        json!({"id": 2, "summarize": {"words": 12, "method": "textrank", "focus": "insurers"}, "docs": ["storm.txt"]}),
        json!({"id": 3, "summarize": {"sentence": 1}, "context": STORM}),
        json!({"id": 4, "summarize": {"sentences": 1, "words": 3}, "context": STORM}),
        json!({"id": 5, "summarize": {}, "question": "who?", "context": STORM}),
        json!({"id": 6, "context": STORM}),
        json!({"id": 7, "summarize": {"share": "40%", "method": "lead"}, "context": STORM}),
        json!({"id": 8, "summarize": {"share": 0.4, "method": "lead"}, "context": STORM}),
    ]);
    let outcome = scene.run(&["batch"]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let lines = outcome.json_lines();
    assert_eq!(lines.len(), 8);
    assert!(!lines[6]["sentences"].as_array().unwrap().is_empty());
    assert_eq!(lines[6]["sentences"], lines[7]["sentences"]);
    assert_eq!(
        lines[0]["sentences"][0]["text"],
        "The dam above Elbing broke on Monday night."
    );
    assert_eq!(lines[0]["skipped"], 3);
    assert_eq!(lines[1]["documents"][0]["sentences"][0]["relevance"], 1.0);
    let error = |i: usize| lines[i]["error"].as_str().unwrap().to_owned();
    assert!(error(2).contains("sentence"), "{}", error(2));
    assert!(error(3).contains("summarize.words"), "{}", error(3));
    assert!(error(4).contains("both question and summarize"), "{}", error(4));
    assert!(
        error(5).contains("neither question nor summarize"),
        "{}",
        error(5)
    );
}

/// Read by eye: it says that Trump spoke with Putin, that talks are to start and who leads them, and no sentence leans on one that is not there.
#[test]
fn the_summary_of_the_sample_article() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/000_641a5b59e4350978.txt");
    let seed = quotable::document::read::read_file(&path, &Default::default()).unwrap();
    let reader = quotable::Reader::embedded().unwrap();
    let summary = reader.summarize(&[&seed], &Default::default(), |_| true).unwrap();
    let lines: Vec<String> = summary.documents[0]
        .sentences
        .iter()
        .map(|s| format!("{}: {}", s.line, s.text))
        .collect();
    assert_snapshot!(lines.join("\n"), @r"
    1: President Trump said Wednesday that he spoke with Russian President Vladimir Putin and directed members of his national security team to “immediately” begin negotiations aimed at ending Russia’s war with Ukraine.
    2: The call between Mr. Trump and Putin is the first known conversation between the two since the president returned to the White House for a second term.
    2: It comes a day after Russia released Pennsylvania schoolteacher Marc Fogel, who was serving a 14-year sentence and was designated as wrongfully detained late last year.
    ");
}
