"""Step 3c: score `ask`'s summaries against those that people wrote.

    python evaluate_summaries.py --data ../../shared/data --ask ../target/release/ask --part both --methods lead,textrank,transformer
    python evaluate_summaries.py --documents ../../train/documents --part report

ROUGE by Google's rouge_score (stemming, Lsum over sentences), bootstrap intervals over documents, of a method alone and of its difference to
Lead-3. "dangling" is the share of chosen sentences whose first word points at something before ("He", "But", "This") while the sentence before
them is not in the summary.

Of the 1,000 CNN/DailyMail articles in their original case, all CNN's, the first 400 are for choosing (`choose`), the other 600
for reporting (`report`); `both` are those of both newspapers, in lower case, a sentence a line, that are neither among these 1,000 nor among the ones
that anything was chosen on (`summaries.CHOSEN_ON`). With --documents, the parts are those of `summaries.documents`, the figures are means over
the domains, each as one, and each has a line of its own below.
"""
import argparse
import json
import random
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from rouge_score import rouge_scorer

import summaries

KINDS = ("rouge1", "rouge2", "rougeLsum")
CHOOSING = 400
POINTERS = set("he she it they his her its their him them this that these those but and so or however also then both meanwhile instead yet still".split())


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../../shared/data"))
    parser.add_argument("--documents", type=Path, help="folder of summarised documents, *.jsonl, instead of news")
    parser.add_argument("--ask", default="../target/release/ask")
    parser.add_argument("--model", help="model directory instead of the embedded one")
    parser.add_argument("--part", choices=("choose", "report", "both"), default="choose")
    parser.add_argument("--sample", type=int, default=0, help="documents, 0 for all of the part")
    parser.add_argument("--methods", default="lead,transformer")
    parser.add_argument("--sentences", type=int, default=3)
    parser.add_argument("--out", type=Path, help="where the summaries go (JSON Lines)")
    parser.add_argument("--smoke", action="store_true", help="8 documents")
    args = parser.parse_args()
    if args.documents and args.part == "both":
        parser.error("--part both is of the news; documents have choose and report")
    return args


def articles_of(data, part):
    cased = list(summaries.cased_articles(data / "summaries/cnn_dm_val1000_cased.jsonl.gz"))
    if part != "both":
        return cased[:CHOOSING] if part == "choose" else cased[CHOOSING:]
    numbered = list(enumerate(summaries.articles(data / "cnn_dm/val.jsonl.zst")))
    is_chosen_on = lambda number: any(number % every == 0 for every in summaries.CHOSEN_ON)
    seen = {summaries.fingerprint(article["reference"]) for article in cased + [article for number, article in numbered if is_chosen_on(number)]}
    return [{"id": article["id"], "article": "\n".join(article["sentences"]), "reference": article["reference"]}
            for _, article in numbered if summaries.fingerprint(article["reference"]) not in seen]


def documents_of(directory, part):
    return [{"id": row["id"], "domain": row["domain"], "article": row["text"], "format": row["format"], "reference": row["summary"]}
            for path in sorted(directory.glob("*.jsonl")) for row in summaries.documents(path) if row["part"] == part]


def summarise(args, articles, method):
    """The sentences of each article's summary, each verified to stand where it is said to."""
    with tempfile.TemporaryDirectory() as folder:
        for number, article in enumerate(articles):
            (Path(folder) / f"{number:06}.{article.get('format', 'txt')}").write_text(article["article"], encoding="utf-8")
        command = [args.ask, "summarize", folder, "--json", "--quiet", "--sentences", str(args.sentences), "--method", method, *(["--model", args.model] if args.model else [])]
        found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["documents"]
    assert [int(Path(row["document"]).stem) for row in found] == list(range(len(articles)))
    for row, article in zip(found, articles):
        source = article["article"].encode()
        for sentence in row["sentences"]:
            assert source[sentence["start_byte"] : sentence["end_byte"]].decode() == sentence["source_text"]
    return [row["sentences"] for row in found]


def dangling(chosen):
    """(sentences that point at something before them which is not there, sentences)."""
    count, end = 0, None
    for sentence in chosen:
        first = summaries.words(sentence["text"].split("'")[0])[:1]
        count += bool(first) and first[0] in POINTERS and (end is None or sentence["start_byte"] - end > 2)
        end = sentence["end_byte"]
    return count, len(chosen)


def interval(values, groups, rng, resamples=1000):
    """(mean, low, high) of the mean over groups, documents drawn within each."""
    groups = [values[np.array(groups) == group] for group in sorted(set(groups))]
    means = [np.mean([np.mean(own[rng.integers(0, len(own), len(own))]) for own in groups]) for _ in range(resamples)]
    return np.mean([np.mean(own) for own in groups]), np.percentile(means, 2.5), np.percentile(means, 97.5)


def report(scores, of, groups):
    """A line a kind of ROUGE."""
    for k, kind in enumerate(KINDS):
        mean, low, high = interval(scores[of][:, k], groups, np.random.default_rng(1))
        text = f"  {kind} {mean:.2f} [{low:.2f}, {high:.2f}]"
        if of != "lead" and "lead" in scores:
            mean, low, high = interval(scores[of][:, k] - scores["lead"][:, k], groups, np.random.default_rng(1))
            text += f" lead {mean:+.2f} [{low:+.2f}, {high:+.2f}]"
        print(text, flush=True)


def main():
    args = parse()
    articles = documents_of(args.documents, args.part) if args.documents else articles_of(args.data, args.part)
    if args.smoke or args.sample:
        articles = random.Random(7).sample(articles, 8 if args.smoke else args.sample)
    domains = [article.get("domain", "news") for article in articles]
    scorer, scores = rouge_scorer.RougeScorer(KINDS, use_stemmer=True), {}
    for method in args.methods.split(","):
        chosen = summarise(args, articles, method)
        if args.out:
            args.out.with_suffix(f".{method}.jsonl").write_text("".join(json.dumps({"id": a["id"], "sentences": c}) + "\n" for a, c in zip(articles, chosen)))
        rows = [scorer.score("\n".join(a["reference"]), "\n".join(s["text"] for s in c)) for a, c in zip(articles, chosen)]
        scores[method] = np.array([[100 * row[kind].fmeasure for kind in KINDS] for row in rows])
        loose, total = map(sum, zip(*(dangling(c) for c in chosen)))
        words = np.mean([sum(len(s["text"].split()) for s in c) for c in chosen])
        print(f"{method:12} {len(articles)} documents, {words:.0f} words, dangling {100 * loose / total:.1f} %")
        report(scores, method, domains)
    for domain in sorted(set(domains)) if args.documents else []:
        own = np.array(domains) == domain
        print(f"{domain:16} {own.sum():5} " + ", ".join(f"{method} " + " / ".join(f"{value:.1f}" for value in rows[own].mean(0)) for method, rows in scores.items()))


if __name__ == "__main__":
    main()
