//! rust-bert beside `ask`: its question-answering pipeline on a document, and its encoders beside transformers. See benches/README.md.
//!
//!     rust-bert convert MODEL.safetensors MODEL.ot    as its pipeline reads weights
//!     rust-bert ask MODEL-FOLDER DOCUMENT QUESTION…   one line of JSON for each question
//!     rust-bert logits GOLDEN-FOLDER…                 how far its logits are from transformers

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use rust_bert::Config;
use rust_bert::albert::{AlbertConfig, AlbertForQuestionAnswering};
use rust_bert::bert::{BertConfig, BertForQuestionAnswering};
use rust_bert::deberta::{DebertaConfig, DebertaForQuestionAnswering};
use rust_bert::deberta_v2::{DebertaV2Config, DebertaV2ForQuestionAnswering};
use rust_bert::distilbert::{DistilBertConfig, DistilBertForQuestionAnswering};
use rust_bert::pipelines::common::{ModelResource, ModelType};
use rust_bert::pipelines::question_answering::{QaInput, QuestionAnsweringConfig, QuestionAnsweringModel};
use rust_bert::resources::LocalResource;
use rust_bert::roberta::RobertaForQuestionAnswering;
use serde_json::{Value, json};
use tch::nn::VarStore;
use tch::{Device, Tensor};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match &arguments[..] {
        ["convert", from, to] => convert(Path::new(from), Path::new(to)),
        ["ask", model, document, questions @ ..] => ask(Path::new(model), Path::new(document), questions),
        ["logits", folders @ ..] => folders.iter().try_for_each(|folder| logits(Path::new(folder))),
        _ => bail!("usage: rust-bert convert|ask|logits …; see the head of benches/peers/rust_bert.rs"),
    }
}

fn convert(from: &Path, to: &Path) -> Result<()> {
    let mut tensors = Tensor::read_safetensors(from)?;
    let width = tensors
        .iter()
        .find(|(name, _)| name == "qa_outputs.weight")
        .context("the model has no qa_outputs.weight")?
        .1
        .size()[1];
    // The pipeline asks for a pooler, which it does not use.
    let zeros = |shape: &[i64]| Tensor::zeros(shape, (tch::Kind::Float, Device::Cpu));
    tensors.push(("bert.pooler.dense.weight".to_owned(), zeros(&[width, width])));
    tensors.push(("bert.pooler.dense.bias".to_owned(), zeros(&[width])));
    Ok(Tensor::save_multi(&tensors, to)?)
}

fn ask(model: &Path, document: &Path, questions: &[&str]) -> Result<()> {
    let started = Instant::now();
    let file = |name: &str| LocalResource::from(model.join(name));
    let pipeline = QuestionAnsweringModel::new(QuestionAnsweringConfig::new(
        ModelType::Bert,
        ModelResource::Torch(Box::new(file("rust_model.ot"))),
        file("config.json"),
        file("vocab.txt"),
        None,
        true,
        None,
        None,
    ))?;
    let loaded_ms = started.elapsed().as_millis();
    let context = fs::read_to_string(document)?;
    for question in questions {
        let started = Instant::now();
        let input = QaInput {
            question: (*question).to_owned(),
            context: context.clone(),
        };
        let answers = pipeline.predict(&[input], 1, 32);
        let elapsed_ms = started.elapsed().as_millis();
        let answers = answers.first().map_or(&[][..], |answers| &answers[..]);
        let answers: Vec<Value> = answers
            .iter()
            .map(|a| {
                let slice: String = context.chars().skip(a.start).take(a.end.saturating_sub(a.start)).collect();
                json!({"text": a.answer, "score": a.score, "start": a.start, "end": a.end, "verbatim": slice == a.answer})
            })
            .collect();
        println!(
            "{}",
            json!({"question": question, "answers": answers, "elapsed_ms": elapsed_ms, "loaded_ms": loaded_ms})
        );
    }
    Ok(())
}

