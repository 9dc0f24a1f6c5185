"""The programs as processes that answer a line of JSON with a line of JSON, and what the machine is."""

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from windows import READER, ROOT

HERE = Path(__file__).resolve().parent
FLAGS = ["avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8"]


class Program:
    """A process; only one of them is asked at a time."""

    def __init__(self, name: str, command: list[str | Path], logs: Path) -> None:
        self.name = name
        self.log = logs / f"{name}.log"
        # Nothing but the thread counts that the driver names: numpy's own would be a third.
        threads = {"OPENBLAS_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "true", "RAYON_NUM_THREADS": "2"}
        with self.log.open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                encoding="utf-8",
                env=os.environ | threads | {"HF_HUB_OFFLINE": "1"},
            )

    def send(self, lines: list[dict[str, Any]]) -> None:
        assert self.process.stdin
        try:
            self.process.stdin.write("".join(json.dumps(line) + "\n" for line in lines))
            self.process.stdin.flush()
        except BrokenPipeError:
            raise SystemExit(f"{self.name} ended: {self.log} says why") from None

    def receive(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended: {self.log} says why")
        return json.loads(line)

    def do(self, what: str, **command: Any) -> dict[str, Any]:
        self.send([{"do": what, **command}])
        return self.receive()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.kill()
        self.process.wait()


def open_peer(name: str, models: Path, windows: Path, threads: int, logs: Path) -> Program:
    return Program(name, [sys.executable, HERE / "peer.py", name, models, windows, str(threads)], logs)


# Name to the file that it reads: ONNX Runtime's, whose way of int8 is the one that rten knows.
RTEN = {"rten f32": "onnxruntime-f32.onnx", "rten int8": "onnxruntime-int8.onnx"}


def open_rten(name: str, models: Path, windows: Path, threads: int, logs: Path) -> Program:
    command = [logs / "rten/release/peer-rten", models / RTEN[name], READER / "tokenizer.json", windows, str(threads)]
    return Program(name, command, logs)


def _said(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True).stdout.strip()


def ask_version() -> str:
    return "commit " + _said("git", "describe", "--always", "--dirty", "--exclude=*")


def heading() -> str:
    """The date and the machine, as a heading."""
    facts = {field["field"].rstrip(":"): field["data"] for field in json.loads(_said("lscpu", "--json"))["lscpu"]}
    flags = [flag for flag in FLAGS if flag in facts.get("Flags", "").split()]
    kind = f"{facts['Model name']} (family {facts.get('CPU family', '?')}, model {facts.get('Model', '?')}; {' '.join(flags)})"
    virtual = ", virtual" if "Hypervisor vendor" in facts else ""
    return f"## {datetime.date.today()}, {kind}, {os.cpu_count()} cores{virtual}, {_said('rustc', '--version').rsplit(' (')[0]}"
