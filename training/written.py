"""Questions that writers ask for this reader: half of them with an answer, half tempting and without one. The questions of the public
data sets that a text does not answer were put to it by a machine, but for SQuAD 2.0's; those of writers who have the text before them
are what people ask in earnest. WRITERS.md is what writers are told.

    python written.py pick  --data ../../shared/data --apart ../seeds ../eval/documents --out ../../train/written
    python written.py excerpt --documents MINUTES POLICIES --apart ../seeds ../eval/documents --out ../../train/written
    python written.py check --written ../../train/written/news00
    python written.py make  --written ../../train/written --out ../../train/data/written.jsonl --held-out ../../train/data/written_heldout.jsonl

A folder of `--written` holds NAME.texts ("===== NUMBER", below it the text; what follows the number is the document's name) and
NAME.questions (NUMBER|question|answer, or - for none|words around the answer, where it stands in the text more than once). An
answer over several lines is written `its first words >> its last ones`.
"""
import argparse
import gzip
import json
import random
import re
from pathlib import Path

import sources
from text import detokenise, find_near, normalise, sentences
from unanswerable import delete_sentence, mentions_answer, overlap

NO_PROSE = re.compile(
    r"\A---\n.*?\n---\n"  # front matter
    r"|<!--.*?-->"  # comments
    r"|```.*?```"  # code
    r"|!\[[^\]]*\]\([^)]*\)"  # pictures
    r"|^\[[^\]]*\]:[^\n]*"  # addresses of links
    r"|</?[a-zA-Z][^>]*>",  # tags
    re.S | re.M,
)
ARTICLES = {"bbc": 13, "cnn": 11, "xsum": 6}  # of each source in a file
SHARED = 7  # words in a row that two texts of different origin hardly have in common
SHORTEST_DOCUMENT = 230  # words: of shorter ones no excerpt is made
EXCERPTS = (280, 380, 480, 560)  # words of an excerpt
LONG = 1500  # words of a document whose excerpt need not be its beginning
ALIKE = 12  # runs of SHARED words that two excerpts may have in common: minutes of one body have the same headings
COMPANY = 0.25  # of the questions stand among other texts, up to a whole window
COMPANY_CHARS = 1700
CROPPED = 0.7  # of the questions on longer texts see a part of them, about a window
CROPPED_CHARS = 1500
LONGEST_ANSWER = 400  # characters over several lines: `ask` reads no answers of more than asking.MAX_ANSWER tokens


def articles(data):
    """Yields (name, text) of news articles."""
    for name, key in (("bbc_pairs", "article"), ("xsum_test1000", "document")):
        path = Path(data) / f"summaries/{name}.jsonl.gz"
        sources.must_exist(path)
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for row in map(json.loads, file):
                yield f"{name.split('_')[0]}/{row['id']}", (row["title"] + "\n\n" if "title" in row else "") + row[key].strip()
    for number, row in sources.read_zst(Path(data) / "cnn_dm/train.jsonl.zst"):
        if number % 17 == 0:
            yield f"cnn/{number}", detokenise(row["article"])


def runs(text):
    """The runs of SHARED words."""
    words = normalise(text).split()
    return {" ".join(words[at : at + SHARED]) for at in range(len(words) - SHARED + 1)}


def shortened(text, words):
    """The first whole sentences, of about so many words."""
    end = 0
    for _, last in sentences(text):
        if end and len(text[:last].split()) > words:
            break
        end = last
    return text[:end].strip()


def runs_of(folders):
    """The runs of all texts in the folders."""
    for folder in folders:
        sources.must_exist(folder)
    return set().union(*(runs(path.read_text(encoding="utf-8")) for folder in folders for path in sorted(folder.iterdir())))


def prose(markdown):
    """Markdown without front matter, comments, pictures, blocks of code, tags and the addresses of links; paragraphs that were wrapped on one line."""
    text = NO_PROSE.sub("", markdown.replace("\r", ""))
    text = re.sub(r"\[([^\]]*)\](\([^)]*\)|\[[^\]]*\])", r"\1", text).replace("|", " ")
    text = re.sub(r"(?<=.{52})\n(?=[^\s\-*•#>\d(])", " ", text)
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", text)).strip()


