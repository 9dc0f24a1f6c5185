//! A model that reads documents: the way from a question to quotations.

use std::ops::Range;
use std::path::Path;

use crate::cite;
use crate::document::{Document, Span};
use crate::engine::native::{Kernels, Native};
use crate::engine::{Choice, Device, Engine, Input, Kind, SpanLogits};
use crate::error::{Error, Result};
use crate::model::{Calibration, Limits, Model, Tokenizer};
use crate::qa::calibrate::{Calibrator, Signals};
use crate::qa::decode;
use crate::qa::merge::Merger;
use crate::qa::{self, Answers, Asked, RIVALS};
use crate::skim;
use crate::summary::prose::{self, Candidate};
use crate::summary::transformer::{Network, Sentence, SentenceVector};
use crate::summary::{Scorer, Summary, SummaryOptions, summarize};
use crate::window::{self, Question, SentenceWindow, Window};

/// Windows that are read before progress is told and a wish to stop is heard: enough for each thread to take whole ones.
fn batch_windows() -> usize {
    (4 * rayon::current_num_threads()).max(16)
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct AskOptions {
    /// How many answers, best first; 1 to [`MAX_TOP`](Self::MAX_TOP).
    pub top: usize,
    /// Answers below this confidence do not count.
    pub min_confidence: f64,
    /// Answer even where the documents seem not to.
    pub always_answer: bool,
    /// Where there is more text than 64 KiB, read only so much of it, or a thirty-second where that is more: the passages that
    /// have most words in common with the question. [`Answers::skimmed`] says how many these are. An answer in other words
    /// than the question's can be missed, and "not in the documents" then means the passages that were read.
    pub skim: bool,
}

impl AskOptions {
    /// The most answers that may be asked for.
    pub const MAX_TOP: usize = 1000;

    /// Whether so many answers may be asked for; the message calls the number `option`.
    pub(crate) fn check_top(top: usize, option: &str) -> Result<()> {
        if (1..=Self::MAX_TOP).contains(&top) {
            return Ok(());
        }
        Err(Error::BadOption {
            option: option.to_owned(),
            value: top.to_string(),
            expected: "1 to 1000",
        })
    }
}

impl Default for AskOptions {
    fn default() -> Self {
        Self {
            top: 1,
            min_confidence: 0.0,
            always_answer: false,
            skim: false,
        }
    }
}

/// How far the reading of documents has come.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes of clean text that have been read.
    pub bytes: u64,
    /// Bytes of clean text that are to be read. Fewer once it is known which, if these are chosen.
    pub total_bytes: u64,
}

