//! The int8 kernels: bits that depend on nothing but input and model, and results close to those in f32.

use std::collections::BTreeMap;

use quotable::engine::native::{InstructionSet, Kernels, Native};
use quotable::engine::{Engine, Head, Input, Output, SpanLogits};
use quotable::model::Model;
use safetensors::tensor::{Dtype, TensorView};

const TEXT: &str = include_str!("../seeds/000_641a5b59e4350978.txt");

/// A question with so many tokens in all, of which the text begins somewhere in the seed.
fn input(model: &Model, tokens: usize, start: usize) -> Input {
    let ids = |text: &str| -> Vec<u32> { model.tokenizer.tokens(text).iter().map(|t| t.id).collect() };
    let text = ids(TEXT);
    let mut input = Input::with_capacity(tokens);
    input.extend([(101, 0)]);
    input.extend(ids("who leads negotiations?").into_iter().map(|id| (id, 0)));
    input.extend([(102, 0)]);
    let text = text.iter().cycle().skip(start).map(|&id| (id, 1));
    input.extend(text.take(tokens.saturating_sub(input.len() + 1)));
    input.extend([(102, 1)]);
    input.ids.truncate(tokens);
    input.segments.truncate(tokens);
    input
}

fn inputs(model: &Model, lengths: &[usize]) -> Vec<Input> {
    let lengths = lengths.iter().enumerate();
    lengths.map(|(i, &tokens)| input(model, tokens, 53 * i)).collect()
}

fn spans(engine: &Native, inputs: &[Input]) -> Vec<SpanLogits> {
    engine.spans(&inputs.iter().collect::<Vec<_>>()).unwrap()
}

/// The fastest int8 kernels here, whatever the environment says.
fn best(model: &Model) -> Native {
    Native::with_kernels(model, Kernels::Int8(InstructionSet::detect())).unwrap()
}

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
}

/// Lengths around every size at which the work is cut: 4, 8, 16, 48, a chunk of 96 rows or of 192.
const LENGTHS: [usize; 17] = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 47, 48, 49, 97, 193];

#[test]
fn every_instruction_set_gives_the_same_bits() {
    let model = Model::embedded().unwrap();
    let inputs = inputs(&model, &LENGTHS);
    let all: Vec<InstructionSet> = InstructionSet::ALL
        .into_iter()
        .filter(|set| set.is_available())
        .collect();
    assert!(all.contains(&InstructionSet::Scalar));
    let of = |set: InstructionSet| {
        spans(
            &Native::with_kernels(&model, Kernels::Int8(set)).unwrap(),
            &inputs,
        )
    };
    let expected = of(InstructionSet::Scalar);
    for set in all {
        assert!(of(set) == expected, "{set} differs from scalar");
    }
}

#[test]
fn bits_depend_neither_on_threads_nor_on_neighbours() {
    let model = Model::embedded().unwrap();
    let engine = best(&model);
    let inputs = inputs(&model, &[384, 1, 97, 300, 16, 33, 129, 200, 5, 64]);
    let expected = pool(1).install(|| spans(&engine, &inputs));
    for threads in [2, 3, 5] {
        let together = pool(threads).install(|| spans(&engine, &inputs));
        assert!(together == expected, "{threads} threads, all at once");
        for (i, input) in inputs.iter().enumerate() {
            let alone = pool(threads).install(|| spans(&engine, std::slice::from_ref(input)));
            assert!(alone[0] == expected[i], "{threads} threads, input {i} alone");
        }
    }
    // What a window leaves behind in memory that is used again is not read.
    let again = pool(1).install(|| spans(&engine, &inputs));
    assert!(again == expected);
}

/// Logits go from about -11 to 7; `benches/RESULTS.md` has how far off they were measured.
#[test]
fn int8_is_close_to_f32() {
    let model = Model::embedded().unwrap();
    let inputs = inputs(&model, &[40, 100, 129, 200, 300, 384, 384]);
    let exact = spans(&Native::with_kernels(&model, Kernels::F32).unwrap(), &inputs);
    let int8 = spans(&best(&model), &inputs);
    for (exact, int8) in exact.iter().zip(&int8) {
        let pairs = exact.start.iter().zip(&int8.start);
        let errors: Vec<f32> = pairs
            .chain(exact.end.iter().zip(&int8.end))
            .map(|(a, b)| (a - b).abs())
            .collect();
        let mean = errors.iter().sum::<f32>() / errors.len() as f32;
        let most = errors.iter().copied().fold(0.0, f32::max);
        assert!(mean < 0.08 && most < 0.6, "mean {mean}, most {most}");
    }
}

