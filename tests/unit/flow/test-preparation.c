/* A model folder's record of its songs: the decoder used in training. */
#include "fake.h"
#include "host/replay.h"
#include "model/preparation.h"

#include <segue/decoder.h>
#include <segue/file.h>
#include <segue/model.h>
#include <string.h>
#include <unistd.h>

static gboolean
process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  return TRUE;
}

static const SeguePort *const inputs[] = { SEGUE_PORT ("songs", SEGUE_KIND_FILE, "Files."), NULL };
static const SeguePort *const outputs[] = { SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "Songs."),
                                            NULL };
static const char *const extensions[] = { "wav", NULL };

#define DECODER(type, label, order)                                                                \
  static const SegueDecodes decodes_##type =                                                       \
    SEGUE_INIT (SegueDecodes, .rank = order, .extensions = extensions);                            \
  static const SegueStageType type =                                                               \
    SEGUE_INIT (SegueStageType, .name = label, .summary = "A decoder", .result_version = 2,        \
                .mode = SEGUE_MODE_MAP, .flags = SEGUE_STAGE_PREPARE, .inputs = inputs,            \
                .outputs = outputs, .decodes = &decodes_##type, .process = process)
DECODER (fast, "decode-fast", 20);
DECODER (slow, "decode-slow", 10);

/* A stage with a file: an impulse response, or the weights of an encoder. */
typedef struct {
  char *file;
  char *model;
} ConvolveConfig;

static const SegueParam *const convolve_params[] = {
  SEGUE_PARAM (ConvolveConfig, file, SEGUE_PARAM_INPUT_PATH, .flags = SEGUE_PARAM_OPTIONAL,
               .doc = "A file."),
  SEGUE_PARAM (ConvolveConfig, model, SEGUE_PARAM_MODEL_REF, .flags = SEGUE_PARAM_OPTIONAL,
               .doc = "A model."),
  NULL,
};

static gboolean
emit_sound (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  const ConvolveConfig *config = segue_context_get_config (context);
  g_autoptr (GBytes) frames = g_bytes_new_static ("\0\0\0\0", 4);
  g_assert_true (config->file && g_file_test (config->file, G_FILE_TEST_EXISTS));
  return segue_context_emit (context, segue_item_new_audio (item, NULL, frames, 8000, 1), error);
}

static const SegueStageType convolve = SEGUE_INIT (
  SegueStageType, .name = "convolve", .summary = "Reads a file", .result_version = 1,
  .mode = SEGUE_MODE_MAP, .flags = SEGUE_STAGE_PREPARE, .inputs = inputs, .outputs = outputs,
  .params = convolve_params, .config_size = sizeof (ConvolveConfig), .process = emit_sound);

static const SegueStageType *const stages[] = { &fast, &slow, &convolve, NULL };
static const SeguePlugin plugin =
  SEGUE_INIT (SeguePlugin, .abi_major = SEGUE_ABI_MAJOR, .abi_minor = SEGUE_ABI_MINOR,
              .name = "decoders", .version = "1", .licence = "MIT", .stages = stages);

/* A model that was trained elsewhere is used with a warning where another decoder comes first here. */
static void
test_other_decoder (void)
{
  static const struct {
    const char *stage;
    const char *then; /* NULL: no warning */
  } records[] = {
    { "{\"use\": \"decode\", \"result_version\": 2, \"decoder\": \"decode-fast\"}", NULL },
    { "{\"use\": \"decode\", \"result_version\": 2, \"decoder\": \"decode-slow\"}", "decode-slow" },
    { "{\"use\": \"decode\", \"result_version\": 2, \"decoder\": \"decode-gone\"}", "decode-gone" },
    /* From before decoders were recorded: by the only existing one, or by any. */
    { "{\"use\": \"decode\", \"result_version\": 1}", "decode-gstreamer" },
    { "{\"use\": \"decode\", \"result_version\": 2}", NULL },
    /* The user's choice is used in both places. */
    { "{\"use\": \"decode-slow\", \"result_version\": 2}", NULL },
    /* Not a valid name, so it must not reach a terminal. */
    { "{\"use\": \"decode\", \"result_version\": 2, \"decoder\": \"\\u001b[31m\"}", NULL },
    { "{\"use\": \"decode\", \"result_version\": 2, \"decoder\": [\"decode-slow\"]}", NULL },
  };
  g_autoptr (SegueRegistry) registry = segue_registry_new ();
  g_autoptr (GError) error = NULL;
  g_assert_true (segue_registry_add (registry, &plugin, NULL, &error));
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (records); i++) {
    g_autofree char *text = g_strdup_printf ("[%s]", records[i].stage);
    g_autoptr (SegueReplay) preparation =
      segue_replay_new (registry, text, "/", "segue.json", SEGUE_RELAX_NOTHING, &error);
    g_assert_no_error (error);
    g_test_message ("%s: %s", records[i].stage, preparation->warning);
    g_assert_cmpint (preparation->warning != NULL, ==, records[i].then != NULL);
    if (!records[i].then)
      continue;
    g_assert_nonnull (strstr (preparation->warning, records[i].then));
    g_assert_nonnull (strstr (preparation->warning, "decode-fast here"));
  }
}

