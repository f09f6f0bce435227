#!/bin/sh
# segue in one command, on a fresh Debian or Ubuntu machine: installs missing packages, builds segue,
# downloads free game music by four artists, trains a classifier on it, and predicts the artist
# of a song that was not used in training.
set -eu
cd "$(dirname "$0")/.."

held_out_artist='Maxstack'
held_out_album='Endgame Singularity'
held_out_song='Through Space.ogg'

say () { printf '\n%s\n' "$*" >&2; }

say '1. Build'
sh examples/dependencies.sh build
prefix=$PWD/build/quickstart/install
[ -f build/quickstart/build.ninja ] ||
  meson setup build/quickstart --buildtype=release --prefix="$prefix" >/dev/null
ninja -C build/quickstart program >/dev/null
meson install -C build/quickstart --no-rebuild --quiet --only-changed >/dev/null
segue=$prefix/bin/segue

say '2. Music'
songs=$(sh examples/libre-music.sh small)
# One song is moved out of the scanned folder, so that no set contains it.
held_out=$(dirname "$songs")/held-out
mkdir -p "$held_out"
[ -e "$held_out/$held_out_song" ] ||
  cp "$songs/$held_out_artist/$held_out_album/$held_out_song" "$held_out/"
music=$(dirname "$songs")/quickstart
mkdir -p "$music"
cp -ruT --link "$songs" "$music" 2>/dev/null || cp -ruT "$songs" "$music"
rm -f "$music/$held_out_artist/$held_out_album/$held_out_song"

say '3. Train and evaluate'
"$segue" run --preset quickstart "$music" "$@"

say "4. Who made ‘$held_out_song’? (It is by $held_out_artist, and was not used in training.)"
"$segue" predict --model runs/quickstart/latest "$held_out/$held_out_song"

say "5. Which songs sound like ‘$held_out_song’?"
"$segue" similar runs/quickstart/latest "$held_out/$held_out_song" --top 5

cat >&2 <<TEXT

Locations:
  the command     $segue
  the music       $music
  this run        $PWD/runs/quickstart/latest/  (metrics.json, predictions.csv, model/)
  the report      file://$PWD/runs/quickstart/latest/report/index.html  (open it in a browser)
  a map of it     file://$PWD/runs/quickstart/latest/map/index.html  (every song; a click plays it)

Next, train on your own music, laid out as <artist>/<album>/<title>.mp3:
  $segue run --preset artist-small ~/Music
Then drop songs on a page, and hear which songs of yours they sound like:
  $segue serve --model runs/artist-small/latest --music ~/Music --open
TEXT
