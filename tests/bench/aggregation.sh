#!/bin/sh
# Which aggregation of segments predicts most songs rightly, on the libre music set: runs a preset once per seed,
# evaluates the model with each aggregation, and prints a table over 1 … 20 segments per song; the chart goes to
# docs/images/aggregation.svg.
#
#   sh tests/bench/aggregation.sh all artist-cnn 1 2 3 4 5
#   sh tests/bench/aggregation.sh small quickstart 1 -- --set train.epochs=2
#
# SEGUE names the command (default: segue on the path), RUNS the folder for runs (default: runs), CHART the
# file for the chart.
set -eu
here=$(dirname "$0")
set_name=$1 preset=$2; shift 2
seeds=
while [ $# -gt 0 ] && [ "$1" != -- ]; do seeds="$seeds $1"; shift; done
[ $# = 0 ] || shift

segue=${SEGUE:-segue} runs=${RUNS:-runs} chart=${CHART:-$here/../../docs/images/aggregation.svg}
music=$(sh "$here/../../examples/libre-music.sh" "$set_name")
folders=
for seed in $seeds; do
  # Training is read from the cache except for the first.
  for way in mean-probability mean-logit vote confidence-weighted; do
    name=aggregation-$set_name-$preset-$seed-$way
    "$segue" run --preset "$preset" "$music" --set "seed=$seed" --set "name=$name" \
      --set "evaluate.aggregation=$way" --out "$runs" "$@" >&2
    folders="$folders $runs/$name/latest"
  done
done

# shellcheck disable=SC2086  # a list of folders
python3 "$here/aggregation.py" "$chart" $folders
