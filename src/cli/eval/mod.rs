//! `ask eval`: measures, compares, reports.

pub mod args;
mod calibrate;
mod outputs;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context, bail};

use super::plan::Plan;
use super::progress::Bar;
use super::{ANSWERED, Environment, json};
use crate::document::read;
use crate::error::Error;
use crate::eval::baseline::{self, Asked, Baseline, Item, Scope};
use crate::eval::history::{self, History};
use crate::eval::problem::{Problems, counted};
use crate::eval::report::{self, Line, Provenance, Report, Style};
use crate::eval::run::{self, Run, Summariser, SummaryOutcome};
use crate::eval::suite::{self, Suite, SummaryCheck};
use crate::eval::{file, lines, squad};
use crate::harmless::{harmless, shortened};
use crate::reader::{Progress, Reader};
use crate::summary::{Length, SummaryOptions};
use crate::{Document, Span};
use args::EvalArgs;

/// Exit code: the gate fails.
const WORSE: u8 = 1;
/// What the program's own summaries are called, beside the floor's.
const SUMMARISER: &str = "quotable";
/// Problems that are told one by one.
const MOST_PROBLEMS: usize = 50;
/// The largest file of weights that is hashed for the report.
const MOST_WEIGHTS_BYTES: u64 = 8 << 30;

pub(super) fn run(args: &EvalArgs, plan: &Plan, environment: &mut Environment) -> anyhow::Result<u8> {
    if args.init {
        return init(args, plan, environment);
    }
    if let Some(path) = &args.history {
        return show_history(args, plan, path, environment);
    }
    if args.limit == Some(0) {
        bail!(Error::BadOption {
            option: "--limit".to_owned(),
            value: "0".to_owned(),
            expected: "1 or more"
        });
    }
    let mut suites = match load(args, plan, environment)? {
        Ok(suites) => suites,
        Err(problems) => return tell(&problems, args.check, environment),
    };
    if args.check {
        return checked(&suites, environment);
    }
    // What may be wrong with the other files is told before a question is asked.
    outputs::check(args, &suites, environment)?;
    let replaced = match &args.bless {
        Some(path) => check_bless(path, &suites, environment)?,
        None => None,
    };
    let kept = match &args.baseline {
        Some(path) => Some(Baseline::read(&environment.directory.join(path))?),
        None => None,
    };
    let history = match &args.save {
        Some(path) => Some((path, read_history(path, environment)?)),
        None => None,
    };
    let all_suites = args
        .paths
        .iter()
        .any(|path| environment.directory.join(path).is_dir());
    let mut left_out = HashSet::new();
    let mut must_pass_left_out = 0;
    for suite in &mut suites {
        must_pass_left_out += sample(suite, args.limit, &mut left_out);
    }
    if must_pass_left_out > 0 && !plan.quiet {
        environment.tell(&format!(
            "note: --limit leaves out {} that must pass",
            counted(must_pass_left_out, "question")
        ));
    }
    let reader = (environment.load)(plan.model.as_deref(), plan.engine)?;
    if !reader.can_summarize() {
        let is_compared = args.baseline.is_some() || args.bless.is_some();
        refuse_summaries(&suites, is_compared, reader.model_name())?;
    }
    if args.calibrate {
        return calibrate::run(&reader, &suites, plan, environment);
    }
    let (run, summaries) = measure(&reader, &suites, plan, environment)?;
    let provenance = Provenance {
        model_sha256: weights_sha256(&reader, plan.model.as_deref()),
        limit: args.limit,
        ..Provenance::of(&reader, &plan.options, plan.threads)
    };
    let summariser = reader.can_summarize().then_some(SUMMARISER);
    let items = baseline::items(&run.outcomes, &summaries, summariser);
    let must_pass_wrong: Vec<&Item> = items.iter().filter(|item| item.fails_alone()).collect();
    tell_must_pass_wrong(&must_pass_wrong, environment);
    let asked = asked(&provenance);
    let scope = Scope {
        all_suites,
        left_out: &left_out,
    };
    let comparison = kept.map(|kept| baseline::compare(&kept, asked, &suites, &items, scope));
    if let Some(changed) = comparison.as_ref().and_then(|c| c.asked_changed.as_ref()) {
        environment.tell(&format!(
            "warning: {changed}: their scores do not compare; give the options of the baseline, or bless one with these"
        ));
    }
    let not_run = comparison.as_ref().map_or(&[][..], |c| &c.suites_not_run);
    if !not_run.is_empty() && !all_suites && !plan.quiet {
        environment.tell(&format!(
            "note: suites of the baseline that were not run: {}; name their folder instead of files, and that fails",
            shortened(&not_run.join(", "))
        ));
    }
    let worse = comparison.as_ref().is_some_and(|c| !c.holds());
    match &args.bless {
        Some(path) if worse => environment.tell(&format!(
            "not blessed: {}: this run is worse than the baseline; to keep it all the same, leave out --baseline",
            environment.directory.join(path).display()
        )),
        Some(path) => {
            bless(path, replaced, &provenance, &suites, &items, environment)?;
            if !must_pass_wrong.is_empty() && !plan.quiet {
                environment.tell(&format!(
                    "note: {} is blessed all the same: the gate fails until what must pass is right or the mark is taken away",
                    environment.directory.join(path).display()
                ));
            }
        }
        None => {}
    }
    let report = Report::new(provenance, &suites, run, summaries, comparison);
    if let Some((path, history)) = &history {
        save(path, history, &report, environment)?;
    }
    write_files(args, &report, summariser, environment)?;
    let fails = worse || !must_pass_wrong.is_empty();
    if let (None, Some(path)) = (&args.bless, &args.baseline)
        && worse
        && must_pass_wrong.is_empty()
        && !plan.quiet
    {
        let path = path.display();
        environment.tell(&format!(
            "note: worse than the baseline; to accept this run as it is, --bless {path} without --baseline"
        ));
    }
    print(args, plan, &report, &must_pass_wrong, environment)?;
    Ok(if fails { WORSE } else { ANSWERED })
}

