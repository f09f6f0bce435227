#!/bin/sh
# Builds the plugins of examples/ as their authors would, with only installed headers, and runs them in pipelines
# with the installed command.
#
#   sh outside-the-tree.sh PREFIX EXAMPLES BUILD
set -eu
installed=$1 plugin=$2/plugin model=$2/model build=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

library=$(find "$installed" -name 'libsegue.so' -printf '%h\n')
export PKG_CONFIG_PATH="$library/pkgconfig" LD_LIBRARY_PATH="$library"
export SEGUE_PLUGIN_PATH="$scratch/build:$scratch/build-model" XDG_CACHE_HOME="$scratch/cache"
unset SEGUE_PRESET_PATH SEGUE_CACHE SEGUE_WORKER

cp -r "$plugin" "$scratch/plugin"
meson setup "$scratch/build" "$scratch/plugin" --werror
ninja -C "$scratch/build"
meson test -C "$scratch/build"
cp -r "$model" "$scratch/model"
meson setup "$scratch/build-model" "$scratch/model" --werror
ninja -C "$scratch/build-model"
# What holds for every plugin in the tree holds for these, too.
for suite in tables behaviour models; do
  G_DEBUG=fatal-criticals "$build/tests/generic/test-generic-$suite"
done

segue=$(find "$installed" -path '*/bin/segue')

# From a separate prefix, as an ordinary user, with only the content of the prefix.
ordinary () {
  if [ "$(id -u)" != 0 ]; then
    env -i HOME="$scratch/home" PATH=/usr/bin:/bin "$@"
  else
    chmod 755 "$scratch"
    chown 65534:65534 "$scratch/home"
    env -i HOME="$scratch/home" PATH=/usr/bin:/bin setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
  fi
}
mkdir "$scratch/home"
if [ "$(id -u)" = 0 ] && ! setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$segue"; then
  echo 'the prefix cannot be reached by an ordinary user; not tried as one' >&2
else
  ordinary "$segue" --version
  ordinary "$segue" inspect decode >/dev/null
  ordinary "$segue" check --preset artist-small >/dev/null
fi

# By hand, with libsegue-nn: found where it is installed, without environment variables.
mkdir "$scratch/by-hand"
cat >"$scratch/by-hand.c" <<'PLUGIN'
#include <segue/nn/backend.h>
#include <segue/plugin.h>

static char *
fingerprint (const void *config)
{
  return segue_nn_fingerprint ();
}

static gboolean
process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  return segue_context_emit (context, segue_item_ref (item), error);
}

static const SeguePort *const ports[] = { SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "Songs."), NULL };
static const SegueStageType by_hand = { .struct_size = sizeof (SegueStageType),
                                        .name = "by-hand",
                                        .summary = "Passes songs on",
                                        .mode = SEGUE_MODE_MAP,
                                        .inputs = ports,
                                        .outputs = ports,
                                        .fingerprint = fingerprint,
                                        .process = process };
static const SegueStageType *const stages[] = { &by_hand, NULL };
SEGUE_PLUGIN (.name = "by-hand", .version = "1", .licence = "MIT", .stages = stages)
PLUGIN
interface=$(basename "$library"/pkgconfig/segue-nn-*.pc .pc)
# shellcheck disable=SC2046
gcc -shared -fPIC -o "$scratch/by-hand/by-hand.so" "$scratch/by-hand.c" $(pkg-config --cflags --libs "$interface")
env -u LD_LIBRARY_PATH SEGUE_PLUGIN_PATH="$scratch/by-hand" "$segue" inspect by-hand
"$segue" inspect level
"$segue" check "$scratch/plugin/levelled.yaml"

# Its own songs: three artists, each with its own tone.
python3 - "$scratch/music" <<'PYTHON'
import math, os, struct, sys, wave
for artist in range(3):
    for song in range(4):
        folder = os.path.join(sys.argv[1], f"Artist {artist}", "Album")
        os.makedirs(folder, exist_ok=True)
        with wave.open(os.path.join(folder, f"Song {song}.wav"), "wb") as f:
            f.setnchannels(1); f.setsampwidth(2); f.setframerate(16000)
            hz = 200 * (artist + 1) + 10 * song
            f.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(2 * math.pi * hz * t / 16000)))
                                   for t in range(16000 * 24)))
PYTHON
"$segue" run "$scratch/plugin/levelled.yaml" "$scratch/music" --set segment.count=2 \
  --out "$scratch/runs"
find "$scratch/runs/levelled/latest/" -name '*.wav' | grep -q . || {
  echo 'the pipeline exported nothing' >&2; exit 1; }

# An external model type: train, evaluate, predict.
"$segue" inspect mean-mlp
"$segue" run "$scratch/model/mean.yaml" "$scratch/music" --set segment.count=2 --set train.epochs=60 \
  --out "$scratch/runs"
python3 - "$scratch/runs/mean/latest/metrics.json" <<'PYTHON'
import json, sys
accuracy = json.load(open(sys.argv[1]))["test"]["song_accuracy"]
assert accuracy == 1, f"three tones are told apart by {accuracy}"
PYTHON
answer=$("$segue" predict --model "$scratch/runs/mean/latest" "$scratch/music/Artist 1/Album/Song 2.wav")
case $answer in
  *'Artist 1'*) ;;
  *) echo "the wrong artist: $answer" >&2; exit 1 ;;
esac
