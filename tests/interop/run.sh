#!/bin/sh
# Checks against the ecosystem's own tools: transformers computes the same as segue, opens models that segue saves,
# and vice versa. The only tests that need Python packages; these are installed into a separate folder.
#
#   sh tests/interop/run.sh              all checks
#   sh tests/interop/run.sh predict …    some of them
#
# SEGUE_BUILD names a build folder to use (default: build-test, created where it is missing).
set -u
cd "$(dirname "$0")/../.." || exit 70

venv=${XDG_CACHE_HOME:-$HOME/.cache}/segue/interop-venv
build=${SEGUE_BUILD:-$PWD/build-test}
log=$(mktemp) || exit 73
trap 'rm -f "$log"' EXIT

# One check is enough to determine whether all packages are installed.
ready () {
  "$venv/bin/python" -c 'import torch, transformers, datasets, soundfile, safetensors, numpy, jsonschema, librosa' 2>/dev/null
}

# torch by its exact version first: without one, or as a dependency, it installs gigabytes for a GPU.
install () {
  echo "== packages into $venv"
  python3 -m venv "$venv" &&
    "$venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 &&
    "$venv/bin/pip" install --quiet --disable-pip-version-check \
      transformers datasets numpy soundfile safetensors jsonschema librosa
}

ready || sh examples/dependencies.sh interop || exit
if ! ready && ! { install >"$log" 2>&1 && ready; }; then
  cat "$log"
  echo 'interop: the Python packages could not be installed' >&2
  exit 69
fi

if [ ! -f "$build/build.ninja" ]; then
  meson setup "$build" >"$log" 2>&1 || { cat "$log"; exit 1; }
fi
ninja -C "$build" >"$log" 2>&1 || { tail -n 60 "$log"; exit 1; }

[ $# -gt 0 ] || set -- fixtures full-size spellings saved encoder predict mel-cnn musicnn export schema
passed=0 failed=0
for name in "$@"; do
  echo "== $name"
  if SEGUE_BUILD=$build OMP_NUM_THREADS=2 "$venv/bin/python" "tests/interop/check-$name.py" >"$log" 2>&1; then
    passed=$((passed + 1)); grep '^  ' "$log"; echo "ok      $name"
  else
    failed=$((failed + 1)); tail -n 40 "$log"; echo "FAILED  $name"
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
