"""Step 1: the data -> examples, split by document. Writes train.jsonl, heldout.jsonl and lists.jsonl to the work directory.

    python prepare.py --data ../../shared/data --work ../../train/data
"""
import argparse
import json
import random
from collections import Counter, defaultdict
from pathlib import Path

import clozes
import lists
import sources
import unanswerable as un
from text import is_list, keywords, sentences

# Examples of each source and recipe in the training mixture; None takes all of them.
ANSWERED = {"shifts_amazon_reviews": 8000, "policyqa": 3000, "qamr": 24000, "molweni": 1000, "tweetqa": 4000, "nq_swap": 3000}
TEMPTING = {"deleted": 14000, "neighbour": 12000, "swapped": 8000, "opposite": 4000, "negated": 1500, "elsewhere": 3000, "easy": 3000}  # beside the human ones
GOLD_LISTS = 4000  # human questions with a list as the answer, on top of their share: together about four times it
PASSAGE_CHARS = 900  # a stretch of a long article: about one window
LONG_SHARE = 0.3  # passages that get company, up to a whole window: most windows of a document hold little about the question
LONG_CHARS = 1500
KEYWORD_SHARE = 0.08  # questions written as a person types them into a search box: without function words


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../../shared/data"))
    parser.add_argument("--extra", type=Path, help="directory of the further data sets that README.md lists; without it they are left out")
    parser.add_argument("--work", type=Path, default=Path("../../train/data"), help="where the examples go")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--smoke", action="store_true", help="a few hundred examples of each kind")
    return parser.parse_args()


def cut(ex, rng, chars=PASSAGE_CHARS):
    """A stretch of whole sentences around the answer of an example with a long context."""
    if len(ex["context"]) <= 2 * chars:
        return ex
    start, size = ex["answers"][0]["start"], len(ex["answers"][0]["text"])
    begin = max(0, start - rng.randint(0, max(0, chars - size)))
    return clip(ex, begin, begin + max(chars, size + 50))


def clip(ex, begin, end):
    spans = [(s, e) for s, e in sentences(ex["context"]) if e > begin and s < end]
    begin, end = spans[0][0], spans[-1][1]
    if end - begin > 4000:
        return None
    clipped = sources.part(ex, begin, end)
    return clipped if clipped["answers"] else None


class Company:
    """Other passages for a passage to stand among: of the same document where the answer is known not to be in them, else of another."""

    def __init__(self, examples):
        self.all, self.by_doc = [], defaultdict(list)
        for source, doc, context in sorted({(ex["source"], ex["doc"], ex["context"]) for ex in examples if len(ex["context"]) < LONG_CHARS}):
            self.all.append((source, doc, context))
            self.by_doc[source, doc].append(context)

    def around(self, ex, rng):
        before, after, size = [], [], len(ex["context"])
        own = [c for c in self.by_doc[ex["source"], ex["doc"]] if c != ex["context"]] if ex["answers"] else []
        rng.shuffle(own)
        for _ in range(4):
            if size > LONG_CHARS:
                break
            source, doc, other = (ex["source"], None, own.pop()) if own else rng.choice(self.all)
            if (source, doc) == (ex["source"], ex["doc"]) or un.mentions_answer(ex, other):
                continue
            (before if rng.random() < 0.5 else after).append(other)
            size += len(other)
        shift = sum(len(c) + 1 for c in before)
        answers = [{**a, "start": a["start"] + shift} for a in ex["answers"]]
        return {**ex, "context": "\n".join([*before, ex["context"], *after]), "answers": answers, "company": True}


def elsewhere(ex, rng):
    """Another stretch of the same long article, in which no answer occurs."""
    if len(ex["context"]) < 4 * PASSAGE_CHARS:
        return None
    begin = rng.randrange(len(ex["context"]) - PASSAGE_CHARS)
    stretch = ex["context"][begin : begin + PASSAGE_CHARS].partition(" ")[2].rpartition(" ")[0]
    return None if un.mentions_answer(ex, stretch) else un.made(ex, "elsewhere", context=stretch)


