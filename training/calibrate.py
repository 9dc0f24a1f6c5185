"""Step 4: fit the two probabilities and the threshold on held-out questions over documents of 1 to 256 windows.

    python calibrate.py --data ../../train/data --model ../../train/reader --work ../../train/calibration --out ../../train/reader/calibration.json

The questions are read by `ask` itself, so the scores are those of its int8 kernels. not_in_document = sigmoid(a score + b evidence + c ln(windows) + d), confidence the same with parameters of its own
(`asking.features`). What was read is kept in --work, so that a second call only reads what is missing and fits again.
"""
import argparse
import json
import random
from collections import Counter
from pathlib import Path

import numpy as np

import asking
import sources
from asking import sigmoid
from text import score as official

RIGHT_F1 = 0.6
READ_UNANSWERABLE = 1 / 3  # share of the questions that are read: whether an answer is right is learned from those that have one
UNANSWERABLE = 0.3  # share that is assumed in the fit: a fifth to a third of what was asked of real documents (three sets) has no answer there, half of SQuAD 2.0
AS_GOOD = 0.005  # a difference in F1 that is not seen among a few hundred questions
ENOUGH = 100  # questions of one length that may choose the threshold
LONGEST = 64  # windows of a document that may: the few that are longer want a lower one, and would have it for all
WHOLE = 0  # the "length" of documents as people have them, which are read as they are
WHOLE_COUNTS = 2  # times as much in the fit as documents put together to a length: with more, the errors on these grow
GENERIC = ("policyqa", "qamr", "written")  # their questions ("do you share my data?", "what kind of minister?") are answered by other documents of the same source too


def counts_of(text):
    """[(windows, questions)] of "1:1200,4:600"."""
    try:
        return [(int(windows), int(questions)) for windows, questions in (part.split(":") for part in text.split(","))]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form WINDOWS:QUESTIONS,…, such as 1:1200,4:600") from None


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../../train/data"), help="where heldout.jsonl is")
    parser.add_argument("--whole", type=Path, nargs="*", default=[], help="files of examples whose texts are whole documents: read as they are, and where there are any, the threshold is chosen on them")
    parser.add_argument("--model", type=Path, default=Path("../../train/reader"))
    parser.add_argument("--work", type=Path, default=Path("../../train/calibration"), help="where the readings are kept")
    parser.add_argument("--out", type=Path, default=Path("../../train/reader/calibration.json"))
    parser.add_argument("--ask", type=Path, default=Path("../target/release/ask"), help="the program")
    parser.add_argument("--counts", type=counts_of, default="1:1200,4:600,16:400,64:200,256:300", help="questions at each number of windows, a third of them unanswerable")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--smoke", action="store_true", help="a handful of questions of 1 and 4 windows")
    return parser.parse_args()


def documents(heldout, whole, counts, windows, seed):
    """Yields (windows wanted, example, document): the example's paragraph somewhere among paragraphs of other held-out documents; before them, (WHOLE, example, its own text)."""
    for ex in whole:
        yield WHOLE, ex, ex["context"]
    rng = random.Random(seed)
    paragraphs = sorted({(ex["source"], ex["doc"], ex["context"]) for ex in heldout})
    sizes = {context: windows.tokens(context) for _, _, context in paragraphs}
    answered = [ex for ex in heldout if ex["answers"]]
    unanswerable = [ex for ex in heldout if not ex["answers"]]
    for length, count in counts:
        asked = round(READ_UNANSWERABLE * count)
        for ex in balanced(answered, count - asked, rng) + balanced(unanswerable, asked, rng):
            yield length, ex, document(ex, length, paragraphs, sizes, rng) if length > 1 else ex["context"]


def balanced(examples, count, rng):
    """`count` examples, the sources in equal shares as far as they go."""
    groups = {}
    for ex in rng.sample(examples, len(examples)):
        groups.setdefault(ex["source"], []).append(ex)
    out = []
    while len(out) < count and any(groups.values()):
        for source in sorted(groups):
            if groups[source] and len(out) < count:
                out.append(groups[source].pop())
    return out


