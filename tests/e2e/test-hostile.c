/* Untrusted names in every input: nothing is created, changed or removed outside of where segue may
 * write, and no output controls the terminal. */
#include "hostile.h"
#include "music.h"

#include <glib/gstdio.h>
#include <jansson.h>
#include <segue/file.h>
#include <segue/host/segue.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char *
read_below (Sandbox *s, const char *name, gsize *length)
{
  g_autofree char *path = g_build_filename (s->work, name, NULL);
  char *text = NULL;
  g_autoptr (GError) error = NULL;
  g_file_get_contents (path, &text, length, &error);
  g_assert_no_error (error);
  return text;
}

/* Files of @suffix below @path; their folders, too, where @folders. */
static guint
count_below (const char *path, const char *suffix, gboolean folders)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  guint n = 0;
  const char *name;
  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree char *below = g_build_filename (path, name, NULL);
    gboolean folder = g_file_test (below, G_FILE_TEST_IS_DIR);
    if (folder)
      n += folders + count_below (below, suffix, folders);
    else if (!folders && g_str_has_suffix (name, suffix))
      n++;
  }
  return n;
}

static void
run_in (Sandbox *s, CommandResult *result, const char *const *arguments)
{
  command_run_argv (result, s->work, s->env, (char *const *) arguments);
  hostile_assert_said (result);
  sandbox_check (s);
}

#define RUN(s, result, ...) run_in (s, result, (const char *const[]){ __VA_ARGS__, NULL })

#define EXPORT                                                                                     \
  "segue: 1\nname: hostile\nstages:\n"                                                             \
  "- {use: scan, with: {root: music, layout: \"{artist}/{title}\"%s}}\n"                           \
  "- {use: decode-sndfile, with: {rate: 8000, channels: mono}}\n"                                  \
  "- {use: export, with: {folder: dataset, metadata: true}}\n"

static void
write_export (Sandbox *s, const char *more)
{
  g_autoptr (GString) text = g_string_new (EXPORT);
  g_string_replace (text, "%s", more, 0);
  sandbox_write (s, "export.yaml", text->str, -1);
}

/* A second of audio, of which all songs are copies. */
static char *
make_song (Sandbox *s, gsize *length)
{
  g_autofree char *path = sandbox_path (s, "song.wav");
  music_write_song (path, 0, 0, 1);
  return read_below (s, "song.wav", length);
}

/* ---- Labels and file names ---- */

static void
test_labels (Sandbox *s, gconstpointer unused)
{
  g_auto (CommandResult) result = { 0 };
  g_autoptr (GPtrArray) names = hostile_names (s->outside);
  g_autoptr (GHashTable) labels = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GString) table = g_string_new ("song,label\n");
  gsize length;
  g_autofree char *song = make_song (s, &length);

  g_assert_cmpuint (names->len, >=, 200);
  for (guint i = 0; i < names->len; i++) {
    const char *name = g_ptr_array_index (names, i);
    if (!g_utf8_validate (name, -1, NULL))
      continue;
    g_autofree char *file = g_strdup_printf ("music/a/s%04u.wav", i);
    g_autoptr (GString) quoted = g_string_new (name);
    sandbox_write (s, file, song, (gssize) length);
    g_string_replace (quoted, "\"", "\"\"", 0);
    g_string_append_printf (table, "a/s%04u.wav,\"%s\"\n", i, quoted->str);
    g_hash_table_add (labels, g_utf8_normalize (name, -1, G_NORMALIZE_NFC));
  }
  sandbox_write (s, "labels.csv", table->str, -1);
  write_export (s, ", relabel: labels.csv");

  RUN (s, &result, "run", "export.yaml");
  command_assert (&result, 0);
  g_autofree char *train = g_build_filename (s->work, "dataset", "data", "train", NULL);
  /* A folder for each label, and none inside another. */
  g_assert_cmpuint (count_below (train, "", TRUE), ==, g_hash_table_size (labels));
  g_assert_cmpuint (count_below (train, ".wav", FALSE), >=, g_hash_table_size (labels));
  RUN (s, &result, "run", "export.yaml", "--json");
  command_assert (&result, 0);
}

