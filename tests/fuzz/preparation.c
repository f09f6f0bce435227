/* segue.json, which travels with a model: whatever it contains, the resulting stages prepare songs and do nothing
 * else. */
#include "host/replay.h"
#include "model/model-folder.h"
#include "scratch.h"
#include "standalone.h"

#include <segue/plugin.h>

typedef struct {
  gint64 rate;
  double length;
  GArray *sets; /* char * */
  char *output;
} StageConfig;

static const SegueParam *const pure_params[] = {
  SEGUE_PARAM (StageConfig, rate, SEGUE_PARAM_INT, .def = "16000", .min = 4000, .max = 192000,
               .doc = "A number."),
  SEGUE_PARAM (StageConfig, length, SEGUE_PARAM_DOUBLE, .def = "10", .min = 0.1, .max = 600,
               .doc = "Another."),
  SEGUE_PARAM (StageConfig, sets, SEGUE_PARAM_LIST, .def = "[train]", .max_items = 3,
               .element = SEGUE_ELEMENT (SEGUE_PARAM_STRING), .doc = "Text."),
  NULL,
};

static const SegueParam *const writing_params[] = {
  SEGUE_PARAM (StageConfig, output, SEGUE_PARAM_OUTPUT_PATH, .doc = "What no model may say."),
  NULL,
};

static gboolean
process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  return TRUE;
}

static const SeguePort *const file_port[] = { SEGUE_PORT ("songs", SEGUE_KIND_FILE, "Files."),
                                              NULL };
static const SeguePort *const audio_port[] = { SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "Audio."),
                                               NULL };

#define STAGE(stage, stage_flags, in, rows)                                                        \
  SEGUE_INIT (SegueStageType, .name = stage, .summary = "For this test", .doc = "For this test.",  \
              .result_version = 2, .mode = SEGUE_MODE_MAP, .flags = stage_flags, .inputs = in,     \
              .outputs = audio_port, .params = rows, .config_size = sizeof (StageConfig),          \
              .process = process, )

static const SegueStageType decode = STAGE ("decode", SEGUE_STAGE_PREPARE, file_port, pure_params);
static const SegueStageType trim = STAGE ("trim", SEGUE_STAGE_PREPARE, audio_port, pure_params);
static const SegueStageType write_out = STAGE ("write", 0, audio_port, writing_params);
static const SegueStageType live = STAGE ("live", SEGUE_STAGE_LIVE, audio_port, pure_params);
static const SegueStageType *const stages[] = { &decode, &trim, &write_out, &live, NULL };
static const SeguePlugin plugin =
  SEGUE_INIT (SeguePlugin, .abi_major = SEGUE_ABI_MAJOR, .abi_minor = SEGUE_ABI_MINOR,
              .name = "fuzz", .version = "1", .licence = "MIT", .stages = stages);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static SegueRegistry *registry;
  if (!registry) {
    registry = segue_registry_new ();
    g_assert_true (segue_registry_add (registry, &plugin, NULL, NULL));
  }
  g_autoptr (GError) error = NULL;
  g_auto (SegueModelFolder) content = { 0 };
  fuzz_put ("segue.json", data, size);
  if (!segue_model_folder_read (fuzz_folder (), &content, &error)) {
    fuzz_check_error (error);
    return 0;
  }
  if (!content.preparation)
    return 0;
  g_autoptr (SegueReplay) preparation = segue_replay_new (
    registry, content.preparation, fuzz_folder (), "segue.json", SEGUE_RELAX_NOTHING, &error);
  if (!preparation) {
    fuzz_check_error (error);
    return 0;
  }
  g_assert_cmpuint (preparation->stages->len, <=, 64);
  for (guint i = 0; i < preparation->stages->len; i++) {
    const SegueGraphStage *stage = g_ptr_array_index (preparation->stages, i);
    g_assert_true (stage->type == &decode || stage->type == &trim);
  }
  g_autoptr (SegueReplay) relaxed = segue_replay_new (registry, content.preparation, fuzz_folder (),
                                                      "segue.json", SEGUE_RELAX_DAMAGED, &error);
  if (!relaxed)
    fuzz_check_error (error);
  return 0;
}
