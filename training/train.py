"""Step 2: fine-tune the reader on the examples of prepare.py. Resumes from the last checkpoint of --work by itself.

    python train.py --data ../../train/data --init ../../shared/models/starter --work ../../train/run --tokens 8000000
"""
import argparse
import json
import random
import signal
import time
from pathlib import Path

import numpy as np

import asking
import reader
import torch
from torch.nn import functional as F

POOL = 4096  # windows that are sorted by length together
LENGTHS = 16  # batches are this many tokens long, times a whole number: with fewer shapes the allocator keeps fewer blocks


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../../train/data"), help="where train.jsonl is")
    parser.add_argument("--init", type=Path, default=Path("../../shared/models/starter"), help="starter, int8 or hub directory")
    parser.add_argument("--work", type=Path, default=Path("../../train/run"), help="where the checkpoints go")
    parser.add_argument("--tokens", type=int, default=8_000_000, help="budget, padding included; may be changed when resuming")
    parser.add_argument("--lr", type=float, default=5e-5)
    parser.add_argument("--warmup", type=float, default=0.06, help="share of the budget")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--window", type=int, default=asking.WINDOW)
    parser.add_argument("--overlap", type=int, default=asking.OVERLAP)
    parser.add_argument("--dropout", type=float, default=0.0, help="0 where it is about an epoch; on a CPU the masks cost time")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--precision", choices=("f32", "bf16"), default="f32", help="bf16: mixed precision, 2.5 times as fast on a CPU with AVX-512 BF16")
    parser.add_argument("--train-embeddings", action="store_true")
    parser.add_argument("--freeze-layers", type=int, default=0, help="lowest layers left as they are, for speed")
    parser.add_argument("--checkpoint-minutes", type=float, default=10)
    parser.add_argument("--keep", type=int, default=5, help="checkpoints kept")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--smoke", action="store_true", help="a few hundred examples, a few steps")
    return parser.parse_args()


def make_windows(tokenizer, examples, window, overlap, rng):
    """[(ids, question length, start, end)]; a window that does not hold the whole answer points at [CLS]."""
    out = []
    for ex in examples:
        question = tokenizer.encode(ex["question"], add_special_tokens=False)
        context = tokenizer.encode(ex["context"], add_special_tokens=False)
        question_ids, offsets = question.ids[: asking.MAX_QUESTION], context.offsets
        span = None
        if ex["answers"]:
            start, size = ex["answers"][0]["start"], len(ex["answers"][0]["text"])
            inside = [i for i, (a, b) in enumerate(offsets) if a < start + size and b > start]
            if not inside:
                continue
            span = inside[0], inside[-1]
        for first, last in asking.windows_of(len(question_ids), len(context.ids), window, overlap):
            ids = np.array([reader.CLS, *question_ids, reader.SEP, *context.ids[first:last], reader.SEP], dtype=np.int32)
            shift, target = len(question_ids) + 2 - first, (0, 0)
            if span and span[0] >= first and span[1] < last:
                target = span[0] + shift, span[1] + shift
            elif span and span[0] < last and span[1] >= first:
                continue  # half an answer teaches neither
            out.append((ids, len(question_ids), *target))
    rng.shuffle(out)
    return out


def batches_of(windows, size, epoch, seed):
    """One epoch of batches: shuffled, sorted by length within pools, shuffled again."""
    rng = random.Random(f"{seed}/{epoch}")
    order = list(range(len(windows)))
    rng.shuffle(order)
    for at in range(0, len(order), POOL):
        pool = sorted(order[at : at + POOL], key=lambda i: len(windows[i][0]))
        groups = [pool[i : i + size] for i in range(0, len(pool), size)]
        rng.shuffle(groups)
        yield from groups


def learning_rate(args, done):
    share = done / args.tokens
    return args.lr * min(share / args.warmup, max(0.0, (1 - share) / (1 - args.warmup)))


def save(args, model, optimizer, state):
    path = args.work / f"checkpoint-{state['steps']:06d}.pt"
    everything = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "rng": torch.get_rng_state(), "state": state}
    torch.save(everything, path.with_suffix(".part"))
    path.with_suffix(".part").rename(path)
    for old in sorted(args.work.glob("checkpoint-*.pt"))[: -args.keep]:
        old.unlink()


