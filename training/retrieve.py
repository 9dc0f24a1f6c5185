"""Step 2f: questions put to passages that look as if they answered them, for a teacher to say whether they do.

    python retrieve.py --data ../../train/data/train.jsonl ../../train/data/generated.jsonl --passages ../../train/data/passages.jsonl --out ../../train/data/retrieved.jsonl

Every question of the data is put to some of the passages that have most in common with it (cosine of tf-idf vectors), never its own. The examples have no answers and count as
`generated/retrieved`: train.py learns the teacher's logits from them and nothing else.
"""
import argparse
import json
import random
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

CHUNK = 1000  # questions that are compared side by side
ASKED = ("answered", "human", "asked")  # kinds whose questions somebody asked, and not a rule that spoils them
MOST_COMMON = 0.02  # words in more passages than this find nothing


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, nargs="+", default=[Path("../../train/data/train.jsonl"), Path("../../train/data/generated.jsonl")], help="files of examples")
    parser.add_argument("--passages", type=Path, nargs="+", default=[Path("../../train/data/passages.jsonl")])
    parser.add_argument("--out", type=Path, default=Path("../../train/data/retrieved.jsonl"))
    parser.add_argument("--nearest", type=int, default=3, help="passages that are drawn from")
    parser.add_argument("--each", type=int, default=1, help="passages that are drawn for a question")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--smoke", action="store_true", help="2,000 passages, 500 questions")
    return parser.parse_args()


def nearest(questions, passages, count):
    """Yields the numbers of the `count` passages nearest to each question, best first; fewer where fewer share a word with it."""
    vectorizer = TfidfVectorizer(max_df=MOST_COMMON, sublinear_tf=True, dtype=np.float32)
    passages = vectorizer.fit_transform(passages).T.tocsr()
    for at in range(0, len(questions), CHUNK):
        found = vectorizer.transform(questions[at : at + CHUNK]) @ passages
        for row in range(found.shape[0]):
            begin, end = found.indptr[row : row + 2]
            scores, numbers = found.data[begin:end], found.indices[begin:end]
            best = np.argpartition(scores, -count)[-count:] if len(scores) > count else np.arange(len(scores))
            yield numbers[best[np.argsort(-scores[best])]]


def main():
    args = parse()
    rng = random.Random(args.seed)
    read = lambda path: map(json.loads, path.open(encoding="utf-8"))
    texts = {passage["text"]: None for path in args.passages for passage in read(path)}
    own = {}
    for path in args.data:
        for ex in read(path):
            if ex["kind"] in ASKED and not ex.get("company"):
                own.setdefault(ex["question"], set()).add(ex["context"])
                if ex["context"]:
                    texts[ex["context"]] = None
    texts, questions = list(texts), sorted(own)
    if args.smoke:
        texts, questions = texts[:2000], questions[:500]
    written = 0
    with args.out.open("w", encoding="utf-8") as out:
        for question, numbers in zip(questions, nearest(questions, texts, args.nearest + 2)):
            others = [texts[number] for number in numbers if texts[number] not in own[question]][: args.nearest]
            for text in rng.sample(others, min(args.each, len(others))):
                new = {"source": "generated", "doc": "", "question": question, "context": text, "answers": [], "kind": "retrieved"}
                out.write(json.dumps(new, ensure_ascii=False) + "\n")
                written += 1
    print(f"{args.out.name}: {written} examples of {len(questions)} questions, {len(texts)} passages")


if __name__ == "__main__":
    main()
