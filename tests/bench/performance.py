"""Runs segue and its peers alternately, stores the results of each part, and writes docs/performance.md from the
newest ones. Run by performance.sh, which installs the dependencies.

  python3 tests/bench/performance.py [--repeat N] [--no-compile] [PART…]
  python3 tests/bench/performance.py report

A part that fails does not change its last result, and the exit status reports it."""
import argparse
import functools
import itertools
import json
import math
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import report
from turns import Failure, median, say, take_turns, timed

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
BUILD = Path(os.environ["BUILD"]).resolve()
WORK = Path(os.environ["BENCH"]).resolve()
MUSIC = Path(os.environ["MUSIC"]).resolve()
RESULTS = WORK / "results"
SEGUE = BUILD / "pipeline" / "cli" / "segue"
PYTHON = sys.executable
THREADS = 2
OURS = ["float32", "bfloat16", "int8"]


def environment(**changes):
    """This process's environment, without user settings."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("SEGUE_", "OMP_"))}
    return {**env, "SEGUE_PLUGIN_PATH": str(BUILD / "plugins"),
            "SEGUE_WORKER": str(BUILD / "pipeline" / "worker" / "segue-worker"),
            "TORCHINDUCTOR_CACHE_DIR": str(WORK / "inductor"), **changes}


# Programs that run alternately.

def model_commands(what, batch, precisions, peers, segments="segments.f32", more=()):
    """By name: "segue float32", "torch bfloat16", …"""
    words = ["--what", what, "--batch", batch, *more]
    commands = {}
    for program, precision in [("segue", p) for p in precisions] + peers:
        folder = WORK / ("onnx" if program == "onnxruntime" else "model")
        start = [BUILD / "tests" / "bench" / "model-bench"] if program == "segue" else [
            PYTHON, HERE / "peers.py", program]
        # Code compiled in the first pass may be compiled again in the second.
        settle = ["--warm-up", 2] if program == "torch-compiled" else []
        commands[f"{program} {precision}"] = [*start, folder, WORK / segments, "--precision", precision,
                                              "--threads", THREADS, *words, *settle]
    return commands


def torch_peers(options, *precisions):
    programs = ["torch"] if options.no_compile else ["torch", "torch-compiled"]
    return [(program, precision) for precision in precisions for program in programs]


ONNX = [("onnxruntime", p) for p in ("float32", "int8-dynamic", "int8-static")]


def turns(options, default, commands):
    commands = {name: [*command, "--turns"] for name, command in commands.items()}
    commands["ceiling"] = [BUILD / "tests" / "bench" / "ceiling", "--threads", THREADS, "--turns"]
    return take_turns(commands, options.repeat or default, environment())


# Parts.

def forward(options):
    return {str(batch): turns(options, rounds, model_commands(
                "forward", batch, OURS, torch_peers(options, "float32", "bfloat16") + ONNX))
            for batch, rounds in ((1, 7), (8, 3))}


def answers(options):
    """Logits of segments that no model was trained on; nothing here is timed."""
    n = (WORK / "answers.f32").stat().st_size // (160000 * 4)
    n = min(n, options.answers or n)
    peers = [("torch", "float32"), ("torch", "bfloat16"), *ONNX]
    once = ["--repeat", 1, "--warm-up", 0, "--logits"]
    commands = model_commands("forward", n, OURS, peers, "answers.f32", once)
    result = {}
    for name, command in commands.items():
        command += [] if name.startswith("segue") else ["--part", 4]
        # Separately: not all of them have to be in memory.
        result.update(take_turns({name: [*command, "--turns"]}, 1, environment()))
    return result


def train(options):
    return {precision: turns(options, 3, model_commands(
                "train", 8, [precision], torch_peers(options, precision)))
            for precision in ("float32", "bfloat16")}


def frozen(options):
    return turns(options, 5, model_commands(
        "frozen", 8, ["float32", "bfloat16"], torch_peers(options, "float32", "bfloat16")))


def memory(options):
    """Peaks of two training steps, for each program alone."""
    result = {}
    for what in ("train", "frozen"):
        commands = model_commands(what, 8, ["float32", "bfloat16"],
                                  [("torch", "float32"), ("torch", "bfloat16")])
        result[what] = {}
        for name, command in commands.items():
            result[what].update(take_turns({name: [*command, "--turns"]}, 1, environment()))
    return result


def predict_commands():
    command = [SEGUE, "predict", "--json", "--no-cache", "--model", WORK / "song-model", WORK / "song.mp3"]
    return {"segue float32": [*command, "--precision", "float32"],
            "segue auto": [*command, "--precision", "auto"],
            "transformers float32": [PYTHON, HERE / "predict-peer.py", WORK / "model", WORK / "song.mp3"]}


def predict(options):
    commands = predict_commands()
    result = {name: {"values": [], "peaks": []} for name in commands}
    for _ in range(options.repeat or 5):
        for name, command in commands.items():
            once = timed(command, environment(SEGUE_CACHE=str(WORK / "cache")))
            result[name]["values"].append(once["seconds"])
            result[name]["peaks"].append(once["peak_kib"])
            result[name]["answer"] = answer = json.loads(once["output"])
            say(f"  {name}: {once['seconds']:.2f} s, {answer['label']}")
    wanted = result["transformers float32"]["answer"]["probabilities"]
    for name, at in result.items():
        found = at.pop("answer")["probabilities"]
        at["difference"] = max(abs(found[label] - wanted[label]) for label in wanted)
    # Another decoder, which may keep the encoder's padding, and another resampler: the prediction should not
    # change.
    if result["segue float32"]["difference"] > 0.05:
        raise Failure(f"the answers are not the same: {result}")
    return result


def start(options):
    commands = {"segue --version": ([SEGUE, "--version"], 30),
                "segue inspect": ([SEGUE, "inspect"], 30),
                "import torch, transformers": ([PYTHON, "-c", "import torch, transformers"], 3)}
    return {name: {"values": [timed(command, environment())["seconds"] for _ in range(options.repeat or n)]}
            for name, (command, n) in commands.items()}


def libre_songs():
    return sorted(p for p in MUSIC.rglob("*") if p.suffix in (".ogg", ".opus"))


def decode_with_segue(decoder, scratch):
    once = timed([SEGUE, "run", HERE / "decode.yaml", MUSIC, "-j", THREADS, "--out", scratch / "runs", "--json",
                  "--set", f"decoder={decoder}"], environment(SEGUE_CACHE=str(scratch / "cache")))
    with open(scratch / "runs" / "decode" / "latest" / "run.json") as file:
        run = json.load(file)
    counts = {s["id"]: s["items"] for s in run["stages"]}
    return {**once, "songs": run["counts"]["songs"] - run["counts"]["failed"],
            "audio_seconds": 10 * sum(counts["segment"].values())}


def f32_seconds(folder):
    return sum(p.stat().st_size for p in folder.glob("*.f32")) / 4 / 16000


def decode_with_ffmpeg(scratch):
    """One process per song, as many at once as segue has workers."""
    def one(number, song):
        return timed(["ffmpeg", "-v", "error", "-nostdin", "-threads", 1, "-i", song, "-map", "0:a:0", "-ac", 1,
                      "-af", "aresample=16000:resampler=soxr", "-f", "f32le", scratch / f"{number}.f32"])

    begin = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        peaks = [once["peak_kib"] for once in pool.map(one, itertools.count(), libre_songs())]
    return {"seconds": time.perf_counter() - begin, "peak_kib": max(peaks), "songs": len(peaks),
            "audio_seconds": f32_seconds(scratch)}


def decode_with_librosa(scratch):
    """Every fourth song: it takes much longer."""
    once = timed([PYTHON, HERE / "decode-peer.py", scratch, *libre_songs()[::4]])
    return {**once, "songs": len(list(scratch.glob("*.f32"))), "audio_seconds": f32_seconds(scratch)}


def decode(options):
    decoders = ["decode"] + [d for d in ("decode-gstreamer", "decode-libav")
                             if (BUILD / "plugins" / d / f"segue-{d}.so").exists()]
    programs = {f"segue {d}": functools.partial(decode_with_segue, d) for d in decoders}
    programs |= {"ffmpeg": decode_with_ffmpeg, "librosa": decode_with_librosa}
    result = {name: {"values": []} for name in programs}
    for song in libre_songs():
        song.read_bytes()  # read from the disk once, before the first program
    for _ in range(options.repeat or 3):
        for name, program in programs.items():
            with tempfile.TemporaryDirectory(dir=WORK) as scratch:
                once = program(Path(scratch))
            once.pop("output", None)
            result[name]["values"].append(once.pop("seconds"))
            result[name].update(once)
            say(f"  {name}: {result[name]['values'][-1]:.1f} s")
    for decoder in decoders:
        if not 0.95 < result[f"segue {decoder}"]["audio_seconds"] / result["ffmpeg"]["audio_seconds"] <= 1:
            raise Failure(f"they did not decode the same: {result}")
    return result


def small_with_segue(scratch):
    """A folder to a report, with an empty cache; then the same with another head."""
    command = [SEGUE, "run", "--preset", "artist-small", MUSIC, "-j", THREADS, "--out", scratch / "runs"]
    env = environment(SEGUE_CACHE=str(scratch / "cache"))
    once = timed(command, env)
    with open(scratch / "runs" / "artist-small" / "latest" / "timings.json") as file:
        seconds = {s["stage"]: s["seconds"] for s in json.load(file)["stages"]}
    again = timed([*command, "--set", "train.model=linear"], env)
    return {**once, "head": seconds["train"], "again": again["seconds"]}


def small_with_librosa(scratch):
    return timed([PYTHON, HERE / "small-peer.py", MUSIC])


def small(options):
    programs = {"segue": small_with_segue, "librosa, scikit-learn": small_with_librosa}
    result = {name: {} for name in programs}
    for _ in range(options.repeat or 3):
        for name, program in programs.items():
            with tempfile.TemporaryDirectory(dir=WORK) as scratch:
                once = program(Path(scratch))
            once.pop("output", None)
            once["values"] = once.pop("seconds")
            for key, value in once.items():
                result[name].setdefault(key, []).append(value)
            say(f"  {name}: {once['values']:.1f} s")
    return result


def make_growth_songs(folder, n):
    """n segments: songs of ten, by two artists who differ in pitch."""
    for i in range(n // 10):
        album = folder / f"Artist {i % 2}" / "Album"
        album.mkdir(parents=True, exist_ok=True)
        tone = 400 * (1 + i % 2) + i / 10
        samples = [int(8000 * math.sin(2 * math.pi * tone * t / 16000)) for t in range(32000)]
        with wave.open(str(album / f"{i:05}.wav"), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            file.writeframes(struct.pack("<32000h", *samples) * 10)


def growth(options):
    """Only train and evaluate: songs are decoded by an earlier run."""
    result = {}
    with tempfile.TemporaryDirectory(dir=WORK) as scratch:
        for n, rounds in ((100, 5), (1000, 3), (10000, 1)):
            music = Path(scratch) / str(n)
            make_growth_songs(music, n)
            command = [SEGUE, "run", HERE / "growth.yaml", music, "-j", THREADS, "--out", Path(scratch) / "runs"]
            env = environment(SEGUE_CACHE=str(Path(scratch) / "cache"))
            timed([*command, "--set", "train.epochs=1"], env)
            at = result[str(n)] = {"epoch": [], "evaluate": [], "peaks": []}
            for seed in range(options.repeat or rounds):
                once = timed([*command, "--set", f"seed={seed}"], env)
                with open(Path(scratch) / "runs" / "growth" / "latest" / "timings.json") as file:
                    seconds = {s["stage"]: s["seconds"] for s in json.load(file)["stages"]}
                at["epoch"].append(seconds["train"] / 4)
                at["evaluate"].append(seconds["evaluate"])
                at["peaks"].append(once["peak_kib"])
            say(f"  {n} segments: {median(at['epoch']):.3f} s an epoch, {median(at['evaluate']):.3f} s to evaluate, "
                f"{median(at['peaks']) / 1024:.0f} MiB")
            shutil.rmtree(music)
    return result


PARTS = {part.__name__: part for part in
         (forward, answers, train, frozen, memory, predict, start, decode, small, growth)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeat", type=int, help="rounds of every part, instead of each part's own number")
    parser.add_argument("--answers", type=int, help="segments that answers are compared on")
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS) + "; or report alone")
    options = parser.parse_args()
    parts = options.parts or list(PARTS)
    unknown = set(parts) - set(PARTS) - {"report"}
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    if not shutil.which("g++") and not options.no_compile:
        parser.error("torch.compile needs g++; install it, or leave it out with --no-compile")

    RESULTS.mkdir(parents=True, exist_ok=True)
    for name in ("cache", "inductor"):
        (WORK / name).mkdir(exist_ok=True)
    failed = []
    for name in parts:
        if name == "report":
            continue
        say(f"== {name}")
        try:
            result = {"machine": report.machine(), "result": PARTS[name](options)}
        except (Failure, OSError, subprocess.SubprocessError) as problem:
            failed.append(name)
            say(f"FAILED {name}: {problem}")
            continue
        (RESULTS / f"{name}.json").write_text(json.dumps(result))
    report.write(RESULTS, SOURCE / "docs" / "performance.md")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
