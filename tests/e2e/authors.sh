#!/bin/sh
# Plugins in all forms that authors may build: compiled as C++, rebuilt with other code, linked with an older or a
# newer segue, without a build id.
#
#   sh authors.sh SEGUE SOURCE_ROOT BUILD_ROOT
set -u
segue=$1 source=$2 build=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export XDG_CACHE_HOME="$scratch/cache" SEGUE_CACHE="$scratch/cache/segue"
builtin=$SEGUE_PLUGIN_PATH
n=0 bad=0

report () { # status, name
  n=$((n + 1))
  if [ "$1" = 0 ]; then echo "ok $n $2"; else echo "not ok $n $2"; bad=1; sed 's/^/# /' "$scratch/log"; fi
}

flags="-shared -fPIC -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -Werror \
  -I$source/pipeline/include $(pkg-config --cflags glib-2.0 gio-2.0)"
libraries="-L$build/pipeline/core -lsegue $(pkg-config --libs glib-2.0)"
export LD_LIBRARY_PATH="$build/pipeline/core:$build/pipeline/nn${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"

compile () { # compiler, input, output, flags…
  compiler=$1 input=$2 output=$3
  shift 3
  # shellcheck disable=SC2086
  "$compiler" "$@" $flags -o "$output" "$input" $libraries >"$scratch/log" 2>&1
}

has () { # pattern: in the log
  grep -q -- "$1" "$scratch/log"
}

# A stage that writes NUMBER into each sample, and the rest of its pipeline.
mkdir -p "$scratch/music" "$scratch/plugins"
cat >"$scratch/fill.cc" <<'PLUGIN'
#include <segue/plugin.h>

struct FillConfig {
  gint64 times;
  double scale[2];
  GArray *levels;
};

static const SegueParam *const params[] = {
  SEGUE_PARAM (FillConfig, times, SEGUE_PARAM_INT, .def = "1", .min = 1, .max = 9, .doc = "How often."),
  SEGUE_PARAM (FillConfig, scale, SEGUE_PARAM_RANGE, .min = 0, .max = 1, .doc = "How loud.",
               .flags = SEGUE_PARAM_OPTIONAL | SEGUE_PARAM_VOLATILE),
  SEGUE_PARAM (FillConfig, levels, SEGUE_PARAM_LIST, .def = "[]", .doc = "Levels.",
               .element = SEGUE_ELEMENT (SEGUE_PARAM_DOUBLE, .min = 0, .max = 1)),
  NULL,
};

static const SeguePort *const inputs[] = {
  SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "Songs.", .flags = 0), NULL
};
static const SeguePort *const outputs[] = { SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "Noise."), NULL };

static gboolean
process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  gsize n = 0;
  segue_item_get_frames (item, &n);
  float *samples = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    samples[i] = NUMBER;
  GBytes *bytes = g_bytes_new_take (samples, n * sizeof (float));
  SegueItem *filled = segue_item_new_audio (item, NULL, bytes, segue_item_get_rate (item), 1);
  g_bytes_unref (bytes);
  return segue_context_emit (context, filled, error);
}

static const SegueStageType fill = {
  SEGUE_STAGE_TYPE,
  .name = "fill",
  .summary = "Fills songs",
  .doc = "Fills songs.",
  .result_version = 1,
  .mode = SEGUE_MODE_MAP,
  .flags = FLAGS,
  .inputs = inputs,
  .outputs = outputs,
  .params = params,
  .config_size = sizeof (FillConfig),
  .process = process,
};

static const SegueStageType *const stages[] = { &fill, NULL };

SEGUE_PLUGIN (.name = "fill", .version = "1", .licence = "MIT", .stages = stages)
PLUGIN
sed -e 's/^struct FillConfig {/typedef struct {/' -e '0,/^};/s/^};/} FillConfig;/' \
  "$scratch/fill.cc" >"$scratch/fill.c"
