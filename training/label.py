"""Step 2b: the teacher reads examples; its logits go beside them, for train.py --soft.

    python label.py --data ../../train/data/train.jsonl --teacher ../../train/teacher --base ../../train/mpnet --device cuda --precision bf16
"""
import argparse
from pathlib import Path

import numpy as np
import reader
import torch
import windows


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, nargs="+", default=[Path("../../train/data/train.jsonl")], help="files of examples")
    parser.add_argument("--teacher", type=Path, default=Path("../../train/teacher"), help="directory of checkpoint-*.pt that train.py wrote")
    parser.add_argument("--base", type=Path, required=True, help="the directory that the teacher was trained from")
    parser.add_argument("--student", type=Path, default=Path("../models/reader"), help="directory whose tokenizer the reader has")
    parser.add_argument("--batch-tokens", type=int, default=100_000)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--precision", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--smoke", action="store_true", help="300 windows; nothing is written")
    return parser.parse_args()


@torch.inference_mode()
def main():
    args = parse()
    model, tokenizer = reader.load(args.base, student=args.student)
    checkpoint = sorted(args.teacher.glob("checkpoint-*.pt"))[-1]
    model.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["model"])
    model.to(args.device)
    for path in args.data:
        every = windows.read(path, tokenizer)
        packed = every.to(args.device)
        chosen = np.argsort(every.lengths, kind="stable")[: 300 if args.smoke else None]
        soft = torch.zeros(len(every.ids), 2, dtype=torch.float16, device=args.device)
        at = 0
        while at < len(chosen):
            size = max(1, args.batch_tokens // int(every.lengths[chosen[min(len(chosen) - 1, at + args.batch_tokens // int(every.lengths[chosen[at]]))]]))
            rows, at = chosen[at : at + size], at + size
            inputs, targets, _ = packed.batch(rows, 16)
            both = reader.logits(model, inputs, args.device, args.precision)
            inside = inputs["attention_mask"].bool()
            place = packed.first[torch.as_tensor(rows, device=args.device), None] + torch.arange(inside.shape[1], device=args.device)
            soft[place[inside]] = both[inside].half()
        best = [agreement(every, soft, rows) for rows in np.array_split(chosen, max(1, len(chosen) // 20000))]
        print(f"{path.name}: {len(chosen)} windows; the teacher's start is the label's in {np.mean(np.concatenate(best)):.1%}", flush=True)
        if not args.smoke:
            np.save(windows.soft_path(path), soft.cpu().numpy())


def agreement(every, soft, rows):
    """Whether the teacher's likeliest start is the label's, window by window."""
    starts = soft[:, 0].cpu().numpy()
    return np.array([starts[every.first[i] : every.first[i + 1]].argmax() == every.target[i, 0] for i in rows])


if __name__ == "__main__":
    main()
