"""Goldens for `src/eval`: what the official SQuAD 2.0 script and Google's rouge_score say to random cases.

    pip install -r eval-requirements.txt
    python eval.py --official evaluate-v2.0.py --out ../../tests/data/golden/eval

The official script is the one that the SQuAD site offers; the goldens record its SHA-256. Without it, answers.json stays as it is. Words come from suffix rules and from the
documents of this repository; nothing of a data set is used.
"""
import argparse
import hashlib
import importlib.util
import json
import random
import re
from importlib.metadata import version
from pathlib import Path

import nltk
from nltk.stem import porter
from rouge_score import rouge_scorer

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "models/README.md", "COMPARE.md", "training/README.md", "seeds/SOURCES.md")
ODD = ["the", "a", "an", "The", "A", "AN", "a\u093f", "the’s", "“quoted”", "U.S.-led", "don't", "don’t", "$1.13bn", "76%", "ﬁve", "İstanbul", "ΣΊΣΥΦΟΣ", "ẞ", "Ⅷ", "１２", "x_y", "中文", "a中",
       "e\u0301", "\u00a0", "\u2003", "\x1c", "\x1f", "\x85", "\u200b", "a\u200bthe", "\ud83d\ude42".encode("utf-16", "surrogatepass").decode("utf-16"), "Ⓐ", "ª", "K", "ǅ", "\u0345", "—", "-", ".", "!", "thea", "and", "ᾳ", "ŉ", "\u2028"]
STEMS = "relat condit ration valenc digit conform radic differ vile analog vietnam predic oper feud decis hope call formal sensit triplic form electr good reviv allow infer airlin gyroscop adjust defens irrit replac depend adopt homolog commun activ angular effect bowdler prob rat ceas control roll hop tan fall hiss fizz fail fil geo theo archaeo philo fl tr sp cr sk pl y sy toy lay hy ow ax".split()
SUFFIXES = "s es ies ied ed ing eed eeds ly y ably ibly ally ation ational tional ations ator izer ization alism iveness fulness ousness aliti iviti biliti fulli fully logi logy icate ative alize iciti icity ical ful ness al ance ence er ic able ible ant ement ment ent ion sion tion ou ism ate iti ous ive ize e ee ll lle ss sses bl iz at atted bling izing ying yed yy".split()


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--official", type=Path, help="evaluate-v2.0.py")
    parser.add_argument("--out", type=Path, default=ROOT / "tests/data/golden/eval")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--answers", type=int, default=3000)
    parser.add_argument("--summaries", type=int, default=500)
    return parser.parse_args()


def written_words():
    text = " ".join((ROOT / name).read_text(encoding="utf-8") for name in DOCUMENTS)
    return sorted(set(re.findall(r"[A-Za-z][A-Za-z’'-]+", text)))


def answers(official, rng, count):
    """Random golds and predictions with the official exact match and F1, and the whole report of each thousand."""
    words = rng.sample(written_words(), 300)

    def text(most):
        parts = [rng.choice(ODD) if rng.random() < 0.35 else rng.choice(words) for _ in range(rng.randint(0, most))]
        return rng.choice(["", "", " "]).join([rng.choice([" ", " ", " ", "  ", "\t", ""]).join(parts)])

    def changed(gold):
        parts = gold.split(" ")
        for _ in range(rng.randint(0, 3)):
            at = rng.randrange(len(parts) + 1)
            parts[at : at + rng.randint(0, 1)] = [rng.choice([rng.choice(ODD), rng.choice(words), rng.choice(parts)])] if rng.random() < 0.7 else []
            parts = parts or [""]
        out = " ".join(parts)
        return rng.choice([out, out, out.upper(), out.title(), out + "."])

    cases, reports = [], []
    for start in range(0, count, 1000):
        qas, predictions, absent = [], {}, {}
        for at in range(start, min(start + 1000, count)):
            golds = [text(5) for _ in range(rng.choice([0, 0, 1, 1, 1, 2, 3]))]
            prediction = rng.choice([changed(rng.choice(golds)) if golds else text(3), changed(rng.choice(golds)) if golds else "", text(4), ""])
            qas.append({"id": str(at), "answers": [{"text": gold} for gold in golds]})
            predictions[str(at)] = prediction
            absent[str(at)] = round(rng.random(), rng.choice([1, 2, 6]))
        dataset = [{"paragraphs": [{"qas": qas}]}]
        exact, f1 = official.get_raw_scores(dataset, predictions)
        for qa in qas:
            cases.append([predictions[qa["id"]], [a["text"] for a in qa["answers"]], absent[qa["id"]], exact[qa["id"]], f1[qa["id"]]])
        has_answer = official.make_qid_to_has_ans(dataset)
        report = official.make_eval_dict(exact, f1)
        official.merge_eval(report, official.make_eval_dict(exact, f1, [k for k, v in has_answer.items() if v]), "HasAns")
        official.merge_eval(report, official.make_eval_dict(exact, f1, [k for k, v in has_answer.items() if not v]), "NoAns")
        official.find_all_best_thresh(report, predictions, exact, f1, absent, has_answer)
        for threshold in (0.25, 0.5):
            scores = official.apply_no_ans_threshold(f1, absent, has_answer, threshold)
            report[f"f1_at_{threshold}"] = official.make_eval_dict(scores, scores)["f1"]
        reports.append(report)
    return {"columns": ["prediction", "golds", "not_in_document", "exact", "f1"], "cases": cases, "reports": reports}


