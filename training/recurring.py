"""Step 2b: recurring spans of passages as questions (Splinter, arXiv 2101.00438, section 3), to warm a reader up before it sees questions.

    python recurring.py --passages ../../train/data/passages.jsonl --out ../../train/data/recurring.jsonl

A span that two sentences of a passage share is masked in one of them, which becomes the question; the rest of the passage is read.
"""
import argparse
import json
import random
import re
from collections import defaultdict
from pathlib import Path

from text import FUNCTION_WORDS, sentences

MOST_WORDS = 4
AROUND = 22  # words of the sentence kept on either side
EACH = 2  # examples of a passage


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=Path, default=Path("../../train/data/passages.jsonl"))
    parser.add_argument("--out", type=Path, default=Path("../../train/data/recurring.jsonl"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--smoke", action="store_true", help="200 passages")
    return parser.parse_args()


def shared_spans(text, spans):
    """[((sentence, start, end), (sentence, start, end))] of word sequences that occur in just two sentences, once in each; the longest of those that overlap."""
    places = defaultdict(list)
    for number, (a, b) in enumerate(spans):
        words = [(m.group().lower(), a + m.start(), a + m.end()) for m in re.finditer(r"[\w’'-]+", text[a:b])]
        for size in range(1, MOST_WORDS + 1):
            for at in range(len(words) - size + 1):
                some = words[at : at + size]
                if some[0][0] in FUNCTION_WORDS or some[-1][0] in FUNCTION_WORDS or len(some[0][0]) < 3:
                    continue
                places[" ".join(w[0] for w in some)].append((number, some[0][1], some[-1][2]))
    twice = [found for _, found in sorted(places.items(), key=lambda item: -len(item[0])) if len(found) == 2 and found[0][0] != found[1][0]]
    taken, out = [], []
    for found in twice:
        if all(b <= x or a >= y for _, a, b in found for x, y in taken):
            taken += [(a, b) for _, a, b in found]
            out.append(tuple(found))
    return out


def examples(passage, rng):
    text = passage["text"]
    spans = sentences(text)
    if len(spans) < 4:
        return
    found = [pair for pair in shared_spans(text, spans) if pair[0][2] - pair[0][1] >= 4]
    rng.shuffle(found)
    for pair in found[:EACH]:
        (asked, a, b), (_, start, end) = rng.sample(pair, 2)
        first, last = spans[asked]
        before, after = text[first:a].split()[-AROUND:], text[b:last].split()[:AROUND]
        context = text[:first] + text[last:]
        shift = last - first if start >= last else 0
        yield {"source": "recurring", "kind": "masked", "doc": passage["doc"], "question": " ".join([*before, "[MASK]", *after]), "context": context, "answers": [{"text": text[start:end], "start": start - shift}]}


def main():
    args = parse()
    rng, count = random.Random(args.seed), 0
    with args.passages.open(encoding="utf-8") as file, args.out.open("w", encoding="utf-8") as out:
        for number, line in enumerate(file):
            if args.smoke and number >= 200:
                break
            for ex in examples(json.loads(line), rng):
                answer = ex["answers"][0]
                assert ex["context"][answer["start"] :].startswith(answer["text"])
                out.write(json.dumps(ex, ensure_ascii=False) + "\n")
                count += 1
    print(args.out.name, count)


if __name__ == "__main__":
    main()
