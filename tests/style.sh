#!/bin/sh
# Style rules that a tool can check: formatting, no tabs, no leftovers.
set -u
cd "$(dirname "$0")/.." || exit 70
status=0

files=$(git ls-files '*.c' '*.h')
# shellcheck disable=SC2086  # a list of file names without spaces
clang-format-14 --dry-run --Werror $files || status=1

# Libraries and plugins never print or exit and never call g_error (); the command and tests may.
# shellcheck disable=SC2086
grep -nE '\b(printf|g_print|g_printerr|exit|abort|g_error) \(' \
  $(echo "$files" | tr ' ' '\n' | grep -E '^(pipeline/(core|nn)|plugins)/' | grep -v '/test-') &&
  { echo 'a library prints or exits: return an error instead'; status=1; }

# JSON is parsed within limits (segue/json.h); only tests may trust a text.
# shellcheck disable=SC2086
grep -nE '\bjson_load' \
  $(echo "$files" | tr ' ' '\n' | grep -E '^(pipeline|plugins|examples)/' | grep -v '/test' |
    grep -v '^pipeline/core/base/json-read.c$') &&
  { echo 'parse JSON with segue_json_parse () or segue_json_read ()'; status=1; }

# JSON is printed in one way.
# shellcheck disable=SC2086
grep -nE '\bjson_dump[a-z_]* \(' \
  $(echo "$files" | tr ' ' '\n' | grep -E '^(pipeline|plugins|examples)/' | grep -v '/test' |
    grep -v '^pipeline/core/base/json-print.c$') &&
  { echo 'print JSON with segue_json_print ()'; status=1; }

# What the author of every plugin reads fits into an evening.
lines=$(cd pipeline/include && awk '
  function follow (file,    line) {
    if (file in seen) return
    seen[file] = 1
    while ((getline line <file) > 0) {
      n++
      if (sub (/^#include </, "", line) && sub (/>$/, "", line) && line ~ /^segue\//) follow (line)
    }
  }
  BEGIN { follow ("segue/plugin.h"); print n }')
[ "$lines" -le 550 ] ||
  { echo "segue/plugin.h, with all that it includes, has $lines lines, not at most 550"; status=1; }

# The size of a struct is set by its macro.
git grep -nE '[{,] *\.struct_size = sizeof|^ *\.struct_size = sizeof' -- '*.c' '*.h' '*.sh' ':!pipeline/include/segue/version.h' \
  ':!tests/style.sh' && { echo 'begin the struct with SEGUE_INIT (), SEGUE_STAGE_TYPE or SEGUE_MODEL_TYPE'; status=1; }

# Headers of segue/host/ are for hosts: other headers and plugins, their tests aside, do not depend on them.
git grep -n '#include <segue/host/' -- 'pipeline/include/segue/*.h' 'pipeline/include/segue/nn' plugins examples \
  ':!pipeline/include/segue/host' ':!*/test-*' &&
  { echo 'a header for hosts in a plugin'; status=1; }

# One dialect for pointers: `!x` and `x` in conditions; `x != NULL` only where the truth itself is the value.
# shellcheck disable=SC2086
grep -nE '== NULL\b|(\bif \(|\bwhile \(|&& |\|\| )[][A-Za-z0-9_.>-]+ != NULL|!= NULL (&&|\|\||\?)' $files |
  grep -vE 'g_assert|^[^:]*:[0-9]*:[[:space:]]*(\*|/\*)' &&
  { echo 'write !x for x == NULL, and x for x != NULL in conditions'; status=1; }

# One space after a full stop, as the docs have it.
# shellcheck disable=SC2086
grep -nE '[a-z)][.]  [A-Z`]' $files $(git ls-files '*.md') && { echo 'one space after a full stop'; status=1; }

# The floors of libsegue: no include of a higher floor, no cycles.
sh tests/floors.sh || status=1

# Postponed work is finished or removed.
git grep -nE '\b(TODO|FIXME|XXX)\b' -- '*.c' '*.h' '*.sh' '*.build' ':!tests/style.sh' && status=1
exit $status
