"""Readers of the human data: each yields examples of one shape.

An example is {"source", "doc", "question", "context", "answers": [{"text", "start"}], ...}; `doc` names the document that the
held-out split is made by, `article` (where it differs) the group of neighbouring paragraphs.
"""
import gzip
import io
import json
from collections import Counter
from hashlib import sha256
from pathlib import Path

from text import detokenise, find_near, normalise, sentences

HELD_OUT_PERCENT = 15
HELD_OUT_SOURCES = ("nq", "policyqa", "covidqa", "qamr", "squad2", "tydiqa", "friendsqa", "bioasq", "quoref", "realtimeqa", "cnn", "written")


def is_held_out(example):
    """By document, fixed by a hash; of SQuAD and SQuADShifts, which the starter saw, nothing."""
    source = "cnn" if example["doc"].startswith("cnn/") else example["source"]
    if source not in HELD_OUT_SOURCES:
        return False
    return int(sha256(f"{source}/{example['doc']}".encode()).hexdigest()[:8], 16) % 100 < HELD_OUT_PERCENT


def part(ex, begin, end):
    """The example with only these characters of its text, and the answers that stand in them."""
    answers = [{"text": a["text"], "start": a["start"] - begin} for a in ex["answers"] if a["start"] >= begin and a["start"] + len(a["text"]) <= end]
    return {**ex, "context": ex["context"][begin:end], "answers": answers}


def must_exist(path):
    if not path.exists():
        raise SystemExit(f"there is no {path}: check the options that name data; README.md says what a step reads")


def read_squad(path):
    must_exist(path)
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return json.load(file)["data"]


def read_zst(path):
    """Yields (number, row) of a zstd file of JSON lines."""
    import zstandard

    must_exist(path)
    with open(path, "rb") as raw:
        for number, line in enumerate(io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(raw), "utf-8")):
            yield number, json.loads(line)


def example(source, doc, question, context, answers, **more):
    return {"source": source, "doc": doc, "question": question.strip(), "context": context, "answers": answers, **more}


def verified(context, answers):
    """Answers at the place where they really stand; the most common first, then the shortest."""
    found = []
    for answer in answers:
        text = answer["text"].strip()
        start = find_near(context, text, answer["answer_start"]) if text else None
        if start is not None:
            found.append({"text": text, "start": start})
    counts = Counter(normalise(a["text"]) for a in found)
    found.sort(key=lambda a: (-counts[normalise(a["text"])], len(a["text"])))
    unique = {}
    for answer in found:
        unique.setdefault((answer["text"], answer["start"]), answer)
    return list(unique.values())


def detokenised(context, answers):
    """A PTB context and its answers as running text."""
    clean, out = detokenise(context), []
    for answer in answers:
        near = len(detokenise(context[: answer["answer_start"]]))
        out.append({"text": detokenise(answer["text"]), "answer_start": near})
    return clean, out


def squad(data):
    """SQuAD train, partial. Where the answer occurs twice and the start is the first, the start is a guess: those are dropped."""
    for article in read_squad(data / "qa-train/squad_train_partial.json.gz"):
        for paragraph in article["paragraphs"]:
            context = paragraph["context"]
            for qa in paragraph["qas"]:
                answers = verified(context, qa["answers"])
                if not answers:
                    continue
                first = answers[0]
                if context.count(first["text"]) > 1 and context.find(first["text"]) == first["start"]:
                    if not _supported(qa["question"], context, first):
                        continue
                yield example("squad", article["title"], qa["question"], context, answers)


def _supported(question, context, answer):
    """Whether the words of the question stand nearer to the first occurrence than to any other one."""
    words = {w for w in normalise(question).split() if len(w) > 3}

    def near(start):
        return len(words & set(normalise(context[max(0, start - 150) : start + 150]).split()))

    starts, start = [], context.find(answer["text"])
    while start >= 0:
        starts.append(start)
        start = context.find(answer["text"], start + 1)
    return all(near(answer["start"]) > near(other) for other in starts if other != answer["start"])


def squadshifts(data):
    for part in ("new_wiki", "reddit", "amazon_reviews"):
        for number, article in enumerate(read_squad(data / f"qa-train/squadshifts_{part}.json.gz")):
            for paragraph in article["paragraphs"]:
                for qa in paragraph["qas"]:
                    answers = verified(paragraph["context"], qa["answers"])
                    if answers:
                        yield example(f"shifts_{part}", f"{part}/{number}", qa["question"], paragraph["context"], answers)


def nq(data):
    """Natural Questions (QED): a paragraph of Wikipedia each, spaced like PTB. The title ends in a running number."""
    for article in read_squad(data / "qa-more/nq_qed_dev.squad.json.gz"):
        title = article["title"].rsplit(" ", 1)[0]
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                context, answers = detokenised(paragraph["context"], qa["answers"])
                answers = verified(context, answers)
                if answers:
                    yield example("nq", title, qa["question"].rstrip("?") + "?", context, answers)