#[test]
fn sentence_vectors_are_close_to_those_in_f32() {
    let model = Model::embedded().unwrap();
    let mut input = input(&model, 200, 0);
    input.sentences = vec![7..40, 40..41, 41..199];
    let vectors = |kernels| match Native::with_kernels(&model, kernels)
        .unwrap()
        .encode(&[&input], Head::Sentence)
    {
        Ok(Output::Sentence(mut vectors)) => vectors.remove(0),
        other => panic!("{other:?}"),
    };
    let exact = vectors(Kernels::F32);
    let int8 = vectors(Kernels::Int8(InstructionSet::detect()));
    for (exact, int8) in exact.iter().zip(&int8) {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
        let cosine = dot(exact, int8) / (dot(exact, exact) * dot(int8, int8)).sqrt();
        assert!(cosine > 0.999, "{cosine}");
    }
}

#[test]
fn a_model_in_f32_is_read_in_f32() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden/bert");
    let model = Model::from_directory(&directory).unwrap();
    assert_eq!(Native::new(&model).unwrap().kernels(), Kernels::F32);
    let embedded = best(&Model::embedded().unwrap());
    assert_ne!(embedded.kernels(), Kernels::F32);
}

/// A model of random int8 weights in a folder.
struct Synthetic {
    hidden: usize,
    heads: usize,
    wide: usize,
    /// Put in place of a tensor's first element.
    damage: Option<(String, f32)>,
}

const BERT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/golden/bert");

impl Synthetic {
    fn write(&self) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let text = std::fs::read_to_string(format!("{BERT}/config.json")).unwrap();
        let mut config: serde_json::Value = serde_json::from_str(&text).unwrap();
        let layers = 2;
        for (key, value) in [
            ("hidden_size", self.hidden),
            ("num_attention_heads", self.heads),
            ("intermediate_size", self.wide),
            ("num_hidden_layers", layers),
        ] {
            config[key] = value.into();
        }
        let size = |key: &str| usize::try_from(config[key].as_u64().unwrap()).unwrap();
        let mut tensors = Tensors {
            state: 7,
            ..Tensors::default()
        };
        for (name, rows) in [
            ("word", size("vocab_size")),
            ("position", size("max_position_embeddings")),
            ("token_type", size("type_vocab_size")),
        ] {
            tensors.matrix(&format!("bert.embeddings.{name}_embeddings"), rows, self.hidden);
        }
        tensors.norm("bert.embeddings.LayerNorm", self.hidden);
        for layer in 0..layers {
            for (name, outputs, inputs) in [
                ("attention.self.query", self.hidden, self.hidden),
                ("attention.self.key", self.hidden, self.hidden),
                ("attention.self.value", self.hidden, self.hidden),
                ("attention.output.dense", self.hidden, self.hidden),
                ("intermediate.dense", self.wide, self.hidden),
                ("output.dense", self.hidden, self.wide),
            ] {
                let name = format!("bert.encoder.layer.{layer}.{name}");
                tensors.matrix(&name, outputs, inputs);
                tensors.floats(&format!("{name}.bias"), &[outputs], 0.1, 0.0);
            }
            for name in ["attention.output.LayerNorm", "output.LayerNorm"] {
                tensors.norm(&format!("bert.encoder.layer.{layer}.{name}"), self.hidden);
            }
        }
        tensors.floats("qa_outputs.weight", &[2, self.hidden], 0.3, 0.0);
        tensors.floats("qa_outputs.bias", &[2], 0.1, 0.0);
        if let Some((name, value)) = &self.damage {
            let (kind, _, bytes) = tensors.all.get_mut(name).unwrap();
            match kind {
                Dtype::I8 => bytes[0] = (*value as i8).cast_unsigned(),
                _ => bytes[..4].copy_from_slice(&value.to_le_bytes()),
            }
        }
        let views = tensors.all.iter().map(|(name, (kind, shape, bytes))| {
            (name, TensorView::new(*kind, shape.clone(), bytes).unwrap())
        });
        let file = safetensors::serialize(views, None).unwrap();
        std::fs::write(folder.path().join("model.safetensors"), file).unwrap();
        std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        std::fs::copy(
            format!("{BERT}/tokenizer.json"),
            folder.path().join("tokenizer.json"),
        )
        .unwrap();
        folder
    }
}

