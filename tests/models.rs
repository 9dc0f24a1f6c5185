//! `ask models` and `--model NAME`: the program as it is built, against a server on this machine that speaks the
//! hub's protocol.

mod common;
#[path = "common/hub.rs"]
mod hub;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use common::{Outcome, temporary_folder, write};
use hub::{COMMIT, Hub, Reply, Scheme, git_hash, proxy, sha256};

const NAME: &str = "example/tiny";

/// Longer than any of this takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder to run in, a home with nothing in it, and variables.
struct Desk {
    folder: TempDir,
    variables: Vec<(&'static str, OsString)>,
}

impl Desk {
    fn new() -> Self {
        Self {
            folder: temporary_folder(),
            variables: Vec::new(),
        }
    }

    /// Where this hub is the one that is asked.
    fn at(hub: &Hub) -> Self {
        Self::new().with("HF_ENDPOINT", &hub.endpoint)
    }

    fn with(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.retain(|(n, _)| *n != name);
        self.variables.push((name, value.into()));
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder of the model in the store.
    fn repository(&self) -> PathBuf {
        self.path("hf/hub/models--example--tiny")
    }

    fn snapshot(&self) -> PathBuf {
        self.repository().join("snapshots").join(COMMIT)
    }

    fn blob(&self, hash: &str) -> PathBuf {
        self.repository().join("blobs").join(hash)
    }

    fn part(&self, bytes: &[u8]) -> PathBuf {
        self.blob(&format!("{}.incomplete", sha256(bytes)))
    }

    /// The program, with nothing of the environment that runs the tests.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ask"));
        self.prepare(&mut command);
        command.args(arguments);
        command
    }

    fn prepare(&self, command: &mut Command) {
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.path("home"))
            .env("HF_HOME", self.path("hf"))
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        finish(self.command(arguments).spawn().unwrap())
    }

    fn pull(&self) -> Outcome {
        self.run(&["models", "pull", NAME])
    }

    /// Nothing that could be taken for a model is there.
    #[track_caller]
    fn has_no_model(&self) {
        assert!(!self.snapshot().exists(), "half a model is visible");
        self.run(&["--model", NAME, "who?", "note.txt"])
            .fails_with(&[NAME, "ask models pull example/tiny"]);
    }
}

fn finish(child: Child) -> Outcome {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("what is printed is UTF-8");
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(!err.contains("panicked"), "{err}");
    Outcome {
        code: output.status.code().unwrap_or(-1),
        out,
        err,
    }
}

fn golden(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden/bert");
    fs::read(folder.join(name)).unwrap()
}

/// A model that can be loaded.
fn model() -> Vec<(&'static str, Vec<u8>)> {
    ["config.json", "tokenizer.json", "model.safetensors"]
        .map(|name| (name, golden(name)))
        .into()
}