/* A bad song next to each good one, so that every name is in a message. */
static void
test_file_names (Sandbox *s, gconstpointer unused)
{
  g_auto (CommandResult) result = { 0 };
  g_autoptr (GPtrArray) names = hostile_names (s->outside);
  gsize length;
  g_autofree char *song = make_song (s, &length);
  guint n = 0;

  for (guint i = 0; i < names->len; i++) {
    const char *name = g_ptr_array_index (names, i);
    /* Names that are valid for a folder, not hidden, and not a song's. */
    if (strchr (name, '/') || *name == '.' || strlen (name) > 240 ||
        g_str_has_suffix (name, ".wav"))
      continue;
    g_autofree char *good = g_strdup_printf ("music/%s/%s.wav", name, name);
    g_autofree char *bad = g_strdup_printf ("music/%s/bad %s.wav", name, name);
    sandbox_write (s, good, song, (gssize) length);
    sandbox_write (s, bad, "RIFF of nothing", -1);
    n++;
  }
  g_assert_cmpuint (n, >, 80);
  write_export (s, "");

  RUN (s, &result, "run", "export.yaml");
  command_assert (&result, 0);
  g_autofree char *data = g_build_filename (s->work, "dataset", "data", NULL);
  g_assert_cmpuint (count_below (data, ".wav", FALSE), ==, n);

  g_autofree char *text = read_below (s, "runs/hostile/latest/run.json", NULL);
  json_t *run = json_loads (text, JSON_REJECT_DUPLICATES, NULL);
  g_assert_nonnull (run);
  json_decref (run);
  static const char *const others[][5] = {
    { "check", "export.yaml", "--json" },
    { "run", "export.yaml", "--dry-run" },
    { "run", "export.yaml", "--dry-run", "--json" },
    { "cache", "verify", "--json" },
    { "cache", "gc", "--all", "--json" },
    { "run", "export.yaml", "--dry-run" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++) {
    run_in (s, &result, others[i]);
    command_assert (&result, 0);
  }
}

/* ---- Models ---- */

static void
append_tensor (GString *header, gsize *offset, const char *name, const char *shape, gsize n)
{
  g_string_append_printf (header,
                          "%s\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":["
                          "%" G_GSIZE_FORMAT ",%" G_GSIZE_FORMAT "]}",
                          *offset > 0 ? "," : "{", name, shape, *offset, *offset + 4 * n);
  *offset += 4 * n;
}

/* The smallest mel-cnn, all of whose weights are 0, for @labels. */
static void
write_model (Sandbox *s, json_t *labels, const char *segue)
{
  gsize n = json_array_size (labels), offset = 0;
  g_autoptr (GString) header = g_string_new (NULL);
  g_autofree char *head = g_strdup_printf ("[%" G_GSIZE_FORMAT ",4]", n);
  g_autofree char *bias = g_strdup_printf ("[%" G_GSIZE_FORMAT "]", n);
  append_tensor (header, &offset, "frames.running_mean", "[4]", 4);
  append_tensor (header, &offset, "frames.running_var", "[4]", 4);
  append_tensor (header, &offset, "blocks.0.conv.weight", "[2,1,3,3]", 18);
  append_tensor (header, &offset, "blocks.0.norm.weight", "[2]", 2);
  append_tensor (header, &offset, "blocks.0.norm.bias", "[2]", 2);
  append_tensor (header, &offset, "blocks.0.norm.running_mean", "[2]", 2);
  append_tensor (header, &offset, "blocks.0.norm.running_var", "[2]", 2);
  append_tensor (header, &offset, "head.weight", head, 4 * n);
  append_tensor (header, &offset, "head.bias", bias, n);
  g_string_append_c (header, '}');
  guint64 length = GUINT64_TO_LE ((guint64) header->len);
  g_autoptr (GByteArray) file = g_byte_array_new ();
  g_byte_array_append (file, (const guint8 *) &length, sizeof length);
  g_byte_array_append (file, (const guint8 *) header->str, (guint) header->len);
  guint start = file->len;
  g_byte_array_set_size (file, start + (guint) offset);
  memset (file->data + start, 0, offset);
  sandbox_write (s, "model/model.safetensors", file->data, (gssize) file->len);

  json_t *map = json_object ();
  for (gsize i = 0; i < n; i++) {
    g_autofree char *key = g_strdup_printf ("%" G_GSIZE_FORMAT, i);
    json_object_set (map, key, json_array_get (labels, i));
  }
  json_t *config = json_pack (
    "{s:s, s:i, s:i, s:i, s:i, s:i, s:f, s:f, s:f, s:s, s:s, s:s, s:[i], s:o}", "model_type",
    "segue-mel-cnn", "sampling_rate", 8000, "window_length", 16, "hop_length", 8, "n_fft", 16,
    "num_mel_bins", 4, "min_frequency", 20.0, "max_frequency", 4000.0, "mel_floor", 1e-8,
    "mel_scale", "htk", "standardise", "band", "pool", "max", "channels", 2, "id2label", map);
  char *text = json_dumps (config, JSON_INDENT (1));
  sandbox_write (s, "model/config.json", text, -1);
  sandbox_write (s, "model/segue.json", segue, -1);
  free (text);
  json_decref (config);
}

#define SEGUE_JSON(stages) "{\"segue\": 1, \"model\": \"mel-cnn\", \"preparation\": [" stages "]}"
#define DECODE             "{\"use\": \"decode-sndfile\", \"with\": {\"rate\": 8000}}"

static json_t *
make_labels (Sandbox *s)
{
  g_autoptr (GPtrArray) names = hostile_names (s->outside);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  json_t *labels = json_array ();
  for (guint i = 0; i < names->len; i++) {
    const char *name = g_ptr_array_index (names, i);
    if (g_utf8_validate (name, -1, NULL) && strlen (name) < 2000 &&
        g_hash_table_add (seen, (gpointer) name))
      json_array_append_new (labels, json_string (name));
  }
  return labels;
}

static void
test_model_labels (Sandbox *s, gconstpointer unused)
{
  g_auto (CommandResult) result = { 0 };
  json_t *labels = make_labels (s);
  gsize length;
  g_autofree char *song = make_song (s, &length);
  g_assert_cmpuint (json_array_size (labels), >=, 150);
  write_model (s, labels, SEGUE_JSON (DECODE));

  RUN (s, &result, "predict", "--model", "model", "song.wav");
  command_assert (&result, 0);
  RUN (s, &result, "predict", "--model", "model", "--json", "song.wav");
  command_assert (&result, 0);
  /* Text that is escaped in this way is still the same text to a program. */
  json_t *answer = json_loads (result.out, JSON_REJECT_DUPLICATES, NULL);
  json_t *probabilities = json_object_get (answer, "probabilities");
  g_assert_cmpuint (json_object_size (probabilities), ==, json_array_size (labels));
  for (gsize i = 0; i < json_array_size (labels); i++)
    g_assert_nonnull (
      json_object_get (probabilities, json_string_value (json_array_get (labels, i))));
  json_decref (answer);
  json_decref (labels);
}

/* A model's settings for the preparation of songs. */
static void
test_model_preparation (Sandbox *s, gconstpointer unused)
{
  static const char *const refused[] = {
    SEGUE_JSON (DECODE ", {\"use\": \"export\", \"with\": {\"folder\": \"/tmp/x\"}}"),
    SEGUE_JSON (DECODE ", {\"use\": \"export\"}"),
    SEGUE_JSON ("{\"use\": \"scan\", \"with\": {\"root\": \"/\"}}, " DECODE),
    SEGUE_JSON (DECODE ", {\"use\": \"train\"}"),
    SEGUE_JSON (DECODE ", {\"use\": \"augment\"}"),
    SEGUE_JSON (DECODE ", {\"use\": \"split\"}"),
    SEGUE_JSON ("{\"use\": \"../decode\"}"),
    SEGUE_JSON ("{\"use\": \"/bin/sh\"}"),
    SEGUE_JSON ("{\"use\": \"decode\\u0000sndfile\"}"),
    SEGUE_JSON ("{\"use\": \"\\u001b[2J\"}"),
    SEGUE_JSON ("{\"use\": \"decode-sndfile\", \"with\": {\"\\u001b[2J\": 1}}"),
    SEGUE_JSON ("{\"use\": \"decode-sndfile\", \"with\": {\"rate\": \"\\u202e\"}}"),
    SEGUE_JSON ("{\"use\": \"decode-sndfile\", \"with\": {\"rate\": 1e300}}"),
    SEGUE_JSON ("{\"use\": \"decode-sndfile\", \"with\": {\"max_duration\": 1e9}}"),
    SEGUE_JSON ("{\"use\": \"decode-sndfile\", \"with\": {\"timeout\": 1e9}}"),
    SEGUE_JSON ("{\"use\": \"decode-sndfile\", \"with\": {\"output\": \"/tmp/x\"}}"),
    SEGUE_JSON (DECODE ", {\"use\": \"segment\", \"with\": {\"count\": 1000000000}}"),
    "{\"segue\": 1, \"model\": \"../mel-cnn\", \"preparation\": [" DECODE "]}",
    "{\"segue\": 99, \"model\": \"mel-cnn\"}",
    "{\"segue\": 1, \"segue\": 1, \"model\": \"mel-cnn\"}",
  };
  g_auto (CommandResult) result = { 0 };
  gsize length;
  g_autofree char *song = make_song (s, &length);
  json_t *labels = json_pack ("[s, s]", "a", "b");
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++) {
    write_model (s, labels, refused[i]);
    RUN (s, &result, "predict", "--model", "model", "song.wav");
    g_test_message ("%s: %s", refused[i], result.err);
    command_assert (&result, 65);
  }
  json_decref (labels);
}

/* A tensor of every name: one that the model does not have is ignored. */
static void
test_tensor_names (Sandbox *s, gconstpointer unused)
{
  g_auto (CommandResult) result = { 0 };
  g_autoptr (GPtrArray) names = hostile_names (s->outside);
  gsize length;
  g_autofree char *song = make_song (s, &length);
  json_t *labels = json_pack ("[s, s]", "a", "b");
  write_model (s, labels, SEGUE_JSON (DECODE));
  json_decref (labels);
  json_t *header = json_object ();
  for (guint i = 0; i < names->len; i++)
    json_object_set_new (
      header, g_ptr_array_index (names, i),
      json_pack ("{s:s, s:[i], s:[i, i]}", "dtype", "F32", "shape", 0, "data_offsets", 0, 0));
  g_assert_cmpuint (json_object_size (header), >, 150);
  for (guint n = 0; n < 2; n++) {
    /* With correct sizes, and with a wrong last one: then its name is in the message. */
    if (n == 1)
      json_object_set_new (header, "\x1b[2J\xc2\x9b\xe2\x80\xae", json_integer (1));
    char *text = json_dumps (header, JSON_COMPACT);
    g_autoptr (GByteArray) file = g_byte_array_new ();
    guint64 size = GUINT64_TO_LE ((guint64) strlen (text));
    g_byte_array_append (file, (const guint8 *) &size, sizeof size);
    g_byte_array_append (file, (const guint8 *) text, (guint) strlen (text));
    sandbox_write (s, "model/model.safetensors", file->data, (gssize) file->len);
    RUN (s, &result, "predict", "--model", "model", "song.wav");
    command_assert (&result, 65);
    free (text);
  }
  json_decref (header);
}

/* ---- The Hub ---- */

static void
test_hub (Sandbox *s, gconstpointer unused)
{
  g_auto (CommandResult) result = { 0 };
  g_autoptr (GPtrArray) names = hostile_names (s->outside);
  for (guint i = 0; i < names->len; i++) {
    const char *name = g_ptr_array_index (names, i);
    g_autofree char *whole = g_strconcat (i % 2 == 0 ? "a/" : "", name, NULL);
    switch (i % 3) {
    case 0:
      RUN (s, &result, "fetch", "--", whole);
      break;
    case 1:
      RUN (s, &result, "fetch", "a/b", "--revision", name);
      break;
    default:
      RUN (s, &result, "fetch", "a/b", "--file", name);
    }
    /* Not a name, or one that is not requested, since the test is offline. */
    g_assert_true (result.status == 64 || result.status == 69);
  }
  g_autofree char *cache = g_build_filename (s->work, "hub", NULL);
  g_assert_false (g_file_test (cache, G_FILE_TEST_EXISTS));
}

/* ---- Pipelines ---- */

/* @name as a YAML scalar: JSON where it is text, its bytes where it is not. */
static char *
quote (const char *name)
{
  json_t *string = json_string (name);
  if (!string)
    return g_strdup_printf ("'%s'", name);
  char *text = json_dumps (string, JSON_ENCODE_ANY);
  char *copy = g_strdup (text);
  free (text);
  json_decref (string);
  return copy;
}

static gboolean
is_name (const char *text)
{
  return strlen (text) <= 64 &&
         strspn (text, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen (text);
}

static void
test_pipelines (Sandbox *s, gconstpointer unused)
{
  static const char *const forms[] = {
    "segue: 1\nname: %s\nstages:\n- {use: scan, with: {root: .}}\n",
    "segue: 1\nstages:\n- {use: scan, id: %s, with: {root: .}}\n",
    "segue: 1\nstages:\n- {use: %s}\n",
    "segue: 1\nstages:\n- {use: scan, with: {root: .}}\n- {use: decode-sndfile, from: %s}\n",
    "segue: 1\nvars: {%s: x}\nstages:\n- {use: scan, with: {root: .}}\n",
    "segue: 1\nseed: %s\nstages:\n- {use: scan, with: {root: %s, label: %s}}\n",
    "segue: 1\n%s: 1\nstages: []\n",
    "segue: 1\nstages:\n- {use: scan, with: {root: .}}\n- use: decode-sndfile\n"
    "- {use: export, with: {folder: %s}}\n",
  };
  g_auto (CommandResult) result = { 0 };
  g_autoptr (GPtrArray) names = hostile_names (s->outside);
  g_autoptr (SegueRegistry) registry = segue_registry_new ();
  g_autofree char *path = sandbox_path (s, "hostile.yaml");
  segue_registry_load_search_path (registry);
  for (guint i = 0; i < names->len; i++) {
    g_autofree char *quoted = quote (g_ptr_array_index (names, i));
    for (gsize k = 0; k < G_N_ELEMENTS (forms); k++) {
      g_autoptr (GString) text = g_string_new (forms[k]);
      g_autoptr (GError) error = NULL;
      g_string_replace (text, "%s", quoted, 0);
      sandbox_write (s, "hostile.yaml", text->str, (gssize) text->len);
      g_autoptr (SeguePipeline) pipeline = segue_pipeline_load (registry, path, NULL, &error);
      if (!pipeline)
        g_assert_true (g_utf8_validate (error->message, -1, NULL));
      else
        g_assert_true (is_name (segue_pipeline_get_name (pipeline)));
      /* Some through the command, too: each form with some names. */
      if ((i + k) % 61 != 0)
        continue;
      RUN (s, &result, "check", "hostile.yaml");
      g_assert_true (result.status == 0 || result.status == 78 || result.status == 66);
    }
  }
}

/* ---- An untrusted cache ---- */

static void
replace_with (const char *path, const char *target)
{
  g_assert_true (segue_file_remove_folder (path, NULL));
  if (target)
    g_assert_cmpint (symlink (target, path), ==, 0);
  else
    g_assert_cmpint (mkfifo (path, 0600), ==, 0);
}

/* All files below @path become links to @target, or pipes where it is %NULL. */
static void
replace_files (const char *path, const char *target)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  while ((name = g_dir_read_name (dir))) {
    g_autofree char *below = g_build_filename (path, name, NULL);
    if (g_file_test (below, G_FILE_TEST_IS_DIR))
      replace_files (below, target);
    else
      replace_with (below, target);
  }
}

/* Folders @depth levels below @path; relative. */
static void
list_folders (const char *path, const char *below, guint depth, GPtrArray *folders)
{
  g_autofree char *here = g_build_filename (path, below, NULL);
  g_autoptr (GDir) dir = g_dir_open (here, 0, NULL);
  const char *name;
  while (depth > 0 && (name = g_dir_read_name (dir))) {
    g_autofree char *next = *below ? g_build_filename (below, name, NULL) : g_strdup (name);
    g_autofree char *full = g_build_filename (path, next, NULL);
    if (!g_file_test (full, G_FILE_TEST_IS_DIR))
      continue;
    g_ptr_array_add (folders, g_strdup (next));
    list_folders (path, next, depth - 1, folders);
  }
}

static void
use_cache (Sandbox *s)
{
  g_auto (CommandResult) result = { 0 };
  RUN (s, &result, "run", "export.yaml");
  g_test_message ("run: %d %s", result.status, result.err);
  g_assert_cmpint (result.status, >=, 0);
  RUN (s, &result, "cache", "verify", "--repair");
  g_assert_cmpint (result.status, >=, 0);
  RUN (s, &result, "cache", "gc", "--max", "0", "--older", "0");
  g_assert_cmpint (result.status, >=, 0);
  RUN (s, &result, "cache", "gc", "--all");
  g_assert_cmpint (result.status, >=, 0);
}

static void
fill_cache (Sandbox *s, const char *cache)
{
  g_auto (CommandResult) result = { 0 };
  g_assert_true (segue_file_remove_folder (cache, NULL));
  RUN (s, &result, "run", "export.yaml");
  command_assert (&result, 0);
}

static void
test_cache (Sandbox *s, gconstpointer unused)
{
  gsize length;
  g_autofree char *song = make_song (s, &length);
  g_autofree char *cache = sandbox_path (s, "stranger");
  g_autofree char *away = g_build_filename (s->outside, "folder", NULL);
  g_autofree char *file = g_build_filename (s->outside, "file", NULL);
  g_autoptr (GPtrArray) folders = g_ptr_array_new_with_free_func (g_free);
  s->env = g_environ_setenv (s->env, "SEGUE_CACHE", cache, TRUE);
  sandbox_write (s, "music/a/1.wav", song, (gssize) length);
  write_export (s, "");
  fill_cache (s, cache);
  list_folders (cache, "", 2, folders);
  g_assert_cmpuint (folders->len, >, 2);

  for (guint i = 0; i < folders->len; i++) {
    g_autofree char *path = g_build_filename (cache, g_ptr_array_index (folders, i), NULL);
    fill_cache (s, cache);
    if (!g_file_test (path, G_FILE_TEST_IS_DIR))
      continue;
    g_test_message ("a link in place of %s", (const char *) g_ptr_array_index (folders, i));
    replace_with (path, away);
    use_cache (s);
  }
  fill_cache (s, cache);
  replace_files (cache, file);
  use_cache (s);
  fill_cache (s, cache);
  replace_files (cache, NULL);
  use_cache (s);
}

/* ---- Inputs that would take all memory, or forever ---- */

/* Far below what each of these requests, far above what a refusal takes. */
#define MOST_KIB (1536 * 1024)

/* Ends with @status and has not allocated the requested amount. */
static void
refuse (Sandbox *s, const char *what, int status, const char *const *arguments)
{
  g_auto (CommandResult) result = { 0 };
  struct rusage usage;
  gint64 began = g_get_monotonic_time ();
  run_in (s, &result, arguments);
  double seconds = (double) (g_get_monotonic_time () - began) / G_TIME_SPAN_SECOND;
  g_assert_cmpint (getrusage (RUSAGE_CHILDREN, &usage), ==, 0);
  g_test_message ("%s: %.2f s, %ld MiB at most: %.300s", what, seconds, usage.ru_maxrss / 1024,
                  result.err);
  command_assert (&result, status);
  g_assert_cmpint (usage.ru_maxrss, <, MOST_KIB);
  g_assert_cmpfloat (seconds, <, 60);
}

#define PREDICT ((const char *const[]){ "predict", "--model", "model", "song.wav", NULL })
#define RUN_IT  ((const char *const[]){ "run", "export.yaml", NULL })
#define CHECK   ((const char *const[]){ "check", "export.yaml", NULL })

/* @size bytes of which the first are @begin, and the rest a hole. */
static void
write_sparse (Sandbox *s, const char *name, const char *begin, off_t size)
{
  g_autofree char *path = sandbox_path (s, name);
  sandbox_write (s, name, begin, -1);
  g_assert_cmpint (truncate (path, size), ==, 0);
}

static json_t *
count_labels (guint n)
{
  json_t *labels = json_array ();
  for (guint i = 0; i < n; i++) {
    char text[16];
    g_snprintf (text, sizeof text, "%u", i);
    json_array_append_new (labels, json_string (text));
  }
  return labels;
}

static void
test_greedy_models (Sandbox *s, gconstpointer unused)
{
  const off_t large = (off_t) 1 << 40;
  const char *many =
    SEGUE_JSON (DECODE ", {\"use\": \"segment\", \"with\": {\"length\": 0.05, \"hop\": 0.01}}");
  g_autofree char *path = sandbox_path (s, "song.wav");
  g_autofree char *deep = g_strnfill (1000000, '[');
  g_autofree char *config = sandbox_path (s, "model/config.json");
  json_t *few = count_labels (2), *most = count_labels (100000), *too_many = count_labels (100001);
  music_write_song (path, 0, 0, 35);

  write_model (s, most, many);
  refuse (s, "labels times segments", 65, PREDICT);
  write_model (s, too_many, SEGUE_JSON (DECODE));
  refuse (s, "labels", 65, PREDICT);
  static const char *const files[] = { "model/config.json", "model/segue.json",
                                       "model/model.safetensors" };
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++) {
    write_model (s, few, SEGUE_JSON (DECODE));
    write_sparse (s, files[i], "{", large);
    refuse (s, "a file of a terabyte", 65, PREDICT);
    write_model (s, few, SEGUE_JSON (DECODE));
    sandbox_write (s, files[i], deep, -1);
    refuse (s, "brackets", 65, PREDICT);
  }
  write_model (s, few, SEGUE_JSON (DECODE));
  write_sparse (s, "model/model.safetensors", "\xff\xff\xff\xff\xff\x7f", large);
  refuse (s, "a header of terabytes", 65, PREDICT);
  write_model (s, few, SEGUE_JSON (DECODE));
  g_unlink (config);
  g_assert_cmpint (mkfifo (config, 0600), ==, 0);
  refuse (s, "a pipe", 66, PREDICT);
  json_decref (few);
  json_decref (most);
  json_decref (too_many);
}