python3 -c '
import struct, sys, wave
with wave.open(sys.argv[1], "wb") as f:
    f.setnchannels(1); f.setsampwidth(2); f.setframerate(16000)
    f.writeframes(b"".join(struct.pack("<h", i * 37 % 9999) for i in range(32000)))' "$scratch/music/a.wav"
cat >"$scratch/fill.yaml" <<PIPELINE
segue: 1
stages:
  - { use: scan, with: { root: "$scratch/music", layout: "{title}", label: title } }
  - use: decode
  - { use: fill, with: { levels: [0.5] } }
  - { use: export, with: { folder: "$scratch/out" } }
PIPELINE

run () { # plugin
  cp "$1" "$scratch/plugins/new.so" && mv "$scratch/plugins/new.so" "$scratch/plugins/fill.so" &&
    SEGUE_PLUGIN_PATH="$scratch/plugins:$builtin" "$segue" run "$scratch/fill.yaml" \
      --out "$scratch/runs" >"$scratch/log" 2>&1 &&
    python3 -c '
import sys, wave, glob
path, = glob.glob(sys.argv[1] + "/data/*/*/*.wav")
with wave.open(path) as f:
    sample = int.from_bytes(f.readframes(1)[:2], "little", signed=True)
sys.exit(abs(sample / 32768 - float(sys.argv[2])) > 0.001)' "$scratch/out" "$2" >>"$scratch/log" 2>&1
}

# ---- A field whose C type is not that of its parameter ----
for wrong in 'times INT int times' 'times INT double times' 'scale RANGE double scale' 'scale RANGE float scale[2]' \
  'levels LIST double *levels'; do
  set -- $wrong
  for compiler in 'cc c c11' 'g++ cc c++20'; do
    # shellcheck disable=SC2086
    set -- "$1" "$2" "${wrong#* * }" $compiler
    sed -E "s/^  (gint64|double|GArray) [*]?$1(\[2\])?;/  $3;/" "$scratch/fill.$5" >"$scratch/wrong.$5"
    compile "$4" "$scratch/wrong.$5" "$scratch/wrong.so" -std="$6" -DNUMBER=0.5f -DFLAGS=0
    [ $? != 0 ] && has "FillConfig.$1 must have the C type SEGUE_PARAM_$2_FIELD"
    report $? "‘$3’ for a parameter of type $2, by $4"
  done
done

# ---- C++ ----
for compiler in g++ clang++ clang++-14; do
  command -v "$compiler" >/dev/null || continue
  for standard in c++20 gnu++17; do
    rm -rf "$scratch/out"
    compile "$compiler" "$scratch/fill.cc" "$scratch/cpp.so" -x c++ -std=$standard -Wno-c++20-designator \
      -DNUMBER=0.5f -DFLAGS='SEGUE_STAGE_PREPARE | SEGUE_STAGE_ISOLATE' && run "$scratch/cpp.so" 0.5
    report $? "a plugin in $standard, by $compiler"
  done
done

{
  find "$source/pipeline/include/segue" -name '*.h' -printf '#include <segue/%P>\n' | sort
  cat <<'MODEL'
namespace {
struct Config { SegueNnMelParams front; int set, precision, schedule, aggregation; };
#define CHOICE(field, names) SEGUE_PARAM (Config, field, SEGUE_PARAM_CHOICE, .choices = names, .doc = "")
const SegueParam *const params[] = {
  SEGUE_NN_MEL_PARAMS,
  CHOICE (set, SEGUE_SET_CHOICES),
  CHOICE (precision, SEGUE_MODEL_PRECISION_CHOICES),
  CHOICE (schedule, SEGUE_SCHEDULE_CHOICES),
  CHOICE (aggregation, SEGUE_AGGREGATION_CHOICES),
  nullptr };
}
const void *rows () { return params; }
MODEL
} >"$scratch/headers.cc"
compile g++ "$scratch/headers.cc" "$scratch/headers.so" -x c++ -std=c++20
report $? 'all public headers, and their names and rows, in c++20'

