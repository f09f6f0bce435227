/* Tests of export: safe names, reproducible bytes, folders of other programs left unchanged. */
#include "names.h"
#include "wave.h"

#include <glib/gstdio.h>
#include <segue/file.h>
#include <segue/format.h>
#include <segue/host/segue.h>
#include <segue/testing.h>
#include <sndfile.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const SeguePlugin *segue_plugin_query (void);

static void
add (GPtrArray *items, const char *id, const char *label, const char *set, double hz)
{
  g_autoptr (SegueItem) song = segue_test_tone (id, hz, 0.1, 16000);

  if (label)
    segue_item_set_string (song, SEGUE_META_LABEL, label);
  if (set)
    segue_item_set_string (song, SEGUE_META_SET, set);
  segue_item_set_string (song, "album", "Life \"live\"\n1");
  segue_item_set_string (song, SEGUE_META_SOURCE, "/home/me/secret/song.mp3");
  segue_item_set_double (song, SEGUE_META_START, 12.5);
  segue_item_set_double (song, SEGUE_META_DURATION, 0.1);
  g_ptr_array_add (items,
                   segue_item_new_audio (song, "0000", segue_item_get_bytes (song), 16000, 1));
}

static GPtrArray *
make_items (void)
{
  GPtrArray *items = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);

  add (items, "Mika/Life/Grace Kelly.mp3", "Mika", "train", 440);
  add (items, "Mika/Life/Grace Kelly.ogg", "Mika", "test", 450);
  add (items, "Mika/Life/test 1.mp3", "Mika", "train", 460);
  add (items, "\xeb\xb0\xa9\xed\x83\x84/x/\xf0\x9f\x8e\xb5.mp3", "\xeb\xb0\xa9\xed\x83\x84",
       "validation", 470);
  add (items, "test/x/../..//etc/passwd.mp3", "test", NULL, 480);
  add (items, "../up/x.mp3", "..", "test", 490);
  return items;
}

static SegueHarness *
run (const char *config, GPtrArray *items, GError **error)
{
  g_autoptr (SegueHarness) harness = segue_harness_new (segue_plugin_query (), "export", config);

  segue_harness_set_input (harness, "items", (SegueItem *const *) items->pdata, items->len);
  return segue_harness_run (harness, error) ? g_steal_pointer (&harness) : NULL;
}

static void
list_below (const char *root, const char *path, GPtrArray *files)
{
  g_autofree char *whole = g_build_filename (root, path, NULL);
  g_autoptr (GDir) dir = g_dir_open (whole, 0, NULL);
  const char *name;

  if (!dir) {
    g_ptr_array_add (files, g_strdup (path));
    return;
  }
  while ((name = g_dir_read_name (dir))) {
    g_autofree char *below = *path ? g_strconcat (path, "/", name, NULL) : g_strdup (name);

    list_below (root, below, files);
  }
}

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* All files below @root, one per line. */
static char *
list (const char *root)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);

  list_below (root, "", files);
  g_ptr_array_sort (files, compare_strings);
  g_ptr_array_add (files, NULL);
  return g_strjoinv ("\n", (char **) files->pdata);
}

static char *
output_of (SegueHarness *harness)
{
  return g_build_filename (segue_harness_get_folder (harness), "output", NULL);
}

static void
test_layout (void)
{
  g_autoptr (GPtrArray) items = make_items ();
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueHarness) harness = run ("{}", items, &error);
  g_autofree char *root = NULL, *files = NULL;

  g_assert_no_error (error);
  root = output_of (harness);
  files = list (root);
  g_assert_cmpstr (files, ==,
                   ".segue-export\n"
                   "README.md\n"
                   "data/test/Mika/Life__Grace Kelly-0000~20364518.wav\n"
                   "data/test/_/up__x-0000.wav\n"
                   "data/train/Mika/Life__Grace Kelly-0000.wav\n"
                   "data/train/Mika/Life__test~ 1-0000.wav\n"
                   "data/train/test~/x__..__..____etc__passwd-0000.wav\n"
                   "data/validation/\xeb\xb0\xa9\xed\x83\x84/x__\xf0\x9f\x8e\xb5-0000.wav");
}

