"""Recipes that turn an answered example into a tempting unanswerable one. Each returns an example or None."""
import re

from text import contains, normalise, sentences

MIN_CONTEXT_CHARS = 80


def answer_strings(ex):
    return [a["text"] for a in ex["answers"] if normalise(a["text"])]


def mentions_answer(ex, text):
    return any(contains(text, answer) for answer in answer_strings(ex))


def made(ex, kind, **changed):
    return {**ex, **changed, "answers": [], "kind": kind}


def delete_sentence(ex, rng):
    """The sentences that the answers stand in deleted; no answer may recur in the rest."""
    context, kept = ex["context"], []
    for start, end in sentences(context):
        if not any(a["start"] < end and a["start"] + len(a["text"]) > start for a in ex["answers"]):
            kept.append(context[start:end])
    rest = "".join(kept).strip()
    if len(rest) < MIN_CONTEXT_CHARS or mentions_answer(ex, rest):
        return None
    return made(ex, "deleted", context=rest)


def overlap(question, context):
    words = {w for w in normalise(question).split() if len(w) > 3}
    return len(words & set(normalise(context).split())) / (len(words) or 1)


def neighbour(ex, contexts, rng, tempting=True):
    """The question put to another paragraph of the same article, the most similar of a few that hold no answer."""
    others = [c for c in rng.sample(contexts, min(12, len(contexts))) if c != ex["context"] and len(c) >= MIN_CONTEXT_CHARS]
    others = [c for c in others if not mentions_answer(ex, c)]
    if not others:
        return None
    chosen = max(others, key=lambda c: overlap(ex["question"], c)) if tempting else rng.choice(others)
    return made(ex, "neighbour" if tempting else "easy", context=chosen)


YEAR, NUMBER = re.compile(r"\b(?:1[0-9]|20)\d\d\b"), re.compile(r"\b\d[\d,.]*\d\b|\b\d\b")
NAME = re.compile(r"\b[A-Z][\w’'-]+(?:(?: of| the| de| van)* [A-Z][\w’'-]+)*")
NOT_NAMES = set("the a an in on at of for and but or if when what who which where why how this that these those it he she they we i is was are were did do does his her their its as by to from with there some many most one after before during while although however since because".split())


def entities(text):
    """[(type, string, start)] of years, other numbers and capitalised sequences that do not open a sentence alone."""
    found = [("year", m.group(), m.start()) for m in YEAR.finditer(text)]
    years = {start for _, _, start in found}
    found += [("number", m.group(), m.start()) for m in NUMBER.finditer(text) if m.start() not in years]
    for match in NAME.finditer(text):
        words, start = match.group().split(), match.start()
        while words and words[0].lower() in NOT_NAMES:
            start += len(words.pop(0)) + 1
        if words and len(words) <= 5:
            kind = "name" if len(words) == 1 else "names"
            found.append((kind, " ".join(words), start))
    return found


def swap_entity(ex, pool, rng):
    """A name or number of the question swapped for another of the same type from the paragraph or article; the
    newcomer must not share a sentence with the answer, so that the sentence no longer answers the question."""
    question, context = ex["question"], ex["context"]
    first = ex["answers"][0]
    around = next((context[s:e] for s, e in sentences(context) if s <= first["start"] < e), context)
    ours = [e for e in entities(question) if e[2] > 0]
    rng.shuffle(ours)
    for kind, old, start in ours:
        here = [e[1] for e in entities(context) if e[0] == kind]
        there = [e[1] for other in pool for e in entities(other) if e[0] == kind]
        for candidates in (here, there):
            candidates = sorted({c for c in candidates if _differs(c, old, question) and not contains(around, c) and not mentions_answer(ex, c)})
            if candidates:
                new = rng.choice(candidates)
                return made(ex, "swapped", question=question[:start] + new + question[start + len(old) :])
    return None


def _differs(new, old, question):
    return not (set(normalise(new).split()) & set(normalise(old).split())) and not contains(question, new)


OPPOSITES = """first last; largest smallest; biggest smallest; highest lowest; most least; more less; more fewer; before after; increase decrease;
increased decreased; increases decreases; north south; east west; northern southern; eastern western; old new; older younger; oldest youngest; longest shortest; higher lower; larger smaller;
begin end; began ended; start end; started ended; won lost; win lose; male female; men women; man woman; father mother; son daughter; brother sister; husband wife; king queen; allowed prohibited;
legal illegal; public private; early late; earlier later; major minor; maximum minimum; positive negative; good bad; best worst; rich poor; support oppose; supported opposed; accept reject; accepted rejected;
open close; opened closed; success failure; successful unsuccessful; common rare; always never; true false; same different; like dislike; liked disliked; easy difficult; inside outside; above below; buy sell; bought sold;
born killed; created destroyed; built destroyed; founded dissolved; joined left; added removed; internal external; upper lower; modern ancient; majority minority; advantage disadvantage; friend enemy; gained lost; rise fall; rose fell"""
OPPOSITE = {}
for _pair in OPPOSITES.replace("\n", " ").split(";"):
    _a, _b = _pair.split()
    OPPOSITE.setdefault(_a, _b)
    OPPOSITE.setdefault(_b, _a)
NEGATABLE = re.compile(r"\b(did|does|do|was|were|is|are|has|have|had|can|could|will|would|should)\b")


def negate(ex, rng):
    """A word of the question swapped for its opposite, or else (one in four) the verb negated."""
    words = [m for m in re.finditer(r"[a-zA-Z]+", ex["question"]) if m.group().lower() in OPPOSITE]
    if words:
        match = rng.choice(words)
        new = OPPOSITE[match.group().lower()]
        return made(ex, "opposite", question=ex["question"][: match.start()] + new + ex["question"][match.end() :])
    match = NEGATABLE.search(ex["question"])
    if not match or rng.random() > 0.25 or re.match(r"(is|are|do|does|did|was|were|can|will|would)\b", ex["question"], re.I):
        return None
    negative = {"can": "can't", "will": "won't"}.get(match.group(), match.group() + "n't")
    return made(ex, "negated", question=ex["question"][: match.start()] + negative + ex["question"][match.end() :])
