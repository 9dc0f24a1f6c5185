//! The engine behind the feature `libtorch`: against transformers, against the native engine on the same weights, and the promises.
#![cfg(feature = "libtorch")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use common::{Scene, temporary_folder, write};
use quotable::document::read::{ReadOptions, read_file};
use quotable::engine::libtorch::Libtorch;
use quotable::engine::native::{Kernels, Native};
use quotable::engine::{Choice, Device, Engine, Head, Input, Kind, Output};
use quotable::model::Model;
use quotable::window::{Question, plan};
use quotable::{AskOptions, Document, Error, Format, Reader};
use serde_json::{Value, json};
use tch::Tensor;

/// As for the native engine (`tests/goldens.rs`).
const TINY_BOUND: f32 = 2e-4;
const SAME_WEIGHTS_BOUND: f32 = 1e-3;

const ALL: [&str; 10] = [
    "bert",
    "bert-cased-f16",
    "bert-int8",
    "distilbert",
    "roberta",
    "electra",
    "albert",
    "deberta",
    "deberta-v2",
    "deberta-v2-conv",
];

const LIBTORCH: Choice = Choice {
    kind: Kind::Libtorch,
    device: Device::Cpu,
};

static READER: LazyLock<Reader> = LazyLock::new(|| Reader::load(None, LIBTORCH).unwrap());

static SEED: LazyLock<Document> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/000_641a5b59e4350978.txt");
    read_file(&path, &ReadOptions::default()).unwrap()
});

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/golden")
        .join(name)
}

fn libtorch(folder: &Path) -> quotable::Result<Libtorch> {
    Libtorch::new(&Model::from_directory(folder)?, Device::Cpu)
}

fn rows(name: &str, key: &str) -> Vec<Value> {
    let text = fs::read_to_string(golden(name).join("goldens.json")).unwrap();
    let mut json: Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(json[key].take()).unwrap()
}

fn numbers(value: &Value) -> Vec<f32> {
    let numbers = value.as_array().unwrap().iter();
    numbers.map(|x| x.as_f64().unwrap() as f32).collect()
}

fn input(row: &Value) -> Input {
    let ids = |key: &str| -> Option<Vec<u32>> { serde_json::from_value(row[key].clone()).unwrap() };
    let tokens = ids("ids").unwrap();
    Input {
        segments: ids("type_ids").unwrap_or_else(|| vec![0; tokens.len()]),
        ids: tokens,
        sentences: vec![],
    }
}

#[track_caller]
fn assert_close(what: &str, got: &[f32], expected: &[f32], bound: f32) {
    assert_eq!(got.len(), expected.len(), "{what}: length");
    for (i, (g, e)) in got.iter().zip(expected).enumerate() {
        assert!((g - e).abs() <= bound, "{what}: at {i} got {g}, expected {e}");
    }
}

#[test]
fn every_architecture_is_as_in_transformers() {
    for name in ALL {
        let engine = libtorch(&golden(name)).unwrap();
        let rows = rows(name, "inputs");
        assert!(rows.len() >= 6);
        let inputs: Vec<Input> = rows.iter().map(input).collect();
        let all: Vec<&Input> = inputs.iter().collect();
        let logits = engine.spans(&all).unwrap();
        for (row, logits) in rows.iter().zip(&logits) {
            let what = format!("{name}/{}", row["name"]);
            assert_close(&what, &logits.start, &numbers(&row["start_logits"]), TINY_BOUND);
            assert_close(&what, &logits.end, &numbers(&row["end_logits"]), TINY_BOUND);
        }
        let Output::Hidden(hidden) = engine.encode(&all, Head::Hidden).unwrap() else {
            panic!("another output than asked for");
        };
        for (row, hidden) in rows.iter().zip(&hidden) {
            let width = hidden.len() / row["ids"].as_array().unwrap().len();
            let tokens = row["hidden_tokens"].as_array().unwrap().iter();
            for (token, expected) in tokens.zip(row["hidden"].as_array().unwrap()) {
                let token = usize::try_from(token.as_u64().unwrap()).unwrap();
                let found = &hidden[token * width..(token + 1) * width];
                let what = format!("{name}/{} hidden {token}", row["name"]);
                assert_close(&what, found, &numbers(expected), TINY_BOUND);
            }
        }
    }
}

