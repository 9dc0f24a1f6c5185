"""Questions read by `ask` itself, with its kernels: what is measured and calibrated is what users get."""
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

WINDOW, OVERLAP, MAX_QUESTION, MAX_ANSWER = 384, 128, 64, 96  # tokens, as in models/reader/manifest.toml


def windows_of(question_tokens, context_tokens, window=WINDOW, overlap=OVERLAP):
    """[(first, last)] of the context tokens of each window: as many as fit, each starting `overlap` before the last one's end."""
    room = window - question_tokens - 3
    step, out, first = max(1, room - overlap), [], 0
    while True:
        last = min(first + room, context_tokens)
        out.append((first, last))
        if last >= context_tokens:
            return out
        first += step


def tokenizer_of(directory):
    """The tokenizer of a directory, without padding and truncation."""
    tokenizer = Tokenizer.from_file(str(Path(directory) / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


class Windows:
    """Counts the windows that `ask` cuts, up to a word at the end of each."""

    def __init__(self, model):
        self.tokenizer = tokenizer_of(model)

    def tokens(self, text):
        return len(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def count(self, question, context):
        return len(windows_of(min(MAX_QUESTION, self.tokens(question)), self.tokens(context)))


WEIGHTS = ("score", "evidence", "ln_windows", "bias")  # as in the manifest


def features(score, evidence, windows):
    """[questions, WEIGHTS] of arrays, as `qa::calibrate::Signals` has them."""
    return np.stack([score, evidence, np.log(windows), np.ones(len(score))], axis=1)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def read(program, model, pairs):
    """pairs: [(question, context)]; yields {"text", "score", "evidence"} of the best span of each: start + end - null, and
    the logarithm of the sum of e^that over all spans that are read in the window where it is greatest."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as lines:
        for question, context in pairs:
            lines.write(json.dumps({"question": question, "context": context}) + "\n")
        lines.seek(0)
        with subprocess.Popen([program, "batch", "--always-answer", "--model", model], stdin=lines, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
            for _, line in zip(pairs, process.stdout, strict=True):
                record = json.loads(line)
                assert "error" not in record, record
                best = record["answers"][0] if record["answers"] else {"text": "", "score": -1e9}
                yield {"text": best["text"], "score": best["score"], "evidence": record["evidence"] if record["answers"] else -1e9}
    assert process.returncode == 0, process.returncode
