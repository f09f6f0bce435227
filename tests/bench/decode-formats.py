"""Decoding by format: `use: decode` compared with ffmpeg, two processes each, to 16 kHz mono float32 with soxr.

  python3 tests/bench/decode-formats.py BUILD FOLDER [ROUNDS [SONGS]]

SONGS (16) of those below FOLDER (Ogg Vorbis or Opus), evenly spread, are measured unchanged, and converted by
ffmpeg to MP3, AAC and FLAC.  Each round runs both programs, in the opposite order of the round before; the medians
of ROUNDS (5) are compared.  segue also isolates, checks, hashes and stores what it decodes. Prints a table for
docs/performance.md, in three minutes on two processors."""
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

BUILD, MUSIC = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 5
SONGS = int(sys.argv[4]) if len(sys.argv) > 4 else 16
FORMATS = {"as they are": None, "MP3": ("mp3", ["-c:a", "libmp3lame", "-q:a", "2"]),
           "AAC": ("m4a", ["-c:a", "aac", "-b:a", "192k"]), "FLAC": ("flac", ["-c:a", "flac", "-sample_fmt", "s16"])}
PIPELINE = """segue: 1
name: formats
vars: { music: }
stages:
  - use: scan
    with: { root: "${music}", layout: "{title}", label: "" }
  - use: decode
"""


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, arguments)], check=True)


def choose():
    """Songs of all folders, not the first ones."""
    songs = sorted(p for p in MUSIC.rglob("*") if p.suffix in (".ogg", ".oga", ".opus"))
    if not songs:
        raise SystemExit(f"{MUSIC} has no Ogg files")
    step = max(1, len(songs) // SONGS)
    return songs[::step][:SONGS]


def encode(songs, folder, how):
    def one(number, song):
        if how is None:
            (folder / f"{number}{song.suffix}").write_bytes(song.read_bytes())
        else:
            ffmpeg("-threads", 1, "-i", song, "-map", "0:a:0", *how[1], folder / f"{number}.{how[0]}")

    folder.mkdir()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, itertools.count(), songs))


def with_segue(folder, scratch):
    (scratch / "formats.yaml").write_text(PIPELINE)
    environment = dict(os.environ, SEGUE_CACHE=str(scratch / "cache"), SEGUE_PLUGIN_PATH=str(BUILD / "plugins"),
                       SEGUE_WORKER=str(BUILD / "pipeline" / "worker" / "segue-worker"))
    begin = time.perf_counter()
    subprocess.run([BUILD / "pipeline" / "cli" / "segue", "run", scratch / "formats.yaml", folder, "-j", "2",
                    "--out", scratch / "runs"], check=True, env=environment, capture_output=True)
    seconds = time.perf_counter() - begin
    run = json.loads((scratch / "runs" / "formats" / "latest" / "run.json").read_text())
    if run["counts"]["failed"]:
        raise SystemExit(f"songs were left out: {run['quarantined']}")
    return seconds


def with_ffmpeg(folder, scratch):
    def one(number, song):
        ffmpeg("-threads", 1, "-i", song, "-map", "0:a:0", "-ac", 1, "-af", "aresample=16000:resampler=soxr",
               "-f", "f32le", scratch / f"{number}.f32")

    begin = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, itertools.count(), sorted(folder.iterdir())))
    return time.perf_counter() - begin


def main():
    songs = choose()
    megabytes = sum(song.stat().st_size for song in songs) / 1e6
    print(f"{len(songs)} songs, {megabytes:.0f} MB, {ROUNDS} rounds\n\n"
          "| format | `use: decode` | ffmpeg | ratio | of the rounds |\n|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as work:
        for name, how in FORMATS.items():
            folder = Path(work) / (how[0] if how else "own")
            encode(songs, folder, how)
            taken = {with_segue: [], with_ffmpeg: []}
            for number in range(ROUNDS):
                for program in (list(taken), list(taken)[::-1])[number % 2]:
                    with tempfile.TemporaryDirectory(dir=work) as scratch:
                        taken[program].append(program(folder, Path(scratch)))
            ours, theirs = (statistics.median(values) for values in taken.values())
            ratios = sorted(b / a for a, b in zip(*taken.values()))
            print(f"| {name} | {ours:.2f} s | {theirs:.2f} s | {theirs / ours:.2f}× | "
                  f"{ratios[0]:.2f}–{ratios[-1]:.2f}× |", flush=True)


if __name__ == "__main__":
    main()