#[test]
fn both_engines_read_the_same_from_the_same_weights() {
    for name in [
        "bert",
        "bert-cased-f16",
        "bert-int8",
        "distilbert",
        "roberta",
        "electra",
    ] {
        let model = Model::from_directory(&golden(name)).unwrap();
        let native = Native::with_kernels(&model, Kernels::F32).unwrap();
        let libtorch = Libtorch::new(&model, Device::Cpu).unwrap();
        let inputs: Vec<Input> = rows(name, "inputs").iter().map(input).collect();
        let all: Vec<&Input> = inputs.iter().collect();
        for (ours, theirs) in native
            .spans(&all)
            .unwrap()
            .iter()
            .zip(libtorch.spans(&all).unwrap())
        {
            assert_close(name, &theirs.start, &ours.start, SAME_WEIGHTS_BOUND);
            assert_close(name, &theirs.end, &ours.end, SAME_WEIGHTS_BOUND);
        }
    }
}

#[test]
fn the_embedded_reader_is_as_in_transformers_and_scores_sentences_alike() {
    let model = Model::embedded().unwrap();
    let libtorch = Libtorch::new(&model, Device::Cpu).unwrap();
    let native = Native::with_kernels(&model, Kernels::F32).unwrap();
    let rows = rows("reader", "windows");
    let mut inputs: Vec<Input> = rows.iter().map(input).collect();
    let all: Vec<&Input> = inputs.iter().collect();
    for (row, logits) in rows.iter().zip(libtorch.spans(&all).unwrap()) {
        let what = row["name"].to_string();
        assert_close(
            &what,
            &logits.start,
            &numbers(&row["start_logits"]),
            SAME_WEIGHTS_BOUND,
        );
        assert_close(
            &what,
            &logits.end,
            &numbers(&row["end_logits"]),
            SAME_WEIGHTS_BOUND,
        );
    }
    for input in &mut inputs {
        let middle = input.len() / 2;
        input.sentences = vec![1..middle, middle..input.len() - 1];
    }
    let all: Vec<&Input> = inputs.iter().collect();
    let both = native
        .sentences(&all)
        .unwrap()
        .into_iter()
        .zip(libtorch.sentences(&all).unwrap());
    for (ours, theirs) in both {
        assert_eq!(ours.len(), 2);
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_close("sentence", theirs, ours, SAME_WEIGHTS_BOUND);
        }
    }
}

fn top(top: usize) -> AskOptions {
    AskOptions {
        top,
        ..AskOptions::default()
    }
}

const QUESTIONS: [&str; 3] = [
    "who leads negotiations?",
    "where will Vance meet Zelenskyy?",
    "tallest mountain in south america",
];

#[test]
fn verbatim_and_traceable() {
    for question in QUESTIONS {
        let answers = READER.ask(question, &[&SEED], &top(5)).unwrap();
        assert_eq!(answers.answers.len(), 5);
        for answer in &answers.answers {
            assert_eq!(answer.text, SEED.text()[answer.span.clone()]);
            assert_eq!(
                answer.source_text,
                SEED.source()[answer.start_byte..answer.end_byte]
            );
        }
    }
}

/// A model whose words begin with their spaces quotes no space.
#[test]
fn quotations_begin_with_a_word() {
    for name in ["deberta-v2", "roberta"] {
        let reader = Reader::load(Some(&golden(name)), LIBTORCH).unwrap();
        for question in ["who?", "who led?"] {
            for answer in reader.ask(question, &[&SEED], &top(8)).unwrap().answers {
                assert_eq!(answer.text, answer.text.trim(), "{name}");
                assert_eq!(answer.text, SEED.text()[answer.span.clone()]);
            }
        }
    }
}

#[test]
fn honest_as_the_native_engine() {
    let native = Reader::embedded().unwrap();
    for question in QUESTIONS {
        let theirs = READER.ask(question, &[&SEED], &top(1)).unwrap();
        let ours = native.ask(question, &[&SEED], &top(1)).unwrap();
        assert!(theirs.calibrated);
        assert_eq!(theirs.answered, ours.answered, "{question}");
        assert!((theirs.not_in_document - ours.not_in_document).abs() < 0.05);
    }
}

