"""Questions whose answer is a whole coordination ("A, B, C and D"), mined from lower-cased news sentences by patterns.

The articles are PTB tokens without case, so a name is a word that human-cased text (the training documents) writes with a capital,
or that it does not know. Each token becomes one letter, and the patterns are regular expressions over these letters.
"""
import re
from collections import Counter

import sources
from text import detokenise

TITLES = set("""secretary state minister prime president vice director chief executive officer deputy former national security adviser advisor
foreign defense defence finance interior justice health attorney general senator sen. rep. gov. governor mayor judge justice captain coach
manager striker midfielder defender goalkeeper winger forward quarterback actor actress singer songwriter comedian director producer rapper
guitarist drummer bassist star co-star host presenter broadcaster journalist reporter correspondent author writer novelist poet designer
model photographer scientist professor doctor dr. mr. mrs. ms. miss sir lord lady dame prince princess king queen duke duchess pope cardinal
archbishop bishop rev. reverend pastor father sister brother wife husband son daughter mother sgt. sergeant detective lt. lieutenant col.
colonel cpl. corporal private pfc. maj. major gen. admiral commander chancellor ambassador envoy spokesman spokeswoman chairman chairwoman
chairperson leader founder co-founder owner investor entrepreneur billionaire congressman congresswoman lawmaker democrat republican
democrats republicans conservative labour liberal tory teammate team-mate team-mates champion champions winner veteran rookie fellow senior
junior chief assistant police sheriff lawyer attorney prosecutor economist analyst astronaut pilot student teacher engineer banker world
middle east homeland intelligence treasury commerce labor education energy transportation trade house senate majority minority speaker
golfer boxer sprinter cyclist swimmer driver tennis football rival number no. crew member members friend friends colleague u.s. us british american
russian french german chinese israeli iranian""".split())
DETERMINERS = set("the a an his her their its our my".split())
PREPOSITIONS = set("in on at by with from for to into against during after before over under since until through about around near between among across outside inside".split())
AUXILIARY = set("is are was were has have had will would can could may might must do did".split())
# Finite verbs with the base form, for questions that need "did".
VERBS = dict(pair.split("/") for pair in """met/meet beat/beat defeated/defeat joined/join visited/visit married/marry killed/kill arrested/arrest named/name
included/include found/find seized/seize used/use told/tell asked/ask invited/invite chose/choose picked/pick signed/sign hired/hire fired/fire
directed/direct produced/produce wrote/write played/play sold/sell bought/buy won/win lost/lose made/make carried/carry wore/wear recovered/recover
stole/steal praised/praise criticized/criticize criticised/criticise accused/accuse thanked/thank replaced/replace attacked/attack shot/shoot
wounded/wound injured/injure interviewed/interview photographed/photograph faced/face saw/see took/take brought/bring built/build offered/offer
studied/study taught/teach supported/support opposed/oppose represented/represent featured/feature contained/contain covered/cover owned/own
discovered/discover collected/collect donated/donate delivered/deliver received/receive ordered/order attended/attend left/leave added/add
appointed/appoint nominated/nominate urged/urge warned/warn helped/help sent/send called/call considered/consider mentioned/mention cited/cite
identified/identify released/release launched/launch hit/hit destroyed/destroy damaged/damage raised/raise ate/eat drank/drink gave/give""".split())
SUBJECT_VERBS = AUXILIARY | set(VERBS) | set("went came began started finished led scored appeared performed starred attended agreed spoke lived died grew returned arrived remained became followed walked worked".split())
INFINITIVE_VERBS = {"asked": "ask", "told": "tell", "ordered": "order", "urged": "urge", "invited": "invite", "hired": "hire", "appointed": "appoint",
                    "named": "name", "chose": "choose", "picked": "pick", "nominated": "nominate", "directed": "direct", "sent": "send", "helped": "help", "wants": "want", "wanted": "want"}
