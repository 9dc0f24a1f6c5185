"""The reader: loading (starter, int8 or hub directories), windows, decoding. The same rules as the Rust side, see DESIGN.md."""
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

WINDOW, OVERLAP, MAX_SPAN, MAX_QUESTION = 384, 128, 96, 64
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


def windows_of(question_ids, context_ids, window=WINDOW, overlap=OVERLAP):
    """[(first, last)] of the context tokens of each window: as many as fit, each starting `overlap` before the last one's end."""
    room = window - len(question_ids) - 3
    step, out, first = max(1, room - overlap), [], 0
    while True:
        last = min(first + room, len(context_ids))
        out.append((first, last))
        if last >= len(context_ids):
            return out
        first += step


def encode(tokenizer, text):
    encoding = tokenizer.encode(text, add_special_tokens=False)
    return encoding.ids, encoding.offsets


def batch_of(rows):
    """rows of (ids, question length) -> padded input ids, mask and segment ids."""
    longest = max(len(ids) for ids, _ in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    mask, segments = torch.zeros_like(ids), torch.zeros_like(ids)
    for row, (tokens, question) in enumerate(rows):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        mask[row, : len(tokens)] = 1
        segments[row, question + 2 : len(tokens)] = 1
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": segments}


def best_span(start, end, max_span=MAX_SPAN):
    """(score, first, last) of the best span of the logits of one window's context tokens."""
    count = len(start)
    sums = start[:, None] + end[None, :]
    allowed = np.tril(np.triu(np.ones((count, count), dtype=bool)), max_span - 1)
    at = int(np.argmax(np.where(allowed, sums, -np.inf)))
    first, last = divmod(at, count)
    return float(sums[first, last]), first, last


@torch.inference_mode()
def read(model, tokenizer, questions, batch=16, window=WINDOW, overlap=OVERLAP, progress=None):
    """questions: [(question, context)] -> [{"text", "score", "windows"}], the best span of all windows by start + end - null."""
    rows, results = [], []
    for number, (question, context) in enumerate(questions):
        question_ids = encode(tokenizer, question)[0][:MAX_QUESTION]
        context_ids, offsets = encode(tokenizer, context)
        cuts = windows_of(question_ids, context_ids, window, overlap)
        results.append({"text": "", "score": -1e9, "windows": len(cuts)})
        for first, last in cuts:
            ids = [CLS, *question_ids, SEP, *context_ids[first:last], SEP]
            rows.append((number, ids, len(question_ids), offsets[first:last], context))
    rows.sort(key=lambda row: len(row[1]))
    for at in range(0, len(rows), batch):
        group = rows[at : at + batch]
        out = model(**batch_of([(ids, question) for _, ids, question, _, _ in group]))
        starts, ends = out.start_logits.numpy(), out.end_logits.numpy()
        for row, (number, ids, question, offsets, context) in enumerate(group):
            if not offsets:
                continue
            inside = slice(question + 2, len(ids) - 1)
            score, first, last = best_span(starts[row, inside], ends[row, inside])
            score -= float(starts[row, 0] + ends[row, 0])
            if score > results[number]["score"]:
                results[number].update(score=score, text=context[offsets[first][0] : offsets[last][1]])
        if progress and at // batch % 50 == 0:
            progress(at + len(group), len(rows))
    return results
