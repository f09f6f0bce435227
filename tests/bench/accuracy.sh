#!/bin/sh
# Accuracy on the libre music set over several seeds: runs a preset once per seed and prints a table of validation
# and test accuracy, by segment and by song, with means.
#
#   sh tests/bench/accuracy.sh small quickstart 1 2 3
#   sh tests/bench/accuracy.sh all artist-cnn 1 2 3 -- --set train.epochs=20
#
# SEGUE names the command (default: segue on the path), RUNS the folder for runs (default: runs).
set -eu
here=$(dirname "$0")
set_name=$1 preset=$2; shift 2
seeds=
while [ $# -gt 0 ] && [ "$1" != -- ]; do seeds="$seeds $1"; shift; done
[ $# = 0 ] || shift

segue=${SEGUE:-segue} runs=${RUNS:-runs}
music=$(sh "$here/../../examples/libre-music.sh" "$set_name")
results=
for seed in $seeds; do
  name=accuracy-$set_name-$preset-$seed
  "$segue" run --preset "$preset" "$music" --set "seed=$seed" --set "name=$name" --out "$runs" "$@" >&2
  results="$results $runs/$name/latest/metrics.json"
done

# shellcheck disable=SC2086  # a list of files
python3 - $results <<'PYTHON'
import json, sys

columns = [(s, f) for s in ("validation", "test") for f in ("segment_accuracy", "song_accuracy")]
print("| run | " + " | ".join(f"{s} {f.split('_')[0]}" for s, f in columns) + " |")
print("|---" * (len(columns) + 1) + "|")
rows = []
for path in sys.argv[1:]:
    metrics = json.load(open(path))
    rows.append([metrics[s][f] for s, f in columns])
    print(f"| {path.split('/')[-3]} | " + " | ".join(f"{x:.3f}" for x in rows[-1]) + " |")
print("| **mean** | " + " | ".join(f"**{sum(c) / len(c):.3f}**" for c in zip(*rows)) + " |")
PYTHON
