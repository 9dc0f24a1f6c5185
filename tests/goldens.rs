//! The encoder, the tokenizer and the decoder against transformers. `scripts/goldens/make.py` makes the
//! files in `tests/data/golden`.

use std::path::{Path, PathBuf};

use quotable::engine::native::{Kernels, Native};
use quotable::engine::{Engine, Head, Input, Output};
use quotable::model::Model;
use quotable::qa::decode::next_spans;
use quotable::summary::{Scorer, prose};
use quotable::window::{ContextToken, Window};
use quotable::{Document, Format, Reader};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The promise to users of other models: logits within 1e-3 of transformers. The tiny models keep to a fifth of it, so that a wrong
/// activation or epsilon shows.
const TINY_BOUND: f32 = 2e-4;
const READER_BOUND: f32 = 1e-3;

#[derive(Deserialize)]
struct Tiny {
    inputs: Vec<Pair>,
}

#[derive(Deserialize)]
struct Pair {
    name: String,
    question: String,
    context: String,
    ids: Vec<u32>,
    type_ids: Option<Vec<u32>>,
    sequence: Vec<i32>,
    offsets: Vec<(usize, usize)>,
    start_logits: Vec<f32>,
    end_logits: Vec<f32>,
    #[serde(default)]
    batch_start_logits: Vec<f32>,
    #[serde(default)]
    batch_end_logits: Vec<f32>,
    #[serde(default)]
    hidden_tokens: Vec<usize>,
    #[serde(default)]
    hidden: Vec<Vec<f32>>,
    #[serde(default)]
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    bytes: (usize, usize),
    score: f32,
    text: String,
}

#[derive(Deserialize)]
struct ReaderGolden {
    weights_sha256: String,
    max_answer_tokens: usize,
    windows: Vec<Pair>,
}

#[derive(Deserialize)]
struct Tokens {
    strings: Vec<TokenRow>,
}

#[derive(Deserialize)]
struct TokenRow {
    name: String,
    text: String,
    ids: Vec<u32>,
    offsets: Vec<(usize, usize)>,
}

fn golden(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/golden")
        .join(path)
}

