#!/bin/sh
# Libraries export exactly the functions that their headers mark with SEGUE_API, each with a version.
#
#   sh exports.sh [LIBRARY VERSION_SCRIPT]…
set -u
n=0 bad=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
while [ $# -gt 0 ]; do
  sed -n 's/^ *\(segue_[a-z0-9_]*\);$/\1/p' "$2" | sort >"$scratch/declared"
  nm -D --defined-only "$1" | awk '$2 != "A" { bare = !sub (/@@SEGUE_[0-9P].*/, "", $3); print $3 (bare ? " without a version" : "") }' |
    sort >"$scratch/exported"
  n=$((n + 1))
  if [ -s "$scratch/declared" ] && diff "$scratch/declared" "$scratch/exported" >"$scratch/log"; then
    echo "ok $n $(basename "$1")"
  else
    echo "not ok $n $(basename "$1"): declared (<) and exported (>) differ"
    sed 's/^/# /' "$scratch/log"
    bad=1
  fi
  shift 2
done
echo "1..$n"
exit $bad
