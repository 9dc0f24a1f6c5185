"""Step 2g: the words that may stand for a word, for `train.py --noise`.

    python noise.py --encoder ../../train/mpnet --out ../../train/data/neighbours.npy

Windows are altered at random for a teacher that reads them as they then are: no label is needed, so any change will do. A teacher's answers on altered windows show a reader more of what the teacher knows than its answers on the same windows again. Words are replaced by words of like meaning, as
in TinyBERT (arXiv 1909.10351, section 4.2), in the question and in the passage; sentences are left out, half the time the one that holds the answer.
"""
import argparse
import re
from pathlib import Path

import numpy as np
import reader
import torch

STOP = 1012  # the token "."
NEAREST = 12  # words that a word may be replaced by
LIKENESS = 0.45  # cosine of the two words' vectors, at least
ROWS = {"question": 0.4, "passage": 0.15, "sentence": 0.25}  # share of the windows that are altered so
WORDS = {"question": 0.3, "passage": 0.1}  # of such a window
KEPT = set("who what when where why which whose whom how that this these those the and for with from are was were has have had does did not can will would its his her their they them".split())


@torch.inference_mode()
def neighbours(directory, student, limit=None):
    """[V, NEAREST] for each token the tokens of like meaning, 0 where there are no more; only whole words and numbers have any. By a sentence encoder of MPNet's shape."""
    model, tokenizer = reader.load(directory, student=student)
    vocabulary = tokenizer.get_vocab()
    words = sorted(word for word in vocabulary if re.fullmatch(r"[a-z]{3,}|[0-9]{1,4}", word) and word not in KEPT)[:limit]
    numbers, vectors = torch.tensor([vocabulary[word] for word in words]), []
    for some in numbers.split(2000):
        ids = torch.stack([torch.full_like(some, reader.CLS), some, torch.full_like(some, reader.SEP)], 1)
        vectors.append(torch.nn.functional.normalize(model.mpnet(input_ids=model.theirs(ids), attention_mask=torch.ones_like(ids)).last_hidden_state.mean(1), dim=1))
    vectors, table = torch.cat(vectors), np.zeros((len(vocabulary), NEAREST), np.int32)
    for at in range(len(words)):
        likeness, found = (vectors @ vectors[at]).topk(min(4 * NEAREST, len(words)))
        other = [numbers[i] for value, i in zip(likeness, found) if value >= LIKENESS and not same_stem(words[i], words[at])]
        table[numbers[at], : min(NEAREST, len(other))] = other[:NEAREST]
    return table


def pieces(tokenizer):
    """The tokens that go on a word."""
    return sorted(number for token, number in tokenizer.get_vocab().items() if token.startswith("##"))


def same_stem(a, b):
    return a == b or a.isalpha() and a[:5] == b[:5] or min(len(a), len(b)) >= 3 and (a.startswith(b) or b.startswith(a))


class Noise:
    """`table` [V, NEAREST] of `neighbours`; `pieces` the tokens that go on a word."""

    def __init__(self, table, pieces, device):
        self.table = torch.from_numpy(table).to(device=device, dtype=torch.int32)
        self.count = (self.table > 0).sum(1)
        self.piece = torch.zeros(len(table), dtype=torch.bool, device=device)
        self.piece[torch.as_tensor(pieces, dtype=torch.long, device=device)] = True

    def __call__(self, inputs, targets):
        """(inputs, altered [B]); a window's length may have shrunk."""
        ids, mask, types = inputs["input_ids"], inputs["attention_mask"].bool(), inputs["token_type_ids"].bool()
        draw = lambda *shape: torch.rand(*shape, device=ids.device)
        rows = {name: draw(len(ids)) < share for name, share in ROWS.items()}
        chance = WORDS["question"] * rows["question"][:, None] * ~types + WORDS["passage"] * rows["passage"][:, None] * types
        follows = torch.cat([self.piece[ids[:, 1:]], torch.zeros_like(mask[:, :1])], 1)
        chosen = (draw(*ids.shape) < chance) & (self.count[ids] > 0) & ~follows & mask
        which = (draw(*ids.shape) * self.count[ids]).long()
        ids = torch.where(chosen, self.table[ids, which].long(), ids)

        # The sentence of each token of the passage, from 0; the last [SEP] stays.
        inside = types & (ids != reader.SEP)
        ends = (ids == STOP) & inside
        sentence = ends.cumsum(1) - ends.long()
        count = torch.where(inside, sentence, 0).amax(1) + 1
        answer = sentence.gather(1, targets[:, :1])[:, 0]
        drop = torch.where((draw(len(ids)) < 0.5) & (targets[:, 0] > 0), answer, (draw(len(ids)) * count).long())
        left_out = inside & (sentence == drop[:, None]) & (rows["sentence"] & (count > 1))[:, None]
        order = (left_out | ~mask).long().argsort(dim=1, stable=True)
        kept = torch.arange(ids.shape[1], device=ids.device)[None] < (mask & ~left_out).sum(1)[:, None]
        move = lambda tensor, empty: torch.where(kept, tensor.gather(1, order), empty)
        altered = chosen.any(1) | left_out.any(1)
        return {"input_ids": move(ids, reader.PAD), "attention_mask": kept.long(), "token_type_ids": move(types.long(), 0)}, altered


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", type=Path, required=True, help="directory of a sentence encoder of MPNet's shape")
    parser.add_argument("--student", type=Path, default=Path("../models/reader"), help="directory whose tokenizer the reader has")
    parser.add_argument("--out", type=Path, default=Path("../../train/data/neighbours.npy"))
    parser.add_argument("--smoke", action="store_true", help="200 words")
    args = parser.parse_args()
    table = neighbours(args.encoder, args.student, 200 if args.smoke else None)
    np.save(args.out, table)
    print(f"{args.out.name}: {int((table > 0).any(1).sum())} of {len(table)} tokens have others, {(table > 0).sum(1)[(table > 0).any(1)].mean():.1f} each")


if __name__ == "__main__":
    main()
