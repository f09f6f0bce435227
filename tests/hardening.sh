#!/bin/sh
# Checks linked programs, libraries and plugins: hardening.sh FORTIFIED FILE...
set -u
fortified=$1
shift
status=0

fail () {
  echo "$file: $1"
  status=1
}

for file; do
  headers=$(readelf -lW "$file") dynamic=$(readelf -dW "$file") symbols=$(readelf --dyn-syms -W "$file")
  echo "$headers" | grep -q 'GNU_RELRO' || fail 'no RELRO'
  echo "$headers" | grep 'GNU_STACK' | grep -q 'RWE' && fail 'an executable stack'
  echo "$headers" | grep -q 'Elf file type is DYN' || fail 'not position-independent'
  echo "$dynamic" | grep -qE 'BIND_NOW|FLAGS.* NOW' || fail 'lazy binding'
  [ "$fortified" = false ] || echo "$symbols" | grep -q '__stack_chk_fail' || fail 'no stack protector'
done
# Which functions are fortified depends on the file; in all files together, some are.
[ "$fortified" = false ] || readelf --dyn-syms -W "$@" | grep -q '__[a-z]*_chk\b.*GLIBC' ||
  { echo 'nothing is fortified'; status=1; }
exit $status
