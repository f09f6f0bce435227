"""Accuracy of a preset on songs that went through a codec: how much of it belongs to the artist, and how much to the
encoder of the files.

    python3 tests/bench/codecs.py MUSIC [--preset artist-small] [--seeds 5] [--work FOLDER]
        [--codecs mp3-128,mp3-96,aac-96,mono,low-pass-12k,low-pass-16k] [--set test] [-- --set train.model=linear]

MUSIC has a folder for each artist. ffmpeg makes a copy of MUSIC for each codec in FOLDER (default: codecs), once.
For each seed, a model is trained on MUSIC as it is; its songs of a set (test; validation, to choose between variants)
are then predicted as they are, and from each copy. A second model is trained and tested on the first copy alone (all songs from one encoder). Tables go to standard
output: means over the seeds, by segment / by song.

Seeds are those of the split and of training, so that the cache keeps all embeddings.

SEGUE names the command (default: segue on the path), RUNS the folder for runs (default: runs).
Standard library only.
"""

import argparse
import csv
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SEGUE, RUNS = os.environ.get("SEGUE", "segue"), Path(os.environ.get("RUNS", "runs"))
SOUNDS = (".ogg", ".opus", ".mp3", ".flac", ".wav", ".m4a")
FLAC = ["-c:a", "flac"]
CODECS = {
    "mp3-128": (".mp3", ["-c:a", "libmp3lame", "-b:a", "128k"]),
    "mp3-96": (".mp3", ["-c:a", "libmp3lame", "-b:a", "96k"]),
    "aac-96": (".m4a", ["-c:a", "aac", "-b:a", "96k"]),
    "mono": (".flac", ["-ac", "1", *FLAC]),
    # Steep filters: to twice the frequency and back.
    "low-pass-12k": (".flac", ["-af", "aresample=24000,aresample=44100", *FLAC]),
    "low-pass-16k": (".flac", ["-af", "aresample=32000,aresample=44100", *FLAC]),
}


def convert(song, target, options):
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name("." + target.name)
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", song, "-map", "0:a", *options, unfinished],
                   check=True)
    unfinished.rename(target)


def make_copy(music, folder, codec):
    """{song in @music: its copy}"""
    suffix, options = CODECS[codec]
    songs = sorted(path for path in music.rglob("*") if path.suffix in SOUNDS)
    copies = {song: (folder / codec / song.relative_to(music)).with_suffix(suffix) for song in songs}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda song: convert(song, copies[song], options), songs))
    return copies


def train(music, name, seed, options):
    command = [SEGUE, "run", "--preset", options.preset, music, "--set", f"name={name}", "--set",
               f"split.seed={seed}", "--set", f"train.seed={seed}", "--out", RUNS, *options.more]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return RUNS / name / "latest"


def read_songs(run, name):
    """{path: artist} of a set"""
    with open(run / "predictions.csv", newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["set"] == name]
    return {Path(os.fsdecode(re.sub(rb"%([0-9A-F]{2})", lambda m: bytes([int(m[1], 16)]),
                                    row["source"].encode()))): row["label"] for row in rows}


def best(probabilities):
    return max(probabilities, key=probabilities.get)


def measure(run, songs, labels):
    """(accuracy by segment, accuracy by song)"""
    names = b"\0".join(map(os.fsencode, songs))
    result = subprocess.run([SEGUE, "predict", "--model", run, "--json", "--null", "-"], input=names,
                            stdout=subprocess.PIPE, check=True)
    answers = [json.loads(line) for line in result.stdout.decode().splitlines()]
    segments = [best(segment["probabilities"]) == truth for answer, truth in zip(answers, labels)
                for segment in answer["segments"]]
    right = [best(answer["probabilities"]) == truth for answer, truth in zip(answers, labels)]
    return sum(segments) / len(segments), sum(right) / len(right)


def report(name, rows, seeds):
    print(f"| {name} songs | " + " | ".join(f"seed {seed}" for seed in seeds) + " | mean | difference |")
    print("|---" * (len(seeds) + 3) + "|")
    first = None
    for kind, values in rows.items():
        mean = [sum(column) / len(column) for column in zip(*values)]
        first = first or mean
        cells = [f"{segment:.3f} / {song:.3f}" for segment, song in (*values, mean)]
        change = " / ".join(f"{now - then:+.3f}" for now, then in zip(mean, first))
        print(f"| {kind} | " + " | ".join(cells) + f" | {change} |")


def main():
    arguments = sys.argv[1:]
    more = arguments[arguments.index("--") + 1:] if "--" in arguments else []
    parser = argparse.ArgumentParser()
    parser.add_argument("music", type=Path)
    parser.add_argument("--preset", default="artist-small")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--work", type=Path, default=Path("codecs"))
    parser.add_argument("--set", default="test", choices=("test", "validation"))
    parser.add_argument("--codecs", type=lambda text: text.split(","), default=list(CODECS))
    options = parser.parse_args(arguments[:len(arguments) - len(more) - 1] if more else arguments)
    options.more = more
    music, seeds = options.music.resolve(), range(1, options.seeds + 1)
    copies = {codec: make_copy(music, options.work.resolve(), codec) for codec in options.codecs}
    rows = {name: [] for name in ("as they are", *copies, f"trained on {options.codecs[0]}, too")}
    for seed in seeds:
        run = train(music, f"codecs-{options.preset}-{seed}", seed, options)
        known = read_songs(run, options.set)
        rows["as they are"].append(measure(run, known, known.values()))
        for codec, songs in copies.items():
            rows[codec].append(measure(run, [songs[path] for path in known], known.values()))
        run = train(options.work.resolve() / options.codecs[0], f"codecs-{options.preset}-{options.codecs[0]}-{seed}",
                    seed, options)
        known = read_songs(run, options.set)
        rows[list(rows)[-1]].append(measure(run, known, known.values()))
    report(options.set, rows, seeds)


main()
