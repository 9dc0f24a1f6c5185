"""Step 2a: passages without questions, for generate.py: news, the passages of the human data, and other texts,
with the places of their coordinations.

    python passages.py --data ../../shared/data --extra EXTRA --texts TEXTS --work ../../train/data

TEXTS holds *.jsonl of {"title", "text", ...}, paragraphs on lines of their own. Documents of the held-out split are left out, but of TEXTS only
what shares a sentence with SQuAD dev: that none of it is in the split, in seeds/ or in eval/ is for whoever gathers it.
"""
import argparse
import json
import random
from collections import Counter, defaultdict
from pathlib import Path

import lists
import sources
from summaries import split_ptb
from text import sentences

SIZES = ((300, 700, 0.25), (700, 1200, 0.4), (1200, 1800, 0.35))  # characters from, to, share; a window has about 1,700
CONTEXTS = {"squad": "wiki", "nq": "wiki", "tydiqa": "wiki", "shifts_new_wiki": "wiki", "hotpotqa": "wiki", "quoref": "wiki", "multispanqa": "wiki", "friendsqa": "dialogue", "molweni": "dialogue", "fairytale": "story",
            "realtimeqa": "news", "covidqa": "science", "bioasq": "science", "shifts_reddit": "forum", "shifts_amazon_reviews": "forum"}  # fmt: skip
NEWS_PASSAGES = 3  # of an article, from its beginning
OTHER_PASSAGES = 40  # of another document


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../../shared/data"))
    parser.add_argument("--extra", type=Path, help="as for prepare.py")
    parser.add_argument("--texts", type=Path, help="directory of *.jsonl with further texts")
    parser.add_argument("--work", type=Path, default=Path("../../train/data"), help="where passages.jsonl goes")
    parser.add_argument("--news", type=int, default=30_000, help="articles of CNN/DailyMail")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--smoke", action="store_true", help="50 articles, 50 documents")
    return parser.parse_args()


def cut(pieces, rng, most, joint):
    """Passages of whole pieces (sentences or lines) of a document, one behind the other."""
    out, current, size = [], [], 0
    draw = lambda: rng.randint(*rng.choices([s[:2] for s in SIZES], [s[2] for s in SIZES])[0])
    wanted = draw()
    for piece in pieces:
        if current and size + len(piece) > wanted:
            out.append(joint.join(current))
            current, size, wanted = [], 0, draw()
            if len(out) == most:
                size = 0
                break
        current.append(piece)
        size += len(piece) + 1
    if size > 200:
        out.append(joint.join(current))
    return [passage for passage in out if 150 < len(passage) < 2500]


def news(path, limit, rng):
    for number, row in sources.read_zst(path):
        doc = f"cnn/{number}"
        if limit <= 0:
            return
        if sources.is_held_out({"source": "cnn", "doc": doc}):
            continue
        limit -= 1
        for passage in cut(split_ptb(row["article"]), rng, NEWS_PASSAGES, " "):
            yield {"domain": "news", "doc": doc, "text": passage}


def of_human(examples, rng):
    """The passages of the human data, long ones cut."""
    contexts = defaultdict(dict)
    for ex in examples:
        if ex["source"] in CONTEXTS and not sources.is_held_out(ex):
            contexts[ex["source"], ex["doc"]][ex["context"]] = None
    for (source, doc), texts in sorted(contexts.items()):
        for text in texts:
            pieces = [text] if len(text) < 2000 else [text[a:b].strip() for a, b in sentences(text)]
            for passage in cut(pieces, rng, OTHER_PASSAGES, " "):
                yield {"domain": CONTEXTS[source], "doc": f"{source}/{doc}", "text": passage}


def of_texts(directory, rng):
    for path in sorted(directory.glob("*.jsonl")):
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file):
                document, pieces = json.loads(line), []
                for paragraph in filter(None, map(str.strip, document["text"].split("\n"))):
                    pieces += [paragraph] if len(paragraph) < 900 else [paragraph[a:b].strip() for a, b in sentences(paragraph)]
                for passage in cut(pieces, rng, OTHER_PASSAGES, "\n" if path.stem in ("meeting", "notes", "legal") else " "):
                    yield {"domain": path.stem, "doc": f"{path.stem}/{number}", "text": passage}


def main():
    args = parse()
    rng = random.Random(args.seed)
    human = sources.without_dev(sources.read_all(args.data, args.extra), args.data)
    found = list(news(args.data / "cnn_dm/train.jsonl.zst", 50 if args.smoke else args.news, rng))
    found += [p for p in of_human(human, rng)][: 50 if args.smoke else None]
    found += [p for p in of_texts(args.texts, rng)][: 50 if args.smoke else None] if args.texts else []
    clean = sources.without_dev([{"context": p["text"], **p} for p in found], args.data)
    clean = list({p["text"]: {key: p[key] for key in ("domain", "doc", "text")} for p in clean}.values())
    lexicon = lists.Lexicon({ex["context"] for ex in human if ex["source"] in ("squad", "nq", "shifts_new_wiki")})
    for passage in clean:
        passage["lists"] = lists.coordinations(passage["text"], lexicon)
    args.work.mkdir(parents=True, exist_ok=True)
    (args.work / "passages.jsonl").write_text("".join(json.dumps(p, ensure_ascii=False) + "\n" for p in clean), encoding="utf-8")
    print("passages.jsonl", len(clean), dict(Counter(p["domain"] for p in clean).most_common()), f"{sum(len(p['text']) for p in clean) / 1e6:.1f} M characters, {sum(len(p['lists']) for p in clean)} lists")


if __name__ == "__main__":
    main()
