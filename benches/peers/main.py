"""What `benches/peers/run` starts in its environment: exports the reader, measures, prints the table and keeps it."""

import argparse
from pathlib import Path

from compare import THREADS, compare
from export import export, fresh
from squad import throughput


def main() -> None:
    parser = argparse.ArgumentParser(prog="benches/peers/run", description=__doc__)
    parser.add_argument("--release", type=Path, required=True, help="cargo's folder with ask and examples/encode")
    parser.add_argument("--scratch", type=Path, required=True, help="folder for models, times and the table")
    parser.add_argument("--quick", action="store_true", help="3 rounds: whether it works")
    parser.add_argument("--threads", type=int, choices=THREADS, help="measure the windows with so many threads only")
    parser.add_argument("--squad", type=Path, metavar="FILE", help="questions per second on this SQuAD file (.json or .json.gz)")
    arguments = parser.parse_args()
    models = arguments.scratch / "models"
    if not fresh(models):
        export(models)
    if arguments.squad:
        result = arguments.scratch / "squad.md"
        rounds = 3 if arguments.quick else 7
        text = throughput(arguments.release / "ask", models, arguments.scratch, arguments.squad, rounds)
    else:
        result = arguments.scratch / "windows.md"
        rounds = 3 if arguments.quick else 15
        threads = [arguments.threads] if arguments.threads else THREADS
        encode = arguments.release / "examples/encode"
        text = compare(encode, models, arguments.scratch, threads, rounds)
    result.write_text(text, encoding="utf-8")
    print(f"{text}\nThe table is in {result}.")


if __name__ == "__main__":
    main()