static void
test_greedy_pipelines (Sandbox *s, gconstpointer unused)
{
  g_autoptr (GString) text = g_string_new ("segue: 1\nstages:\n");
  for (guint i = 0; i < 60000; i++)
    g_string_append (text, "- {use: trim}\n");
  sandbox_write (s, "export.yaml", text->str, -1);
  refuse (s, "stages", 78, CHECK);
  g_string_assign (text, "segue: 1\nvars:\n  a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
  for (guint i = 1; i < 30; i++)
    g_string_append_printf (text, "  a%u: &a%u [*a%u, *a%u, *a%u, *a%u]\n", i, i, i - 1, i - 1,
                            i - 1, i - 1);
  sandbox_write (s, "export.yaml", text->str, -1);
  refuse (s, "laughs", 78, CHECK);
  g_string_assign (text, "segue: 1\nstages: ");
  for (guint i = 0; i < 500000; i++)
    g_string_append_c (text, i % 2 ? '{' : '[');
  sandbox_write (s, "export.yaml", text->str, -1);
  refuse (s, "brackets", 78, CHECK);
  write_sparse (s, "export.yaml", "segue: 1\n", (off_t) 1 << 40);
  refuse (s, "a file of a terabyte", 78, CHECK);

  gsize length;
  g_autofree char *song = make_song (s, &length);
  sandbox_write (s, "music/a/1.wav", song, (gssize) length);
  write_export (s, ", relabel: labels.csv");
  write_sparse (s, "labels.csv", "song,label\n", (off_t) 1 << 40);
  refuse (s, "a table of a terabyte", 65, RUN_IT);
}

static void
test_greedy_songs (Sandbox *s, gconstpointer unused)
{
  /* Offsets into a WAV header, and invalid values for them. */
  static const struct {
    guint at, size;
    guint32 number;
  } lies[] = {
    { 22, 2, 0xffff },     { 22, 2, 0 },          { 24, 4, 0x7fffffff }, { 24, 4, 0xffffffff },
    { 24, 4, 0 },          { 24, 4, 1 },          { 28, 4, 0 },          { 32, 2, 0 },
    { 32, 2, 0xffff },     { 34, 2, 0xffff },     { 34, 2, 1 },          { 40, 4, 0xffffffff },
    { 40, 4, 0x7fffffff }, { 16, 4, 0xfffffff0 }, { 4, 4, 0 },           { 20, 2, 0xfffe },
  };
  gsize length;
  g_autofree char *song = make_song (s, &length);
  for (gsize i = 0; i < G_N_ELEMENTS (lies); i++) {
    g_autofree char *name = g_strdup_printf ("music/a/%02" G_GSIZE_FORMAT ".wav", i);
    g_autofree char *copy = g_memdup2 (song, length);
    guint32 number = GUINT32_TO_LE (lies[i].number);
    memcpy (copy + lies[i].at, &number, lies[i].size);
    sandbox_write (s, name, copy, (gssize) length);
  }
  write_sparse (s, "music/a/terabyte.wav", "RIFF\xff\xff\xff\xffWAVEfmt ", (off_t) 1 << 40);
  sandbox_write (s, "music/b/good.wav", song, (gssize) length);
  write_export (s, "");
  refuse (s, "songs", 0, RUN_IT);
}

#define ADD(path, test)                                                                            \
  g_test_add ("/hostile/" path, Sandbox, NULL, sandbox_set_up, test, sandbox_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("labels", test_labels);
  ADD ("file-names", test_file_names);
  ADD ("model-labels", test_model_labels);
  ADD ("model-preparation", test_model_preparation);
  ADD ("tensor-names", test_tensor_names);
  ADD ("hub", test_hub);
  ADD ("pipelines", test_pipelines);
  ADD ("cache", test_cache);
  ADD ("greedy-models", test_greedy_models);
  ADD ("greedy-pipelines", test_greedy_pipelines);
  ADD ("greedy-songs", test_greedy_songs);
  return g_test_run ();
}
