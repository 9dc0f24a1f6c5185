"""Step 2d: questions on passages, by the generator. Writes examples; their labels are a guess until the teacher has read them.

    python generate.py --passages ../../train/data/passages.jsonl --generator ../../train/generator --out ../../train/data/generated.jsonl --device cuda

Kinds: `answered` (the generator wrote the answer first), `none` (it was told that there is none), `list` (it was given a coordination of
the passage), `elsewhere` (a question put to another passage of its document).
"""
import argparse
import json
import random
import re
import time
from collections import Counter, defaultdict
from pathlib import Path

import generator
import torch
import unanswerable

SAMPLES = {"news": 4, "wiki": 5, "legal": 4, "meeting": 4, "notes": 4, "reports": 4}  # of a passage; of other domains 3
NONE_SHARE = 0.12  # of the samples that are told that there is no answer
ELSEWHERE_SHARE = 0.15  # of the questions, put to another passage as well
STEPS, TEMPERATURE, TOP_K = 56, 0.9, 40
LIST_CHARS = 160  # of the longest coordination that is asked for


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=Path, default=Path("../../train/data/passages.jsonl"))
    parser.add_argument("--generator", type=Path, default=Path("../../train/generator"))
    parser.add_argument("--out", type=Path, default=Path("../../train/data/generated.jsonl"))
    parser.add_argument("--rows", type=int, default=2048, help="questions that are written side by side; 2,048 take some 25 GB of an accelerator's memory, twice that of a CPU's")
    parser.add_argument("--minutes", type=float, default=60, help="no new passages are begun after this long")
    parser.add_argument("--part", default="0/1", help="I/N: the I-th of N equal parts of the passages, from 0")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--smoke", action="store_true", help="8 passages")
    return parser.parse_args()


def prompts(passages, tokenizer, rng):
    """[(passage, prompt, [(kind, answer, forced tokens)] of its samples)], shortest prompts first."""
    out = []
    forced = lambda answer: tokenizer.encode(f" {answer}\nQuestion:", add_special_tokens=False)
    for passage in passages:
        text = passage["text"]
        spans = [(a, b) for a, b in passage["lists"] if b - a <= LIST_CHARS and "\n" not in text[a:b]]
        rng.shuffle(spans)
        spans.sort(key=lambda span: -text[span[0] : span[1]].count(","))  # of more items first
        samples = []
        for number in range(SAMPLES.get(passage["domain"], 3)):
            if number == 0 and spans:
                samples.append(("list", text[spans[0][0] : spans[0][1]], spans[0][0]))
            elif rng.random() < NONE_SHARE:
                samples.append(("none", generator.NONE, None))
            else:
                samples.append(("answered", None, None))
        out.append((passage, generator.prompt(tokenizer, text), [(kind, answer, at, forced(answer) if answer else []) for kind, answer, at in samples]))
    return sorted(out, key=lambda row: (len(row[2]), len(row[1])))


def example(passage, kind, given, at, written):
    """The example of what was written, or None: an answer must stand in the passage."""
    found = generator.parse(written)
    if not found:
        return None
    answer, question = found
    new = {"source": "generated", "doc": passage["doc"], "question": question, "context": passage["text"], "answers": [], "kind": kind}
    if kind == "none" or answer.lower() == generator.NONE:
        return {**new, "kind": "none"}
    start = at if at is not None else passage["text"].find(answer)
    if start < 0:
        match = re.search(re.escape(answer), passage["text"], re.IGNORECASE)
        if not match:
            return None
        start, answer = match.start(), match.group()
    size = len(given or answer)
    return {**new, "source": "generated_list" if kind == "list" else "generated", "answers": [{"text": passage["text"][start : start + size], "start": start}]}


def elsewhere(ex, siblings, rng):
    """The question put to another passage of the document, the most similar of a few."""
    others = [text for text in rng.sample(siblings, min(6, len(siblings))) if text != ex["context"]]
    if not others:
        return None
    return {**ex, "source": "generated", "kind": "elsewhere", "context": max(others, key=lambda text: unanswerable.overlap(ex["question"], text)), "answers": []}


def main():
    args = parse()
    rng = random.Random(args.seed)
    torch.manual_seed(args.seed)
    model, tokenizer = generator.load(args.generator)
    decoder = generator.Decoder(model.to(args.device), torch.float32 if args.device == "cpu" else torch.bfloat16)
    del model
    with args.passages.open(encoding="utf-8") as file:
        passages = [json.loads(line) for line in file]
    siblings = defaultdict(list)
    for passage in passages:
        siblings[passage["doc"]].append(passage["text"])
    rng.shuffle(passages)
    which, of = map(int, args.part.split("/"))
    rows = prompts(passages[which::of][: 8 if args.smoke else None], tokenizer, rng)
    groups, at = [], 0
    while at < len(rows):
        count = max(1, args.rows // len(rows[at][2]))
        group = [row for row in rows[at : at + count] if len(row[2]) == len(rows[at][2])]
        groups.append(group)
        at += len(group)
    rng.shuffle(groups)
    stop = tokenizer.encode("\n", add_special_tokens=False)[0]
    begun, counts, wrong, seen = time.monotonic(), Counter(), 0, set()
    part = args.out.with_suffix(".part")
    with part.open("w", encoding="utf-8") as out:
        for number, group in enumerate(groups):
            if time.monotonic() - begun > 60 * args.minutes:
                break
            written = decoder.sample([row[1] for row in group], [[sample[3] for sample in row[2]] for row in group], STEPS, stop, TEMPERATURE, TOP_K)
            texts = tokenizer.batch_decode([tokens for some in written for tokens in some])
            flat = [(passage, sample) for passage, _, samples in group for sample in samples]
            for (passage, (kind, answer, place, _)), text in zip(flat, texts, strict=True):
                ex = example(passage, kind, answer, place, text)
                if ex is None or (ex["question"], ex["context"]) in seen:
                    wrong += 1
                    continue
                seen.add((ex["question"], ex["context"]))
                more = elsewhere(ex, siblings[passage["doc"]], rng) if ex["answers"] and rng.random() < ELSEWHERE_SHARE else None
                for one in filter(None, (ex, more)):
                    out.write(json.dumps(one, ensure_ascii=False) + "\n")
                    counts[one["kind"]] += 1
            if number % 20 == 19:
                print(f"{number + 1} of {len(groups)} batches, {dict(counts)}, {wrong} thrown away, {sum(counts.values()) / (time.monotonic() - begun):.0f} a second", flush=True)
    part.rename(args.out)
    print(f"{args.out.name} {sum(counts.values())} {dict(counts)}, {wrong} thrown away")


if __name__ == "__main__":
    main()
