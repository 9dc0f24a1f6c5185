"""Step 3: score a reader on the held-out split (or a SQuAD file): EM and F1, declined, AUROC, best threshold.

    python evaluate.py --model ../../train/reader --data ../../train/data --sample 600
    python evaluate.py --model ../../train/reader --squad ../../shared/data/squad/dev-v2.0.json.gz --sample 1000
"""
import argparse
import json
import random
from collections import defaultdict
from pathlib import Path

import numpy as np

import asking
import sources
from text import is_list, score


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("../../train/reader"), help="a directory that ask --model takes")
    parser.add_argument("--ask", type=Path, default=Path("../target/release/ask"), help="the program that reads; ASK_KERNELS=f32 makes it read in full precision")
    parser.add_argument("--data", type=Path, default=Path("../../train/data"), help="where heldout.jsonl is")
    parser.add_argument("--squad", type=Path, help="a SQuAD file (.json.gz or .jsonl.gz) instead; never choose anything on it")
    parser.add_argument("--sample", type=int, default=0, help="questions, 0 for all; the same for every model")
    parser.add_argument("--calibration", type=Path, help="calibration.json whose threshold is applied")
    parser.add_argument("--out", type=Path, help="where the result and the answers go (JSON)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--smoke", action="store_true", help="40 questions")
    return parser.parse_args()


def squad_examples(path):
    import gzip

    if ".jsonl" not in path.name:
        try:
            data = sources.read_squad(path)
        except json.JSONDecodeError:
            data = None
    else:
        data = None
    if data is None:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for line in file:
                row = json.loads(line)
                texts = row["answers"]["text"] if isinstance(row["answers"], dict) else [a["text"] for a in row["answers"]]
                yield {"id": row["id"], "question": row["question"], "context": row["context"], "answers": [{"text": t} for t in texts], "kind": "answered" if texts else "squad2", "source": path.stem}
        return
    for article in data:
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                yield {"id": qa["id"], "question": qa["question"], "context": paragraph["context"], "answers": qa["answers"], "kind": "answered" if qa["answers"] else "squad2", "source": path.stem}


def auroc(scores, labels):
    """Probability that an answerable question scores above an unanswerable one, ties at half."""
    order = np.argsort(scores, kind="stable")
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(1, len(scores) + 1)
    for value in np.unique(scores):
        ranks[scores == value] = ranks[scores == value].mean()
    positive = labels.sum()
    return float((ranks[labels == 1].sum() - positive * (positive + 1) / 2) / (positive * (len(labels) - positive)))


def best_threshold(scores, f1s, answerable):
    """(score threshold, overall F1 with both classes weighing the same)."""
    best = (0.0, 0.0)
    for threshold in np.quantile(scores, np.linspace(0, 1, 101)):
        kept = scores > threshold
        value = (np.where(kept, f1s, 0)[answerable].mean() + (~kept[~answerable]).mean()) / 2
        if value > best[1]:
            best = (float(threshold), float(value))
    return best


def report(examples, found, absent=None):
    """absent(readings) -> whether each declines; without it a score of at most 0 declines."""
    scores = np.array([r["score"] for r in found])
    answerable = np.array([bool(ex["answers"]) for ex in examples])
    points = np.array([score(r["text"], [a["text"] for a in ex["answers"]]) if ex["answers"] else (0, 0) for ex, r in zip(examples, found)])
    declined = absent(found) if absent else scores <= 0
    mean = lambda values: round(100 * float(np.mean(values)), 1) if len(values) else None
    result = {"questions": len(examples), "has_answer": {"questions": int(answerable.sum()), "em": mean(points[answerable, 0]), "f1": mean(points[answerable, 1]), "declined": mean(declined[answerable])}}
    lists = np.array([bool(ex["answers"]) and is_list(ex["answers"][0]["text"]) for ex in examples])
    result["lists"] = {"questions": int(lists.sum()), "em": mean(points[lists, 0]), "f1": mean(points[lists, 1])}
    if (~answerable).any():
        kept = np.where(declined, 0, points[:, 1])
        overall = np.where(answerable, kept, declined)
        threshold, best = best_threshold(scores, points[:, 1], answerable)
        result["no_answer"] = {"questions": int((~answerable).sum()), "declined": mean(declined[~answerable])}
        exact = np.where(answerable, np.where(declined, 0, points[:, 0]), declined)
        result["overall"] = {"em": mean(exact), "f1": mean(overall), "f1_both_classes_equal": round(50 * float(kept[answerable].mean() + declined[~answerable].mean()), 1), "f1_at_best_threshold": round(100 * best, 1), "best_threshold": round(threshold, 3), "auroc": round(auroc(scores, answerable.astype(int)), 4)}
    groups = defaultdict(list)
    for at, ex in enumerate(examples):
        groups[f"{ex['source']}/{ex['kind']}"].append(at)
    result["groups"] = {key: {"questions": len(at), **({"em": mean(points[at, 0]), "f1": mean(points[at, 1])} if answerable[at[0]] else {"declined": mean(declined[at])})} for key, at in sorted(groups.items())}
    return result


def main():
    args = parse()
    if args.squad:
        examples = list(squad_examples(args.squad))
    else:
        examples = [json.loads(line) for line in (args.data / "heldout.jsonl").read_text(encoding="utf-8").splitlines()]
    count = 40 if args.smoke else args.sample
    if count:
        examples = random.Random(args.seed).sample(examples, min(count, len(examples)))
    windows = asking.Windows(args.model)
    found = list(asking.read(args.ask, args.model, [(ex["question"], ex["context"]) for ex in examples]))
    found = [{**row, "windows": windows.count(ex["question"], ex["context"])} for ex, row in zip(examples, found)]
    absent = None
    if args.calibration:
        fitted = json.loads(args.calibration.read_text())
        weights = [fitted["not_in_document"][name] for name in asking.WEIGHTS]
        absent = lambda rows: asking.sigmoid(asking.features(*([r[key] for r in rows] for key in ("score", "evidence", "windows"))) @ weights) >= fitted["threshold"]
    result = report(examples, found, absent)
    print(json.dumps(result, indent=1))
    if args.out:
        answers = [{"id": ex["id"], "question": ex["question"], "gold": [a["text"] for a in ex["answers"]], **row} for ex, row in zip(examples, found)]
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps({"result": result, "answers": answers}, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
