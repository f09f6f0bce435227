"""musicnn compared with PyTorch: segments of 10 s, the programs in turns.

  BUILD=build python3 tests/bench/musicnn.py FOLDER [--rounds N] [--precision NAME]

FOLDER is a model that examples/encoder.sh installed. Needs the Python environment of tests/interop."""
import argparse
import os
import statistics
import sys
from pathlib import Path

from turns import take_turns

HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ.get("BUILD", HERE.parents[1] / "build")).resolve()
PEERS = {"torch": [], "torch channels-last": ["--channels-last"], "torch compiled": ["--compile"]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--no-compile", action="store_true")
    options = parser.parse_args()
    for threads in options.threads:
        more = ["--threads", threads, "--precision", options.precision, "--batch", options.batch, "--turns"]
        commands = {"segue": [BUILD / "tests" / "bench" / "musicnn-bench", options.folder, *more]}
        for name, words in PEERS.items():
            if not (options.no_compile and "--compile" in words):
                commands[name] = [sys.executable, HERE / "musicnn-peer.py", options.folder, *more, *words]
        results = take_turns(commands, options.rounds)
        print(f"{threads} thread{'s' if threads > 1 else ''}, {options.precision}, {options.batch} × 10 s")
        ours = None
        for name, result in results.items():
            if "missing" in result:
                print(f"  {name:20} {result['missing']}")
                continue
            wall, cpu = (1000 * statistics.median(result[key]) for key in ("values", "cpu"))
            ours = ours or (wall, cpu)
            print(f"  {name:20} {wall:7.1f} ms, {cpu:7.1f} ms of CPU time; "
                  f"{wall / ours[0]:.2f} and {cpu / ours[1]:.2f} times segue's")


main()