# ---- rebuilt ----
for id in sha1 none; do
  rm -rf "$scratch/out" "$scratch/cache"
  compile gcc "$scratch/fill.c" "$scratch/one.so" -std=c11 -DNUMBER=0.25f -DFLAGS=0 -Wl,--build-id=$id &&
    compile gcc "$scratch/fill.c" "$scratch/two.so" -std=c11 -DNUMBER=0.75f -DFLAGS=0 -Wl,--build-id=$id &&
    run "$scratch/one.so" 0.25 && run "$scratch/two.so" 0.75
  report $? "a plugin that was built again with other code works again (build id: $id)"
  SEGUE_PLUGIN_PATH="$scratch/plugins:$builtin" "$segue" run "$scratch/fill.yaml" --dry-run --out "$scratch/runs" \
    >"$scratch/log" 2>&1 && has 'fill.* 1 song.* cached'
  report $? "the same plugin's result is found again (build id: $id)"
done

# ---- a stage that ends the program ----
ends () { # code, status, pattern: what segue says of a stage that does so, and that it has no success
  rm -rf "$scratch/out" "$scratch/cache"
  sed "s/gsize n = 0;/gsize n = 0; $1;/" "$scratch/fill.c" >"$scratch/ends.c"
  compile gcc "$scratch/ends.c" "$scratch/plugins/fill.so" -std=c11 -w -include stdlib.h -DNUMBER=0.25f -DFLAGS=0 || return 1
  (SEGUE_PLUGIN_PATH="$scratch/plugins:$builtin" "$segue" run "$scratch/fill.yaml" --out "$scratch/runs") \
    >"$scratch/log" 2>&1
  [ $? = "$2" ] && has "plugins/fill.so $3"
}

ends 'exit (0)' 70 "ended the program with exit () in stage 'fill': .*isolate: true"
report $? 'exit () in a stage is no success, and names the plugin'
ends 'abort ()' 134 'ended the program with abort ()'
report $? 'abort () in a stage names the plugin'
ends '*(volatile int *) 8 = 1' 139 'crashed (SIGSEGV'
report $? 'a crash in a stage names the plugin'

# ---- a plugin that ends the program where isolation is of no use ----
echo 'const void *segue_plugin_query (void); const void *segue_plugin_query (void) { return (void *) 16; }' \
  >"$scratch/other.c"
mkdir -p "$scratch/broken"
gcc -shared -fPIC -o "$scratch/broken/other.so" "$scratch/other.c"
(SEGUE_PLUGIN_PATH="$scratch/broken" "$segue" inspect) >"$scratch/log" 2>&1
[ $? = 139 ] && has 'broken/other.so crashed (SIGSEGV.*) while it was loaded: a bug in it$'
report $? 'a crash while a plugin is loaded names the plugin'

sed -e 's/^process (gpointer.*/collect (gpointer instance, SegueContext *context, GError **error) { *(volatile int *) 8 = 1; return TRUE; }\n#define item NULL\nstatic gboolean unused (void *instance, SegueContext *context, GError **error)/' \
  -e 's/SEGUE_MODE_MAP/SEGUE_MODE_COLLECT/; s/[.]process = process/.collect = collect/' "$scratch/fill.c" >"$scratch/collect.c"
compile gcc "$scratch/collect.c" "$scratch/plugins/fill.so" -std=c11 -w -DNUMBER=0.25f -DFLAGS=0
(SEGUE_PLUGIN_PATH="$scratch/plugins:$builtin" "$segue" run "$scratch/fill.yaml" --out "$scratch/runs") \
  >>"$scratch/log" 2>&1
[ $? = 139 ] && has "plugins/fill.so crashed (SIGSEGV.*) in stage 'fill': a bug in it$"
report $? 'a crash in a stage that is not MAP does not recommend isolation'

