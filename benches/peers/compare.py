"""All programs on the same windows, in turn."""

import itertools
import json
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import numpy as np
from peer import PEERS
from programs import RTEN, Program, ask_version, heading, open_peer, open_rten
from windows import Cases, Text, cases

ASK = "ask"
REFERENCE = "transformers f32"
THREADS = [1, 2]
LOAD = "load"
# Windows that a peer reads at a time. `ask` reads each at its own length whatever comes with it.
BATCHES = [1, 4, 8]
BATCH_TRIES = 5
# The threads of the last program spin for a while after their work.
REST_SECONDS = 0.03

# Program and case to windows at a time, and to milliseconds, one a round.
Batches = dict[tuple[str, str], int]
Times = dict[tuple[str, str], list[float]]


def compare(encode: Path, models: Path, scratch: Path, threads: list[int], rounds: int) -> str:
    """A heading and a table for each number of threads, as Markdown; `times-*.json` in the scratch folder has every time."""
    windows = scratch / "windows.json"
    all_cases = cases(Text())
    windows.write_text(json.dumps(all_cases), encoding="utf-8")
    parts = [
        heading(),
        f"Medians of {rounds} rounds in ms; in parentheses ask ÷ peer: above 1 the peer is faster, below 1 ask. Load: model and\n"
        f"tokenizer. By n: so many windows at a time, the fastest of {', '.join(map(str, BATCHES))} for the peer. `bash benches/peers/run`",
    ]
    for count in threads:
        with ExitStack() as stack:
            programs = [Program(ASK, [encode, windows, str(count)], scratch)]
            programs += [open_peer(name, models, windows, count, scratch) for name in PEERS]
            programs += [open_rten(name, models, windows, count, scratch) for name in RTEN]
            for program in programs:
                stack.enter_context(program)
            versions = {ASK: ask_version()} | {peer.name: peer.do("about")["version"] for peer in programs[1:]}
            batches = {
                (program.name, case): fastest_batch(program, case, len(of), tries=min(rounds, BATCH_TRIES))
                for program in programs
                for case, of in all_cases.items()
            }
            differences = check(programs, all_cases, batches)
            times = measure(programs, all_cases, batches, rounds)
        raw = [{"program": name, "case": case, "ms": ms} for (name, case), ms in times.items()]
        (scratch / f"times-{count}.json").write_text(json.dumps(raw), encoding="utf-8")
        parts.append(f"{count} thread{'s' * (count > 1)}:")
        parts.append(table(versions, differences, all_cases, batches, times))
    return "\n\n".join(parts) + "\n"


def timed(program: Program, case: str, batch: int) -> float:
    time.sleep(REST_SECONDS)
    return program.do("time", case=case, batch=batch)["ms"]


def fastest_batch(program: Program, case: str, windows: int, tries: int) -> int:
    """How many windows at a time this peer is fastest with, the ways tried in turn."""
    sizes = [size for size in BATCHES if size <= windows]
    if program.name == ASK or len(sizes) == 1:
        return 1
    times = [{size: timed(program, case, size) for size in sizes} for _ in range(tries)]
    return min(sizes, key=lambda size: min(of[size] for of in times))


def check(programs: list[Program], all_cases: Cases, batches: Batches) -> dict[str, tuple[float, int]]:
    """Each program's largest difference of a logit to the reference, and in how many windows the best tokens are the same.

    Windows are read as they will be timed, so that a mask that is not heeded shows.
    """
    reference = next(program for program in programs if program.name == REFERENCE)
    truths = {case: reference.do("logits", case=case, batch=1) for case in all_cases}
    found = {}
    for program in programs:
        largest, same = 0.0, 0
        for case, truth in truths.items():
            said = program.do("logits", case=case, batch=batches[program.name, case])
            for window in range(len(all_cases[case])):
                pairs = [(np.array(said[end][window]), np.array(truth[end][window])) for end in ("start", "end")]
                largest = max(largest, *(float(np.abs(ours - true).max()) for ours, true in pairs))
                same += all(ours.argmax() == true.argmax() for ours, true in pairs)
        found[program.name] = largest, same
    return found


def measure(programs: list[Program], all_cases: Cases, batches: Batches, rounds: int) -> Times:
    """Round by round each program once on each case, another one first each time."""
    columns = [LOAD, *all_cases]
    times: Times = {(program.name, case): [] for program in programs for case in columns}
    for turn in range(rounds):
        for place, case in enumerate(columns):
            first = (turn + place) % len(programs)
            for program in itertools.chain(programs[first:], programs[:first]):
                if case == LOAD:
                    time.sleep(REST_SECONDS)
                    ms = program.do("load")["ms"]
                else:
                    batch = batches[program.name, case]
                    # The others have driven the weights out of the caches; many windows warm up by themselves.
                    if len(all_cases[case]) == 1:
                        timed(program, case, batch)
                    ms = timed(program, case, batch)
                times[program.name, case].append(ms)
    return times


def table(
    versions: dict[str, str],
    differences: dict[str, tuple[float, int]],
    all_cases: Cases,
    batches: Batches,
    times: Times,
) -> str:
    columns = [LOAD, *all_cases]
    windows = sum(map(len, all_cases.values()))
    lines = [
        f"| Program | {' | '.join(columns)} | Largest difference of a logit | Same best tokens, of {windows} |",
        "|---" * (len(columns) + 3) + "|",
    ]
    for name, version in versions.items():
        cells = []
        for case in columns:
            ms = median(times[name, case])
            cell = f"{ms:.1f}"
            if name != ASK:
                cell += f" ({median(times[ASK, case]) / ms:.2f})"
                cell += f" by {batches[name, case]}" if len(all_cases.get(case, [])) > 1 else ""
            cells.append(cell)
        largest, same = differences[name]
        lines.append(f"| {name} ({version}) | {' | '.join(cells)} | {largest:.4f} | {same} |")
    return "\n".join(lines)