/// A model, its tokenizer and its calibration, ready to answer. Made once and shared: threads may ask at the same time.
///
/// # Threads and cancellation
///
/// A reader is [`Send`] and [`Sync`], and nothing in it changes: a service makes one and asks it from all of its threads. Every
/// question is read by the threads of rayon's pool, the global one unless the caller is in another: `pool.install(|| reader.ask(…))`
/// has a question read by the threads of `pool` alone. Answers do not depend on how many these are. A call returns when all is
/// read, and blocks the thread that it is made on: in an asynchronous program it belongs on a thread for such work.
///
/// [`ask_with_progress`](Self::ask_with_progress) and [`summarize`](Self::summarize) tell how far they are on the thread that
/// called them: before they read, and after each 16 windows (four a thread, where that is more), some MiB whose words are counted, or a document whose
/// sentences are found; `false` ends the work with [`Error::Interrupted`].
/// So a deadline is a comparison of times, a cancelled request a look at a flag. `examples/service.rs` has both threads and
/// a deadline.
///
/// The native engine computes with the fastest [`Kernels`] that the processor has. The environment variable `ASK_KERNELS` names
/// others; it is looked at when a reader is made, by [`embedded`](Self::embedded), [`from_directory`](Self::from_directory) and
/// [`load`](Self::load), and not by [`with_kernels`](Self::with_kernels).
///
/// ```
/// use std::time::{Duration, Instant};
///
/// use quotable::{AskOptions, Document, Error, Format, Reader};
///
/// let reader = Reader::embedded()?;
/// let note = Document::new("note", "The bridge was opened by Mayor Ada Quist in 1931.", Format::Plain)?;
/// let ask = |question, time: Duration| {
///     let started = Instant::now();
///     reader.ask_with_progress(question, &[&note], &AskOptions::default(), |_| started.elapsed() < time)
/// };
/// std::thread::scope(|scope| {
///     scope.spawn(|| assert!(ask("Who opened the bridge?", Duration::from_secs(60)).is_ok()));
///     scope.spawn(|| assert!(matches!(ask("When was it?", Duration::ZERO), Err(Error::Interrupted))));
/// });
/// # Ok::<(), quotable::Error>(())
/// ```
///
/// # Example
///
/// ```
/// use quotable::{AskOptions, Document, Format, Reader};
///
/// let reader = Reader::embedded()?;
/// let note = Document::new("note", "The bridge was opened by Mayor Ada Quist in 1931.", Format::Plain)?;
/// let answers = reader.ask("Who opened the bridge?", &[&note], &AskOptions::default())?;
/// let best = answers.best().expect("the note says it");
/// assert!(best.text.contains("Ada Quist"));
/// assert_eq!(note.source()[best.start_byte..best.end_byte], best.text);
/// // The best guess is in `answers` where the documents do not answer, too, but it is no answer.
/// let unknown = reader.ask("Who painted the ceiling?", &[&note], &AskOptions::default())?;
/// assert!(unknown.best().is_none());
/// # Ok::<(), quotable::Error>(())
/// ```
pub struct Reader {
    name: String,
    weights_sha256: Option<String>,
    calibration: Option<Calibration>,
    limits: Limits,
    tokenizer: Tokenizer,
    calibrator: Calibrator,
    sentences: Option<Network>,
    kernels: Option<Kernels>,
    arithmetic: Option<String>,
    engine: Box<dyn Engine>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Reader {
    /// With the model that is part of the program.
    ///
    /// # Errors
    /// When the environment's `ASK_KERNELS` names kernels that are not there; else never for an unchanged build.
    pub fn embedded() -> Result<Self> {
        Self::with_kernels(Model::embedded()?, Kernels::choose()?)
    }

    /// With the model in a directory.
    ///
    /// # Errors
    /// When the directory holds no model that the native engine can run.
    pub fn from_directory(directory: &Path) -> Result<Self> {
        Self::with_kernels(Model::from_directory(directory)?, Kernels::choose()?)
    }

    /// With the model in a directory, or the one that is part of the program, and an engine.
    ///
    /// # Errors
    /// When the directory holds no model that the engine can run, or the engine or its device is not there.
    pub fn load(directory: Option<&Path>, engine: Choice) -> Result<Self> {
        let model = || match directory {
            Some(directory) => Model::from_directory(directory),
            None => Model::embedded(),
        };
        match (engine.kind, engine.device) {
            (Kind::Native, Device::Cpu) => Self::with_kernels(model()?, Kernels::choose()?),
            (Kind::Native, Device::Cuda) => Err(Error::DeviceUnavailable {
                device: "cuda",
                reason: "the native engine computes on the processor; add --engine libtorch, or leave out --device"
                    .to_owned(),
            }),
            #[cfg(feature = "libtorch")]
            (Kind::Libtorch, device) => Self::with_libtorch(model()?, device),
            #[cfg(not(feature = "libtorch"))]
            (Kind::Libtorch, _) => Err(Error::EngineNotBuilt),
        }
    }

    /// With a model that libtorch reads.
    ///
    /// # Errors
    /// As [`Libtorch::new`](crate::engine::libtorch::Libtorch::new), and when the manifest does not fit the model.
    #[cfg(feature = "libtorch")]
    pub fn with_libtorch(model: Model, device: Device) -> Result<Self> {
        model.check()?;
        let engine = crate::engine::libtorch::Libtorch::new(&model, device)?;
        let sentences = Network::of_model(&model)?;
        let device = match device {
            Device::Cpu => "cpu",
            Device::Cuda => "cuda",
        };
        Ok(Self {
            sentences,
            arithmetic: Some(format!("libtorch, f32, {device}")),
            ..Self::with_engine(model, Box::new(engine))?
        })
    }

    /// With a model that is read by these kernels.
    ///
    /// # Errors
    /// When the native engine cannot run the model, or the manifest does not fit it.
    ///
    /// # Panics
    /// As [`Native::with_kernels`].
    pub fn with_kernels(model: Model, kernels: Kernels) -> Result<Self> {
        model.check()?;
        let engine = Native::with_kernels(&model, kernels)?;
        let kernels = Some(engine.kernels());
        let sentences = Network::of_model(&model)?;
        let reader = Self::with_engine(model, Box::new(engine))?;
        Ok(Self {
            sentences,
            kernels,
            arithmetic: kernels.map(|kernels| kernels.to_string()),
            ..reader
        })
    }

    /// With an engine of your own for a model's tokenizer and manifest. The manifest's calibration and the hash of its weights
    /// count as the engine's; clear them in `model` where they are not. Such a reader does not score sentences.
    ///
    /// # Errors
    /// When the manifest does not fit the configuration or the tokenizer.
    pub fn with_engine(model: Model, engine: Box<dyn Engine>) -> Result<Self> {
        model.check()?;
        let weights = model.manifest.files.get("model.safetensors");
        Ok(Self {
            name: model.manifest.name,
            weights_sha256: weights.map(|file| file.sha256.to_ascii_lowercase()),
            calibration: model.manifest.calibration,
            limits: model.manifest.limits,
            tokenizer: model.tokenizer,
            calibrator: Calibrator::new(model.manifest.calibration),
            sentences: None,
            kernels: None,
            arithmetic: None,
            engine,
        })
    }

    /// The model's name.
    #[must_use]
    pub fn model_name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of the weights, as the model's manifest has it; `None` for a model without a manifest.
    #[must_use]
    pub fn weights_sha256(&self) -> Option<&str> {
        self.weights_sha256.as_deref()
    }

    /// How the native engine computes; `None` with an engine of your own.
    #[must_use]
    pub fn kernels(&self) -> Option<Kernels> {
        self.kernels
    }

    /// How the engine computes, in words; `None` with an engine of your own.
    #[must_use]
    pub fn arithmetic(&self) -> Option<&str> {
        self.arithmetic.as_deref()
    }

    /// How scores become probabilities; `None` for a model that was not calibrated.
    #[must_use]
    pub fn calibration(&self) -> Option<Calibration> {
        self.calibration
    }

    /// Tokenises a question, to find out early whether it can be asked.
    ///
    /// # Errors
    /// When it is empty or too long.
    pub fn question(&self, text: &str) -> Result<Question> {
        Question::new(text, &self.tokenizer, &self.limits)
    }

    /// Answers a question from documents. All of them are read for every question, unless it is to [`skim`](AskOptions::skim),
    /// by rayon's threads.
    ///
    /// # Errors
    /// When the question is empty or too long, an option is out of range, or the model cannot read.
    pub fn ask(&self, question: &str, documents: &[&Document], options: &AskOptions) -> Result<Answers> {
        self.ask_with_progress(question, documents, options, |_| true)
    }

    /// As [`ask`](Self::ask); `progress` is called now and then, and stops the work by returning `false`.
    ///
    /// # Errors
    /// As [`ask`](Self::ask), and [`Error::Interrupted`].
    pub fn ask_with_progress(
        &self,
        question: &str,
        documents: &[&Document],
        options: &AskOptions,
        mut progress: impl FnMut(Progress) -> bool,
    ) -> Result<Answers> {
        let (asked, words) = (self.question(question)?, Asked::of(question));
        AskOptions::check_top(options.top, "top")?;
        if !(0.0..=1.0).contains(&options.min_confidence) {
            return Err(Error::BadOption {
                option: "min_confidence".to_owned(),
                value: options.min_confidence.to_string(),
                expected: "0 to 1",
            });
        }
        let selection = if options.skim {
            let total_bytes = documents.iter().map(|d| d.text().len() as u64).sum();
            let counting = Progress {
                bytes: 0,
                total_bytes,
            };
            skim::select(question, documents, || progress(counting))?
        } else {
            None
        };
        let whole: Vec<(usize, Span)> = documents.iter().map(|d| 0..d.text().len()).enumerate().collect();
        let stretches = selection.as_ref().map_or(&whole, |chosen| &chosen.stretches);
        let total_bytes = stretches.iter().map(|(_, stretch)| stretch.len() as u64).sum();
        let mut merger = Merger::new(options.top.max(RIVALS), self.limits.answer_tokens);
        let most = batch_windows();
        let mut batch: Vec<(usize, Window)> = Vec::with_capacity(most);
        let (mut bytes_before, mut tokens) = (0, 0);
        if !progress(Progress {
            bytes: 0,
            total_bytes,
        }) {
            return Err(Error::Interrupted);
        }
        for &(index, ref stretch) in stretches {
            let mut plan = window::plan_of(
                documents[index],
                stretch.clone(),
                &asked,
                &self.tokenizer,
                &self.limits,
            );
            while let Some(window) = plan.next() {
                tokens += window.context.len() - window.shared_before;
                batch.push((index, window));
                if batch.len() == most {
                    self.read(&mut batch, documents, &mut merger)?;
                    let bytes = bytes_before + plan.bytes_read() as u64;
                    if !progress(Progress { bytes, total_bytes }) {
                        return Err(Error::Interrupted);
                    }
                }
            }
            bytes_before += stretch.len() as u64;
        }
        self.read(&mut batch, documents, &mut merger)?;
        // All is read: there is nothing left to stop.
        progress(Progress {
            bytes: total_bytes,
            total_bytes,
        });
        let Some(chosen) = selection else {
            let windows = merger.windows();
            return Ok(self.answers(&words, merger, windows, documents, options));
        };
        // What was passed over counts, too: the best of all of it is what was looked for.
        let tokens_a_byte = tokens as f64 / chosen.bytes as f64;
        let windows_of = |&bytes: &usize| {
            window::windows_of(
                bytes as f64 * tokens_a_byte,
                &asked,
                &self.tokenizer,
                &self.limits,
            )
        };
        let windows = chosen.bytes_of.iter().map(windows_of).sum::<f64>() as usize;
        Ok(Answers {
            skimmed: Some(chosen.skimmed),
            ..self.answers(&words, merger, windows, documents, options)
        })
    }

    /// Reads a batch, longest windows first so that threads finish together, and merges it in order.
    fn read(
        &self,
        batch: &mut Vec<(usize, Window)>,
        documents: &[&Document],
        merger: &mut Merger,
    ) -> Result<()> {
        let mut order: Vec<usize> = (0..batch.len()).collect();
        order.sort_by_key(|&i| std::cmp::Reverse(batch[i].1.input.len()));
        let inputs: Vec<&Input> = order.iter().map(|&i| &batch[i].1.input).collect();
        let spans = self.engine.spans(&inputs)?;
        self.check_outputs(&inputs, &spans)?;
        let mut logits: Vec<_> = order.iter().copied().zip(spans).collect();
        logits.sort_by_key(|(i, _)| *i);
        for ((document, window), (_, logits)) in batch.drain(..).zip(logits) {
            merger.add(document, documents[document], window, logits);
        }
        Ok(())
    }

    /// An engine of one's own may give too little; nothing is to go unread for that.
    fn check_outputs(&self, inputs: &[&Input], spans: &[SpanLogits]) -> Result<()> {
        let fits = |(input, span): (&&Input, &SpanLogits)| {
            let length = input.len();
            span.start.len() == length
                && span.end.len() == length
                && span.start.iter().chain(&span.end).all(|logit| logit.is_finite())
        };
        if spans.len() == inputs.len() && inputs.iter().zip(spans).all(fits) {
            return Ok(());
        }
        Err(Error::Engine {
            name: self.name.clone(),
            reason: "its engine has to give a finite start and end logit for each token of each window"
                .to_owned(),
        })
    }

    /// The answers, `windows` being those that there were to read.
    fn answers(
        &self,
        asked: &Asked,
        merger: Merger,
        windows: usize,
        documents: &[&Document],
        options: &AskOptions,
    ) -> Answers {
        let (read, evidence) = (merger.windows(), merger.evidence());
        let doubted: Vec<(usize, decode::Candidate, f64)> = merger
            .finish(documents)
            .into_iter()
            .map(|(index, found)| {
                let doubt = asked.doubt(documents[index], &found.span);
                (index, found, doubt)
            })
            .collect();
        let scores = doubted.iter().map(|(_, found, doubt)| (found.score, *doubt));
        let undoubted = evidence.map_or(1.0, |evidence| qa::undoubted(evidence, scores));
        let signals = |found: &decode::Candidate, evidence: f32| Signals {
            score: found.score,
            evidence,
            windows,
        };
        let mut candidates: Vec<(usize, decode::Candidate, f64)> = doubted
            .into_iter()
            .map(|(index, found, doubt)| {
                // What is doubted is less of a rival.
                let rivals = if doubt > 0.0 { 0.0 } else { undoubted.ln() as f32 };
                let evidence = evidence.unwrap_or(found.score) + rivals;
                let confidence = self.calibrator.confidence(&signals(&found, evidence), doubt);
                (index, found, confidence)
            })
            .collect();
        if undoubted < 1.0 {
            candidates.sort_by(|(.., a), (.., b)| b.total_cmp(a));
        }
        let not_in_document = candidates.first().map_or(1.0, |(index, best, _)| {
            let signals = signals(best, evidence.unwrap_or(best.score));
            let doubt = asked.doubt(documents[*index], &best.span);
            // Where nothing else comes before what is doubted, the rest of the evidence is for parts of it.
            let undoubted = if doubt > 0.0 { (-doubt).exp() } else { undoubted };
            self.calibrator.not_in_document(&signals, undoubted)
        });
        let candidates = qa::quoted(asked, candidates, documents);
        let is_sure_enough =
            |(_, _, confidence): &&(usize, decode::Candidate, f64)| *confidence >= options.min_confidence;
        let answered = candidates.first().is_some_and(|best| is_sure_enough(&best))
            && (options.always_answer || self.calibrator.is_answered(not_in_document));
        let quoted = |(index, candidate, confidence): &(usize, decode::Candidate, f64)| {
            let (document, span) = (documents[*index], candidate.span.clone());
            cite::quote(document, *index, span, candidate.score, *confidence)
        };
        let calibrated = self.calibrator.is_fitted();
        let rival = qa::rival(candidates.iter().map(|(index, candidate, confidence)| {
            let text = &documents[*index].text()[candidate.span.clone()];
            (*index, text, *confidence)
        }));
        let rival = rival
            .filter(|_| answered && calibrated)
            .map(|which| &candidates[which]);
        Answers {
            answered,
            not_in_document,
            evidence,
            calibrated,
            answers: candidates
                .iter()
                .take(options.top)
                .filter(|candidate| !answered || is_sure_enough(candidate))
                .map(quoted)
                .collect(),
            rival: rival.filter(is_sure_enough).map(quoted),
            skimmed: None,
            windows: read,
        }
    }
}

impl Reader {
    /// Whether the model scores sentences, which [`Method::Transformer`](crate::summary::Method) needs.
    #[must_use]
    pub fn can_summarize(&self) -> bool {
        self.sentences.is_some()
    }