def policyqa(data):
    for part in ("dev", "test"):
        for article in read_squad(data / f"qa-more/policyqa_{part}.json.gz"):
            for paragraph in article["paragraphs"]:
                for qa in paragraph["qas"]:
                    answers = verified(paragraph["context"], qa["answers"])
                    if answers:
                        yield example("policyqa", article["title"], qa["question"], paragraph["context"], answers)


def covidqa(data):
    for article in read_squad(data / "qa-more/covidqa.squad.json.gz"):
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                answers = verified(paragraph["context"], qa["answers"])
                if answers:
                    yield example("covidqa", sha256(paragraph["context"].encode()).hexdigest()[:16], qa["question"], paragraph["context"], answers)


def qamr(data):
    """QAMR: one sentence each; the title is set:document:paragraph:sentence. The passage is made in prepare.py."""
    for part in ("dev", "test"):
        for article in read_squad(data / f"qa-more/qamr_{part}.squad.json.gz"):
            doc = ":".join(article["title"].split(":")[:3])
            for paragraph in article["paragraphs"]:
                for qa in paragraph["qas"]:
                    context, answers = detokenised(paragraph["context"], qa["answers"])
                    answers = verified(context, answers)
                    if answers:
                        yield example("qamr", doc, qa["question"].strip(), context, answers)


READERS = (squad, squadshifts, nq, policyqa, covidqa, qamr)


def read_all(data, extra=None):
    data = Path(data)
    return [ex for reader in READERS for ex in reader(data)] + list(read_extra(extra) if extra else [])


# Data sets found in public repositories, in SQuAD's format: file, source, whether its titles name documents. See README.md for where they are from.
EXTRA = (
    ("squad2_train_unanswerable_linked", "squad2_known", True),
    ("squad2_train_unanswerable_matched", "squad2_known", True),
    ("squad2_train_lowercase_unansq_dev", "squad2", False),
    ("squad_train_answerable_recovered", "squad_recovered", False),
    ("tydiqa_goldp_en_train", "tydiqa", True),
    ("tatqa_text_spans", "tatqa", False),
    ("fairytaleqa_explicit", "fairytale", True),
    ("tydiqa_goldp_en_dev", "tydiqa", True),
    ("friendsqa_dev_test", "friendsqa", True),
    ("molweni_test", "molweni", True),
    ("qasrl_gs_wikinews", "qasrl", True),
    ("bioasq_golden_snippets", "bioasq", True),
    ("quoref_contrast_sets", "quoref", True),
    ("hotpotqa_pieces", "hotpotqa", True),
    ("hotpotqa_ircot", "hotpotqa", False),
    ("realtimeqa_evidence", "realtimeqa", True),
    ("realtimeqa_articles", "realtimeqa", True),
    ("multispanqa_lists", "multispanqa", False),
    ("nq_swap", "nq_swap", False),
    ("newsqa_bits", "newsqa", True),
    ("tweetqa", "tweetqa", False),
)


def read_extra(directory):
    """Unanswerable questions here are people's own: kind "human", no answers."""
    for name, source, titled in EXTRA:
        path = Path(directory) / f"{name}.json.gz"
        if not path.exists():
            print(f"{path.name}: not there, left out")
            continue
        for article in read_squad(path):
            for paragraph in article["paragraphs"]:
                context = paragraph["context"]
                doc = article["title"] if titled else sha256(context.encode()).hexdigest()[:16]
                for qa in paragraph["qas"]:
                    answers = verified(context, qa["answers"])
                    if answers:
                        yield example(source, doc, qa["question"], context, answers)
                    elif qa.get("is_impossible"):
                        yield example(source, doc, qa["question"], context, [], kind="human")


LEAK_WORDS = 8  # a sentence of fewer words may stand in two texts by chance


def without_dev(examples, data):
    """The examples whose passage has no sentence in common with SQuAD dev, on which the reader is reported."""
    dev = set()
    for name in ("dev-v1.1", "dev-v2.0"):
        for article in read_squad(Path(data) / f"squad/{name}.json.gz"):
            for paragraph in article["paragraphs"]:
                dev.update(_sentences(paragraph["context"]))
    leaking = {context for context in {ex["context"] for ex in examples} if not dev.isdisjoint(_sentences(context))}
    kept = [ex for ex in examples if ex["context"] not in leaking]
    print(f"left out: {len(examples) - len(kept)} questions on {len(leaking)} passages that share a sentence with SQuAD dev")
    return kept


def _sentences(context):
    found = (normalise(context[start:end]) for start, end in sentences(context))
    return {sentence for sentence in found if len(sentence.split()) >= LEAK_WORDS}