/// The largest differences of start and end logits from those in `goldens.json`.
fn logits(folder: &Path) -> Result<()> {
    let config = folder.join("config.json");
    let json: Value = serde_json::from_slice(&fs::read(&config)?)?;
    let goldens: Value = serde_json::from_slice(&fs::read(folder.join("goldens.json"))?)?;
    let mut store = VarStore::new(Device::Cpu);
    let forward = model(&json, &config, &store)?;
    let missing = store.load_partial(folder.join("model.safetensors"))?;
    let missing: Vec<&String> = missing.iter().filter(|name| !name.contains("pooler")).collect();
    let mut largest = 0.0_f64;
    for row in goldens["inputs"].as_array().context("no inputs")? {
        let ids = |key: &str| -> Result<Option<Vec<i64>>> { Ok(serde_json::from_value(row[key].clone())?) };
        let tokens = ids("ids")?.context("no ids")?;
        let segments = ids("type_ids")?.unwrap_or_else(|| vec![0; tokens.len()]);
        let tensor = |ids: &[i64]| Tensor::from_slice(ids).unsqueeze(0);
        let (start, end) = tch::no_grad(|| forward(&tensor(&tokens), &tensor(&segments)));
        for (found, key) in [(start, "start_logits"), (end, "end_logits")] {
            let expected: Vec<f64> = serde_json::from_value(row[key].clone())?;
            let found = Vec::<f32>::try_from(found.flatten(0, -1))?;
            for (found, expected) in found.iter().zip(&expected) {
                largest = largest.max((f64::from(*found) - expected).abs());
            }
        }
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    println!(
        "{}",
        json!({"model": name, "largest_difference": largest, "missing": missing})
    );
    Ok(())
}

type Forward = Box<dyn Fn(&Tensor, &Tensor) -> (Tensor, Tensor)>;

fn model(json: &Value, file: &PathBuf, store: &VarStore) -> Result<Forward> {
    let root = store.root();
    Ok(match json["model_type"].as_str().unwrap_or_default() {
        "bert" => {
            let model = BertForQuestionAnswering::new(&root, &BertConfig::from_file(file));
            Box::new(move |ids, segments| {
                let output = model.forward_t(Some(ids), None, Some(segments), None, None, false);
                (output.start_logits, output.end_logits)
            })
        }
        "roberta" => {
            let model = RobertaForQuestionAnswering::new(&root, &BertConfig::from_file(file));
            Box::new(move |ids, segments| {
                let output =
                    model.forward_t(Some(ids), None, Some(&segments.zeros_like()), None, None, false);
                (output.start_logits, output.end_logits)
            })
        }
        "distilbert" => {
            let model = DistilBertForQuestionAnswering::new(&root, &DistilBertConfig::from_file(file));
            Box::new(move |ids, _| {
                let output = model.forward_t(Some(ids), None, None, false).expect("logits");
                (output.start_logits, output.end_logits)
            })
        }
        "albert" => {
            let model = AlbertForQuestionAnswering::new(&root, &AlbertConfig::from_file(file));
            Box::new(move |ids, segments| {
                let output = model.forward_t(Some(ids), None, Some(segments), None, None, false);
                (output.start_logits, output.end_logits)
            })
        }
        "deberta" => {
            let model = DebertaForQuestionAnswering::new(&root, &DebertaConfig::from_file(file));
            Box::new(move |ids, segments| {
                let output = model.forward_t(Some(ids), None, Some(segments), None, None, false);
                let output = output.expect("logits");
                (output.start_logits, output.end_logits)
            })
        }
        "deberta-v2" => {
            let model = DebertaV2ForQuestionAnswering::new(&root, &DebertaV2Config::from_file(file));
            Box::new(move |ids, segments| {
                let output = model.forward_t(Some(ids), None, Some(segments), None, None, false);
                let output = output.expect("logits");
                (output.start_logits, output.end_logits)
            })
        }
        other => bail!("{other}: no such architecture here"),
    })
}