    /// Summarises documents with the method that the options name; `progress` as in
    /// [`ask_with_progress`](Self::ask_with_progress).
    ///
    /// # Errors
    /// When the focus has no word in it, no sentence is short enough, the model has no head for sentences, and
    /// [`Error::Interrupted`].
    pub fn summarize(
        &self,
        documents: &[&Document],
        options: &SummaryOptions,
        progress: impl FnMut(Progress) -> bool,
    ) -> Result<Summary> {
        let scorer = options.method.without_model().unwrap_or(self);
        summarize(documents, scorer, options, progress)
    }

    /// An engine of one's own may give too little, or vectors that the network does not read.
    fn check_vectors(&self, batch: &[SentenceWindow], found: &[Vec<Vec<f32>>], width: usize) -> Result<()> {
        let fits = |(window, means): (&SentenceWindow, &Vec<Vec<f32>>)| {
            let is_vector = |mean: &Vec<f32>| mean.len() == width && mean.iter().all(|x| x.is_finite());
            means.len() == window.sentences.len() && means.iter().all(is_vector)
        };
        if found.len() == batch.len() && batch.iter().zip(found).all(fits) {
            return Ok(());
        }
        Err(Error::Engine {
            name: self.name.clone(),
            reason: format!("its engine has to give {width} finite numbers for each sentence of each window"),
        })
    }

