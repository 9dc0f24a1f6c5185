//! `ask eval` from argument to exit code, with an engine that says what it is told.

mod common;

use common::{Scene, assert_harmless};
use serde_json::Value;

const BRIDGE: &str = "The old bridge fell in the flood of 1928.\nThe new one was designed by Ada Quist.\nIt was opened by Mayor Tom Bell in 1931.\n";

const SUITE: &str = "\
name = \"bridge\"
documents = [\"bridge.txt\"]

[[question]]
id = \"designer\"
question = \"who designed it?\"
answers = [\"Ada Quist\"]
line = 2
tags = [\"person\"]

[[question]]
id = \"cost\"
question = \"what did it cost?\"
unanswerable = true
";

const SURE: f32 = 20.0;

/// The options that name a file to write.
const OUTPUTS: [&str; 6] = [
    "--markdown",
    "--html",
    "--junit",
    "--predictions",
    "--bless",
    "--save",
];

fn scene() -> Scene {
    Scene::new().file("bridge.txt", BRIDGE).file("s.toml", SUITE)
}

fn report(scene: &Scene, more: &[&str]) -> Value {
    let mut arguments = vec!["eval", "s.toml", "--json"];
    arguments.extend(more);
    scene.run(&arguments).json()
}

#[test]
fn answers_are_scored_and_cited() {
    let report = report(&scene().finds("Ada Quist", SURE), &[]);
    assert_eq!(report["scores"]["has_answer_exact"], 100.0);
    assert_eq!(report["scores"]["no_answer"], 0.0); // the engine finds her for any question
    assert_eq!(report["scores"]["cites_place"], 100.0);
    assert_eq!(report["questions"][1]["right"], false);
    assert!(report["provenance"]["model_sha256"].is_string());
}

#[test]
fn the_gate_names_what_got_worse_and_holds_otherwise() {
    let mut scene = scene().finds("Ada Quist", SURE);
    assert_eq!(scene.run(&["eval", "s.toml", "--bless", "b.json"]).code, 0);
    let same = scene.run(&["eval", "s.toml", "--baseline", "b.json"]);
    assert_eq!(same.code, 0, "{same:?}");
    assert!(same.out.contains("holds: nothing that counts got worse"));
    scene = scene.finds("Tom Bell", SURE + 5.0);
    let worse = scene.run(&[
        "eval",
        "s.toml",
        "--baseline",
        "b.json",
        "--github",
        "--junit",
        "j.xml",
    ]);
    assert_eq!(worse.code, 1, "{worse:?}");
    assert!(
        worse
            .out
            .contains("lost bridge/designer: F1 1.00 → 0.00: “Ada Quist” → “Tom Bell”"),
        "{}",
        worse.out
    );
    assert!(
        worse
            .out
            .contains("::error file=s.toml,line=5,title=bridge/designer::"),
        "{}",
        worse.out
    );
    let junit = std::fs::read_to_string(scene.path("j.xml")).unwrap();
    assert!(
        junit.contains("<testcase classname=\"baseline\" name=\"gate\"><failure"),
        "{junit}"
    );
}

#[test]
fn a_baseline_that_was_asked_otherwise_is_told() {
    let scene = scene().finds("Ada Quist", SURE);
    let bless = ["eval", "s.toml", "--bless", "b.json", "--min-confidence", "0.1"];
    assert_eq!(scene.run(&bless).code, 0);
    let compare = ["eval", "s.toml", "--baseline", "b.json", "--html", "r.html"];
    let changed =
        |with: &str| format!("this run was made with {with}, the baseline with --min-confidence 0.1");
    for (options, with) in [
        (
            &[] as &[&str],
            "none of --always-answer, --min-confidence and --skim",
        ),
        (&["--always-answer"], "--always-answer"),
        (&["--min-confidence", "0.2"], "--min-confidence 0.2"),
        (&["--skim"], "--skim"),
        (
            &["--skim", "--min-confidence", "0.1"],
            "--min-confidence 0.1 and --skim",
        ),
    ] {
        let told = scene.run(&[&compare, options].concat());
        assert!(
            told.err.starts_with(&format!("ask: warning: {}", changed(with))),
            "{told}"
        );
        assert!(
            told.out.contains(&format!("does not compare: {}", changed(with))),
            "{told}"
        );
        let page = std::fs::read_to_string(scene.path("r.html")).unwrap();
        assert!(page.contains(&changed(with)));
    }
    let same = scene.run(&[&compare as &[&str], &["--min-confidence", "0.1"]].concat());
    assert_eq!((same.code, same.err.as_str()), (0, ""), "{same}");
    // One that does not say is compared as ever.
    let kept = std::fs::read_to_string(scene.path("b.json")).unwrap();
    let old: String = kept
        .lines()
        .filter(|line| !line.starts_with("\"asked\""))
        .collect();
    assert!(old.len() < kept.len() - 30);
    let scene = scene.file("b.json", old);
    let silent = scene.run(&compare);
    assert_eq!((silent.code, silent.err.as_str()), (0, ""), "{silent}");
}

#[test]
fn a_run_that_got_worse_is_not_blessed() {
    let mut scene = scene().finds("Ada Quist", SURE);
    assert_eq!(scene.run(&["eval", "s.toml", "--bless", "b.json"]).code, 0);
    let kept = std::fs::read(scene.path("b.json")).unwrap();
    scene = scene.finds("Tom Bell", SURE + 5.0);
    let worse = scene.run(&["eval", "s.toml", "--baseline", "b.json", "--bless", "b.json"]);
    assert_eq!(worse.code, 1, "{worse}");
    assert!(
        worse.err.contains("not blessed: b.json: this run is worse"),
        "{worse}"
    );
    assert!(worse.out.contains("1 right answer was lost"), "{worse}");
    assert_eq!(std::fs::read(scene.path("b.json")).unwrap(), kept);
    assert_eq!(scene.run(&["eval", "s.toml", "--bless", "b.json"]).code, 0);
    assert_ne!(std::fs::read(scene.path("b.json")).unwrap(), kept);
}

/// Two suites, each with a question that the engine answers.
fn two_suites() -> Scene {
    let other = SUITE.replace("name = \"bridge\"", "name = \"other\"");
    let other = other.replace("tags = [\"person\"]", "must_pass = true");
    scene().file("t.toml", other).finds("Ada Quist", SURE)
}

#[test]
fn a_baseline_is_not_replaced_by_a_part_of_it() {
    let scene = two_suites();
    let bless = |more: &[&str]| scene.run(&[&["eval", "--bless", "b.json"], more].concat());
    assert_eq!(bless(&["s.toml", "t.toml"]).code, 0);
    let kept = || std::fs::read_to_string(scene.path("b.json")).unwrap();
    let before = kept();
    bless(&["s.toml"])
        .fails_with(&["--bless b.json: holds suites that this run does not have: other; run all"]);
    assert_eq!(kept(), before);
    let otherwise = bless(&["s.toml", "t.toml", "--min-confidence", "0.9"]);
    assert!(
        otherwise.err.contains("b.json: was made with none of --always-answer, --min-confidence and --skim, and is replaced by one made with --min-confidence 0.9"),
        "{otherwise}"
    );
}

#[test]
fn a_baseline_of_nothing_is_refused() {
    let pair = serde_json::json!({"article": "One ferry sank. It was old.", "summary": "One ferry sank."});
    let scene = scene().file("p.jsonl", pair.to_string());
    scene
        .run(&["eval", "--summaries", "p.jsonl", "--bless", "b.json"])
        .fails_with(&["--bless b.json: there is nothing to keep: a baseline holds questions"]);
    assert!(!scene.path("b.json").exists());
}

#[test]
fn a_suite_that_must_pass_has_to_be_run() {
    let scene = two_suites();
    assert_eq!(
        scene.run(&["eval", "s.toml", "t.toml", "--bless", "b.json"]).code,
        0
    );
    // Files are compared with what the baseline has of them.
    let one = scene.run(&["eval", "s.toml", "--baseline", "b.json"]);
    assert_eq!(one.code, 0, "{one}");
    assert!(
        one.err
            .contains("note: suites of the baseline that were not run: other; name their folder"),
        "{one}"
    );
    assert!(
        one.out
            .contains("suites of the baseline that were not run (1): other"),
        "{one}"
    );
    std::fs::remove_file(scene.path("t.toml")).unwrap();
    let all = scene.run(&["eval", ".", "--baseline", "b.json"]);
    assert_eq!(all.code, 1, "{all}");
    assert!(
        all.out
            .contains("worse: the suite other of the baseline was not run"),
        "{all}"
    );
    assert!(
        all.err
            .contains("note: worse than the baseline; to accept this run as it is, --bless b.json"),
        "{all}"
    );
    let some = scene.run(&["eval", ".", "--baseline", "b.json", "--limit", "1", "--quiet"]);
    assert!(some.code == 1 && some.err.is_empty(), "{some}");
}

#[test]
fn what_a_limit_leaves_out_of_what_must_pass_is_told() {
    let scene = two_suites();
    let last = SUITE.replace("unanswerable = true", "unanswerable = true\nmust_pass = true");
    let scene = scene.file("s.toml", last);
    let run = |more: &[&str]| scene.run(&[&["eval", "s.toml", "--limit", "1"], more].concat());
    let told = run(&[]);
    assert_eq!(
        (told.code, told.err.as_str()),
        (0, "ask: note: --limit leaves out 1 question that must pass\n")
    );
    assert_eq!(run(&["--quiet"]).err, "");
}

#[test]
fn a_summary_that_must_pass_needs_a_model_that_summarizes() {
    let summary = "[[summary]]\nid = \"short\"\nmust_mention = [\"Ada Quist\"]\n";
    let suite = |more: &str| format!("documents = [\"bridge.txt\"]\n{summary}{more}");
    let scene = scene()
        .file("a.toml", suite(""))
        .file("b.toml", suite("must_pass = true\n"));
    assert_eq!(scene.run(&["eval", "a.toml"]).code, 0);
    let no_summary = "does not summarize; leave out --model, or the check";
    let must_pass = "b.toml:3: the summary short must pass, and the model";
    scene
        .run(&["eval", "b.toml"])
        .fails_with(&[must_pass, no_summary]);
    let is_compared = "a.toml:3: the summary short is compared, and the model";
    scene
        .run(&["eval", "a.toml", "--bless", "x.json"])
        .fails_with(&[is_compared, no_summary]);
}

#[test]
fn build_servers_are_told_what_the_gate_says() {
    let scene = two_suites();
    let files = ["eval", "s.toml", "t.toml"];
    let run = |more: &[&str]| {
        let outcome = scene.run(&[&files, more, &["--github", "--junit", "j.xml"]].concat());
        let junit = std::fs::read_to_string(scene.path("j.xml")).unwrap();
        (outcome, junit)
    };
    // Without a baseline, all that is wrong fails.
    assert!(run(&[]).1.contains("failures=\"2\" errors=\"0\" skipped=\"0\""));
    assert_eq!(
        scene
            .run(&[&files as &[&str], &["--bless", "b.json"]].concat())
            .code,
        0
    );
    let same = run(&["--baseline", "b.json"]).1;
    assert!(
        same.contains("failures=\"0\" errors=\"0\" skipped=\"2\""),
        "{same}"
    );
    assert!(
        same.contains("<skipped message=\"wrong as in the baseline: got Ada Quist, wanted (no answer)\"/>"),
        "{same}"
    );
    // What is not in the baseline is not as it was.
    let more = SUITE.replace("\"cost\"", "\"price\"");
    let scene = scene.file("s.toml", more);
    let arguments = [
        &files as &[&str],
        &["--baseline", "b.json", "--github", "--junit", "j.xml"],
    ]
    .concat();
    assert_eq!(scene.run(&arguments).code, 0);
    let junit = std::fs::read_to_string(scene.path("j.xml")).unwrap();
    assert!(
        junit.contains("<skipped message=\"wrong, and not in the baseline: got"),
        "{junit}"
    );
    // What must pass is one annotation, the rest of the gate another.
    let scene = scene.finds("Tom Bell", SURE + 5.0);
    let worse = scene.run(&arguments);
    let commands: Vec<&str> = worse
        .out
        .lines()
        .filter(|line| line.starts_with("::error"))
        .collect();
    assert_eq!(commands.len(), 3, "{worse}");
    assert!(
        commands[0].starts_with("::error title=ask eval::the score fell by"),
        "{worse}"
    );
    assert!(
        commands[1].starts_with("::error file=t.toml,line=5,title=other/designer::"),
        "{worse}"
    );
    assert!(
        commands[2].starts_with("::error file=s.toml,line=5,title=bridge/designer::"),
        "{worse}"
    );
    let first = worse.out.lines().next().unwrap();
    let token = first.strip_prefix("::stop-commands::").unwrap();
    let end = worse.out.find(&format!("\n::{token}::\n")).unwrap();
    assert!(worse.out.find("::error").unwrap() > end, "{worse}");
}

#[test]
fn a_check_writes_no_report_and_says_so() {
    let (head, _) = SUITE.split_at(SUITE.rfind("[[question]]").unwrap());
    let scene = scene().file("one.toml", head);
    let checked = scene.run(&["eval", "--check", "one.toml"]);
    assert_eq!(checked.out, "one.toml: 1 question, 0 unanswerable\n", "{checked}");
    for options in [
        &["--html", "r"] as &[&str],
        &["--markdown", "r"],
        &["--junit", "r"],
        &["--predictions", "r"],
        &["--json"],
        &["--github"],
    ] {
        let outcome = scene.run(&[&["eval", "--check", "one.toml"], options].concat());
        assert_eq!((outcome.code, outcome.out.as_str()), (2, ""), "{outcome}");
        assert!(outcome.err.contains("cannot be used with"), "{outcome}");
    }
}

#[test]
fn what_is_not_right_is_named() {
    let scene = scene().finds("Ada Quist", SURE); // for any question
    let run = scene.run(&["eval", "s.toml", "--markdown", "r.md"]);
    assert!(
        run.out
            .contains("\nNot right\nbridge/cost: “Ada Quist”; wanted no answer\n"),
        "{run}"
    );
    assert!(
        std::fs::read_to_string(scene.path("r.md"))
            .unwrap()
            .contains("### Not right")
    );
    // Beside a baseline, what changed is.
    scene.run(&["eval", "s.toml", "--bless", "b.json"]);
    let same = scene.run(&["eval", "s.toml", "--baseline", "b.json"]);
    assert!(!same.out.contains("Not right"), "{same}");
}

#[test]
fn what_must_pass_and_is_wrong_fails() {
    let suite = SUITE.replace("tags = [\"person\"]", "must_pass = true");
    let scene = scene().file("s.toml", suite).finds("Tom Bell", SURE);
    let wrong = "s.toml:5: bridge/designer must pass and is wrong\n";
    let blessed = scene.run(&["eval", "s.toml", "--bless", "b.json"]);
    assert_eq!(blessed.code, 1, "{blessed}");
    assert!(
        blessed.err.contains(wrong) && blessed.err.contains("note: b.json is blessed all the same"),
        "{blessed}"
    );
    for options in [
        &["--baseline", "b.json"] as &[&str],
        &["--json", "-q"],
        &["--bless", "q.json", "-q"],
        &["--save", "h.jsonl"],
    ] {
        let outcome = scene.run(&[&["eval", "s.toml"], options].concat());
        assert_eq!(outcome.code, 1, "{outcome}");
        assert_eq!(outcome.err, format!("ask: {wrong}"), "{outcome}");
    }
    assert!(scene.path("q.json").exists() && scene.path("h.jsonl").exists());
    let annotated = scene.run(&["eval", "s.toml", "--github"]);
    let command = "::error file=s.toml,line=5,title=bridge/designer::who designed it? must pass and is wrong: “Tom Bell”; wanted “Ada Quist”";
    assert!(annotated.out.contains(command), "{annotated}");
}

#[test]
fn a_question_that_cannot_be_asked_is_not_right() {
    let long = "word ".repeat(100);
    let suite = format!(
        "name = \"bridge\"\ndocuments = [\"bridge.txt\"]\n\n[[question]]\nid = \"long\"\nquestion = \"{long}?\"\nunanswerable = true\nmust_pass = true\n"
    );
    let scene = scene().file("s.toml", suite);
    let outcome = scene.run(&["eval", "s.toml"]);
    assert_eq!(outcome.code, 1, "{outcome}");
    assert!(
        outcome.err.contains("bridge/long must pass and is wrong"),
        "{outcome}"
    );
    let declined = outcome
        .out
        .lines()
        .find(|line| line.contains("without: declined"));
    assert!(declined.is_some_and(|line| line.contains(" 0.0")), "{outcome}");
    let scene = scene.file("q.toml", "name = \"b\"\ndocuments = [\"bridge.txt\"]\n\n[[question]]\nid = \"q\"\nquestion = \"?\"\nunanswerable = true\n");
    let checked = scene.run(&["eval", "--check", "q.toml"]);
    assert!(
        checked.code == 2 && checked.err.contains("the question is empty"),
        "{checked}"
    );
}

#[test]
fn what_must_pass_and_is_right_holds() {
    let suite = SUITE.replace("tags = [\"person\"]", "must_pass = true");
    let scene = scene().file("s.toml", suite).finds("Ada Quist", SURE);
    let right = scene.run(&["eval", "s.toml", "--github"]);
    assert_eq!((right.code, right.err.as_str()), (0, ""), "{right}");
    assert!(!right.out.contains("::error"), "{right}");
}

#[test]
fn predictions_do_not_depend_on_threads() {
    let scene = scene().finds("Ada Quist", SURE);
    let bytes = |threads| {
        assert_eq!(
            scene
                .run(&["eval", "s.toml", "--predictions", "p.jsonl", "--threads", threads])
                .code,
            0
        );
        std::fs::read(scene.path("p.jsonl")).unwrap()
    };
    assert_eq!(bytes("1"), bytes("2"));
}

#[test]
fn a_wrong_suite_is_told_with_its_place() {
    for (from, to, message) in [
        ("[[question]]", "[[question", "s.toml:4:"),
        ("line = 2", "lines = 2", "s.toml:8:1: unknown field `lines`"),
        (
            "line = 2",
            "line = 9",
            "s.toml:8:8: designer: line 9 is not there; the document has 3 lines",
        ),
        (
            "line = 2",
            "line = 1",
            "s.toml:8:8: designer: none of the answers stands there",
        ),
        (
            "\"cost\"",
            "\"designer\"",
            "s.toml:12:6: id \"designer\" is taken by line 5",
        ),
        (
            "\"Ada Quist\"",
            "\"Ada quist\"",
            "s.toml:7:12: designer: answer \"Ada quist\" is not in bridge.txt; it has \"Ada Quist\": copy",
        ),
        ("unanswerable = true", "", "s.toml:12:6: cost: has no answers"),
        (
            "\"who designed it?\"",
            "\" \"",
            "s.toml:6:12: designer: the question is empty",
        ),
        ("bridge.txt\"]", "no.txt\"]", "s.toml:2:14: no.txt: no such file"),
        ("[\"bridge.txt\"]", "[]", "s.toml:2:13: documents is empty"),
    ] {
        let scene = scene().file("s.toml", SUITE.replacen(from, to, 1));
        scene.run(&["eval", "s.toml"]).fails_with(&[message]);
        let checked = scene.run(&["eval", "--check", "s.toml"]);
        assert_eq!(checked.code, 2);
        assert!(checked.err.contains(message), "{checked:?}");
    }
}

#[test]
fn wrong_input_of_every_kind_is_an_error() {
    let scene = scene()
        .file("empty.toml", "")
        .file("photo.toml", b"\xff\xd8\xff\xe0\x00\x10JFIF")
        .file("gz.json", b"\x1f\x8b\x08\x00")
        .file("bad.json", "{\"data\": 7}")
        .file("bad.jsonl", "{}\n")
        .file("folder/x.txt", "x")
        .file("old.json", "{\"format\": 9, \"ask\": \"\", \"model\": \"\", \"model_sha256\": null, \"date\": \"\", \"suites\": {}}");
    scene.run(&["eval"]).fails_with(&["no suite", "--init"]);
    scene
        .run(&["eval", "no.toml"])
        .fails_with(&["no.toml: no such file"]);
    scene
        .run(&["eval", "empty.toml"])
        .fails_with(&["empty.toml:1:1: missing field `documents`"]);
    scene
        .run(&["eval", "photo.toml"])
        .fails_with(&["photo.toml: is not UTF-8 text"]);
    scene
        .run(&["eval", "folder"])
        .fails_with(&["folder: holds no suite"]);
    scene
        .run(&["eval", "--squad", "gz.json"])
        .fails_with(&["gz.json: is compressed"]);
    scene
        .run(&["eval", "--squad", "bad.json"])
        .fails_with(&["bad.json:1:10: data: invalid type"]);
    scene
        .run(&["eval", "--summaries", "bad.jsonl"])
        .fails_with(&["bad.jsonl:1:2: missing field `article`"]);
    scene
        .run(&["eval", "s.toml", "--baseline", "bad.json"])
        .fails_with(&["bad.json:1:", "--bless"]);
    scene
        .run(&["eval", "s.toml", "--baseline", "old.json"])
        .fails_with(&["has format 9"]);
    // What a merge left behind.
    let merged = Scene::new()
        .file("squad.json", "{\"data\": []}\n<<<<<<< theirs\n")
        .file("s.toml", SUITE)
        .file("bridge.txt", BRIDGE);
    merged
        .run(&["eval", "--squad", "squad.json"])
        .fails_with(&["squad.json:2:1: trailing characters"]);
    merged.run(&["eval", "s.toml", "--bless", "b.json"]);
    let blessed = std::fs::read_to_string(merged.path("b.json")).unwrap();
    merged
        .file("b.json", blessed + ">>>>>>> theirs\n")
        .run(&["eval", "s.toml", "--baseline", "b.json"])
        .fails_with(&["b.json:", "trailing characters", "--bless"]);
    scene
        .run(&["eval", "s.toml", "--limit", "0"])
        .fails_with(&["--limit"]);
    scene
        .run(&["eval", "s.toml", "--calibrate"])
        .fails_with(&["--model"]);
}

#[test]
fn suites_of_one_name_are_refused_with_a_remedy_for_their_kind() {
    let squad = r#"{"data": [{"paragraphs": [{"context": "Ada came.", "qas": [{"id": "1", "question": "who?", "answers": [{"text": "Ada"}]}]}]}]}"#;
    let line = r#"{"question": "who?", "context": "Ada came.", "answers": ["Ada"]}"#;
    let scene = scene()
        .file("a/bridge.json", squad)
        .file("b/bridge.json", squad)
        .file("bridge.jsonl", line)
        .file("t.toml", SUITE)
        .finds("Ada Quist", SURE);
    let rename = "it is called as its file is: rename the file";
    for (arguments, parts) in [
        (
            &["--squad", "a/bridge.json", "--squad", "b/bridge.json"] as &[&str],
            [
                r#"b/bridge.json: is called "bridge", as a/bridge.json is"#,
                rename,
            ],
        ),
        (
            &["s.toml", "--squad", "b/bridge.json"],
            [r#"b/bridge.json: is called "bridge", as s.toml is"#, rename],
        ),
        (
            &["s.toml", "bridge.jsonl"],
            [r#"bridge.jsonl: is called "bridge", as s.toml is"#, rename],
        ),
        (&["s.toml", "t.toml"], ["t.toml: is called", "name = "]),
        (
            &["--squad", "a/bridge.json", "--squad", "a/../a/bridge.json"],
            ["a/bridge.json: is named twice", "name it once"],
        ),
    ] {
        scene.run(&[&["eval"], arguments].concat()).fails_with(&parts);
    }
    let once = scene.run(&["eval", "--check", "s.toml", "./s.toml"]);
    assert_eq!((once.code, once.out.lines().count()), (0, 1), "{once}");
}

#[test]
fn nothing_that_is_read_is_overwritten() {
    let other = SUITE.replace("name = \"bridge\"", "name = \"other\"");
    let scene = scene()
        .file("other.toml", &other)
        .file("folder/x.txt", "x")
        .finds("Ada Quist", SURE);
    assert_eq!(scene.run(&["eval", "s.toml", "--bless", "b.json"]).code, 0);
    let refused = |arguments: &[&str], parts: &[&str]| {
        scene
            .run(&[&["eval", "s.toml"], arguments].concat())
            .fails_with(parts);
    };
    for option in OUTPUTS {
        refused(&[option, "folder/../s.toml"], &[option, "is a suite"]);
        refused(
            &[option, "bridge.txt"],
            &[option, "is a document", "name another file"],
        );
        refused(&[option, "folder"], &["is a folder"]);
        refused(&[option, "-"], &[option, "/dev/stdout"]);
    }
    for option in ["--markdown", "--html", "--junit", "--predictions", "--bless"] {
        refused(
            &[option, "other.toml"],
            &["other.toml: is there and is nothing that", option],
        );
    }
    for option in ["--markdown", "--html", "--junit", "--predictions", "--save"] {
        refused(&[option, "b.json", "--baseline", "b.json"], &["is the baseline"]);
    }
    refused(
        &["--html", "x.html", "--markdown", "./x.html"],
        &["--markdown", "x.html: is what --html writes, too"],
    );
    assert!(!scene.path("x.html").exists());
    assert_eq!(std::fs::read_to_string(scene.path("other.toml")).unwrap(), other);
    assert_eq!(std::fs::read_to_string(scene.path("s.toml")).unwrap(), SUITE);
    assert_eq!(std::fs::read_to_string(scene.path("bridge.txt")).unwrap(), BRIDGE);
}

#[test]
fn what_an_option_wrote_may_be_written_again() {
    let scene = scene().file("r.md", "").finds("Ada Quist", SURE);
    let arguments = [
        "eval",
        "s.toml",
        "--markdown",
        "r.md",
        "--html",
        "r.html",
        "--junit",
        "r.xml",
        "--predictions",
        "p.jsonl",
        "--bless",
        "b.json",
        "--save",
        "h.jsonl",
    ];
    for _ in 0..2 {
        let outcome = scene.run(&arguments);
        assert_eq!(outcome.code, 0, "{outcome}");
    }
    let again = scene.run(&["eval", "s.toml", "--baseline", "b.json", "--bless", "b.json"]);
    assert_eq!(again.code, 0, "{again}");
}

/// A run may take hours.
#[test]
fn what_cannot_be_written_is_told_before_a_question_is_asked() {
    let mut scene = scene();
    // The engine would be stopped at its first question.
    scene.interrupted = true;
    for option in OUTPUTS {
        let outcome = scene.run(&["eval", "s.toml", option, "no/such/file"]);
        outcome.fails_with(&["no/such/file: cannot be written; check that the folder is there"]);
        assert!(!outcome.err.contains(".ask-"), "{outcome}");
    }
    assert_eq!(scene.run(&["eval", "s.toml", "--html", "r.html"]).code, 130);
    assert!(!scene.path("r.html").exists());
}

#[test]
fn what_a_suite_holds_cannot_steer_a_report() {
    let line = serde_json::json!({"id": "a\u{1b}[31m\u{202e}<b>", "question": "who\u{9b}? </script><img src=x>", "context": BRIDGE, "answers": ["Ada Quist"], "tags": ["\"><x>"]});
    let scene = scene().file("q.jsonl", line.to_string()).finds("Tom Bell", SURE);
    let arguments = [
        "eval",
        "q.jsonl",
        "--html",
        "r.html",
        "--junit",
        "r.xml",
        "--markdown",
        "r.md",
    ];
    assert_harmless(&scene.run(&arguments).out);
    for file in ["r.html", "r.xml", "r.md"] {
        let text = std::fs::read_to_string(scene.path(file)).unwrap();
        assert_harmless(&text);
        assert!(
            !text.contains("<img") && !text.contains("<x>") && !text.contains("<b>&"),
            "{file}"
        );
    }
}

#[test]
fn summaries_are_measured_beside_the_first_sentences() {
    let pair = serde_json::json!({"article": "One ferry sank. It was old. Nobody was hurt. The owner paid.", "summary": "One ferry sank.", "prediction": "One ferry sank."});
    let scene = scene().file("p.jsonl", pair.to_string());
    let report = scene.run(&["eval", "--summaries", "p.jsonl", "--json"]).json();
    let systems: Vec<&str> = report["summaries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["system"].as_str().unwrap())
        .collect();
    assert_eq!(systems, ["lead", "prediction"]);
    assert_eq!(report["summaries"][1]["rouge"][0]["percent"], 100.0);
}

#[test]
fn a_skeleton_is_printed() {
    let outcome = scene().run(&["eval", "--init", "bridge.txt"]);
    assert_eq!(outcome.code, 0);
    assert!(
        outcome.out.contains("documents = [\"bridge.txt\"]"),
        "{outcome:?}"
    );
}

#[test]
fn the_skeleton_of_the_help_finds_its_document() {
    let help = Scene::new().run(&["eval", "--help"]).out;
    assert!(help.contains("ask eval --init lease.md > lease.toml"), "{help}");
    assert!(help.contains("ask eval --check lease.toml"), "{help}");
    let scene = Scene::new().file("lease.md", BRIDGE);
    let skeleton = scene.run(&["eval", "--init", "lease.md"]).out;
    assert!(skeleton.contains("keep it in the folder"), "{skeleton}");
    let scene = scene
        .file("lease.toml", &skeleton)
        .file("suites/lease.toml", &skeleton);
    let beside = scene.run(&["eval", "--check", "lease.toml"]).err;
    assert!(
        beside.contains("the question is empty") && !beside.contains("no such file"),
        "{beside}"
    );
    let below = scene.run(&["eval", "--check", "suites/lease.toml"]).err;
    assert!(
        below.contains(
            "suites/lease.md: no such file or directory; check the spelling; paths are relative to the suite"
        ),
        "{below}"
    );
}

#[test]
fn a_history_shows_how_scores_went() {
    let mut scene = scene().finds("Ada Quist", SURE);
    assert_eq!(scene.run(&["eval", "s.toml", "--save"]).code, 0);
    scene = scene.finds("Tom Bell", SURE + 5.0);
    assert_eq!(scene.run(&["eval", "--save", "--", "s.toml"]).code, 0);
    let shown = scene.run(&["eval", "--history"]);
    assert_eq!((shown.code, shown.err.as_str()), (0, ""), "{shown:?}");
    assert!(shown.out.starts_with("bridge: 2 runs\n"), "{}", shown.out);
    assert!(shown.out.contains("  █▁  50.0 → 0.0\n"), "{}", shown.out);
    assert!(!shown.out.contains("do not compare"), "{}", shown.out);
    let scene = scene.file("bridge.txt", BRIDGE.replace("flood", "storm"));
    assert_eq!(scene.run(&["eval", "s.toml", "--save"]).code, 0);
    let shown = scene.run(&["eval", "--history"]).out;
    assert!(shown.contains("█▁┊▁  0.0\n"), "{shown}");
    assert!(shown.contains("\nits documents changed (sha256 "), "{shown}");
    let entries = scene.run(&["eval", "--history", "--json"]).json_lines();
    let f1: Vec<f64> = entries
        .iter()
        .map(|e| e["scores"]["f1"].as_f64().unwrap())
        .collect();
    assert_eq!(f1, [50.0, 0.0, 0.0]);
    assert_eq!(entries[0]["suite"], "bridge");
    assert_eq!(entries[0]["seed"], quotable::eval::stats::SEED);
    assert_ne!(entries[1]["documents_sha256"], entries[2]["documents_sha256"]);
}

#[test]
fn a_damaged_line_of_a_history_is_told_and_passed_over() {
    let scene = scene().finds("Ada Quist", SURE);
    assert_eq!(scene.run(&["eval", "s.toml", "--save", "h.jsonl"]).code, 0);
    let line = std::fs::read_to_string(scene.path("h.jsonl")).unwrap();
    let scene = scene.file("h.jsonl", format!("{line}{}", &line[..line.len() / 2]));
    let saved = scene.run(&["eval", "s.toml", "--save", "h.jsonl"]);
    assert_eq!(saved.code, 0);
    assert!(saved.err.contains("warning: h.jsonl:2:"), "{saved:?}");
    let shown = scene.run(&["eval", "--history", "h.jsonl"]);
    assert!(shown.out.starts_with("bridge: 2 runs\n"), "{shown:?}");
    assert!(
        shown.err.contains("warning: h.jsonl:2:") && shown.err.contains("passed over"),
        "{shown:?}"
    );
}

#[test]
fn nothing_is_appended_to_what_is_no_history() {
    let scene = scene().file("folder/x.txt", "x").file("t.toml", SUITE);
    scene
        .run(&["eval", "s.toml", "--save", "t.toml"])
        .fails_with(&["t.toml: is no history", "ask eval --save"]);
    assert_eq!(std::fs::read_to_string(scene.path("t.toml")).unwrap(), SUITE);
    scene
        .run(&["eval", "--save", "s.toml"])
        .fails_with(&["no suite", "what follows --save is the history"]);
    scene
        .run(&["eval", "s.toml", "--save", "folder"])
        .fails_with(&["folder: is a folder"]);
    scene
        .run(&["eval", "--history"])
        .fails_with(&["eval-history.jsonl: no such history; ask eval --save begins one"]);
    scene
        .run(&["eval", "--history", "bridge.txt"])
        .fails_with(&["bridge.txt: is no history"]);
}

#[test]
fn what_a_history_holds_cannot_steer_a_terminal() {
    let scene = scene()
        .file(
            "s.toml",
            SUITE.replace("name = \"bridge\"", "name = \"a\\u001b[31m\\u202e\""),
        )
        .finds("Ada Quist", SURE);
    assert_eq!(scene.run(&["eval", "s.toml", "--save"]).code, 0);
    let entry = std::fs::read_to_string(scene.path("eval-history.jsonl")).unwrap();
    assert_harmless(&entry);
    // A hand made this one: the characters as they are, where JSON allows them, and what no program writes.
    let hostile = entry
        .replace("\"scripted\"", "\"\u{9b}31m\u{202e}\"")
        .replace("\"date\":\"2", "\"date\":\"\u{202e}é\u{9b}")
        .replace("\"f1\":50.0", "\"f1\":1e308");
    let scene = scene.file("h.jsonl", format!("{entry}{hostile}\u{9b}\n"));
    let shown = scene.run(&["eval", "--history", "h.jsonl"]);
    assert_eq!(shown.code, 0);
    assert!(shown.err.contains("h.jsonl:3:1"), "{shown:?}");
    for text in [
        &shown.out,
        &shown.err,
        &scene.run(&["eval", "--history", "h.jsonl", "--json"]).out,
    ] {
        assert_harmless(text);
    }
}

#[test]
fn documents_are_shown_without_the_way_from_the_suite() {
    let suite = SUITE.replace("bridge.txt", "../bridge.txt");
    let scene = scene().file("deep/s.toml", suite).finds("Ada Quist", SURE);
    let arguments = ["eval", "deep/s.toml", "--json", "--html", "r.html"];
    let report = scene.run(&arguments).json();
    assert_eq!(report["questions"][0]["document"], "bridge.txt");
    let page = std::fs::read_to_string(scene.path("r.html")).unwrap();
    let page = page.replace("&#x2f;", "/");
    assert!(
        page.contains("/bridge.txt:2<") && !page.contains("../bridge.txt"),
        "{page}"
    );
}
