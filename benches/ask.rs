//! Speed of the parts: `cargo bench`. Whole processes are measured with hyperfine, see benches/README.md.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use quotable::document::read::{ReadOptions, read_file};
use quotable::engine::native::{InstructionSet, Kernels, Native};
use quotable::engine::{Engine, Input};
use quotable::model::Model;
use quotable::qa::decode::best_span;
use quotable::window::{self, Question};
use quotable::{AskOptions, Document, Format, Reader};

fn window(tokens: usize) -> Input {
    let mut input = Input::with_capacity(tokens);
    input.extend((0..tokens).map(|i| (u32::try_from(1000 + 7 * i).unwrap(), u32::from(i > 10))));
    input
}

fn windows(c: &mut Criterion) {
    let model = Model::embedded().unwrap();
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let sets = InstructionSet::ALL.into_iter().filter(|set| set.is_available());
    for kernels in sets.map(Kernels::Int8).chain([Kernels::F32]) {
        let engine = Native::with_kernels(&model, kernels).unwrap();
        for tokens in [64, 384] {
            let input = window(tokens);
            c.bench_function(
                &format!("window of {tokens} tokens, one thread, {kernels}"),
                |b| {
                    one.install(|| b.iter(|| engine.spans(black_box(&[&input])).unwrap()));
                },
            );
        }
    }
    let engine = Native::new(&model).unwrap();
    let eight: Vec<Input> = (0..8).map(|_| window(384)).collect();
    let eight: Vec<&Input> = eight.iter().collect();
    c.bench_function("8 windows of 384 tokens, all threads", |b| {
        b.iter(|| engine.spans(black_box(&eight)).unwrap());
    });
}

/// Everything around the encoder.
fn text(c: &mut Criterion) {
    let model = Model::embedded().unwrap();
    let seed = include_str!("../seeds/000_641a5b59e4350978.txt");
    c.bench_function("the seed tokenised", |b| {
        b.iter(|| model.tokenizer.tokens(black_box(seed)))
    });
    let document = Document::new("seed", seed, Format::Plain).unwrap();
    let limits = &model.manifest.limits;
    let question = Question::new("who leads negotiations?", &model.tokenizer, limits).unwrap();
    c.bench_function("the seed cut into windows", |b| {
        b.iter(|| window::plan(&document, &question, &model.tokenizer, limits).count());
    });
    let window = window::plan(&document, &question, &model.tokenizer, limits)
        .next()
        .unwrap();
    let logits = Native::new(&model)
        .unwrap()
        .spans(&[&window.input])
        .unwrap()
        .remove(0);
    c.bench_function("the best span of a window", |b| {
        b.iter(|| best_span(black_box(&window), &logits, limits.answer_tokens));
    });
}

fn questions(c: &mut Criterion) {
    let seed = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/000_641a5b59e4350978.txt");
    let document = read_file(&seed, &ReadOptions::default()).unwrap();
    let reader = Reader::embedded().unwrap();
    c.bench_function("a question on the seed, all threads", |b| {
        b.iter(|| {
            reader
                .ask("who leads negotiations?", &[&document], &AskOptions::default())
                .unwrap()
        });
    });
    c.bench_function("embedded model, loaded", |b| {
        b.iter(|| Reader::embedded().unwrap())
    });
    let text = document.source().repeat(200);
    c.bench_function("1 MB of text, cleaned and laid out", |b| {
        b.iter(|| Document::new("t", black_box(text.as_str()), Format::Plain).unwrap());
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(15);
    targets = windows, text, questions
}
criterion_main!(benches);
