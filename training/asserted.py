"""Passages whose words are all there and that do not say it: what is denied, asked, supposed or merely planned answers no question
about what is so. A reader that looks at the words of a question alone takes "Nobody knows whether the dam broke on Monday" for
an answer to "When did the dam break?".

    python asserted.py --data ../../train/data/train.jsonl --out ../../train/data/asserted.jsonl

Each recipe changes the sentence of an answer, and has a counterpart that changes it as much and leaves it true ("It is well known
that the dam broke on Monday"), so that the frame counts and not that there is one. Others set the answer beside a twin: the label of
who speaks, the last period of a comparison, the next of some parts that are alike. What `--held-out` writes has frames and verbs that training does not see.
"""
import argparse
import json
import random
import re
from pathlib import Path

from text import contains, normalise, sentences
from unanswerable import mentions_answer

# {p} is somebody, {s} the sentence from its first word to before its stop. One in four is held out: the last ones of each list.
UNKNOWN = """It is not known whether {s}. | It remains unclear whether {s}. | Nobody could say whether {s}. | {p} would not say whether {s}. | {p} wondered whether {s}. | {p} wondered if {s}.
{p} asked whether {s}. | {p} asked if {s}. | Much has been made about whether {s}. | There was a debate over whether {s}. | Whether {s} has never been settled. | It remains to be seen if {s}. | {p} wanted to know whether {s}.
The question whether {s} was left open. | Investigators are looking into whether {s}. | {p} declined to comment on reports that {s}. | Opinions differ on whether {s}.
{p} refused to say if {s}. | Doubts remain as to whether {s}. | The inquiry is to find out whether {s}."""
DENIED = """{p} denied that {s}. | {p} rejected claims that {s}. | {p} dismissed rumours that {s}. | There is no evidence that {s}. | It is a myth that {s}. | It is not true that {s}. | {p} falsely claimed that {s}. | Reports that {s} are false.
{p} withdrew the statement that {s}. | It was wrongly reported that {s}. | The court found no proof that {s}. | The allegation that {s} was withdrawn. | Rumours that {s} were denied by {p}. | The claim that {s} has been disproved.
No one has ever shown that {s}. | {p} disputes that {s}. | {p} rejected the allegation that {s}. | Contrary to what was reported at the time, it was not the case that {s}. | Nothing suggests that {s}.
{p} denies having said that {s}. | It would be wrong to say that {s}. | {p} has refuted the story that {s}. | The paper had to retract its report that {s}. | It is untrue that {s}."""
SUPPOSED = """If {s}, {p} would have to resign. | If {s}, the rules must be changed. | Unless {s}, {p} is mistaken. | {p} hoped that {s}. | {p} feared that {s}. | {p} dreamt that {s}. | Imagine that {s}. | {p} once imagined that {s}.
Suppose that {s}. | Had it turned out that {s}, {p} would have objected. | {p} would be surprised if {s}. | {p} doubted that {s}.
{p} wished that {s}. | Should it be found that {s}, the matter will be reopened. | In a dream of {p}, {s}."""
TRUE = """{p} confirmed that {s}. | It is well known that {s}. | {p} said that {s}. | There is no doubt that {s}. | Nobody denies that {s}. | It is true that {s}. | {p} learned that {s}. | Records show that {s}. | It is a fact that {s}.
{p} regretted that {s}. | Few people know that {s}. | {p} was not surprised that {s}. | {p} does not dispute that {s}. | {p} had forgotten that {s}. | Whatever {p} may say, {s}. | {p} admitted that {s}. | It has never been disputed that {s}.
It was not until later that people learned that {s}. | As nobody denies, {s}. | Even though {s}, {p} was not content. | {p} asked why nobody had noticed that {s}. | It turned out that {s}. | {p} knew that {s}. | If {p} is to be believed, {s}.
It was not by chance that {s}. | {p} could not deny that {s}. | Because {s}, {p} was glad. | Without a doubt, {s}. | {p} has acknowledged that {s}. | {p} found out that {s}."""
NOT_DONE = ("would have been", "was to have been", "could have been", "was almost", "was nearly", "was never", "was not", "might have been", "should have been", "was rumoured to have been")
PEOPLE = """The minister|The mayor|A spokesman|A spokeswoman|The company|The committee|The author|Critics|Officials|The police|Her lawyer|Anna Weber|Tom Reed|Dr. Malik|Mrs. Okafor|James Whitfield|Lena Sorensen|The report|The opposition|Some historians|His brother|The union|Maria Lund|Professor Tanaka"""
LOWERED = set("the a an in on at it he she they this these those his her their its there during after before when while as by for from with under over since until most many some several all both one two three another each every although because despite according".split())
HEDGED = re.compile(r"\b(whether|if|could|might|may|would|should|den(?:y|ied|ies)|reject\w*|refus\w*|claim\w*|alleg\w*|rumou?r\w*|suppos\w*|believ\w*|think|thought|hope\w*|fear\w*|doubt\w*|propos\w*|plan\w*|not|never|no)\b|n't", re.I)
QUESTION_OF_FACT = re.compile(r"(who|whom|whose|what|when|where|which|how|in what|in which|on what|why)\b", re.I)
WORDS = range(5, 41)


