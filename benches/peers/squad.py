"""Questions per second from text to text on SQuAD, and the F1 of the answers, which nothing is chosen by."""

import gzip
import json
import random
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple

from compare import ASK, BATCHES, REST_SECONDS
from programs import Program, ask_version, heading, open_peer
from windows import ROOT, WINDOW_TOKENS, load_tokenizer

sys.path.append(str(ROOT / "training"))
from text import score  # Equal to the official script, without its file.

PEERS = ["ONNX Runtime int8", "OpenVINO int8"]
THREADS = 2
QUESTIONS = 200
QUESTION_TOKENS = 64


class Question(NamedTuple):
    question: str
    context: str
    golds: list[str]


Answer = Callable[[list[Question]], list[str]]


def throughput(ask: Path, models: Path, scratch: Path, squad: Path, rounds: int) -> str:
    """The table as Markdown."""
    questions = read_squad(squad)
    windows = scratch / "no-windows.json"
    windows.write_text("{}", encoding="utf-8")
    with ExitStack() as stack:
        command: list[str | Path] = [ask, "batch", "--always-answer", "--quiet", "--threads", str(THREADS)]
        programs: dict[str, Answer] = {ASK: by_ask(stack.enter_context(Program(ASK, command, scratch)))}
        versions = {ASK: ask_version()}
        for name in PEERS:
            peer = stack.enter_context(open_peer(name, models, windows, THREADS, scratch))
            batch = min(BATCHES, key=lambda size: min(seconds(by_peer(peer, size), questions) for _ in range(3)))
            programs[name] = by_peer(peer, batch)
            versions[name] = f"{peer.do('about')['version']}, {batch} windows at a time"
        answers = {name: program(questions) for name, program in programs.items()}
        times: dict[str, list[float]] = {name: [] for name in programs}
        for turn in range(rounds):
            for name in sorted(programs, reverse=turn % 2 == 1):
                times[name].append(seconds(programs[name], questions))
    return table(squad, questions, versions, answers, times)


def read_squad(file: Path) -> list[Question]:
    """A sample of the questions that have an answer and fit into one window with their paragraph."""
    text = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    tokenizer = load_tokenizer()
    found = [
        Question(qa["question"], paragraph["context"], [gold["text"] for gold in qa["answers"]])
        for article in json.loads(text)["data"]
        for paragraph in article["paragraphs"]
        for qa in paragraph["qas"]
        if qa["answers"]
    ]
    random.Random(3).shuffle(found)
    questions = []
    for question in found:
        words = tokenizer.encode(question.question, add_special_tokens=False)
        pair = tokenizer.encode(question.question, question.context)
        if len(words) <= QUESTION_TOKENS and len(pair) <= WINDOW_TOKENS:
            questions.append(question)
        if len(questions) == QUESTIONS:
            break
    return questions


def by_ask(ask: Program) -> Answer:
    def answer(questions: list[Question]) -> list[str]:
        lines = [{"question": question.question, "context": question.context} for question in questions]
        # ask writes while it reads: both pipes would fill up if nothing were read until all is written.
        writer = threading.Thread(target=ask.send, args=(lines,))
        writer.start()
        answers = [ask.receive()["answers"] for _ in questions]
        writer.join()
        return [of[0]["text"] if of else "" for of in answers]

    return answer


def by_peer(peer: Program, batch: int) -> Answer:
    def answer(questions: list[Question]) -> list[str]:
        pairs = [(question.question, question.context) for question in questions]
        return peer.do("answer", questions=pairs, batch=batch)["answers"]

    return answer


def seconds(program: Answer, questions: list[Question]) -> float:
    time.sleep(REST_SECONDS)
    started = time.perf_counter()
    program(questions)
    return time.perf_counter() - started


def table(
    squad: Path,
    questions: list[Question],
    versions: dict[str, str],
    answers: dict[str, list[str]],
    times: dict[str, list[float]],
) -> str:
    name = squad.name.removesuffix(".gz").removesuffix(".json")
    lines = [
        heading(),
        "",
        f"{len(questions)} questions of SQuAD ({name}), each with its paragraph in one window, from text to text through a pipe,",
        f"{THREADS} threads, always answering; medians of {len(times[ASK])} rounds in turn. `bash benches/peers/run --squad FILE`",
        "",
        "| Program | Questions per second | ask ÷ peer, in time | EM | F1 | Same answer as ask |",
        "|---|---|---|---|---|---|",
    ]
    for program, version in versions.items():
        rate = len(questions) / median(times[program])
        ratio = f"{median(times[ASK]) / median(times[program]):.2f}" if program != ASK else ""
        scores = [score(answer, question.golds) for answer, question in zip(answers[program], questions)]
        exact, f1 = (100 * mean(of) for of in zip(*scores))
        same = mean(ours == theirs for ours, theirs in zip(answers[ASK], answers[program]))
        lines.append(f"| {program} ({version}) | {rate:.1f} | {ratio} | {exact:.1f} | {f1:.1f} | {100 * same:.0f} % |")
    return "\n".join(lines) + "\n"
