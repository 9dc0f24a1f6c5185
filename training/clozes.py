"""Questions made from the highlights of news articles: an editor's sentence about the article with one part asked for. The wording is
not the article's, so a question shares less with the sentence that answers it than those that `lists` mines from the sentence itself.

After the cloze translation of Lewis et al., "Unsupervised Question Answering by Cloze Translation" (arXiv 1906.04980), with rules over
token classes (`lists.Lexicon`) in place of a translation model.
"""
import re

import sources
from lists import DETERMINERS, FIRST_NAMES, FUNCTION, SUBJECT_VERBS, TITLES, VERBS, person, persons_of, sentences_of
from text import detokenise

AUXILIARY = ("is", "are", "was", "were", "has", "have", "will", "would", "can", "could", "should", "may", "must")
DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
MONTHS = "january february march april may june july august september october november december".split()
COUNTED = re.compile(r"^(?:(?:at least|more than|nearly|about|up to|over|around|almost|some|an estimated) )?(\d[\d,.]*(?: (?:million|billion|thousand))?|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|hundreds|thousands|dozens)$")
NUMBERS = "two three four five six seven eight nine ten eleven twelve".split()
MIN_SHARED = 2  # content words that the sentence must share with the highlight beside the answer
CHARACTERS = 1100  # of a passage, about


def content(tokens):
    return {t for t in tokens if len(t) > 3 and t not in FUNCTION}


def without_end(tokens):
    return tokens[:-1] if tokens and tokens[-1] in (".", "!", "?") else tokens


def plain(tokens):
    """Whether a part of a highlight can stand in a question as it is."""
    return not {":", ";", '"', "''", "``", "--", "?", "(", "'", "he", "she", "they", "it", "his", "her", "their", "its", "i", "we", "this", "these", "there", "also", "but"} & set(tokens)


def subject_of(tokens, letters):
    """(end of the subject, index of its verb) of a highlight that begins with its subject, or None."""
    match = re.match(r"[dctno#s]+", letters)
    if not match or match.end() >= len(tokens) - 2:
        return None
    end = match.end()
    # A noun that is taken for a part of the subject may be the verb: "officials face charges" is left alone.
    return (end, end) if tokens[end] in SUBJECT_VERBS else None


def counted(tokens, subject, rest):
    """'at least 15 people were killed in kabul' -> 'how many people were killed in kabul?'"""
    for size in (4, 3, 2, 1):
        number, noun = " ".join(tokens[:size]), tokens[size:subject]
        match = COUNTED.match(number)
        if match and noun and len(noun) <= 4 and noun[0].isalpha() and noun[-1].endswith(("s", "people", "men", "women", "children", "police")):
            return f"how many {' '.join(noun)} {rest}?", match.group(1).split(" ")
    return None


def asked_of(tokens, letters, persons, rng):
    """(question, answer's tokens) of every rule that a highlight fits."""
    found = subject_of(tokens, letters)
    if not found or len(tokens) > 22:
        return
    end, verb = found
    subject, rest = tokens[:end], tokens[verb:]
    if plain(rest) and len(rest) >= 4:
        if number := counted(tokens, end, " ".join(rest)):
            yield number
        elif end <= 5 and letters[end - 1] in "nt" and set(letters[:end]) <= set("nt"):
            # A name that is not known for a person's may be one, or a team.
            yield f"{'who' if person(subject, persons) else rng.choice(['who', 'what'])} {' '.join(rest)}?", subject
    if not plain(tokens) or end > 7:
        return
    asked = tokens[verb]
    if asked in AUXILIARY and len(rest) > 2:
        lead, tail = [asked, *subject], rest[1:]
    elif asked in VERBS:
        lead, tail = ["did", *subject, VERBS[asked]], rest[1:]
    else:
        return
    for at in range(len(tail) - 1, 0, -1):
        what = tail[at]
        after = tail[at + 1 :]
        if what == "on" and len(after) == 1 and after[0] in DAYS or what == "in" and after and after[0] in MONTHS and len(after) <= 2:
            yield f"when {' '.join(lead + tail[:at])}?", after
        elif what == "in" and len(after) == 1 and re.fullmatch(r"(19|20)\d\d", after[0]):
            yield f"{rng.choice(['when', 'in what year', 'in which year'])} {' '.join(lead + tail[:at])}?", after
        elif what in ("in", "at") and 1 <= len(after) <= 3 and at >= 2 and set(letters[len(tokens) - len(after) :]) <= set("n") and after[0] not in DAYS + MONTHS:
            yield f"where {' '.join(lead + tail[:at])}?", after
        elif what == "by" and asked in ("is", "are", "was", "were", "has", "have") and 1 <= len(after) <= 4 and set(letters[len(tokens) - len(after) :]) <= set("dntc"):
            yield f"{'who' if person(after, persons) else 'what'} {' '.join(lead + tail[:at])} by?", after
        if what in ("in", "on", "at", "by"):
            return
    if asked in VERBS and 1 <= len(tail) <= 5 and set(letters[verb + 1 :]) <= set("dntc"):
        yield f"{'who' if person(tail, persons) else 'what'} {' '.join(lead)}?", tail


