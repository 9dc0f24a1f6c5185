//! The command line from argument to exit code, with an engine that says what it is told.

mod common;

use common::{Outcome, Scene, assert_harmless};
use insta::assert_snapshot;
use serde_json::{Value, json};

const BRIDGE: &str = "\
The bridge over the Lenn

The old bridge fell in the flood of 1928. The new one was designed by Ada Quist, an engineer from Halden. \
It was opened by Mayor Tom Bell in 1931.

Tolls were dropped in 1946.
";

/// Clearly there.
const SURE: f32 = 20.0;

/// A JPEG, as far as anybody looks.
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01";

fn bridge() -> Scene {
    Scene::new().file("bridge.txt", BRIDGE).finds("Ada Quist", SURE)
}

/// A text of 200 kB that tells of the bridge in its middle, and of something else around it.
fn long() -> String {
    let other = "The committee then went on to the next item of its long agenda. ".repeat(8) + "\n\n";
    other.repeat(200) + BRIDGE + "\n" + &other.repeat(200)
}

// ---- Reading a part ----

#[test]
fn skimming_reads_what_shares_words_with_the_question_and_says_so() {
    let scene = bridge().file("long.txt", long());
    let outcome = scene.run(&["--skim", "who designed the bridge?", "long.txt"]);
    assert_snapshot!(outcome, @r#"
    exit code 0
    --- output
    Ada Quist  (… %)
      long.txt:403  The new one was designed by [Ada Quist], an engineer from Halden.
    --- error
    ask: note: 64 passages of 200 were read, those that share a word with the question, and the first of the others; --skim=false reads all
    "#);
    let line = scene
        .run(&["--skim", "-q", "--json", "who designed the bridge?", "long.txt"])
        .json();
    assert_eq!(line["skimmed"], json!({"passages": 64, "sharing": 1, "of": 200}));
    let whole = scene
        .run(&["--json", "who designed the bridge?", "long.txt"])
        .json();
    assert_eq!(whole.get("skimmed"), None);
    assert_eq!(line["answers"], whole["answers"]);
}

#[test]
fn skimming_does_not_deny_what_it_did_not_read() {
    let scene = Scene::new().file("long.txt", long()).finds("agenda", -2.0);
    let outcome = scene.run(&["--skim", "--quiet", "who painted it?", "long.txt"]);
    assert_eq!(outcome.code, 1);
    let first = outcome.out.lines().next().unwrap_or_default();
    assert!(
        first.starts_with("Not in the 65 passages of 200 that were read. ("),
        "{first}"
    );
    let scene = scene.file("unread.jpg", JPEG);
    let outcome = scene.run(&["--skim", "--quiet", "who painted it?", "long.txt", "unread.jpg"]);
    assert_eq!(outcome.code, 2);
    assert!(
        outcome.out.contains("that were read (1 document could not)"),
        "{outcome}"
    );
}

#[test]
fn words_that_are_nowhere_choose_nothing() {
    let scene = bridge().file("long.txt", long());
    let outcome = scene.run(&["--skim", "Zeppelin mooring", "long.txt"]);
    assert!(
        outcome
            .err
            .contains("the first, since none shares a word with the question"),
        "{outcome}"
    );
}

#[test]
fn what_is_short_is_read_whole_all_the_same() {
    let args = ["who designed it?", "bridge.txt"];
    let whole = bridge().run(&args);
    assert_eq!(bridge().run(&[&["--skim"], &args[..]].concat()), whole);
}

#[test]
fn what_is_nearer_decides_about_skimming() {
    let scene = bridge()
        .file("long.txt", long())
        .file("ask.toml", "skim = true\n");
    let skims = |outcome: Outcome| outcome.json().get("skimmed").is_some();
    let question = "who designed the bridge?";
    assert!(skims(scene.run(&["--json", question, "long.txt"])));
    assert!(!skims(scene.run(&[
        "--json",
        "--skim=false",
        question,
        "long.txt"
    ])));
    let line = |skim: &str| format!("{{\"question\": \"{question}\", \"docs\": [\"long.txt\"]{skim}}}");
    let lines = ["", ", \"skim\": false", ", \"skim\": true"].map(line);
    let scene = scene.lines(lines);
    let skimmed = |arguments: &[&str]| -> Vec<bool> {
        let lines = scene.run(arguments).json_lines();
        lines.iter().map(|line| line.get("skimmed").is_some()).collect()
    };
    assert_eq!(skimmed(&["batch"]), [true, false, true]);
    assert_eq!(skimmed(&["batch", "--skim=false"]), [false, false, true]);
    let outcome = bridge().run(&["--skim=perhaps", question, "bridge.txt"]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.err.contains("'perhaps' for '--skim"), "{outcome}");
}

// ---- One question ----

#[test]
fn an_answer_is_shown_with_its_place_and_its_sentence() {
    assert_snapshot!(bridge().run(&["who designed it?", "bridge.txt"]), @r#"
    exit code 0
    --- output
    Ada Quist  (… %)
      bridge.txt:3  The new one was designed by [Ada Quist], an engineer from Halden.
    "#);
}

#[test]
fn an_answer_can_be_shown_with_its_paragraph() {
    let outcome = bridge().run(&["--context", "paragraph", "who designed it?", "bridge.txt"]);
    assert_snapshot!(outcome, @r#"
    exit code 0
    --- output
    Ada Quist  (… %)
      bridge.txt:3  The old bridge fell in the flood of 1928. The new one was designed by [Ada Quist], an engineer from Halden. It was opened by Mayor Tom Bell in 1931.
    "#);
}

#[test]
fn an_answer_can_be_shown_with_its_place_alone() {
    let outcome = bridge().run(&["who designed it?", "bridge.txt", "--context=none"]);
    assert_snapshot!(outcome, @r#"
    exit code 0
    --- output
    Ada Quist  (… %)
      bridge.txt:3
    "#);
}

#[test]
fn several_answers_come_best_first_without_overlap() {
    let scene = bridge().finds("Tom Bell", 10.0).finds("Tolls", 5.0);
    assert_snapshot!(scene.run(&["--top", "3", "who?", "bridge.txt"]), @r#"
    exit code 0
    --- output
    Ada Quist  (… %)
      bridge.txt:3  The new one was designed by [Ada Quist], an engineer from Halden.

    Tom Bell  (… %)
      bridge.txt:3  It was opened by Mayor [Tom Bell] in 1931.

    Tolls  (… %)
      bridge.txt:5  [Tolls] were dropped in 1946.
    "#);
}

#[test]
fn an_answer_that_another_document_contradicts_is_not_shown_alone() {
    let scene = bridge()
        .file(
            "correction.txt",
            "The designer was Ida Holm. The board has said so.\n",
        )
        .finds("Ida Holm", SURE);
    assert_snapshot!(scene.run(&["who designed it?", "bridge.txt", "correction.txt"]), @r#"
    exit code 0
    --- output
    Ada Quist  (… %)
      bridge.txt:3  The new one was designed by [Ada Quist], an engineer from Halden.
    or: Ida Holm  (… %)
      correction.txt:1  The designer was [Ida Holm].
    "#);
    let line = scene
        .run(&["--json", "who designed it?", "bridge.txt", "correction.txt"])
        .json();
    assert_eq!(line["answers"].as_array().unwrap().len(), 1);
    assert_eq!(line["rival"]["text"], "Ida Holm");
    assert_eq!(line["rival"]["document"], "correction.txt");
    let alone = scene.run(&["--json", "who designed it?", "bridge.txt"]).json();
    assert!(alone.get("rival").is_none(), "{alone}");
}

#[test]
fn fewer_answers_than_asked_for_are_no_error() {
    let scene = Scene::new().file("a.txt", "One").finds("One", SURE);
    assert_snapshot!(scene.run(&["-n", "1000", "how many?", "a.txt"]), @r#"
    exit code 0
    --- output
    One  (… %)
      a.txt:1  [One]
    "#);
}

#[test]
fn punctuation_alone_is_no_answer() {
    let scene = Scene::new().file("a.txt", "One.").finds("One", SURE);
    let line = scene.run(&["--json", "--top", "3", "how many?", "a.txt"]).json();
    assert_eq!(line["answers"].as_array().unwrap().len(), 1, "{line}");
}

#[test]
fn an_answer_as_json_is_one_line_that_follows_the_contract() {
    assert_snapshot!(bridge().run(&["--json", "who designed it?", "bridge.txt"]), @r#"
    exit code 0
    --- output
    {"question":"who designed it?","answered":true,"not_in_document":…,"evidence":…,"answers":[{"text":"Ada Quist","confidence":…,"score":…,"document":"bridge.txt","source_text":"Ada Quist","start_byte":96,"end_byte":105,"line":3,"column":71,"sentence":"The new one was designed by Ada Quist, an engineer from Halden.","offset":28,"page":null}],"unread":[],"skipped":0,"language":null,"model":"scripted","elapsed_ms":…}
    "#);
}

#[test]
fn json_quotes_the_bytes_of_the_source() {
    let text = "\u{feff}Café\r\n\r\nIt was Ada\u{a0}Quist.\u{c2}\r\n";
    let answer = bridge()
        .file("cafe.txt", text)
        .run(&["--json", "who was it?", "cafe.txt"])
        .json();
    let answer = &answer["answers"][0];
    let byte = |key: &str| usize::try_from(answer[key].as_u64().unwrap()).unwrap();
    assert_eq!(answer["text"], "Ada Quist");
    assert_eq!(answer["source_text"], "Ada\u{a0}Quist");
    assert_eq!(&text[byte("start_byte")..byte("end_byte")], "Ada\u{a0}Quist");
    assert_eq!((byte("line"), byte("column")), (3, 8));
}

#[test]
fn what_is_not_in_the_document_is_said_with_what_comes_closest() {
    let outcome = Scene::new()
        .file("bridge.txt", BRIDGE)
        .finds("Tom Bell", -2.0)
        .run(&["who painted it?", "bridge.txt"]);
    assert_snapshot!(outcome, @r#"
    exit code 1
    --- output
    Not in the document. (… %)
      closest: “Tom Bell” (… %) bridge.txt:3
    "#);
}

#[test]
fn not_in_the_document_is_a_value_in_json() {
    let answer = Scene::new().file("bridge.txt", BRIDGE).finds("Tom Bell", -2.0);
    let outcome = answer.run(&["--json", "--top", "2", "who painted it?", "bridge.txt"]);
    assert_eq!(outcome.code, 1);
    let line = outcome.json();
    assert_eq!(line["answered"], false);
    assert!(line["not_in_document"].as_f64().unwrap() > 0.5);
    assert_eq!(
        line["answers"][0]["text"], "Tom Bell",
        "the candidates are listed all the same"
    );
    assert_eq!(line["answers"].as_array().unwrap().len(), 2);
}

#[test]
fn always_answer_gives_the_best_there_is() {
    let scene = Scene::new().file("bridge.txt", BRIDGE).finds("Tom Bell", -2.0);
    assert_snapshot!(scene.run(&["--always-answer", "who painted it?", "bridge.txt"]), @r#"
    exit code 0
    --- output
    Tom Bell  (… %, doubtful)
      bridge.txt:3  It was opened by Mayor [Tom Bell] in 1931.
    "#);
}

#[test]
fn answers_below_min_confidence_do_not_count() {
    let scene = bridge().finds("Tolls", 0.4);
    let unlimited = scene.run(&["--top", "2", "who?", "bridge.txt"]);
    assert!(
        unlimited.out.contains("Ada Quist") && unlimited.out.contains("Tolls"),
        "{unlimited}"
    );
    assert_snapshot!(scene.run(&["--min-confidence", "0.9", "--top", "2", "who?", "bridge.txt"]), @r#"
    exit code 0
    --- output
    Ada Quist  (… %)
      bridge.txt:3  The new one was designed by [Ada Quist], an engineer from Halden.
    "#);
}

#[test]
fn a_best_answer_below_min_confidence_is_no_answer() {
    let scene = Scene::new().file("bridge.txt", BRIDGE).finds("Tolls", 0.4);
    assert_eq!(scene.run(&["what?", "bridge.txt"]).code, 0);
    assert_eq!(
        scene
            .run(&["--min-confidence", "0.95", "what?", "bridge.txt"])
            .code,
        1
    );
}

#[test]
fn colour_marks_the_answer_in_its_sentence() {
    let outcome = bridge().run(&["--color", "always", "who designed it?", "bridge.txt"]);
    assert_snapshot!(outcome.to_string().replace('\u{1b}', "ESC"), @r#"
    exit code 0
    --- output
    ESC[1mAda QuistESC[0m  ESC[2m(… %)ESC[0m
      ESC[2mbridge.txt:3ESC[0m  The new one was designed by ESC[1mAda QuistESC[0m, an engineer from Halden.
    "#);
}

#[test]
fn colour_is_for_terminals_and_can_be_switched_off() {
    let mut scene = bridge();
    assert!(
        !scene
            .run(&["who designed it?", "bridge.txt"])
            .out
            .contains('\u{1b}')
    );
    scene.terminal = true;
    assert!(
        scene
            .run(&["who designed it?", "bridge.txt"])
            .out
            .contains('\u{1b}')
    );
    assert!(
        !scene
            .run(&["--color=never", "who designed it?", "bridge.txt"])
            .out
            .contains('\u{1b}')
    );
    assert!(
        !scene
            .run(&["--json", "who designed it?", "bridge.txt"])
            .out
            .contains('\u{1b}')
    );
}

// ---- Which documents ----

fn library() -> Scene {
    bridge()
        .file("texts/a.md", "# Notes\n\n*Tom Bell* sang at the **opening**.\n")
        .file("texts/b.txt", "Nothing of interest.")
        .finds("Tom Bell", 10.0)
}

#[test]
fn several_documents_are_read_and_each_answer_names_its_own() {
    let outcome = library().run(&["--top", "2", "who?", "texts", "--docs", "bridge.txt"]);
    assert_snapshot!(outcome, @r#"
    exit code 0
    --- output
    Ada Quist  (… %)
      bridge.txt:3  The new one was designed by [Ada Quist], an engineer from Halden.

    Tom Bell  (… %)
      bridge.txt:3  It was opened by Mayor [Tom Bell] in 1931.
    "#);
}

#[test]
fn a_pattern_names_the_files_that_match() {
    let outcome = library().run(&["--json", "who?", "texts/*.md"]);
    assert_eq!(outcome.json()["answers"][0]["document"], "texts/a.md");
    library()
        .run(&["who?", "texts/*.html"])
        .fails_with(&["texts/*.html", "no text documents"]);
}

#[test]
fn a_document_that_is_named_twice_is_read_once() {
    let outcome = bridge()
        .run(&[
            "--json",
            "--top",
            "5",
            "who?",
            "bridge.txt",
            "./bridge.txt",
            "bridge.txt",
        ])
        .json();
    let texts: Vec<&Value> = outcome["answers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| &a["text"])
        .collect();
    assert_eq!(texts.iter().filter(|t| **t == "Ada Quist").count(), 1);
}

#[test]
fn ask_toml_names_documents_and_options() {
    let scene = library().file(
        "ask.toml",
        "docs = [\"bridge.txt\", \"texts\"]\ntop = 2\ncontext = \"none\"\n",
    );
    assert_snapshot!(scene.run(&["who?"]), @r#"
    exit code 0
    --- output
    Ada Quist  (… %)
      bridge.txt:3

    Tom Bell  (… %)
      bridge.txt:3
    "#);
    let typed = scene.run(&["who?", "texts", "--top=1", "--context=sentence"]);
    assert_snapshot!(typed, @r#"
    exit code 0
    --- output
    Tom Bell  (… %)
      texts/a.md:3  [Tom Bell] sang at the opening.
    "#);
}

#[test]
fn what_ask_toml_switches_on_is_switched_off_by_typing() {
    let scene = Scene::new()
        .file("a/.hidden.txt", "It was Ada Quist.")
        .file("a/b.txt", "It was Tom Bell.")
        .file("ask.toml", "always-answer = true\nno-ignore = true\n")
        .finds("Tom Bell", -2.0);
    let run = |options: &[&str]| scene.run(&[options, &["--json", "who?", "a"]].concat()).json();
    assert_eq!(
        (&run(&[])["answered"], &run(&[])["skipped"]),
        (&json!(true), &json!(0))
    );
    let off = run(&["--always-answer=false", "--no-ignore=false"]);
    assert_eq!((&off["answered"], &off["skipped"]), (&json!(false), &json!(1)));
}

#[test]
fn ask_toml_is_found_in_a_parent_and_its_paths_are_its_own() {
    let scene = library()
        .file("ask.toml", "docs = [\"texts\"]\n")
        .starting_in("deep/down");
    assert_snapshot!(scene.run(&["who?"]), @r#"
    exit code 0
    --- output
    Tom Bell  (… %)
      ../../texts/a.md:3  [Tom Bell] sang at the opening.
    "#);
}

#[test]
fn the_nearest_ask_toml_counts_then_the_users_own() {
    let scene = library()
        .file("home/ask.toml", "docs = [\"../texts\"]\n")
        .user_configuration("home/ask.toml")
        .starting_in("work/here");
    assert!(scene.run(&["who?"]).out.starts_with("Tom Bell"));
    let scene = scene.file("work/ask.toml", "docs = [\"../bridge.txt\"]\n");
    assert!(scene.run(&["who?"]).out.starts_with("Ada Quist"));
}

#[test]
fn an_unknown_key_in_ask_toml_is_an_error_with_its_line() {
    let scene = bridge().file("ask.toml", "docs = [\"bridge.txt\"]\nstride = 3\n");
    scene
        .run(&["who designed it?"])
        .fails_with(&["ask.toml:2", "stride"]);
    scene.run(&["batch"]).fails_with(&["ask.toml:2", "stride"]);
}

#[test]
fn a_wrong_value_in_ask_toml_is_an_error_that_names_the_file() {
    let lines = [
        "top = 0",
        "min-confidence = 2.0",
        "threads = 0",
        "max-mib = 0",
        "context = \"page\"",
        "docs = \"bridge.txt\"",
        "docs = [",
    ];
    for line in lines {
        let outcome = bridge()
            .file("ask.toml", line)
            .run(&["who designed it?", "bridge.txt"]);
        outcome.fails_with(&["ask.toml"]);
    }
}

/// The file may be far from where the program was started, and nobody typed an option.
#[test]
fn errors_of_an_ask_toml_name_that_file_and_its_key() {
    let message = |line: &str, arguments: &[&str]| {
        let scene = bridge().file("ask.toml", line).starting_in("work/deep");
        scene.run(arguments).failure().to_owned()
    };
    let file = ["who?", "../../bridge.txt"];
    let mut cases: Vec<(&str, &[&str], &str)> = vec![
        ("top = 0", &file, "top: 0 is out of range"),
        ("threads = 0", &file, "threads: 0 is out of range"),
        ("max-mib = 0", &file, "max-mib: 0 is out of range"),
        ("min-confidence = 2.0", &file, "min-confidence: 2 is out of range"),
        ("device = \"cuda\"", &file, "device: cuda: the native engine"),
        ("model = \"gone\"", &file, "model: ../../gone: no such folder"),
        (
            "model = \"owner/gone\"",
            &file,
            "model: owner/gone: no such folder",
        ),
        ("model = \".\"", &file, "model: ../../.: has no"),
        (
            "docs = [\"gone.txt\"]",
            &["who?"],
            "docs: ../../gone.txt: no such file",
        ),
        (
            "docs = [\"gone.txt\"]",
            &["summarize"],
            "docs: ../../gone.txt: no such file",
        ),
    ];
    if cfg!(not(feature = "libtorch")) {
        cases.push(("engine = \"libtorch\"", &file, "engine: libtorch is not part"));
    }
    for (line, arguments, start) in cases {
        let message = message(line, arguments);
        assert!(
            message.starts_with(&format!("../../ask.toml: {start}")),
            "{message}"
        );
        for typed in ["leave out", "--model", "--device", "--top"] {
            assert!(!message.contains(typed), "{message}");
        }
    }
    let scene = bridge()
        .file("ask.toml", "docs = [\"gone.txt\"]")
        .starting_in("work/deep")
        .lines([json!({"question": "who?"})]);
    let line = scene.run(&["batch"]).json();
    let error = line["error"].as_str().unwrap();
    assert!(
        error.starts_with("../../ask.toml: docs: ../../gone.txt: no such file"),
        "{error}"
    );
    // What was typed goes before it, and is named as it was typed.
    let scene = bridge().file("ask.toml", "top = 0\nmodel = \"gone\"\ndevice = \"cpu\"");
    scene
        .run(&["who?", "bridge.txt", "--top", "3", "--model", "nowhere"])
        .fails_with(&["model nowhere: no such folder", "leave out --model"]);
    scene
        .run(&["who?", "bridge.txt", "--top", "3", "--model", "bridge.txt"])
        .fails_with(&["model bridge.txt: is a file", "name the folder"]);
}

#[test]
fn an_answer_of_several_items_shows_where_they_end() {
    let page =
        "<p>These cards are taken:</p><ul><li>American Express</li><li>PayPal</li><li>Klarna</li></ul>";
    let scene = Scene::new()
        .file("cards.html", page)
        .finds("American Express PayPal Klarna", SURE);
    let shown = scene.run(&["which cards?", "cards.html", "-q"]);
    assert!(
        shown.out.starts_with("American Express / PayPal / Klarna  ("),
        "{shown:?}"
    );
    assert!(
        shown.out.contains("[American Express / PayPal / Klarna]"),
        "{shown:?}"
    );
    let answer = scene.run(&["which cards?", "cards.html", "--json"]).json();
    assert_eq!(answer["answers"][0]["text"], "American Express\nPayPal\nKlarna");
    let declined = Scene::new()
        .file("cards.html", page)
        .finds("American Express PayPal Klarna", -1.0)
        .run(&["which cards?", "cards.html", "-q"]);
    assert!(
        declined
            .out
            .contains("closest: “American Express / PayPal / Klarna”"),
        "{declined:?}"
    );
}

/// What was asked for is in the other list, and the reader saw the wrong one only.
#[test]
fn a_list_below_another_heading_is_no_answer() {
    let minutes = "## Individual members approved\n\n- Ann Bell\n- Bo Lund\n\n## Corporate members approved\n\n- Six Feet Up\n";
    let scene = Scene::new().file("minutes.md", minutes).finds("Ann Bell", 1.5);
    let individual = scene.run(&["which individual members were approved?", "minutes.md"]);
    assert_eq!(individual.code, 0, "{individual:?}");
    let corporate = scene.run(&["which corporate members were approved?", "minutes.md"]);
    assert_eq!(corporate.code, 1, "{corporate:?}");
    assert!(corporate.out.contains("closest: “Ann Bell”"), "{corporate:?}");
}

#[test]
fn brackets_of_the_text_are_not_those_around_the_answer() {
    let scene = Scene::new()
        .file("port.txt", "The default port is TCP 80 [19].")
        .finds("TCP 80", SURE);
    let shown = scene.run(&["which port?", "port.txt", "-q"]);
    assert!(
        shown.out.ends_with("The default port is [[TCP 80]] [19].\n"),
        "{shown:?}"
    );
}

/// Of notes of one kind the first are shown, and how many there are.
#[test]
fn notes_say_how_many_more_there_are() {
    let mut scene = bridge();
    for n in 0..7 {
        scene = scene.file(&format!("old/{n}.txt"), b"The caf\xe9 is open.");
    }
    let notes = scene.run(&["who designed it?", "bridge.txt", "old"]).err;
    assert_eq!(notes.matches("read as windows-1252").count(), 5, "{notes}");
    assert!(
        notes.contains("ask: note: not in UTF-8: 2 more files (--json lists all)"),
        "{notes}"
    );
    let notes = scene.run(&["text", "old"]).err;
    assert!(notes.contains("2 more files\n"), "{notes}");
}

#[test]
fn the_text_of_a_page_is_shown_with_its_markup_or_without() {
    let page = "<style>p { color: red }</style><p>The <b>dam</b> broke.";
    let scene = Scene::new().file("page.html", page);
    assert_eq!(scene.run(&["text", "page.html"]).out, page);
    assert_eq!(scene.run(&["text", "--clean", "page.html"]).out, "The dam broke.");
}

#[test]
fn a_short_text_may_hold_a_bell_and_a_folder_is_blamed_for_its_own_files() {
    let scene = bridge()
        .file("bell.txt", "Ring\u{7} at five.\n")
        .file("a/.x", "x")
        .file("a/b.txt", "x")
        .file("b/.y/z", "y");
    assert_eq!(scene.run(&["who?", "bell.txt", "-q"]).code, 1);
    scene
        .run(&["who?", "a", "b"])
        .fails_with(&["b: ", "1 hidden or ignored"]);
    let unsure = Scene::new()
        .file("bridge.txt", BRIDGE)
        .finds("Ada Quist", 1.0)
        .run(&[
            "who designed it?",
            "bridge.txt",
            "--min-confidence",
            "0.996",
            "-q",
        ]);
    assert!(
        unsure.out.starts_with("No answer at 99.6 % or above."),
        "{unsure:?}"
    );
}

#[test]
fn without_documents_one_line_says_how_to_name_them() {
    assert_snapshot!(Scene::new().run(&["who designed it?"]), @r#"
    exit code 2
    --- error
    ask: no documents: name files or folders, pipe text in, or list them in ask.toml: docs = ["folder"]
    "#);
}

#[test]
fn documents_that_are_not_there_are_an_error() {
    bridge()
        .run(&["who?", "bridge.txt", "brigde.txt"])
        .fails_with(&["brigde.txt: no such file", "spelling"]);
    bridge()
        .file("ask.toml", "docs = [\"gone\"]\n")
        .run(&["who?"])
        .fails_with(&["gone: no such file"]);
}

#[test]
fn a_pipe_is_a_document() {
    assert_snapshot!(bridge().stdin("It was Ada Quist.\n").run(&["who was it?"]), @r#"
    exit code 0
    --- output
    Ada Quist  (… %)
      standard input:1  It was [Ada Quist].
    "#);
}

#[test]
fn a_pipe_comes_before_ask_toml_and_after_paths() {
    let scene = library()
        .file("ask.toml", "docs = [\"texts\"]\n")
        .stdin("It was Ada Quist.\n");
    assert_eq!(
        scene.run(&["--json", "who?"]).json()["answers"][0]["document"],
        "standard input"
    );
    assert_eq!(
        scene.run(&["--json", "who?", "texts"]).json()["answers"][0]["document"],
        "texts/a.md"
    );
}

#[test]
fn a_dash_is_the_pipe_among_paths() {
    let scene = library().stdin("It was Ada Quist.\n");
    let documents = |arguments: &[&str]| -> Vec<String> {
        let line = scene
            .run(&[&["summarize", "--json", "--method=lead"], arguments].concat())
            .json();
        let documents = line["documents"].as_array().unwrap();
        documents
            .iter()
            .map(|d| d["document"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(documents(&["-"]), ["standard input"]);
    assert_eq!(documents(&["-", "bridge.txt"]), ["standard input", "bridge.txt"]);
    assert_eq!(
        documents(&["bridge.txt", "-", "texts", "-"]),
        ["bridge.txt", "standard input", "texts/a.md", "texts/b.txt"]
    );
    let outcome = scene.run(&["--json", "who?", "-", "bridge.txt"]);
    assert_eq!((outcome.code, outcome.err.as_str()), (0, ""), "{outcome}");
    let empty = library().stdin("").run(&["who?", "-", "bridge.txt"]);
    assert_eq!(empty.code, 0, "{empty}");
    assert!(
        empty.err.contains("not read: standard input: holds no text"),
        "{empty}"
    );
}

#[test]
fn a_dash_without_a_pipe_says_what_it_stands_for() {
    let mut scene = library();
    for arguments in [
        &["who?", "-"] as &[&str],
        &["who?", "bridge.txt", "-"],
        &["who?", "--docs", "-"],
    ] {
        scene
            .run(arguments)
            .fails_with(&["-: stands for standard input", "closed", "COMMAND | ask \"…\" -"]);
    }
    scene
        .run(&["summarize", "-"])
        .fails_with(&["COMMAND | ask summarize -"]);
    scene.terminal = true;
    scene.run(&["who?", "-"]).fails_with(&["which is the terminal"]);
    scene.run(&["--docs", "-"]).fails_with(&["a session's questions"]);
    let scene = library().lines([json!({"question": "who?", "docs": ["-"]})]);
    let line = scene.run(&["batch"]).json();
    assert!(
        line["error"].as_str().unwrap().contains("carries the questions"),
        "{line}"
    );
    scene
        .run(&["batch", "--docs", "-"])
        .fails_with(&["--docs -", "carries the questions"]);
}

#[test]
fn an_empty_pipe_leaves_ask_toml_to_name_the_documents() {
    let scene = library().file("ask.toml", "docs = [\"texts\"]\n").stdin("");
    assert_snapshot!(scene.run(&["who?"]), @r#"
    exit code 0
    --- output
    Tom Bell  (… %)
      texts/a.md:3  [Tom Bell] sang at the opening.
    --- error
    ask: note: standard input is empty; reading the documents of ask.toml
    "#);
}

#[test]
fn an_empty_pipe_alone_is_an_error() {
    bridge()
        .stdin("")
        .run(&["who?"])
        .fails_with(&["standard input", "holds no text"]);
    bridge()
        .stdin(" \n\n")
        .run(&["who?"])
        .fails_with(&["standard input", "holds no text"]);
}

#[test]
fn what_cannot_be_read_is_said_and_does_not_keep_the_rest_from_answering() {
    let scene = library().file("texts/photo.jpg", JPEG);
    assert_snapshot!(scene.run(&["who?", "texts"]), @r#"
    exit code 0
    --- output
    Tom Bell  (… %)
      texts/a.md:3  [Tom Bell] sang at the opening.
    --- error
    ask: not read: texts/photo.jpg: is not text (it is a picture, whose words only OCR can read); convert it to plain text first
    "#);
}

#[test]
fn no_answer_while_something_was_unreadable_is_an_error() {
    let scene = Scene::new().file("texts/b.txt", "Nothing of interest.");
    assert_eq!(scene.run(&["who?", "texts"]).code, 1);
    let scene = scene.file("texts/photo.jpg", JPEG);
    assert_snapshot!(scene.run(&["who?", "texts"]), @r#"
    exit code 2
    --- output
    Not in the documents that could be read (1 could not). (… %)
      closest: “Nothing” (… %) texts/b.txt:1
    --- error
    ask: not read: texts/photo.jpg: is not text (it is a picture, whose words only OCR can read); convert it to plain text first
    "#);
    let outcome = scene.run(&["--json", "who?", "texts"]);
    assert_eq!(outcome.code, 2);
    assert_eq!(outcome.json()["unread"][0]["document"], "texts/photo.jpg");
    assert!(
        outcome.json()["unread"][0]["reason"]
            .as_str()
            .unwrap()
            .starts_with("is not text")
    );
}

/// It was read, and holds no answer: that is known.
#[test]
fn an_empty_file_of_a_folder_is_not_unread() {
    let scene = Scene::new()
        .file("texts/a.txt", "Nothing of interest.")
        .file("texts/empty.txt", "")
        .file("texts/sub/blank.md", " \n\n");
    assert_snapshot!(scene.run(&["who?", "texts"]), @r#"
    exit code 1
    --- output
    Not in the document. (… %)
      closest: “Nothing” (… %) texts/a.txt:1
    --- error
    ask: note: texts/empty.txt and 1 more hold no text
    "#);
    let outcome = scene.run(&["--json", "--quiet", "who?", "texts/*.txt"]);
    assert_eq!((outcome.code, outcome.err.as_str()), (1, ""), "{outcome}");
    assert_eq!(outcome.json()["unread"], json!([]));
    let summary = scene.run(&["summarize", "--method=lead", "texts/*.txt"]);
    assert_eq!(summary.code, 0, "{summary}");
    assert!(
        summary
            .err
            .starts_with("ask: note: texts/empty.txt: holds no text\n"),
        "{summary}"
    );
    let lines = scene.lines([json!({"question": "who?", "docs": ["texts"]})]);
    assert_eq!(lines.run(&["batch"]).json()["unread"], json!([]));
}

#[test]
fn what_is_wrong_in_ask_toml_is_told_in_its_own_words() {
    for (text, told) in [
        (&b"top = \"x\"\n"[..], "expected a whole number"),
        (b"docs = \"x\"\n", "expected a list in brackets"),
        (b"always-answer = 1\n", "expected true or false"),
        (b"docs = [\"caf\xe9\"]\n", "is not UTF-8"),
    ] {
        bridge()
            .file("ask.toml", text)
            .run(&["who?", "bridge.txt"])
            .fails_with(&["ask.toml", told]);
    }
}

#[test]
fn a_folder_of_empty_files_does_not_answer() {
    let scene = Scene::new().file("none/a.txt", "").file("none/b.txt", " \n");
    let outcome = scene.run(&["--json", "who?", "none"]);
    assert_eq!(outcome.code, 1, "{outcome}");
    assert_eq!(outcome.json()["evidence"], Value::Null);
    scene
        .run(&["summarize", "--quiet", "none"])
        .fails_with(&["nothing to summarise", "hold no text"]);
}

#[cfg(unix)]
#[test]
fn a_link_to_a_folder_is_told() {
    let scene = Scene::new()
        .file("real/w.txt", "The bridge was opened by Tom Bell.")
        .file("project/a.txt", "Nothing of interest.")
        .finds("Tom Bell", SURE);
    std::os::unix::fs::symlink(scene.path("real"), scene.path("project/linked")).unwrap();
    for pattern in ["project", "project/**/*.txt"] {
        let outcome = scene.run(&["--json", "who?", pattern]);
        assert_eq!(outcome.code, 2, "{outcome}");
        assert_eq!(outcome.json()["unread"][0]["document"], "project/linked");
    }
    assert_eq!(scene.run(&["who?", "project/*.txt"]).code, 1);
    assert_eq!(scene.run(&["who?", "project/linked"]).code, 0);
}

#[test]
fn an_answer_in_a_table_has_its_row() {
    let table = "| Name | Since |\n|---|---|\n| Tom Bell | 1931 |\n";
    let line = Scene::new()
        .file("a.md", table)
        .finds("Tom Bell", SURE)
        .run(&["--json", "who?", "a.md"])
        .json();
    let row = json!([{"heading": "Name", "text": "Tom Bell"}, {"heading": "Since", "text": "1931"}]);
    assert_eq!(line["answers"][0]["row"], row);
    assert!(
        bridge().run(&["--json", "who?", "bridge.txt"]).json()["answers"][0]
            .get("row")
            .is_none()
    );
}

#[test]
fn another_encoding_is_told() {
    let scene = Scene::new()
        .file("latin.txt", b"Le caf\xe9 de Tom Bell est na\xeff.\n")
        .file("damaged.txt", b"The caf\xc3\xa9 of Tom Bell and Ren\xe9e.\n");
    let latin = scene.run(&["--json", "who?", "latin.txt"]);
    assert_eq!(latin.json()["answers"][0]["encoding"], "windows-1252");
    assert!(
        latin.err.contains("latin.txt: read as windows-1252; bytes"),
        "{latin}"
    );
    let damaged = scene.run(&["--json", "who?", "damaged.txt"]);
    assert_eq!(damaged.json()["answers"][0]["encoding"], "UTF-8, damaged");
    assert!(damaged.err.contains("read as UTF-8 but for 1 byte"), "{damaged}");
    let summary = scene.run(&["summarize", "--method=lead", "--json", "latin.txt"]);
    assert_eq!(summary.json()["documents"][0]["encoding"], "windows-1252");
}

#[test]
fn what_needs_no_model_looks_for_none() {
    let scene = bridge().file("ask.toml", "model = \"nope\"\n");
    assert_eq!(scene.run(&["summarize", "--method=lead", "bridge.txt"]).code, 0);
    scene.run(&["summarize", "bridge.txt"]).fails_with(&["nope"]);
}

#[test]
fn an_empty_file_that_was_named_is_unread() {
    let scene = Scene::new()
        .file("texts/a.txt", "Nothing of interest.")
        .file("texts/empty.txt", "")
        .file("none/a.txt", "")
        .file("none/b.txt", "");
    for arguments in [
        &["who?", "texts/a.txt", "texts/empty.txt"],
        &["who?", "texts", "texts/empty.txt"],
    ] {
        let outcome = scene.run(arguments);
        assert_eq!(outcome.code, 2, "{outcome}");
        assert!(
            outcome.err.contains("not read: texts/empty.txt: holds no text"),
            "{outcome}"
        );
    }
    let scene = scene.file("none/c.jpg", JPEG);
    let outcome = scene.run(&["who?", "none"]);
    assert!(
        outcome.failure().starts_with("none/c.jpg: is not text"),
        "{outcome}"
    );
}

#[test]
fn nothing_but_unreadable_files_is_an_error() {
    let scene = Scene::new().file("texts/a.jpg", JPEG).file("texts/b.jpg", JPEG);
    scene
        .run(&["who?", "texts"])
        .fails_with(&["texts/a.jpg: is not text", "1 more"]);
}

#[test]
fn what_is_hidden_or_ignored_is_counted() {
    let scene = library()
        .file("texts/.gitignore", "draft.txt\n")
        .file("texts/draft.txt", "It was Ada Quist.")
        .file("texts/.secret/plan.txt", "It was Ada Quist.");
    assert_snapshot!(scene.run(&["who?", "texts"]), @r#"
    exit code 0
    --- output
    Tom Bell  (… %)
      texts/a.md:3  [Tom Bell] sang at the opening.
    --- error
    ask: note: 3 files are hidden or ignored and not read (--no-ignore includes them)
    "#);
    let json = scene.run(&["--json", "who?", "texts"]).json();
    assert_eq!(json["skipped"], 3);
    let quiet = scene.run(&["--quiet", "who?", "texts"]);
    assert_eq!(quiet.err, "");
}

#[test]
fn no_ignore_reads_what_is_hidden_or_ignored() {
    let scene = library()
        .file("texts/.gitignore", "draft.txt\n")
        .file("texts/draft.txt", "It was Ada Quist.");
    let outcome = scene.run(&["--json", "--no-ignore", "who?", "texts"]);
    assert_eq!(outcome.json()["answers"][0]["document"], "texts/draft.txt");
    assert_eq!(outcome.json()["skipped"], 0);
    assert_eq!(outcome.err, "");
}

#[test]
fn a_folder_without_text_is_an_error_that_names_what_was_left_out() {
    let scene = Scene::new().file("empty/.keep", "");
    scene.run(&["who?", "empty"]).fails_with(&[
        "empty",
        "no text documents",
        "1 hidden or ignored",
        "--no-ignore",
    ]);
    let scene = Scene::new().starting_in("empty").starting_in(".");
    scene
        .run(&["who?", "empty"])
        .fails_with(&["empty", "no text documents", "name a file"]);
}

#[test]
fn a_document_over_the_limit_is_refused() {
    let scene = Scene::new().file("long.txt", "word ".repeat(250_000));
    scene
        .run(&["who?", "long.txt", "--max-mib", "1"])
        .fails_with(&["long.txt", "1 MiB", "--max-mib"]);
    let piped = Scene::new().stdin("word ".repeat(250_000));
    piped
        .run(&["who?", "--max-mib", "1"])
        .fails_with(&["standard input", "1 MiB", "--max-mib"]);
}

#[test]
fn text_that_is_not_english_gets_a_note() {
    let text = "Die Brücke über die Lenn wurde nach dem Hochwasser von der Ingenieurin Ada Quist entworfen und \
                später von dem Bürgermeister feierlich eröffnet.";
    let scene = bridge().file("brücke.txt", text);
    let outcome = scene.run(&["who designed it?", "brücke.txt"]);
    assert_eq!(outcome.code, 0);
    assert!(
        outcome.err.contains("note: the text looks like German"),
        "{outcome}"
    );
    assert_eq!(scene.run(&["-q", "who designed it?", "brücke.txt"]).err, "");
    assert_eq!(scene.run(&["who designed it?", "bridge.txt"]).err, "");
    // Programs are told in the line.
    let json = scene
        .run(&["-q", "--json", "who designed it?", "brücke.txt"])
        .json();
    assert_eq!(json["language"], "German");
    let lines = scene.lines([
        json!({"question": "who designed it?", "context": text}),
        json!({"summarize": {"sentences": 1, "method": "lead"}, "docs": ["brücke.txt"]}),
    ]);
    for line in lines.run(&["batch"]).json_lines() {
        assert_eq!(line["language"], "German", "{line}");
    }
}

// ---- What is no question ----

#[test]
fn a_path_for_a_question_gets_a_hint() {
    assert_snapshot!(bridge().run(&["bridge.txt"]), @r#"
    exit code 2
    --- error
    ask: bridge.txt: is a file or folder, not a question; write ask "your question" bridge.txt, ask --docs bridge.txt for many questions, or ask -- bridge.txt if you do mean the word
    "#);
    bridge().run(&["bridge.txt"]).failure();
}

#[test]
fn a_word_close_to_a_command_gets_a_hint() {
    for word in ["bacth", "Batch", "completion", "summarise", "model", "Summarize"] {
        bridge()
            .run(&[word, "bridge.txt"])
            .fails_with(&[word, &format!("ask -- {word}")]);
    }
    assert_snapshot!(bridge().run(&["bacth"]), @r#"
    exit code 2
    --- error
    ask: bacth: looks like a command; did you mean the command: ask batch? Write ask -- bacth if you do mean the word
    "#);
}

#[test]
fn a_question_without_its_quotes_gets_a_hint() {
    let scene = bridge().file("my texts/a.txt", "Tom Bell signed.");
    for (arguments, command) in [
        (
            &["who", "leads", "negotiations"] as &[&str],
            "ask \"who leads negotiations\"",
        ),
        (&["who", "signed", "-"], "ask \"who signed\" -"),
        (&["who", "signed", "bridge.txt"], "ask \"who signed\" bridge.txt"),
        (
            &["who", "signed", "it", "bridge.txt", "my texts"],
            "ask \"who signed it\" bridge.txt 'my texts'",
        ),
    ] {
        let outcome = scene.run(arguments);
        assert_eq!(
            outcome.failure(),
            format!("put the question in quotes: {command}"),
            "{arguments:?}"
        );
    }
    // A path that is spelt wrong stays one.
    scene
        .run(&["who", "brigde.txt", "bridge.txt"])
        .fails_with(&["brigde.txt: no such file"]);
    assert_eq!(scene.run(&["who", "bridge.txt"]).code, 0);
}

#[test]
fn an_option_of_a_command_that_does_not_come_first_gets_a_hint() {
    for arguments in [
        &["-q", "summarize", "bridge.txt", "--bullets"] as &[&str],
        &["-q", "summarize", "--share=10%", "bridge.txt"],
        &["--json", "summarize", "bridge.txt", "--words", "9"],
    ] {
        bridge().run(arguments).fails_with(&[
            "summarize: looks like a command",
            "a command comes first, then its options",
        ]);
    }
    let outcome = bridge().run(&["who was it?", "--bullets"]);
    assert!(
        outcome.err.contains("unexpected argument '--bullets'"),
        "{outcome}"
    );
    let outcome = bridge().run(&["summarize", "--bulets"]);
    assert!(
        outcome.err.contains("unexpected argument '--bulets'"),
        "{outcome}"
    );
}

#[test]
fn two_dashes_make_any_word_a_question() {
    for word in ["bridge.txt", "bacth", "batch", "summarize", "man"] {
        assert_eq!(
            bridge().run(&["--docs", "bridge.txt", "--", word]).code,
            0,
            "{word}"
        );
    }
}

#[test]
fn one_word_that_is_neither_is_a_question() {
    assert_eq!(bridge().run(&["designer?", "bridge.txt"]).code, 0);
    assert_eq!(bridge().run(&["who", "bridge.txt"]).code, 0);
}

#[test]
fn a_document_may_be_called_like_a_command() {
    let scene = bridge()
        .file("man", "It was Ada Quist.")
        .file("batch/a.txt", "It was Ada Quist.");
    for name in ["man", "batch"] {
        assert_eq!(scene.run(&["who was it?", name]).code, 0, "{name}");
    }
}

#[test]
fn an_empty_question_is_an_error() {
    for question in ["", "  ", "???"] {
        bridge()
            .run(&[question, "bridge.txt"])
            .fails_with(&["question", "ask \""]);
    }
}

#[test]
fn a_question_over_the_limit_is_an_error() {
    let long = "word ".repeat(65);
    bridge()
        .run(&[&long, "bridge.txt"])
        .fails_with(&["65 tokens", "64", "shorten"]);
    assert_eq!(bridge().run(&[&"word ".repeat(64), "bridge.txt"]).code, 0);
}

#[test]
fn an_endless_question_is_told_by_a_limit_that_makes_sense() {
    // One "word" of any length is one token to WordPiece: the message must not say "1 tokens, 64 is the limit".
    let outcome = bridge().run(&[&"a".repeat(100_000), "bridge.txt"]);
    let message = outcome.failure();
    assert!(!message.contains(" 1 tokens"), "{message}");
    assert!(message.contains("shorten"), "{message}");
}

#[test]
fn no_question_away_from_a_terminal_is_an_error() {
    bridge().run(&[]).fails_with(&["no question", "ask \""]);
    bridge()
        .stdin("Some text.")
        .run(&[])
        .fails_with(&["no question", "ask \""]);
    bridge()
        .stdin("who?\n")
        .run(&["--docs", "bridge.txt"])
        .fails_with(&["a session needs a terminal", "ask batch"]);
    let mut scene = bridge();
    scene.terminal = true;
    scene
        .run(&["--json"])
        .fails_with(&["--json without a question", "ask batch"]);
}

#[test]
fn options_out_of_range_are_errors_that_say_the_range() {
    let cases: [(&[&str], &str); 6] = [
        (&["--top", "0"], "1 to 1000"),
        (&["--top", "1001"], "1 to 1000"),
        (&["--min-confidence", "1.5"], "0 to 1"),
        (&["--min-confidence", "nan"], "0 to 1"),
        (&["--threads", "0"], "1 to 1024"),
        (&["--max-mib", "0"], "1 to 1048576"),
    ];
    for (options, range) in cases {
        let arguments = [options, &["who?", "bridge.txt"]].concat();
        bridge()
            .run(&arguments)
            .fails_with(&[options[0], options[1].trim_end_matches("an"), range]);
    }
}

#[test]
fn options_that_do_not_exist_are_errors() {
    for arguments in [
        &["--tpo", "3", "who?"] as &[&str],
        &["who?", "--context", "page"],
        &["batch", "--json"],
    ] {
        let outcome = bridge().run(arguments);
        assert_eq!((outcome.code, outcome.out.as_str()), (2, ""), "{outcome}");
        assert!(outcome.err.contains("--help"), "{outcome}");
    }
}

#[test]
fn ctrl_c_ends_with_130_and_no_half_answer() {
    let mut scene = bridge();
    scene.interrupted = true;
    for arguments in [
        &["who?", "bridge.txt"] as &[&str],
        &["--json", "who?", "bridge.txt"],
    ] {
        let outcome = scene.run(arguments);
        assert_eq!((outcome.code, outcome.out.as_str()), (130, ""), "{outcome}");
    }
    let lines = scene.lines([json!({"question": "who?", "context": "Ada Quist"})]);
    let outcome = lines.run(&["batch"]);
    assert_eq!((outcome.code, outcome.out.as_str()), (130, ""), "{outcome}");
}

// ---- Batch ----

fn batch(lines: &[Value]) -> Outcome {
    bridge().lines(lines).run(&["batch"])
}

#[test]
fn batch_answers_from_a_context() {
    let outcome =
        batch(&[json!({"id": 7, "question": "who was it?", "context": "Ah.\n\nIt was Ada Quist."})]);
    assert_snapshot!(outcome, @r#"
    exit code 0
    --- output
    {"id":7,"question":"who was it?","answered":true,"not_in_document":…,"evidence":…,"answers":[{"text":"Ada Quist","confidence":…,"score":…,"document":"context","source_text":"Ada Quist","start_byte":12,"end_byte":21,"line":3,"column":8,"sentence":"It was Ada Quist.","offset":7,"page":null}],"unread":[],"skipped":0,"language":null,"model":"scripted","elapsed_ms":…}
    "#);
}

#[test]
fn batch_answers_from_docs() {
    let line = json!({"id": "b", "question": "who designed it?", "docs": ["bridge.txt"]});
    let outcome = batch(&[line]);
    assert_eq!(outcome.code, 0);
    assert_eq!(outcome.json()["answers"][0]["document"], "bridge.txt");
    assert_eq!(outcome.json()["answers"][0]["line"], 3);
}

#[test]
fn batch_answers_from_the_docs_of_the_command_line_or_of_ask_toml() {
    let line = json!({"question": "who designed it?"});
    let scene = bridge().lines([&line]);
    let outcome = scene.run(&["batch", "--docs", "bridge.txt"]);
    assert_eq!(outcome.json()["answers"][0]["text"], "Ada Quist");
    let scene = scene.file("ask.toml", "docs = [\"bridge.txt\"]\n");
    assert_eq!(scene.run(&["batch"]).json()["answers"][0]["text"], "Ada Quist");
    let own = library().lines([json!({"question": "who?", "docs": ["texts"]})]);
    assert_eq!(
        own.run(&["batch", "--docs", "bridge.txt"]).json()["answers"][0]["document"],
        "texts/a.md"
    );
}

#[test]
fn batch_reads_a_file_as_it_reads_a_pipe() {
    let line = json!({"id": 1, "question": "who?", "docs": ["bridge.txt"]}).to_string();
    let scene = bridge().file("questions.jsonl", &line);
    assert_eq!(
        scene.run(&["batch", "questions.jsonl"]).json()["answers"][0]["text"],
        "Ada Quist"
    );
    let piped = bridge().stdin(&line);
    assert_eq!(
        piped.run(&["batch", "-"]).json()["answers"][0]["text"],
        "Ada Quist"
    );
}

#[test]
fn batch_without_lines_to_read_is_an_error() {
    let mut scene = bridge();
    scene.run(&["batch", "gone.jsonl"]).fails_with(&["gone.jsonl"]);
    scene.run(&["batch", "."]).fails_with(&["is a folder"]);
    scene.terminal = true;
    scene.run(&["batch"]).fails_with(&["JSON Lines", "--help"]);
}

#[test]
fn a_bad_line_gives_an_error_with_its_id_and_the_rest_goes_on() {
    let long = "word ".repeat(65);
    let lines = [
        "{\"id\": 1, \"question\": ".to_owned(),
        "[1, 2]".to_owned(),
        "\"who?\"".to_owned(),
        json!({"id": 4, "context": "Text."}).to_string(),
        json!({"id": 5, "question": "", "context": "Text."}).to_string(),
        json!({"id": 6, "question": "who?", "context": "Text.", "docs": ["bridge.txt"]}).to_string(),
        json!({"id": 7, "question": long, "context": "Text."}).to_string(),
        json!({"id": 8, "question": "who?", "docs": ["gone.txt"]}).to_string(),
        json!({"id": 9, "question": "who?", "docs": []}).to_string(),
        json!({"id": 10, "question": "who?"}).to_string(),
        json!({"id": 11, "question": "who?", "context": ""}).to_string(),
        json!({"id": 12, "question": "who?", "context": "Text.", "top": 0}).to_string(),
        json!({"id": 13, "question": "who?", "context": "Text.", "min_confidence": 7}).to_string(),
        json!({"id": 14, "question": 5, "context": "Text."}).to_string(),
        json!({"id": 15, "question": "who?", "docs": "bridge.txt"}).to_string(),
        json!({"id": 16, "question": "who?", "context": "It was Ada Quist."}).to_string(),
    ];
    let outcome = bridge().lines(&lines).run(&["batch"]);
    assert_eq!((outcome.code, outcome.err.as_str()), (0, ""));
    let answers = outcome.json_lines();
    assert_eq!(answers.len(), lines.len());
    for (i, answer) in answers[..15].iter().enumerate() {
        let expected = if i < 3 { Value::Null } else { json!(i + 1) };
        assert_eq!(answer["id"], expected);
        assert!(
            answer["error"]
                .as_str()
                .is_some_and(|e| !e.is_empty() && !e.contains('\n')),
            "{answer}"
        );
        assert_eq!(
            answer.as_object().unwrap().len(),
            2,
            "nothing that looks like an answer: {answer}"
        );
    }
    assert_eq!(answers[15]["answers"][0]["text"], "Ada Quist");
    let errors: Vec<&str> = answers[..15]
        .iter()
        .map(|a| a["error"].as_str().unwrap())
        .collect();
    let parts = [
        "not JSON",
        "not an object",
        "not an object",
        "question",
        "question",
        "context and docs",
        "65 tokens",
        "gone.txt: no such file",
        "docs is empty",
        "context",
        "no text",
        "top",
        "min",
        "question: has to be text",
        "docs: has to be a list of paths",
    ];
    for (error, part) in errors.iter().zip(parts) {
        assert!(error.contains(part), "expected {part:?} in: {error}");
    }
}

#[test]
fn ids_come_back_whatever_their_type() {
    let ids = [
        json!(null),
        json!(true),
        json!(-3),
        json!(u64::MAX),
        json!(1.5),
        json!("7"),
        json!(""),
        json!("é\u{1b}"),
        json!([1, "a"]),
        json!({"b": {"z": 1, "a": 2}}),
    ];
    let line = |id: &Value| json!({"id": id, "question": "who?", "context": "Ada Quist"});
    let outcome = batch(&ids.iter().map(line).collect::<Vec<_>>());
    let back: Vec<Value> = outcome
        .json_lines()
        .into_iter()
        .map(|line| line["id"].clone())
        .collect();
    assert_eq!(back, ids);
    assert!(
        outcome.out.contains(r#""id":{"b":{"z":1,"a":2}},"#),
        "keys keep their order"
    );
}

#[test]
fn an_id_of_many_digits_comes_back_digit_by_digit() {
    let id = "123456789012345678901234567890";
    let line = format!("{{\"id\": {id}, \"question\": \"who?\", \"context\": \"Ada Quist\"}}");
    let outcome = bridge().lines([line]).run(&["batch"]);
    assert!(
        outcome.out.starts_with(&format!("{{\"id\":{id},")),
        "{}",
        outcome.out
    );
}

#[test]
fn a_key_given_twice_is_refused_the_id_too() {
    for (key, twice) in [
        ("id", r#""id": "x", "id": "y", "question": "who?""#),
        (
            "question",
            r#""id": "x", "question": "who?", "question": "when?""#,
        ),
    ] {
        let line = format!("{{{twice}, \"context\": \"It was Ada Quist.\"}}");
        let line = bridge().lines([line]).run(&["batch"]).json();
        assert_eq!(
            line["error"],
            format!("{key}: is given twice; keep one of them"),
            "{line}"
        );
    }
}

#[test]
fn batch_keeps_the_order_over_many_lines() {
    let lines: Vec<Value> = (0..200)
        .map(|i| match i % 3 {
            0 => json!({"id": i, "question": "who?", "context": format!("Number {i} was Ada Quist. ").repeat(1 + i % 50)}),
            1 => json!({"id": i, "question": "who?", "docs": ["bridge.txt"]}),
            _ => json!({"id": i}),
        })
        .collect();
    let outcome = batch(&lines);
    let back: Vec<Value> = outcome
        .json_lines()
        .into_iter()
        .map(|line| line["id"].clone())
        .collect();
    assert_eq!(back, (0..200).map(|i| json!(i)).collect::<Vec<_>>());
}

#[test]
fn batch_gives_one_line_for_each_line_that_is_not_blank() {
    let line = json!({"question": "who?", "context": "Ada Quist"}).to_string();
    let scene = bridge().stdin(format!("\n{line}\r\n\n   \n\t\r\nnot JSON\n{line}"));
    assert_eq!(scene.run(&["batch"]).json_lines().len(), 3);
    let help = scene.run(&["batch", "--help"]).out;
    assert!(help.contains("blank lines give none"), "{help}");
    assert_eq!(
        bridge().stdin("").run(&["batch"]),
        Outcome {
            code: 0,
            out: String::new(),
            err: String::new()
        }
    );
}

#[test]
fn a_line_may_set_its_own_options() {
    let line = |options: Value| {
        let mut line = json!({"question": "who?", "docs": ["bridge.txt"]});
        line.as_object_mut()
            .unwrap()
            .extend(options.as_object().unwrap().clone());
        line
    };
    let lines = [
        line(json!({})),
        line(json!({"top": 2})),
        line(json!({"top": 2, "min_confidence": 0.999})),
        line(json!({"top": null})),
    ];
    let scene = bridge().finds("Tom Bell", 1.5).lines(&lines);
    let answers = scene.run(&["batch"]).json_lines();
    let counts: Vec<usize> = answers
        .iter()
        .map(|a| a["answers"].as_array().unwrap().len())
        .collect();
    assert_eq!(counts, [1, 2, 1, 1]);

    let lines = [
        line(json!({})),
        line(json!({"always_answer": true})),
        line(json!({"always_answer": false})),
    ];
    let nothing = Scene::new().file("bridge.txt", BRIDGE).lines(&lines);
    let answered = |outcome: Outcome| {
        outcome
            .json_lines()
            .iter()
            .map(|a| a["answered"] == true)
            .collect::<Vec<_>>()
    };
    assert_eq!(answered(nothing.run(&["batch"])), [false, true, false]);
    assert_eq!(
        answered(nothing.run(&["batch", "--always-answer"])),
        [true, true, false]
    );
}

#[test]
fn an_unknown_key_of_a_line_is_refused_by_name() {
    let error = |key: &str, value: Value| {
        let mut line = json!({"id": 1, "question": "who?", "context": "It was Ada Quist."});
        line[key] = value;
        let line = batch(&[line]).json();
        assert_eq!(line["id"], 1);
        line["error"]
            .as_str()
            .unwrap_or_else(|| panic!("{line}"))
            .to_owned()
    };
    assert_eq!(
        error("min_confidance", json!(0.9)),
        "min_confidance: is not a key of a line; did you mean min_confidence?"
    );
    assert!(error("Always-Answer", json!(true)).contains("did you mean always_answer?"));
    let mood = error("mood", json!(null));
    assert!(
        mood.contains("its keys are id, question, summarize, context, docs"),
        "{mood}"
    );
    let long = error(&"é".repeat(1000), json!(1));
    assert!(long.len() < 400, "{long}");
    let line = json!({"summarize": {"sentence": 1}, "context": "It was Ada Quist."});
    assert_eq!(
        batch(&[line]).json()["error"],
        "summarize.sentence: is not a key of summarize; did you mean sentences?"
    );
}

#[test]
fn what_only_questions_have_is_refused_for_a_summary() {
    for (key, value) in [
        ("top", json!(3)),
        ("min_confidence", json!(0.5)),
        ("always_answer", json!(false)),
        ("skim", json!(true)),
    ] {
        let mut line = json!({"id": 1, "summarize": {"sentences": 1}, "context": "It was Ada Quist."});
        line[key] = value;
        let line = batch(&[line]).json();
        assert_eq!(
            line,
            json!({"id": 1, "error": format!("{key}: is for questions, and the line asks for a summary; leave it out")})
        );
    }
}

#[test]
fn a_value_of_a_wrong_type_is_told_in_words() {
    let cases = [
        (json!({"question": 5}), "question: has to be text in quotes"),
        (
            json!({"question": "who?", "top": "3"}),
            "top: has to be a whole number",
        ),
        (
            json!({"question": "who?", "top": -1}),
            "top: has to be a whole number",
        ),
        (
            json!({"question": "who?", "min_confidence": "high"}),
            "min_confidence: has to be a number",
        ),
        (
            json!({"question": "who?", "always_answer": 1}),
            "always_answer: has to be true or false",
        ),
        (
            json!({"question": "who?", "skim": "yes"}),
            "skim: has to be true or false",
        ),
        (
            json!({"question": "who?", "docs": [7]}),
            "docs[0]: has to be a list of paths",
        ),
        (
            json!({"summarize": "short"}),
            "summarize: has to be an object like",
        ),
        (
            json!({"summarize": {"sentences": 1.5}}),
            "summarize.sentences: has to be a whole number",
        ),
        (
            json!({"summarize": {"share": "some"}}),
            "summarize.share: has to be a share like 0.1",
        ),
        (
            json!({"summarize": {"method": "best"}}),
            "summarize.method: has to be \"transformer\"",
        ),
    ];
    for (line, part) in cases {
        let error = batch(&[line]).json()["error"].as_str().unwrap().to_owned();
        assert!(error.starts_with(part) && error.contains("--help"), "{error}");
    }
    let twice = bridge()
        .lines(["{\"question\": \"who?\", \"question\": \"who?\"}"])
        .run(&["batch"]);
    assert_eq!(
        twice.json()["error"],
        "question: is given twice; keep one of them"
    );
}

#[test]
fn the_docs_of_a_batch_are_looked_for_before_a_line_is_read() {
    let line = json!({"question": "who?", "context": "It was Ada Quist."});
    let outcome = bridge().lines([line]).run(&["batch", "--docs", "nope.txt"]);
    outcome.fails_with(&["--docs: nope.txt: no such file", "spelling"]);
}

/// The line before the option before ask.toml, for two settings that rule each other out.
#[test]
fn the_more_specific_of_min_confidence_and_always_answer_wins() {
    let line = |more: Value| {
        let mut line = json!({"question": "who?", "docs": ["bridge.txt"]});
        line.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        line
    };
    let lines = [
        line(json!({})),
        line(json!({"always_answer": true})),
        line(json!({"always_answer": false})),
        line(json!({"min_confidence": 0.9})),
    ];
    let scene = |config: &str| {
        Scene::new()
            .file("bridge.txt", BRIDGE)
            .file("ask.toml", config)
            .finds("Ada Quist", -1.0)
            .lines(&lines)
    };
    let answered = |config: &str, options: &[&str]| -> Vec<bool> {
        let outcome = scene(config).run(&[&["batch"], options].concat());
        let lines = outcome.json_lines();
        lines
            .iter()
            .map(|l| l["answered"].as_bool().unwrap_or_else(|| panic!("{l}")))
            .collect()
    };
    let only_what_says_so = [false, true, false, false];
    let unless_told_otherwise = [true, true, false, false];
    assert_eq!(answered("", &["--min-confidence=0.9"]), only_what_says_so);
    assert_eq!(answered("min-confidence = 0.9", &[]), only_what_says_so);
    assert_eq!(answered("", &["--always-answer"]), unless_told_otherwise);
    assert_eq!(answered("always-answer = true", &[]), unless_told_otherwise);
    assert_eq!(
        answered("min-confidence = 0.9", &["--always-answer"]),
        unless_told_otherwise
    );
    assert_eq!(
        answered("always-answer = true", &["--min-confidence=0.9"]),
        only_what_says_so
    );

    scene("min-confidence = 0.9\nalways-answer = true\n")
        .run(&["batch"])
        .fails_with(&["ask.toml: min-confidence and ask.toml: always-answer", "keep one"]);
    let both = batch(&[line(json!({"min_confidence": 0.9, "always_answer": true}))]).json();
    assert_eq!(
        both["error"],
        "min_confidence and always_answer rule each other out; keep one of them"
    );
}

#[test]
fn a_line_tells_what_could_not_be_read_and_what_was_left_out() {
    let scene = library()
        .file("texts/photo.jpg", JPEG)
        .file("texts/.hidden.txt", "Ada Quist")
        .lines([json!({"question": "who?", "docs": ["texts"]})]);
    let line = scene.run(&["batch"]).json();
    assert_eq!(line["unread"][0]["document"], "texts/photo.jpg");
    assert_eq!(line["skipped"], 1);
}

#[test]
fn batch_says_the_same_as_a_single_question() {
    let single = bridge()
        .run(&["--json", "--top", "3", "who designed it?", "bridge.txt"])
        .json();
    let line = json!({"question": "who designed it?", "docs": ["bridge.txt"], "top": 3});
    let mut many = batch(&[line]).json();
    assert_eq!(
        many.as_object_mut().unwrap().shift_remove("id"),
        Some(Value::Null)
    );
    many["elapsed_ms"] = single["elapsed_ms"].clone();
    assert_eq!(many, single);
}

#[test]
fn a_stream_that_breaks_off_is_an_error_not_an_end() {
    struct Broken(Option<Vec<u8>>);
    impl std::io::Read for Broken {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let bytes = self
                .0
                .take()
                .ok_or_else(|| std::io::Error::other("the disk is gone"))?;
            into[..bytes.len()].copy_from_slice(&bytes);
            Ok(bytes.len())
        }
    }
    let line = json!({"id": 1, "question": "who?", "context": "Ada Quist"}).to_string() + "\n";
    let outcome = bridge().run_with_stream(&["batch"], Broken(Some(line.into_bytes())));
    assert_eq!(outcome.json_lines()[0]["answers"][0]["text"], "Ada Quist");
    assert_eq!(
        outcome.code, 2,
        "the stream was not processed to its end: {outcome}"
    );
    let single = bridge().run_with_stream(&["who?"], Broken(None));
    single.fails_with(&["standard input", "the disk is gone"]);
}

#[test]
fn a_line_over_the_limit_is_an_error_and_the_rest_goes_on() {
    let long = json!({"id": 1, "question": "who?", "context": "x".repeat(4 << 20)});
    let middle = json!({"id": 2, "question": "who?", "context": "x ".repeat(600_000)});
    let good = json!({"id": 3, "question": "who?", "context": "Ada Quist"});
    let lines = bridge()
        .lines([&long, &middle, &good])
        .run(&["batch", "--max-mib", "1"])
        .json_lines();
    assert_eq!(lines.len(), 3);
    assert!(
        lines[0]["error"].as_str().unwrap().contains("--max-mib"),
        "{}",
        lines[0]
    );
    assert!(
        lines[1]["error"].as_str().unwrap().contains("--max-mib"),
        "{}",
        lines[1]
    );
    assert_eq!(lines[2]["answered"], true);
}

// ---- Hostile text ----

const HOSTILE: &str = "\u{1b}]0;owned\u{7} It was \u{1b}[31m Ada\u{202e} Quist \u{1b}[0m \u{9b}2J\u{8}\u{2066} and\u{200f} more.";

#[test]
fn text_that_would_steer_a_terminal_is_shown_harmless() {
    let scene = bridge().file("hostile.txt", HOSTILE);
    for context in ["sentence", "paragraph", "none"] {
        let outcome = scene.run(&["--context", context, "who was it?", "hostile.txt"]);
        assert_eq!(outcome.code, 0);
        assert_harmless(&outcome.out);
    }
    assert_snapshot!(scene.run(&["who was it?", "hostile.txt"]), @r#"
    exit code 0
    --- output
    Ada<U+202E> Quist  (… %)
      hostile.txt:1  It was [Ada<U+202E> Quist] <U+009B>2<U+2066> and<U+200F> more.
    "#);
}

#[test]
fn the_closest_words_are_shown_harmless_too() {
    let scene = Scene::new().file("hostile.txt", HOSTILE).finds("Ada Quist", -1.0);
    let outcome = scene.run(&["who was it?", "hostile.txt"]);
    assert_eq!(outcome.code, 1);
    assert!(outcome.out.contains("Quist"), "{outcome}");
    assert_harmless(&outcome.out);
}

#[test]
fn json_escapes_what_would_steer_a_terminal_and_loses_nothing() {
    let scene = bridge().file("hostile.txt", HOSTILE);
    let outcome = scene.run(&["--json", "who \u{1b}[1m was\u{202e} it?", "hostile.txt"]);
    assert_harmless(&outcome.out);
    let line = outcome.json();
    assert_eq!(line["question"], "who \u{1b}[1m was\u{202e} it?");
    assert_eq!(line["answers"][0]["source_text"], "Ada\u{202e} Quist");
    let lines = bridge().lines([json!({"id": "\u{1b}[1m\u{2067}", "question": "who?", "context": HOSTILE})]);
    let outcome = lines.run(&["batch"]);
    assert_harmless(&outcome.out);
    assert_eq!(outcome.json()["id"], "\u{1b}[1m\u{2067}");
}

#[cfg(unix)]
#[test]
fn a_name_that_would_steer_a_terminal_is_shown_harmless() {
    let name = "a\u{1b}[2J\u{202e}\r.txt";
    let scene = bridge()
        .file(&format!("texts/{name}"), "It was Ada Quist.")
        .file(&format!("bad/{name}"), JPEG);
    let scene = scene.file("bad/b.txt", "It was Ada Quist.");
    for arguments in [
        &["who?", "texts"] as &[&str],
        &["--json", "who?", "texts"],
        &["who?", "bad"],
        &["--json", "who?", "bad"],
    ] {
        let outcome = scene.run(arguments);
        assert_eq!(outcome.code, 0, "{outcome:?}");
        assert_harmless(&outcome.out);
        assert_harmless(&outcome.err);
    }
    let gone = format!("gone{}", name.replace('[', ""));
    scene.run(&["who?", &gone]).fails_with(&["no such file"]);
    scene
        .run(&["who?", "--model", &gone, "bad/b.txt"])
        .fails_with(&["no such folder"]);
    scene.run(&["batch", &gone]).fails_with(&["gone"]);
    let outcome = scene
        .lines([json!({"question": "who?", "docs": [gone]})])
        .run(&["batch"]);
    assert!(outcome.json()["error"].as_str().unwrap().contains("no such file"));
    assert_harmless(&outcome.out);
}

#[cfg(unix)]
#[test]
fn a_name_with_a_line_feed_cannot_speak_for_the_program() {
    let name = "a\nask: all is well.txt";
    let scene = bridge()
        .file(&format!("texts/{name}"), "It was Ada Quist.")
        .file(&format!("bad/{name}"), JPEG);
    let scene = scene.file("bad/b.txt", "It was Ada Quist.");
    scene.run(&["who?", &format!("gone{name}")]).failure();
    scene.run(&["who?", &format!("bad/{name}")]).failure();
    let outcome = scene.run(&["who?", "texts"]);
    assert_eq!(outcome.out.lines().count(), 2, "{outcome}");
    let outcome = scene.run(&["who?", "bad"]);
    assert_eq!(outcome.err.lines().count(), 1, "{outcome}");
}

#[test]
fn arguments_that_would_steer_a_terminal_are_shown_harmless() {
    // As `ask "…" *` gives them, in a folder with such names.
    for argument in ["--\u{1b}[2Jx", "--top=\u{1b}[2J\u{202e}", "--context=\u{9b}2J"] {
        let outcome = bridge().run(&["who?", "bridge.txt", argument]);
        assert_eq!((outcome.code, outcome.out.as_str()), (2, ""));
        assert_harmless(&outcome.err);
    }
    bridge()
        .file("ask.toml", "\"top\\u001b[2J\" = 3\n")
        .run(&["who?"])
        .fails_with(&["ask.toml:1"]);
    bridge()
        .file("ask.toml", "context = \"\\u202e\\u001b\"\n")
        .run(&["who?"])
        .fails_with(&["ask.toml:1"]);
}

// ---- Help and the like ----

#[test]
fn completions_are_printed_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let outcome = Scene::new().run(&["completions", shell]);
        assert_eq!((outcome.code, outcome.err.as_str()), (0, ""));
        for word in ["min-confidence", "batch"] {
            assert!(outcome.out.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(Scene::new().run(&["completions", "cmd"]).code, 2);
}

#[test]
fn the_manual_page_has_every_option_and_command() {
    let outcome = Scene::new().run(&["man"]);
    assert_eq!((outcome.code, outcome.err.as_str()), (0, ""));
    assert!(
        outcome.out.contains(".TH ask 1") || outcome.out.contains(".TH ASK 1"),
        "{}",
        outcome.out
    );
    let page = outcome.out.replace("\\-", "-");
    let helps = [
        &["--help"] as &[&str],
        &["batch", "--help"],
        &["summarize", "--help"],
        &["eval", "--help"],
    ];
    let help: String = helps.iter().map(|help| Scene::new().run(help).out).collect();
    let options = help
        .split(|c: char| !c.is_ascii_lowercase() && c != '-')
        .filter(|w| w.starts_with("--") && w.len() > 2);
    let mut count = 0;
    for option in options {
        assert!(page.contains(option), "{option} is not in the manual page");
        count += 1;
    }
    assert!(count > 12);
}

/// What is no answer is a candidate all the same, so a program has to look at `answered`.
#[test]
fn the_example_for_jq_looks_at_answered() {
    let line = json!({"question": "who?", "context": "It was Ada Quist."});
    let refused = Scene::new()
        .finds("Ada Quist", -1.0)
        .lines([line])
        .run(&["batch"])
        .json();
    assert_eq!(refused["answered"], false);
    assert_eq!(refused["answers"][0]["text"], "Ada Quist");
    let help = Scene::new().run(&["batch", "--help"]).out;
    for text in [help.as_str(), include_str!("../README.md")] {
        let filters: Vec<&str> = text.match_indices("jq -r ").map(|(at, _)| &text[at..]).collect();
        assert!(!filters.is_empty());
        for filter in filters {
            assert!(
                filter.starts_with("jq -r 'if .answered then .answers[0].text"),
                "{filter}"
            );
        }
    }
}

#[test]
fn help_and_version_go_to_standard_output() {
    for arguments in [
        &["--help"] as &[&str],
        &["-h"],
        &["help"],
        &["batch", "--help"],
        &["help", "batch"],
        &["--version"],
    ] {
        let outcome = Scene::new().run(arguments);
        assert_eq!((outcome.code, outcome.err.as_str()), (0, ""), "{arguments:?}");
        assert!(outcome.out.contains("ask"), "{arguments:?}");
    }
}

#[cfg(not(feature = "libtorch"))]
#[test]
fn an_engine_that_was_left_out_is_told() {
    let scene = Scene::new().file("a.txt", "The keys are in the drawer.");
    let asked = ["where are the keys?", "a.txt", "--engine", "libtorch"];
    scene
        .run(&asked)
        .fails_with(&["--engine libtorch", "--features libtorch", "README.md"]);
    let scene = scene.file("ask.toml", "engine = \"libtorch\"\n");
    scene
        .run(&asked[..2])
        .fails_with(&["ask.toml: engine: libtorch", "remove that line"]);
}

#[test]
fn a_device_needs_its_engine() {
    let scene = Scene::new().file("a.txt", "The keys are in the drawer.");
    let asked = ["where are the keys?", "a.txt", "--device", "cuda"];
    scene
        .run(&asked)
        .fails_with(&["--device cuda", "--engine libtorch"]);
}

/// A model of an architecture that only libtorch runs is no damaged file.
#[test]
fn an_architecture_of_another_engine_is_told() {
    let model = format!("{}/tests/data/golden/albert", env!("CARGO_MANIFEST_DIR"));
    let scene = Scene::new().file("a.txt", "The keys are in the drawer.");
    let asked = ["where are the keys?", "a.txt", "--model", model.as_str()];
    scene.run(&asked).fails_with(&["\"albert\"", "--engine libtorch"]);
}

#[test]
fn an_answer_that_the_next_sentence_denies_is_shown_with_that() {
    let text = "The Aurora failed an inspection in May, he said. That is untrue.\n\nThe fare is 9 crowns.\n";
    let scene = Scene::new().file("ferry.txt", text).finds("Aurora", 20.0);
    let shown = scene.run(&["which ferry failed?", "ferry.txt"]);
    let line = "  ferry.txt:1  The [Aurora] failed an inspection in May, he said. That is untrue.\n";
    assert!(shown.out.ends_with(line), "{shown}");
    let answer = &scene.run(&["which ferry failed?", "ferry.txt", "--json"]).json()["answers"][0];
    assert_eq!(
        answer["sentence"],
        "The Aurora failed an inspection in May, he said."
    );
    assert_eq!(answer["followed_by"], serde_json::json!(["That is untrue."]));
    let paragraph = scene.run(&["which ferry failed?", "ferry.txt", "--context", "paragraph"]);
    assert_eq!(paragraph.out.matches("That is untrue.").count(), 1, "{paragraph}");
    let scene = scene.finds("9 crowns", 30.0);
    let answer = &scene.run(&["what is the fare?", "ferry.txt", "--json"]).json()["answers"][0];
    assert!(answer.get("followed_by").is_none(), "{answer}");
}
