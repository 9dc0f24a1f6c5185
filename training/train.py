"""Step 2: fine-tune a reader, or its teacher, on the examples of prepare.py. Resumes from the last checkpoint of --work by itself.

    python train.py --data ../../train/data --init ../../shared/models/starter --work ../../train/run --tokens 8000000
"""
import argparse
import json
import random
import re
import signal
import time
from pathlib import Path

import evaluate
import noise
import numpy as np
import reader
import torch
import windows
from torch.nn import functional as F

LENGTHS = 16  # batches are this many tokens long, times a whole number: with fewer shapes the allocator keeps fewer blocks
STARTING = 5  # steps in which --compile works, whose time does not count
TEACHER_ONLY = "generated/"  # groups whose labels are a generator's: where there are teacher's logits, these alone count
GOLD_ONLY = ("asserted/", "written/")  # groups that no teacher knows better


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("--data", type=Path, nargs="+", default=[Path("../../train/data")], help="files of examples, or directories with a train.jsonl")
    parser.add_argument("--init", type=Path, default=Path("../../shared/models/starter"), help="starter, int8 or hub directory, of BERT's shape or MPNet's")
    parser.add_argument("--weights", type=Path, help="another --work whose last checkpoint's weights are begun with (a warm-up)")
    parser.add_argument("--student", type=Path, default=Path("../models/reader"), help="directory whose tokenizer a teacher of MPNet's shape is given")
    parser.add_argument("--work", type=Path, default=Path("../../train/run"), help="where the checkpoints go")
    parser.add_argument("--tokens", type=int, default=8_000_000, help="budget, padding included; may be changed when resuming")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="budget in time where that is less, counted from the sixth step; the learning rate follows it")
    parser.add_argument("--lr", type=float, default=5e-5)
    parser.add_argument("--warmup", type=float, default=0.06, help="share of the budget")
    parser.add_argument("--batch-tokens", type=int, default=7000, help="of a step, padding included")
    parser.add_argument("--soft", type=float, default=0.0, help="weight of the teacher's logits (label.py) beside the gold answer; 0 leaves them out")
    parser.add_argument("--teacher", type=Path, help="directory of checkpoint-*.pt, or a reader's or teacher's directory: it reads every batch beside the reader, instead of logits that label.py has written")
    parser.add_argument("--base", type=Path, help="the directory that a --teacher of checkpoints was trained from")
    parser.add_argument("--noise", type=Path, help="table of neighbours.py: the --teacher reads windows in which words are replaced and sentences left out")
    parser.add_argument("--compile", action="store_true", help="encoders by torch.compile: two minutes of compiling, which pay for a teacher on an accelerator")
    parser.add_argument("--temperature", type=float, default=2.0, help="of both sides of the teacher's term")
    parser.add_argument("--without", help="regular expression of groups (source/kind, and +company where other passages stand around) to leave out, for ablations")
    parser.add_argument("--dropout", type=float, default=0.0, help="0 where it is about an epoch; on a CPU the masks cost time")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--precision", choices=("f32", "bf16"), default="f32", help="bf16: mixed precision, 2.5 times as fast on a CPU with AVX-512 BF16")
    parser.add_argument("--train-embeddings", action="store_true")
    parser.add_argument("--freeze-layers", type=int, default=0, help="lowest layers left as they are, for speed")
    parser.add_argument("--checkpoint-minutes", type=float, default=10)
    parser.add_argument("--keep", type=int, default=5, help="checkpoints kept")
    parser.add_argument("--measure", type=Path, help="examples (heldout.jsonl) to read at the end; the result goes to --work")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--smoke", action="store_true", help="a few hundred windows, a few steps, no teacher")
    return parser.parse_args()


def spent(args, state):
    """Share of the budget."""
    return max(state["tokens"] / args.tokens, state["seconds"] / 60 / args.minutes)


def learning_rate(args, share):
    return args.lr * min(share / args.warmup, max(0.0, (1 - share) / (1 - args.warmup)))


def loss_of(both, targets, soft, share, temperature):
    """both, soft [B, L, 2] logits, targets [B, 2], share [B] of the teacher's term. The mean over start and end."""
    gold = F.cross_entropy(both.transpose(1, 2).flatten(0, 1), targets.flatten(), reduction="none").view(-1, 2).mean(1)
    if soft is None:
        return gold.mean()
    theirs = F.softmax(soft / temperature, 1)
    teacher = -(theirs * F.log_softmax(both / temperature, 1)).sum(1).mean(1) * temperature**2
    return (share * teacher + (1 - share) * gold).mean()