class Passages:
    """QAMR sentences become passages: the sentence among 2 to 6 others, half of them of the same document."""

    def __init__(self, examples):
        self.all, self.by_doc = [], defaultdict(list)
        for doc, context in sorted({(ex["doc"], ex["context"]) for ex in examples}):
            self.all.append(context)
            self.by_doc[doc].append(context)

    def around(self, ex, rng, with_sentence=True):
        own = [c for c in self.by_doc[ex["doc"]] if c != ex["context"]]
        others = rng.sample(own, min(len(own), rng.randint(1, 3))) + rng.sample(self.all, rng.randint(1, 3))
        others = [c for c in dict.fromkeys(others) if c != ex["context"] and not un.mentions_answer(ex, c)]
        rng.shuffle(others)
        if not with_sentence:
            return un.made(ex, "neighbour", context=" ".join(others)) if others else None
        at = rng.randint(0, len(others))
        before = " ".join(others[:at])
        shift = len(before) + 1 if before else 0
        context = " ".join(part for part in (before, ex["context"], " ".join(others[at:])) if part)
        return {**ex, "context": context, "answers": [{"text": a["text"], "start": a["start"] + shift} for a in ex["answers"]]}


def answered(examples, passages, rng):
    """Every example with the passage that it is trained or measured on."""
    out = []
    for ex in examples:
        ex = passages.around(ex, rng) if ex["source"] == "qamr" else cut(ex, rng)
        if ex:
            out.append({"kind": "answered", **ex})
    return out


def unanswerable(examples, full, passages, wanted, rng):
    """Up to `wanted[kind]` examples of each recipe, spread over the sources."""
    articles = defaultdict(list)
    for ex in full:
        if ex["source"] in ("squad", "nq", "shifts_new_wiki") and ex["context"] not in articles[ex["doc"]][-1:]:
            articles[ex["doc"]].append(ex["context"])
    everything = [c for contexts in articles.values() for c in contexts]
    by_kind = defaultdict(list)
    order = list(zip(examples, range(len(examples))))
    rng.shuffle(order)
    order *= 3
    recipes = sorted(wanted, key=lambda kind: wanted[kind])
    for ex, _ in order:
        if all(len(by_kind[kind]) >= wanted[kind] for kind in recipes):
            break
        open_kinds = [kind for kind in recipes if len(by_kind[kind]) < wanted[kind]]
        kind = rng.choices(open_kinds, [wanted[k] - len(by_kind[k]) for k in open_kinds])[0]
        new = one_unanswerable(kind, ex, articles, everything, passages, rng)
        if new:
            by_kind[new["kind"]].append(new)
    return [ex for made in by_kind.values() for ex in made]


def one_unanswerable(kind, ex, articles, everything, passages, rng):
    source = ex["source"]
    if kind == "deleted":
        return un.delete_sentence(ex, rng)
    if kind == "neighbour":
        if source == "qamr":
            return passages.around(ex["bare"], rng, with_sentence=False) if "bare" in ex else None
        if source == "nq":
            return un.neighbour(ex, everything, rng) if everything else None
        siblings = articles.get(ex["doc"], [])
        return un.neighbour(ex, siblings, rng) if source in ("squad",) and len(siblings) > 1 else None
    if kind == "swapped":
        siblings = articles.get(ex["doc"], [])
        return un.swap_entity(ex, rng.sample(siblings, min(3, len(siblings))) if source == "squad" else [], rng)
    if kind in ("opposite", "negated"):
        new = un.negate(ex, rng) if source != "policyqa" else None
        return new if new and new["kind"] == kind else None
    if kind == "elsewhere":
        return elsewhere(ex["bare"], rng) if source == "covidqa" and "bare" in ex else None
    return un.neighbour(ex, everything, rng, tempting=False) if source != "policyqa" and everything else None


def with_bare(examples, passages, rng):
    """`answered`, each remembering the example before its passage was made (for recipes that need the whole document)."""
    out = []
    for ex in examples:
        made = answered([ex], passages, rng)
        if made:
            out.append({**made[0], "bare": ex} if ex["source"] in ("qamr", "covidqa") else made[0])
    return out


def sample(examples, wanted, rng):
    by_source = defaultdict(list)
    for ex in examples:
        by_source[ex["source"]].append(ex)
    out = []
    for source, group in sorted(by_source.items()):
        count = wanted.get(source)  # None: all
        out += group if count is None else rng.sample(group, min(count, len(group)))
    return out