#[derive(Default)]
struct Tensors {
    all: BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>,
    state: u64,
}

impl Tensors {
    /// From -1 to 1.
    fn next(&mut self) -> f32 {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        f32::from(u16::try_from(self.state >> 48).unwrap()) / 32768.0 - 1.0
    }

    fn floats(&mut self, name: &str, shape: &[usize], spread: f32, centre: f32) {
        let count = shape.iter().product::<usize>();
        let bytes = (0..count)
            .flat_map(|_| (centre + spread * self.next()).to_le_bytes())
            .collect();
        self.all
            .insert(name.to_owned(), (Dtype::F32, shape.to_vec(), bytes));
    }

    /// Int8 with scales, such that a product neither grows nor shrinks.
    fn matrix(&mut self, name: &str, outputs: usize, inputs: usize) {
        let bytes = (0..outputs * inputs)
            .map(|_| ((127.0 * self.next()) as i8).cast_unsigned())
            .collect();
        self.all.insert(
            format!("{name}.weight"),
            (Dtype::I8, vec![outputs, inputs], bytes),
        );
        let scale = 1.7 / (inputs as f32).sqrt() / 127.0;
        self.floats(&format!("{name}.weight_scale"), &[outputs], scale / 4.0, scale);
    }

    fn norm(&mut self, name: &str, width: usize) {
        self.floats(&format!("{name}.weight"), &[width], 0.3, 1.0);
        self.floats(&format!("{name}.bias"), &[width], 0.1, 0.0);
    }
}

/// Widths that are cut otherwise than the embedded model's: by two and by one panel, by wide heads, in one group.
#[test]
fn models_of_other_shapes_are_read_alike() {
    for (hidden, heads, wide) in [
        (80, 5, 240),
        (112, 7, 144),
        (64, 1, 256),
        (96, 2, 32),
        (16, 1, 16),
    ] {
        let folder = Synthetic {
            hidden,
            heads,
            wide,
            damage: None,
        }
        .write();
        let model = Model::from_directory(folder.path()).unwrap();
        let of = |kernels| Native::with_kernels(&model, kernels).unwrap();
        let inputs: Vec<Input> = [1, 5, 18, 50, 90]
            .iter()
            .map(|&tokens: &u32| {
                let mut input = Input::with_capacity(tokens as usize);
                input.extend((0..tokens).map(|i| (5 + i * 7 % 40, u32::from(i > 3))));
                input
            })
            .collect();
        let scalar = of(Kernels::Int8(InstructionSet::Scalar));
        assert_ne!(scalar.kernels(), Kernels::F32, "{hidden} {heads} {wide}");
        let expected = spans(&scalar, &inputs);
        for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
            assert!(
                spans(&of(Kernels::Int8(set)), &inputs) == expected,
                "{set}: {hidden} {heads} {wide}"
            );
        }
        let exact = spans(&of(Kernels::F32), &inputs);
        for (exact, int8) in exact.iter().zip(&expected) {
            for (a, b) in exact
                .start
                .iter()
                .zip(&int8.start)
                .chain(exact.end.iter().zip(&int8.end))
            {
                assert!((a - b).abs() < 0.15, "{hidden} {heads} {wide}: {a} {b}");
            }
        }
    }
}

#[test]
fn weights_that_int8_cannot_take_are_refused() {
    let name = "bert.encoder.layer.1.attention.self.value";
    for (tensor, value, part) in [
        (format!("{name}.weight"), -128.0, "-128"),
        (format!("{name}.weight_scale"), 3e38, "not believed"),
        (format!("{name}.bias"), f32::NAN, "not finite"),
        (
            "bert.encoder.layer.0.output.LayerNorm.weight".to_owned(),
            -2e3,
            "not believed",
        ),
        (
            "bert.embeddings.LayerNorm.weight".to_owned(),
            1e30,
            "not believed",
        ),
    ] {
        let damage = Some((tensor.clone(), value));
        let folder = Synthetic {
            hidden: 32,
            heads: 2,
            wide: 64,
            damage,
        }
        .write();
        let model = Model::from_directory(folder.path()).unwrap();
        let error = Native::with_kernels(&model, Kernels::Int8(InstructionSet::Scalar))
            .unwrap_err()
            .to_string();
        let tensor = tensor.trim_end_matches(".weight");
        assert!(error.contains(tensor) && error.contains(part), "{error}");
    }
}
