"""Writes a reader of ours, dequantised, as transformers reads it. Needs torch and transformers only."""

from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file

from windows import READER


def dequantised(file: Path) -> dict[str, torch.Tensor]:
    """Every weight of the reader as f32: int8 rows times their scales, without the scorer of sentences."""
    stored = load_file(file)
    weights = {}
    for name, tensor in stored.items():
        if name.startswith("sentence_scorer.") or name.endswith("_scale"):
            continue
        weights[name] = tensor.float() * stored[name + "_scale"][:, None] if tensor.dtype == torch.int8 else tensor
    return weights


def write_hub(hub: Path, reader: Path = READER) -> None:
    """The weights, configuration and tokenizer of `reader`, by default the embedded one, in the folder `hub`."""
    model = transformers.BertForQuestionAnswering(transformers.BertConfig.from_pretrained(reader))
    model.load_state_dict(dequantised(reader / "model.safetensors"))
    model.save_pretrained(hub)
    special = {name: f"[{name[:-6].upper()}]" for name in ("unk_token", "pad_token", "cls_token", "sep_token", "mask_token")}
    transformers.PreTrainedTokenizerFast(tokenizer_file=str(reader / "tokenizer.json"), **special).save_pretrained(hub)
