"""Step 5: average checkpoints and write the reader's directory in the int8 layout (ARCHITECTURE.md).

    python export.py --run ../../train/run --last 3 --like ../../shared/models/starter --out ../../train/reader

A matrix X [out, in] becomes I8 with X_scale F32 [out], symmetric, -127..127, embeddings by row; vectors and the head stay F32.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import save_file


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=Path("../../train/run"), help="directory of checkpoint-*.pt")
    parser.add_argument("--last", type=int, default=1, help="how many of the last checkpoints are averaged")
    parser.add_argument("--also", type=Path, nargs="*", default=[], help="reader directories to average with, each weighing as much as --run (see --share)")
    parser.add_argument("--share", type=float, default=0.5, help="share of --run in the average with --also")
    parser.add_argument("--like", type=Path, default=Path("../../shared/models/starter"), help="directory whose names, config.json and tokenizer.json are followed")
    parser.add_argument("--scorer", type=Path, help="directory of scorer.pt, which goes into the same file")
    parser.add_argument("--out", type=Path, default=Path("../../train/reader"))
    parser.add_argument("--float", action="store_true", help="write F32 instead (to measure what quantising costs)")
    parser.add_argument("--smoke", action="store_true", help="accepted for uniformity: this step takes seconds anyway")
    return parser.parse_args()


def average(states):
    return {name: sum(state[name].float() for state in states) / len(states) for name in states[0]}


def quantise(matrix):
    """(int8 rows, f32 scales); a row of zeros gets the scale 1."""
    scale = np.abs(matrix).max(axis=1) / 127
    scale = np.where(scale == 0, 1, scale).astype(np.float32)
    return np.clip(np.rint(matrix / scale[:, None]), -127, 127).astype(np.int8), scale


def scorer_tensors(directory):
    """The sentence scorer's network, in full precision: it is small."""
    state = torch.load(directory / "scorer.pt", weights_only=True)
    return {f"sentence_scorer.{name}": value.numpy().astype(np.float32) for name, value in state.items()}


def main():
    args = parse()
    paths = sorted(args.run.glob("checkpoint-*.pt"))[-args.last :]
    weights = average([torch.load(path, weights_only=True)["model"] for path in paths])
    if args.also:
        import reader

        others = average([reader.load_weights(path) for path in args.also])
        # What was not trained stays as it is, to the bit.
        mixed = lambda one, other: one if torch.equal(one, other) else args.share * one + (1 - args.share) * other
        weights = {name: mixed(value, others[name]) for name, value in weights.items()}
    with safe_open(args.like / "model.safetensors", "numpy") as like:
        kinds = {name: like.get_slice(name).get_dtype() for name in like.keys() if not name.startswith("sentence_")}
    tensors = {}
    for name, kind in kinds.items():
        if name.endswith("_scale"):
            continue
        value = weights[name].numpy().astype(np.float32)
        if kind == "I8" and not args.float:
            tensors[name], tensors[name + "_scale"] = quantise(value)
        else:
            tensors[name] = value
    if args.scorer:
        tensors.update(scorer_tensors(args.scorer))
    args.out.mkdir(parents=True, exist_ok=True)
    save_file(tensors, args.out / "model.safetensors", metadata={"format": "pt", "layout": "f32" if args.float else "int8 rows, symmetric, X_scale"})
    config = json.loads((args.like / "config.json").read_text())
    (args.out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    tokenizer = json.loads((args.like / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer.update(truncation=None, padding=None)
    (args.out / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")
    (args.out / "model.safetensors").chmod(0o644)
    size = (args.out / "model.safetensors").stat().st_size
    print(f"{[path.name for path in paths]} -> {args.out}: {len(tensors)} tensors, {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
