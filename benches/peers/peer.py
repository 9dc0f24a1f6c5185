"""One peer as a process of its own, so that its threads and memory disturb no other.

    python peer.py NAME MODELS WINDOWS.json THREADS

It takes the commands of encode.rs on standard input, with "batch": how many windows are read at a time; and beside them
`{"do":"about"}` and `{"do":"answer","questions":[["who?","context"],…],"batch":4}`, which gives {"answers":[…]}.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from windows import Cases, Window, load_tokenizer

ANSWER_TOKENS = 96

# ids, mask and segments, int64 [batch, tokens], to start and end logits, f32 [batch, tokens].
Logits = tuple[np.ndarray, np.ndarray]
Read = Callable[[np.ndarray, np.ndarray, np.ndarray], Logits]


def open_transformers(models: Path, threads: int) -> Read:
    import torch
    import transformers

    torch.set_num_threads(threads)
    model = transformers.BertForQuestionAnswering.from_pretrained(models / "transformers").eval()

    def read(ids: np.ndarray, mask: np.ndarray, segments: np.ndarray) -> Logits:
        with torch.inference_mode():
            tensors = [torch.from_numpy(array) for array in (ids, mask, segments)]
            output = model(input_ids=tensors[0], attention_mask=tensors[1], token_type_ids=tensors[2])
        return output.start_logits.numpy(), output.end_logits.numpy()

    return read


def open_onnxruntime(file: str) -> Callable[[Path, int], Read]:
    def open_file(models: Path, threads: int) -> Read:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(models / file, options, providers=["CPUExecutionProvider"])

        def read(ids: np.ndarray, mask: np.ndarray, segments: np.ndarray) -> Logits:
            start, end = session.run(["start", "end"], {"ids": ids, "mask": mask, "segments": segments})
            return start, end

        return read

    return open_file


def open_openvino(file: str, precision: str | None) -> Callable[[Path, int], Read]:
    """`precision` of what is not quantised; None is OpenVINO's own choice for the processor."""

    def open_file(models: Path, threads: int) -> Read:
        import openvino

        options = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
        if precision:
            options["INFERENCE_PRECISION_HINT"] = precision
        request = openvino.Core().compile_model(models / file, "CPU", options).create_infer_request()

        def read(ids: np.ndarray, mask: np.ndarray, segments: np.ndarray) -> Logits:
            output = request.infer({"ids": ids, "mask": mask, "segments": segments})
            return output["start"], output["end"]

        return read

    return open_file


def open_ctranslate2(models: Path, threads: int) -> Read:
    import ctranslate2
    from safetensors.numpy import load_file

    encoder = ctranslate2.Encoder(
        str(models / "ctranslate2"), compute_type="int8", intra_threads=threads, inter_threads=1
    )
    # CTranslate2 has the encoder only; the head is 2 of 10,600 columns.
    weights = load_file(models / "transformers/model.safetensors")
    head, bias = weights["qa_outputs.weight"].T, weights["qa_outputs.bias"]

    def read(ids: np.ndarray, mask: np.ndarray, segments: np.ndarray) -> Logits:
        # Lists at their own lengths: it drops the padding itself where that is faster.
        rows = [[row[:length].tolist() for row, length in zip(of, mask.sum(axis=1))] for of in (ids, segments)]
        hidden = np.array(encoder.forward_batch(rows[0], token_type_ids=rows[1]).last_hidden_state)
        logits = hidden @ head + bias
        return logits[..., 0], logits[..., 1]

    return read


# Name to package and opener.
PEERS: dict[str, tuple[str, Callable[[Path, int], Read]]] = {
    "transformers f32": ("transformers", open_transformers),
    "ONNX Runtime f32": ("onnxruntime", open_onnxruntime("onnxruntime-f32.onnx")),
    "ONNX Runtime int8": ("onnxruntime", open_onnxruntime("onnxruntime-int8.onnx")),
    "OpenVINO f32": ("openvino", open_openvino("openvino-f32.xml", "f32")),
    "OpenVINO, own choice": ("openvino", open_openvino("openvino-f32.xml", None)),
    "OpenVINO int8": ("openvino", open_openvino("openvino-int8.xml", None)),
    "CTranslate2 int8": ("ctranslate2", open_ctranslate2),
}


