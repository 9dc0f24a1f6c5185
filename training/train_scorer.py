"""Step 3b: train the sentence scorer on top of a reader's lower layers, which stay as they are.

    cargo build --release --example vectors
    python train_scorer.py --data ../../shared/data --documents ../../train/documents --base ../models/reader --work ../../train/scorer

Learns from the articles of CNN/DailyMail and, with --documents, from documents of other kinds that somebody summarised (`summaries.documents`). Their
sentences are those that `ask summarize` would choose from, with the vectors that it sees; they are kept in --work, so that a second call goes on. Each
epoch takes all documents and as many articles as --articles says. None is among those that evaluate_summaries.py reports on.
"""
import argparse
import json
import math
import random
import subprocess
import time
from hashlib import sha256
from pathlib import Path

import reader  # noqa: F401  (sets OMP_WAIT_POLICY before torch is loaded)
import numpy as np
import torch
import torch.nn.functional as F
import scorer
import summaries

SENTENCES, LONGEST_ORACLE, WORDS = 3, 10, 22  # a reference of so many times WORDS has as many sentences in its oracle


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../../shared/data"))
    parser.add_argument("--documents", type=Path, help="folder of summarised documents, *.jsonl; without it, news only")
    parser.add_argument("--base", type=Path, default=Path("../models/reader"), help="the reader whose lower layers are shared")
    parser.add_argument("--vectors", default="../target/release/examples/vectors", help="the program made of vectors.rs")
    parser.add_argument("--work", type=Path, default=Path("../../train/scorer"), help="where vectors and the scorer go")
    parser.add_argument("--articles", type=int, default=40000, help="articles an epoch, at most")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--batch", type=int, default=16, help="documents a step")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--smoke", action="store_true", help="every 200th document")
    return parser.parse_args()


def read_source(args, base, name, documents):
    """Documents with their vectors as a map of a file, and their oracle; those that `ask` would not summarise by sentences are left out."""
    documents = list(documents)[:: 200 if args.smoke else 1]
    path = args.work / f"{base}-{name}{'-smoke' if args.smoke else ''}.jsonl"
    if not path.exists():
        lines = "".join(json.dumps({key: document[key] for key in ("id", "format", "text")}) + "\n" for document in documents)
        found = subprocess.run([args.vectors, path.with_suffix(".f16"), args.base], input=lines, stdout=subprocess.PIPE, text=True, check=True).stdout
        path.with_suffix(".part").write_text(found, encoding="utf-8")
        path.with_suffix(".part").rename(path)
    file = path.with_suffix(".f16")
    vectors, at, out = np.memmap(file, np.float16, "r") if file.stat().st_size else np.zeros(0, np.float16), 0, []
    with path.open(encoding="utf-8") as lines:
        for line, document in zip(lines, documents, strict=True):
            found = json.loads(line)
            assert found["id"] == document["id"], f"{path} is of other documents: remove it"
            rows, at = (at, at + len(found["tokens"])), at + len(found["tokens"])
            assert len(found["tokens"]) == len(found["sentences"]) + len(found["headings"]), f"{path}: {found['id']}"
            if document["part"] == "report":
                continue
            sentences = [sentence["text"] for sentence in found["sentences"]]
            if len(sentences) <= SENTENCES or found["by_lines"]:
                continue
            length = max(SENTENCES, min(LONGEST_ORACLE, round(len(" ".join(document["summary"]).split()) / WORDS)))
            chosen = summaries.oracle(sentences, document["summary"], SENTENCES if document["domain"] == "news" else length)
            if chosen:
                out.append({**document, "sentences": sentences, "found": found, "vectors": vectors, "rows": rows, "oracle": chosen})
    return out


def of_batch(documents, hidden):
    parts = []
    for document in documents:
        (first, last), found, count = document["rows"], document["found"], len(document["sentences"])
        means = torch.from_numpy(document["vectors"][first * hidden : last * hidden].reshape(-1, hidden).astype(np.float32))
        sections = np.unique([sentence["section"] for sentence in found["sentences"]], return_inverse=True)[1]
        headings = [-1 if sentence["heading"] is None else sentence["heading"] for sentence in found["sentences"]]
        parts.append((means[:count], torch.tensor(found["tokens"][:count]).float(), torch.from_numpy(sections), torch.tensor(headings), means[count:]))
    return scorer.Batch(parts)