/// Loads all that was named. The inner error is what is wrong with suites.
fn load(
    args: &EvalArgs,
    plan: &Plan,
    environment: &Environment,
) -> anyhow::Result<Result<Vec<Suite>, Problems>> {
    if args.paths.is_empty() && args.squad.is_empty() && args.summaries.is_empty() {
        let taken = args
            .save
            .as_ref()
            .map_or("", |_| "; what follows --save is the history");
        bail!("no suite: name one (ask eval suite.toml), or begin one with ask eval --init FILE{taken}");
    }
    let here = |path: &PathBuf| environment.directory.join(path);
    let paths: Vec<PathBuf> = args.paths.iter().map(here).collect();
    let mut problems = Vec::new();
    let mut suites = Vec::new();
    match suite::load_all(&paths, &plan.read) {
        Ok(loaded) => suites = loaded,
        Err(Problems(more)) => problems.extend(more),
    }
    let others = args.squad.iter().map(|path| squad::load(&here(path)));
    for loaded in others.chain(args.summaries.iter().map(|path| lines::load_pairs(&here(path)))) {
        match loaded {
            Ok(suite) => suites.push(suite),
            Err(Problems(more)) => problems.extend(more),
        }
    }
    problems.extend(suite::of_one_name(&suites));
    Ok(if problems.is_empty() {
        Ok(suites)
    } else {
        Err(Problems(problems))
    })
}

/// Tells problems: all of them for `--check`, otherwise the first and how many more there are.
fn tell(problems: &Problems, all: bool, environment: &mut Environment) -> anyhow::Result<u8> {
    if !all {
        bail!(problems.clone());
    }
    for problem in problems.0.iter().take(MOST_PROBLEMS) {
        environment.tell(&problem.to_string());
    }
    if let more @ 1.. = problems.0.len().saturating_sub(MOST_PROBLEMS) {
        environment.tell(&format!("and {more} more"));
    }
    Ok(super::ERROR)
}