FUNCTION = DETERMINERS | PREPOSITIONS | AUXILIARY | set("and or but that who which what when where why how not n't he she it they we i you this these those there as if than so be been being -- : ; \" ` `` '' ' ? ! . , also then while because said says say according one".split())
NAME_ITEM = r"d?(?:[nt][nto]*t)?n{1,4}(?:on{1,2})?"
NOUN_ITEM = r"d?[ctn]{1,4}(?:od?[ctn]{1,2})?"
NAMES = rf"{NAME_ITEM}(?:,{NAME_ITEM})*,?&{NAME_ITEM}"
NOUNS = rf"{NOUN_ITEM}(?:,{NOUN_ITEM})+,?&{NOUN_ITEM}"
CLAUSE_END = re.compile(r"^(,|\.|;|:|--|\?|!|\"|''|``|who|which|but|while|because|when|whose|where|-|\()$")


class Lexicon:
    """How human-cased text writes a word away from the start of a sentence."""

    def __init__(self, texts):
        self.upper, self.lower = Counter(), Counter()
        for text in texts:
            for word in re.findall(r"(?<![.!?\"“] )(?<!^)\b[A-Za-z][\w’'-]*", text):
                (self.upper if word[0].isupper() else self.lower)[word.lower()] += 1

    def letter(self, word):
        if word in ",&":
            return word
        if word == "and":
            return "&"
        if word == "of":
            return "o"
        if word == "'s":
            return "s"
        if word in DETERMINERS:
            return "d"
        if word in PREPOSITIONS:
            return "p"
        if word in SUBJECT_VERBS or word in INFINITIVE_VERBS:
            return "v"
        if word in FUNCTION:
            return "x"
        if word in TITLES:
            return "t"
        if not re.fullmatch(r"[a-z][a-z.'-]*", word):
            return "#"
        upper, lower = self.upper[word], self.lower[word]
        if upper + lower >= 1:
            return "n" if upper > 2.5 * lower else "c"
        return "c" if re.search(r"(ing|ed|ly|ness|ers|tion|s)$", word) or "-" in word else "n"


def persons_of(article):
    """Surnames of the article: what follows a first name or a title, or speaks."""
    words = article.split()
    found = set(FIRST_NAMES)
    for left, word, right in zip(words, words[1:], words[2:]):
        if left in FIRST_NAMES or left in ("mr.", "mrs.", "ms.", "sen.", "rep.", "gov.", "dr."):
            found.add(word)
        if right in ("said", "told", "says"):
            found.add(word)
    return {w for w in found if len(w) > 2 and w not in FUNCTION and w not in ("police", "officials", "it", "also")}


def person(tokens, persons):
    vague = {"world", "us", "u.s.", "east", "middle", "house", "state", "king", "number", "national", "british", "american", "russian", "french", "german", "chinese"}
    return bool(set(tokens) & (TITLES - vague)) or bool(set(tokens) & persons)


FIRST_NAMES = set("""james john robert michael william david richard joseph thomas charles chris christopher daniel matthew anthony mark donald steven steve paul andrew joshua
kenneth kevin brian george edward ronald timothy jason jeffrey ryan jacob gary nicholas nick eric jonathan stephen larry justin scott brandon benjamin ben samuel sam gregory
frank alexander alex raymond patrick jack dennis jerry tyler aaron jose adam nathan henry douglas zachary peter kyle walter ethan jeremy harold keith christian roger
noah gerald carl terry sean austin arthur lawrence jesse dylan bryan joe jordan billy bruce albert willie gabriel logan alan juan wayne roy ralph randy eugene vincent
russell elijah louis bobby philip johnny mary patricia jennifer linda elizabeth barbara susan jessica sarah karen lisa nancy betty margaret sandra ashley kimberly emily donna
michelle carol amanda dorothy melissa deborah stephanie rebecca sharon laura cynthia kathleen amy angela shirley anna brenda pamela emma nicole helen samantha katherine
christine debra rachel carolyn janet catherine maria heather diane ruth julie olivia joyce virginia victoria kelly lauren christina joan evelyn judith megan andrea cheryl
hannah jacqueline martha gloria teresa ann sara madison frances kathryn janice jean abigail alice julia judy sophia grace denise amber doris marilyn danielle beverly isabella
theresa diana natalie brittany charlotte marie kayla alexis lori tony tom jim mike bill bob dan matt rob ed tim jeff greg luis carlos miguel cristiano lionel didier
ahmed mohammed mohamed ali hassan vladimir sergei ivan andre novak roger rafael serena venus kate harry simon ian neil graham stuart craig""".split())


