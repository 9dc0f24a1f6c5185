//! Models that write, behind the feature `libtorch`: against transformers, and with files that are wrong.
#![cfg(feature = "libtorch")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{Scene, temporary_folder};
use quotable::engine::libtorch::Writer;
use quotable::engine::{Device, Generation, Generator};
use quotable::summary::abstractive::{AbstractiveOptions, summarize};
use quotable::{Document, Error, Format};
use serde_json::{Value, json};
use tempfile::TempDir;

const ALL: [&str; 4] = ["bart", "pegasus", "t5", "t5-gated"];

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/golden/writers")
        .join(name)
}

fn writer(folder: &Path) -> quotable::Result<Writer> {
    Writer::from_directory(folder, Device::Cpu)
}

fn ids(value: &Value) -> Vec<u32> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_u64().unwrap() as u32)
        .collect()
}

/// How a case is searched; the model's own way where the case does not say.
fn search(case: &Value, own: Generation) -> Generation {
    let Some(search) = case.get("search") else {
        return own;
    };
    let count = |key: &str, other: usize| search.get(key).map_or(other, |n| n.as_u64().unwrap() as usize);
    Generation {
        max_new_tokens: count("max_new_tokens", 0),
        min_new_tokens: count("min_new_tokens", 0),
        beams: count("num_beams", 1),
        no_repeat_ngram: count("no_repeat_ngram_size", 0),
        length_penalty: search.get("length_penalty").map_or(1.0, |p| p.as_f64().unwrap()),
        early_stopping: search.get("early_stopping").is_some_and(|e| e.as_bool().unwrap()),
    }
}

#[test]
fn the_same_ids_as_transformers() {
    for name in ALL {
        let writer = writer(&golden(name)).unwrap();
        let cases = fs::read_to_string(golden(name).join("goldens.json")).unwrap();
        let cases: Vec<Value> = serde_json::from_str(&cases).unwrap();
        assert!(cases.len() >= 24);
        for (number, case) in cases.iter().enumerate() {
            let text = case["text"].as_str().unwrap();
            let read = writer.encode(text).unwrap();
            assert_eq!(read, ids(&case["ids"]), "{name}, case {number}: what is read");
            let generation = search(case, writer.generation());
            let written = writer.generate_ids(&read, &generation, &mut |_| true).unwrap();
            assert_eq!(
                written,
                ids(&case["written"]),
                "{name}, case {number}: {generation:?}"
            );
            let words = writer.generate(text, &generation, &mut |_| true).unwrap();
            assert_eq!(words, case["words"].as_str().unwrap(), "{name}, case {number}");
        }
    }
}

#[test]
fn the_files_say_how_a_model_writes() {
    for name in ALL {
        let expected = Generation {
            max_new_tokens: 19,
            min_new_tokens: 6,
            beams: 3,
            no_repeat_ngram: 3,
            length_penalty: 0.8,
            early_stopping: true,
        };
        assert_eq!(writer(&golden(name)).unwrap().generation(), expected, "{name}");
    }
}

#[test]
fn a_text_that_is_too_long_is_refused_not_cut() {
    for name in ALL {
        let writer = writer(&golden(name)).unwrap();
        let limit = writer.input_tokens();
        let mut text = "the ".repeat(limit);
        while writer.count_tokens(&text) > limit {
            text.pop();
        }
        let once = Generation {
            max_new_tokens: 1,
            ..Generation::default()
        };
        assert!(writer.generate(&text, &once, &mut |_| true).is_ok(), "{name}");
        let result = writer.generate(&"the ".repeat(2 * limit), &once, &mut |_| true);
        assert!(
            matches!(result, Err(Error::InputTooLong { .. })),
            "{name}: {result:?}"
        );
    }
}

#[test]
fn writing_stops_between_two_tokens() {
    for beams in [1, 3] {
        let writer = writer(&golden("bart")).unwrap();
        let generation = Generation {
            beams,
            min_new_tokens: 9,
            ..Generation::default()
        };
        let mut seen = Vec::new();
        let result = writer.generate("The dam broke.", &generation, &mut |tokens| {
            seen.push(tokens);
            tokens < 4
        });
        assert!(matches!(result, Err(Error::Interrupted)));
        assert_eq!(seen, [1, 2, 3, 4]);
    }
}