/// A model with weights of this many bytes, which are no weights.
fn large(bytes: usize) -> (Vec<(&'static str, Vec<u8>)>, Vec<u8>) {
    let weights: Vec<u8> = (0..bytes).map(|i| (i * 31 + i / 251) as u8).collect();
    let files = vec![
        ("config.json", golden("config.json")),
        ("tokenizer.json", golden("tokenizer.json")),
        ("model.safetensors", weights.clone()),
    ];
    (files, weights)
}

#[track_caller]
fn succeeds(outcome: &Outcome) {
    assert_eq!((outcome.code, outcome.err.as_str()), (0, ""), "{outcome:?}");
}

// ---- What should work ----

#[test]
fn a_model_is_pulled_into_the_layout_of_the_hub_and_used_by_its_name() {
    let mut files = model();
    files.push(("pytorch_model.bin", b"a pickle".to_vec()));
    files.push(("README.md", b"# Tiny".to_vec()));
    let hub = Hub::new(NAME, &files);
    let desk = Desk::at(&hub);
    let outcome = desk.pull();
    succeeds(&outcome);
    assert!(outcome.out.contains("all hashes are right"), "{outcome:?}");

    // As Python's tools write it.
    let small = git_hash(&golden("config.json"));
    let large = sha256(&golden("model.safetensors"));
    #[cfg(unix)]
    {
        let link = |name: &str| fs::read_link(desk.snapshot().join(name)).unwrap();
        assert_eq!(link("config.json"), Path::new("../../blobs").join(&small));
        assert_eq!(link("model.safetensors"), Path::new("../../blobs").join(&large));
    }
    assert_eq!(
        fs::read_to_string(desk.repository().join("refs/main")).unwrap(),
        COMMIT
    );
    let names = |folder: &Path| {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(
        names(&desk.repository()),
        ["blobs", "pulled", "refs", "snapshots"]
    );
    assert_eq!(
        names(&desk.snapshot()),
        ["config.json", "model.safetensors", "tokenizer.json"]
    );
    assert_eq!(names(&desk.repository().join("blobs")).len(), 3);
    // Only what is needed was asked for.
    assert!(
        !hub.requests()
            .iter()
            .any(|r| r.path.contains("pickle") || r.path.contains("pytorch") || r.path.contains("README"))
    );

    write(&desk.path("note.txt"), "The dog saw the cat.");
    for name in [
        NAME.to_owned(),
        format!("{NAME}@main"),
        format!("{NAME}@{COMMIT}"),
    ] {
        let answer = desk.run(&[
            "--model",
            &name,
            "--always-answer",
            "--json",
            "who saw?",
            "note.txt",
        ]);
        assert_eq!(answer.code, 0, "{answer:?}");
        assert_eq!(answer.json()["model"], format!("{NAME}@{COMMIT}"));
    }
    let verified = desk.run(&["models", "verify", NAME, "--json"]);
    assert_eq!(verified.code, 0, "{verified:?}");
    let verified = verified.json();
    assert_eq!(
        (&verified["sound"], &verified["loads"]),
        (&true.into(), &true.into())
    );
    assert!(
        verified["files"]
            .as_array()
            .unwrap()
            .iter()
            .all(|f| f["sound"] == true),
        "{verified}"
    );
    let listed = desk.run(&["models", "list", "--json"]).json();
    let own = listed["models"]
        .as_array()
        .unwrap()
        .iter()
        .find(|m| m["name"] == NAME);
    assert_eq!(own.unwrap()["here"]["commit"], COMMIT, "{listed}");
    let shown = desk.run(&["models", "show", NAME, "--json"]).json();
    assert_eq!(shown["here"]["architecture"], "bert");
    assert_eq!(shown["here"]["revisions"], serde_json::json!(["main"]));
    assert!(shown["here"]["parameters"].as_u64().unwrap() > 1000, "{shown}");
}

#[test]
fn a_second_pull_downloads_nothing_and_checks_everything() {
    let hub = Hub::new(NAME, &model());
    let desk = Desk::at(&hub);
    succeeds(&desk.pull());
    let first = hub.requests().iter().filter(|r| r.elsewhere).count();
    let again = desk.run(&["models", "pull", NAME, "--json"]);
    succeeds(&again);
    assert_eq!(again.json()["downloaded_bytes"], 0);
    assert_eq!(
        again.json()["files"][2]["sha256"],
        sha256(&golden("model.safetensors"))
    );
    assert_eq!(hub.requests().iter().filter(|r| r.elsewhere).count(), first);
}

#[test]
fn damage_in_the_store_is_found_when_a_model_is_read_and_repaired_by_a_pull() {
    let hub = Hub::new(NAME, &model());
    let desk = Desk::at(&hub);
    succeeds(&desk.pull());
    let weights = golden("model.safetensors");
    let mut damaged = weights.clone();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(desk.blob(&sha256(&weights)), &damaged).unwrap();
    write(&desk.path("note.txt"), "The dog saw the cat.");
    desk.run(&["--model", NAME, "who saw?", "note.txt"])
        .fails_with(&["model.safetensors", "SHA-256"]);
    let verified = desk.run(&["models", "verify", NAME]);
    assert_eq!(verified.code, 1, "{verified:?}");
    assert!(verified.out.contains("model.safetensors WRONG"), "{verified:?}");
    // Also without our record, by the name of the blob.
    fs::remove_dir_all(desk.repository().join("pulled")).unwrap();
    #[cfg(unix)]
    assert_eq!(desk.run(&["models", "verify", NAME]).code, 1);
    let again = desk.pull();
    assert_eq!(again.code, 0, "{again:?}");
    assert!(again.err.contains("damaged"), "{again:?}");
    assert_eq!(desk.run(&["models", "verify", NAME]).code, 0);
}

#[test]
fn a_revision_can_be_named() {
    let hub = Hub::new(NAME, &model());
    let desk = Desk::at(&hub);
    succeeds(&desk.run(&["models", "pull", "example/tiny@refs/pr/1"]));
    assert!(desk.repository().join("refs/refs/pr/1").is_file());
    assert_eq!(desk.run(&["models", "verify", "example/tiny@refs/pr/1"]).code, 0);
    // main was not asked for.
    desk.run(&["models", "verify", NAME])
        .fails_with(&["ask models pull"]);
    desk.run(&["models", "pull", "example/tiny@v9"]).fails_with(&[
        "example/tiny@v9",
        "no revision \"v9\"",
        "leave out @v9",
    ]);
}

#[test]
fn weights_of_libtorch_are_taken_where_there_are_no_others() {
    let mut files = model();
    files[2].0 = "rust_model.ot";
    let hub = Hub::new(NAME, &files);
    let desk = Desk::at(&hub);
    let outcome = desk.pull();
    succeeds(&outcome);
    assert!(outcome.out.contains("ask --engine libtorch"), "{outcome:?}");
    assert!(desk.snapshot().join("rust_model.ot").is_file());
    let verified = desk.run(&["models", "verify", NAME]);
    if cfg!(feature = "libtorch") {
        // It is loaded, and these are not the bytes of such a file.
        assert_eq!(verified.code, 1, "{verified:?}");
    } else {
        assert_eq!(verified.code, 0, "{verified:?}");
        assert!(verified.out.contains("only the engine libtorch"), "{verified:?}");
    }
}

#[test]
fn how_a_model_is_made_to_write_comes_with_it_where_it_is_said() {
    let mut files = model();
    files.push(("generation_config.json", b"{}".to_vec()));
    let hub = Hub::new(NAME, &files);
    let desk = Desk::at(&hub);
    succeeds(&desk.pull());
    assert!(desk.snapshot().join("generation_config.json").is_file());
    assert!(
        desk.run(&["models", "verify", NAME])
            .out
            .contains("generation_config.json")
    );
}

// ---- Cuts ----

#[test]
fn a_cut_connection_is_gone_on_from_where_it_was() {
    let (files, weights) = large(3_000_000);
    let hub = Hub::with_faults(NAME, &files, |request, earlier, reply| Reply {
        cut: (request.elsewhere && earlier == 0).then_some(1_000_000),
        ..reply
    });
    let desk = Desk::at(&hub);
    succeeds(&desk.pull());
    assert_eq!(
        fs::read(desk.snapshot().join("model.safetensors")).unwrap(),
        weights
    );
    let ranges = hub.ranges("model.safetensors?signature=secret");
    assert_eq!(ranges, [None, Some("bytes=1000000-".to_owned())]);
}

#[test]
fn what_has_come_is_kept_for_the_next_run() {
    let (files, weights) = large(500_000);
    let broken = Hub::with_faults(NAME, &files, |request, earlier, reply| Reply {
        cut: request
            .elsewhere
            .then_some(if earlier == 0 { 200_000 } else { 0 }),
        ..reply
    });
    let desk = Desk::at(&broken);
    desk.pull().fails_with(&[
        "example/tiny, model.safetensors",
        "was cut",
        "200000 of 500000 bytes are kept",
        "again",
    ]);
    desk.has_no_model();
    assert_eq!(fs::read(desk.part(&weights)).unwrap(), weights[..200_000]);
    let sound = Hub::new(NAME, &files);
    let desk = desk.with("HF_ENDPOINT", &sound.endpoint);
    let outcome = desk.run(&["models", "pull", NAME, "--json"]);
    succeeds(&outcome);
    assert_eq!(outcome.json()["downloaded_bytes"], 300_000);
    assert_eq!(sound.ranges("secret"), [Some("bytes=200000-".to_owned())]);
    assert!(!desk.part(&weights).exists());
}

#[test]
fn a_server_that_does_not_go_on_begins_anew() {
    for status in [200, 206, 416] {
        let (files, weights) = large(400_000);
        let all = weights.clone();
        let hub = Hub::with_faults(NAME, &files, move |request, _, reply| {
            match (request.elsewhere && request.header("range").is_some(), status) {
                (false, _) => reply,
                (true, 200) => Reply::status(200).body(all.clone()),
                // From another place than was asked for.
                (true, 206) => Reply::status(206)
                    .with("Content-Range", "bytes 5-399999/400000")
                    .body(&all[5..]),
                (true, status) => Reply::status(status),
            }
        });
        let desk = Desk::at(&hub);
        write(&desk.part(&weights), &weights[..123_456]);
        succeeds(&desk.pull());
        assert_eq!(
            fs::read(desk.snapshot().join("model.safetensors")).unwrap(),
            weights,
            "{status}"
        );
    }
}

#[test]
fn a_part_of_something_else_is_found_out() {
    let (files, weights) = large(400_000);
    let hub = Hub::new(NAME, &files);
    let desk = Desk::at(&hub);
    write(&desk.part(&weights), vec![7; 100_000]);
    desk.pull()
        .fails_with(&["model.safetensors", "SHA-256", "thrown away", "again"]);
    desk.has_no_model();
    // It was, so the next one is right.
    succeeds(&desk.pull());
    // Longer than the file: nothing of it can be used.
    let desk = Desk::at(&hub);
    write(&desk.part(&weights), vec![7; 400_001]);
    succeeds(&desk.pull());
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_a_part_that_can_be_gone_on_from() {
    let (files, weights) = large(500_000);
    let hub = Hub::with_faults(NAME, &files, |request, _, reply| Reply {
        stall: request.elsewhere.then_some(300_000),
        ..reply
    });
    let desk = Desk::at(&hub);
    let child = desk.command(&["models", "pull", NAME]).spawn().unwrap();
    let started = Instant::now();
    while fs::metadata(desk.part(&weights)).map_or(0, |m| m.len()) < 300_000 {
        assert!(started.elapsed() < PATIENCE, "nothing comes");
        std::thread::sleep(Duration::from_millis(10));
    }
    let interrupted = Instant::now();
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let outcome = finish(child);
    assert!(
        interrupted.elapsed() < Duration::from_secs(5),
        "it waits for the server"
    );
    assert_eq!(outcome.code, 130, "{outcome:?}");
    assert!(outcome.err.contains("kept"), "{outcome:?}");
    desk.has_no_model();
    let sound = Hub::new(NAME, &files);
    let desk = desk.with("HF_ENDPOINT", &sound.endpoint);
    succeeds(&desk.pull());
    assert_eq!(sound.ranges("secret"), [Some("bytes=300000-".to_owned())]);
}

#[test]
fn two_pulls_at_once_download_once() {
    let (files, weights) = large(300_000);
    let hub = Hub::with_faults(NAME, &files, |request, _, reply| Reply {
        slow: Duration::from_millis(if request.elsewhere { 700 } else { 0 }),
        ..reply
    });
    let desk = Desk::at(&hub);
    let children: Vec<Child> = (0..3)
        .map(|_| desk.command(&["models", "pull", NAME]).spawn().unwrap())
        .collect();
    let outcomes: Vec<Outcome> = children.into_iter().map(finish).collect();
    assert!(outcomes.iter().all(|o| o.code == 0), "{outcomes:?}");
    assert!(
        outcomes.iter().any(|o| o.err.contains("another process")),
        "{outcomes:?}"
    );
    assert_eq!(
        fs::read(desk.snapshot().join("model.safetensors")).unwrap(),
        weights
    );
    assert_eq!(hub.ranges("secret").len(), 1);
}

// ---- What is wrong with what comes ----

#[test]
fn bytes_that_are_not_what_the_hub_says_are_thrown_away() {
    let (files, weights) = large(200_000);
    let hub = Hub::with_faults(NAME, &files, |request, _, mut reply| {
        if request.elsewhere {
            reply.body[100_000] ^= 1;
        }
        reply
    });
    let desk = Desk::at(&hub);
    desk.pull().fails_with(&[
        "example/tiny, model.safetensors",
        "the hub says",
        &sha256(&weights),
        "thrown away",
    ]);
    assert!(!desk.part(&weights).exists());
    desk.has_no_model();

    // A small file, by git's hash.
    let hub = Hub::with_faults(NAME, &files, |request, _, mut reply| {
        if request.gets("tokenizer.json?etag=x") {
            reply.body[10] ^= 1;
        }
        reply
    });
    let desk = Desk::at(&hub);
    desk.pull()
        .fails_with(&["tokenizer.json", "git hash", "the hub says"]);
    desk.has_no_model();
}

#[test]
fn another_size_than_the_hub_says_is_an_error() {
    let (files, weights) = large(200_000);
    let longer = Hub::with_faults(NAME, &files, |request, _, mut reply| {
        if request.elsewhere {
            reply.body.push(0);
        }
        reply
    });
    let desk = Desk::at(&longer);
    desk.pull()
        .fails_with(&["model.safetensors", "sends 200001 bytes, the hub says 200000"]);
    assert!(!desk.part(&weights).exists());
    desk.has_no_model();
}

#[test]
fn a_file_over_the_limit_is_not_begun() {
    let hub = Hub::with_faults(NAME, &model(), |request, _, mut reply| {
        if request.path.ends_with("model.safetensors") {
            reply.headers.retain(|(name, _)| name != "X-Linked-Size");
            return reply.with("X-Linked-Size", 9_u64 << 30);
        }
        reply
    });
    Desk::at(&hub)
        .pull()
        .fails_with(&["model.safetensors", "the limit is"]);
    assert!(!hub.requests().iter().any(|request| request.elsewhere));
}

#[test]
fn models_that_ask_does_not_read_are_refused_before_their_weights_come() {
    let without = |name: &str, more: &[&'static str]| {
        let mut files = model();
        files.retain(|(n, _)| *n != name);
        files.extend(more.iter().map(|name| (*name, b"x".to_vec())));
        files
    };
    let mut llama = model();
    llama[0].1 = br#"{"model_type": "llama"}"#.to_vec();
    let mut broken = model();
    broken[0].1 = b"<html>".to_vec();
    for (files, parts) in [
        (
            without("model.safetensors", &["pytorch_model.bin"]),
            ["pickle", "refs/pr"],
        ),
        (
            without("model.safetensors", &["model.safetensors.index.json"]),
            ["several files", "one file"],
        ),
        (
            without("tokenizer.json", &["vocab.txt"]),
            ["tokenizer.json", "save_pretrained"],
        ),
        (llama, ["\"llama\"", "ask models list"]),
        (broken, ["config.json", "no configuration"]),
    ] {
        let hub = Hub::new(NAME, &files);
        let desk = Desk::at(&hub);
        desk.pull().fails_with(&parts);
        desk.has_no_model();
        assert!(
            !hub.requests().iter().any(|request| request.elsewhere),
            "{parts:?}"
        );
    }
}

#[test]
fn names_from_a_hostile_server_never_leave_the_store() {
    let hostile: [fn(Reply) -> Reply; 3] = [
        // A commit that is a path.
        |reply| {
            let text = String::from_utf8(reply.body.clone()).unwrap();
            Reply::status(200).body(text.replace(COMMIT, "../../../../escaped"))
        },
        // Something that is not JSON at all: a login page.
        |_| Reply::status(200).body("<html>please log in</html>"),
        |_| Reply::status(200).body("{}"),
    ];
    for fault in hostile {
        let hub = Hub::with_faults(NAME, &model(), move |request, _, reply| {
            if request.path.starts_with("/api/models") {
                fault(reply)
            } else {
                reply
            }
        });
        let desk = Desk::at(&hub);
        desk.pull()
            .fails_with(&[NAME, "not answer as a hub", "HF_ENDPOINT"]);
        assert!(!desk.path("hf").exists());
    }
    for etag in [
        "../../../escaped",
        "\u{1b}[31m",
        "",
        &"0".repeat(63),
        &"Z".repeat(64),
    ] {
        let etag = etag.to_owned();
        let hub = Hub::with_faults(NAME, &model(), move |request, _, mut reply| {
            if request.path.ends_with("model.safetensors") {
                reply.headers.retain(|(name, _)| name != "X-Linked-Etag");
                return reply.with("X-Linked-Etag", etag.clone());
            }
            reply
        });
        let desk = Desk::at(&hub);
        let outcome = desk.pull();
        outcome.failure();
        desk.has_no_model();
        assert!(!desk.path("escaped").exists() && !desk.path("hf/escaped").exists());
    }
    // Names that the user types go to paths, too.
    let desk = Desk::new();
    for name in ["../x/y", "a/../b", "x/y@../../z", "a/b/c", "-/x"] {
        desk.run(&["models", "pull", "--", name])
            .fails_with(&["owner/name"]);
    }
}

#[test]
fn redirects_that_lead_astray_are_refused() {
    for (location, part) in [
        ("file:///etc/passwd", "redirects to what is not a URL"),
        ("http://", "redirects to what is not a URL"),
        ("/example/tiny/resolve/again", "redirects without end"),
    ] {
        let hub = Hub::with_faults(NAME, &model(), move |request, _, reply| {
            if request.path.contains("resolve") {
                Reply::status(302).with("Location", location)
            } else {
                reply
            }
        });
        Desk::at(&hub).pull().fails_with(&[NAME, part]);
    }
}

// ---- What servers refuse ----

#[test]
fn refusals_say_why_and_what_to_do() {
    /// Status, headers, whether there is a token, what the message says.
    type Case = (
        u16,
        &'static [(&'static str, &'static str)],
        bool,
        &'static [&'static str],
    );
    let cases: [Case; 10] = [
        (
            401,
            &[],
            false,
            &["no public model of that name", "spelling", "set HF_TOKEN"],
        ),
        (
            401,
            &[],
            true,
            &["does not accept the token in HF_TOKEN", "unset HF_TOKEN"],
        ),
        (
            401,
            &[("X-Error-Code", "GatedRepo")],
            false,
            &["accept its terms", "/example/tiny", "HF_TOKEN"],
        ),
        (403, &[], true, &["refuses it (403)", "terms"]),
        (404, &[], false, &["does not have it (404)", "spelling"]),
        (
            404,
            &[("X-Error-Code", "RevisionNotFound")],
            false,
            &["no revision \"main\""],
        ),
        (
            429,
            &[("Retry-After", "300")],
            false,
            &["too many requests", "in 300 s"],
        ),
        (429, &[], false, &["too many requests", "in some minutes"]),
        (503, &[], false, &["has a fault (503)", "later"]),
        (418, &[], false, &["(418)", "HF_ENDPOINT"]),
    ];
    std::thread::scope(|scope| {
        for (status, headers, token, parts) in cases {
            scope.spawn(move || {
                let hub = Hub::with_faults(NAME, &model(), move |_, _, _| {
                    let reply = Reply::status(status);
                    headers
                        .iter()
                        .fold(reply, |reply, (name, value)| reply.with(name, value))
                });
                let mut desk = Desk::at(&hub);
                if token {
                    desk = desk.with("HF_TOKEN", "hf_sesame");
                }
                let outcome = desk.pull();
                outcome.fails_with(parts);
                outcome.fails_with(&[NAME]);
                assert!(!outcome.err.contains("sesame"), "{outcome:?}");
                // What will not pass is asked once.
                let asked = hub.requests().len();
                assert_eq!(asked > 1, status == 503, "{status}: {asked}");
            });
        }
    });
}

#[test]
fn what_passes_is_waited_for() {
    let hub = Hub::with_faults(NAME, &model(), |_, earlier, reply| match earlier {
        0 => Reply::status(429).with("Retry-After", 0),
        _ => reply,
    });
    succeeds(&Desk::at(&hub).pull());
    // An address of the other host that is no longer good: the hub gives another.
    let hub = Hub::with_faults(NAME, &model(), |request, earlier, reply| {
        if request.elsewhere && earlier == 0 {
            Reply::status(403)
        } else {
            reply
        }
    });
    succeeds(&Desk::at(&hub).pull());
}

#[test]
fn a_token_goes_to_the_hub_and_to_no_other_host() {
    let hub = Hub::new(NAME, &model());
    let desk = Desk::at(&hub).with("HF_TOKEN", "hf_sesame");
    let outcome = desk.pull();
    succeeds(&outcome);
    let requests = hub.requests();
    assert!(requests.iter().any(|request| request.elsewhere));
    for request in requests {
        let expected = (!request.elsewhere).then_some("Bearer hf_sesame");
        assert_eq!(request.header("authorization"), expected, "{request:?}");
    }
    // Nor into a file.
    let mut folders = vec![desk.path("hf")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = fs::read(&path).unwrap();
                assert!(!bytes.windows(6).any(|w| w == b"sesame"), "{}", path.display());
            }
        }
    }
}