#[test]
fn comparable() {
    let one = Document::new("one", "The keys are in the blue drawer.", Format::Plain).unwrap();
    let other = Document::new(
        "other",
        "The harbour was dug by Lena Moss in 1920.",
        Format::Plain,
    )
    .unwrap();
    let score = |documents: &[&Document]| {
        let answers = READER
            .ask("who dug the harbour?", documents, &top(9))
            .unwrap()
            .answers;
        let own = answers.iter().filter(|a| a.document == "other").map(|a| a.score);
        own.fold(f32::MIN, f32::max)
    };
    assert_eq!(
        score(&[&other]).to_bits(),
        score(&[&one, &other, &SEED]).to_bits()
    );
}

/// Promise 6: the same bits alone and among others, with one thread and with several, and from several callers at once.
#[test]
fn deterministic() {
    for name in ["", "distilbert", "albert", "deberta", "deberta-v2-conv"] {
        let model = match name {
            "" => Model::embedded().unwrap(),
            name => Model::from_directory(&golden(name)).unwrap(),
        };
        let limits = model.manifest.limits;
        let question = Question::new("who leads?", &model.tokenizer, &limits).unwrap();
        let inputs: Vec<Input> = plan(&SEED, &question, &model.tokenizer, &limits)
            .take(9)
            .map(|window| window.input)
            .collect();
        let all: Vec<&Input> = inputs.iter().collect();
        let engine = Libtorch::new(&model, Device::Cpu).unwrap();
        let bits = |inputs: &[&Input], threads: usize| -> Vec<Vec<u32>> {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let spans = pool.build().unwrap().install(|| engine.spans(inputs).unwrap());
            let bits = spans
                .iter()
                .map(|s| s.start.iter().chain(&s.end).map(|x| x.to_bits()).collect());
            bits.collect()
        };
        let alone: Vec<Vec<u32>> = all.iter().flat_map(|input| bits(&[input], 1)).collect();
        assert_eq!(alone, bits(&all, 1), "{name}: a neighbour changes bits");
        assert_eq!(alone, bits(&all, 4), "{name}: threads change bits");
        std::thread::scope(|scope| {
            let callers: Vec<_> = (0..3).map(|_| scope.spawn(|| bits(&all, 2))).collect();
            for caller in callers {
                assert_eq!(
                    alone,
                    caller.join().unwrap(),
                    "{name}: another caller changes bits"
                );
            }
        });
    }
}

/// Copies a golden's model, its configuration and weights changed.
fn changed(
    name: &str,
    config: impl FnOnce(&mut Value),
    weights: impl FnOnce(&mut Vec<u8>),
) -> tempfile::TempDir {
    let folder = temporary_folder();
    let from = golden(name);
    let mut json: Value = serde_json::from_slice(&fs::read(from.join("config.json")).unwrap()).unwrap();
    config(&mut json);
    write(&folder.path().join("config.json"), json.to_string());
    write(
        &folder.path().join("tokenizer.json"),
        fs::read(from.join("tokenizer.json")).unwrap(),
    );
    let mut bytes = fs::read(from.join("model.safetensors")).unwrap();
    weights(&mut bytes);
    write(&folder.path().join("model.safetensors"), bytes);
    folder
}

/// Promise 8: no file of a model makes the engine panic or reserve memory for what is not there.
#[test]
fn damaged_models_are_refused() {
    let error = |folder: &tempfile::TempDir| libtorch(folder.path()).unwrap_err().to_string();
    for name in ALL {
        let folder = changed(name, |_| {}, |bytes| bytes.truncate(bytes.len() - 5));
        assert!(error(&folder).contains("truncated"), "{name}");
        // Sizes that config.json makes up: none of them is believed.
        for (key, size) in [
            ("hidden_size", 8192),
            ("num_hidden_layers", 255),
            ("intermediate_size", 65536),
            ("max_position_embeddings", 130_000),
        ] {
            let key = match (name, key) {
                ("distilbert", "hidden_size") => "dim",
                ("distilbert", "num_hidden_layers") => "n_layers",
                ("distilbert", "intermediate_size") => "hidden_dim",
                // Where no tensor has this size, any is right.
                ("deberta-v2" | "deberta", "max_position_embeddings") => continue,
                ("albert", "num_hidden_layers") => continue,
                (_, key) => key,
            };
            let folder = changed(name, |config| config[key] = json!(size), |_| {});
            let error = error(&folder);
            assert!(error.contains("config.json"), "{name}, {key}: {error}");
        }
    }
    for (key, value) in [
        ("position_buckets", json!(2_000_000_000)),
        ("position_buckets", json!(1)),
        ("max_relative_positions", json!(100_000)),
        ("pos_att_type", json!(["p2p"])),
        ("relative_attention", json!(false)),
        ("conv_kernel_size", json!(4)),
        ("conv_groups", json!(7)),
        ("conv_act", json!("swish")),
        ("embedding_size", json!(16)),
        ("share_att_key", json!("yes")),
    ] {
        let folder = changed("deberta-v2-conv", |config| config[key] = value.clone(), |_| {});
        let error = error(&folder);
        assert!(error.contains("model "), "{key} {value}: {error}");
    }
    for (key, value) in [
        ("num_hidden_groups", 3),
        ("inner_group_num", 2),
        ("embedding_size", 32),
    ] {
        let folder = changed("albert", |config| config[key] = json!(value), |_| {});
        assert!(error(&folder).contains("config.json"), "{key}");
    }
}

