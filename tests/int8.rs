//! The int8 kernels: bits that depend on nothing but input and model, and results close to those in f32.

use quotable::engine::native::{InstructionSet, Kernels, Native};
use quotable::engine::{Engine, Head, Input, Output, SpanLogits};
use quotable::model::Model;

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

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

/// Lengths around every size at which the work is cut: 4, 8, 16, 48, a chunk of 96.
const LENGTHS: [usize; 14] = [1, 2, 3, 4, 5, 8, 15, 16, 17, 33, 47, 97, 129, 200];

#[test]
fn every_instruction_set_gives_the_same_bits() {
    let model = Model::embedded().unwrap();
    let inputs = inputs(&model, &LENGTHS);
    let all: Vec<InstructionSet> = InstructionSet::ALL.into_iter().filter(|set| set.is_available()).collect();
    assert!(all.contains(&InstructionSet::Scalar));
    let of = |set: InstructionSet| spans(&Native::with_kernels(&model, Kernels::Int8(set)).unwrap(), &inputs);
    let expected = of(InstructionSet::Scalar);
    for set in all {
        assert!(of(set) == expected, "{set} differs from scalar");
    }
}

#[test]
fn bits_depend_neither_on_threads_nor_on_neighbours() {
    let model = Model::embedded().unwrap();
    let engine = Native::new(&model).unwrap();
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

/// Measured on these windows: logits 0.04 off on average and 0.31 at most, where they go from about -11 to 7.
#[test]
fn int8_is_close_to_f32() {
    let model = Model::embedded().unwrap();
    let inputs = inputs(&model, &[40, 100, 129, 200, 300, 384, 384]);
    let exact = spans(&Native::with_kernels(&model, Kernels::F32).unwrap(), &inputs);
    let int8 = spans(&Native::new(&model).unwrap(), &inputs);
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
    let vectors = |kernels| match Native::with_kernels(&model, kernels).unwrap().encode(&[&input], Head::Sentence) {
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
    let embedded = Native::new(&Model::embedded().unwrap()).unwrap();
    assert_ne!(embedded.kernels(), Kernels::F32);
}