static void
test_audio (void)
{
  g_autoptr (GPtrArray) items = make_items ();
  g_autoptr (SegueHarness) harness = run ("{}", items, NULL);
  g_autofree char *root = output_of (harness);
  g_autofree char *path =
    g_build_filename (root, "data", "train", "Mika", "Life__Grace Kelly-0000.wav", NULL);
  SF_INFO info = { 0 };
  SNDFILE *file = sf_open (path, SFM_READ, &info);
  float got[1600];
  gsize n;
  const float *wanted = segue_item_get_frames (g_ptr_array_index (items, 0), &n);

  g_assert_nonnull (file);
  g_assert_cmpint (info.samplerate, ==, 16000);
  g_assert_cmpint (info.channels, ==, 1);
  g_assert_cmpint (info.format, ==, SF_FORMAT_WAV | SF_FORMAT_PCM_16);
  g_assert_cmpint (sf_read_float (file, got, 1600), ==, 1600);
  sf_close (file);
  for (gsize i = 0; i < n; i++)
    g_assert_cmpfloat_with_epsilon (got[i], wanted[i], 1.0 / 32000);
}

static void
test_card (void)
{
  g_autoptr (GPtrArray) items = make_items ();
  g_autoptr (SegueHarness) harness = run ("{ title: \"A \\\"b\\\"\" }", items, NULL);
  g_autofree char *root = output_of (harness);
  g_autofree char *path = g_build_filename (root, "README.md", NULL), *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_true (g_str_has_prefix (text, "---\npretty_name: \"A \\\"b\\\"\"\n"));
  g_assert_nonnull (strstr (text, "  - split: validation\n    path: \"data/validation/**\"\n"));
  g_assert_nonnull (
    strstr (text, "'0': \"Mika\"\n          '1': \"_\"\n          '2': \"test~\"\n"));
  g_assert_nonnull (strstr (text, "sampling_rate: 16000\n"));
}

static void
test_metadata (void)
{
  g_autoptr (GPtrArray) items = make_items ();
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueHarness) harness = run ("{ metadata: true }", items, &error);
  g_autofree char *root = NULL, *path = NULL, *text = NULL, *card_path = NULL, *card = NULL;

  g_assert_no_error (error);
  root = output_of (harness);
  path = g_build_filename (root, "data", "test", "metadata.jsonl", NULL);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_nonnull (strstr (text, "{\"file_name\":\"_/up__x-0000.wav\",\"label\":\"..\","
                                  "\"song\":\"../up/x.mp3\",\"start\":12.5,\"duration\":0.1"));
  g_assert_nonnull (strstr (text, "\"album\":\"Life \\\"live\\\"\\n1\""));
  g_assert_null (strstr (text, "secret")); /* its origin is private */
  card_path = g_build_filename (root, "README.md", NULL);
  g_assert_true (g_file_get_contents (card_path, &card, NULL, NULL));
  g_assert_nonnull (strstr (card, "'0': \"..\"\n"));
  g_assert_nonnull (strstr (card, "  - name: \"start\"\n    dtype: float64\n"));
}

static void
test_clipping (void)
{
  static const float loud[4] = { 2, -2, 1, 0.5 };
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  g_autoptr (GBytes) bytes = g_bytes_new_static (loud, sizeof loud);
  g_autoptr (SegueHarness) pcm = NULL, exact = NULL;
  g_autofree char *root = NULL, *path = NULL;
  float got[4];
  SF_INFO info = { 0 };
  SNDFILE *file;

  g_ptr_array_add (items, segue_item_new_audio (NULL, "loud", bytes, 8000, 1));
  pcm = run ("{}", items, NULL);
  g_assert_cmpint (segue_harness_get_count (pcm, "clipped samples"), ==, 2);
  exact = run ("{ encoding: float32 }", items, NULL);
  g_assert_cmpint (segue_harness_get_count (exact, "clipped samples"), ==, 0);
  root = output_of (exact);
  path = g_build_filename (root, "data", "train", "unlabelled", "loud.wav", NULL);
  file = sf_open (path, SFM_READ, &info);
  g_assert_nonnull (file);
  g_assert_cmpint (sf_read_float (file, got, 4), ==, 4);
  sf_close (file);
  g_assert_cmpmem (got, sizeof got, loud, sizeof loud);
}

