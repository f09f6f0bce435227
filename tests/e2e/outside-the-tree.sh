#!/bin/sh
# Builds the plugins of examples/ as their authors would, against an installation, and runs them in pipelines with the
# installed command.
#
#   sh outside-the-tree.sh PREFIX SOURCE_ROOT BUILD_ROOT
#
# A prefix within the build folder is installed to, and then has to work without any environment variable. What is
# configured for another prefix is installed to a temporary folder, and found through variables.
set -u
prefix=$1 source=$2 build=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset SEGUE_PRESET_PATH SEGUE_CACHE SEGUE_WORKER SEGUE_SERVE SEGUE_PLUGIN_PATH
export XDG_CACHE_HOME="$scratch/cache"
n=0 bad=0

try () { # name, command…
  name=$1
  shift
  n=$((n + 1))
  # Not as a condition: there, `set -e` has no effect.
  (set -e; "$@") >"$scratch/log" 2>&1
  if [ $? = 0 ]; then
    echo "ok $n $name"
  else
    echo "not ok $n $name"
    bad=1
    tail -n 40 "$scratch/log" | sed 's/^/# /'
  fi
}

skip () { # name, reason
  n=$((n + 1))
  echo "ok $n $1 # SKIP $2"
}

case $prefix in
  "$build"/*) in_place=true root='' ;;
  *) in_place=false root=$scratch/root ;;
esac
installed=$root$prefix

install_it () {
  meson install -C "$build" --no-rebuild --quiet ${root:+--destdir "$root"}
  find "$installed" -name '*.pc' | grep -q .
}
try 'the installation' install_it

# Root may write anywhere, unless it gives up that right.
report_the_prefix () {
  mkdir "$scratch/theirs"
  chmod 555 "$scratch/theirs"
  [ "$(id -u)" != 0 ] || set -- setpriv --bounding-set -dac_override
  "$@" meson setup --fatal-meson-warnings "$scratch/setup" "$source" --prefix "$scratch/theirs/segue" >"$scratch/said" &&
    return 1
  grep 'is not yours to write to: set up with --prefix' "$scratch/said"
}
try 'a prefix that cannot be written to: reported before the build' report_the_prefix

library=$(find "$installed" -name 'libsegue.so' -printf '%h\n')
segue=$(find "$installed" -path '*/bin/segue')
own_plugins=$scratch/build-plugin:$scratch/build-live:$scratch/build-model:$scratch/build-embedding
export PKG_CONFIG_PATH="$library/pkgconfig" LD_LIBRARY_PATH="$library" SEGUE_PLUGIN_PATH="$own_plugins"
if [ $in_place = false ]; then
  sed -i "s|^prefix=.*|prefix=$installed|" "$library"/pkgconfig/*.pc
  SEGUE_PLUGIN_PATH=$own_plugins:$(find "$library/segue" -name 'plugins-*')
  SEGUE_WORKER=$(find "$installed" -name segue-worker)
  SEGUE_PRESET_PATH=$(find "$installed" -name presets)
  export SEGUE_WORKER SEGUE_PRESET_PATH
fi

build_example () { # name
  cp -r "$source/examples/$1" "$scratch/$1"
  meson setup "$scratch/build-$1" "$scratch/$1" --werror
  ninja -C "$scratch/build-$1"
  meson test -C "$scratch/build-$1"
}
for example in plugin live model embedding; do
  try "examples/$example: build and tests" build_example $example
done

# What holds for every plugin in the tree holds for these, too.
generic () { # suite, types that it has to know…
  G_DEBUG=fatal-criticals "$build/tests/generic/test-generic-$1" >"$scratch/cases"
  shift
  for type; do grep -q "/$type/" "$scratch/cases"; done
}
try 'the generic suite: behaviour' generic behaviour level hum
try 'the generic suite: tables' generic tables
try 'the generic suite: models' generic models mean-mlp crossings

# As an ordinary user, with only the content of the prefix.
ordinary () {
  if [ "$(id -u)" != 0 ]; then
    env -i HOME="$scratch/home" PATH=/usr/bin:/bin "$@"
  else
    env -i HOME="$scratch/home" PATH=/usr/bin:/bin setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
  fi
}
as_ordinary_user () {
  ordinary "$segue" --version
  ordinary "$segue" inspect decode
  ordinary "$segue" check --preset artist-cnn
}
mkdir "$scratch/home"
if [ "$(id -u)" = 0 ]; then
  chmod 755 "$scratch"
  chown 65534:65534 "$scratch/home"
fi
if [ $in_place = false ]; then
  skip 'as an ordinary user' 'the prefix is outside the build folder'
elif ! ordinary test -x "$segue"; then
  skip 'as an ordinary user' 'the prefix cannot be reached by an ordinary user'
else
  try 'as an ordinary user' as_ordinary_user
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
static const SegueStageType by_hand = {
  SEGUE_STAGE_TYPE,
  .name = "by-hand",
  .summary = "Passes songs on",
  .mode = SEGUE_MODE_MAP,
  .inputs = ports,
  .outputs = ports,
  .fingerprint = fingerprint,
  .process = process,
};
static const SegueStageType *const stages[] = { &by_hand, NULL };
SEGUE_PLUGIN (.name = "by-hand", .version = "1", .licence = "MIT", .stages = stages)
PLUGIN
by_hand () {
  interface=$(basename "$library"/pkgconfig/segue-nn-*.pc .pc)
  # shellcheck disable=SC2046
  gcc -shared -fPIC -o "$scratch/by-hand/by-hand.so" "$scratch/by-hand.c" $(pkg-config --cflags --libs "$interface")
  if [ $in_place = true ]; then unset LD_LIBRARY_PATH; fi
  SEGUE_PLUGIN_PATH=$scratch/by-hand "$segue" inspect by-hand
}
try 'a plugin compiled by hand' by_hand

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

run () { # pipeline, options…
  pipeline=$1
  shift
  "$segue" run "$scratch/$pipeline" "$scratch/music" --set segment.count=2 --out "$scratch/runs" "$@"
}

exports () {
  "$segue" inspect level
  "$segue" check "$scratch/plugin/levelled.yaml"
  run plugin/levelled.yaml
  find "$scratch/runs/levelled/latest/" -name '*.wav' | grep -q .
}
try 'a stage: a pipeline that exports' exports

all_correct () { # run: each song of the test set is classified correctly
  python3 - "$scratch/runs/$1/latest/metrics.json" <<'PYTHON'
import json, sys
accuracy = json.load(open(sys.argv[1]))["test"]["song_accuracy"]
assert accuracy == 1, f"the accuracy on three tones is {accuracy}"
PYTHON
}

trains () {
  "$segue" inspect mean-mlp
  run model/mean.yaml --set train.epochs=60
  all_correct mean
  "$segue" predict --model "$scratch/runs/mean/latest" "$scratch/music/Artist 1/Album/Song 2.wav" >"$scratch/answer"
  grep -q 'Artist 1' "$scratch/answer"
}
try 'a model type: train, evaluate, predict' trains

digest () { # run: of its weights
  sha256sum <"$scratch/runs/$1/latest/model/model.safetensors"
}

# Training sees the hum, evaluation does not; without hum, the model is that of the pipeline without the stage.
augments () {
  "$segue" inspect hum
  run live/hum.yaml --set train.model=mean-mlp --set train.epochs=60 --set hum.p=1
  all_correct hum
  with_hum=$(digest hum)
  run live/hum.yaml --set train.model=mean-mlp --set train.epochs=60 --set hum.p=1 --fresh -j 1
  [ "$(digest hum)" = "$with_hum" ]
  run live/hum.yaml --set train.model=mean-mlp --set train.epochs=60 --set hum.p=0
  [ "$(digest hum)" != "$with_hum" ]
  [ "$(digest hum)" = "$(digest mean)" ]
}
try 'a LIVE stage: train on augmented segments' augments

# An encoder: its vectors reach a classifier of the tree. Another encoder is another word.
hubert='{ use: distilhubert, hidden_size: 24, num_attention_heads: 2, intermediate_size: 32, conv_dim: [16, 16, 16],
  conv_kernel: [10, 8, 8], conv_stride: [10, 8, 8], num_conv_pos_embeddings: 16, num_conv_pos_embedding_groups: 4 }'
encodes () {
  "$segue" inspect crossings
  run embedding/crossings.yaml
  all_correct crossings
  "$segue" predict --model "$scratch/runs/crossings/latest" "$scratch/music/Artist 2/Album/Song 1.wav" >"$scratch/answer"
  grep -q 'Artist 2' "$scratch/answer"
  for encoder in statistics mel-cnn; do
    run embedding/crossings.yaml --set "embed.encoders=[$encoder]"
    all_correct crossings
  done
  # With random weights, a network need not hear which tone it is.
  run embedding/crossings.yaml --set "embed.encoders=[{ model: $hubert }]"
  "$segue" predict --model "$scratch/runs/crossings/latest" "$scratch/music/Artist 2/Album/Song 1.wav"
}
try 'an encoder: embed, train, evaluate, predict' encodes

echo "1..$n"
exit $bad