#[test]
fn nobody_there_is_an_error() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let desk = Desk::new().with("HF_ENDPOINT", format!("http://127.0.0.1:{port}"));
    desk.pull()
        .fails_with(&[NAME, "127.0.0.1 refuses the connection", "check"]);
    let desk = Desk::new().with("HF_ENDPOINT", "http://no-such-host.invalid");
    desk.pull()
        .fails_with(&[NAME, "no-such-host.invalid is not found", "HF_ENDPOINT"]);
    let desk = Desk::new().with("HF_ENDPOINT", "hub");
    desk.pull().fails_with(&["HF_ENDPOINT", "URL"]);
}

#[test]
fn a_silent_server_is_not_waited_for_without_end() {
    let (files, weights) = large(100_000);
    let hub = Hub::with_faults(NAME, &files, |request, earlier, reply| Reply {
        stall: request.elsewhere.then_some(if earlier == 0 { 40_000 } else { 0 }),
        ..reply
    });
    let desk = Desk::at(&hub).with("HF_HUB_DOWNLOAD_TIMEOUT", "1");
    desk.pull().fails_with(&[
        "model.safetensors",
        "stopped sending",
        "40000 of 100000 bytes are kept",
    ]);
    assert_eq!(fs::read(desk.part(&weights)).unwrap(), weights[..40_000]);
}