static void
write_file (const char *folder, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *parent = g_path_get_dirname (path);
  g_assert_true (segue_file_make_folder (parent, NULL));
  g_assert_true (segue_file_write (path, text, -1, NULL));
}

/* Files that parameters name: dataset → model folder, where they are copies. */
static void
test_files (void)
{
  g_auto (FlowFixture) fixture;
  g_autoptr (GError) error = NULL;
  flow_fixture_init (&fixture);
  g_assert_true (segue_registry_add (fixture.registry, &plugin, NULL, &error));
  flow_fixture_write (&fixture, "a/one.song", "song");
  write_file (fixture.folder, "hall.wav", "an impulse");
  write_file (fixture.folder, "encoder/config.json", "{}");
  g_autofree char *text = g_strdup_printf (
    "  - { use: convolve, with: { file: \"%s/hall.wav\", model: \"%s/encoder\" } }\n  - use: fake-dump\n",
    fixture.folder, fixture.folder);
  flow_fixture_run (&fixture, text, 1, NULL);
  g_autofree char *stages_of_it = flow_fixture_read (&fixture, "preparation.json");
  g_assert_null (strstr (stages_of_it, fixture.folder));
  g_assert_nonnull (strstr (stages_of_it, "\"file\":\"./preparation/0\""));
  g_assert_nonnull (strstr (stages_of_it, "\"model\":\"./preparation/1\""));

  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (files, g_build_filename (fixture.folder, "hall.wav", NULL));
  g_ptr_array_add (files, g_build_filename (fixture.folder, "encoder", NULL));
  g_autoptr (SeguePreparation) preparation = segue_preparation_new (stages_of_it, files);
  g_autofree char *model = g_build_filename (fixture.folder, "model", NULL);
  g_autofree char *moved = g_build_filename (fixture.folder, "moved", NULL);
  write_file (fixture.folder, "model/config.json", "{}");
  g_assert_true (segue_preparation_save_files (preparation, model, &error));
  g_assert_no_error (error);
  g_autofree char *elsewhere = g_build_filename (model, "preparation", "2", NULL);
  g_assert_cmpint (symlink (fixture.folder, elsewhere), ==, 0);
  g_assert_true (segue_model_copy (model, moved, &error));
  g_assert_no_error (error);
  g_autofree char *other = g_build_filename (moved, "preparation", "2", NULL);
  g_assert_false (g_file_test (other, G_FILE_TEST_EXISTS));
  g_autofree char *hall = g_build_filename (moved, "preparation", "0", NULL);
  g_autofree char *config = g_build_filename (moved, "preparation", "1", "config.json", NULL);
  g_assert_true (g_file_test (hall, G_FILE_TEST_IS_REGULAR));
  g_assert_true (g_file_test (config, G_FILE_TEST_IS_REGULAR));

  g_autoptr (SegueReplay) replay = segue_replay_new (fixture.registry, stages_of_it, moved,
                                                     "segue.json", SEGUE_RELAX_NOTHING, &error);
  g_assert_no_error (error);
  const ConvolveConfig *replayed =
    ((const SegueGraphStage *) g_ptr_array_index (replay->stages, 0))->config;
  g_assert_cmpstr (replayed->file, ==, hall);
}

/* A model's folder is untrusted: it names no file outside of it. */
static void
test_other_files (void)
{
  static const char *const with[] = {
    "\"file\": \"/etc/passwd\"",  "\"file\": \"./preparation/../segue.json\"",
    "\"file\": \"../secret\"",    "\"file\": \"./preparation/link\"",
    "\"file\": \"~/secret\"",     "\"file\": \"file:///etc/passwd\"",
    "\"model\": \"/etc\"",        "\"model\": \"org/name\"",
    "\"model\": \"msd-musicnn\"", "\"model\": \"./preparation\\u0000/../..\"",
  };
  g_autoptr (SegueRegistry) registry = segue_registry_new ();
  g_autofree char *folder = g_dir_make_tmp ("segue-preparation-XXXXXX", NULL);
  g_assert_true (segue_registry_add (registry, &plugin, NULL, NULL));
  write_file (folder, "preparation/0", "an impulse");
  write_file (folder, "segue.json", "{}");
  g_autofree char *link = g_build_filename (folder, "preparation", "link", NULL);
  g_assert_cmpint (symlink ("/etc/passwd", link), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (with); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *text = g_strdup_printf ("[{\"use\": \"convolve\", \"with\": {%s}}]", with[i]);
    g_assert_null (
      segue_replay_new (registry, text, folder, "segue.json", SEGUE_RELAX_NOTHING, &error));
    g_test_message ("%s: %s", with[i], error->message);
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  }
  segue_file_remove_folder (folder, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/preparation/other-decoder", test_other_decoder);
  g_test_add_func ("/preparation/files", test_files);
  g_test_add_func ("/preparation/other-files", test_other_files);
  return g_test_run ();
}