#[test]
fn threads_write_the_same_side_by_side() {
    let texts: Vec<String> = (1..=12)
        .map(|n| {
            "The dam broke on Monday, and the town was under water. ".repeat(n % 3 + 1) + &"Why? ".repeat(n)
        })
        .collect();
    for name in ALL {
        let writer = writer(&golden(name)).unwrap();
        let write = |text: &String| {
            writer
                .generate(text, &writer.generation(), &mut |_| true)
                .unwrap()
        };
        let expected: Vec<String> = texts.iter().map(write).collect();
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| texts.iter().map(write).collect::<Vec<String>>()))
                .collect();
            for thread in threads {
                assert_eq!(thread.join().unwrap(), expected, "{name}");
            }
        });
    }
}

#[test]
fn a_long_document_is_summarised_and_attributed() {
    let text = "The dam above the town broke on Monday night. Water reached the town in an hour. ".repeat(40);
    let document = Document::new("storm.txt", text, Format::Plain).unwrap();
    for name in ALL {
        let writer = writer(&golden(name)).unwrap();
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.unwrap()
                .install(|| summarize(&[&document], &writer, &AbstractiveOptions::default(), |_| true))
        };
        match (run(1), run(3)) {
            (Ok(one), Ok(several)) => {
                assert_eq!(one, several);
                assert!(one[0].passages > 1, "{name}");
            }
            (Err(Error::SummaryTooShort { .. }), Err(Error::SummaryTooShort { .. })) => {}
            other => panic!("{name}: {other:?}"),
        }
    }
}

/// A copy of a tiny model that may be spoiled.
fn copy(name: &str) -> (TempDir, PathBuf) {
    let folder = temporary_folder();
    let path = folder.path().join("model");
    fs::create_dir(&path).unwrap();
    for entry in fs::read_dir(golden(name)).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), path.join(entry.file_name())).unwrap();
    }
    (folder, path)
}

