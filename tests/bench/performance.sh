#!/bin/sh
# Speed and memory compared with PyTorch, ONNX Runtime, ffmpeg and librosa: measures, and writes
# docs/performance.md.
#
#   sh tests/bench/performance.sh                       everything: about half an hour on two idle cores
#   sh tests/bench/performance.sh forward decode        some parts: forward, answers, train, frozen, memory,
#                                                       predict, start, decode, small, growth
#   sh tests/bench/performance.sh report                only the page, from stored measurements
#   sh tests/bench/performance.sh --repeat 1 forward    number of rounds; --no-compile: without torch.compile
#
# Installs its dependencies; Python packages, materials and results stay in the user's cache.  $BUILD: a release
# build (default: build-bench, created where it is missing).
set -eu
cd "$(dirname "$0")/../.."
cache=${XDG_CACHE_HOME:-$HOME/.cache}/segue
venv=$cache/bench-venv
BENCH=$cache/bench
BUILD=${BUILD:-build-bench}
export BENCH BUILD
mkdir -p "$BENCH"

quietly () { # a command whose output matters where it fails
  "$@" >"$BENCH/log" 2>&1 || { status=$?; tail -n 60 "$BENCH/log" >&2; exit "$status"; }
}

ready () {
  "$venv/bin/python" -c 'import torch, transformers, onnxruntime, onnx, librosa, sklearn, soundfile, soxr' 2>/dev/null
}

sh examples/dependencies.sh bench
# torch by its exact version first: without one, or as a dependency, it installs gigabytes for a GPU.
if ! ready; then
  echo "== packages into $venv" >&2
  quietly python3 -m venv "$venv"
  quietly "$venv/bin/pip" install --disable-pip-version-check torch==2.13.0
  quietly "$venv/bin/pip" install --disable-pip-version-check transformers onnxruntime onnx librosa \
    scikit-learn soundfile soxr
  ready
fi

[ -f "$BUILD/build.ninja" ] || quietly meson setup "$BUILD" --buildtype=release
quietly ninja -C "$BUILD" program tests/bench/model-bench tests/bench/ceiling

MUSIC=$(sh examples/libre-music.sh all)
export MUSIC
"$venv/bin/python" tests/bench/materials.py "$BENCH" "$MUSIC" "$BUILD"
exec "$venv/bin/python" tests/bench/performance.py "$@"
