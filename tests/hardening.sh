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

# What the compiler adds to code on x86: a landing pad where a pointer to a function may lead, of which files built
# without -fcf-protection have two, from the C library's start files; and a write to each page of a large frame.
if [ "$(uname -m)" = x86_64 ] && command -v objdump >/dev/null; then
  code=$(objdump -d --no-show-raw-insn "$@" | grep -oE 'endbr64|or[lq] +\$0x0,(0x[0-9a-f]+)?\(%rsp\)')
  [ "$(echo "$code" | grep -c endbr64)" -gt $((10 * $#)) ] || { echo 'no landing pads: -fcf-protection'; status=1; }
  echo "$code" | grep -q 'rsp' || { echo 'no probes of the stack: -fstack-clash-protection'; status=1; }
fi
exit $status
