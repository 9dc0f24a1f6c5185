//! The program as it is built, with the real model on the real article, and what is thrown at it.

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};

use common::{Outcome, temporary_folder, write};
use serde_json::{Value, json};
use tempfile::TempDir;

const ARTICLE: &str = "seeds/000_641a5b59e4350978.txt";

/// Long enough for a slow machine, short enough to see that something hangs.
const PATIENCE: Duration = Duration::from_secs(45);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn article() -> Vec<u8> {
    std::fs::read(root().join(ARTICLE)).unwrap()
}

/// A folder to run in, and a home that holds nothing.
struct Desk {
    folder: TempDir,
    home: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self {
            folder: temporary_folder(),
            home: temporary_folder(),
        }
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        write(&self.path(name), content);
        self
    }

    /// The surroundings of every run: nothing of the user's, no words in another language.
    fn surroundings(&self) -> [(&'static str, PathBuf); 6] {
        let home = self.home.path();
        [
            ("HOME", home.to_owned()),
            ("XDG_CONFIG_HOME", home.join("config")),
            ("XDG_DATA_HOME", home.join("data")),
            ("APPDATA", home.join("roaming")),
            ("LC_ALL", "C".into()),
            ("TERM", "xterm".into()),
        ]
    }

    /// The program with nothing on standard input.
    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ask"));
        command.current_dir(self.folder.path()).envs(self.surroundings());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        outcome(self.command().args(arguments))
    }

    /// Runs with a pipe for standard input.
    fn pipe(&self, arguments: &[&str], input: impl Into<Vec<u8>>) -> Outcome {
        let mut child = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut stream, input) = (child.stdin.take().unwrap(), input.into());
        // On a thread of its own: a program that does not read on must not block the test.
        let writer = std::thread::spawn(move || stream.write_all(&input));
        let outcome = finish(child);
        let _ = writer.join();
        outcome
    }

    /// Starts with pipes for all three streams.
    fn start(&self, arguments: &[&str]) -> Child {
        self.command()
            .args(arguments)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

fn outcome(command: &mut Command) -> Outcome {
    finish(command.spawn().unwrap())
}

/// Takes what a child prints until it ends.
fn finish(mut child: Child) -> Outcome {
    let read = |mut stream: Box<dyn Read + Send>| {
        std::thread::spawn(move || {
            let mut text = String::new();
            stream
                .read_to_string(&mut text)
                .expect("what is printed is UTF-8");
            text
        })
    };
    let out = read(Box::new(child.stdout.take().unwrap()));
    let err = read(Box::new(child.stderr.take().unwrap()));
    let code = wait(&mut child);
    let (out, err) = (out.join().unwrap(), err.join().unwrap());
    assert!(!err.contains("panicked"), "{err}");
    Outcome { code, out, err }
}

/// Waits for a child that was started; kills it when it does not end.
fn wait(child: &mut Child) -> i32 {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().unwrap_or(-1);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    panic!("it did not come to an end");
}

/// A child's lines as they come, so that a missing one fails a test instead of blocking it.
fn lines_of(child: &mut Child) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    let output = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || {
        for line in output.lines() {
            if sender.send(line.unwrap()).is_err() {
                return;
            }
        }
    });
    receiver
}

fn without_time(mut line: Value) -> Value {
    assert!(
        line.as_object_mut().unwrap().shift_remove("elapsed_ms").is_some(),
        "{line}"
    );
    line
}

fn index(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

// ---- The real model on the real article ----

const QUESTIONS: [&str; 3] = [
    "who leads negotiations?",
    "When did Russia annex Crimea?",
    "What colour is the table?",
];

/// The questions about the article in one batch.
fn answers() -> &'static [Value] {
    static ANSWERS: OnceLock<Vec<Value>> = OnceLock::new();
    ANSWERS.get_or_init(|| batch_with_threads("2"))
}

fn batch_with_threads(threads: &str) -> Vec<Value> {
    let desk = Desk::new().file("article.txt", article());
    let line = |(id, question)| {
        json!({"id": id, "question": question, "docs": ["article.txt"], "top": 5}).to_string() + "\n"
    };
    let input: String = QUESTIONS.iter().enumerate().map(line).collect();
    let outcome = desk.pipe(&["batch", "--threads", threads], input);
    assert_eq!((outcome.code, outcome.err.as_str()), (0, ""));
    outcome.json_lines().into_iter().map(without_time).collect()
}

/// What the program says of the question with these kernels, or nothing where the processor lacks them.
fn answer_with_kernels(kernels: &str) -> Option<Value> {
    // One line of it: without vector instructions, a long window takes seconds.
    let article = String::from_utf8(article()).unwrap();
    let desk = Desk::new().file("article.txt", article.lines().nth(4).unwrap());
    let arguments = ["who leads negotiations?", "article.txt", "--top", "5", "--json"];
    let outcome = outcome(desk.command().args(arguments).env("ASK_KERNELS", kernels));
    if outcome.err.contains("does not have it") {
        assert_eq!(outcome.code, 2);
        return None;
    }
    assert_eq!((outcome.code, outcome.err.as_str()), (0, ""));
    Some(without_time(outcome.json_lines().remove(0)))
}

#[test]
fn instruction_sets_give_the_same_bytes() {
    let expected = answer_with_kernels("scalar").unwrap();
    for kernels in ["avx2", "avxvnni", "avx512vnni", "amx", "neondot"] {
        if let Some(answer) = answer_with_kernels(kernels) {
            assert_eq!(answer, expected, "{kernels}");
        }
    }
    // In f32 the answer is the same and its score is not: the variable has an effect.
    let exact = answer_with_kernels("f32").unwrap();
    assert_eq!(exact["answers"][0]["text"], expected["answers"][0]["text"]);
    assert_ne!(exact["answers"][0]["score"], expected["answers"][0]["score"]);
}

