"""Step 2c: fine-tune a small language model to write answers and questions behind passages, on the human part of the examples.

    python train_generator.py --data ../../train/data/train.jsonl --init ../../train/smollm2 --work ../../train/generator --device cuda
"""
import argparse
import json
import random
import time
from collections import defaultdict
from pathlib import Path

import generator
import torch
import windows
from torch.nn import functional as F

ASIDE = {"clozes", "lists"}  # questions that a program made
FEW = {"qamr": 4000, "policyqa": 600, "shifts_amazon_reviews": 3000, "shifts_reddit": 3000, "fairytale": 1000, "nq_swap": 0}  # questions that are further from what people ask
EACH = 5  # questions of one passage in a row
SEEN_CHARS = 4 * generator.PASSAGE_TOKENS  # of a passage that is cut


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../../train/data/train.jsonl"))
    parser.add_argument("--init", type=Path, required=True, help="directory with model.gguf (SmolLM2-135M-Instruct), or one that save_pretrained wrote")
    parser.add_argument("--work", type=Path, default=Path("../../train/generator"), help="where the model goes")
    parser.add_argument("--tokens", type=int, default=25_000_000)
    parser.add_argument("--lr", type=float, default=4e-4)
    parser.add_argument("--batch-tokens", type=int, default=24_000)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--smoke", action="store_true", help="a few steps")
    return parser.parse_args()


def sequences(examples, tokenizer, rng):
    """[(tokens, where the questions begin)]: a passage and up to EACH of its questions, in any order."""
    by_passage = defaultdict(list)
    for ex in examples:
        human = ex["kind"] == "human" or (ex["kind"] == "answered" and ex["source"] not in ASIDE)
        if human and len(ex["question"].split()) > 3:
            if ex["answers"] and ex["answers"][0]["start"] > SEEN_CHARS:
                continue  # the generator would not see it
            by_passage[ex["context"]].append((ex["answers"][0]["text"] if ex["answers"] else generator.NONE, ex["question"].rstrip("? .") + "?"))
    out, between = [], tokenizer.encode("Answer:", add_special_tokens=False)
    for passage, pairs in by_passage.items():
        rng.shuffle(pairs)
        start = generator.prompt(tokenizer, passage)
        for at in range(0, len(pairs), EACH):
            tokens = list(start)
            for number, (answer, question) in enumerate(pairs[at : at + EACH]):
                tokens += (between if number else []) + generator.asked(tokenizer, answer, question)
            out.append((tokens, len(start)))
    return out


def few(examples, rng):
    by_source = defaultdict(list)
    for ex in examples:
        by_source[ex["source"]].append(ex)
    return [ex for source, group in sorted(by_source.items()) for ex in (rng.sample(group, min(FEW[source], len(group))) if source in FEW else group)]


def main():
    args = parse()
    rng = random.Random(args.seed)
    torch.manual_seed(args.seed)
    model, tokenizer = generator.load(args.init)
    with args.data.open(encoding="utf-8") as file:
        examples = few([json.loads(line) for line in file], rng)
    if args.smoke:
        examples, args.tokens, args.batch_tokens = examples[:300], 3000, 1500
    rows = sequences(examples, tokenizer, rng)
    print(f"{len(rows)} passages, {sum(len(row[0]) for row in rows) / 1e6:.1f} M tokens an epoch", flush=True)
    if not rows:
        raise SystemExit(f"{args.data} holds no question that a person asked: nothing to learn from")
    model.to(args.device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=0.01, fused=True)
    done, step, epoch, recent, begun = 0, 0, 0, [], time.monotonic()
    lengths = [len(tokens) for tokens, _ in rows]
    while done < args.tokens:
        for chosen in windows.batches(lengths, args.batch_tokens, epoch, args.seed):
            group = [rows[i] for i in chosen]
            longest = -(-max(len(tokens) for tokens, _ in group) // 8) * 8
            ids, targets = torch.zeros(len(group), longest, dtype=torch.long), torch.full((len(group), longest), -100)
            for row, (tokens, start) in enumerate(group):
                ids[row, : len(tokens)] = torch.tensor(tokens)
                targets[row, start - 1 : len(tokens) - 1] = torch.tensor(tokens[start:])
            ids, targets = ids.to(args.device), targets.to(args.device)
            for parameters in optimizer.param_groups:
                parameters["lr"] = args.lr * min(1, done / (0.05 * args.tokens)) * max(0.0, 1 - done / args.tokens)
            with torch.autocast(args.device, torch.bfloat16):  # padding is on the right: no token sees it
                hidden = model.model(input_ids=ids).last_hidden_state[targets >= 0]
                logits = model.lm_head(hidden)
            loss = F.cross_entropy(logits.float(), targets[targets >= 0])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            done, step, recent = done + ids.numel(), step + 1, [*recent[-49:], loss.detach()]
            if step % 50 == 0:
                print(f"step {step} tokens {done / 1e6:.2f} M loss {float(torch.stack(recent).mean()):.3f} {done / (time.monotonic() - begun):.0f} tokens/s", flush=True)
            if done >= args.tokens:
                break
        epoch += 1
    args.work.mkdir(parents=True, exist_ok=True)
    model.to(torch.bfloat16).save_pretrained(args.work)
    tokenizer.save_pretrained(args.work)
    print(f"done: {step} steps, loss {float(torch.stack(recent).mean()):.3f}", flush=True)


if __name__ == "__main__":
    main()
