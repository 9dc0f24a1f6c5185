"""Articles and other documents with reference summaries, and the greedy oracle. Shared by the steps of the sentence scorer."""
import gzip
import json
import re
from collections import Counter
from hashlib import sha256

import sources
from text import detokenise

VALIDATION_EVERY = 4  # every so manieth article of the validation file is for choosing
CHOSEN_ON = (VALIDATION_EVERY, 14)  # none of these is reported on: every 14th chose the head of reader-5 and what stage 5.1 tried
STOPS, CLOSERS = {".", "?", "!"}, {'"', "''", "'", ")", "-rrb-"}


def split_ptb(article):
    """The sentences of a tokenised article as running text. Quotation marks are not directed: one after a stop closes if one is open."""
    sentences, current, tokens, at = [], [], article.split(), 0
    while at < len(tokens):
        current.append(tokens[at])
        if tokens[at] in STOPS:
            while at + 1 < len(tokens) and tokens[at + 1] in CLOSERS and (tokens[at + 1] != '"' or current.count('"') % 2):
                at += 1
                current.append(tokens[at])
            sentences.append(detokenise(" ".join(current)))
            current = []
        at += 1
    if current:
        sentences.append(detokenise(" ".join(current)))
    return sentences


def articles(path):
    """Yields {"id", "sentences", "reference"} of a CNN/DailyMail file (tokenised, lower case)."""
    for number, row in sources.read_zst(path):
        reference = [detokenise(sentence) for sentence in row["summary_sents"]]
        sentences = split_ptb(row["article"])
        if len(sentences) >= 4 and reference:
            yield {"id": f"{path.name}/{number}", "sentences": sentences, "reference": reference}


def cased_articles(path):
    """Yields {"id", "article", "reference"} of the validation articles in their original case."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            yield {"id": row["id"], "article": row["article"], "reference": row["highlights"].split("\n")}


def news(data):
    """Yields the articles of both newspapers as documents, a sentence a line: "train", or "choose" for those of the validation file that what is tried
    is judged by. None of the training file repeats one of that file or of the articles in their original case."""
    seen = {fingerprint(article["reference"]) for article in cased_articles(data / "summaries/cnn_dm_val1000_cased.jsonl.gz")}
    for file, every, part in (("val", VALIDATION_EVERY, "choose"), ("train", 1, "train")):
        for number, article in enumerate(articles(data / f"cnn_dm/{file}.jsonl.zst")):
            mark = fingerprint(article["reference"])
            is_new = mark not in seen
            seen.add(mark)
            if number % every == 0 and is_new:
                yield {"id": article["id"], "domain": "news", "format": "txt", "text": "\n".join(article["sentences"]), "summary": article["reference"], "part": part}


def documents(path):
    """Yields the documents of a file of JSON lines, {"id", "domain", "format": "txt" or "md", "text", "summary": [sentences], "group"}, as "train", "choose" or
    "report": a tenth each of the last two, and a group (a meeting, a year of reports) whole."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            share = int(sha256((row.get("group") or row["id"]).encode()).hexdigest(), 16) % 100
            yield {**row, "part": "choose" if share < 10 else "report" if share < 20 else "train"}


def words(text):
    return re.findall(r"[a-z0-9]+", text.lower())


def fingerprint(reference):
    """The same for two articles with the same highlights, however they are tokenised."""
    return sha256(" ".join(words(" ".join(reference))).encode()).hexdigest()[:16]


def grams(tokens, n):
    return Counter(zip(*(tokens[i:] for i in range(n))))


def f1(ours, theirs, same):
    return 2 * same / (ours + theirs) if same else 0.0


def oracle(sentences, reference, most):
    """Indices of the sentences that a greedy search adds while ROUGE-1 plus ROUGE-2 F1 rises (Nallapati et al. 2017, section 3)."""
    gold = [grams(words(" ".join(reference)), n) for n in (1, 2)]
    own = []
    for sentence in sentences:
        counts = [grams(words(sentence), n) for n in (1, 2)]
        own.append([({gram: c for gram, c in count.items() if gram in g}, count.total()) for count, g in zip(counts, gold)])
    open_to = [index for index, counts in enumerate(own) if counts[0][0]]
    chosen, best, union, same, total = [], 0.0, [Counter(), Counter()], [0, 0], [0, 0]

    def adds(count, have, g):
        return sum(min(have[gram] + c, g[gram]) - min(have[gram], g[gram]) for gram, c in count.items())

    while len(chosen) < most:
        scored = []
        for index in open_to:
            value = sum(f1(t + more, g.total(), s + adds(count, have, g)) for t, s, have, g, (count, more) in zip(total, same, union, gold, own[index]))
            scored.append((value, -index))
        if not scored or max(scored)[0] <= best:
            break
        best, index = max(scored)
        chosen.append(-index)
        open_to.remove(-index)
        for n, (count, more) in enumerate(own[-index]):
            same[n] += adds(count, union[n], gold[n])
            union[n].update(count)
            total[n] += more
    return sorted(chosen)