#[test]
fn kernels_that_do_not_exist_are_an_error() {
    let desk = Desk::new().file("article.txt", article());
    let outcome = outcome(
        desk.command()
            .args(["who?", "article.txt"])
            .env("ASK_KERNELS", "sse"),
    );
    outcome.fails_with(&["ASK_KERNELS=sse", "avx2", "unset"]);
}

#[test]
fn the_version_names_model_and_kernels_when_asked() {
    let desk = Desk::new();
    let version = concat!("ask ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(desk.run(&["--version"]).out, version);
    assert_eq!(desk.run(&["-V"]).out, version);
    let outcome = outcome(
        desk.command()
            .args(["--version", "--verbose"])
            .env("ASK_KERNELS", "scalar"),
    );
    assert_eq!(outcome.code, 0);
    assert!(outcome.out.starts_with(version), "{}", outcome.out);
    for part in ["model: quotable-reader", "kernels: int8, scalar", "threads: "] {
        assert!(outcome.out.contains(part), "{part}: {}", outcome.out);
    }
    let alone = desk.run(&["--verbose"]);
    assert!(alone.code == 2 && alone.err.contains("--version"), "{alone:?}");
}

#[test]
fn the_question_of_the_readme_is_answered_from_the_article() {
    let desk = Desk::new();
    let text = outcome(desk.command().current_dir(root()).arg("who leads negotiations?"));
    assert_eq!(text.code, 0, "{text:?}");
    assert!(text.out.contains(&format!("{ARTICLE}:5")), "{text:?}");
    assert_eq!(text.err, "");
    let json = outcome(
        desk.command()
            .current_dir(root())
            .args(["--json", "who leads negotiations?"]),
    );
    let answer = &json.json()["answers"][0];
    let (start, end) = (index(&answer["start_byte"]), index(&answer["end_byte"]));
    assert_eq!(answer["document"], ARTICLE);
    assert_eq!(
        &article()[start..end],
        answer["source_text"].as_str().unwrap().as_bytes()
    );
    assert!(text.out.starts_with(answer["text"].as_str().unwrap()));
}

#[test]
fn every_answer_is_the_bytes_of_the_source() {
    let article = article();
    let mut count = 0;
    for line in answers() {
        for answer in line["answers"].as_array().unwrap() {
            let (start, end) = (index(&answer["start_byte"]), index(&answer["end_byte"]));
            let source = answer["source_text"].as_str().unwrap();
            assert_eq!(&article[start..end], source.as_bytes());
            assert!(
                answer["sentence"]
                    .as_str()
                    .unwrap()
                    .contains(answer["text"].as_str().unwrap())
            );
            let line = article[..start].iter().filter(|&&b| b == b'\n').count() + 1;
            assert_eq!(index(&answer["line"]), line);
            count += 1;
        }
    }
    assert!(count >= 5 * QUESTIONS.len());
}

#[test]
fn one_thread_and_two_give_the_same_bytes() {
    let texts = |lines: &[Value]| lines.iter().map(Value::to_string).collect::<Vec<_>>();
    assert_eq!(texts(answers()), texts(&batch_with_threads("1")));
}

#[test]
fn a_batch_and_a_single_question_give_the_same_answer() {
    let desk = Desk::new().file("article.txt", article());
    let single = desk.run(&["--json", "--top", "5", QUESTIONS[1], "article.txt"]);
    let mut line = answers()[1].clone();
    line.as_object_mut().unwrap().shift_remove("id");
    assert_eq!(without_time(single.json()).to_string(), line.to_string());
}

#[test]
fn a_file_a_pipe_and_a_context_give_the_same_answer() {
    let text = "The bridge was opened by Mayor Ada Quist in 1931.";
    let desk = Desk::new().file("note.txt", text);
    let question = "Who opened the bridge?";
    let piped = desk.pipe(&["--json", question], text).json();
    let line = json!({"question": question, "context": text}).to_string();
    let context = desk.pipe(&["batch"], line).json();
    let file = desk.run(&["--json", question, "note.txt"]).json();
    for key in [
        "text",
        "confidence",
        "start_byte",
        "end_byte",
        "line",
        "column",
        "sentence",
    ] {
        assert_eq!(file["answers"][0][key], piped["answers"][0][key], "{key}");
        assert_eq!(file["answers"][0][key], context["answers"][0][key], "{key}");
    }
    let redirected = std::fs::File::open(desk.path("note.txt")).unwrap();
    let outcome = outcome(desk.command().args(["--json", question]).stdin(redirected));
    assert_eq!(outcome.json()["answers"], piped["answers"]);
}

// ---- Streams and signals ----

fn short_line(id: usize) -> String {
    json!({"id": id, "question": "Who opened the bridge?", "context": format!("Mayor Ada Quist opened bridge {id}.")})
        .to_string()
        + "\n"
}

#[test]
fn a_folder_without_documents_gives_one_line() {
    Desk::new()
        .run(&["who leads negotiations?"])
        .fails_with(&["no documents", "ask.toml"]);
}

#[test]
fn a_caller_that_waits_for_each_answer_gets_it() {
    let desk = Desk::new();
    let mut child = desk.start(&["batch"]);
    let lines = lines_of(&mut child);
    let mut input = child.stdin.take().unwrap();
    for id in 0..5 {
        input.write_all(short_line(id).as_bytes()).unwrap();
        input.flush().unwrap();
        let line = lines
            .recv_timeout(PATIENCE)
            .expect("an answer before the next question");
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["id"], id);
    }
    drop(input);
    assert_eq!(wait(&mut child), 0);
    assert!(lines.recv_timeout(PATIENCE).is_err(), "nothing more is printed");
}

