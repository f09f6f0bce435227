#!/bin/sh
# Writes a version script: what public headers mark with SEGUE_API is exported with the version of the
# plugin interface; what internal headers mark so is for segue's own libraries and programs of the same
# version; all else stays inside.
#
#   sh symbols.sh OUTPUT DEPFILE INTERFACE VERSION PUBLIC_HEADER… -- [INTERNAL_HEADER…]
#
# A function that is added in minor number N of the interface is marked SEGUE_API_SINCE (N), and gets a
# version of its own: a plugin that needs it names that version, and the loader says so.
set -eu
output=$1 depfile=$2 interface=$3 version=$4
shift 4

awk -v interface="$interface" -v version="$version" '
  # A declaration, its mark included, up to where its parameters begin.
  function finish() {
    if (match (text, /segue_[a-z0-9_]+ \(/)) {
      name = substr (text, RSTART, RLENGTH - 2)
      if (!(name in seen))
        members[internal ? "internal" : minor] = members[internal ? "internal" : minor] "    " name ";\n"
      seen[name] = 1
      if (minor > newest)
        newest = minor
      text = ""
    }
  }
  FNR == 1 { text = ""; internal = internal || FILENAME in inside }
  /^SEGUE_API/ {
    minor = match ($0, /^SEGUE_API_SINCE \([0-9]+\)/) ? substr ($0, 18, RLENGTH - 18) + 0 : 0
    sub (/^SEGUE_API(_SINCE \([0-9]+\))?/, "")
    text = $0 " "
    finish ()
    next
  }
  text != "" { text = text $0 " "; finish () }
  BEGIN {
    for (i = 1; i < ARGC; i++) {
      if (ARGV[i] == "--") { after = 1; ARGV[i] = "" }
      else if (after) inside[ARGV[i]] = 1
    }
  }
  END {
    for (i = 0; i <= newest; i++)
      if (i == 0)
        printf "SEGUE_%s.0 {\n  global:\n%s  local:\n    *;\n};\n", interface, members[i]
      else if (i in members)
        printf "SEGUE_%s.%d {\n  global:\n%s} SEGUE_%s.0;\n", interface, i, members[i], interface
    if ("internal" in members)
      printf "SEGUE_PRIVATE_%s {\n  global:\n%s};\n", version, members["internal"]
  }' "$@" >"$output"

{
  printf '%s:' "$output"
  for header; do
    [ "$header" = -- ] || printf ' %s' "$header"
  done
  echo
} >"$depfile"
