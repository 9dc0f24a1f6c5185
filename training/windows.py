"""Windows of tokens, packed one behind the other, as the reader sees them: [CLS] question [SEP] passage [SEP].

A file of examples (train.jsonl) is tokenised once; the result is kept beside it. On an accelerator the whole set lies in its
memory and batches are gathered there.
"""
import hashlib
import json
import random
from pathlib import Path

import asking
import numpy as np
import reader
import torch

POOL = 16384  # windows that are sorted by length together


class Windows:
    """N windows of T tokens in all.

    ids [T] token ids, first [N+1] where each window starts, question [N] tokens of the question, target [N, 2] first and last token
    of the answer within the window ((0, 0), that is [CLS], where there is none), group [N] index into `groups` ("source/kind", and
    "+company" where other passages stand around).
    soft [T, 2], where a teacher has read the windows: its start and end logits.
    """

    def __init__(self, ids, first, question, target, group, groups, soft=None):
        self.ids, self.first, self.question, self.target, self.group, self.groups, self.soft = ids, first, question, target, group, groups, soft

    def __len__(self):
        return len(self.question)

    @property
    def lengths(self):
        return np.diff(self.first)

    def only(self, chosen):
        """The windows numbered `chosen`."""
        first, lengths = self.first[chosen], self.lengths[chosen]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        tokens = np.repeat(first - starts[:-1], lengths) + np.arange(starts[-1])
        soft = None if self.soft is None else self.soft[tokens]
        return Windows(self.ids[tokens], starts, self.question[chosen], self.target[chosen], self.group[chosen], self.groups, soft)

    def without(self, pattern):
        """Those whose group `pattern` (a compiled regular expression) does not find."""
        kept = np.array([not pattern.search(name) for name in self.groups])
        return self.only(np.flatnonzero(kept[self.group]))

    def to(self, device):
        """Tensors on `device` that batches are gathered from."""
        return Resident(self, device)