/// The file of weights that tch writes, with what else can be in one: other types, and tensors that share numbers.
fn write_ot(path: &Path, name: &str, change: impl FnOnce(&mut Vec<(String, Tensor)>)) {
    let mut tensors = Tensor::read_safetensors(golden(name).join("model.safetensors")).unwrap();
    tensors.push((
        "ids".to_owned(),
        Tensor::arange(300, (tch::Kind::Int64, tch::Device::Cpu)),
    ));
    change(&mut tensors);
    Tensor::save_multi(&tensors, path).unwrap();
}

#[test]
fn weights_of_rust_bert_are_read() {
    for name in ["bert", "bert-cased-f16", "deberta-v2"] {
        let folder = changed(name, |_| {}, |_| {});
        fs::remove_file(folder.path().join("model.safetensors")).unwrap();
        write_ot(&folder.path().join("rust_model.ot"), name, |tensors| {
            let whole = Tensor::arange(12, (tch::Kind::Float, tch::Device::Cpu)).reshape([3, 4]);
            tensors.push(("one".to_owned(), whole.narrow(0, 1, 2)));
            tensors.push(("other".to_owned(), whole));
        });
        let inputs: Vec<Input> = rows(name, "inputs").iter().map(input).collect();
        let all: Vec<&Input> = inputs.iter().collect();
        let expected = libtorch(&golden(name)).unwrap().spans(&all).unwrap();
        assert_eq!(
            libtorch(folder.path()).unwrap().spans(&all).unwrap(),
            expected,
            "{name}"
        );
    }
}

#[test]
fn damaged_weights_of_rust_bert_are_refused() {
    let folder = changed("bert", |_| {}, |_| {});
    fs::remove_file(folder.path().join("model.safetensors")).unwrap();
    let path = folder.path().join("rust_model.ot");
    write_ot(&path, "bert", |_| {});
    let whole = fs::read(&path).unwrap();
    assert!(libtorch(folder.path()).is_ok());
    // Cut anywhere, and one byte of the lists changed anywhere, it is read or refused.
    for cut in (0..whole.len()).step_by(whole.len() / 40) {
        fs::write(&path, &whole[..cut]).unwrap();
        let error = libtorch(folder.path()).unwrap_err().to_string();
        assert!(error.contains("rust_model.ot"), "{cut}: {error}");
    }
    let list = whole.windows(8).position(|w| w == b"data.pkl").unwrap();
    let mut refused = 0;
    for at in (list..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        fs::write(&path, bytes).unwrap();
        refused += usize::from(libtorch(folder.path()).is_err());
    }
    assert!(refused > 100, "{refused}");
    write_ot(&path, "bert", |tensors| {
        let columns = tensors[0].1.reshape([2, -1]).transpose(0, 1);
        tensors.push(("columns".to_owned(), columns));
    });
    let error = libtorch(folder.path()).unwrap_err().to_string();
    assert!(error.contains("columns is not stored row by row"), "{error}");
}

#[test]
fn weights_that_are_no_numbers_are_refused() {
    let folder = changed(
        "bert",
        |_| {},
        |bytes| {
            let end = bytes.len();
            bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        },
    );
    let error = libtorch(folder.path()).unwrap_err().to_string();
    assert!(error.contains("not finite"), "{error}");
    // Numbers whose products are none.
    let folder = changed(
        "albert",
        |_| {},
        |bytes| {
            let header = 8 + usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap();
            for weight in bytes[header..].chunks_exact_mut(4) {
                weight.copy_from_slice(&f32::MAX.to_le_bytes());
            }
        },
    );
    let engine = libtorch(folder.path()).unwrap();
    let inputs: Vec<Input> = rows("albert", "inputs").iter().map(input).collect();
    let error = engine.spans(&[&inputs[0]]).unwrap_err();
    assert!(matches!(error, Error::ModelFileInvalid { .. }), "{error}");
}

