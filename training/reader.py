"""The reader: loading (starter, int8 or hub directories) and batches."""
import json
import os
from pathlib import Path

# Threads that wait for each other must not spin: on shared cores that halves the throughput. Read when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from safetensors.numpy import load_file
from tokenizers import Tokenizer
from transformers import BertConfig, BertForQuestionAnswering

CLS, SEP, PAD = 101, 102, 0


def load_weights(directory):
    """{name: f32 tensor}; int8 matrices are multiplied by their row scales, and hub names get the prefix `bert.`."""
    raw = load_file(Path(directory) / "model.safetensors")
    weights = {}
    for name, value in raw.items():
        if name.endswith("_scale") or name.startswith("sentence_"):
            continue
        if value.dtype == np.int8:
            value = value.astype(np.float32) * raw[name + "_scale"][:, None]
        name = name if name.startswith(("bert.", "qa_outputs.")) else "bert." + name
        weights[name] = torch.from_numpy(np.ascontiguousarray(value, dtype=np.float32))
    return weights


def load(directory, dropout=0.0):
    """(model in eval mode, tokenizer without padding and truncation) of a starter, int8 or hub directory."""
    config = json.loads((Path(directory) / "config.json").read_text())
    keep = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "max_position_embeddings", "type_vocab_size", "layer_norm_eps", "hidden_act")
    config = BertConfig(**{key: config[key] for key in keep}, hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout)
    config._attn_implementation = "sdpa"
    model = BertForQuestionAnswering(config)
    missing, unexpected = model.load_state_dict(load_weights(directory), strict=False)
    missing = [name for name in missing if "position_ids" not in name]
    assert all(name.startswith("qa_outputs.") for name in missing), missing
    assert all("pooler" in name or "position_ids" in name for name in unexpected), unexpected
    tokenizer = Tokenizer.from_file(str(Path(directory) / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return model.eval(), tokenizer


def batch_of(rows, multiple=1):
    """rows of (ids, question length) -> input ids, mask and segment ids, padded to the longest row rounded up to `multiple`."""
    longest = -(-max(len(ids) for ids, _ in rows) // multiple) * multiple
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    mask, segments = torch.zeros_like(ids), torch.zeros_like(ids)
    for row, (tokens, question) in enumerate(rows):
        ids[row, : len(tokens)] = torch.as_tensor(tokens)
        mask[row, : len(tokens)] = 1
        segments[row, question + 2 : len(tokens)] = 1
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": segments}