def document(ex, windows, paragraphs, sizes, rng):
    # A window of 384 holds about 360 tokens of the document, and each further one 128 fewer.
    wanted = 340 + (windows - 1) * 230 - sizes[ex["context"]]
    others = []
    while wanted > 0:
        source, doc, context = rng.choice(paragraphs)
        if doc != ex["doc"] and not (source == ex["source"] and source in GENERIC):
            others.append(context)
            wanted -= sizes[context]
    others.insert(rng.randint(0, len(others)), ex["context"])
    return "\n".join(others)


def readings(args, windows, heldout, whole, counts):
    """One dict a question: score, windows, whether answerable, whether right. Resumes from --work."""
    args.work.mkdir(parents=True, exist_ok=True)
    path = args.work / "readings.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    asked = list(documents(heldout, whole, counts, windows, args.seed))
    left = asked[len(rows) :]
    with path.open("a") as file:
        for (wanted, ex, text), found in zip(left, asking.read(args.ask, args.model, [(ex["question"], text) for _, ex, text in left])):
            exact, f1 = official(found["text"], [a["text"] for a in ex["answers"]]) if ex["answers"] else (0.0, 0.0)
            row = {"id": ex["id"], "doc": ex["doc"], "source": ex["source"], "length": wanted, "windows": windows.count(ex["question"], text), **found, "answerable": bool(ex["answers"]),
                   "right": bool(ex["answers"]) and (exact == 1 or f1 >= RIGHT_F1), "f1": f1}
            rows.append(row)
            file.write(json.dumps(row) + "\n")
            if len(rows) % 100 == 0:
                file.flush()
                print(f"{len(rows)} of {len(asked)}", flush=True)
    return rows[: len(asked)]


def fit(features, labels, weights, ridge=1e-3, steps=50):
    """Logistic regression by Newton's method."""
    beta = np.zeros(features.shape[1])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-features @ beta))
        gradient = features.T @ (weights * (p - labels)) + ridge * beta
        hessian = (features * (weights * p * (1 - p))[:, None]).T @ features + ridge * np.eye(len(beta))
        beta -= np.linalg.solve(hessian, gradient)
    return beta


def ece(probability, label, weights, bins=10):
    """Expected calibration error over bins of equal width."""
    which, total = np.minimum((probability * bins).astype(int), bins - 1), 0.0
    for b in range(bins):
        inside = which == b
        if inside.any():
            mean = lambda values: np.average(values[inside], weights=weights[inside])
            total += weights[inside].sum() * abs(mean(probability) - mean(label))
    return float(total / weights.sum())


def chance(probability, weights, rng, draws=50):
    """The error that probabilities without any show on so many questions: the mean over labels drawn from them."""
    return float(np.mean([ece(probability, (rng.random(len(probability)) < probability).astype(float), weights) for _ in range(draws)]))


class Table:
    """The readings as arrays; every length weighs the same, but for whole documents, and within it both classes as they are shared out."""

    def __init__(self, rows):
        column = lambda key, kind=float: np.array([row[key] for row in rows], dtype=kind)
        self.length, self.answerable, self.right, self.f1 = column("length", int), column("answerable"), column("right"), column("f1")
        self.features = asking.features(column("score"), column("evidence"), column("windows"))
        self.weights = np.ones(len(rows))
        for length in set(self.length):
            counts = WHOLE_COUNTS if length == WHOLE else 1
            for answerable in (0, 1):
                inside = (self.length == length) & (self.answerable == answerable)
                share = 1 - UNANSWERABLE if answerable else UNANSWERABLE
                self.weights[inside] = counts * share * len(rows) / (len(set(self.length)) * max(1, inside.sum()))

    def overall_f1(self, declined, where):
        points = np.where(declined, 1 - self.answerable, self.f1)
        return float(np.average(points[where], weights=self.weights[where]))