def frames(text):
    """(of training, held out)"""
    every = [frame.strip() for frame in text.replace("\n", "|").split("|")]
    cut = len(every) - len(every) // 4
    return every[:cut], every[cut:]


FRAMES = {"unknown": frames(UNKNOWN), "denied": frames(DENIED), "supposed": frames(SUPPOSED), "true": frames(TRUE)}


def somebody(rng):
    return rng.choice(PEOPLE.split("|"))


def asserting(ex):
    """The (start, end) of the sentence that answers, if it is one that can stand in a frame and the answer stands nowhere else."""
    if not ex["answers"] or HEDGED.search(ex["question"]) or not QUESTION_OF_FACT.match(ex["question"]):
        return None
    context, answer = ex["context"], ex["answers"][0]
    for start, end in sentences(context):
        if start <= answer["start"] and answer["start"] + len(answer["text"]) <= end:
            sentence = context[start:end].rstrip()
            rest = context[:start] + context[end:]
            fits = sentence.endswith(".") and sentence[:1].isupper() and len(sentence.split()) in WORDS and not re.search(r'["“”:;?!\n]', sentence)
            connected = re.match(r"(However|But|And|So|Thus|Therefore|Moreover|Also|If|Whether)\b", sentence)
            inside = answer["start"] + len(answer["text"]) < start + len(sentence)
            return (start, start + len(sentence)) if fits and inside and not connected and not HEDGED.search(sentence) and not mentions_answer(ex, rest) else None
    return None


def lowered(sentence):
    first = sentence.split(maxsplit=1)[0]
    return sentence[0].lower() + sentence[1:] if first.lower() in LOWERED else sentence


def framed(ex, kind, rng, held_out):
    place = asserting(ex)
    if place is None:
        return None
    start, end = place
    frame = rng.choice(FRAMES[kind][held_out]).replace("{p}", somebody(rng))
    frame = frame[0].upper() + frame[1:]
    before, after = frame.split("{s}")
    words = ex["context"][start:end]
    words = (lowered(words) if before else words)[:-1]
    context = ex["context"][:start] + before + words + after + ex["context"][end:]
    if kind != "true":
        return {**ex, "context": context, "answers": [], "source": "asserted", "kind": kind}
    answers = [{**a, "start": a["start"] + len(before)} for a in ex["answers"] if start <= a["start"] < end]
    return {**ex, "context": context, "answers": answers, "source": "asserted", "kind": "true"} if all(context[a["start"] :].lower().startswith(a["text"].lower()) for a in answers) else None