#[test]
fn a_page_names_the_checks_of_summaries_that_do_not_pass() {
    let suite = "documents = [\"note.txt\"]\n[[summary]]\nid = \"both\"\nsentences = 1\nmust_mention = [\"bridge\", \"ferry\"]\n";
    let desk = Desk::new()
        .file(
            "note.txt",
            "Mayor Ada Quist opened the bridge. The old ferry was sold in May.",
        )
        .file("s.toml", suite);
    let arguments = ["eval", "s.toml", "--html", "r.html"];
    assert_eq!(wait(&mut desk.command().args(arguments).spawn().unwrap()), 0);
    let page = std::fs::read_to_string(desk.path("r.html")).unwrap();
    let (_, after) = page.split_once("Checks that do not pass").unwrap();
    assert!(
        after.contains("s/both") && after.contains("does not mention"),
        "{after}"
    );
}

#[test]
fn the_gate_fails_whether_its_report_is_read_or_not() {
    let suite = "documents = [\"note.txt\"]\n[[question]]\nid = \"bell\"\nquestion = \"who rang?\"\nunanswerable = true\n";
    let desk = Desk::new()
        .file("note.txt", "Mayor Ada Quist opened the bridge.")
        .file("s.toml", suite);
    // Any answer is wrong; the baseline says that it was declined.
    let run = |more: [&str; 2]| {
        let mut command = desk.command();
        let mut child = command
            .args(["eval", "s.toml", "--always-answer"])
            .args(more)
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        wait(&mut child)
    };
    assert_eq!(run(["--bless", "b.json"]), 0);
    let blessed = std::fs::read_to_string(desk.path("b.json")).unwrap();
    let declined = blessed.replace("\"score\":0.0,\"right\":false", "\"score\":1.0,\"right\":true");
    assert_ne!(blessed, declined);
    std::fs::write(desk.path("b.json"), declined).unwrap();
    assert_eq!(run(["--baseline", "b.json"]), 1);
}

#[test]
fn a_reader_that_has_enough_of_a_batch_gets_the_code_of_a_closed_pipe() {
    let desk = Desk::new();
    let mut child = desk.start(&["batch"]);
    let mut input = child.stdin.take().unwrap();
    let writer =
        std::thread::spawn(move || (0..2000).try_for_each(|id| input.write_all(short_line(id).as_bytes())));
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    output.read_line(&mut first).unwrap();
    drop(output);
    assert_eq!(wait(&mut child), 141);
    assert_eq!(std::io::read_to_string(child.stderr.take().unwrap()).unwrap(), "");
    assert!(writer.join().unwrap().is_err(), "it stopped long before the end");
}

#[test]
fn a_question_keeps_its_exit_code_when_nobody_reads_the_answer() {
    let desk = Desk::new()
        .file("note.txt", "Mayor Ada Quist opened the bridge.")
        .file("photo.jpg", b"\xff\xd8\xff\xe0\x00");
    let cases: [(&[&str], i32, &str); 4] = [
        (&["--always-answer", "who opened the bridge?", "note.txt"], 0, ""),
        (
            &["--min-confidence", "1", "who opened the bridge?", "note.txt"],
            1,
            "",
        ),
        (
            &[
                "--min-confidence",
                "1",
                "--json",
                "who opened the bridge?",
                "note.txt",
            ],
            1,
            "",
        ),
        (
            &["summarize", "--method=lead", "note.txt", "photo.jpg"],
            2,
            "ask: not read: photo.jpg",
        ),
    ];
    for (arguments, code, error) in cases {
        let mut child = desk.start(arguments);
        drop(child.stdin.take());
        drop(child.stdout.take());
        assert_eq!(wait(&mut child), code, "{arguments:?}");
        let told = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
        assert!(told.starts_with(error) && !told.contains("pipe"), "{told}");
    }
}