def load_teacher(args, device):
    holds_checkpoints = any(args.teacher.glob("checkpoint-*.pt"))
    teacher, _ = reader.load(args.base if holds_checkpoints else args.teacher, student=args.student)
    if holds_checkpoints:
        reader.load_checkpoint(teacher, args.teacher)
    teacher = teacher.to(device, torch.bfloat16 if args.precision == "bf16" else torch.float32)
    return teacher.requires_grad_(False)


def save(args, model, optimizer, state):
    path = args.work / f"checkpoint-{state['steps']:06d}.pt"
    everything = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "rng": [torch.get_rng_state(), *torch.cuda.get_rng_state_all()], "state": state}
    torch.save(everything, path.with_suffix(".part"))
    path.with_suffix(".part").rename(path)
    for old in sorted(args.work.glob("checkpoint-*.pt"))[: -args.keep]:
        old.unlink()


@torch.no_grad()
def logits_of_teacher(args, teacher, inputs, wanted, ours):
    """The teacher's logits [B, L, 2] of the rows that are `wanted` [B]; of the others, which cost it no reading, the reader's own."""
    soft = ours.detach().clone()
    if wanted.any():
        soft[wanted] = reader.logits(teacher, {name: value[wanted] for name, value in inputs.items()}, args.device, args.precision).to(soft.dtype)
    return soft


@torch.inference_mode()
def away(args, model, teacher, every):
    """The mean teacher's term over windows as they are: how far `model` is from `teacher`, but for a constant."""
    packed, terms = every.to(args.device), []
    for chosen in windows.batches(every.lengths, 65536, 0, 0):
        inputs, targets, _ = packed.batch(chosen, LENGTHS)
        ours, theirs = (reader.logits(one, inputs, args.device, args.precision) for one in (model, teacher))
        terms.append((len(chosen), loss_of(ours, targets, theirs, 1.0, args.temperature)))
    return float(sum(count * term for count, term in terms) / sum(count for count, _ in terms))


def measure(args, model, tokenizer, teacher):
    examples = [json.loads(line) for line in args.measure.read_text(encoding="utf-8").splitlines()]
    if args.smoke:
        examples = random.Random(1).sample(examples, 40)
    found = windows.answers(model.eval(), tokenizer, examples, args.device, args.precision)
    result = evaluate.report(examples, found)
    if teacher:
        result["away"] = away(args, model, teacher, windows.of_examples(tokenizer, examples))
    (args.work / "measured.json").write_text(json.dumps(result, indent=1) + "\n")
    print("measured", args.work.name, json.dumps({key: result[key] for key in ("has_answer", "lists", "overall", "away") if key in result}), flush=True)