#[test]
fn windows_too_long_for_attention_are_refused() {
    let mut model = Model::from_directory(&golden("bert")).unwrap();
    model.manifest.limits.window_tokens = 4097;
    let error = Libtorch::new(&model, Device::Cpu).unwrap_err().to_string();
    assert!(error.contains("limits.window_tokens is 4097"), "{error}");
}

#[test]
fn a_model_without_a_head_is_told() {
    let folder = changed(
        "bert",
        |_| {},
        |bytes| {
            // The head's name, changed in the header.
            let text = b"qa_outputs";
            for at in 0..bytes.len() - text.len() {
                if &bytes[at..at + text.len()] == text {
                    bytes[at] = b'x';
                }
            }
        },
    );
    let engine = libtorch(folder.path()).unwrap();
    let inputs: Vec<Input> = rows("bert", "inputs").iter().map(input).collect();
    assert!(matches!(engine.spans(&[&inputs[0]]), Err(Error::NoHead { .. })));
    let sentences = libtorch(&golden("bert")).unwrap().sentences(&[&inputs[0]]);
    assert!(matches!(sentences, Err(Error::NoHead { head: "sentence", .. })));
}

#[test]
fn a_device_that_is_not_there_is_told() {
    if tch::Cuda::is_available() {
        return; // the test of another machine
    }
    Scene::new()
        .file("a.txt", "The keys are in the drawer.")
        .run(&[
            "where are the keys?",
            "a.txt",
            "--engine",
            "libtorch",
            "--device",
            "cuda",
        ])
        .fails_with(&["--device cuda", "nvidia-smi", "LIBTORCH", "--device cpu"]);
}

#[test]
fn every_command_takes_the_engine() {
    let scene = Scene::new().file(
        "a.txt",
        "The harbour was dug by Lena Moss in 1920. The keys are in the blue drawer.",
    );
    let asked = ["who dug the harbour?", "a.txt", "--engine", "libtorch", "--json"];
    let answer = scene.run(&asked);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(answer.json()["answers"][0]["text"], "Lena Moss");

    let batch =
        Scene::new().lines([r#"{"id":1,"question":"who dug the harbour?","context":"Lena Moss dug it."}"#]);
    let batch = batch.run(&["batch", "--engine", "libtorch"]);
    assert_eq!(batch.json()["answers"][0]["text"], "Lena Moss");

    let suite = "[[question]]\nid = \"1\"\nquestion = \"who dug the harbour?\"\nanswers = [\"Lena Moss\"]\n";
    let evaluation = Scene::new()
        .file("a.txt", "The harbour was dug by Lena Moss in 1920.")
        .file(
            "suite.toml",
            format!("name = \"harbour\"\ndocuments = [\"a.txt\"]\n{suite}"),
        );
    let evaluation = evaluation.run(&["eval", "suite.toml", "--engine", "libtorch", "--json"]);
    assert_eq!(evaluation.code, 0, "{evaluation:?}");
    assert!(evaluation.out.contains("libtorch, f32, cpu"), "{evaluation:?}");

    let summary = Scene::new().file("a.txt", SEED.source());
    let summary = summary.run(&["summarize", "a.txt", "--engine", "libtorch", "-n", "2"]);
    assert_eq!(summary.code, 0, "{summary:?}");
}

#[test]
fn an_architecture_of_libtorch_is_read_and_native_names_it() {
    let model = golden("albert").display().to_string();
    let scene = Scene::new().file("a.txt", "The keys are in the blue drawer.");
    let asked = [
        "where are the keys?",
        "a.txt",
        "--model",
        model.as_str(),
        "--always-answer",
    ];
    scene.run(&asked).fails_with(&["albert", "--engine libtorch"]);
    let mut with_engine = asked.to_vec();
    with_engine.extend(["--engine", "libtorch", "--json"]);
    let answer = scene.run(&with_engine);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(answer.json()["calibrated"], false);
}
