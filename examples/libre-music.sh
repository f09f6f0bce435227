#!/bin/sh
# Extracts free game music from Debian's own packages into a folder laid out as
# <artist>/<album>/<title>.ogg, and prints the folder's name.
#
#   sh examples/libre-music.sh small   4 artists,  82 songs, 196 MB to download
#   sh examples/libre-music.sh all    10 artists, 162 songs, 640 MB
#
# Packages are downloaded once and nothing is installed; the songs stay in the user's cache. Each
# package's licence is stored beside its songs.
set -eu

set_name=${1:-small}
case "$set_name" in
small) artists='Kenta Cho|Drascula|Maxstack|Obsidian Shell' ;;
all) artists='.*' ;;
*) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
esac

table=$(dirname "$0")/libre-music.tsv
cache=${XDG_CACHE_HOME:-$HOME/.cache}/segue/libre-music
folder=$cache/$set_name
tab=$(printf '\t')
mkdir -p "$cache/packages" "$folder"

tracks () { # of the chosen artists, without the heading
  awk -F"$tab" -v artists="^($artists)\$" 'NR > 1 && $3 ~ artists' "$table"
}

fetch () { # package → $cache/packages/<package>, unpacked
  [ -d "$cache/packages/$1" ] && return
  scratch=$(mktemp -d "$cache/packages/.$1.XXXXXX")
  echo "downloading $1" >&2
  (cd "$scratch" && apt-get -qq -o APT::Sandbox::User="$(id -un)" download "$1" >&2) || {
    rm -rf "$scratch"
    echo "‘apt-get download $1’ failed; run ‘apt-get update’ as root once and try again" >&2
    exit 69
  }
  mkdir "$scratch/files"
  dpkg -x "$scratch"/*.deb "$scratch/files"
  mv -T "$scratch/files" "$cache/packages/$1"
  rm -rf "$scratch"
}

tracks | cut -f1 | sort -u | while IFS= read -r package; do
  fetch "$package"
done

tracks | while IFS="$tab" read -r package path artist album title seconds; do
  song="$folder/$artist/$album/$title.${path##*.}"
  [ -e "$song" ] && continue
  mkdir -p "$folder/$artist/$album"
  ln -f "$cache/packages/$package/$path" "$song" 2>/dev/null ||
    cp "$cache/packages/$package/$path" "$song"
done
echo "$folder"
