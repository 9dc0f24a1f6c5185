"""Makes the goldens that bind the Rust encoder, decoder and tokenizer to transformers and tokenizers. See README.md."""

import argparse
import hashlib
import json
import math
import os
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"  # training of the byte pairs must not depend on threads
os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModelForQuestionAnswering

from texts import FULL_TAIL, READER_WINDOWS, STRINGS, TINY_INPUTS
from tiny import TINY, dequantise, write_tiny

HERE = Path(__file__).resolve().parent
SPANS = 5
MAX_ANSWER_TOKENS = 96


def significant(value, digits=6):
    return float(f"{value:.{digits}g}")


def load_model(folder):
    """The model of a hub directory in f32, whatever its storage; refuses a weight that is missing."""
    config = AutoConfig.from_pretrained(folder)
    config.dtype = torch.float32
    model = AutoModelForQuestionAnswering.from_config(config, dtype=torch.float32, attn_implementation="eager")
    absent, unused = model.load_state_dict(dequantise(load_file(folder / "model.safetensors")), strict=False)
    absent = [name for name in absent if not name.endswith(("position_ids", "token_type_ids"))]
    if absent:
        raise SystemExit(f"{folder.name}: missing weights: {absent}")
    if unused:
        print(f"  {folder.name}: passed over {unused}")
    return model.eval()


def load_tokenizer(folder):
    """The tokenizer as the file has it, with padding and truncation off."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def byte_offsets(text, offsets):
    """Python's offsets count characters; ours count UTF-8 bytes."""
    ends = [0]
    for character in text:
        ends.append(ends[-1] + len(character.encode("utf-8")))
    return [[ends[start], ends[end]] for start, end in offsets]


def encode(tokenizer, question, context):
    encoding = tokenizer.encode(question, context)
    sequences = [-1 if sequence is None else sequence for sequence in encoding.sequence_ids]
    in_question = byte_offsets(question, [o if s == 0 else (0, 0) for o, s in zip(encoding.offsets, sequences)])
    in_context = byte_offsets(context, [o if s == 1 else (0, 0) for o, s in zip(encoding.offsets, sequences)])
    offsets = [c if s == 1 else q for q, c, s in zip(in_question, in_context, sequences)]
    return {"ids": encoding.ids, "type_ids": encoding.type_ids, "sequence": sequences, "offsets": offsets}


def run(model, encodings):
    """One padded batch: a list of (start logits, end logits, hidden) over the real tokens of each input."""
    length = max(len(encoding["ids"]) for encoding in encodings)
    pad_id = model.config.pad_token_id or 0

    def padded(key, filler):
        return torch.tensor([list(key(e)) + [filler] * (length - len(e["ids"])) for e in encodings])

    inputs = {"input_ids": padded(lambda e: e["ids"], pad_id), "attention_mask": padded(lambda e: [1] * len(e["ids"]), 0)}
    if has_types(model):
        inputs["token_type_ids"] = padded(lambda e: e["type_ids"], 0)
    with torch.inference_mode():
        output = model(**inputs, output_hidden_states=True)
    hidden = output.hidden_states[-1]
    return [
        (output.start_logits[row, : len(e["ids"])], output.end_logits[row, : len(e["ids"])], hidden[row, : len(e["ids"])])
        for row, e in enumerate(encodings)
    ]


def has_types(model):
    return model.config.model_type != "distilbert"


def tiny_inputs(tokenizer, positions):
    """TINY_INPUTS, the one named "full" lengthened to exactly `positions` tokens."""
    for name, question, context in TINY_INPUTS:
        if name == "full":
            def length(text):
                return len(tokenizer.encode(question, text).ids)

            while length(context + FULL_TAIL) <= positions:
                context += FULL_TAIL
            while length(context) < positions:
                context += " a" if length(context + " a") <= positions else "!"
            assert length(context) == positions, (length(context), positions)
        yield name, question, context


def write_lines(path, head, key, rows):
    """JSON with the head on the first line and one row on each line after it; pure ASCII, so that nothing is invisible."""
    def dump(value):
        return json.dumps(value, separators=(",", ":"), allow_nan=False)

    text = dump(head)[:-1] + f',"{key}":[\n' + ",\n".join(dump(row) for row in rows) + "\n]}\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii")
    print(f"  {path.parent.name}/{path.name}: {len(rows)} rows, {len(text)} bytes")