def vocabulary(rng):
    made = [stem + suffix for stem in STEMS for suffix in SUFFIXES]
    twice = [rng.choice(STEMS) + rng.choice(SUFFIXES) + rng.choice(SUFFIXES) for _ in range(2500)]
    letters = ["".join(rng.choice("aeiouybclstzlnr") for _ in range(rng.randint(1, 9))) for _ in range(1500)]
    irregular = "sky skies dying lying tying news innings inning outings outing cannings canning howe proceed exceed succeed 2024s b2b 1930s".split()
    return sorted({w.lower() for w in rng.sample(made, 2500) + twice + letters + irregular + [re.sub("[^a-z]", "", w.lower()) for w in written_words()]} - {""})


def summaries(rng, count, vocabulary):
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL", "rougeLsum"], use_stemmer=True)
    news = rng.sample(vocabulary, 60) + ["the", "of", "and", "a", "in"] * 3

    def line(odd):
        return " ".join(rng.choice(ODD) if rng.random() < odd else rng.choice(news) for _ in range(rng.randint(0, 9)))

    def changed(text):
        lines = text.split("\n")
        rng.shuffle(lines)
        words = [[rng.choice(news) if rng.random() < 0.2 else w for w in one.split(" ") if rng.random() > 0.15] for one in lines]
        return rng.choice(["\n", "\n", " "]).join(" ".join(one) for one in words)

    cases = []
    for _ in range(count):
        odd = rng.choice([0, 0, 0.1, 0.5])
        reference = rng.choice(["\n", "\n", "\n\n", " "]).join(line(odd) for _ in range(rng.randint(0, 4)))
        summary = rng.choice([changed(reference), changed(reference), "\n".join(line(odd) for _ in range(rng.randint(0, 3)))])
        scores = scorer.score(reference, summary)
        of = lambda name: [round(x, 11) for x in (scores[name].precision, scores[name].recall)]
        cases.append([reference, summary, of("rouge1"), of("rouge2"), of("rougeL"), [*of("rougeLsum"), round(scores["rougeLsum"].fmeasure, 11)]])
    return {"columns": ["reference", "summary", "rouge1: precision, recall", "rouge2", "rougeL", "rougeLsum, with F1"], "cases": cases}


def write(path, value):
    """One case a line."""
    text = json.dumps(value, ensure_ascii=True)
    path.write_text(text.replace("]], [", "]],\n[").replace("], [\"", "],\n[\"") + "\n", encoding="utf-8")


def main():
    args = parse()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.official:
        spec = importlib.util.spec_from_file_location("official", args.official)
        official = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(official)
        about = {"official_sha256": hashlib.sha256(args.official.read_bytes()).hexdigest(), "seed": args.seed}
        write(args.out / "answers.json", {"about": about, **answers(official, random.Random(args.seed), args.answers)})
    words = vocabulary(random.Random(args.seed))
    stemmer = porter.PorterStemmer()
    (args.out / "stems.txt").write_text("".join(f"{word} {stemmer.stem(word)}\n" for word in words), encoding="utf-8")
    about = {"rouge_score": version("rouge_score"), "nltk": nltk.__version__, "seed": args.seed}
    write(args.out / "summaries.json", {"about": about, **summaries(random.Random(args.seed), args.summaries, words)})


if __name__ == "__main__":
    main()