// ---- Surroundings ----

#[test]
fn offline_opens_no_connection() {
    let hub = Hub::new(NAME, &model());
    for variable in ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"] {
        let desk = Desk::at(&hub).with(variable, "1");
        desk.pull()
            .fails_with(&[NAME, variable, "forbids", &format!("unset {variable}")]);
    }
    assert!(hub.requests().is_empty());
    // What is here is here.
    let desk = Desk::at(&hub);
    succeeds(&desk.pull());
    let asked = hub.requests().len();
    let desk = desk.with("HF_HUB_OFFLINE", "1");
    succeeds(&desk.pull());
    assert_eq!(hub.requests().len(), asked);
}

#[test]
fn other_commands_open_no_connection() {
    let hub = Hub::new(NAME, &model());
    let desk = Desk::at(&hub);
    write(&desk.path("note.txt"), "The dog saw the cat.");
    let line = "{\"question\": \"who?\", \"context\": \"The dog.\"}\n";
    write(&desk.path("lines.jsonl"), line);
    for arguments in [
        &["--model", NAME, "who?", "note.txt"][..],
        &["batch", "--model", NAME, "lines.jsonl"],
        &["summarize", "--model", NAME, "note.txt"],
        &["models", "verify", NAME],
    ] {
        desk.run(arguments)
            .fails_with(&[NAME, "to download it: ask models pull example/tiny"]);
    }
    for arguments in [
        &["models", "list"][..],
        &["models", "show", NAME],
        &["models", "show", "minilm-squad2"],
    ] {
        assert_eq!(desk.run(arguments).code, 0);
    }
    assert!(hub.requests().is_empty());
}

