#!/bin/sh
# Possible disturbances of a long job, caused on purpose: kills, interrupts, differences between machines.
# Afterwards a plain rerun has to end with the bytes of an undisturbed run.
#
#   sh tests/torture/run.sh                  the part for CI: half a minute
#   sh tests/torture/run.sh --full           1,000 kills, each step of a training, …
#   sh tests/torture/run.sh --full kill      one part of it: kill, resume, determinism, interrupts…
#
# $BUILD: the build folder (build-torture). A failure keeps its folder and prints the command that
# repeats it.
set -eu
cd "$(dirname "$0")/../.."
build=${BUILD:-build-torture}
if [ "${1:-}" = --full ]; then
  SEGUE_TORTURE=full
  export SEGUE_TORTURE
  shift
fi
if [ ! -f "$build/build.ninja" ]; then
  sh examples/dependencies.sh test
  meson setup "$build" >"$build-setup.tmp" || { cat "$build-setup.tmp"; exit 70; }
  rm -f "$build-setup.tmp"
fi
ninja -C "$build" >"$build-ninja.tmp" || { tail -n 60 "$build-ninja.tmp"; exit 70; }
rm -f "$build-ninja.tmp"
parts=
for part; do
  parts="$parts torture-$part"
done
# Parts run in order: each keeps two processors busy itself.
# shellcheck disable=SC2086  # a list of names
exec meson test -C "$build" --no-rebuild --suite torture --timeout-multiplier 0 --num-processes 1 \
  --verbose $parts