def find(answer, highlight, body, persons):
    """(sentence number, first token, end token) of the answer in the sentence that says what the highlight says, or None. A person may
    stand there by surname or with a title; then that is the answer."""
    want = content(highlight) - set(answer)
    forms = [answer]
    bare = [t for t in answer if t not in DETERMINERS]
    if bare != answer:
        forms.append(bare)
    if len(bare) > 1 and set(bare) & persons and bare[-1] not in TITLES:
        forms.append(bare[-1:])
    best = None
    for number, tokens in enumerate(body):
        shared = len(want & set(tokens))
        if shared < max(MIN_SHARED, 0.4 * len(want)) or best and shared <= best[0]:
            continue
        for form in forms:
            at = next((i for i in range(len(tokens) - len(form) + 1) if tokens[i : i + len(form)] == form), None)
            if at is not None:
                end = at + len(form)
                at -= at > 0 and tokens[at] in persons and tokens[at - 1] in FIRST_NAMES
                best = shared, number, at, end
                break
    return best and best[1:]


def passage(body, number, first, end, rng):
    """The sentence among its neighbours as running text, and where the answer starts in it; None where it cannot be told."""
    low = high = number
    size = sum(map(len, body[number])) + len(body[number])
    room = rng.randint(300, CHARACTERS)
    while size < room and (low > 0 or high + 1 < len(body)):
        down = low > 0 and (high + 1 >= len(body) or rng.random() < 0.5)
        low, high = (low - 1, high) if down else (low, high + 1)
        size += sum(map(len, body[low if down else high])) + len(body[low if down else high])
    before = detokenise(" ".join(" ".join(t) for t in body[low:number]))
    inside = detokenise(" ".join(body[number]))
    after = detokenise(" ".join(" ".join(t) for t in body[number + 1 : high + 1]))
    answer = detokenise(" ".join(body[number][first:end]))
    at = inside.find(answer, max(0, len(detokenise(" ".join(body[number][:first]))) - 2))
    if at < 0:
        return None
    context = " ".join(part for part in (before, inside, after) if part)
    return context, {"text": answer, "start": at + (len(before) + 1 if before else 0)}


def mine(path, lexicon, rng, articles=None):
    """One example at most of each highlight."""
    for number, record in sources.read_zst(path):
        if articles and number >= articles:
            return
        body, persons = sentences_of(record["article"]), persons_of(record["article"])
        for sentence in record["summary_sents"]:
            tokens = without_end(sentence.split())
            letters = "".join(lexicon.letter(t) for t in tokens)
            made = list(asked_of(tokens, letters, persons, rng))
            if not made:
                continue
            question, answer = rng.choice(made)
            place = find(answer, tokens, body, persons)
            found = place and passage(body, *place, rng)
            if found:
                yield {"source": "clozes", "doc": f"cnn/{number}", "question": detokenise(question), "context": found[0], "answers": [found[1]], "kind": "cloze"}