#[test]
fn proxies_are_used_and_passed_by() {
    let hub = Hub::with_faults(NAME, &model(), |_, _, mut reply| {
        // The second host by the proxy, too.
        for (_, value) in &mut reply.headers {
            *value = value.replace("http://localhost", "http://files.invalid");
        }
        reply
    });
    // Names that only a proxy can find.
    let (address, asked) = proxy(&hub.endpoint);
    let desk = Desk::new()
        .with("HF_ENDPOINT", "http://hub.invalid")
        .with("HTTP_PROXY", &address);
    // The proxy leads every name to the hub, which does not know the path of the other host.
    desk.pull().fails_with(&["model.safetensors", "files.invalid"]);
    {
        let asked = asked.lock().unwrap();
        let paths: Vec<&str> = asked.iter().map(|request| request.path.as_str()).collect();
        assert!(paths.contains(&"hub.invalid:80"), "{paths:?}");
        assert!(
            paths.iter().any(|path| path.starts_with("files.invalid:")),
            "{paths:?}"
        );
        let login = asked[0].header("proxy-authorization");
        assert_eq!(login, Some("Basic dXNlcjp3b3Jk"), "user:word in base 64");
    }
    let before = asked.lock().unwrap().len();
    let desk = desk.with("NO_PROXY", "invalid");
    let outcome = desk.pull();
    outcome.fails_with(&["hub.invalid is not found"]);
    assert_eq!(asked.lock().unwrap().len(), before);
    // A proxy that is none; its password is told to nobody.
    let desk = Desk::at(&hub).with("ALL_PROXY", "nonsense://user:word@x");
    let outcome = desk.pull();
    outcome.fails_with(&["ALL_PROXY", "not the address of a proxy"]);
    assert!(!outcome.err.contains("word"));
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[test]
fn encrypted_connections_are_checked() {
    let certificate = |name: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls");
        folder.join(name)
    };
    let hub = Hub::with_schemes(NAME, &model(), [Scheme::Https; 2]);
    let desk = Desk::at(&hub)
        .with("HF_TOKEN", "hf_sesame")
        .with("SSL_CERT_FILE", certificate("ca.pem"));
    succeeds(&desk.pull());
    assert!(hub.requests().iter().any(|request| request.elsewhere));
    // Who signed it is not known.
    let desk = Desk::at(&hub).with("SSL_CERT_FILE", certificate("server.pem"));
    desk.pull()
        .fails_with(&[NAME, "not trusted", "UnknownIssuer", "SSL_CERT_FILE"]);
    // Nobody is known.
    let desk = Desk::at(&hub).with("SSL_CERT_FILE", certificate("none.pem"));
    desk.pull()
        .fails_with(&[NAME, "no certificates to trust", "SSL_CERT_FILE"]);
    // What was asked for in secret is not fetched in the open.
    let hub = Hub::with_schemes(NAME, &model(), [Scheme::Https, Scheme::Http]);
    let desk = Desk::at(&hub).with("SSL_CERT_FILE", certificate("ca.pem"));
    desk.pull()
        .fails_with(&["model.safetensors", "redirects to an unencrypted address"]);
    assert!(!hub.requests().iter().any(|request| request.elsewhere));
}

