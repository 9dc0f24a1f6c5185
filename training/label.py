"""Step 2e: the teacher reads examples; its logits go beside them, for train.py --soft.

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
    parser.add_argument("--smoke", action="store_true", help="300 examples; no logits are written")
    return parser.parse_args()


@torch.inference_mode()
def main():
    args = parse()
    model, tokenizer = reader.load(args.base, student=args.student)
    reader.load_checkpoint(model, args.teacher)
    model.to(args.device)
    for path in args.data:
        every = windows.few(path, tokenizer, 300) if args.smoke else windows.read(path, tokenizer)
        packed = every.to(args.device)
        soft = torch.zeros(len(every.ids), 2, dtype=torch.float16, device=args.device)
        for rows in windows.batches(every.lengths, args.batch_tokens, 0, 0):
            inputs, _, _ = packed.batch(rows, 16)
            both = reader.logits(model, inputs, args.device, args.precision)
            inside = inputs["attention_mask"].bool()
            place = packed.first[torch.as_tensor(rows, device=args.device), None] + torch.arange(inside.shape[1], device=args.device)
            soft[place[inside]] = both[inside].half()
        soft = soft.cpu().numpy()
        agreed = [soft[every.first[i] : every.first[i + 1], 0].argmax() == every.target[i, 0] for i in range(len(every))]
        print(f"{path.name}: {len(every)} windows; the teacher's likeliest start is the label's in {np.mean(agreed):.1%}", flush=True)
        if not args.smoke:
            windows.write_soft(path, soft, every.ids)


if __name__ == "__main__":
    main()