def main():
    args = parse()
    if args.teacher and not args.soft:
        raise SystemExit("--teacher needs its weight: --soft 0.5, say")
    if args.noise and not args.teacher:
        raise SystemExit("--noise needs a --teacher that reads along")
    args.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    model, tokenizer = reader.load(args.init, args.dropout, args.student)
    if args.weights:
        reader.load_checkpoint(model, args.weights)
    if args.device == "cpu":
        # On a CPU, plain products are 1.3 times as fast as torch's fused attention: that one is slow backwards.
        model.config._attn_implementation = "eager"
    model.to(args.device)
    files = [path / "train.jsonl" if path.is_dir() else path for path in args.data]
    if args.smoke:
        args.tokens, args.soft = 30_000, args.soft if args.teacher else 0.0
    everything = windows.joined([windows.few(path, tokenizer, 500) if args.smoke else windows.read(path, tokenizer) for path in files])
    if args.without:
        everything = everything.without(re.compile(args.without))
    if not len(everything):
        raise SystemExit("no windows to learn from: --without leaves none")
    empty = float((everything.target[:, 0] == 0).mean())
    print(f"{len(everything)} windows ({empty:.0%} unanswerable), {len(everything.ids) / 1e6:.2f} M tokens an epoch", flush=True)
    trust = None
    if args.soft and everything.soft is None and not args.teacher:
        raise SystemExit(f"--soft needs the teacher's logits beside every file of {[str(path) for path in args.data]}: run label.py first, or name a --teacher")
    if args.soft:
        weight_of = lambda name: 1.0 if name.startswith(TEACHER_ONLY) else 0.0 if name.startswith(GOLD_ONLY) else args.soft
        trust = torch.from_numpy(np.array([weight_of(name) for name in everything.groups], np.float32)[everything.group]).to(args.device)
    if not args.soft or args.teacher:
        everything.soft = None
    packed = everything.to(args.device)

    if not args.train_embeddings:
        for parameter in model.base_model.embeddings.parameters():
            parameter.requires_grad = False
    for layer in model.base_model.encoder.layer[: args.freeze_layers]:
        for parameter in layer.parameters():
            parameter.requires_grad = False
    trained = [p for p in model.parameters() if p.requires_grad]
    plain = [p for p in trained if p.ndim == 1]
    decayed = [p for p in trained if p.ndim > 1]
    teacher = load_teacher(args, args.device) if args.teacher else None
    alter = noise.Noise(np.load(args.noise), noise.pieces(tokenizer), args.device) if args.noise else None
    if args.compile:
        for one in filter(None, (model, teacher)):
            one.base_model.encoder.compile(dynamic=True)
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}], lr=args.lr, fused=True)
    state = {"steps": 0, "seconds": 0.0, "tokens": 0, "windows": 0, "epoch": 0, "in_epoch": 0}
    last = sorted(args.work.glob("checkpoint-*.pt"))
    if last:
        saved = torch.load(last[-1], map_location=args.device, weights_only=True)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        here, *accelerators = (rng.cpu() for rng in saved["rng"])
        torch.set_rng_state(here)
        torch.cuda.set_rng_state_all(accelerators)
        state |= saved["state"]
        print(f"resumed at {state}", flush=True)

    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))  # a checkpoint first, then the end
    model.train()
    begun = saved_at = step_at = time.monotonic()
    begun_tokens, begun_steps, recent = state["tokens"], state["steps"], []
    while spent(args, state) < 1:
        for number, chosen in enumerate(windows.batches(packed.lengths, args.batch_tokens, state["epoch"], args.seed)):
            if number < state["in_epoch"]:
                continue
            rate = learning_rate(args, spent(args, state))
            for parameters in optimizer.param_groups:
                parameters["lr"] = rate
            inputs, targets, soft = packed.batch(chosen, LENGTHS)
            weight = None if trust is None else trust[torch.as_tensor(chosen, device=args.device)]
            if alter:
                inputs, altered = alter(inputs, targets)
                weight = torch.where(altered, 1.0, weight)
            both = reader.logits(model, inputs, args.device, args.precision)
            if teacher:
                soft = logits_of_teacher(args, teacher, inputs, weight > 0, both)
            loss = loss_of(both, targets, soft, weight, args.temperature)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            recent = [*recent[-99:], loss.detach()]
            now = time.monotonic()
            state = {
                "steps": state["steps"] + 1,
                "seconds": state["seconds"] + (now - step_at if state["steps"] >= begun_steps + STARTING else 0),
                "tokens": state["tokens"] + inputs["input_ids"].numel(),
                "windows": state["windows"] + len(chosen),
                "epoch": state["epoch"],
                "in_epoch": number + 1,
            }
            step_at = now
            if state["steps"] % 20 == 0:
                speed = (state["tokens"] - begun_tokens) / (now - begun)
                begun, begun_tokens = now, state["tokens"]
                print(f"step {state['steps']} windows {state['windows']} tokens {state['tokens'] / 1e6:.2f} M loss {float(torch.stack(recent).mean()):.3f} lr {rate:.1e} {speed:.0f} tokens/s, {spent(args, state):.1%}", flush=True)
            if now - saved_at > 60 * args.checkpoint_minutes:
                save(args, model, optimizer, state)
                saved_at = time.monotonic()
            if stopping or spent(args, state) >= 1:
                break
        else:
            state = {**state, "epoch": state["epoch"] + 1, "in_epoch": 0}
        if stopping:
            break
    save(args, model, optimizer, state)
    print(f"{'stopped' if stopping else 'done'}: {state}", flush=True)
    if args.measure:
        measure(args, model, tokenizer, teacher)


if __name__ == "__main__":
    main()
