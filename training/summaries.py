"""Articles with reference summaries, as sentences, with the greedy oracle's labels. Shared by the steps of the sentence scorer."""
import gzip
import json
import re
from collections import Counter
from hashlib import sha256

import sources
from text import detokenise

ORACLE_SENTENCES = 3
VALIDATION_EVERY = 4  # every so manieth article of the validation file chooses the scorer's epoch
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


def words(text):
    return re.findall(r"[a-z0-9]+", text.lower())


def fingerprint(reference):
    """The same for two articles with the same highlights, however they are tokenised."""
    return sha256(" ".join(words(" ".join(reference))).encode()).hexdigest()[:16]


def grams(tokens, n):
    return Counter(zip(*(tokens[i:] for i in range(n))))


def f1(ours, theirs, same):
    return 2 * same / (ours + theirs) if same else 0.0


def oracle(sentences, reference, most=ORACLE_SENTENCES):
    """Indices of the sentences that a greedy search adds while ROUGE-1 plus ROUGE-2 F1 rises (Nallapati et al. 2017, section 3)."""
    gold = [grams(words(" ".join(reference)), n) for n in (1, 2)]
    own = [[grams(words(s), n) for n in (1, 2)] for s in sentences]
    chosen, best, union = [], 0.0, [Counter(), Counter()]

    def value(parts):
        return sum(f1(p.total(), g.total(), (p & g).total()) for p, g in zip(parts, gold))

    while len(chosen) < most:
        scored = [(value([u + g for u, g in zip(union, own[i])]), -i) for i in range(len(sentences)) if i not in chosen]
        if not scored or max(scored)[0] <= best:
            break
        best, index = max(scored)
        chosen.append(-index)
        union = [u + g for u, g in zip(union, own[-index])]
    return sorted(chosen)