fn checked(suites: &[Suite], environment: &mut Environment) -> anyhow::Result<u8> {
    let mut text = String::new();
    for suite in suites {
        let unanswerable = suite.questions.iter().filter(|q| q.golds.is_empty()).count();
        let summaries = match suite.summaries.len() {
            0 => String::new(),
            1 => ", 1 summary".to_owned(),
            n => format!(", {n} summaries"),
        };
        let line = format!(
            "{}: {}, {unanswerable} unanswerable{summaries}",
            suite.file,
            counted(suite.questions.len(), "question")
        );
        text += &harmless(&line);
        text.push('\n');
    }
    environment.print(text.as_bytes())?;
    Ok(ANSWERED)
}

fn init(args: &EvalArgs, plan: &Plan, environment: &mut Environment) -> anyhow::Result<u8> {
    if args.paths.is_empty() {
        bail!("name the documents that the suite is about: ask eval --init report.txt > suite.toml");
    }
    let paths: Vec<PathBuf> = args
        .paths
        .iter()
        .map(|path| environment.directory.join(path))
        .collect();
    let found = read::find(&paths, &plan.read)?;
    let mut documents = Vec::new();
    for file in &found.files {
        let name = file
            .strip_prefix(&environment.directory)
            .unwrap_or(file)
            .display()
            .to_string();
        documents.push((name, read::read_file(file, &plan.read)?));
    }
    environment.print(suite::skeleton(&documents).as_bytes())?;
    Ok(ANSWERED)
}

/// Refuses a baseline of nothing, and to replace one by a part of it. Gives how the one that is replaced was asked.
fn check_bless(
    path: &Path,
    suites: &[Suite],
    environment: &mut Environment,
) -> anyhow::Result<Option<Asked>> {
    let path = environment.directory.join(path);
    let is_kept = |suite: &Suite| {
        !suite.questions.is_empty() || suite.summaries.iter().any(SummaryCheck::has_conditions)
    };
    if !suites.iter().any(is_kept) {
        bail!(
            "--bless {}: there is nothing to keep: a baseline holds questions, and summaries with must_mention or must_not_mention",
            path.display()
        );
    }
    let before = match Baseline::read(&path) {
        Ok(before) => before,
        // That is the remedy for what is damaged or of another format.
        Err(problems) => {
            if path.is_file() {
                environment.tell(&format!(
                    "warning: --bless replaces what cannot be read: {problems}"
                ));
            }
            return Ok(None);
        }
    };
    let not_run = before.suites_not_in(suites);
    if !not_run.is_empty() {
        bail!(
            "--bless {}: holds suites that this run does not have: {}; run all of them, name another file, or delete this one first",
            path.display(),
            shortened(&not_run.join(", "))
        );
    }
    Ok(before.asked)
}

/// A check that must pass and is not made would be as good as passed, and so would one of a baseline.
fn refuse_summaries(suites: &[Suite], is_compared: bool, model: &str) -> anyhow::Result<()> {
    for suite in suites {
        let mut checks = suite.summaries.iter();
        if let Some(check) = checks.find(|check| check.must_pass || is_compared && check.has_conditions()) {
            let how = if check.must_pass {
                "must pass"
            } else {
                "is compared"
            };
            bail!(
                "{}:{}: the summary {} {how}, and the model {model} does not summarize; leave out --model, or the check",
                suite.file,
                check.line,
                check.id
            );
        }
    }
    Ok(())
}

/// Keeps so many questions and checks, evenly spread: the same ones every time. Notes what is left out, and gives how
/// many of it must pass.
fn sample(suite: &mut Suite, limit: Option<usize>, left_out: &mut HashSet<(String, String)>) -> usize {
    fn thin<T>(list: &mut Vec<T>, limit: usize, mut leave_out: impl FnMut(&T)) {
        let total = list.len();
        if total > limit {
            let mut kept = (0..limit).map(|i| i * total / limit).peekable();
            let mut at = 0;
            list.retain(|item| {
                at += 1;
                let is_kept = kept.next_if_eq(&(at - 1)).is_some();
                if !is_kept {
                    leave_out(item);
                }
                is_kept
            });
        }
    }
    let Some(limit) = limit else { return 0 };
    let mut must_pass = 0;
    let mut leave_out = |id: &str, is_marked: bool| {
        must_pass += usize::from(is_marked);
        left_out.insert((suite.name.clone(), id.to_owned()));
    };
    thin(&mut suite.questions, limit, |q| leave_out(&q.id, q.must_pass));
    thin(&mut suite.summaries, limit, |check| {
        leave_out(&check.id, check.must_pass)
    });
    must_pass
}