    /// The vectors of stretches of a document, which follow each other. `[spans][width]`
    fn sentence_vectors(
        &self,
        document: &Document,
        spans: &[Span],
        width: usize,
        mut read: impl FnMut(u64) -> bool,
    ) -> Result<Vec<SentenceVector>> {
        let mut vectors = vec![SentenceVector::default(); spans.len()];
        let mut at = 0;
        let mut add = |batch: &mut Vec<SentenceWindow>| -> Result<u64> {
            let inputs: Vec<&Input> = batch.iter().map(|w| &w.input).collect();
            let found = self.engine.sentences(&inputs)?;
            self.check_vectors(batch, &found, width)?;
            let mut bytes = 0;
            for (window, means) in batch.drain(..).zip(found) {
                let tokens = window.input.sentences.iter().map(Range::len);
                for ((span, mean), tokens) in window.sentences.iter().zip(means).zip(tokens) {
                    while spans[at] != *span {
                        at += 1;
                    }
                    vectors[at].add(&mean, tokens);
                    bytes = span.end;
                }
            }
            Ok(bytes as u64)
        };
        let most = batch_windows();
        let mut batch = Vec::with_capacity(most);
        let spans = spans.iter().cloned();
        for window in window::sentence_windows(document, spans, &self.tokenizer, &self.limits) {
            batch.push(window);
            if batch.len() == most && !read(add(&mut batch)?) {
                return Err(Error::Interrupted);
            }
        }
        if !read(add(&mut batch)?) {
            return Err(Error::Interrupted);
        }
        Ok(vectors)
    }
}

impl Scorer for Reader {
    fn score(
        &self,
        documents: &[&Document],
        candidates: &[Candidate],
        read: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Vec<f64>> {
        let network = self.sentences.as_ref().ok_or_else(|| Error::NoHead {
            model: self.name.clone(),
            head: "sentence",
            task: "extractive summarization, or --method textrank, which needs none",
        })?;
        let mut scores = Vec::with_capacity(candidates.len());
        let mut before = 0;
        for own in candidates.chunk_by(|a, b| a.document == b.document) {
            let document = documents[own[0].document];
            let (headings, above) = prose::headings(own);
            let spans: Vec<Span> = own.iter().map(|c| c.span.clone()).collect();
            // Headings are read first and stand for nothing that was read: they are among the sentences.
            let headings = self.sentence_vectors(document, &headings, network.width(), |_| read(before))?;
            let mut last = before;
            let vectors = self.sentence_vectors(document, &spans, network.width(), |bytes| {
                last = last.max(before + bytes);
                read(last)
            })?;
            before += document.text().len() as u64;
            let sentence = |((vector, candidate), heading): ((SentenceVector, &Candidate), _)| Sentence {
                vector,
                section: candidate.section,
                heading,
            };
            let sentences = vectors.into_iter().zip(own).zip(above).map(sentence).collect();
            let found = network.scores(sentences, &headings);
            scores.extend(found.into_iter().map(f64::from));
        }
        Ok(scores)
    }

    fn shown(&self, score: f64) -> f64 {
        1.0 / (1.0 + (-score).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Format;
    use crate::engine::{Head, Output};
    use crate::summary::Method;

    type Vectors = fn(&Input) -> Option<Vec<Vec<f32>>>;

    /// Gives for each input what the function makes of it.
    struct Gives(Vectors);

    impl Engine for Gives {
        fn encode(&self, inputs: &[&Input], _: Head) -> Result<Output> {
            Ok(Output::Sentence(
                inputs.iter().filter_map(|input| self.0(input)).collect(),
            ))
        }
    }

    #[test]
    fn work_can_be_stopped_before_it_begins_and_not_when_it_is_done() {
        let text = "The dam broke on Monday night. Water reached the town in an hour.";
        let document = Document::new("t", text, Format::Plain).unwrap();
        let reader = Reader::embedded().unwrap();
        let ask = |goes_on: fn(Progress) -> bool| {
            reader.ask_with_progress(
                "When did it break?",
                &[&document],
                &AskOptions::default(),
                goes_on,
            )
        };
        assert!(matches!(ask(|_| false), Err(Error::Interrupted)));
        assert!(ask(|progress| progress.bytes < progress.total_bytes).is_ok());
        for method in [Method::Lead, Method::Textrank, Method::Transformer] {
            let options = SummaryOptions {
                method,
                ..SummaryOptions::default()
            };
            let stopped = reader.summarize(&[&document], &options, |_| false);
            assert!(matches!(stopped, Err(Error::Interrupted)), "{method:?}");
        }
    }

    #[test]
    fn an_engine_that_gives_too_few_or_other_vectors_is_an_error() {
        let text = "The dam broke on Monday night. Water reached the town in an hour.";
        let document = Document::new("t", text, Format::Plain).unwrap();
        let mut reader = Reader::embedded().unwrap();
        let mut summary = |gives| {
            reader.engine = Box::new(Gives(gives));
            reader.summarize(&[&document], &SummaryOptions::default(), |_| true)
        };
        let found = summary(|input| Some(vec![vec![0.5; 384]; input.sentences.len()]));
        assert_eq!(found.unwrap().documents[0].sentences.len(), 2);
        let bad: [Vectors; 4] = [
            |_| None,
            |_| Some(vec![]),
            |input| Some(vec![vec![0.5; 383]; input.sentences.len()]),
            |input| Some(vec![vec![f32::NAN; 384]; input.sentences.len()]),
        ];
        for gives in bad {
            assert!(matches!(summary(gives), Err(Error::Engine { .. })));
        }
    }
}