# ---- for another version of segue ----
refused () { # plugin, pattern
  mkdir -p "$scratch/old" && cp "$1" "$scratch/old/other.so"
  SEGUE_PLUGIN_PATH="$scratch/old" "$segue" inspect other >"$scratch/log" 2>&1
  [ $? -lt 128 ] && has "$2"
  status=$?
  rm -rf "$scratch/old"
  return $status
}

echo 'void segue_old (void); void segue_old (void) {}' >"$scratch/lib.c"
echo 'void segue_old (void); void segue_plugin_query (void); void segue_plugin_query (void) { segue_old (); }' \
  >"$scratch/other.c"
gcc -shared -fPIC -Wl,-soname,libsegue.so.1 -o "$scratch/libold.so" "$scratch/lib.c" &&
  gcc -shared -fPIC -o "$scratch/other.so" "$scratch/other.c" -L"$scratch" -lold &&
  refused "$scratch/other.so" 'built for plugin interface 1, this segue has 2.*rebuild it'
report $? 'a plugin of an older interface is refused with words'

echo 'SEGUE_2.7 { global: segue_old; };' >"$scratch/new.map"
gcc -shared -fPIC -Wl,-soname,libsegue.so.2 -Wl,--version-script="$scratch/new.map" -o "$scratch/libold.so" "$scratch/lib.c" &&
  gcc -shared -fPIC -o "$scratch/other.so" "$scratch/other.c" -L"$scratch" -lold &&
  refused "$scratch/other.so" 'needs plugin interface 2.7, this segue has 2'
report $? 'a plugin of a newer interface is refused with words'

# ---- a decoder for a format that segue does not know ----
cat >"$scratch/tape.c" <<'PLUGIN'
#include <segue/decoder.h>
#include <segue/plugin.h>

static const char *const extensions[] = { "tape", "mkv", NULL };
static const SegueDecodes decodes = SEGUE_INIT (SegueDecodes, .rank = 1, .extensions = extensions);
static const SeguePort *const inputs[] = { SEGUE_PORT ("songs", SEGUE_KIND_FILE, "Songs."), NULL };
static const SeguePort *const outputs[] = { SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "Audio."), NULL };

static gboolean
process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_UNSUPPORTED, "is no tape");
  return FALSE;
}

static const SegueStageType tape = {
  SEGUE_STAGE_TYPE,
  .name = "decode-tape", .summary = "Decodes tapes", .doc = "Decodes tapes.",
  .result_version = 1, .mode = SEGUE_MODE_MAP, .flags = SEGUE_STAGE_PREPARE, .inputs = inputs, .outputs = outputs,
  .process = process, .decodes = &decodes,
};
static const SegueStageType *const stages[] = { &tape, NULL };
SEGUE_PLUGIN (.name = "tape", .version = "1", .licence = "MIT", .stages = stages)
PLUGIN
mkdir -p "$scratch/tapes" "$scratch/tape-plugins"
touch "$scratch/tapes/1.tape" "$scratch/tapes/2.mkv"
printf 'segue: 1\nstages:\n  - { use: scan, with: { root: "%s", layout: "{title}", label: title } }\n' \
  "$scratch/tapes" >"$scratch/tape.yaml"
SEGUE_PLUGIN_PATH="$builtin" "$segue" run "$scratch/tape.yaml" --dry-run --out "$scratch/runs" >"$scratch/log" 2>&1
[ $? != 0 ] && compile gcc "$scratch/tape.c" "$scratch/tape-plugins/tape.so" -std=c11 &&
  SEGUE_PLUGIN_PATH="$scratch/tape-plugins:$builtin" "$segue" run "$scratch/tape.yaml" --dry-run --out "$scratch/runs" \
    >"$scratch/log" 2>&1 && has 'scan *1 found'
report $? 'what an installed decoder reads is scanned, videos aside'

echo "1..$n"
exit $bad
