#!/bin/sh
# Fuzzing with libFuzzer, under AddressSanitizer and UndefinedBehaviorSanitizer.
#
#   sh tests/fuzz/run.sh TARGET|all [--runs N] [--seconds S]
#
# Builds into build-fuzz/ with clang. Each target runs N times (default: 2000000, or until S seconds are over),
# starting from corpus/TARGET and from inputs of earlier runs in build-fuzz/corpus; an input that crashes, hangs
# for 10 s or takes more than 2 GB ends it. That input is minimised for half a minute and stored in corpus/TARGET
# as found-…, to be committed with the fix: from then on the ordinary tests replay it.
set -u
cd "$(dirname "$0")/../.." || exit 70

target= runs=2000000 seconds=0
while [ $# -gt 0 ]; do
  case "$1" in
  --runs) runs=$2; shift ;;
  --seconds) seconds=$2; shift ;;
  -*) echo "usage: sh tests/fuzz/run.sh TARGET|all [--runs N] [--seconds S]" >&2; exit 64 ;;
  *) target=$1 ;;
  esac
  shift
done
[ -n "$target" ] || { echo "which target? one of: all $(ls tests/fuzz/corpus | tr '\n' ' ')" >&2; exit 64; }

clang=$(command -v clang || command -v clang-14) || { echo "clang is missing: apt-get install clang-14 libclang-rt-14-dev" >&2; exit 69; }
if [ ! -f build-fuzz/build.ninja ]; then
  CC=$clang meson setup build-fuzz -Dfuzzer=true -Db_sanitize=address,undefined -Db_lundef=false \
    -Doptimization=1 -Donednn=disabled -Dc_args=-w >build-fuzz-setup.tmp 2>&1 || { cat build-fuzz-setup.tmp; exit 70; }
  rm -f build-fuzz-setup.tmp
fi

# Further settings of a run besides the corpus: words of the format, and the maximum length of an input.
max_length () {
  case "$1" in
  decode-*|probe) echo 16384 ;;
  model-*|pipeline-load|safetensors) echo 8192 ;;
  *) echo 4096 ;;
  esac
}

sanitised () {
  ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 G_SLICE=always-malloc OPENBLAS_NUM_THREADS=1 \
    LSAN_OPTIONS=suppressions=$PWD/tests/suppressions/lsan.supp \
    UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 "$@"
}

keep () { # target, input: into the corpus, as small as it gets
  kept=tests/fuzz/corpus/$1/found-$(sha1sum "$2" | cut -c1-8)
  cp "$2" "$kept"
  case "$2" in
  */crash-*) sanitised "build-fuzz/tests/fuzz/fuzz-$1" -minimize_crash=1 -max_total_time=30 \
    -exact_artifact_path="$kept" "$2" >"build-fuzz/$1-minimise.log" 2>&1 ;;
  esac
  echo "        $kept"
}

failed=0
fuzz () {
  found=build-fuzz/found/$1 grown=build-fuzz/corpus/$1
  mkdir -p "$found" "$grown" && rm -f "$found"/*
  ninja -C build-fuzz "tests/fuzz/fuzz-$1" >build-fuzz/ninja.log 2>&1 || { tail -n 40 build-fuzz/ninja.log; exit 70; }
  set -- "$1" -runs="$runs" -max_total_time="$seconds" -max_len="$(max_length "$1")" -timeout=10 \
    -rss_limit_mb=2048 -print_final_stats=1 -seed="$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')" \
    -artifact_prefix="$found/"
  name=$1; shift
  words=tests/fuzz/words/$name
  [ ! -f "$words" ] || set -- "$@" -dict="$words"
  if sanitised "build-fuzz/tests/fuzz/fuzz-$name" "$@" "$grown" "tests/fuzz/corpus/$name" >"build-fuzz/$name.log" 2>&1; then
    echo "ok      $name: $(sed -n 's/.*number_of_executed_units: *//p' "build-fuzz/$name.log") executions," \
      "$(sed -n 's/.*average_exec_per_sec: *//p' "build-fuzz/$name.log") a second"
  else
    failed=1
    echo "FAILED  $name: see build-fuzz/$name.log"
    tail -n 30 "build-fuzz/$name.log"
    for input in "$found"/*; do [ ! -f "$input" ] || keep "$name" "$input"; done
  fi
}

if [ "$target" = all ]; then
  for name in $(ls tests/fuzz/corpus); do fuzz "$name"; done
else
  fuzz "$target"
fi
exit "$failed"
