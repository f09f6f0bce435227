#!/bin/sh
# Peak memory against the size of the library: the preset artist-cnn over 40 songs and over 400,
# both with the longest song of the libre set among them. Prints both peaks and their ratio.
#
#   sh tests/bench/memory.sh [-- further options of `segue run`]
set -eu
here=$(dirname "$0")
[ "${1:-}" != -- ] || shift
segue=${SEGUE:-segue}
music=$(sh "$here/../../examples/libre-music.sh" all)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Libraries with these numbers of songs: the libre set, repeated under other names. A byte is added to each copy
# (after the last Ogg page, where a decoder stops), so that none is a duplicate.
python3 - "$music" "$scratch" <<'PYTHON'
import os, shutil, sys
music, scratch = sys.argv[1:]
songs = sorted((os.path.join(d, f) for d, _, fs in os.walk(music) for f in fs), key=os.path.getsize)
longest, songs = songs[-1], songs[:-1]
by_artist = {}
for s in songs:
    by_artist.setdefault(os.path.relpath(s, music).split(os.sep)[0], []).append(s)
turns = [s for group in zip(*[(g * 30)[:30] for g in by_artist.values()]) for s in group]
for size in (40, 400):
    chosen = [longest] + (turns * 2)[: size - 1]
    for i, song in enumerate(chosen):
        artist = os.path.relpath(song, music).split(os.sep)[0]
        folder = os.path.join(scratch, str(size), artist, "Album")
        os.makedirs(folder, exist_ok=True)
        copy = os.path.join(folder, f"{i:03} {os.path.basename(song)}")
        shutil.copyfile(song, copy)
        if i >= len(songs) // 2:
            with open(copy, "ab") as f:
                f.write(i.to_bytes(2, "little"))
PYTHON

python3 - "$segue" "$scratch" "$@" <<'PYTHON'
import os, subprocess, sys
segue, scratch, *options = sys.argv[1:]
peaks = {}
for size in (40, 400):
    child = subprocess.Popen([segue, "run", "--preset", "artist-cnn", f"{scratch}/{size}",
                              "--out", f"{scratch}/runs", *options],
                             env={**os.environ, "SEGUE_CACHE": f"{scratch}/cache-{size}"})
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"the run over {size} songs failed")
    peaks[size] = usage.ru_maxrss / 1024
    print(f"{size} songs: peak {peaks[size]:.0f} MiB", flush=True)
print(f"ratio {peaks[400] / peaks[40]:.3f}")
PYTHON