/* All paths and contents below @root. */
static char *
digest (const char *root)
{
  g_autofree char *files = list (root);
  g_auto (GStrv) each = g_strsplit (files, "\n", -1);
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);

  for (guint i = 0; each[i]; i++) {
    g_autofree char *path = g_build_filename (root, each[i], NULL), *text = NULL;
    gsize length = 0;

    g_file_get_contents (path, &text, &length, NULL);
    g_checksum_update (sum, (guchar *) each[i], -1);
    g_checksum_update (sum, (guchar *) text, (gssize) length);
  }
  return g_strdup (g_checksum_get_string (sum));
}

static void
test_same_bytes (void)
{
  g_autoptr (GPtrArray) items = make_items ();
  g_autoptr (SegueHarness) a = run ("{ encoding: float32, metadata: true }", items, NULL);
  g_autoptr (SegueHarness) b = run ("{ encoding: float32, metadata: true }", items, NULL);
  g_autofree char *first = output_of (a), *second = output_of (b), *x = NULL, *y = NULL;

  x = digest (first);
  y = digest (second);
  g_assert_cmpstr (x, ==, y);
}

static void
test_again (void)
{
  g_autoptr (GPtrArray) items = make_items ();
  g_autoptr (GError) error = NULL;
  g_autofree char *root = g_dir_make_tmp ("segue-export-XXXXXX", &error);
  g_autofree char *config = g_strdup_printf ("{ folder: \"%s\" }", root);
  g_autofree char *kept = g_build_filename (root, "data/train/Mika/Life__test~ 1-0000.wav", NULL);
  g_autofree char *mine = g_build_filename (root, "data/train/Mika/mine.wav", NULL);
  g_autofree char *broken =
    g_build_filename (root, "data/train/test~/x__..__..____etc__passwd-0000.wav", NULL);
  g_autofree char *half = g_build_filename (root, "data/train/Mika/.segue-tmp-a1B2c3", NULL);
  g_autofree char *before = NULL, *after = NULL;
  g_autoptr (SegueHarness) first = run (config, items, &error), second = NULL, third = NULL;
  struct stat old, new;

  g_assert_no_error (error);
  g_assert_cmpint (stat (kept, &old), ==, 0);
  before = digest (root);
  /* Missing files are written again; changed files may be a user's work. */
  g_assert_true (g_file_set_contents (broken, "mine", -1, NULL));
  g_assert_null (run (config, items, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANNOT_CREATE);
  g_assert_nonnull (strstr (error->message, "was changed since it was exported"));
  g_clear_error (&error);
  g_unlink (broken);
  g_assert_true (g_file_set_contents (half, "what a kill left", -1, NULL));
  second = run (config, items, &error);
  g_assert_no_error (error);
  after = digest (root);
  g_assert_cmpstr (before, ==, after); /* repaired */
  g_assert_cmpint (stat (kept, &new), ==, 0);
  g_assert_cmpuint (old.st_ino, ==, new.st_ino); /* and not written again where it was intact */

  g_assert_true (g_file_set_contents (mine, "not segue's", -1, NULL));
  g_ptr_array_remove_index (items, 2);
  third = run (config, items, &error);
  g_assert_no_error (error);
  g_assert_false (g_file_test (kept, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (mine, G_FILE_TEST_EXISTS));
  segue_file_remove_folder (root, NULL);
}

static void
test_foreign_folder (void)
{
  g_autoptr (GPtrArray) items = make_items ();
  g_autoptr (GError) error = NULL;
  g_autofree char *root = g_dir_make_tmp ("segue-export-XXXXXX", &error);
  g_autofree char *config = g_strdup_printf ("{ folder: \"%s\" }", root), *files = NULL;
  g_autofree char *thesis = g_build_filename (root, "thesis.txt", NULL);

  g_assert_true (g_file_set_contents (thesis, "x", 1, NULL));
  g_assert_null (run (config, items, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANNOT_CREATE);
  files = list (root);
  g_assert_cmpstr (files, ==, "thesis.txt");
  segue_file_remove_folder (root, NULL);
}

/* A list from another source in a folder of the user's files removes and replaces none of them. */
static void
test_hostile_digests (void)
{
  static const struct {
    const char *list, *says;
  } cases[] = {
    /* of the empty file */
    { "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  notes.txt\n", NULL },
    { "notes.txt\n", "is left over from an interrupted export, or was not written by an export" },
    { "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  README.md\n",
      "was changed since it was exported" },
    { "\n", "was not written by an export" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GPtrArray) items = make_items ();
    g_autoptr (GError) error = NULL;
    g_autofree char *root = g_dir_make_tmp ("segue-export-XXXXXX", NULL);
    g_autofree char *config = g_strdup_printf ("{ folder: \"%s\" }", root);
    g_autofree char *list_path = g_build_filename (root, ".segue-export", NULL);
    g_autofree char *mine = g_build_filename (root, i < 2 ? "notes.txt" : "README.md", NULL);
    g_autofree char *text = NULL;

    g_assert_true (g_file_set_contents (mine, "mine", -1, NULL));
    g_assert_true (g_file_set_contents (list_path, cases[i].list, -1, NULL));
    g_autoptr (SegueHarness) harness = run (config, items, &error);
    if (cases[i].says)
      g_assert_nonnull (strstr (error->message, cases[i].says));
    else
      g_assert_no_error (error);
    g_assert_true (g_file_get_contents (mine, &text, NULL, NULL));
    g_assert_cmpstr (text, ==, "mine");
    segue_file_remove_folder (root, NULL);
  }
}

/* A list that was tampered with leads nowhere outside of the folder. */
static void
test_hostile_list (void)
{
  g_autoptr (GPtrArray) items = make_items ();
  g_autoptr (GError) error = NULL;
  g_autofree char *above = g_dir_make_tmp ("segue-export-XXXXXX", &error);
  g_autofree char *victim = g_build_filename (above, "victim", NULL);
  g_autofree char *root = g_build_filename (above, "export", NULL);
  g_autofree char *list_path = g_build_filename (root, ".segue-export", NULL);
  g_autofree char *config = g_strdup_printf ("{ folder: \"%s\" }", root);
  g_autofree char *text = g_strdup_printf ("../victim\n%s\ndata/../../victim\n./x\n", victim);
  g_autoptr (SegueHarness) harness = NULL;

  g_assert_true (g_file_set_contents (victim, "x", 1, NULL));
  g_assert_cmpint (g_mkdir (root, 0755), ==, 0);
  g_assert_true (g_file_set_contents (list_path, text, -1, NULL));
  harness = run (config, items, &error);
  g_assert_no_error (error);
  g_assert_true (g_file_test (victim, G_FILE_TEST_EXISTS));
  segue_file_remove_folder (above, NULL);
}

/* A folder from another source, with an export list and links to the user's own files. */
static void
test_hostile_links (void)
{
  static const char *const links[] = { "data", "data/train", "data/train/Mika" };

  for (guint i = 0; i < G_N_ELEMENTS (links); i++) {
    g_autoptr (GPtrArray) items = make_items ();
    g_autoptr (GError) error = NULL;
    g_autofree char *root = g_dir_make_tmp ("segue-export-XXXXXX", NULL);
    g_autofree char *away = g_dir_make_tmp ("segue-export-XXXXXX", NULL);
    g_autofree char *config = g_strdup_printf ("{ folder: \"%s\" }", root);
    g_autofree char *link = g_build_filename (root, links[i], NULL);
    g_autofree char *parent = g_path_get_dirname (link);
    g_autofree char *list_path = g_build_filename (root, ".segue-export", NULL);
    g_autofree char *stale = g_strconcat (links[i], "/thesis.txt\n", NULL);
    g_autofree char *thesis = g_build_filename (away, "thesis.txt", NULL);
    g_autofree char *half = g_build_filename (away, ".segue-tmp-a1B2c3", NULL);
    g_autofree char *there = NULL;

    g_assert_true (g_file_set_contents (thesis, "x", 1, NULL));
    g_assert_true (g_file_set_contents (half, "x", 1, NULL));
    g_assert_true (g_file_set_contents (list_path, stale, -1, NULL));
    g_assert_cmpint (g_mkdir_with_parents (parent, 0700), ==, 0);
    g_assert_cmpint (symlink (away, link), ==, 0);
    /* Items at such paths can't be written, earlier items there stay unchanged. */
    g_assert_null (run (config, items, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANNOT_CREATE);
    there = list (away);
    g_assert_cmpstr (there, ==, ".segue-tmp-a1B2c3\nthesis.txt");
    segue_file_remove_folder (root, NULL);
    segue_file_remove_folder (away, NULL);
  }
}

/* The same, with nothing of the export below the link: the export succeeds, and leaves that unchanged. */
static void
test_hostile_stale_link (void)
{
  g_autoptr (GPtrArray) items = make_items ();
  g_autoptr (GError) error = NULL;
  g_autofree char *root = g_dir_make_tmp ("segue-export-XXXXXX", NULL);
  g_autofree char *away = g_dir_make_tmp ("segue-export-XXXXXX", NULL);
  g_autofree char *config = g_strdup_printf ("{ folder: \"%s\" }", root);
  g_autofree char *link = g_build_filename (root, "old", NULL);
  g_autofree char *list_path = g_build_filename (root, ".segue-export", NULL);
  g_autofree char *thesis = g_build_filename (away, "thesis.txt", NULL);
  g_autofree char *half = g_build_filename (away, ".segue-tmp-a1B2c3", NULL), *there = NULL;

  g_assert_true (g_file_set_contents (thesis, "x", 1, NULL));
  g_assert_true (g_file_set_contents (half, "x", 1, NULL));
  g_assert_true (g_file_set_contents (list_path, "old/thesis.txt\n", -1, NULL));
  g_assert_cmpint (symlink (away, link), ==, 0);
  g_autoptr (SegueHarness) done = run (config, items, &error);
  g_assert_no_error (error);
  there = list (away);
  g_assert_cmpstr (there, ==, ".segue-tmp-a1B2c3\nthesis.txt");
  segue_file_remove_folder (root, NULL);
  segue_file_remove_folder (away, NULL);
}

/* ---- Checks before anything is decoded ---- */

typedef struct {
  gint64 rate, channels, frames;
} SoundConfig;

static const SegueParam *const sound_params[] = {
  SEGUE_PARAM (SoundConfig, rate, SEGUE_PARAM_INT, .def = "16000"),
  SEGUE_PARAM (SoundConfig, channels, SEGUE_PARAM_INT, .def = "1"),
  SEGUE_PARAM (SoundConfig, frames, SEGUE_PARAM_INT, .def = "100"),
  NULL,
};

static gboolean
sound_produce (gpointer instance, SegueContext *context, GError **error)
{
  static const float zeros[100] = { 0 };
  g_autoptr (GBytes) bytes = g_bytes_new_static (zeros, sizeof zeros);

  return segue_context_emit (context, segue_item_new_audio (NULL, "a", bytes, 16000, 1), error);
}

static gboolean
sound_negotiate (const void *data, SegueNegotiation *negotiation, GError **error)
{
  const SoundConfig *config = data;
  SegueFormat *format = segue_negotiation_get_output (negotiation, "audio");

  format->rate = (guint) config->rate;
  format->channels = (guint) config->channels;
  format->frames = (guint) config->frames;
  return TRUE;
}

static const SeguePort *const sound_port[] = { SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, ""), NULL };
static const SegueStageType sound = {
  SEGUE_STAGE_TYPE,
  .name = "sound",
  .summary = "Silence",
  .mode = SEGUE_MODE_SOURCE,
  .outputs = sound_port,
  .params = sound_params,
  .config_size = sizeof (SoundConfig),
  .produce = sound_produce,
  .negotiate = sound_negotiate,
};
static const SegueStageType *const sound_types[] = { &sound, NULL };
static const SeguePlugin sound_plugin =
  SEGUE_INIT (SeguePlugin, .abi_major = SEGUE_ABI_MAJOR, .abi_minor = SEGUE_ABI_MINOR,
              .name = "sound", .version = "1", .licence = "MIT", .stages = sound_types);

static SegueRegistry *
make_registry (void)
{
  SegueRegistry *registry = segue_registry_new ();
  g_autoptr (GError) error = NULL;

  segue_registry_add (registry, &sound_plugin, NULL, &error);
  g_assert_no_error (error);
  segue_registry_add (registry, segue_plugin_query (), NULL, &error);
  g_assert_no_error (error);
  return registry;
}

/* Audio that can't be written as WAV is an error of the pipeline. */
static void
test_formats (void)
{
  static const struct {
    const char *from, *with, *says;
  } cases[] = {
    { "{}", "{}", NULL },
    { "{ rate: 0, channels: 0, frames: 0 }", "{}", NULL },
    { "{ channels: 4294967295, frames: 4294967295 }", "{}", NULL }, /* as the songs are */
    { "{ channels: 1024 }", "{}", NULL },
    { "{ channels: 1025 }", "{}",
      "stage 'export': items have 1025 channels, but a WAV file has at most 1024; write `channels: "
      "mono`" },
    { "{ frames: 2000000000, channels: 0 }", "{}", NULL },
    { "{ frames: 2000000000, channels: 2 }", "{}",
      "are too long for a WAV file, which is limited to 4 GB" },
    { "{ frames: 2000000000 }", "{ encoding: float32 }", "or write `encoding: pcm16`" },
  };
  g_autoptr (SegueRegistry) registry = make_registry ();
  g_autofree char *root = g_dir_make_tmp ("segue-export-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (root, "p.yaml", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = g_strdup_printf ("segue: 1\nstages:\n  - { use: sound, with: %s }\n"
                                             "  - { use: export, with: %s }\n",
                                             cases[i].from, cases[i].with);
    g_autoptr (GError) error = NULL;
    g_autoptr (SeguePipeline) pipeline = NULL;

    g_assert_true (g_file_set_contents (path, text, -1, NULL));
    pipeline = segue_pipeline_load (registry, path, NULL, &error);
    if (!cases[i].says) {
      g_assert_no_error (error);
      continue;
    }
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
    g_assert_nonnull (strstr (error->message, cases[i].says));
  }
  segue_file_remove_folder (root, NULL);
}

/* A folder that can't be exported to is reported before any song is read. */
static void
test_preview (void)
{
  g_autoptr (SegueRegistry) registry = make_registry ();
  g_autofree char *root = g_dir_make_tmp ("segue-export-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (root, "p.yaml", NULL);
  g_autofree char *folder = g_build_filename (root, "thesis", NULL);
  g_autofree char *file = g_build_filename (folder, "thesis.txt", NULL);
  g_autofree char *list = g_build_filename (folder, ".segue-export", NULL);
  g_autofree char *below = g_build_filename (file, "deep", "er", NULL);
  struct {
    const char *folder, *says;
  } cases[] = {
    { folder, "contains files that export did not write" },
    { file, "thesis.txt" },
    { below, "thesis.txt" },
    { root, "contains files that export did not write" },
    { folder, NULL }, /* once an export was there */
  };

  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (file, "x", 1, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = g_strdup_printf ("segue: 1\nstages:\n  - use: sound\n"
                                             "  - { use: export, with: { folder: out } }\n");
    g_autofree char *set = g_strconcat ("export.folder=", cases[i].folder, NULL);
    const char *overrides[] = { set, NULL };
    g_autoptr (GError) error = NULL;
    g_autoptr (SeguePipeline) pipeline = NULL;
    SegueRunOptions options = SEGUE_INIT (SegueRunOptions, .cache = root);
    gboolean ok;

    g_assert_true (g_file_set_contents (path, text, -1, NULL));
    if (!cases[i].says)
      g_assert_true (g_file_set_contents (list, "", 0, NULL));
    pipeline = segue_pipeline_load (registry, path, overrides, &error);
    g_assert_no_error (error);
    ok = segue_pipeline_survey (pipeline, &options, NULL, NULL, &error);
    g_test_message ("%s", error ? error->message : "right");
    g_assert_true (ok == (!cases[i].says));
    g_assert_true (ok || strstr (error->message, cases[i].says));
  }
  segue_file_remove_folder (root, NULL);
}

/* `datasets` would resample audio at another rate than the card specifies. */
static void
test_rates (void)
{
  g_autoptr (GPtrArray) items = make_items ();
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueItem) other = segue_test_tone ("other.mp3", 440, 0.1, 8000);
  g_autoptr (SegueHarness) harness = NULL;
  g_autofree char *root = NULL, *path = NULL, *card = NULL;

  g_ptr_array_add (items, segue_item_ref (other));
  harness = run ("{}", items, &error);
  g_assert_no_error (error);
  root = output_of (harness);
  path = g_build_filename (root, "README.md", NULL);
  g_assert_true (g_file_get_contents (path, &card, NULL, NULL));
  g_assert_nonnull (strstr (card, "  - name: audio\n    dtype: audio\n"));
  g_assert_null (strstr (card, "sampling_rate"));
}

static void
test_nothing_and_cancel (void)
{
  g_autoptr (GPtrArray) none = g_ptr_array_new (), items = make_items ();
  g_autoptr (GError) error = NULL, cancelled = NULL;
  g_autoptr (SegueHarness) harness = segue_harness_new (segue_plugin_query (), "export", "{}");

  g_assert_null (run ("{}", none, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);
  segue_harness_set_input (harness, "items", (SegueItem *const *) items->pdata, items->len);
  g_cancellable_cancel (segue_harness_get_cancellable (harness));
  g_assert_false (segue_harness_run (harness, &cancelled));
  g_assert_error (cancelled, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
}

static void
test_names (void)
{
  static const struct {
    const char *text, *name;
  } cases[] = {
    { "Mika", "Mika" },
    { "test", "test~" },
    { "my test", "my test~" },
    { "val-halen dev_2", "val~-halen dev~_2" },
    { "test1", "test~1" },
    { "Test Icicles", "Test Icicles" }, /* `datasets` is case-sensitive */
    { "contest latest valid-ation", "contest latest valid~-ation" },
    { "..", "_" },
    { ".hidden", "_hidden" },
    { "__init__", "_init__" },
    { "-rf", "_rf" },
    { "a/b\\c:d*e?f\"g<h>i|j[k]", "a_b_c_d_e_f_g_h_i_j_k_" },
    { "new\nline\ttab", "new_line_tab" },
    { "$HOME", "_HOME" },
    { "${PATH}", "_{PATH}" },
    { "Ke$ha %TEMP%", "Ke_ha _TEMP_" },
    { "~root", "_root" },
    { "~", "_" },
    { "CONIN$", "CONIN_" },
    { "... . ", "_.. _" },
    { " spaces ", "spaces" },
    { "dot.", "dot_" },
    { "", "_" },
    { "   ", "_" },
    { "aux", "_aux" },
    { "COM1.x", "_COM1.x" },
    { "Connie", "Connie" },
    { "a\xe2\x80\xae"
      "b",
      "a_b" },
    { "Bjo\xcc\x88rk", "Bj\xc3\xb6rk" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *name = name_sanitise (cases[i].text);

    g_assert_cmpstr (name, ==, cases[i].name);
  }
}

static void
test_names_are_unique (void)
{
  g_autoptr (Names) names = names_new ();
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *longest = g_strnfill (5000, 'a'), *elsewhere = NULL;
  const char *texts[] = {
    "a", "A", "a", "a?", "a*", "a_", longest, longest, "\xc3\xa4", "a\xcc\x88"
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    char *name = names_make (names, "x", texts[i]);

    g_assert_cmpuint (strlen (name), <=, 160);
    g_assert_true (g_utf8_validate (name, -1, NULL));
    g_assert_true (g_hash_table_add (seen, g_utf8_casefold (name, -1)));
    g_free (name);
  }
  elsewhere = names_make (names, "y", "a");
  g_assert_cmpstr (elsewhere, ==, "a");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/export/layout", test_layout);
  g_test_add_func ("/export/audio", test_audio);
  g_test_add_func ("/export/card", test_card);
  g_test_add_func ("/export/metadata", test_metadata);
  g_test_add_func ("/export/clipping", test_clipping);
  g_test_add_func ("/export/same-bytes", test_same_bytes);
  g_test_add_func ("/export/again", test_again);
  g_test_add_func ("/export/foreign-folder", test_foreign_folder);
  g_test_add_func ("/export/hostile-digests", test_hostile_digests);
  g_test_add_func ("/export/hostile-list", test_hostile_list);
  g_test_add_func ("/export/hostile-links", test_hostile_links);
  g_test_add_func ("/export/hostile-stale-link", test_hostile_stale_link);
  g_test_add_func ("/export/formats", test_formats);
  g_test_add_func ("/export/preview", test_preview);
  g_test_add_func ("/export/rates", test_rates);
  g_test_add_func ("/export/nothing-and-cancel", test_nothing_and_cancel);
  g_test_add_func ("/export/names", test_names);
  g_test_add_func ("/export/names-are-unique", test_names_are_unique);
  return g_test_run ();
}