def about(name: str) -> dict[str, str]:
    """The version, and what the peer chose by itself."""
    package, _ = PEERS[name]
    text = version(package)
    if package == "transformers":
        text += f", torch {version('torch')}"
    if package == "openvino":
        import openvino

        chosen = openvino.Core().get_property("CPU", "INFERENCE_PRECISION_HINT").to_string()
        if name != "OpenVINO f32":
            text += f", {chosen} where not int8" if "int8" in name else f", {chosen}"
    return {"version": text}


def read_all(read: Read, windows: list[Window], batch: int) -> list[Logits]:
    """The logits of each window over its own tokens; read `batch` at a time, neighbours in length together."""
    order = sorted(range(len(windows)), key=lambda i: len(windows[i]["ids"]))
    found: list[Logits] = [(np.empty(0), np.empty(0))] * len(windows)
    for at in range(0, len(order), batch):
        group = order[at : at + batch]
        lengths = [len(windows[i]["ids"]) for i in group]
        ids, mask, segments = np.zeros((3, len(group), max(lengths)), dtype=np.int64)
        for row, (i, length) in enumerate(zip(group, lengths)):
            ids[row, :length] = windows[i]["ids"]
            mask[row, :length] = 1
            segments[row, :length] = windows[i]["segments"]
        start, end = read(ids, mask, segments)
        for row, (i, length) in enumerate(zip(group, lengths)):
            found[i] = start[row, :length], end[row, :length]
    return found


def best_answer(context: str, offsets: list[tuple[int, int]], start: np.ndarray, end: np.ndarray) -> str:
    """The text of the best span of the context; `offsets`, `start` and `end` are those of its tokens."""
    scores = start[:, None] + end[None, :]  # [first, last]
    first, last = np.indices(scores.shape, sparse=True)
    scores = np.where((first <= last) & (last < first + ANSWER_TOKENS), scores, -np.inf)
    first, last = np.unravel_index(scores.argmax(), scores.shape)
    return context[offsets[first][0] : offsets[last][1]]


def answer(read: Read, tokenizer: Tokenizer, questions: list[tuple[str, str]], batch: int) -> list[str]:
    """From text to text, as `ask batch --always-answer` does it; each context has to fit into one window."""
    encodings = tokenizer.encode_batch([tuple(pair) for pair in questions])
    windows: list[Window] = [{"ids": e.ids, "segments": e.type_ids} for e in encodings]
    answers = []
    for (_, context), encoding, (start, end) in zip(questions, encodings, read_all(read, windows, batch)):
        first, last = encoding.type_ids.index(1), len(encoding.ids) - 1
        answers.append(best_answer(context, encoding.offsets[first:last], start[first:last], end[first:last]))
    return answers


def main() -> None:
    name, models, file, threads = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
    # What a library prints must not come between the answers.
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    cases: Cases = json.loads(file.read_text(encoding="utf-8"))
    _, open_peer = PEERS[name]
    read, tokenizer = open_peer(models, threads), load_tokenizer()
    for line in sys.stdin:
        said: dict[str, Any]
        match json.loads(line):
            case {"do": "about"}:
                said = about(name)
            case {"do": "load"}:
                started = time.perf_counter()
                _kept_until_measured = open_peer(models, threads), load_tokenizer()
                said = {"ms": (time.perf_counter() - started) * 1e3}
            case {"do": "time", "case": case, "batch": batch}:
                windows = cases[case]
                started = time.perf_counter()
                read_all(read, windows, batch)
                said = {"ms": (time.perf_counter() - started) * 1e3}
            case {"do": "logits", "case": case, "batch": batch}:
                found = read_all(read, cases[case], batch)
                said = {"start": [start.tolist() for start, _ in found], "end": [end.tolist() for _, end in found]}
            case {"do": "answer", "questions": questions, "batch": batch}:
                said = {"answers": answer(read, tokenizer, questions, batch)}
            case unknown:
                raise SystemExit(f"not a command: {unknown}")
        print(json.dumps(said), file=output, flush=True)


if __name__ == "__main__":
    main()