#[test]
fn the_store_is_where_the_variables_say() {
    let hub = Hub::new(NAME, &model());
    let desk = Desk::at(&hub).with("HF_HUB_CACHE", "elsewhere");
    succeeds(&desk.pull());
    assert!(desk.path("elsewhere/models--example--tiny/refs/main").is_file());
    assert!(!desk.path("hf").exists());
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_an_error_that_says_what_is_kept() {
    let (files, weights) = large(600_000);
    let hub = Hub::new(NAME, &files);
    let desk = Desk::at(&hub);
    // No file may be longer than 200 kB: to a program, a disk that is full at that point. The signal that comes with it
    // is ignored, so that the write fails as it does on a full disk.
    let mut command = Command::new("sh");
    desk.prepare(&mut command);
    command
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 400; exec \"$0\" models pull example/tiny",
        ])
        .arg(env!("CARGO_BIN_EXE_ask"));
    let outcome = finish(command.spawn().unwrap());
    outcome.fails_with(&[
        "incomplete",
        "cannot be written",
        "of 600000 bytes are kept",
        "HF_HOME",
        "again",
    ]);
    desk.has_no_model();
    let kept = fs::read(desk.part(&weights)).unwrap();
    assert!(
        (100_000..600_000).contains(&kept.len()) && weights.starts_with(&kept),
        "{}",
        kept.len()
    );
    succeeds(&desk.pull());
    assert_eq!(
        hub.ranges("secret").last().unwrap().as_deref(),
        Some(format!("bytes={}-", kept.len()).as_str())
    );
}