def main():
    args = parse()
    args.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    model, tokenizer = reader.load(args.init, args.dropout)
    # On a CPU, plain products are 1.3 times as fast as torch's fused attention: that one is slow backwards.
    model.config._attn_implementation = "eager" if args.device == "cpu" else "sdpa"
    model.to(args.device)
    with (args.data / "train.jsonl").open(encoding="utf-8") as file:
        examples = [json.loads(line) for line in file]
    if args.smoke:
        examples, args.tokens = examples[:400], 30_000
    windows = make_windows(tokenizer, examples, args.window, args.overlap, random.Random(args.seed))
    empty = sum(w[2] == 0 for w in windows)
    tokens = sum(len(w[0]) for w in windows)
    print(f"{len(examples)} examples, {len(windows)} windows ({empty / len(windows):.0%} unanswerable), {tokens / 1e6:.2f} M tokens an epoch", flush=True)

    if not args.train_embeddings:
        for parameter in model.bert.embeddings.parameters():
            parameter.requires_grad = False
    for layer in model.bert.encoder.layer[: args.freeze_layers]:
        for parameter in layer.parameters():
            parameter.requires_grad = False
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    plain = [p for name, p in trained if p.ndim == 1]
    decayed = [p for name, p in trained if p.ndim > 1]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}], lr=args.lr, fused=True)
    state = {"steps": 0, "tokens": 0, "windows": 0, "epoch": 0, "in_epoch": 0}
    last = sorted(args.work.glob("checkpoint-*.pt"))
    if last:
        saved = torch.load(last[-1], map_location=args.device, weights_only=True)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        torch.set_rng_state(saved["rng"].cpu())
        state = saved["state"]
        print(f"resumed at {state}", flush=True)

    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))  # a checkpoint first, then the end
    model.train()
    begun = saved_at = time.monotonic()
    begun_tokens, losses = state["tokens"], []
    while state["tokens"] < args.tokens:
        for number, group in enumerate(batches_of(windows, args.batch, state["epoch"], args.seed)):
            if number < state["in_epoch"]:
                continue
            rows = [windows[i] for i in group]
            for parameters in optimizer.param_groups:
                parameters["lr"] = learning_rate(args, state["tokens"])
            inputs = {name: value.to(args.device) for name, value in reader.batch_of([(ids, question) for ids, question, _, _ in rows], LENGTHS).items()}
            with torch.autocast(args.device, torch.bfloat16, enabled=args.precision == "bf16"):
                out = model(**inputs)
            outside = inputs["attention_mask"] == 0
            targets = torch.tensor([r[2:] for r in rows], device=args.device)
            start, end = (logits.float().masked_fill(outside, -1e4) for logits in (out.start_logits, out.end_logits))
            loss = (F.cross_entropy(start, targets[:, 0]) + F.cross_entropy(end, targets[:, 1])) / 2
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            losses.append(loss.item())
            state = {"steps": state["steps"] + 1, "tokens": state["tokens"] + inputs["input_ids"].numel(), "windows": state["windows"] + len(rows), "epoch": state["epoch"], "in_epoch": number + 1}
            now = time.monotonic()
            if state["steps"] % 20 == 0:
                rate = (state["tokens"] - begun_tokens) / (now - begun)
                begun, begun_tokens = now, state["tokens"]
                left = (args.tokens - state["tokens"]) / rate / 60
                print(f"step {state['steps']} windows {state['windows']} tokens {state['tokens'] / 1e6:.2f} M loss {sum(losses[-100:]) / len(losses[-100:]):.3f} lr {learning_rate(args, state['tokens']):.1e} {rate:.0f} tokens/s, {left:.0f} min left", flush=True)
            if now - saved_at > 60 * args.checkpoint_minutes:
                save(args, model, optimizer, state)
                saved_at = time.monotonic()
            if stopping or state["tokens"] >= args.tokens:
                break
        else:
            state = {**state, "epoch": state["epoch"] + 1, "in_epoch": 0}
        if stopping:
            break
    save(args, model, optimizer, state)
    print(f"{'stopped' if stopping else 'done'}: {state}", flush=True)


if __name__ == "__main__":
    main()
