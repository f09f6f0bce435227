#!/bin/sh
# The floors of libsegue, as pipeline/core/meson.build lists them from the ground up: a file on one floor includes
# only files on the same or lower floors, by folder and name, and there are no cycles between files.
#
#   sh tests/floors.sh            checks the includes
#   sh tests/floors.sh ARCHIVE    checks the calls, too: a public header declares functions that all floors define
set -u
archive=${1:+$(realpath "$1")}
cd "$(dirname "$0")/.." || exit 70
status=0
floors=$(sed -n "/^core_floors = \[/,/^\]/s/^  '\([a-z]*\)',.*/\1/p" pipeline/core/meson.build)
[ -n "$floors" ] || { echo 'no floors in pipeline/core/meson.build'; exit 70; }

# Lines “FILE: INCLUDED”, both as FLOOR/NAME.
includes=$(cd pipeline/core && grep -oE '^#include "[^"]+"' ./*/*.[ch] |
  sed 's|^\./||; s|:#include "|: |; s|"$||')

# Of lines “USER: USED[ …]” those in which USED is on a higher floor than USER.
refuse_upward () {
  awk -v floors="$floors" '
    BEGIN { n = split (floors, list, /[ \n]+/); for (i = 1; i <= n; i++) height[list[i]] = i }
    {
      split ($1, user, "/"); split ($2, used, "/")
      if (!(used[1] in height)) print $0 ": not by folder and name"
      else if (height[used[1]] > height[user[1]]) print $0 ": upward"
    }'
}

wrong=$(echo "$includes" | refuse_upward)
[ -z "$wrong" ] || { echo "$wrong"; status=1; }

# A source file and its headers are one: X.c, X.h, X-private.h.
circles=$(echo "$includes" | sed -E 's/\.[ch]\b//g; s/-private\b//g; s/://' | awk '$1 != $2' | sort -u |
  tsort 2>&1 >/dev/null)
[ -z "$circles" ] || { echo 'files that include each other in a circle:'; echo "$circles"; status=1; }

[ -n "$archive" ] || exit $status

# A member of the archive is named FLOOR_NAME.c.o.
calls=$(nm -A -g "$archive" | sed -nE 's/^.*[:\/]([a-z]+)_([^:]*)\.c\.o:[0-9a-f ]*([A-Z]) (segue_.*)$/\1\/\2 \3 \4/p' | awk '
  $2 == "U" { user[++n] = $1; used[n] = $3; next }
  { defined[$3] = $1 }
  END { for (i = 1; i <= n; i++) if (used[i] in defined) print user[i] ": " defined[used[i]] " (" used[i] ")" }')
[ -n "$calls" ] || { echo "no calls in $archive"; exit 70; }
wrong=$(echo "$calls" | refuse_upward)
[ -z "$wrong" ] || { echo "$wrong"; status=1; }
exit $status