class Resident:
    def __init__(self, windows, device):
        move = lambda array, kind: torch.from_numpy(array).to(device=device, dtype=kind)
        self.device = device
        self.ids, self.first = move(windows.ids.astype(np.int32), torch.int32), move(windows.first, torch.int64)
        self.question, self.target = move(windows.question.astype(np.int32), torch.int32), move(windows.target.astype(np.int64), torch.int64)
        self.soft = None if windows.soft is None else move(windows.soft, torch.float16)
        self.lengths = windows.lengths

    def batch(self, chosen, multiple=1):
        """(inputs of the model, targets [B, 2], teacher's logits [B, L, 2] or None); L is the longest row rounded up to `multiple`."""
        longest = -(-int(self.lengths[chosen].max()) // multiple) * multiple
        rows = torch.as_tensor(chosen, device=self.device)
        lengths = self.first[rows + 1] - self.first[rows]
        place = torch.arange(longest, device=self.device)
        mask = place[None] < lengths[:, None]
        at = torch.where(mask, self.first[rows, None] + place[None], 0)
        inputs = {
            "input_ids": torch.where(mask, self.ids[at], reader.PAD).long(),
            "attention_mask": mask.long(),
            "token_type_ids": (mask & (place[None] >= self.question[rows, None] + 2)).long(),
        }
        soft = None if self.soft is None else self.soft[at].float().masked_fill(~mask[..., None], -1e4)
        return inputs, self.target[rows], soft


def batches(lengths, tokens, epoch, seed):
    """One epoch of index arrays of about `tokens` tokens each: shuffled, sorted by length within pools, shuffled again."""
    rng = random.Random(f"{seed}/{epoch}")
    order = list(range(len(lengths)))
    rng.shuffle(order)
    for at in range(0, len(order), POOL):
        pool = sorted(order[at : at + POOL], key=lambda i: lengths[i])
        groups, group = [], []
        for i in pool:
            if group and (len(group) + 1) * lengths[i] > tokens:
                groups.append(group)
                group = []
            group.append(i)
        groups.append(group)
        rng.shuffle(groups)
        yield from (np.array(group) for group in groups)


def cut(tokenizer, examples):
    """Yields (number of the example, tokens of its question, its passage as encoded, [(first, last)] of its windows)."""
    for begin in range(0, len(examples), 5000):
        some = examples[begin : begin + 5000]
        asked = tokenizer.encode_batch([ex["question"] for ex in some], add_special_tokens=False)
        read = tokenizer.encode_batch([ex["context"] for ex in some], add_special_tokens=False)
        for number, (question, context) in enumerate(zip(asked, read), begin):
            tokens = question.ids[: asking.MAX_QUESTION]
            yield number, tokens, context, asking.windows_of(len(tokens), len(context.ids))


def packed(rows, groups):
    """Windows of (tokens of the question, tokens of the passage, target, group) each."""
    ids = [np.array([reader.CLS, *question, reader.SEP, *context, reader.SEP], dtype=np.uint16) for question, context, _, _ in rows]
    first = np.concatenate([[0], np.cumsum([len(one) for one in ids])]).astype(np.int64)
    questions, targets, group = ([row[0] for row in rows], [row[2] for row in rows], [row[3] for row in rows])
    return Windows(np.concatenate(ids), first, np.array([len(question) for question in questions], np.uint8), np.array(targets, np.int16), np.array(group, np.int16), groups)


def of_examples(tokenizer, examples):
    """The windows of examples in the order given. A window that does not hold the whole answer points at [CLS]; one that holds half
    of it is left out, as is an example whose answer no token covers."""
    group_of = lambda ex: f"{ex['source']}/{ex['kind']}{'+company' if ex.get('company') else ''}"
    names = sorted({group_of(ex) for ex in examples})
    numbers, rows = {name: at for at, name in enumerate(names)}, []
    for number, question, context, spans in cut(tokenizer, examples):
        ex = examples[number]
        answer = _tokens_of(ex["answers"][0], context.offsets) if ex["answers"] else None
        if ex["answers"] and answer is None:
            continue
        for first, last in spans:
            shift, target = len(question) + 2 - first, (0, 0)
            if answer and answer[0] >= first and answer[1] < last:
                target = answer[0] + shift, answer[1] + shift
            elif answer and answer[0] < last and answer[1] >= first:
                continue  # half an answer teaches neither
            rows.append((question, context.ids[first:last], target, numbers[group_of(ex)]))
    return packed(rows, names)


def _tokens_of(answer, offsets):
    start, end = answer["start"], answer["start"] + len(answer["text"])
    inside = [i for i, (a, b) in enumerate(offsets) if a < end and b > start]
    return (inside[0], inside[-1]) if inside else None


def few(path, tokenizer, count):
    """The windows of some examples of a file, for smoke tests."""
    with Path(path).open(encoding="utf-8") as file:
        lines = file.readlines()
    return of_examples(tokenizer, [json.loads(line) for line in random.Random(1).sample(lines, min(count, len(lines)))])


def read(path, tokenizer):
    """The windows of a file of examples, and the teacher's logits where label.py has written them. Tokenised once; `path` may be what was kept of that (X.npz of X.jsonl)."""
    if Path(path).suffix == ".npz":
        with np.load(path) as stored:
            return Windows(**{name: stored[name] for name in ("ids", "first", "question", "target", "group")}, groups=stored["groups"].tolist())
    path, kept = Path(path), Path(path).with_suffix(".npz")
    vocabulary = hashlib.sha256(json.dumps(tokenizer.get_vocab(), sort_keys=True).encode()).hexdigest()
    mark = f"{asking.WINDOW} {asking.OVERLAP} {asking.MAX_QUESTION} {vocabulary} {path.stat().st_size} {path.stat().st_mtime_ns}"
    stored = dict(np.load(kept)) if kept.exists() else {}
    if stored.pop("mark", None) != mark:
        with path.open(encoding="utf-8") as file:
            examples = [json.loads(line) for line in file]
        if not examples:
            raise SystemExit(f"{path} holds no examples")
        made = of_examples(tokenizer, examples)
        stored = {name: getattr(made, name) for name in ("ids", "first", "question", "target", "group")} | {"groups": np.array(made.groups)}
        write(kept, **stored, mark=np.array(mark))
    return Windows(**stored | {"groups": stored["groups"].tolist()}, soft=read_soft(path, stored["ids"]))


def write(path, **arrays):
    """Stores arrays under `path`, whole or not at all."""
    part = path.with_suffix(".part.npz")
    np.savez(part, **arrays)
    part.rename(path)


def read_soft(path, ids):
    """The teacher's logits [T, 2] for the windows of `ids`, or None; the program ends where they are of other windows."""
    if not soft_path(path).exists():
        return None
    with np.load(soft_path(path)) as stored:
        if stored["of"] != digest(ids):
            raise SystemExit(f"{soft_path(path)} is of other windows than {path}: remove it, or run label.py again")
        return stored["soft"]


def write_soft(path, soft, ids):
    write(soft_path(path), soft=soft, of=np.array(digest(ids)))


def digest(ids):
    return hashlib.sha256(ids.tobytes()).hexdigest()


def soft_path(path):
    """Where label.py keeps the teacher's logits of a file of examples."""
    return Path(path).with_suffix(".soft.npz")


def joined(parts):
    """Several sets as one; teacher's logits only where every part has them."""
    groups = sorted({name for part in parts for name in part.groups})
    number = {name: at for at, name in enumerate(groups)}
    group = [np.array([number[name] for name in part.groups], np.int16)[part.group] for part in parts]
    first = np.concatenate([[0], np.cumsum(np.concatenate([part.lengths for part in parts]))])
    soft = np.concatenate([part.soft for part in parts]) if all(part.soft is not None for part in parts) else None
    together = lambda name: np.concatenate([getattr(part, name) for part in parts])
    return Windows(together("ids"), first, together("question"), together("target"), np.concatenate(group), groups, soft)


@torch.inference_mode()
def answers(model, tokenizer, examples, device="cpu", precision="f32", tokens=65536):
    """[{"text", "score"}] of the best span of each example over its windows: start + end - null, nearly as `ask` decodes (without
    whole words, sections and the edges of windows)."""
    rows, places = [], []
    for number, question, context, spans in cut(tokenizer, examples):
        for first, last in spans:
            rows.append((question, context.ids[first:last], (0, 0), 0))
            places.append((number, context.offsets[first:last]))
    every = packed(rows, ["asked"])
    resident, best = every.to(device), [{"text": "", "score": -1e9} for _ in examples]
    for chosen in batches(every.lengths, tokens, 0, 0):
        inputs, _, _ = resident.batch(chosen)
        for i, row in zip(chosen, reader.logits(model, inputs, device, precision).cpu()):
            number, offsets = places[i]
            length, shift = len(offsets), int(every.question[i]) + 2
            if not length:
                continue
            start, end = row[shift : shift + length, 0], row[shift : shift + length, 1]
            apart = torch.arange(length)[None] - torch.arange(length)[:, None]
            sums = torch.where((apart >= 0) & (apart < asking.MAX_ANSWER), start[:, None] + end[None, :], -1e9)
            a, b = divmod(int(sums.argmax()), length)
            score = float(sums[a, b] - row[0].sum())
            if score > best[number]["score"]:
                best[number] = {"text": examples[number]["context"][offsets[a][0] : offsets[b][1]], "score": score}
    return best
