"""Decoding by format: `use: decode` beside ffmpeg, two processes each, to 16 kHz mono float32 with soxr.

  python3 tests/bench/decode-formats.py BUILD FOLDER [REPEAT]

Songs below FOLDER (Ogg Vorbis or Opus) are measured as they are, and as MP3, AAC and FLAC that ffmpeg makes of
them.  segue also isolates, checks, hashes and stores what it decodes.  Prints a table for docs/performance.md."""
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
REPEAT = int(sys.argv[3]) if len(sys.argv) > 3 else 3
FORMATS = {"as they are": None, "MP3": ("mp3", ["-c:a", "libmp3lame", "-q:a", "2"]),
           "AAC": ("m4a", ["-c:a", "aac", "-b:a", "192k"]), "FLAC": ("flac", ["-c:a", "flac"])}
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


def encode(songs, folder, how):
    folder.mkdir()
    for number, song in enumerate(songs):
        if how is None:
            (folder / f"{number}{song.suffix}").write_bytes(song.read_bytes())
        else:
            ffmpeg("-i", song, "-map", "0:a:0", *how[1], folder / f"{number}.{how[0]}")


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
    songs = sorted(p for p in MUSIC.rglob("*") if p.suffix in (".ogg", ".opus"))
    print(f"{len(songs)} songs\n\n| format | `use: decode` | ffmpeg | ratio |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as work:
        for name, how in FORMATS.items():
            folder = Path(work) / (how[0] if how else "own")
            encode(songs, folder, how)
            taken = {with_segue: [], with_ffmpeg: []}
            for program in list(taken) * REPEAT:
                with tempfile.TemporaryDirectory(dir=work) as scratch:
                    taken[program].append(program(folder, Path(scratch)))
            ours, theirs = (statistics.median(values) for values in taken.values())
            print(f"| {name} | {ours:.2f} s | {theirs:.2f} s | {theirs / ours:.2f}× |", flush=True)


main()