#[test]
fn a_closed_standard_error_does_not_swallow_the_answer() {
    let desk = Desk::new()
        .file("texts/a.txt", "Mayor Ada Quist opened the bridge.")
        .file("texts/b.jpg", b"\xff\xd8\xff\xe0\x00");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = desk.command();
    let mut child = command
        .args(["--always-answer", "who opened the bridge?", "texts"])
        .stderr(writer)
        .spawn()
        .unwrap();
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    wait(&mut child);
    assert!(text.contains("texts/a.txt:1"), "{text:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_batch_under_nohup_outlives_its_terminal() {
    // nohup has SIGHUP ignored; a handler that is put in all the same would undo that.
    let desk = Desk::new();
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!("trap '' HUP; exec '{}' batch", env!("CARGO_BIN_EXE_ask")));
    command.current_dir(desk.folder.path()).envs(desk.surroundings());
    let pipes = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    let lines = lines_of(&mut child);
    let mut input = child.stdin.take().unwrap();
    input.write_all(short_line(0).as_bytes()).unwrap();
    lines.recv_timeout(PATIENCE).expect("an answer");
    signal(&child, "-HUP");
    std::thread::sleep(Duration::from_millis(500));
    let _ = input.write_all(short_line(1).as_bytes());
    drop(input);
    assert_eq!(wait(&mut child), 0);
    assert!(lines.recv_timeout(PATIENCE).is_ok(), "it goes on");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let desk = Desk::new().file("note.txt", "Mayor Ada Quist opened the bridge.");
    let line = short_line(1);
    for arguments in [
        &["--json", "who opened it?", "note.txt"] as &[&str],
        &["who opened it?", "note.txt"],
        &["batch"],
        &["man"],
        &["eval", "--init", "note.txt"],
    ] {
        let mut command = desk.command();
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(std::fs::File::create("/dev/full").unwrap());
        let mut child = command.spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(line.as_bytes());
        assert_eq!(wait(&mut child), 2, "{arguments:?}");
        let error = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_whole_lines() {
    let desk = Desk::new();
    let mut child = desk.start(&["batch"]);
    let mut input = child.stdin.take().unwrap();
    let writer =
        std::thread::spawn(move || (0..20_000).try_for_each(|id| input.write_all(short_line(id).as_bytes())));
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    output.read_line(&mut text).unwrap();
    interrupt(&child);
    output.read_to_string(&mut text).unwrap();
    let code = wait(&mut child);
    let _ = writer.join();
    assert!(text.ends_with('\n'));
    let mut count = 0;
    for (expected, line) in text.lines().enumerate() {
        let line: Value = serde_json::from_str(line).expect("whole lines");
        assert_eq!(line["id"], expected, "in order, none left out");
        count += 1;
    }
    assert!(
        code == 130 || (code == 0 && count == 20_000),
        "exit code {code} after {count} lines"
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_batch_that_waits_for_input() {
    let desk = Desk::new();
    let mut child = desk.start(&["batch"]);
    let lines = lines_of(&mut child);
    let mut input = child.stdin.take().unwrap();
    input.write_all(short_line(0).as_bytes()).unwrap();
    lines.recv_timeout(PATIENCE).unwrap();
    interrupt(&child);
    assert_eq!(wait(&mut child), 130);
    drop(input);
}

#[cfg(unix)]
fn interrupt(child: &Child) {
    signal(child, "-INT");
}

#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .arg(name)
        .arg(child.id().to_string())
        .status();
    assert!(status.unwrap().success());
}

// ---- Documents that are none ----

/// A document that must be refused, with what the message has to say.
#[track_caller]
fn refused(name: &str, content: &[u8], parts: &[&str]) {
    let desk = Desk::new().file(name, content);
    let outcome = desk.run(&["who?", name]);
    outcome.fails_with(&[name]);
    outcome.fails_with(parts);
}

#[test]
fn files_that_are_not_text_are_refused() {
    refused(
        "photo.jpg",
        b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xdb\x00C",
        &["not text", "convert"],
    );
    refused(
        "picture.png",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        &["not text"],
    );
    refused("program", b"\x7fELF\x02\x01\x01\x00\x00\x00", &["not text"]);
    refused(
        "noise.txt",
        &(0..4096u32).map(|i| (i * 7 % 31 + 1) as u8).collect::<Vec<_>>(),
        &["not text"],
    );
}

#[test]
fn formats_that_need_a_converter_name_it() {
    refused(
        "letter.doc",
        b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
        &["old Office file", "password", "DOCX"],
    );
    refused(
        "my notes.txt.gz",
        b"\x1F\x8B\x08\x08\x00\x00\x00\x00",
        &["is compressed", "gunzip 'my notes.txt.gz'"],
    );
    let slides = presentation();
    refused("talk.odp", &slides, &["a presentation (ODP)", "soffice"]);
    refused(
        "my talk's.odp",
        &slides,
        &["--convert-to pptx 'my talk'\\''s.odp'"],
    );
    let piped = Desk::new().pipe(&["who?"], slides);
    piped.fails_with(&["standard input", "a presentation", "pptx FILE"]);
}

/// An OpenDocument file of the kind that is not read.
fn presentation() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("mimetype", zip::write::SimpleFileOptions::default())
        .unwrap();
    zip.write_all(b"application/vnd.oasis.opendocument.presentation")
        .unwrap();
    zip.finish().unwrap().into_inner()
}

#[test]
fn files_that_are_cut_off_are_said_to_be() {
    refused(
        "report.pdf",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj",
        &["is damaged", "page"],
    );
    refused("report.txt", b"%PDF-1.4\n1 0 obj", &["is damaged"]);
    refused(
        "book.epub",
        b"PK\x03\x04\x14\x00\x00\x00\x00\x00\x00\x00!\x00mimetypeapplication/epub+zip",
        &["is damaged", "cut off"],
    );
}

#[test]
fn html_is_read_and_quoted_by_its_source() {
    let page = "<!DOCTYPE html>\n<html><head><title>Dam</title><script>var x = '<p>';</script></head>\n\
                <body><p>The dam at <b>Elbing</b> was built\nby Otto&nbsp;<i>Lund</i> in 1931.</p></body></html>\n";
    let question = "Who built the dam at Elbing?";
    let desk = Desk::new().file("page.html", page);
    let answer: serde_json::Value =
        serde_json::from_str(&desk.run(&["--json", question, "page.html"]).out).unwrap();
    let first = &answer["answers"][0];
    assert_eq!(first["text"], "Otto Lund");
    assert_eq!(first["source_text"], "Otto&nbsp;<i>Lund");
    assert_eq!((&first["line"], &first["column"]), (&4.into(), &4.into()));
    assert_eq!(
        first["sentence"],
        "The dam at Elbing was built by Otto Lund in 1931."
    );
    let bytes = first["start_byte"].as_u64().unwrap() as usize..first["end_byte"].as_u64().unwrap() as usize;
    assert_eq!(&page[bytes], "Otto&nbsp;<i>Lund");
    // What is piped in has no name: its first bytes tell.
    let piped = Desk::new().pipe(&[question], page.as_bytes());
    assert!(piped.out.starts_with("Otto Lund"), "{piped:?}");
}

#[test]
fn documents_without_text_are_refused() {
    refused("empty.txt", b"", &["holds no text"]);
    refused("blank.md", b" \r\n\t\n\xc2\xa0\n", &["holds no text"]);
    let desk = Desk::new();
    std::fs::create_dir(desk.path("folder")).unwrap();
    desk.run(&["who?", "folder"])
        .fails_with(&["folder", "no text documents"]);
    desk.run(&["who?", "gone.txt"])
        .fails_with(&["gone.txt", "no such file", "spelling"]);
    desk.run(&["who?", "gone/*.txt"]).fails_with(&["gone/*.txt"]);
    desk.run(&["who?", "[.txt"]).fails_with(&["[.txt"]);
}

#[test]
fn a_document_over_the_limit_is_refused_at_once() {
    let desk = Desk::new();
    let file = std::fs::File::create(desk.path("long.txt")).unwrap();
    file.set_len(200 << 20).unwrap();
    let started = Instant::now();
    desk.run(&["who?", "long.txt"])
        .fails_with(&["long.txt", "64 MiB", "--max-mib"]);
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn questions_that_are_none_are_refused() {
    let desk = Desk::new().file("a.txt", "Text.");
    desk.run(&["", "a.txt"])
        .fails_with(&["the question has no word in it"]);
    desk.run(&[&"why ".repeat(65), "a.txt"])
        .fails_with(&["65 tokens", "64", "shorten"]);
    desk.run(&["a.txt"]).fails_with(&["a.txt", "not a question"]);
    desk.run(&[]).fails_with(&["no question"]);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_and_never_waited_for() {
    let desk = Desk::new().file("texts/a.txt", "Mayor Ada Quist opened the bridge.");
    let status = Command::new("mkfifo")
        .arg(desk.path("texts/pipe"))
        .status()
        .unwrap();
    assert!(status.success());
    let _socket = std::os::unix::net::UnixListener::bind(desk.path("socket")).unwrap();
    std::os::unix::fs::symlink("texts/pipe", desk.path("link")).unwrap();
    desk.run(&["who?", "texts/pipe"])
        .fails_with(&["texts/pipe", "a named pipe", "pipe it in"]);
    desk.run(&["who?", "link"]).fails_with(&["link", "a named pipe"]);
    desk.run(&["who?", "socket"]).fails_with(&["socket", "a socket"]);
    for device in ["/dev/zero", "/dev/null", "/dev/random"] {
        desk.run(&["who?", device]).fails_with(&[device, "a device"]);
        let line = json!({"id": 1, "question": "who?", "docs": [device]}).to_string();
        let line = desk.pipe(&["batch"], line).json();
        assert!(line["error"].as_str().unwrap().contains("a device"), "{line}");
    }
    let among = desk.run(&["--always-answer", "who opened the bridge?", "texts"]);
    assert_eq!(among.code, 0, "{among:?}");
    assert!(
        among.err.contains("not read: texts/pipe: is a named pipe"),
        "{among:?}"
    );
    desk.run(&["--model", "texts/pipe", "who?", "texts"])
        .fails_with(&["texts/pipe"]);
}

#[cfg(unix)]
#[test]
fn the_remedy_for_a_device_is_not_another_error() {
    // A device is no input either, so "send it to standard input" would lead nowhere.
    let outcome = Desk::new().run(&["who?", "/dev/zero"]);
    assert!(!outcome.failure().contains("< /dev/zero"), "{outcome:?}");
}

#[cfg(unix)]
#[test]
fn a_batch_from_a_device_comes_to_an_end() {
    let desk = Desk::new();
    let mut child = desk.start(&["batch", "/dev/zero", "--max-mib", "1"]);
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() && started.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    let outcome = finish(child);
    outcome.fails_with(&["/dev/zero"]);
}

#[cfg(unix)]
#[test]
fn links_that_form_a_loop_are_refused() {
    let desk = Desk::new().file("texts/a.txt", "Mayor Ada Quist opened the bridge.");
    std::os::unix::fs::symlink("b", desk.path("a")).unwrap();
    std::os::unix::fs::symlink("a", desk.path("b")).unwrap();
    std::os::unix::fs::symlink("../texts", desk.path("texts/again")).unwrap();
    std::os::unix::fs::symlink("self", desk.path("texts/self")).unwrap();
    desk.run(&["who?", "a"])
        .fails_with(&["a: symbolic links form a loop", "remove the link"]);
    let outcome = desk.run(&["--json", "--always-answer", "who opened the bridge?", "texts"]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let line = outcome.json();
    assert_eq!(line["unread"].as_array().unwrap().len(), 1, "{line}");
    assert_eq!(line["unread"][0]["document"], "texts/self");
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_read_is_said() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new().file("texts/a.txt", "Mayor Ada Quist opened the bridge.");
    // A regular file whose first byte nobody can read, root included.
    let unreadable = "/proc/self/mem";
    let outcome = desk.run(&["who?", unreadable]);
    outcome.fails_with(&[unreadable, "cannot be read"]);
    assert_eq!(
        outcome.err.matches("os error").count(),
        1,
        "the reason is said once: {outcome:?}"
    );
    std::os::unix::fs::symlink(unreadable, desk.path("texts/b.txt")).unwrap();
    let outcome = desk.run(&["--always-answer", "who opened the bridge?", "texts"]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(
        outcome
            .err
            .starts_with("ask: not read: texts/b.txt: cannot be read"),
        "{outcome:?}"
    );
    // Permissions: root reads everything, so there is nothing to see for root.
    let secret = desk.path("secret.txt");
    write(&secret, "Nobody reads this.");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o0)).unwrap();
    if std::fs::File::open(&secret).is_err() {
        desk.run(&["who?", "secret.txt"])
            .fails_with(&["secret.txt", "cannot be read", "ermission"]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf_8_are_read_all_the_same() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let desk = Desk::new();
    let name = OsStr::from_bytes(b"caf\xe9.txt");
    write(&desk.path(name), "Mayor Ada Quist opened the bridge.");
    let asked = outcome(
        desk.command()
            .args(["--always-answer", "who opened the bridge?"])
            .arg(name),
    );
    assert_eq!(asked.code, 0, "{asked:?}");
    let found = desk.run(&["--always-answer", "who opened the bridge?", "."]);
    assert_eq!(found.code, 0, "{found:?}");
    let question = outcome(
        desk.command()
            .arg(OsStr::from_bytes(b"caf\xe9 or tea?"))
            .arg(name),
    );
    assert_eq!((question.code, question.out.as_str()), (2, ""), "{question:?}");
}

// ---- Models that are none ----

/// A copy of a small model, to be damaged.
struct Damaged {
    desk: Desk,
    files: BTreeMap<&'static str, Vec<u8>>,
}

/// What fits the small model.
const LIMITS: &str =
    "[limits]\nwindow_tokens = 96\noverlap_tokens = 63\nquestion_tokens = 16\nanswer_tokens = 32";

const MODEL_FILES: [&str; 3] = ["config.json", "tokenizer.json", "model.safetensors"];

impl Damaged {
    fn new() -> Self {
        let golden = root().join("tests/data/golden/bert");
        let read = |name| (name, std::fs::read(golden.join(name)).unwrap());
        Self {
            desk: Desk::new().file("a.txt", "Mayor Ada Quist opened the bridge."),
            files: MODEL_FILES.map(read).into(),
        }
    }

    fn edit(mut self, name: &'static str, edit: impl FnOnce(&mut Vec<u8>)) -> Self {
        edit(self.files.get_mut(name).unwrap());
        self
    }

    fn edit_json(self, name: &'static str, edit: impl FnOnce(&mut Value)) -> Self {
        self.edit(name, |bytes| {
            let mut value = serde_json::from_slice(bytes).unwrap();
            edit(&mut value);
            *bytes = serde_json::to_vec(&value).unwrap();
        })
    }

    /// Edits the header of the weights, and keeps its length prefix right.
    fn edit_header(self, edit: impl FnOnce(&mut Value)) -> Self {
        self.edit("model.safetensors", |bytes| {
            let length = usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap();
            let mut header = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
            edit(&mut header);
            let header = serde_json::to_vec(&header).unwrap();
            let prefix = (header.len() as u64).to_le_bytes();
            bytes.splice(..8 + length, prefix.into_iter().chain(header));
        })
    }

    fn without(mut self, name: &'static str) -> Self {
        self.files.remove(name);
        self
    }

    /// A manifest with true sizes and hashes, and whatever comes before and after.
    fn manifest(mut self, before: &str, damage: impl FnOnce(String) -> String) -> Self {
        use sha2::Digest;
        let mut text = format!("name = \"small\"\n{before}\n");
        for name in MODEL_FILES {
            let bytes = &self.files[name];
            let hash: String = sha2::Sha256::digest(bytes)
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect();
            text += &format!(
                "[files.\"{name}\"]\nsha256 = \"{hash}\"\nbytes = {}\n",
                bytes.len()
            );
        }
        self.files.insert("manifest.toml", damage(text).into_bytes());
        self
    }

    fn run(&self) -> Outcome {
        for (name, bytes) in &self.files {
            write(&self.desk.path("small").join(name), bytes);
        }
        self.desk.run(&[
            "--model",
            "small",
            "--always-answer",
            "who opened the bridge?",
            "a.txt",
        ])
    }

    /// Refused, in one line that names the model, its file, what is wrong, and what to do.
    #[track_caller]
    fn is_refused(&self, parts: &[&str]) {
        let outcome = self.run();
        outcome.fails_with(&["small"]);
        outcome.fails_with(parts);
        assert!(outcome.failure().contains(';'), "no remedy: {outcome:?}");
    }
}

#[test]
fn a_sound_model_directory_is_used() {
    let outcome = Damaged::new().run();
    assert_eq!((outcome.code, outcome.err.as_str()), (0, ""));
    let outcome = Damaged::new().manifest(LIMITS, |text| text).run();
    assert_eq!((outcome.code, outcome.err.as_str()), (0, ""));
}

#[test]
fn a_model_without_one_of_its_files_is_refused() {
    for name in MODEL_FILES {
        Damaged::new()
            .without(name)
            .is_refused(&[&format!("has no {name}")]);
    }
    let desk = Desk::new().file("a.txt", "Text.");
    desk.run(&["--model", "gone", "who?", "a.txt"])
        .fails_with(&["gone", "no such"]);
    desk.run(&["--model", "a.txt", "who?", "a.txt"])
        .fails_with(&["a.txt", "is a file", "name the folder"]);
}

#[test]
fn truncated_or_padded_weights_are_refused() {
    let weights = "model.safetensors";
    for keep in [0, 4, 8, 100, 50_000] {
        Damaged::new()
            .edit(weights, |b| b.truncate(keep))
            .is_refused(&[weights]);
    }
    Damaged::new()
        .edit(weights, |b| b.truncate(b.len() - 1))
        .is_refused(&[weights, "truncated"]);
    Damaged::new()
        .edit(weights, |b| b.push(0))
        .is_refused(&[weights, "padded"]);
}

#[test]
fn a_weights_header_that_lies_is_refused() {
    let weights = "model.safetensors";
    for length in [u64::MAX, u64::MAX / 2, 1 << 40, 1 << 27, 200_000, 1, 0] {
        let lie = |b: &mut Vec<u8>| b[..8].copy_from_slice(&length.to_le_bytes());
        Damaged::new().edit(weights, lie).is_refused(&[weights]);
    }
    let edits: [fn(&mut Value); 10] = [
        |tensor| tensor["data_offsets"][1] = json!(u64::MAX),
        |tensor| tensor["data_offsets"] = json!([1_u64 << 40, 1_u64 << 41]),
        |tensor| tensor["data_offsets"] = json!([8, 0]),
        |tensor| tensor["data_offsets"] = json!([-8, 0]),
        |tensor| tensor["data_offsets"] = json!([0, 0]),
        |tensor| tensor["shape"] = json!([u64::MAX, u64::MAX]),
        |tensor| tensor["shape"] = json!([1_u64 << 32, 1_u64 << 32]),
        |tensor| tensor["shape"] = json!([]),
        |tensor| tensor["shape"] = json!([0, 32]),
        |tensor| tensor["dtype"] = json!("Q3"),
    ];
    for edit in edits {
        let damaged =
            Damaged::new().edit_header(|header| edit(&mut header["bert.embeddings.word_embeddings.weight"]));
        damaged.is_refused(&[weights]);
    }
    Damaged::new()
        .edit_header(|header| *header = json!([]))
        .is_refused(&[weights]);
    Damaged::new()
        .edit_header(|header| *header = json!({}))
        .is_refused(&[weights]);
    let renamed = |header: &mut Value| {
        let tensor = header
            .as_object_mut()
            .unwrap()
            .shift_remove("bert.encoder.layer.0.output.dense.bias");
        header["\u{1b}[2J\u{202e}"] = tensor.unwrap();
    };
    Damaged::new()
        .edit_header(renamed)
        .is_refused(&[weights, "has no tensor"]);
}

#[test]
fn weights_that_are_no_numbers_are_refused() {
    let damage = |bytes: &mut Vec<u8>| {
        let from = bytes.len() / 2;
        bytes[from..].fill(0xff);
    };
    Damaged::new()
        .edit("model.safetensors", damage)
        .is_refused(&["model.safetensors", "finite"]);
}

#[test]
fn a_model_without_a_head_for_questions_is_refused() {
    let rename = |header: &mut Value| {
        for part in ["weight", "bias"] {
            let tensor = header
                .as_object_mut()
                .unwrap()
                .shift_remove(&format!("qa_outputs.{part}"));
            header[format!("classifier.{part}")] = tensor.unwrap();
        }
    };
    Damaged::new()
        .edit_header(rename)
        .is_refused(&["no span head", "question answering"]);
}

#[test]
fn a_configuration_that_cannot_be_is_refused() {
    let config = "config.json";
    Damaged::new()
        .edit(config, |b| b.resize(2 << 20, b' '))
        .is_refused(&[config, "the limit"]);
    Damaged::new()
        .edit(config, |b| b.truncate(20))
        .is_refused(&[config]);
    Damaged::new()
        .edit(config, |b| *b = b"[".repeat(100_000))
        .is_refused(&[config]);
    let cases = [
        ("hidden_size", json!(0)),
        ("hidden_size", json!(4096)),
        ("hidden_size", json!(1_u64 << 60)),
        ("hidden_size", json!(-1)),
        ("vocab_size", json!(1_u64 << 60)),
        ("vocab_size", json!(3)),
        ("num_hidden_layers", json!(200)),
        ("num_attention_heads", json!(7)),
        ("num_attention_heads", json!(0)),
        ("intermediate_size", json!(1)),
        ("max_position_embeddings", json!(1)),
        ("max_position_embeddings", json!(100_000)),
        ("type_vocab_size", json!(0)),
        ("hidden_act", json!("swish\u{1b}[2J")),
        ("position_embedding_type", json!("relative_key")),
        ("layer_norm_eps", json!(-1.0)),
    ];
    for (key, value) in cases {
        Damaged::new()
            .edit_json(config, |c| c[key] = value)
            .is_refused(&[]);
    }
}

#[test]
fn an_unknown_architecture_is_refused_by_name() {
    let with = |name: Value| Damaged::new().edit_json("config.json", |c| c["model_type"] = name);
    with(json!("t5")).is_refused(&["\"t5\" is not supported", "use bert"]);
    with(json!("\u{1b}[2J\u{202e}")).is_refused(&["is not supported"]);
    with(json!("x".repeat(10_000))).is_refused(&["is not supported"]);
    with(json!(null)).is_refused(&["is not supported"]);
}

#[test]
fn files_that_are_not_what_the_manifest_says_are_refused() {
    let flip = |name: &'static str| {
        let mut damaged = Damaged::new().manifest("", |text| text);
        *damaged.files.get_mut(name).unwrap().last_mut().unwrap() ^= 1;
        damaged
    };
    for name in MODEL_FILES {
        flip(name).is_refused(&[name, "SHA-256"]);
    }
    let damaged = Damaged::new()
        .manifest("", |text| text)
        .edit("config.json", |b| b.push(b' '));
    damaged.is_refused(&["config.json", "bytes", "manifest.toml says"]);
    let unlisted = Damaged::new().manifest("", |text| {
        text.replace("[files.\"tokenizer.json\"]", "[files.\"other\"]")
    });
    unlisted.is_refused(&["tokenizer.json", "does not list"]);
}

#[test]
fn a_manifest_that_cannot_be_is_refused() {
    let manifest = "manifest.toml";
    Damaged::new()
        .manifest("", |_| "name = ".to_owned())
        .is_refused(&[manifest]);
    Damaged::new()
        .manifest("", |_| "\u{1b}[2J".to_owned())
        .is_refused(&[manifest]);
    Damaged::new()
        .manifest("colour = \"red\"", |text| text)
        .is_refused(&[manifest, "colour"]);
    let limits = [
        ("window_tokens = 96", "window_tokens = 100000"),
        ("window_tokens = 96", "window_tokens = 10"),
        ("window_tokens = 96", "window_tokens = 9223372036854775807"),
        ("question_tokens = 16", "question_tokens = 0"),
        ("answer_tokens = 32", "answer_tokens = 0"),
        ("overlap_tokens = 63", "overlap_tokens = 9223372036854775807"),
        ("question_tokens = 16", "question_tokens = 9223372036854775807"),
    ];
    for (good, bad) in limits {
        let limits = LIMITS.replace(good, bad);
        Damaged::new()
            .manifest(&limits, |text| text)
            .is_refused(&[manifest, "limits"]);
    }
    let endless = LIMITS.replace("answer_tokens = 32", "answer_tokens = 9223372036854775807");
    assert!(Damaged::new().manifest(&endless, |text| text).run().code != 101);
    let calibration = "[calibration]\nthreshold = nan\nnot_in_document = { score = 1.0, ln_windows = 0.0, bias = 0.0 }\n\
                       confidence = { score = inf, ln_windows = 0.0, bias = 0.0 }\n";
    let with = format!("{LIMITS}\n{calibration}");
    Damaged::new()
        .manifest(&with, |text| text)
        .is_refused(&[manifest, "calibration"]);
}

#[test]
fn a_tokenizer_that_cannot_be_is_refused() {
    let tokenizer = "tokenizer.json";
    Damaged::new()
        .edit(tokenizer, |b| b.truncate(1000))
        .is_refused(&[tokenizer]);
    Damaged::new()
        .edit(tokenizer, Vec::clear)
        .is_refused(&[tokenizer]);
    Damaged::new()
        .edit_json(tokenizer, |t| t["post_processor"] = json!(null))
        .is_refused(&[tokenizer]);
    Damaged::new()
        .edit_json(tokenizer, |t| t["model"]["unk_token"] = json!("gone"))
        .is_refused(&[tokenizer]);
    Damaged::new()
        .edit_json(tokenizer, |t| t["model"]["vocab"]["zebra"] = json!(1 << 30))
        .is_refused(&[tokenizer]);
    Damaged::new()
        .edit_json(tokenizer, |t| t["model"]["type"] = json!("\u{1b}[2J"))
        .is_refused(&[tokenizer]);
}

#[test]
fn a_tokenizer_whose_template_names_a_token_that_it_does_not_define_is_refused() {
    for name in ["[CLS]", "[SEP]"] {
        let forget = |t: &mut Value| {
            let tokens = t["post_processor"]["special_tokens"].as_object_mut().unwrap();
            assert!(tokens.shift_remove(name).is_some());
        };
        Damaged::new()
            .edit_json("tokenizer.json", forget)
            .is_refused(&["tokenizer.json"]);
    }
}

/// A small model whose tokenizer puts these around question and text.
fn with_template(first_token: u64, segment: u64) -> Damaged {
    let special = |name: &str, segment: u64| json!({"SpecialToken": {"id": name, "type_id": segment}});
    let sequence = |name: &str, segment: u64| json!({"Sequence": {"id": name, "type_id": segment}});
    let single = [special("[CLS]", 0), sequence("A", 0), special("[SEP]", 0)];
    let pair = [
        special("[CLS]", 0),
        sequence("A", 0),
        special("[SEP]", 0),
        sequence("B", segment),
        special("[SEP]", segment),
    ];
    let processor = json!({
        "type": "TemplateProcessing",
        "single": single,
        "pair": pair,
        "special_tokens": {
            "[CLS]": {"id": "[CLS]", "ids": [first_token], "tokens": ["[CLS]"]},
            "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]},
        },
    });
    Damaged::new().edit_json("tokenizer.json", |t| t["post_processor"] = processor)
}

#[test]
fn a_tokenizer_with_special_tokens_outside_of_the_vocabulary_is_refused() {
    assert_eq!(with_template(2, 1).run().code, 0);
    with_template(4_000_000, 1).is_refused(&["tokenizer.json"]);
}

#[test]
fn a_tokenizer_with_segments_that_the_model_does_not_have_does_no_harm() {
    // Read as the last segment that the model has, or refused: both are fine.
    let outcome = with_template(2, 900).run();
    assert!(matches!(outcome.code, 0 | 2), "{outcome:?}");
}

#[cfg(unix)]
#[test]
fn a_model_file_that_is_no_file_is_refused_and_never_waited_for() {
    let damaged = Damaged::new().without("model.safetensors");
    damaged.run();
    let weights = damaged.desk.path("small/model.safetensors");
    let status = Command::new("mkfifo").arg(&weights).status().unwrap();
    assert!(status.success());
    damaged.is_refused(&["model.safetensors", "not a regular file"]);
    std::fs::remove_file(&weights).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &weights).unwrap();
    damaged.is_refused(&["model.safetensors", "not a regular file"]);
    std::fs::remove_file(&weights).unwrap();
    std::os::unix::fs::symlink("model.safetensors", &weights).unwrap();
    damaged.run().fails_with(&["model.safetensors"]);
}