fn read<T: DeserializeOwned>(path: &str) -> T {
    let text = std::fs::read_to_string(golden(path)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn input(pair: &Pair) -> Input {
    Input {
        ids: pair.ids.clone(),
        segments: pair.type_ids.clone().unwrap_or_else(|| vec![0; pair.ids.len()]),
        sentences: vec![],
    }
}

/// Fails with the first index at which two rows differ by more than the bound.
fn assert_close(what: &str, got: &[f32], expected: &[f32], bound: f32) {
    assert_eq!(got.len(), expected.len(), "{what}: length");
    for (i, (g, e)) in got.iter().zip(expected).enumerate() {
        assert!(
            (g - e).abs() <= bound,
            "{what}: at {i} got {g}, transformers has {e}"
        );
    }
}

fn check_tiny(name: &str) {
    let model = Model::from_directory(&golden(name)).unwrap();
    let engine = Native::with_kernels(&model, Kernels::F32).unwrap();
    let golden: Tiny = read(&format!("{name}/goldens.json"));
    assert!(golden.inputs.len() >= 6);
    let inputs: Vec<Input> = golden.inputs.iter().map(input).collect();
    let all: Vec<&Input> = inputs.iter().collect();
    let logits = engine.spans(&all).unwrap();
    for (pair, logits) in golden.inputs.iter().zip(&logits) {
        let what = format!("{name}/{}", pair.name);
        assert_close(
            &format!("{what} start"),
            &logits.start,
            &pair.start_logits,
            TINY_BOUND,
        );
        assert_close(&format!("{what} end"), &logits.end, &pair.end_logits, TINY_BOUND);
        assert_close(
            &format!("{what} start, padded"),
            &logits.start,
            &pair.batch_start_logits,
            TINY_BOUND,
        );
        assert_close(
            &format!("{what} end, padded"),
            &logits.end,
            &pair.batch_end_logits,
            TINY_BOUND,
        );
    }
    let Output::Hidden(hidden) = engine.encode(&all, Head::Hidden).unwrap() else {
        panic!("another output than asked for");
    };
    for (pair, hidden) in golden.inputs.iter().zip(&hidden) {
        let width = hidden.len() / pair.ids.len();
        for (&token, expected) in pair.hidden_tokens.iter().zip(&pair.hidden) {
            let row = &hidden[token * width..(token + 1) * width];
            assert_close(
                &format!("{name}/{} hidden {token}", pair.name),
                row,
                expected,
                TINY_BOUND,
            );
        }
    }
}

#[test]
fn bert_is_as_in_transformers() {
    check_tiny("bert");
}

#[test]
fn bert_cased_in_f16_with_another_gelu_and_epsilon_is_as_in_transformers() {
    check_tiny("bert-cased-f16");
}

#[test]
fn bert_in_int8_is_as_its_dequantised_weights_in_transformers() {
    check_tiny("bert-int8");
}

#[test]
fn distilbert_is_as_in_transformers() {
    check_tiny("distilbert");
}

#[test]
fn roberta_is_as_in_transformers() {
    check_tiny("roberta");
}

#[test]
fn electra_is_as_in_transformers() {
    check_tiny("electra");
}

/// Our windows of one block are what transformers makes of the pair: same ids, segments and offsets.
#[test]
fn windows_are_the_pair_encodings_of_transformers() {
    for name in ["bert", "bert-cased-f16", "distilbert", "roberta", "electra"] {
        let model = Model::from_directory(&golden(name)).unwrap();
        let golden: Tiny = read(&format!("{name}/goldens.json"));
        for pair in &golden.inputs {
            let limits = model.manifest.limits;
            let Ok(question) = quotable::window::Question::new(&pair.question, &model.tokenizer, &limits)
            else {
                continue; // longer than our limit for questions
            };
            let Ok(document) = quotable::Document::new("t", pair.context.as_str(), quotable::Format::Plain)
            else {
                continue; // the empty context
            };
            if document.blocks().len() > 1 || document.source() != document.text() {
                continue; // white space between blocks is not read
            }
            let windows: Vec<Window> =
                quotable::window::plan(&document, &question, &model.tokenizer, &limits).collect();
            if windows.len() > 1 {
                continue;
            }
            let expected = input(pair);
            assert_eq!(windows[0].input.ids, expected.ids, "{name}/{}", pair.name);
            if pair.type_ids.is_some() {
                assert_eq!(
                    windows[0].input.segments, expected.segments,
                    "{name}/{}",
                    pair.name
                );
            }
            let offsets: Vec<(usize, usize)> = windows[0].context.iter().map(|t| (t.start, t.end)).collect();
            let context: Vec<(usize, usize)> = pair
                .offsets
                .iter()
                .zip(&pair.sequence)
                .filter(|(_, s)| **s == 1)
                .map(|(o, _)| *o)
                .collect();
            assert_eq!(offsets, context, "{name}/{}", pair.name);
        }
    }
}

fn reader_golden() -> ReaderGolden {
    let golden: ReaderGolden = read("reader/goldens.json");
    let manifest = Model::embedded().unwrap().manifest;
    assert_eq!(
        golden.weights_sha256, manifest.files["model.safetensors"].sha256,
        "the weights have changed: run scripts/goldens/make.py --only reader"
    );
    golden
}

#[test]
fn the_embedded_reader_is_as_in_transformers() {
    let golden = reader_golden();
    let model = Model::embedded().unwrap();
    let engine = Native::with_kernels(&model, Kernels::F32).unwrap();
    let inputs: Vec<Input> = golden.windows.iter().map(input).collect();
    let logits = engine.spans(&inputs.iter().collect::<Vec<_>>()).unwrap();
    for (pair, logits) in golden.windows.iter().zip(&logits) {
        assert_close(
            &format!("{} start", pair.name),
            &logits.start,
            &pair.start_logits,
            READER_BOUND,
        );
        assert_close(
            &format!("{} end", pair.name),
            &logits.end,
            &pair.end_logits,
            READER_BOUND,
        );
        // The best spans, as a plain decoder lists them.
        let window = window(pair);
        let best = next_spans(&window, logits, golden.max_answer_tokens, None, pair.spans.len());
        assert_eq!(best.len(), pair.spans.len(), "{}", pair.name);
        for (expected, best) in pair.spans.iter().zip(best) {
            assert_eq!(&pair.context[best.span.clone()], expected.text, "{}", pair.name);
            assert_eq!((best.span.start, best.span.end), expected.bytes, "{}", pair.name);
            assert!(
                (best.score - expected.score).abs() < 2.0 * READER_BOUND,
                "{}",
                pair.name
            );
        }
    }
}

/// The window of a golden, every token its own word as in the reference decoder.
fn window(pair: &Pair) -> Window {
    let context_start = pair.sequence.iter().position(|&s| s == 1).unwrap();
    let context = (0..pair.ids.len())
        .filter(|&i| pair.sequence[i] == 1)
        .map(|i| ContextToken {
            id: pair.ids[i],
            start: pair.offsets[i].0,
            end: pair.offsets[i].1,
            starts_word: true,
            section: 0,
        })
        .collect();
    Window {
        input: input(pair),
        context_start,
        context,
        shared_before: 0,
        shared_after: 0,
    }
}

#[test]
fn tokens_of_nasty_strings_are_those_of_the_reference() {
    let golden: Tokens = read("reader/tokens.json");
    let tokenizer = Model::embedded().unwrap().tokenizer;
    assert!(golden.strings.len() >= 40);
    for row in &golden.strings {
        // The reference reads "[SEP]" in a text as a special token; to us a document's text is only text.
        if row.name == "special-tokens" {
            assert!(
                tokenizer
                    .tokens(&row.text)
                    .iter()
                    .all(|t| !(100..=103).contains(&t.id))
            );
            continue;
        }
        let tokens = tokenizer.tokens(&row.text);
        let ids: Vec<u32> = tokens.iter().map(|t| t.id).collect();
        let offsets: Vec<(usize, usize)> = tokens.iter().map(|t| (t.start, t.end)).collect();
        assert_eq!(ids, row.ids, "{}", row.name);
        assert_eq!(offsets, row.offsets, "{}", row.name);
    }
}

#[derive(Deserialize)]
struct Sentences {
    sections: Vec<Section>,
    logits: Vec<f64>,
}

#[derive(Deserialize)]
struct Section {
    heading: Option<String>,
    sentences: Vec<String>,
}

/// The sentence scorer against PyTorch (`scripts/goldens/sentences.py`), one sentence over several windows.
#[test]
fn sentence_scores_are_those_of_the_reference() {
    let golden: Sentences = read("reader/sentences.json");
    let heading = |section: &Section| section.heading.as_ref().map(|h| format!("# {h}"));
    let blocks = golden.sections.iter();
    let blocks: Vec<String> = blocks
        .flat_map(|s| heading(s).into_iter().chain(s.sentences.clone()))
        .collect();
    let document = Document::new("t", blocks.join("\n\n"), Format::Markdown).unwrap();
    let mut candidates = prose::candidates(&document, 0).candidates;
    // The long enumeration is no candidate by itself: what is compared is the scorer.
    let last = document.sentences().last().unwrap().1;
    if candidates.len() < golden.logits.len() {
        let mut long = candidates[candidates.len() - 1].clone();
        long.span = last;
        candidates.push(long);
    }
    assert_eq!(candidates.len(), golden.logits.len());
    let reader = Reader::with_kernels(Model::embedded().unwrap(), Kernels::F32).unwrap();
    let scores = reader.score(&[&document], &candidates, &mut |_| true).unwrap();
    for (i, (got, expected)) in scores.iter().zip(&golden.logits).enumerate() {
        assert!(
            (got - expected).abs() < 1e-3,
            "at {i} got {got}, PyTorch has {expected}"
        );
    }
}
