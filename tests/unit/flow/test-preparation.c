/* A model folder's record of its songs: the decoder used in training. */
#include "host/replay.h"

#include <segue/decoder.h>
#include <string.h>

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

static const SegueStageType *const stages[] = { &fast, &slow, NULL };
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/preparation/other-decoder", test_other_decoder);
  return g_test_run ();
}