fn with_config(name: &str, change: impl FnOnce(&mut Value)) -> String {
    let (_folder, path) = copy(name);
    let file = path.join("config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    change(&mut config);
    fs::write(&file, config.to_string()).unwrap();
    match writer(&path) {
        Ok(_) => panic!("{name}: it was loaded"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn configurations_that_are_wrong_are_refused() {
    for (name, key, value, part) in [
        ("bart", "d_model", json!(0), "d_model"),
        ("bart", "d_model", json!(32), "config.json says"),
        ("bart", "d_model", json!("many"), "config.json"),
        ("bart", "decoder_attention_heads", json!(3), "heads"),
        ("bart", "decoder_attention_heads", json!(0), "heads"),
        ("bart", "encoder_layers", json!(3), "encoder.layers.2"),
        ("bart", "encoder_layers", json!(1_000_000_000_u64), "layers"),
        ("bart", "vocab_size", json!(7), "tokenizer.json"),
        ("bart", "vocab_size", json!(u64::MAX), "vocab_size"),
        ("bart", "max_position_embeddings", json!(1000), "embed_positions"),
        ("bart", "activation_function", json!("swish"), "swish"),
        ("bart", "normalize_before", json!(true), "normalize_before"),
        ("bart", "model_type", json!("bert"), "none that writes"),
        ("pegasus", "max_position_embeddings", json!(1), "positions"),
        ("pegasus", "encoder_ffn_dim", json!(9), "fc1"),
        ("t5", "d_kv", json!(8), "SelfAttention"),
        ("t5", "num_heads", json!(u64::MAX), "heads"),
        ("t5", "feed_forward_proj", json!("gated-gelu"), "wi_0"),
        ("t5", "relative_attention_num_buckets", json!(2), "num_buckets"),
        ("t5", "relative_attention_max_distance", json!(4), "max_distance"),
        ("t5", "layer_norm_epsilon", json!(-1.0), "epsilon"),
    ] {
        let message = with_config(name, |config| config[key] = value.clone());
        assert!(message.contains(part), "{name}, {key} = {value}: {message}");
        assert!(!message.contains('\n'), "{message}");
    }
    let message = with_config("t5", |config| {
        config["task_specific_params"]["summarization"]["prefix"] = json!("say ".repeat(600));
    });
    assert!(message.contains("no room"), "{message}");
    let message = with_config("t5", |config| {
        config["task_specific_params"]["summarization"]["decoder_start_token_id"] = json!(1_u64 << 40);
    });
    assert!(message.contains("decoder_start_token_id"), "{message}");
    let message = with_config("t5", |config| {
        config["task_specific_params"]["summarization"]["length_penalty"] = json!(1e300);
    });
    assert!(message.contains("length_penalty"), "{message}");
}

#[test]
fn files_that_are_missing_or_damaged_are_refused() {
    for name in ALL {
        let (_folder, path) = copy(name);
        let weights = path.join("model.safetensors");
        let bytes = fs::read(&weights).unwrap();
        fs::write(&weights, &bytes[..bytes.len() - 9]).unwrap();
        let error = writer(&path).unwrap_err().to_string();
        assert!(error.contains("model.safetensors"), "{error}");
        // A value that is no number.
        let mut spoiled = bytes.clone();
        let end = spoiled.len();
        spoiled[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        fs::write(&weights, &spoiled).unwrap();
        let error = writer(&path).unwrap_err().to_string();
        assert!(error.contains("not finite"), "{error}");
        // Values that are numbers, but whose products are not.
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let mut spoiled = bytes.clone();
        for value in spoiled[8 + length..].chunks_exact_mut(4) {
            value.copy_from_slice(&1e15_f32.to_le_bytes());
        }
        fs::write(&weights, &spoiled).unwrap();
        let result = writer(&path)
            .unwrap()
            .generate("The dam broke.", &Generation::default(), &mut |_| true);
        let error = result.unwrap_err().to_string();
        assert!(error.contains("not finite"), "{name}: {error}");
        fs::remove_file(&weights).unwrap();
        assert!(matches!(writer(&path), Err(Error::ModelFileMissing { .. })));
        fs::write(path.join("rust_model.ot"), b"PK\x03\x04 no archive").unwrap();
        let error = writer(&path).unwrap_err().to_string();
        assert!(error.contains("rust_model.ot"), "{error}");
        assert!(!error.contains('\n'), "{error}");
        fs::write(&weights, &bytes).unwrap();
        fs::write(path.join("tokenizer.json"), "{}").unwrap();
        let error = writer(&path).unwrap_err().to_string();
        assert!(error.contains("tokenizer.json"), "{error}");
    }
}

/// T5 v1.1: an output of its own, and `tie_word_embeddings` says that it is not scaled.
#[test]
fn older_files_of_t5_are_read() {
    let text = "The dam broke on Monday.";
    let write = |path: &Path| {
        let writer = writer(path).unwrap();
        writer
            .generate(text, &writer.generation(), &mut |_| true)
            .unwrap()
    };
    let expected = write(&golden("t5-gated"));
    let (_folder, path) = copy("t5-gated");
    let file = path.join("config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    config.as_object_mut().unwrap().remove("scale_decoder_outputs");
    config["tie_word_embeddings"] = json!(false);
    fs::write(&file, config.to_string()).unwrap();
    let weights = path.join("model.safetensors");
    let mut tensors = tch::Tensor::read_safetensors(&weights).unwrap();
    let words = tensors
        .iter()
        .find(|(name, _)| name == "shared.weight")
        .unwrap()
        .1
        .shallow_clone();
    for (output, is_same) in [(words.shallow_clone(), true), (words.roll(1, 0), false)] {
        tensors.retain(|(name, _)| name != "lm_head.weight");
        tensors.push(("lm_head.weight".to_owned(), output));
        tch::Tensor::write_safetensors(&tensors, &weights).unwrap();
        assert_eq!(write(&path) == expected, is_same);
    }
}

/// The weights in a file of libtorch's own, as rust-bert has it.
#[test]
fn weights_are_read_from_rust_bert_s_files() {
    for name in ALL {
        let (_folder, path) = copy(name);
        let weights = path.join("model.safetensors");
        let tensors = tch::Tensor::read_safetensors(&weights).unwrap();
        tch::Tensor::save_multi(&tensors, path.join("rust_model.ot")).unwrap();
        let text = "The dam broke on Monday.";
        let write = || {
            writer(&path)
                .unwrap()
                .generate(text, &Generation::default(), &mut |_| true)
                .unwrap()
        };
        let expected = write();
        fs::remove_file(&weights).unwrap();
        assert_eq!(write(), expected, "{name}");
    }
}

#[test]
fn the_command_line_writes_with_a_real_model() {
    let scene = Scene::new().file(
        "storm.txt",
        "The dam broke on Monday. Water reached the town in an hour.",
    );
    let model = golden("bart");
    let style = [
        "summarize",
        "storm.txt",
        "--style=abstractive",
        "--json",
        "--model",
    ];
    // The tests' environment has the scripted generator; the program's own is asked directly.
    assert_eq!(scene.run(&[&style[..], &["missing"]].concat()).code, 2);
    let environment = quotable::cli::Environment::of_process();
    let generator = (environment.load_generator)(&model, Device::Cpu).unwrap();
    assert_eq!(generator.name(), "bart");
}