def sentences_of(article):
    """Token lists of the sentences of one PTB article, the dateline cut."""
    article = re.sub(r"^.{0,80}?\( cnn \) -- ", "", article)
    out, current = [], []
    for token in article.split():
        current.append(token)
        if token in (".", "?", "!"):
            out.append(current)
            current = []
    return out


def clause(tokens, start, limit=14):
    end = start
    while end < len(tokens) and not CLAUSE_END.match(tokens[end]):
        end += 1
    words = tokens[start:end]
    if not 3 <= len(words) <= limit or words[-1] in FUNCTION or {"i", "we", "my", "our", "you"} & set(words):
        return None
    return " ".join(words)


SINGULAR = {"are": "is", "were": "was", "have": "has"}


def subject_questions(tokens, end, who, rng):
    """'X, Y and Z will lead the talks' -> 'who will lead the talks?'"""
    rest = clause(tokens, end)
    if not rest or {"each", "both", "their", "they", "all"} & set(rest.split()):
        return []
    verb, _, tail = rest.partition(" ")
    one = f"{SINGULAR.get(verb, verb)} {tail}"
    if who:
        return [rng.choice([f"who {rest}?", f"who {one}?", f"which people {rest}?", f"who are the people who {rest}?", f"who {one}?"])]
    return [rng.choice([f"what {rest}?", f"what {one}?", f"which ones {rest}?"])]


PRONOUNS = ("he", "she", "they", "it")


def subject_before(tokens, letters, end):
    """The short noun phrase that ends before token `end` and opens its clause, or None."""
    if end > 0 and tokens[end - 1] in ("has", "have", "had", "will", "also"):
        end -= 1
    start = end
    while start > 0 and letters[start - 1] in "ctndo#s":
        start -= 1
    if start > 0 and tokens[start - 1] in PRONOUNS and start == end:
        return tokens[start - 1]
    opens = start == 0 or CLAUSE_END.match(tokens[start - 1]) or tokens[start - 1] in ("that", "and")
    words = tokens[start:end]
    if not opens or not 1 <= len(words) <= 7 or words[0].startswith("-") or words[0] in ("although", "gone", "that", "where"):
        return None
    return " ".join(words)


def object_questions(tokens, letters, start, end, kind, who, rng):
    """'the club signed X, Y and Z in june' -> 'who did the club sign in june?', 'the king asked X and Y to stay' -> 'who is to stay?',
    'the winners were X and Y' -> 'who were the winners?', 'the film was made by X and Y' -> 'who made the film?',
    'rivers such as X, Y and Z' -> 'which rivers are mentioned?'"""
    verb, after = tokens[start - 1], tokens[end] if end < len(tokens) else "."
    word = rng.choice(["who", "who", "whom"]) if who else "what"
    closes = bool(CLAUSE_END.match(after))
    if verb in ("including", "as", "like") and closes:
        noun_end = start - 2 if verb == "as" and tokens[start - 2] == "such" else start - 1
        if verb == "as" and noun_end == start - 1:
            return []
        noun_end -= tokens[noun_end - 1] == ","
        noun_start = noun_end
        while noun_start > 0 and letters[noun_start - 1] in "ctn" and noun_end - noun_start < 3:
            noun_start -= 1
        noun = " ".join(tokens[noun_start:noun_end])
        if not re.search(r"[a-z]{3}s$", noun) or noun_start == noun_end:
            return []
        return [rng.choice([f"which {noun} are mentioned?", f"what are examples of {noun}?", f"which {noun} are named?"])]
    if verb == "by" and closes and start >= 4:
        for passive in range(start - 2, max(start - 6, 1), -1):
            if tokens[passive - 1] in ("was", "were", "is", "are", "been") and tokens[passive].endswith(("ed", "en")):
                subject_end = passive - 1 - (tokens[passive - 1] == "been")
                subject = subject_before(tokens, letters, subject_end)
                rest = " ".join([tokens[passive], *tokens[passive + 1 : start - 1]])
                if not subject or subject in PRONOUNS or tokens[passive - 1] == "been":
                    return []
                who = who or tokens[passive] == "survived"
                return [rng.choice([f"by {'whom' if who else 'what'} {tokens[passive - 1]} {subject} {rest}?", f"{'who' if who else 'what'} {tokens[passive - 1]} {subject} {rest} by?"])]
        return []
    if start < 2 or not (subject := subject_before(tokens, letters, start - 1)):
        return []
    if verb in ("are", "were", "is", "was"):
        if not closes or subject in PRONOUNS or kind != "name":
            return []
        return [f"{'who' if who else 'what'} {verb} {subject}?"]
    if after == "to" and verb in INFINITIVE_VERBS:
        rest = clause(tokens, end + 1)
        if not rest:
            return []
        return [rng.choice([f"{word} did {subject} {INFINITIVE_VERBS[verb]} to {rest}?", f"who is to {rest}?", f"who should {rest}?", f"who will {rest}?"])]
    if verb not in VERBS or not (closes or letters[end] == "p"):
        return []
    rest = clause(tokens, end) if letters[end] == "p" else None
    return [f"{word} did {subject} {VERBS[verb]}{' ' + rest if rest else ''}?"]