def rouge(document, indices):
    """Mean of ROUGE-1 and ROUGE-2 F1, unstemmed: for choosing only."""
    gold, ours = ([summaries.grams(summaries.words(" ".join(text)), n) for n in (1, 2)] for text in (document["summary"], [document["sentences"][i] for i in indices]))
    return 50 * sum(summaries.f1(o.total(), g.total(), (o & g).total()) for o, g in zip(ours, gold))


@torch.inference_mode()
def validate(model, rows, hidden):
    """Of each domain, the mean ROUGE of the best three sentences and of the first three."""
    model.eval()
    values = {}
    for at in range(0, len(rows), 64):
        group = rows[at : at + 64]
        for document, logits in zip(group, model(of_batch(group, hidden)).split([len(d["sentences"]) for d in group])):
            best = sorted(torch.topk(logits, SENTENCES).indices.tolist())
            values.setdefault(document["domain"], []).append((rouge(document, best), rouge(document, range(SENTENCES))))
    return {domain: np.mean(pairs, axis=0) for domain, pairs in values.items()}


def main():
    args = parse()
    if not Path(args.vectors).exists():
        raise SystemExit(f"there is no {args.vectors}: cargo build --release --example vectors makes it")
    if not (args.base / "model.safetensors").exists():
        raise SystemExit(f"--base {args.base} holds no model.safetensors")
    if args.documents and not any(args.documents.glob("*.jsonl")):
        raise SystemExit(f"--documents {args.documents} holds no *.jsonl")
    args.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)
    hidden = json.loads((args.base / "config.json").read_text())["hidden_size"]
    base = sha256((args.base / "model.safetensors").read_bytes()).hexdigest()[:8]
    begun = time.monotonic()
    sources = {"news": summaries.news(args.data)}
    sources.update((path.stem, summaries.documents(path)) for path in (sorted(args.documents.glob("*.jsonl")) if args.documents else []))
    rows = []
    for name, documents in sources.items():
        rows += read_source(args, base, name, documents)
        print(f"{name}: {len(rows)} documents, {(time.monotonic() - begun) / 60:.1f} min", flush=True)
    held = [row for row in rows if row["part"] == "choose"]
    articles = [row for row in rows if row["part"] == "train" and row["domain"] == "news"]
    others = [row for row in rows if row["part"] == "train" and row["domain"] != "news"]
    most = min(args.articles, len(articles))
    model = scorer.Scorer(hidden)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=0.05)
    steps, step = args.epochs * math.ceil((most + len(others)) / args.batch), 0
    print(f"{len(articles)} articles, {len(others)} other documents, {len(held)} held out", flush=True)
    for epoch in range(args.epochs):
        model.train()
        train, losses = rng.sample(articles, most) + others, []
        rng.shuffle(train)
        for at in range(0, len(train), args.batch):
            for parameters in optimizer.param_groups:
                parameters["lr"] = args.lr * min(1, (step + 1) / 50) * (1 - step / steps)
            step += 1
            group = train[at : at + args.batch]
            labels = torch.cat([torch.zeros(len(d["sentences"])).index_fill(0, torch.tensor(d["oracle"]), 1.0) for d in group])
            # A document counts as the root of its length, between as one and as its sentences: long ones have few that belong in a summary.
            weights = torch.cat([torch.full((len(d["sentences"]),), len(d["sentences"]) ** -0.5) for d in group])
            loss = F.binary_cross_entropy_with_logits(model(of_batch(group, hidden)), labels, weights, reduction="sum") / weights.sum()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
        values = validate(model, held, hidden)
        ours, lead = np.mean([value for domain, value in values.items() if domain != "news"] or [(0, 0)], axis=0)
        news = values.get("news", (0, 0))
        print(f"epoch {epoch + 1} loss {np.mean(losses):.4f}, news {news[0]:.2f} (Lead {news[0] - news[1]:+.2f}), mean of the others {ours:.2f} (Lead {ours - lead:+.2f})", flush=True)
    torch.save(model.state_dict(), args.work / "scorer.pt")


if __name__ == "__main__":
    main()