def fit_all(table, lengths):
    """(not_in_document, confidence, threshold); the last chosen on documents of these lengths."""
    absent = fit(table.features, 1 - table.answerable, table.weights)
    right = fit(table.features, table.right, table.weights)
    probability = sigmoid(table.features @ absent)
    enough = np.isin(table.length, lengths)
    values = {float(t): table.overall_f1(probability >= t, enough) for t in np.arange(0.05, 0.96, 0.01)}
    # The best are a plateau: its middle.
    threshold = np.median([t for t, value in values.items() if value >= max(values.values()) - AS_GOOD])
    return absent, right, float(threshold)


def choosing(rows):
    """Lengths of documents that may choose the threshold: a dozen questions would decide it by chance. Paragraphs put together answer many a
    question of one of them in another, too, so that the reader looks less sure than in a document about one thing."""
    count = Counter(row["length"] for row in rows)
    if count[WHOLE] >= ENOUGH:
        return [WHOLE]
    shortest = min(count)
    return [length for length in count if length <= LONGEST and count[length] >= ENOUGH] or [shortest]


def measure(rows):
    """By length, with each half of the documents read by what was fitted on the other; the errors are those of both halves together."""
    from hashlib import sha256

    table, lengths, rng = Table(rows), choosing(rows), np.random.default_rng(1)
    half = np.array([int(sha256(row["doc"].encode()).hexdigest()[-4:], 16) % 2 for row in rows])
    absent, right, declined = np.full(len(rows), np.nan), np.full(len(rows), np.nan), np.zeros(len(rows), bool)
    for ours in (0, 1):
        theirs = half == ours
        if min(theirs.sum(), (~theirs).sum()) > 10:
            a, r, threshold = fit_all(Table([row for row, inside in zip(rows, ~theirs) if inside]), lengths)
            absent[theirs], right[theirs] = sigmoid(table.features[theirs] @ a), sigmoid(table.features[theirs] @ r)
            declined[theirs] = absent[theirs] >= threshold
    result = {}
    for length in sorted({row["length"] for row in rows}):
        inside = (table.length == length) & ~np.isnan(absent)
        if not inside.any():
            continue
        x, answerable, shares, labels = table.features[inside], table.answerable[inside], table.weights[inside], table.right[inside]
        share = lambda values, where: float(values[where].mean()) if where.any() else float("nan")
        result["whole" if length == WHOLE else f"{length}_windows"] = {"questions": int(inside.sum())} | {
            key: round(float(value), 4)
            for key, value in {
                "ece_not_in_document_before": ece(sigmoid(-x[:, 0]), 1 - answerable, shares), "ece_not_in_document": ece(absent[inside], 1 - answerable, shares),
                "ece_confidence_before": ece(sigmoid(x[:, 0]), labels, shares), "ece_confidence": ece(right[inside], labels, shares),
                "ece_confidence_by_chance": chance(right[inside], shares, rng),
                "f1": table.overall_f1(declined, inside),
                "right_given_answerable": share(labels, answerable == 1),
                "declined_of_unanswerable": share(declined[inside], answerable == 0),
                "declined_of_answerable": share(declined[inside], answerable == 1)}.items()}
    return result


def main():
    args = parse()
    paths = [args.data / "heldout.jsonl", *args.whole]
    for path in paths:
        sources.must_exist(path)
    heldout, *more = ([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] for path in paths)
    whole = [ex for some in more for ex in some]
    counts = counts_of("1:40,4:8") if args.smoke else args.counts
    rows = readings(args, asking.Windows(args.model), heldout, whole[:40] if args.smoke else whole, counts)
    absent, right, threshold = fit_all(Table(rows), choosing(rows))
    named = lambda beta: dict(zip(asking.WEIGHTS, (round(float(b), 6) for b in beta)))
    result = {"not_in_document": named(absent), "confidence": named(right), "threshold": round(threshold, 4), "measured": measure(rows)}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
