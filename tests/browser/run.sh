#!/bin/sh
# The report in a browser: makes a run over music with names in other scripts, opens its page from disk in headless
# Chromium, and performs user actions there: views, plays, types, corrects labels. Then a map of that music, and the
# page of segue serve: songs are dropped, classified and played.
#
#   sh tests/browser/run.sh
#   sh tests/browser/run.sh REPORT   another report's page, unchanged (views and plays only)
#
# SEGUE_BUILD names a build folder to use (default: build-test, created where it is missing), SHOTS one for
# screenshots (default: none are kept). Music is the small libre set.
set -eu
cd "$(dirname "$0")/../.."
root=$PWD build=${SEGUE_BUILD:-$PWD/build-test}

sh examples/dependencies.sh browser
[ -f "$build/build.ninja" ] || meson setup "$build" >/dev/null
ninja -C "$build" >/dev/null

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export SEGUE_PLUGIN_PATH="$build/plugins" SEGUE_WORKER="$build/pipeline/worker/segue-worker"
export SEGUE_PRESET_PATH="$root/examples/presets" SEGUE_CACHE="$scratch/cache"
segue=$build/pipeline/cli/segue

if [ $# -gt 0 ]; then
  exec /usr/bin/python3 tests/browser/check-report.py "$1"
fi

echo '== a run'
songs=$(sh examples/libre-music.sh small)
music=$scratch/music
mkdir -p "$music"
cp -r "$songs/Maxstack" "$songs/Obsidian Shell" "$music/"
# An artist and songs in Korean and emoji, and one with malicious names.
foreign="$music/방탄 소년 🎧/앨범"
hostile="$music/<b onclick=x>'&\"$(printf '\342\200\256')/<script>alert(1)<!--"
mkdir -p "$foreign" "$hostile"
n=0
find "$songs/Drascula" -type f | sort | head -n 18 | while IFS= read -r song; do
  n=$((n + 1))
  if [ $((n % 2)) = 0 ]; then to="$foreign/노래 $n 🎵"; else to="$hostile/a, \"$n\""; fi
  cp "$song" "$to.${song##*.}"
done
echo 'no music' >"$music/Maxstack/broken.mp3"
mkdir -p "$scratch/runs"
run () {
  "$segue" run --preset artist-cnn "$music" --out "$scratch/runs" --set train.epochs=3 \
    --set segment.count=8 --set segment.length=5 "$@" >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
}
run

echo '== the page'
/usr/bin/python3 tests/browser/check-report.py "$scratch/runs/artist-cnn/latest/report" "$scratch/relabel.csv"

echo '== the table that the page saved, given to the next run'
# The new artist has only one song.
run --set "songs.relabel=$scratch/relabel.csv" --set split.too_few=train_only
/usr/bin/python3 tests/browser/check-relabel.py "$scratch/relabel.csv" \
  "$scratch/runs/artist-cnn/latest/predictions.csv"

echo '== the map'
"$segue" map "$music" --out "$scratch/runs" --set segment.count=4 >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
/usr/bin/python3 tests/browser/check-map.py "$scratch/runs/map/latest/map"

echo '== the page of segue serve'
BUILD=$build /usr/bin/python3 tests/browser/check-serve.py ${SHOTS:+--shots "$SHOTS"}
