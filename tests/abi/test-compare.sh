#!/bin/sh
# Checks that compare.py detects changes that break a plugin, and accepts others, on a library of one file.
#
#   sh test-compare.sh COMPILER COMPARE
set -u
compiler=$1 compare=$2
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/include" "$scratch/new/include"
n=0 bad=0

cat >"$scratch/include/tune.h" <<'END'
#include <stddef.h>
typedef size_t gsize;
typedef enum {
  SEGUE_TUNE_MAJOR,
  SEGUE_TUNE_MINOR,
} SegueTuneKey;
typedef struct {
  gsize struct_size;
  const char *name;
  int bars;
} SegueTune;
struct _SegueSheet {
  gsize struct_size;
  const SegueTune *const *tunes;
  int (*open) (const SegueTune *tune);
};
typedef struct _SegueSheet SegueSheet;
typedef struct {
  int from;
  int to;
} SegueSlur;
extern int segue_tune_play (const SegueTune *tune, SegueTuneKey key, SegueSlur slur);
extern int segue_tune_stop (SegueTune *tune, const SegueSheet *sheet);
END
cat >"$scratch/tune.c" <<'END'
#include "tune.h"
int segue_tune_play (const SegueTune *tune, SegueTuneKey key, SegueSlur slur) { return tune->bars + (int) key; }
int segue_tune_stop (SegueTune *tune, const SegueSheet *sheet) { return sheet->open (tune); }
END

build () { # sed's expressions over header and source
  sed -E "$1" "$scratch/include/tune.h" >"$scratch/new/include/tune.h"
  sed -E "$1" "$scratch/tune.c" >"$scratch/new/tune.c"
  "$compiler" -shared -fPIC -g -O1 -I"$scratch/new/include" -o "$scratch/new/libtune.so" "$scratch/new/tune.c"
}

compare () { # mode
  python3 "$compare" "$1" "$scratch" "$scratch/new/include" "$scratch/new/libtune.so"
}

try () { # pass or break, name, sed's expressions
  n=$((n + 1))
  verdict=break
  if ! build "$3" >"$scratch/log" 2>&1; then verdict='not built'
  elif compare check >"$scratch/log" 2>&1; then verdict=pass; fi
  if [ "$verdict" = "$1" ]; then echo "ok $n $2"; else echo "not ok $n $2"; bad=1; sed 's/^/# /' "$scratch/log"; fi
}

echo 1..17
build '' && compare update
try pass 'nothing changed' ''
try pass 'a function added' 's/^(int segue_tune_stop .*)$/\1\nint segue_tune_hum (int n) { return n; }/'
try pass 'a struct with struct_size grows at its end' 's/^  int bars;/&\n  gsize beats;/'
try pass 'a table with struct_size grows at its end' 's/^  int \(\*open.*/&\n  void (*close) (void);/'
try pass 'an enumerator added at the end' 's/^  SEGUE_TUNE_MINOR,/&\n  SEGUE_TUNE_DORIAN,/'
try break 'a function gone' 's/^(extern )?int segue_tune_stop.*//'
try break 'a parameter of another type' 's/SegueTuneKey key/const char *key/; s/\(int\) key/key[0]/'
try break 'a parameter more' 's/, SegueSlur slur/, SegueSlur slur, int times/'
try break 'another type returned' 's/^(extern )?int (segue_tune_play)/\1const char *\2/; s/return tune->bars.*;/return 0;/'
try break 'a member in the middle' 's/^  const char \*name;/&\n  gsize beats;/'
try break 'a member in the middle, and one at the end' 's/^  const char \*name;/&\n  gsize beats;/; s/^  int bars;/&\n  gsize more;/'
try break 'a member in padding, where struct_size does not tell' 's/^  int bars;/&\n  int beats;/'
try break 'a member gone' 's/^  const char \*name;//'
try break 'a member of another type' 's/^  int bars;/  short bars;/'
try break 'a callback with a parameter more' 's/\(\*open\) \(/&int times, /; s/sheet->open \(/&1, /'
try break 'a struct without struct_size grows' 's/^  int to;/&\n  int depth;/'
try break 'an enumerator with another value' 's/^  SEGUE_TUNE_MAJOR,/  SEGUE_TUNE_ANY,\n&/'
exit $bad