def undone(ex, rng, held_out):
    """ "was built" -> "would have been built"."""
    place = asserting(ex)
    if place is None:
        return None
    start, end = place
    sentence, answer = ex["context"][start:end], ex["answers"][0]["start"] - start
    verbs = [m for m in re.finditer(r"\bwas (?=\w+(?:ed|en|lt|ght|ld|nd|de|wn|rn)\b)", sentence) if not m.start() <= answer < m.end()]
    if len(verbs) != 1:
        return None
    cut = len(NOT_DONE) * 3 // 4
    instead = rng.choice(NOT_DONE[cut:] if held_out else NOT_DONE[:cut])
    changed = sentence[: verbs[0].start()] + instead + " " + sentence[verbs[0].end() :]
    return {**ex, "context": ex["context"][:start] + changed + ex["context"][end:], "answers": [], "source": "asserted", "kind": "undone"}


def turns(ex, rng):
    """A question and its answer by two speakers, whose labels stand before both."""
    place = asserting(ex)
    if place is None:
        return None
    start, end = place
    one, other = rng.sample([name for name in PEOPLE.split("|") if name.count(" ") == 1 and not name.startswith(("The", "A ", "Her", "His", "Some"))], 2)
    label = rng.choice(["{}: {}", "**{}**: {}", "{}\n{}", "{} (00:12:07):\n{}"])
    fillers = rng.choice([("Thank you for coming.", "It is good to be here."), ("Let us begin.", "Please do."), ("I have read your report.", "I hope that you liked it.")])
    asked = ex["question"][0].upper() + ex["question"][1:].rstrip(" ?") + "?"
    said = ex["context"][start:end]
    answered = rng.random() < 0.6
    reply = said if answered else rng.choice(["I do not know.", "That I cannot tell you.", "Someone else did that, I think.", "We never found out."])
    parts = [(one, fillers[0]), (other, fillers[1]), (one, asked), (other, reply)]
    context = "\n\n".join(label.format(*part) for part in parts)
    if not answered:
        return {**ex, "context": context, "answers": [], "source": "asserted", "kind": "turns-unknown"}
    answer = ex["answers"][0]
    at = context.rindex(said) + answer["start"] - start
    return {**ex, "context": context, "answers": [{"text": answer["text"], "start": at}], "source": "asserted", "kind": "turns"}


def headed(some, rng):
    """Questions as headings, each above its answer: what a heading asks does not answer."""
    parts = []
    for ex in some:
        place = asserting(ex)
        if place is None:
            continue
        parts.append((ex, ex["context"][place[0] : place[1]], ex["answers"][0]["start"] - place[0]))
    unlike = [p for p in parts if sum(contains(p[1], o[0]["answers"][0]["text"]) for o in parts) == 1]
    if len(unlike) < 3:
        return
    chosen = rng.sample(unlike, min(4, len(unlike)))
    missing = chosen.pop() if len(chosen) == 4 else None
    mark = rng.choice(["", "### ", "Q: "])
    context, places = "", []
    for ex, sentence, answer in chosen:
        context += f"{mark}{ex['question'][0].upper() + ex['question'][1:].rstrip(' ?')}?\n\n"
        places.append(len(context) + answer)
        context += sentence + "\n\n"
    at = rng.randrange(len(chosen))
    ex = chosen[at][0]
    yield {**ex, "context": context.rstrip(), "answers": [{"text": ex["answers"][0]["text"], "start": places[at]}], "source": "asserted", "kind": "headed"}
    if missing and not contains(context, missing[0]["answers"][0]["text"]):
        yield {**missing[0], "context": context.rstrip(), "answers": [], "source": "asserted", "kind": "headed-unknown"}


def answer_in(context, text, near):
    at = context.index(text, near)
    return [{"text": text, "start": at}]