def write(path, examples):
    examples = [{key: value for key, value in ex.items() if key != "bare"} for ex in examples]
    for number, ex in enumerate(examples):
        ex["id"] = f"{path.stem}-{number}"
        for answer in ex["answers"]:
            assert ex["context"][answer["start"] :].startswith(answer["text"]), ex
    path.write_text("".join(json.dumps(ex, ensure_ascii=False) + "\n" for ex in examples), encoding="utf-8")
    print(path.name, len(examples), dict(Counter(f"{ex['source'].split('_')[0]}/{ex.get('kind', 'whole')}" for ex in examples).most_common()))


def main():
    args = parse()
    args.work.mkdir(parents=True, exist_ok=True)
    rng = random.Random(args.seed)
    scale = 50 if args.smoke else 1
    everything = sources.without_dev(sources.read_all(args.data, args.extra), args.data)
    rng.shuffle(everything)
    human = [ex for ex in everything if not ex["answers"]]
    held = [ex for ex in everything if ex["answers"] and sources.is_held_out(ex)]
    train = [ex for ex in everything if ex["answers"] and not sources.is_held_out(ex)]

    lexicon = lists.Lexicon({ex["context"] for ex in train if ex["source"] in ("squad", "nq", "shifts_new_wiki")})
    articles = 800 if args.smoke else None
    mined = list(lists.mine(args.data / "cnn_dm/train.jsonl.zst", lexicon, rng, articles))
    print("mined lists:", len(mined), "by items:", sorted(Counter(ex["items"] for ex in mined).items()))
    mined = [ex for ex in mined if not sources.is_held_out(ex)]
    pairs = [ex for ex in mined if ex["items"] == 2]
    mined = 3 * [ex for ex in mined if ex["items"] > 2] + rng.sample(pairs, min(len(pairs), 2000))
    for ex in clozes.mine(args.data / "cnn_dm/train.jsonl.zst", lexicon, rng, articles):
        (held if sources.is_held_out(ex) else mined).append(ex)

    # The held-out split first. PolicyQA and QAMR are cut down: they would be most of it.
    passages = Passages([ex for ex in held if ex["source"] == "qamr"])
    chosen = sample(with_bare(held, passages, rng), {"policyqa": 700 // scale, "qamr": 1000 // scale, "clozes": 600 // scale}, rng)
    asked = unanswerable(with_bare(held, passages, rng), held, passages, {kind: count // scale for kind, count in HELD_OUT_TEMPTING.items()}, rng)
    write(args.work / "heldout.jsonl", chosen + asked + [ex for ex in human if sources.is_held_out(ex)])
    write(args.work / "heldout_full.jsonl", [ex for ex in held if ex["source"] == "covidqa"])

    passages = Passages([ex for ex in train if ex["source"] == "qamr"])
    ready = with_bare(train, passages, rng)
    asked = [ex for ex in ready if ex["source"] != "qamr"] + rng.sample([ex for ex in ready if ex["source"] == "qamr"], 15000)
    tempting = unanswerable(asked + mined, train, passages, {kind: count // scale for kind, count in TEMPTING.items()}, rng)
    wanted = {source: count and count // scale for source, count in ANSWERED.items()}
    answers = sample(ready + mined, wanted, rng)
    golden = [ex for ex in ready if is_list(ex["answers"][0]["text"]) and ex["source"] not in ("policyqa",)]
    answers += rng.sample(golden, min(len(golden), GOLD_LISTS // scale))
    examples = answers + tempting + [ex for ex in human if not sources.is_held_out(ex)]
    examples = [{**ex, "question": keywords(ex["question"])} if rng.random() < KEYWORD_SHARE else ex for ex in examples]
    company = Company(train + mined)
    examples = [company.around(ex, rng) if rng.random() < LONG_SHARE and len(ex["context"]) < LONG_CHARS else ex for ex in examples]
    write(args.work / "train.jsonl", examples)


HELD_OUT_TEMPTING = {"deleted": 450, "neighbour": 350, "swapped": 400, "opposite": 60, "negated": 20, "elsewhere": 80, "easy": 60}

if __name__ == "__main__":
    main()