CUES = set(VERBS) | set(INFINITIVE_VERBS) | {"including", "as", "like", "by", "are", "were", "is", "was"}


def mine_sentence(tokens, lexicon, persons, rng):
    """(question, first token, end token) of one sentence, or None."""
    if not 8 <= len(tokens) <= 60 or "and" not in tokens:
        return None
    letters = "".join(lexicon.letter(t) for t in tokens)
    for pattern, kind in ((NAMES, "name"), (NOUNS, "noun")):
        for match in re.finditer(rf"(?<![nt&os,])(?:{pattern})(?![nts&#oc])", letters):
            start, end = match.span()
            if end >= len(tokens) or re.match(rf",({NAME_ITEM},|&)", letters[end:]):
                continue
            who = kind == "name" and person(tokens[start:end], persons)
            opens = start == 0 or tokens[start - 1] in ("that", "while", "because", "when", "but")
            questions = []
            if kind == "name" and opens and tokens[end] in SUBJECT_VERBS and "said" not in tokens[end : end + 2]:
                questions = subject_questions(tokens, end, who, rng)
            elif start > 0 and tokens[start - 1] in CUES:
                questions = object_questions(tokens, letters, start, end, kind, who, rng)
            if questions:
                return questions[0], start, end
    return None


TOKEN = re.compile(r"[^\W_][\w.’'-]*|[,&]|[^\w\s]")


def coordinations(text, lexicon):
    """[(start, end)] of the coordinations of names or nouns in running text; of two items only where they are names."""
    places = [(m.start(), m.end() - (len(m.group()) > 3 and m.group().endswith("."))) for m in TOKEN.finditer(text)]
    letters = "".join(lexicon.letter(text[a:b].lower()) for a, b in places)
    found = []
    for pattern in (NAMES, NOUNS):
        for match in re.finditer(rf"(?<![nt&os,])(?:{pattern})(?![nts&#oc])", letters):
            if re.match(rf",({NAME_ITEM},|&)", letters[match.end() :]):
                continue
            found.append((places[match.start()][0], places[match.end() - 1][1]))
    return [span for span in found if not any(other != span and other[0] <= span[0] and span[1] <= other[1] for other in found)]


def mine(path, lexicon, rng, articles=None):
    """List examples of the news articles, each sentence among up to three neighbours on either side."""
    seen = set()
    for number, row in sources.read_zst(path):
        if articles and number >= articles:
            return
        article = row["article"]
        body, persons = sentences_of(article), persons_of(article)
        for position, tokens in enumerate(body):
            for question, start, end in filter(None, [mine_sentence(tokens, lexicon, persons, rng)]):
                key = " ".join(tokens)
                if key in seen:
                    continue
                seen.add(key)
                first = max(0, position - rng.randint(0, 3))
                last = position + 1 + rng.randint(0, 3)
                before = detokenise(" ".join(" ".join(t) for t in body[first:position]))
                inside = detokenise(key)
                answer = detokenise(" ".join(tokens[start:end]))
                lead = len(detokenise(" ".join(tokens[:start])))
                at = inside.find(answer, max(0, lead - 4))
                if at < 0:
                    continue
                after = detokenise(" ".join(" ".join(t) for t in body[position + 1 : last]))
                context = " ".join(part for part in (before, inside, after) if part)
                offset = len(before) + 1 if before else 0
                yield {"source": "lists", "doc": f"cnn/{number}", "question": detokenise(question), "context": context, "kind": "list",
                       "answers": [{"text": answer, "start": offset + at}], "items": answer.count(",") + 2 if "," in answer else 2}