def compared(rng):
    """ "rose to A, compared to B in 2021": A is not of 2021."""
    measure = rng.choice("tax rate;gross margin;operating income;net income;net sales;headcount;occupancy rate;number of stores;order backlog;debt ratio;average price;free cash flow;number of visitors;unemployment rate;yield;turnout".split(";"))
    scale = rng.choice(["{}%", "${} million", "${} billion", "{}", "{},{:03d}"])
    value = lambda: scale.format(round(rng.uniform(2, 95), 1), rng.randrange(1000)) if "," not in scale else scale.format(rng.randrange(1, 90), rng.randrange(1000))
    now, then = value(), value()
    year = rng.randrange(2004, 2026)
    span = rng.choice(["fiscal {}", "{}", "the fourth quarter of {}", "the first half of {}", "fiscal year {}"])
    this, last, other = (span.format(y) for y in (year, year - 1, year - rng.randrange(2, 5)))
    verb = rng.choice(["increased to", "rose to", "decreased to", "fell to", "was", "came to", "grew to"])
    versus = rng.choice(["compared to", "compared with", "versus", "up from" if verb in ("rose to", "grew to", "increased to") else "as against", "against"])
    says_now = rng.random() < 0.6
    sentence = f"{f'In {this}, the' if says_now else 'The'} {measure} {verb} {now}, {versus} {then} in {last}."
    around = rng.sample(["The board approved the accounts in March.", "Costs were in line with the plan.", "The outlook is unchanged.", "Demand was strong in all regions.", "The dividend is to be decided later."], 2)
    context = " ".join([around[0], sentence, around[1]])
    kind = rng.random()
    about = rng.choice(["What was the {m} in {y}?", "How high was the {m} in {y}?", "{m} {y}"])
    asked = lambda y: about.format(m=measure, y=y)
    if kind < 0.45:
        question, answers, name = asked(last), answer_in(context, then, context.index(versus)), "compared"
    elif kind < 0.75 and says_now:
        question, answers, name = asked(this), answer_in(context, now, 0), "compared"
    elif kind < 0.75:
        question, answers, name = f"What did the {measure} come to?", answer_in(context, now, 0), "compared"
    else:
        question, answers, name = asked(other), [], "compared-unknown"
    return {"source": "asserted", "question": question, "context": context, "answers": answers, "kind": name} if now != then else None


ROMAN = "I II III IV V VI VII VIII IX".split()


def numbered(rng):
    """Parts that are alike but for their numbers."""
    part = rng.choice("Phase;Match;Group;Section;Lot;Round;Stage;Level;Unit;Trial;Zone;Category;Super Bowl;Act;Schedule;Tier".split(";"))
    numbers = rng.choice([ROMAN, [str(n) for n in range(1, 10)], list("ABCDEFG")])
    first = rng.randrange(len(numbers) - 3)
    names = [f"{part} {number}" for number in numbers[first : first + 3]]
    what, ask = rng.choice([
        ("{n} was held in {c}. It drew {v} people.", "How many people did {n} draw?"),
        ("{n}: the fee is {v} euros and the deposit is due in {c}.", "What is the fee for {n}?"),
        ("In {n}, {v} patients were treated in {c}.", "How many patients were treated in {n}?"),
        ("{n} covers {c}. Its budget is ${v}.", "What is the budget of {n}?"),
        ("For {n}, {v} days of notice must be given in {c}.", "How many days of notice must be given for {n}?"),
        ("{n} ended in {c}. The attendance was {v}.", "What was the attendance at {n}?"),
    ])
    values = rng.sample(range(2, 990), 3)
    places = rng.sample("Leeds;Oslo;Turin;Graz;Lyon;Porto;Ghent;Malmo;Basel;Krakow;Cork;Tartu".split(";"), 3)
    shown = 2 if rng.random() < 0.35 else 3
    order = rng.sample(range(3), 3)[:shown]
    breaks = rng.choice(["\n\n", " ", "\n"])
    pieces = {i: what.format(n=names[i], v=values[i], c=places[i]) for i in order}
    context = breaks.join(pieces[i] for i in order)
    asked = rng.randrange(3)
    question = ask.format(n=names[asked])
    if asked not in order:
        return {"source": "asserted", "question": question, "context": context, "answers": [], "kind": "numbered-unknown"}
    at = context.index(pieces[asked])
    return {"source": "asserted", "question": question, "context": context, "answers": answer_in(context, str(values[asked]), at + pieces[asked].index(names[asked]) + len(names[asked])), "kind": "numbered"}


