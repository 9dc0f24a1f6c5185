"""The reader and its teacher: loading (starter, int8 or hub directories) and logits."""
import json
import os
from pathlib import Path

# Threads that wait for each other must not spin: on shared cores that halves the throughput. Read when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import asking
import numpy as np
import torch
from safetensors.numpy import load_file
from torch.nn import functional as F
from transformers import BertConfig, BertForQuestionAnswering, MPNetConfig, MPNetForQuestionAnswering
from transformers.models.mpnet.modeling_mpnet import MPNetSelfAttention

PAD, UNK, CLS, SEP = 0, 100, 101, 102
MPNET_SHIFT, MPNET_SPECIAL = 4, {PAD: 1, UNK: 3, CLS: 0, SEP: 2}  # MPNet's vocabulary is BERT's behind four tokens of its own


class FusedAttention(MPNetSelfAttention):
    """MPNet's attention by torch's fused kernels: the same sums, a third of the memory traffic."""

    def forward(self, hidden_states, attention_mask=None, position_bias=None, **_):
        heads = (*hidden_states.shape[:-1], -1, self.attention_head_size)
        q, k, v = (linear(hidden_states).view(heads).transpose(1, 2) for linear in (self.q, self.k, self.v))
        bias = position_bias.detach() if attention_mask is None else position_bias.detach() + attention_mask
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype), dropout_p=self.dropout.p if self.training else 0.0)
        return (self.o(mixed.transpose(1, 2).flatten(2)),)


class Teacher(MPNetForQuestionAnswering):
    """MPNet that takes BERT's token ids, so that its logits stand token by token beside the reader's."""

    def __init__(self, config):
        super().__init__(config)
        for layer in self.mpnet.encoder.layer:
            layer.attention.attn.__class__ = FusedAttention
        self.mpnet.encoder.relative_attention_bias.requires_grad_(False)

    def forward(self, input_ids, attention_mask, token_type_ids=None):
        return super().forward(input_ids=self.theirs(input_ids), attention_mask=attention_mask)

    @staticmethod
    def theirs(input_ids):
        """MPNet's numbers of BERT's tokens."""
        ids = input_ids + MPNET_SHIFT
        for ours, number in MPNET_SPECIAL.items():
            ids = torch.where(input_ids == ours, number, ids)
        return ids


def assert_shifted(bert, mpnet):
    """Fails unless the two tokenizers share their WordPiece vocabulary, shifted."""
    theirs = mpnet.get_vocab()
    for token, number in bert.get_vocab().items():
        assert theirs[token] == number + MPNET_SHIFT, token


def load_weights(directory, prefix="bert."):
    """{name: f32 tensor}; int8 matrices are multiplied by their row scales, and hub names get the prefix."""
    raw = load_file(Path(directory) / "model.safetensors")
    weights = {}
    for name, value in raw.items():
        if name.endswith("_scale") or name.startswith("sentence_"):
            continue
        if value.dtype == np.int8:
            value = value.astype(np.float32) * raw[name + "_scale"][:, None]
        name = name if name.startswith((prefix, "qa_outputs.")) else prefix + name
        weights[name] = torch.from_numpy(np.ascontiguousarray(value, dtype=np.float32))
    return weights


def load(directory, dropout=0.0, student=None):
    """(model in eval mode, tokenizer) of a starter, int8 or hub directory. For MPNet, a teacher, the tokenizer is that of `student`, a directory."""
    config = json.loads((Path(directory) / "config.json").read_text())
    keep = ["vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "max_position_embeddings", "layer_norm_eps", "hidden_act"]
    dropouts = {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
    if config.get("model_type") == "mpnet":
        config = MPNetConfig(**{key: config[key] for key in [*keep, "relative_attention_num_buckets"]}, **dropouts)
        config._attn_implementation = "eager"  # which hands FusedAttention the mask to add
        model, prefix, tokenizer = Teacher(config), "mpnet.", asking.tokenizer_of(student)
        assert_shifted(tokenizer, asking.tokenizer_of(directory))
    else:
        config = BertConfig(**{key: config[key] for key in [*keep, "type_vocab_size"]}, **dropouts)
        config._attn_implementation = "sdpa"
        model, prefix, tokenizer = BertForQuestionAnswering(config), "bert.", asking.tokenizer_of(directory)
    missing, unexpected = model.load_state_dict(load_weights(directory, prefix), strict=False)
    missing = [name for name in missing if "position_ids" not in name]
    assert all(name.startswith("qa_outputs.") for name in missing), missing
    assert all("pooler" in name or "position_ids" in name for name in unexpected), unexpected
    return model.eval(), tokenizer


def load_checkpoint(model, work):
    """The weights of the last checkpoint that train.py left in `work`."""
    paths = sorted(work.glob("checkpoint-*.pt"))
    if not paths:
        raise SystemExit(f"{work} holds no checkpoint-*.pt: run train.py with --work {work} first")
    model.load_state_dict(torch.load(paths[-1], map_location="cpu", weights_only=True)["model"])


def logits(model, inputs, device, precision):
    """Start and end logits [B, L, 2] in f32, -1e4 on the padding."""
    with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16" and model.dtype != torch.bfloat16):
        out = model(**inputs)
    both = torch.stack([out.start_logits, out.end_logits], -1).float()
    return both.masked_fill(inputs["attention_mask"][..., None] == 0, -1e4)
