#!/bin/sh
# Installs the encoder musicnn (Pons et al. 2018), trained on the Million Song Dataset (msd-musicnn) and on
# MagnaTagATune (mtt-musicnn), as models that segue finds by these names.
#
#   sh examples/encoder.sh           downloads 29 MB from PyPI, keeps 6 MB
#   sh examples/encoder.sh --force   replaces models that are already installed
#
# The models are stored in $XDG_DATA_HOME/segue/models (default: ~/.local/share/segue/models), each with
# its licence (ISC, Music Technology Group, Universitat Pompeu Fabra). The package is checked by its
# hash, and nothing of it is run: its TensorFlow checkpoints are converted with Python's standard library.
set -eu

usage () { sed -n '2,10s/^# \{0,1\}//p' "$0"; }
say () { printf '%s\n' "$*" >&2; }
fail () { # status, message
  status=$1; shift
  printf 'encoder.sh: %s\n' "$*" >&2
  exit "$status"
}

force=
case "$#:${1:-}" in
0:) ;;
1:--force) force=1 ;;
1:--help | 1:-h) usage; exit 0 ;;
*) usage >&2; exit 64 ;;
esac

here=$(cd "$(dirname "$0")" && pwd)
models=${XDG_DATA_HOME:-$HOME/.local/share}/segue/models
package='musicnn==0.1.0 --hash=sha256:f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa'
names='msd-musicnn mtt-musicnn'

missing=
for name in $names; do
  [ -z "$force" ] && [ -f "$models/$name/model.safetensors" ] || missing="$missing $name"
done
if [ -z "$missing" ]; then
  say "already installed in $models: $names"
  exit 0
fi

python3 -c '' 2>/dev/null || fail 69 'Python 3 is missing; install it with: apt-get install python3'
python3 -m pip --version >/dev/null 2>&1 || fail 69 'pip is missing; install it with: apt-get install python3-pip'
mkdir -p "$models" || fail 73 "can't create ‘$models’"
scratch=$(mktemp -d "$models/.encoder.XXXXXX") || fail 73 "can't write into ‘$models’"
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say 'downloading musicnn 0.1.0 (29 MB)'
printf '%s\n' "$package" >"$scratch/requirements.txt"
# Binary packages only: building another kind would run its code.
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
  --dest "$scratch" -r "$scratch/requirements.txt" >"$scratch/log" 2>&1 || {
  cat "$scratch/log" >&2
  fail 69 'the package could not be downloaded from PyPI; check the network connection (pip reports why above)'
}
python3 -m zipfile -e "$scratch"/musicnn-*.whl "$scratch/package" || fail 65 'the package could not be unpacked'

for name in $missing; do
  say "converting $name"
  python3 "$here/encoder/convert.py" "$scratch/package" "${name%-musicnn}" "$scratch/$name" >&2 ||
    fail 65 "$name could not be converted"
  # A folder can't be replaced in one step; the old one is moved out of the way first.
  [ ! -e "$models/$name" ] || mv -T "$models/$name" "$scratch/old-$name"
  mv -T "$scratch/$name" "$models/$name" || fail 73 "can't write ‘$models/$name’"
done
say "installed in $models: $names"
say "their licence: $models/msd-musicnn/LICENSE"