def related(rng):
    """Somebody's age, home or work is not a relative's."""
    name = rng.choice("Anna Lund;Marco Bini;Nicole Slade;Peter Okoye;Ruth Adler;Omar Haddad;Julia Stern;Colin Byrne".split(";"))
    relation = rng.choice("husband wife sister brother daughter son mother father neighbour lawyer partner".split())
    whose = "Her" if name.split()[0] in ("Anna", "Nicole", "Ruth", "Julia") else "His"
    age, other = rng.sample(range(19, 88), 2)
    place, there = rng.sample("Leeds;Oslo;Turin;Graz;Lyon;Porto;Ghent;Basel;Cork".split(";"), 2)
    if rng.random() < 0.5:
        own, ask, value, theirs = f"{name}, {age}, spoke to us at home.", "How old is {}?", str(age), f"{whose} {relation}, {other}, was at work."
        silent, found = f"{whose} {relation} was at work.", str(other)
    else:
        own, ask, value, theirs = f"{name} was arrested in {place} on Friday.", "Where was {} arrested?", place, f"{whose} {relation} was arrested in {there}."
        silent, found = f"{whose} {relation} was not at home.", there
    tells = rng.random() < 0.5
    pieces = [own, theirs if tells else silent]
    context = " ".join(pieces + rng.sample(["They have lived there for years.", "Neither would say more.", "The street was quiet.", "A hearing is set for May."], 1))
    if rng.random() < 0.3:
        return {"source": "asserted", "question": ask.format(name), "context": context, "answers": answer_in(context, value, 0), "kind": "related"}
    question = ask.format(f"{name}'s {relation}")
    if not tells:
        return {"source": "asserted", "question": question, "context": context, "answers": [], "kind": "related-unknown"}
    return {"source": "asserted", "question": question, "context": context, "answers": answer_in(context, found, len(own)), "kind": "related"}


def every(examples, rng, held_out=False, share=1.0):
    """Yields the altered examples of those that can be altered."""
    by_context = {}
    for ex in examples:
        by_context.setdefault(ex["context"], []).append(ex)
    kinds = ("unknown", "denied", "supposed", "true", "true")
    made = 0
    for ex in examples:
        if asserting(ex) is None or rng.random() > share:
            continue
        recipe = rng.random()
        if recipe < 0.8:
            found = framed(ex, rng.choice(kinds), rng, held_out)
        elif recipe < 0.9:
            found = undone(ex, rng, held_out) or framed(ex, "true", rng, held_out)
        else:
            found = turns(ex, rng)
        if found:
            made += 1
            yield found
    for some in by_context.values():
        distinct = list({normalise(ex["question"]): ex for ex in some}.values())
        if len(distinct) >= 3 and rng.random() < 0.5:
            yield from headed(distinct, rng)
    for recipe, part in ((compared, 0.06), (numbered, 0.06), (related, 0.03)):
        for _ in range(int(part * made)):
            found = recipe(rng)
            if found:
                yield found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../../train/data/train.jsonl"), help="answered examples")
    parser.add_argument("--out", type=Path, default=Path("../../train/data/asserted.jsonl"))
    parser.add_argument("--held-out", action="store_true", help="with the frames that training does not see")
    parser.add_argument("--share", type=float, default=1.0, help="of the examples that can be altered")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--smoke", action="store_true", help="of the first 2,000 examples")
    args = parser.parse_args()
    with args.data.open(encoding="utf-8") as file:
        examples = [json.loads(line) for line, _ in zip(file, range(2000 if args.smoke else 10**9))]
    counts = {}
    with args.out.open("w", encoding="utf-8") as file:
        for ex in every([ex for ex in examples if ex["answers"]], random.Random(args.seed), args.held_out, args.share):
            counts[ex["kind"]] = counts.get(ex["kind"], 0) + 1
            file.write(json.dumps(ex, ensure_ascii=False) + "\n")
    print(args.out.name, sum(counts.values()), counts)


if __name__ == "__main__":
    main()