def make_tiny(tiny, out):
    folder = out / tiny.name
    write_tiny(tiny, folder)
    model, tokenizer = load_model(folder), load_tokenizer(folder)
    positions = model.config.max_position_embeddings - (model.config.pad_token_id + 1 if tiny.tokenizer == "bytes" else 0)
    texts = list(tiny_inputs(tokenizer, positions))
    encodings = [encode(tokenizer, question, context) for _, question, context in texts]
    alone = [run(model, [encoding])[0] for encoding in encodings]
    batch = run(model, encodings)
    difference = max((a - b).abs().max().item() for one, many in zip(alone, batch) for a, b in zip(one[:2], many[:2]))
    rows = []
    for (name, question, context), encoding, one, many in zip(texts, encodings, alone, batch):
        tokens = len(encoding["ids"])
        shown = sorted({0, 1, tokens // 2, tokens - 1})
        row = {"name": name, "question": question, "context": context, **encoding}
        if not has_types(model):
            row["type_ids"] = None
        for prefix, output in (("", one), ("batch_", many)):
            for position, key in ((0, "start_logits"), (1, "end_logits")):
                row[prefix + key] = [significant(value) for value in output[position].tolist()]
        row["hidden_tokens"] = shown
        row["hidden"] = [[significant(value) for value in one[2][token].tolist()] for token in shown]
        rows.append(row)
    # Rounded up to a power of ten: an upper bound that does not change with the machine's last bit.
    bound = significant(10.0 ** math.ceil(math.log10(difference)), 1) if difference else 0.0
    head = {"model": tiny.name, "storage": tiny.storage, "positions": positions, "max_batch_difference": bound}
    write_lines(folder / "goldens.json", head, "inputs", rows)


def best_spans(start, end, sequence, count):
    """Every span inside the context, best first: start + end - null of the same window, ties to the earlier span."""
    null = start[0] + end[0]
    context = [token for token, of in enumerate(sequence) if of == 1]
    spans = [
        (start[first] + end[last] - null, first, last)
        for first in context
        for last in context
        if first <= last < first + MAX_ANSWER_TOKENS
    ]
    return sorted(spans, key=lambda span: (-span[0], span[1], span[2]))[:count]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def make_reader(reader, out):
    model, tokenizer = load_model(reader), load_tokenizer(reader)
    rows = []
    for name, question, context in READER_WINDOWS:
        encoding = encode(tokenizer, question, context)
        start, end, _ = run(model, [encoding])[0]
        start, end = start.double().tolist(), end.double().tolist()
        spans = best_spans(start, end, encoding["sequence"], SPANS + 1)
        utf8 = context.encode("utf-8")
        row = {"name": name, "question": question, "context": context, **encoding}
        row["start_logits"] = [round(value, 4) for value in start]
        row["end_logits"] = [round(value, 4) for value in end]
        row["spans"] = []
        for score, first, last in spans[:SPANS]:
            bytes_of = [encoding["offsets"][first][0], encoding["offsets"][last][1]]
            text = utf8[bytes_of[0] : bytes_of[1]].decode("utf-8")
            row["spans"].append({"tokens": [first, last], "bytes": bytes_of, "score": round(score, 4), "text": text})
        row["next_score"] = round(spans[SPANS][0], 4) if len(spans) > SPANS else None
        rows.append(row)
        scores = [span[0] for span in spans]
        gap = min((a - b for a, b in zip(scores, scores[1:])), default=math.inf)
        print(f"  {name}: {len(encoding['ids'])} tokens, {scores[0]:.2f}, gap {gap:.4f}, {row['spans'][0]['text']!r}")
    head = {
        "weights_sha256": digest(reader / "model.safetensors"),
        "tokenizer_sha256": digest(reader / "tokenizer.json"),
        "max_answer_tokens": MAX_ANSWER_TOKENS,
    }
    write_lines(out / "reader" / "goldens.json", head, "windows", rows)

    rows = []
    for name, text in STRINGS:
        encoding = tokenizer.encode(text, add_special_tokens=False)
        rows.append({"name": name, "text": text, "ids": encoding.ids, "offsets": byte_offsets(text, encoding.offsets), "tokens": encoding.tokens})
    write_lines(out / "reader" / "tokens.json", {"tokenizer_sha256": head["tokenizer_sha256"]}, "strings", rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reader", type=Path, default=HERE / "../../models/reader", help="the embedded reader's directory")
    parser.add_argument("--out", type=Path, default=HERE / "../../tests/data/golden", help="where the goldens go")
    parser.add_argument("--only", choices=["tiny", "reader", *(tiny.name for tiny in TINY)], help="make one half, or one tiny model, only")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    if arguments.only != "reader":
        for tiny in TINY:
            if arguments.only in (None, "tiny", tiny.name):
                make_tiny(tiny, arguments.out)
    if arguments.only in (None, "reader"):
        make_reader(arguments.reader, arguments.out)


if __name__ == "__main__":
    main()