/// Asks and summarises, with a bar, listening for Ctrl-C.
fn measure(
    reader: &Reader,
    suites: &[Suite],
    plan: &Plan,
    environment: &Environment,
) -> crate::Result<(Run, Vec<SummaryOutcome>)> {
    let of_questions = suites.iter().flat_map(|s| {
        s.questions
            .iter()
            .flat_map(|q| q.documents.iter().map(|&d| &s.documents[d]))
    });
    let of_summaries = suites
        .iter()
        .flat_map(|s| s.summaries.iter().map(|c| &s.documents[c.document]));
    let total_bytes = of_questions
        .chain(of_summaries)
        .map(|d| d.text().len() as u64)
        .sum();
    let bar = Mutex::new((Bar::new(!plan.quiet && environment.error_is_terminal), 0));
    let interrupted = &environment.interrupted;
    let done = |more: u64| {
        let mut bar = bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        bar.1 += more;
        let bytes = bar.1;
        bar.0.update(Progress { bytes, total_bytes });
        !interrupted.load(std::sync::atomic::Ordering::SeqCst)
    };
    let run = run::ask(reader, suites, &plan.options, done)?;
    let transformer = |document: &Document, sentences: usize| -> Result<Vec<Span>, Error> {
        let options = SummaryOptions {
            length: Length::Sentences(sentences),
            ..SummaryOptions::default()
        };
        let mut summary = reader.summarize(&[document], &options, |_| done(0))?;
        let chosen = summary.documents.pop().map(|d| d.sentences);
        Ok(chosen.into_iter().flatten().map(|s| s.span).collect())
    };
    let mut systems: Vec<(&str, Summariser<'_>)> = Vec::new();
    if reader.can_summarize() {
        systems.push((SUMMARISER, &transformer));
    }
    let summaries = run::summarise(suites, &systems, done)?;
    Ok((run, summaries))
}

/// From the manifest, or of the file where there is no manifest.
fn weights_sha256(reader: &Reader, model: Option<&Path>) -> Option<String> {
    if let Some(hash) = reader.weights_sha256() {
        return Some(hash.to_owned());
    }
    let files = ["model.safetensors", "rust_model.ot"].map(|name| model.map(|folder| folder.join(name)));
    let path = files.into_iter().flatten().find(|path| path.exists())?;
    let metadata = path
        .metadata()
        .ok()
        .filter(|m| m.is_file() && m.len() <= MOST_WEIGHTS_BYTES);
    metadata
        .and_then(|_| std::fs::read(path).ok())
        .map(|bytes| suite::sha256(&bytes))
}

fn asked(provenance: &Provenance) -> Asked {
    Asked {
        always_answer: provenance.always_answer,
        min_confidence: provenance.min_confidence,
        skim: provenance.skim,
    }
}

fn bless(
    path: &Path,
    replaced: Option<Asked>,
    provenance: &Provenance,
    suites: &[Suite],
    items: &[Item],
    environment: &mut Environment,
) -> anyhow::Result<()> {
    let path = environment.directory.join(path);
    let kept = Baseline::of(
        &provenance.model,
        provenance.model_sha256.as_deref(),
        &provenance.date,
        asked(provenance),
        suites,
        items,
    );
    if let Some((before, now)) = replaced.zip(kept.asked).filter(|(before, now)| before != now) {
        environment.tell(&format!(
            "warning: {}: was made with {before}, and is replaced by one made with {now}",
            path.display()
        ));
    }
    write(&path, kept.to_json()?.as_bytes())
}

fn tell_must_pass_wrong(wrong: &[&Item], environment: &mut Environment) {
    for item in wrong.iter().take(MOST_PROBLEMS) {
        let (file, line) = &item.defined;
        environment.tell(&format!(
            "{file}:{line}: {}/{} must pass and is wrong",
            item.suite, item.id
        ));
    }
    if let more @ 1.. = wrong.len().saturating_sub(MOST_PROBLEMS) {
        environment.tell(&format!("and {more} more"));
    }
}

/// The history that is to be continued: what is wrong with it is told before a question is asked.
fn read_history(path: &Path, environment: &mut Environment) -> anyhow::Result<History> {
    let history = History::read_or_new(&environment.directory.join(path))?;
    tell_damaged(&history, environment);
    Ok(history)
}

fn tell_damaged(history: &History, environment: &mut Environment) {
    for problem in history.damaged.iter().take(MOST_PROBLEMS) {
        environment.tell(&format!("warning: {problem}"));
    }
    if let more @ 1.. = history.damaged.len().saturating_sub(MOST_PROBLEMS) {
        environment.tell(&format!("warning: {more} more lines are passed over"));
    }
}

fn save(
    path: &Path,
    history: &History,
    report: &Report,
    environment: &mut Environment,
) -> anyhow::Result<()> {
    let entries = history::entries(report);
    let lines: Vec<Vec<u8>> = entries.iter().map(json::line).collect::<Result<_, _>>()?;
    let path = environment.directory.join(path);
    history.append(&path, &lines).with_context(|| unwritable(&path))
}

fn show_history(
    args: &EvalArgs,
    plan: &Plan,
    path: &Path,
    environment: &mut Environment,
) -> anyhow::Result<u8> {
    let history = History::read(&environment.directory.join(path))?;
    tell_damaged(&history, environment);
    let mut text = Vec::new();
    if args.json {
        for entry in &history.entries {
            text.extend(json::line(entry)?);
        }
    } else {
        for line in report::history(&history.entries) {
            text.extend(styled(&line, plan.colour).into_bytes());
        }
    }
    environment.print(&text)?;
    Ok(ANSWERED)
}

fn write_files(
    args: &EvalArgs,
    report: &Report,
    summariser: Option<&str>,
    environment: &Environment,
) -> anyhow::Result<()> {
    let here = |path: &PathBuf| environment.directory.join(path);
    if let Some(path) = &args.predictions {
        let mut out = Vec::new();
        for outcome in &report.questions {
            out.extend(json::line(outcome)?);
        }
        for outcome in &report.summary_checks {
            out.extend(json::line(outcome)?);
        }
        write(&here(path), &out)?;
    }
    if let Some(path) = &args.html {
        write(&here(path), report::html(report)?.as_bytes())?;
    }
    if let Some(path) = &args.markdown {
        write(&here(path), report::markdown(report).as_bytes())?;
    }
    if let Some(path) = &args.junit {
        write(&here(path), report::junit(report, summariser)?.as_bytes())?;
    }
    Ok(())
}

fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    file::write(path, content).with_context(|| unwritable(path))
}

fn unwritable(path: &Path) -> String {
    format!(
        "{}: cannot be written; check that the folder is there and that you may write",
        path.display()
    )
}

fn print(
    args: &EvalArgs,
    plan: &Plan,
    report: &Report,
    must_pass_wrong: &[&Item],
    environment: &mut Environment,
) -> anyhow::Result<()> {
    let mut text = Vec::new();
    if args.json {
        text = json::line(report)?;
    } else {
        for line in report::text(report) {
            text.extend(styled(&line, plan.colour).into_bytes());
        }
        if args.github {
            text = report::without_commands(text);
        }
    }
    if args.github {
        for line in report::annotations(report, must_pass_wrong) {
            text.extend((line + "\n").into_bytes());
        }
    }
    Ok(environment.print(&text)?)
}

fn styled(line: &Line, colour: bool) -> String {
    let text = harmless(&line.text);
    let code = match line.style {
        Style::Heading => "1",
        Style::Bad => "31",
        Style::Good => "32",
        Style::Faint => "2",
        Style::Plain => "",
    };
    if colour && !code.is_empty() && !text.is_empty() {
        format!("\u{1b}[{code}m{text}\u{1b}[0m\n")
    } else {
        format!("{text}\n")
    }
}
