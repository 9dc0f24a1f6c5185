"""Text helpers shared by every step: detokenising, sentences, the official SQuAD normalisation and scores."""
import re
import string
from collections import Counter

PTB = {"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}", "``": '"', "''": '"'}


def detokenise(text):
    """Penn-Treebank tokens back to running text. Quotes are left loose: which side they close on is not known."""
    words = [PTB.get(word.upper() if word.startswith("-") else word, word) for word in text.split()]
    text = " ".join(words)
    text = re.sub(r" ([,.;:!?%)\]}])(?=[ ,.;:!?)]|$)", r"\1", text)
    text = re.sub(r" ([,.;:!?%)\]}])(?= |$)", r"\1", text)
    text = re.sub(r"([(\[{$£€]) ", r"\1", text)
    text = re.sub(r" (n't|'s|'re|'ve|'ll|'d|'m|'S|N'T)\b", r"\1", text)
    text = re.sub(r"(s) ' ", r"\1' ", text)
    return re.sub(r"(\w) - (\w)", r"\1-\2", text)


def find_near(context, answer, near):
    """Start of the occurrence of `answer` in `context` that is nearest to `near`, or None."""
    starts, start = [], context.find(answer)
    while start >= 0:
        starts.append(start)
        start = context.find(answer, start + 1)
    whole = [s for s in starts if _is_whole(context, s, s + len(answer))] or starts
    return min(whole, key=lambda s: abs(s - near)) if whole else None


def _is_whole(context, start, end):
    before = start > 0 and context[start - 1].isalnum() and context[start].isalnum()
    after = end < len(context) and context[end].isalnum() and context[end - 1].isalnum()
    return not before and not after


ABBREVIATION = re.compile(r"\b(mr|mrs|ms|dr|st|jr|sr|gen|sen|rep|gov|lt|col|sgt|no|vs|etc|inc|co|u\.s|u\.k|e\.g|i\.e|[a-z])\.$", re.I)


def sentences(text):
    """[(start, end)] of the sentences of `text`; together they cover it."""
    spans, start = [], 0
    for match in re.finditer(r"[.!?][\"')\]”’]*\s+|\n+", text):
        if match.group().startswith(".") and ABBREVIATION.search(text[start : match.start() + 1]):
            continue
        spans.append((start, match.end()))
        start = match.end()
    if start < len(text):
        spans.append((start, len(text)))
    return spans


NO_PUNCTUATION, ARTICLES = str.maketrans("", "", string.punctuation), re.compile(r"\b(a|an|the)\b")


def normalise(text):
    """Lower case, no punctuation, no articles, single spaces (the official SQuAD script)."""
    return " ".join(ARTICLES.sub(" ", text.lower().translate(NO_PUNCTUATION)).split())


def f1(prediction, gold):
    ours, theirs = normalise(prediction).split(), normalise(gold).split()
    if not ours or not theirs:
        return float(ours == theirs)
    same = sum((Counter(ours) & Counter(theirs)).values())
    return 2 * same / (len(ours) + len(theirs)) if same else 0.0


def exact(prediction, gold):
    return float(normalise(prediction) == normalise(gold))


def score(prediction, golds):
    """(exact match, F1) against the best of `golds`; an empty list of golds wants the empty answer."""
    golds = golds or [""]
    return max(exact(prediction, g) for g in golds), max(f1(prediction, g) for g in golds)


def contains(text, needle):
    """Whether `needle` occurs in `text` as whole words, case and punctuation aside."""
    return f" {normalise(needle)} " in f" {normalise(text)} "


def is_list(answer):
    """A gold answer that is a coordination: at least two items joined by 'and', '&' or commas."""
    return bool(re.search(r"\w,? (and|&) \w", answer) or len(re.findall(r"\w, \w", answer)) >= 2) and 3 <= len(answer.split()) <= 40


FUNCTION_WORDS = set("a an the of in on at to for from by with and or is are was were be been do does did has have had can could will would should what which who whom whose when where why how that this it its their his her".split())


def keywords(question):
    """A question without its function words, unless little is left of it."""
    words = [word for word in question.rstrip(" ?.").split() if word.lower() not in FUNCTION_WORDS]
    return " ".join(words) if len(words) >= 2 else question
