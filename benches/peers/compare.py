"""All programs on the same windows, in turn."""

import itertools
import json
import os
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import numpy as np
from peer import PEERS
from programs import Program, ask_version, heading, open_peer
from windows import Cases, Text, cases

ASK = "ask"
REFERENCE = "transformers f32"
# The columns.
RUNS = [("64", 1), ("384", 1), ("8 × 384", 1), ("16 mixed", 1), ("384", 2), ("8 × 384", 2), ("16 mixed", 2)]
LOAD = ("load", 1)
GROUPS = ["8 × 384", "16 mixed"]
# Windows that a peer reads at a time. `ask` reads each at its own length whatever comes with it.
BATCHES = [1, 4, 8]
# The threads of the last program spin for a while after their work.
REST_SECONDS = 0.03

# A case and threads.
Run = tuple[str, int]
# Program and run to milliseconds, one a round.
Times = dict[tuple[str, Run], list[float]]
# Program, case and threads to windows at a time.
Batches = dict[tuple[str, str, int], int]


def compare(encode: Path, models: Path, scratch: Path, rounds: int) -> str:
    """The table as Markdown; every time measured is in `times.json` in the scratch folder."""
    windows = scratch / "windows.json"
    all_cases = cases(Text())
    windows.write_text(json.dumps(all_cases), encoding="utf-8")
    runs = [run for run in RUNS if run[1] <= (os.cpu_count() or 1)]
    with ExitStack() as stack:
        programs = [Program(ASK, [encode, windows], scratch)]
        programs += [open_peer(name, models, windows, scratch) for name in PEERS]
        for program in programs:
            stack.enter_context(program)
        versions = {ASK: ask_version()} | {peer.name: peer.do("about")["version"] for peer in programs[1:]}
        batches = {
            (program.name, case, threads): fastest_batch(program, case, threads, len(all_cases[case]))
            for program in programs
            for case, threads in runs
        }
        differences = check(programs, all_cases, batches)
        times = measure(programs, runs, batches, rounds)
    raw = [{"program": name, "case": case, "threads": threads, "ms": ms} for (name, (case, threads)), ms in times.items()]
    (scratch / "times.json").write_text(json.dumps(raw), encoding="utf-8")
    return table(versions, differences, sum(map(len, all_cases.values())), batches, times)


def timed(program: Program, case: str, threads: int, batch: int) -> float:
    time.sleep(REST_SECONDS)
    return program.do("time", case=case, threads=threads, batch=batch)["ms"]


def fastest_batch(program: Program, case: str, threads: int, count: int) -> int:
    """How many windows at a time this peer is fastest with; each way is tried twice, the first time to warm up."""
    if program.name == ASK or count == 1:
        return 1
    sizes = [size for size in BATCHES if size <= count]
    return min(sizes, key=lambda size: min(timed(program, case, threads, size) for _ in range(2)))


def check(programs: list[Program], all_cases: Cases, batches: Batches) -> dict[str, tuple[float, int]]:
    """Each program's largest difference of a logit to the reference, and in how many windows the best tokens are the same.

    Windows are read as they will be timed, so that a mask that is not heeded shows.
    """
    reference = next(program for program in programs if program.name == REFERENCE)
    truths = {case: reference.do("logits", case=case, threads=1, batch=1) for case in all_cases}
    found = {}
    for program in programs:
        largest, same = 0.0, 0
        for case, truth in truths.items():
            said = program.do("logits", case=case, threads=1, batch=batches[program.name, case, 1])
            for window in range(len(all_cases[case])):
                pairs = [(np.array(said[end][window]), np.array(truth[end][window])) for end in ("start", "end")]
                largest = max(largest, *(float(np.abs(ours - true).max()) for ours, true in pairs))
                same += all(ours.argmax() == true.argmax() for ours, true in pairs)
        found[program.name] = largest, same
    return found


def measure(programs: list[Program], runs: list[Run], batches: Batches, rounds: int) -> Times:
    """Round by round each program once on each case, another one first each time."""
    times: Times = {(program.name, run): [] for program in programs for run in [LOAD, *runs]}
    for turn in range(rounds):
        for place, (case, threads) in enumerate([LOAD, *runs]):
            first = (turn + place) % len(programs)
            for program in itertools.chain(programs[first:], programs[:first]):
                if case == "load":
                    time.sleep(REST_SECONDS)
                    ms = program.do("load", threads=threads)["ms"]
                else:
                    batch = batches[program.name, case, threads]
                    # The others have driven the weights out of the caches; many windows warm up by themselves.
                    if case not in GROUPS:
                        timed(program, case, threads, batch)
                    ms = timed(program, case, threads, batch)
                times[program.name, (case, threads)].append(ms)
    return times


def table(
    versions: dict[str, str],
    differences: dict[str, tuple[float, int]],
    windows: int,
    batches: Batches,
    times: Times,
) -> str:
    columns = list(dict.fromkeys(run for _, run in times))
    titles = [case if case == "load" else f"{case}, {threads} thread{'s' * (threads > 1)}" for case, threads in columns]
    rounds = len(times[ASK, LOAD])
    lines = [
        heading(),
        "",
        f"Medians of {rounds} rounds in ms; in parentheses ask ÷ peer: above 1 the peer is faster, below 1 ask. Load: model and tokenizer.",
        f"By n: the number of windows at a time that the peer is fastest with, of {', '.join(map(str, BATCHES))}. `bash benches/peers/run`",
        "",
        f"| Program | {' | '.join(titles)} | Largest difference of a logit | Same best tokens, of {windows} |",
        "|---" * (len(columns) + 3) + "|",
    ]
    for name, version in versions.items():
        cells = []
        for run in columns:
            ms = median(times[name, run])
            cell = f"{ms:.1f}"
            if name != ASK:
                cell += f" ({median(times[ASK, run]) / ms:.2f})"
                cell += f" by {batches[name, *run]}" if run[0] in GROUPS else ""
            cells.append(cell)
        largest, same = differences[name]
        lines.append(f"| {name} ({version}) | {' | '.join(cells)} | {largest:.4f} | {same} |")
    return "\n".join(lines) + "\n"