#[test]
fn a_store_that_cannot_be_written_is_an_error() {
    let hub = Hub::new(NAME, &model());
    let desk = Desk::at(&hub);
    write(&desk.path("hf"), "a file where the folder should be");
    desk.pull()
        .fails_with(&["hf/hub", "cannot be written", "HF_HOME"]);
}

// ---- Names ----

#[test]
fn a_folder_comes_before_a_name() {
    let desk = Desk::new();
    for (name, bytes) in model() {
        write(&desk.path("minilm-squad2").join(name), &bytes);
        write(&desk.path("example/tiny").join(name), &bytes);
    }
    write(&desk.path("note.txt"), "The dog saw the cat.");
    for (name, shown) in [("minilm-squad2", "minilm-squad2"), (NAME, "tiny")] {
        let outcome = desk.run(&["--model", name, "--always-answer", "--json", "who?", "note.txt"]);
        assert_eq!(outcome.json()["model"], shown);
    }
    // Also from ask.toml, where it is relative to the file.
    write(&desk.path("below/ask.toml"), "model = \"minilm-squad2\"\n");
    let mut command = desk.command(&["who?", "../note.txt"]);
    let outcome = finish(command.current_dir(desk.path("below")).spawn().unwrap());
    outcome.fails_with(&["ask.toml: model: minilm-squad2", "ask models pull minilm-squad2"]);
    // The built-in model is a name, too.
    let mut command = desk.command(&["--model", "built-in", "--json", "who saw the cat?", "../note.txt"]);
    let outcome = finish(command.current_dir(desk.path("below")).spawn().unwrap());
    assert!(
        outcome.json()["model"].as_str().unwrap().starts_with("quotable-"),
        "{outcome:?}"
    );
}

