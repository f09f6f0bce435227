#!/bin/sh
# Every test that needs no Python packages: the suite in an ordinary build with warnings as errors,
# the whole suite again under AddressSanitizer and UndefinedBehaviorSanitizer, and the style check.
#
#   sh tests/run.sh            everything
#   sh tests/run.sh --quick    only the ordinary build
set -u
cd "$(dirname "$0")/.." || exit 70

sh examples/dependencies.sh test || exit

passed=0 failed=0 skipped=0

occurrences () { # pattern, file: the report is one long line
  grep -oE "$1" "$2" | wc -l
}

count () { # a JUnit report's cases
  cases=$(occurrences '<testcase' "$1")
  bad=$(occurrences '<(failure|error)[ />]' "$1")
  left=$(occurrences '<skipped' "$1")
  passed=$((passed + cases - bad - left)) failed=$((failed + bad)) skipped=$((skipped + left))
}

one () { # name, command…: a check that is a whole command
  name=$1; shift
  if "$@" >build-test-log.tmp 2>&1; then
    passed=$((passed + 1)); echo "ok      $name"
  else
    failed=$((failed + 1)); echo "FAILED  $name"; tail -n 60 build-test-log.tmp
  fi
  rm -f build-test-log.tmp
}

suite () { # folder, meson options…: build and run every test in it
  folder=$1; shift
  if [ -f "$folder/build.ninja" ]; then
    meson configure "$folder" "$@" >/dev/null
  else
    meson setup "$folder" "$@" >"$folder-setup.tmp" 2>&1 || { cat "$folder-setup.tmp"; failed=$((failed + 1)); return; }
    rm -f "$folder-setup.tmp"
  fi
  ninja -C "$folder" >"$folder-ninja.tmp" 2>&1 || { tail -n 60 "$folder-ninja.tmp"; failed=$((failed + 1)); return; }
  rm -f "$folder-ninja.tmp"
  # A test that crashed before its first case is in no report: meson's result counts, too.
  before=$failed
  rm -f "$folder/meson-logs/testlog.junit.xml"
  # Timeouts are for tests that hang, also on a busy machine.
  meson test -C "$folder" --no-rebuild --timeout-multiplier 5 --print-errorlogs --quiet
  status=$?
  [ ! -f "$folder/meson-logs/testlog.junit.xml" ] || count "$folder/meson-logs/testlog.junit.xml"
  [ "$status" = 0 ] || [ "$failed" -gt "$before" ] || failed=$((failed + 1))
}

echo '== the suite, warnings as errors'
suite build-test -Dwerror=true -Dprefix="$PWD/build-test/prefix"
one 'style: clang-format' sh tests/style.sh
if [ "${1:-}" != --quick ]; then
  echo '== the suite under AddressSanitizer and UndefinedBehaviorSanitizer'
  suite build-asan -Dwerror=true -Db_sanitize=address,undefined -Db_lundef=false
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