def excerpt_of(text, rng):
    """Whole paragraphs from the beginning, or in long documents mostly from somewhere in the first half."""
    paragraphs, words, taken = text.split("\n\n"), rng.choice(EXCERPTS), []
    if len(text.split()) > LONG and rng.random() < 0.6:
        paragraphs = paragraphs[rng.randrange(max(1, len(paragraphs) // 2)) :]
    while paragraphs and sum(len(paragraph.split()) for paragraph in taken) < words:
        taken.append(paragraphs.pop(0))
    return "\n\n".join(taken).strip()


def write_texts(out, name, number, some):
    out.mkdir(parents=True, exist_ok=True)
    pieces = [f"===== {at} {document}\n{text}\n\n" for at, (document, text) in enumerate(some, 1)]
    (out / f"{name}{number:02}.texts").write_text("".join(pieces), encoding="utf-8")


def excerpt(args):
    rng = random.Random(args.seed)
    apart, seen, found = runs_of(args.apart), set(), []
    for folder in args.documents:
        sources.must_exist(folder)
        paths, before = sorted(path for path in folder.rglob("*") if path.suffix in (".md", ".txt")), len(found)
        rng.shuffle(paths)
        for path in paths:
            text = prose(path.read_text(encoding="utf-8", errors="ignore"))
            text = excerpt_of(text, rng) if len(text.split()) >= SHORTEST_DOCUMENT else ""
            here = runs(text)
            if here and here.isdisjoint(apart) and len(here & seen) <= ALIKE:
                seen |= here
                found.append((f"{folder.name}/{path.relative_to(folder).as_posix()}", text))
            if len(found) - before == args.each:
                break
    rng.shuffle(found)
    for first in range(0, len(found), args.texts):
        write_texts(args.out, args.name, first // args.texts, found[first : first + args.texts])
    print(len(found), "excerpts in", args.out)


def pick(args):
    rng = random.Random(args.seed)
    seen = runs_of(args.apart)
    every, groups = list(articles(args.data)), {source: [] for source in ARTICLES}
    rng.shuffle(every)
    wanted = {source: count * args.files for source, count in ARTICLES.items()}
    for name, text in every:
        group = groups[name.split("/")[0]]
        if len(group) == wanted[name.split("/")[0]] or len(text.split()) < args.shortest:
            continue
        text = shortened(text, rng.choice(args.words))
        here = runs(text)
        if here.isdisjoint(seen):
            seen |= here
            group.append((name, text))
    for number in range(args.files):
        some = [group.pop() for source, group in groups.items() for _ in range(min(len(group), ARTICLES[source]))]
        rng.shuffle(some)
        write_texts(args.out, args.name, number, some)
    print(args.files, "files in", args.out)


def texts(path):
    """{number: (name of the document, text)}"""
    sources.must_exist(path)
    found = re.findall(r"^===== (\d+) ?([^\n]*)\n(.*?)(?=^===== |\Z)", path.read_text(encoding="utf-8"), re.S | re.M)
    return {int(number): (name.strip() or f"{path.stem}/{number}", text.strip()) for number, name, text in found}


def quoted(answer, text):
    """The answer as it stands in the text, where `first >> last` is from the one, which stands there once, to the next other; else None."""
    if " >> " not in answer:
        return answer
    first, last = (re.escape(part) for part in answer.split(" >> ", 1))
    found = re.search(rf"(?<!\w){first}.*?{last}(?!\w)", text, re.S)
    is_named = found and len(re.findall(rf"(?<!\w){first}", text)) == 1
    return found.group() if is_named and len(found.group()) <= LONGEST_ANSWER else None


def read(path, wrong):
    """Yields the examples of NAME.texts and NAME.questions; wrong(line, what) is told of the lines that are none."""
    documents = texts(path.with_suffix(".texts"))
    for line, row in enumerate(path.with_suffix(".questions").read_text(encoding="utf-8").splitlines(), 1):
        fields = [field.strip() for field in row.split("|")]
        if not 3 <= len(fields) <= 4 or not fields[0].isdigit() or int(fields[0]) not in documents or not fields[1] or not fields[2]:
            wrong(line, f"is not NUMBER|question|answer: {row[:80]}")
            continue
        name, context = documents[int(fields[0])]
        ex = sources.example("written", name, fields[1], context, [], kind="human")
        if fields[2] == "-":
            yield ex
            continue
        answer, around = quoted(fields[2], context), fields[3] if len(fields) == 4 else ""
        if not answer:
            wrong(line, f"is no stretch of at most {LONGEST_ANSWER} characters in text {fields[0]} whose first words stand there once: {fields[2]}")
            continue
        occurrences = len(re.findall(r"(?<!\w)" + re.escape(answer) + r"(?!\w)", context))
        if not occurrences or around and (answer not in around or around not in context):
            wrong(line, f"the answer or what stands around it is not in text {fields[0]}: {answer}")
        elif occurrences > 1 and not around:
            wrong(line, f"stands in text {fields[0]} more than once, and nothing says where: {answer}")
        else:
            near = context.find(around) + around.find(answer) if around else context.find(answer)
            yield {**ex, "answers": [{"text": answer, "start": find_near(context, answer, near)}], "kind": "answered"}


def check(args):
    wrong = []
    examples = list(read(args.written, lambda line, what: wrong.append(f"line {line}: {what}")))
    print(*wrong, sep="\n")
    answered = sum(bool(ex["answers"]) for ex in examples)
    print(f"{len(wrong)} lines wrong; {answered} answered, {len(examples) - answered} not, on {len({ex['doc'] for ex in examples})} of {len(texts(args.written.with_suffix('.texts')))} texts")


def among(ex, others, rng):
    """The example with its text among paragraphs (name of the document, text) of other ones, in which its answer does not occur."""
    before, after, size = [], [], len(ex["context"])
    for name, other in rng.sample(others, min(6, len(others))):
        if size + len(other) <= COMPANY_CHARS and name != ex["doc"] and not mentions_answer(ex, other):
            rng.choice((before, after)).append(other)
            size += len(other)
    shift = sum(len(other) + 2 for other in before)
    answers = [{**answer, "start": answer["start"] + shift} for answer in ex["answers"]]
    return {**ex, "context": "\n\n".join([*before, ex["context"], *after]), "answers": answers, **({"company": True} if before or after else {})}


def cropped(ex, rng):
    """The example with only some sentences of its text, before and behind the one with the answer, or the one that has most words of the question."""
    spans = sentences(ex["context"])
    said = lambda at: ex["context"][slice(*spans[at])]
    if ex["answers"]:
        answer = ex["answers"][0]
        around = [at for at, (start, end) in enumerate(spans) if start < answer["start"] + len(answer["text"]) and answer["start"] < end]
        first, last = around[0], around[-1] + 1
    else:
        first = max(range(len(spans)), key=lambda at: overlap(ex["question"], said(at)))
        last = first + 1
    while spans[last - 1][1] - spans[first][0] < CROPPED_CHARS and (first > 0 or last < len(spans)):
        if last == len(spans) or first > 0 and rng.random() < 0.5:
            first -= 1
        else:
            last += 1
    return sources.part(ex, spans[first][0], spans[last - 1][1])


def arranged(ex, pieces, rng):
    """The example as it is trained on: as it stands, a part of it, or among pieces of other texts."""
    if len(ex["context"]) > CROPPED_CHARS and rng.random() < CROPPED:
        return cropped(ex, rng)
    return among(ex, pieces, rng) if rng.random() < COMPANY else ex


def make(args):
    rng = random.Random(args.seed)
    train, held = [], []
    for path in sorted(args.written.glob("*.questions")):
        for ex in read(path, lambda line, what: print(f"{path.name}:{line}: {what}, left out")):
            (held if sources.is_held_out(ex) else train).append(ex)
    pieces = sorted({(ex["doc"], piece) for ex in train for piece in ex["context"].split("\n\n") if 200 <= len(piece) <= 900})
    every = [arranged(ex, pieces, rng) for ex in train]
    # Deleted behind that, so that no other text brings the answer back.
    every += [ex for ex in (delete_sentence(ex, rng) for ex in every if ex["answers"] and rng.random() < 0.3) if ex]
    for path, examples in ((args.out, every), (args.held_out, held)):
        path.write_text("".join(json.dumps({**ex, "id": f"{path.stem}-{number}"}, ensure_ascii=False) + "\n" for number, ex in enumerate(examples)), encoding="utf-8")
        print(path.name, len(examples), "of them answered:", sum(bool(ex["answers"]) for ex in examples))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    picking = commands.add_parser("pick", help="news articles to ask about")
    picking.add_argument("--data", type=Path, default=Path("../../shared/data"))
    picking.add_argument("--files", type=int, default=20, help=f"of {sum(ARTICLES.values())} articles each")
    picking.add_argument("--name", default="news", help="what the files' names begin with")
    picking.add_argument("--shortest", type=int, default=140, help="articles of fewer words are left out")
    picking.add_argument("--words", type=int, nargs="+", default=[260, 360, 480, 480], help="texts are cut to one of these lengths")
    picking.set_defaults(run=pick)
    excerpting = commands.add_parser("excerpt", help="parts of documents to ask about")
    excerpting.add_argument("--documents", type=Path, nargs="+", required=True, help="folders of Markdown and text")
    excerpting.add_argument("--each", type=int, default=20, help="of a folder at most so many")
    excerpting.add_argument("--texts", type=int, default=16, help="in a file")
    excerpting.add_argument("--name", default="real", help="what the files' names begin with")
    excerpting.set_defaults(run=excerpt)
    for command in (picking, excerpting):
        command.add_argument("--apart", type=Path, nargs="*", default=[Path("../seeds"), Path("../eval/documents")], help="folders of texts that none may have words in common with")
        command.add_argument("--out", type=Path, default=Path("../../train/written"))
    checking = commands.add_parser("check", help="what is wrong with the questions of a file")
    checking.add_argument("--written", type=Path, required=True, help="the path of NAME.texts and NAME.questions, without the ending")
    checking.set_defaults(run=check)
    making = commands.add_parser("make", help="examples of all questions")
    making.add_argument("--written", type=Path, default=Path("../../train/written"))
    making.add_argument("--out", type=Path, default=Path("../../train/data/written.jsonl"))
    making.add_argument("--held-out", type=Path, default=Path("../../train/data/written_heldout.jsonl"))
    making.set_defaults(run=make)
    for command in (picking, excerpting, making):
        command.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
