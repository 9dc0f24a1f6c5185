"""Answers of several programs to the hand-written questions of eval/, from the same weights. See benches/README.md.

python answers.py --release DIR --scratch DIR [--reader DIR] [--questions N]

DIR of --release holds `ask` and `examples/rust-bert`, built with --features peers; --scratch is for the models. Needs torch and
transformers (requirements.txt), nothing more. --reader is the folder of a reader of ours, by default the embedded one. With
--questions, only the first N on each document: whether it works.
"""

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "training"))
from text import score  # Equal to the official script, without its file.

THREADS = 2


def questions():
    """Of each document: its path, and the questions on it with their acceptable answers (none: the document does not answer)."""
    found = {}
    for suite in sorted((ROOT / "eval/questions").glob("*.toml")):
        content = tomllib.loads(suite.read_text(encoding="utf-8"))
        [document] = content["documents"]
        found[(suite.parent / document).resolve()] = [(q["question"], q.get("answers", [])) for q in content["question"]]
    return found


def run(command, lines=None):
    """What a program prints, its seconds from start to end, and the largest memory that it held, in MiB."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(THREADS), "HF_HUB_OFFLINE": "1"}
    started = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    process.stdin.write(lines or "")
    process.stdin.close()
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{command[0]}: failed with status {status}")
    return output, time.perf_counter() - started, usage.ru_maxrss / 1024


def by_ask(release, engine, reader):
    def answers(document, asked):
        lines = "".join(json.dumps({"question": q, "docs": [str(document)]}) + "\n" for q in asked)
        command = [release / "ask", "batch", "--quiet", "--threads", str(THREADS), "--engine", engine]
        if reader:
            command += ["--model", reader]
        output, seconds, memory = run(command, lines)
        source, found = document.read_text(encoding="utf-8"), []
        for line in map(json.loads, output.splitlines()):
            best = line["answers"][0]
            exact = source.encode("utf-8")[best["start_byte"] : best["end_byte"]].decode("utf-8") == best["source_text"]
            found.append((best["text"], line["answered"], exact))
        return found, seconds, memory

    return answers


def by_rust_bert(release, model):
    def answers(document, asked):
        output, seconds, memory = run([release / "examples/rust-bert", "ask", model, document, *asked])
        rows = [json.loads(line)["answers"] for line in output.splitlines()]
        # The null position is masked: there is always an answer, or, where it fails, none at all.
        return [(row[0]["text"], True, row[0]["verbatim"]) if row else ("", False, True) for row in rows], seconds, memory

    return answers


def by_transformers(model):
    def answers(document, asked):
        output, seconds, memory = run([sys.executable, Path(__file__), "--transformers", model, document, *asked])
        return [(row["text"], row["answered"], row["exact"]) for row in map(json.loads, output.splitlines())], seconds, memory

    return answers


def transformers_answers(model, document, asked):
    """As the documentation of transformers 5 describes the way without a pipeline: windows of 384 with a stride of 128, the best span of
    raw logits over all windows, and none where the null score is higher."""
    import torch
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    torch.set_num_threads(THREADS)
    tokenizer = AutoTokenizer.from_pretrained(model)
    network = AutoModelForQuestionAnswering.from_pretrained(model).eval()
    context = Path(document).read_text(encoding="utf-8")
    for question in asked:
        inputs = tokenizer(
            question, context, truncation="only_second", max_length=384, stride=128, padding=True,
            return_overflowing_tokens=True, return_offsets_mapping=True, return_tensors="pt", return_token_type_ids=True,
        )  # fmt: skip
        windows = len(inputs["input_ids"])
        sequences = [inputs.sequence_ids(window) for window in range(windows)]
        offsets = inputs.pop("offset_mapping")
        inputs.pop("overflow_to_sample_mapping")
        with torch.inference_mode():
            output = network(**inputs)
        best, null = None, float("inf")
        for window in range(windows):
            start, end = output.start_logits[window], output.end_logits[window]
            null = min(null, (start[0] + end[0]).item())
            for first in start.topk(20).indices.tolist():
                for last in end.topk(20).indices.tolist():
                    inside = sequences[window][first] == 1 and sequences[window][last] == 1
                    if inside and first <= last < first + 30:
                        found = (start[first] + end[last]).item()
                        if best is None or found > best[0]:
                            best = (found, offsets[window][first][0].item(), offsets[window][last][1].item())
        text = context[best[1] : best[2]] if best else ""
        print(json.dumps({"text": text, "answered": bool(best) and best[0] > null, "exact": True}), flush=True)


def measure(programs, most):
    rows = defaultdict(lambda: defaultdict(float))
    for document, asked in questions().items():
        asked = asked[:most]
        for name, program in programs.items():
            print(f"{document.name}: {name}", file=sys.stderr, flush=True)
            found, seconds, memory = program(document, [question for question, _ in asked])
            row = rows[name]
            row["seconds"] += seconds
            row["memory"] = max(row["memory"], memory)
            for (text, answered, exact), (_, golds) in zip(found, asked, strict=True):
                row["exact"] += exact
                row["questions"] += 1
                if golds:
                    row["answerable"] += 1
                    row["em"] += max(score(text, golds)[0], 0)
                    row["f1"] += score(text, golds)[1]
                    row["answered"] += answered
                    row["right answered"] += answered and score(text, golds)[1] >= 0.6
                else:
                    row["unanswerable"] += 1
                    row["declined"] += not answered
    return rows


def percent(part, whole):
    return f"{100 * part / whole:.1f}" if whole else "–"


def sizes(release):
    """What the programs have on disk, in MB."""
    files = lambda folder: sum(f.stat().st_size for f in Path(folder).rglob("*") if f.is_file() and not f.is_symlink())
    found = {"`ask`": (release / "ask").stat().st_size}
    if libtorch := os.environ.get("LIBTORCH"):
        found["libtorch"] = files(libtorch)
    for package in ("torch", "transformers"):
        found[package] = sum(map(files, importlib.util.find_spec(package).submodule_search_locations))
    return "On disk, MB: " + ", ".join(f"{name} {size / 1e6:.0f}" for name, size in found.items())


def table(rows):
    head = ["", "EM", "F1", "answers given", "of them right", "declined, of those without an answer", "place exact", "seconds", "MiB"]
    lines = [head, ["---"] * len(head)]
    for name, r in rows.items():
        lines.append([
            name,
            percent(r["em"], r["answerable"]), percent(r["f1"], r["answerable"]),
            f"{r['answered']:.0f} of {r['answerable']:.0f}", f"{r['right answered']:.0f}",
            f"{r['declined']:.0f} of {r['unanswerable']:.0f}",
            f"{r['exact']:.0f} of {r['questions']:.0f}", f"{r['seconds']:.1f}", f"{r['memory']:.0f}",
        ])  # fmt: skip
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def main():
    if sys.argv[1:2] == ["--transformers"]:
        return transformers_answers(sys.argv[2], sys.argv[3], sys.argv[4:])
    if sys.argv[1:2] == ["--export"]:
        return export(*map(Path, sys.argv[2:5]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", type=Path, required=True)
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("--reader", type=Path, help="the folder of a reader instead of the embedded one")
    parser.add_argument("--questions", type=int, metavar="N", help="only the first N on each document")
    arguments = parser.parse_args()
    # In a process of its own: what this one holds counts as memory of every process that it starts.
    folder = arguments.scratch / "answers"
    run([sys.executable, __file__, "--export", arguments.reader or ROOT / "models/reader", folder, arguments.release])
    hub, own = folder / "transformers", folder / "rust-bert"
    programs = {
        "`ask`, native (int8)": by_ask(arguments.release, "native", arguments.reader),
        "`ask`, libtorch (f32)": by_ask(arguments.release, "libtorch", arguments.reader),
        "transformers, by hand (f32)": by_transformers(hub),
        "rust-bert's pipeline (f32)": by_rust_bert(arguments.release, own),
    }
    print(table(measure(programs, arguments.questions)))
    print(sizes(arguments.release))


def export(reader, folder, release):
    """Writes a reader, dequantised, as transformers and as rust-bert read it: to the folders of these names in `folder`."""
    from hub import write_hub

    shutil.rmtree(folder, ignore_errors=True)
    hub, own = folder / "transformers", folder / "rust-bert"
    own.mkdir(parents=True)
    write_hub(hub, reader)
    run([release / "examples/rust-bert", "convert", hub / "model.safetensors", own / "rust_model.ot"])
    tokens = json.loads((hub / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    (own / "vocab.txt").write_text("".join(t + "\n" for t in sorted(tokens, key=tokens.get)), encoding="utf-8")
    # Sizes that its structs ask for and its reader does not fill in.
    config = json.loads((hub / "config.json").read_text(encoding="utf-8"))
    (own / "config.json").write_text(json.dumps(config))


if __name__ == "__main__":
    main()
