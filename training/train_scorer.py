"""Step 3b: train the sentence scorer on CNN/DailyMail, on top of a reader's lower layers, which stay as they are.

    python train_scorer.py --data ../../shared/data --base ../models/reader --work ../../train/scorer

Vectors are kept in --work as they are made, so that a second call goes on; training on them takes a minute. Articles come from the whole file (its
beginning is all of one newspaper). The epoch is chosen by the summaries' ROUGE on every fourth validation article (`summaries.VALIDATION_EVERY`), of which none is among those that
evaluate_summaries.py reports on, nor is any training article.
"""
import argparse
import copy
import functools
import math
import random
import time
from hashlib import sha256
from pathlib import Path

import reader  # noqa: F401  (sets OMP_WAIT_POLICY before torch is loaded)
import numpy as np
import torch
import torch.nn.functional as F
import scorer
import summaries

MOST_SENTENCES, SENTENCES = 60, 3


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../../shared/data"))
    parser.add_argument("--base", type=Path, default=Path("../models/reader"), help="the reader whose lower layers are shared")
    parser.add_argument("--work", type=Path, default=Path("../../train/scorer"), help="where vectors and the scorer go")
    parser.add_argument("--every", type=int, default=3, help="every so manieth article of the training file")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--batch", type=int, default=16, help="articles a step")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--smoke", action="store_true", help="every 1,000th article")
    return parser.parse_args()


def vectors_of(args):
    """[(name, article, means, counts, oracle)] of the validation articles, then of the training articles that repeat none of them; kept in --work in
    pieces of 200 articles."""
    seen = {summaries.fingerprint(a["reference"]) for a in summaries.cased_articles(args.data / "summaries/cnn_dm_val1000_cased.jsonl.gz")}
    base = sha256((args.base / "model.safetensors").read_bytes()).hexdigest()[:8]
    out, begun = [], time.monotonic()
    for part, every in (("val", summaries.VALIDATION_EVERY * (40 if args.smoke else 1)), ("train", 1000 if args.smoke else args.every)):
        chosen = []
        for number, article in enumerate(summaries.articles(args.data / f"cnn_dm/{part}.jsonl.zst")):
            mark = summaries.fingerprint(article["reference"])
            is_new = mark not in seen
            if part == "val" or number % every == 0:
                seen.add(mark)
            if number % every == 0 and is_new:
                chosen.append((f"{part}-{number}", {**article, "sentences": article["sentences"][:MOST_SENTENCES]}))
        for first in range(0, len(chosen), 200):
            out += read_piece(args, f"{base}-{part}-{every}-{first // 200}", chosen[first : first + 200])
            print(f"{len(out)} articles, {(time.monotonic() - begun) / 60:.1f} min", flush=True)
    return out


def read_piece(args, label, piece):
    path = args.work / f"vectors-{label}.npz"
    if not path.exists():
        encoder, tokenizer = loaded(args.base)
        arrays = {}
        for name, article in piece:
            means, counts = scorer.vectors(encoder, tokenizer, article["sentences"])
            arrays[name], arrays[name + "/counts"] = means.numpy().astype(np.float16), counts.numpy()
        np.savez(path.with_suffix(".part.npz"), **arrays)
        path.with_suffix(".part.npz").rename(path)
    arrays = np.load(path)
    return [(name, article, torch.from_numpy(arrays[name].astype(np.float32)), torch.from_numpy(arrays[name + "/counts"]),
             summaries.oracle(article["sentences"], article["reference"], SENTENCES)) for name, article in piece]


@functools.cache
def loaded(base):
    return scorer.lower_layers(base)


def rouge(article, indices):
    """Mean of ROUGE-1 and ROUGE-2 F1, unstemmed: for choosing only."""
    gold, ours = ([summaries.grams(summaries.words(" ".join(text)), n) for n in (1, 2)] for text in (article["reference"], [article["sentences"][i] for i in indices]))
    return sum(summaries.f1(o.total(), g.total(), (o & g).total()) for o, g in zip(ours, gold)) / 2


@torch.inference_mode()
def validate(model, rows):
    model.eval()
    values = [rouge(article, sorted(torch.topk(model(means, counts), min(SENTENCES, len(means))).indices.tolist())) for _, article, means, counts, _ in rows]
    return 100 * float(np.mean(values))


def main():
    args = parse()
    args.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)
    rows = vectors_of(args)
    held = [row for row in rows if row[0].startswith("val-")]
    train = [row for row in rows if row[0].startswith("train-") and row[4]]
    lead = 100 * float(np.mean([rouge(article, range(min(SENTENCES, len(means)))) for _, article, means, _, _ in held]))
    model = scorer.Scorer(hidden=train[0][2].shape[1])
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=0.05)
    steps, step, best = args.epochs * math.ceil(len(train) / args.batch), 0, (0.0, None)
    print(f"{len(train)} articles, {len(held)} held out, Lead-{SENTENCES} {lead:.2f}", flush=True)
    for epoch in range(args.epochs):
        model.train()
        rng.shuffle(train)
        losses = []
        for at in range(0, len(train), args.batch):
            for parameters in optimizer.param_groups:
                parameters["lr"] = args.lr * min(1, (step + 1) / 50) * (1 - step / steps)
            step += 1
            group = train[at : at + args.batch]
            logits = torch.cat([model(means, counts) for _, _, means, counts, _ in group])
            labels = torch.cat([torch.zeros(len(means)).index_fill(0, torch.tensor(chosen), 1.0) for _, _, means, _, chosen in group])
            loss = F.binary_cross_entropy_with_logits(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
        value = validate(model, held)
        print(f"epoch {epoch + 1} loss {np.mean(losses):.4f}, held out {value:.2f} (Lead {value - lead:+.2f})", flush=True)
        if value > best[0]:
            best = value, copy.deepcopy(model.state_dict())
    torch.save(best[1], args.work / "scorer.pt")
    print(f"kept {best[0]:.2f}", flush=True)


if __name__ == "__main__":
    main()