#[test]
fn what_is_neither_folder_nor_name_is_an_error() {
    let desk = Desk::new();
    desk.run(&["--model", "./minilm-squad2", "who?"])
        .fails_with(&["no such folder", "ask models list"]);
    desk.run(&["models", "show", "no-such-model"]).fails_with(&[
        "no-such-model",
        "owner/name",
        "ask models list",
    ]);
    desk.run(&["models", "show", "./nowhere"])
        .fails_with(&["./nowhere", "no such folder"]);
    desk.run(&["models", "pull", "built-in"])
        .fails_with(&["built-in", "part of the program"]);
    desk.run(&["models", "verify", "minilm-squad2"])
        .fails_with(&["ask models pull minilm-squad2"]);
}

#[test]
fn a_folder_that_another_tool_filled_is_verified_by_what_there_is() {
    let desk = Desk::new();
    for (name, bytes) in model() {
        write(&desk.path("own").join(name), &bytes);
    }
    let outcome = desk.run(&["models", "verify", "own"]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(
        outcome.out.contains("not checked: nothing says") && outcome.out.contains("ok: it loads"),
        "{outcome:?}"
    );
    let mut short = golden("model.safetensors");
    short.truncate(1000);
    write(&desk.path("own/model.safetensors"), &short);
    let outcome = desk.run(&["models", "verify", "own", "--json"]);
    assert_eq!((outcome.code, outcome.json()["loads"].clone()), (1, false.into()));
}

#[test]
fn the_built_in_model_is_listed_shown_and_verified() {
    let desk = Desk::new();
    let list = desk.run(&["models", "list"]);
    assert_eq!(list.code, 0);
    for part in ["built-in", "minilm-squad2", "CC BY-SA 4.0", "The store: "] {
        assert!(list.out.contains(part), "{part}: {}", list.out);
    }
    let show = desk.run(&["models", "show", "roberta-squad2"]);
    for part in [
        "deepset/roberta-base-squad2",
        "SQuAD 2.0 dev: EM 79.9, F1 82.9",
        "ask models pull roberta-squad2",
    ] {
        assert!(show.out.contains(part), "{part}: {}", show.out);
    }
    let verify = desk.run(&["models", "verify", "built-in"]);
    assert_eq!((verify.code, verify.err.as_str()), (0, ""), "{verify:?}");
    assert!(verify.out.contains("ok: it loads"), "{verify:?}");
}
