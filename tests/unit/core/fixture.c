#include "fixture.h"
#include <glib/gstdio.h>
#include <string.h>

#define ROW(...) SEGUE_PARAM (FixtureConfig, __VA_ARGS__)

static const char *const methods[] = { "fast", "exact", "adaptive", NULL };

static const SegueParam *const band_params[] = {
  SEGUE_PARAM (FixtureBand, low, SEGUE_PARAM_DOUBLE, .min = 0, .max = 20000, .unit = "Hz",
               .doc = "Lower edge."),
  SEGUE_PARAM (FixtureBand, high, SEGUE_PARAM_DOUBLE, .def = "8000", .min = 0, .max = 20000,
               .unit = "Hz", .doc = "Upper edge."),
  NULL,
};
static const SegueParamGroup band_group =
  SEGUE_INIT (SegueParamGroup, .size = sizeof (FixtureBand), .params = band_params);

static const SegueParam *const gain_params[] = {
  SEGUE_PARAM (FixtureGain, gain, SEGUE_PARAM_RANGE, .def = "[-6, 6]", .min = -60, .max = 60,
               .unit = "dB", .doc = "Gain, drawn evenly."),
  NULL,
};
static const SegueParam *const room_params[] = {
  SEGUE_PARAM (FixtureRoom, wet, SEGUE_PARAM_DOUBLE, .def = "0.5", .max = 1, .doc = "Share."),
  SEGUE_PARAM (FixtureRoom, impulse, SEGUE_PARAM_INPUT_PATH, .doc = "Impulse response."),
  NULL,
};
static const SegueParamGroup op_gain =
  SEGUE_INIT (SegueParamGroup, .name = "gain", .doc = "Louder or softer.",
              .size = sizeof (FixtureGain), .params = gain_params);
static const SegueParamGroup op_room =
  SEGUE_INIT (SegueParamGroup, .name = "room", .doc = "In a room.", .size = sizeof (FixtureRoom),
              .params = room_params);
static const SegueParamGroup op_flip =
  SEGUE_INIT (SegueParamGroup, .name = "flip", .doc = "Upside down.");
static const SegueParamGroup *const ops[] = { &op_gain, &op_room, &op_flip, NULL };

const SegueParam *const fixture_params[] = {
  ROW (flag, SEGUE_PARAM_BOOL, .def = "false", .doc = "A switch."),
  ROW (method, SEGUE_PARAM_CHOICE, .def = "fast", .choices = methods, .doc = "How."),
  ROW (count, SEGUE_PARAM_INT, .def = "20", .min = 1, .max = 1000, .doc = "How many."),
  ROW (length, SEGUE_PARAM_DOUBLE, .def = "10", .min = 0.1, .max = 600, .unit = "s",
       .doc = "How long."),
  ROW (layout, SEGUE_PARAM_STRING, .flags = SEGUE_PARAM_OPTIONAL, .doc = "A template."),
  ROW (snr, SEGUE_PARAM_RANGE, .def = "[10, 40]", .min = -20, .max = 80, .unit = "dB",
       .doc = "Signal to noise."),
  ROW (sets, SEGUE_PARAM_LIST, .def = "[train]", .min_items = 1, .max_items = 3,
       .element = SEGUE_ELEMENT (SEGUE_PARAM_STRING), .doc = "Sets."),
  ROW (bands, SEGUE_PARAM_LIST, .def = "[]",
       .element = SEGUE_ELEMENT (SEGUE_PARAM_RECORD, .group = &band_group), .doc = "Bands."),
  ROW (ops, SEGUE_PARAM_LIST, .def = "[]",
       .element = SEGUE_ELEMENT (SEGUE_PARAM_VARIANT, .cases = ops, .tag = "op"), .doc = "Ops."),
  ROW (band, SEGUE_PARAM_RECORD, .def = "{ low: 20 }", .group = &band_group, .doc = "A band."),
  ROW (op, SEGUE_PARAM_VARIANT, .flags = SEGUE_PARAM_OPTIONAL, .cases = ops, .tag = "op",
       .doc = "One op."),
  ROW (input, SEGUE_PARAM_INPUT_PATH, .flags = SEGUE_PARAM_OPTIONAL, .doc = "A file to read."),
  ROW (output, SEGUE_PARAM_OUTPUT_PATH, .flags = SEGUE_PARAM_OPTIONAL, .doc = "A file to write."),
  ROW (init, SEGUE_PARAM_MODEL_REF, .flags = SEGUE_PARAM_OPTIONAL, .doc = "A model."),
  ROW (model, SEGUE_PARAM_MODEL, .def = "tiny", .doc = "A model type."),
  ROW (threads, SEGUE_PARAM_INT, .def = "0", .max = 64, .flags = SEGUE_PARAM_VOLATILE,
       .doc = "How many threads."),
  ROW (limit, SEGUE_PARAM_DOUBLE, .def = "3.5", .min = 0, .max = INFINITY,
       .flags = SEGUE_PARAM_OPTIONAL, .doc = "At most so much."),
  ROW (big, SEGUE_PARAM_INT, .def = "0", .doc = "Any whole number."),
  NULL,
};

static gboolean
nothing_collect (gpointer instance, SegueContext *context, GError **error)
{
  return TRUE;
}

static gboolean
nothing_process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  return TRUE;
}

static gboolean
check_everything (const void *config, GError **error)
{
  const FixtureConfig *everything = config;
  if (everything->count != 13)
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE, "count 13 brings no luck; take 14");
  return FALSE;
}

static const SeguePort *const file_out[] = { SEGUE_PORT ("files", SEGUE_KIND_FILE, "Files."),
                                             NULL };
static const SeguePort *const file_in[] = { SEGUE_PORT ("file", SEGUE_KIND_FILE, "A file."), NULL };
static const SeguePort *const audio_in[] = { SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "A song."),
                                             NULL };
static const SeguePort *const audio_out[] = { SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "Sound."),
                                              NULL };
static const SeguePort *const tensor_out[] = { SEGUE_PORT ("tensor", SEGUE_KIND_TENSOR, "Numbers."),
                                               NULL };
static const SeguePort *const any_in[] = { SEGUE_PORT ("items", SEGUE_KIND_ANY, "Items."), NULL };
static const SeguePort *const any_out[] = { SEGUE_PORT ("items", SEGUE_KIND_ANY, "The same."),
                                            NULL };
static const SeguePort *const train_in[] = {
  SEGUE_PORT ("items", SEGUE_KIND_AUDIO, "What to learn from.", .flags = SEGUE_PORT_LIVE),
  SEGUE_PORT ("init", SEGUE_KIND_MODEL, "Where to start.", .flags = SEGUE_PORT_OPTIONAL), NULL
};
static const SeguePort *const model_out[] = { SEGUE_PORT ("model", SEGUE_KIND_MODEL, "The model."),
                                              NULL };
static const SeguePort *const evaluate_in[] = {
  SEGUE_PORT ("items", SEGUE_KIND_AUDIO, "What to answer."),
  SEGUE_PORT ("model", SEGUE_KIND_MODEL, "What answers."), NULL
};
static const SeguePort *const evaluate_out[] = {
  SEGUE_PORT ("predictions", SEGUE_KIND_PREDICTIONS, "Answers."),
  SEGUE_PORT ("metrics", SEGUE_KIND_METRICS, "Figures."), NULL
};

static const SeguePort *const combine_in[] = {
  SEGUE_PORT ("predictions", SEGUE_KIND_PREDICTIONS, "Answers.", .flags = SEGUE_PORT_SEVERAL),
  SEGUE_PORT ("metrics", SEGUE_KIND_METRICS, "Figures.", .flags = SEGUE_PORT_SEVERAL),
  SEGUE_PORT ("init", SEGUE_KIND_MODEL, "Another.", .flags = SEGUE_PORT_OPTIONAL), NULL
};

#define STAGE(stage_name, stage_mode, ...)                                                         \
  SEGUE_INIT (SegueStageType, .name = stage_name, .summary = "Does nothing",                       \
              .doc = "Nothing at all, for tests.", .result_version = 1, .mode = stage_mode,        \
              __VA_ARGS__)

static const SegueStageType everything = STAGE (
  "everything", SEGUE_MODE_SOURCE, .outputs = file_out, .params = fixture_params,
  .config_size = sizeof (FixtureConfig), .check = check_everything, .produce = nothing_collect);
static const SegueStageType source =
  STAGE ("source", SEGUE_MODE_SOURCE, .outputs = file_out, .produce = nothing_collect);
static const SegueStageType decode =
  STAGE ("decode", SEGUE_MODE_MAP, .flags = SEGUE_STAGE_PREPARE | SEGUE_STAGE_ISOLATE,
         .inputs = file_in, .outputs = audio_out, .process = nothing_process);
static const SegueStageType cut = STAGE ("cut", SEGUE_MODE_MAP, .inputs = audio_in,
                                         .outputs = audio_out, .process = nothing_process);
static const SegueStageType mel = STAGE ("mel", SEGUE_MODE_MAP, .inputs = audio_in,
                                         .outputs = tensor_out, .process = nothing_process);
static const SegueStageType jitter =
  STAGE ("jitter", SEGUE_MODE_MAP, .flags = SEGUE_STAGE_LIVE | SEGUE_STAGE_SEEDED,
         .inputs = audio_in, .outputs = audio_out, .process = nothing_process);
static const SegueStageType split = STAGE ("split", SEGUE_MODE_COLLECT, .inputs = any_in,
                                           .outputs = any_out, .collect = nothing_collect);
static const SegueStageType train = STAGE ("train", SEGUE_MODE_COLLECT, .inputs = train_in,
                                           .outputs = model_out, .collect = nothing_collect);
static const SegueStageType evaluate = STAGE ("evaluate", SEGUE_MODE_SERIAL, .inputs = evaluate_in,
                                              .outputs = evaluate_out, .process = nothing_process);
static const SegueStageType combine =
  STAGE ("combine", SEGUE_MODE_COLLECT, .inputs = combine_in, .collect = nothing_collect);

static const SegueStageType *const stages[] = { &everything, &source,  &decode, &cut,
                                                &mel,        &jitter,  &split,  &train,
                                                &evaluate,   &combine, NULL };

static gpointer
no_model (const void *config, const SegueModelSpec *spec, GError **error)
{
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED, "a table without a model");
  return NULL;
}

static gpointer
no_load (const char *folder, const void *config, const SegueModelSpec *spec, GError **error)
{
  return no_model (config, spec, error);
}

static gboolean
no_save (gpointer model, const char *folder, GError **error)
{
  return FALSE;
}

static void
no_free (gpointer model)
{
}

static void
no_describe (gpointer model, SegueModelInfo *info)
{
}

static GArray *
no_tensors (gpointer model)
{
  return NULL;
}

static gsize
no_plan (gpointer model, guint batch, gsize length, SegueModelMode mode)
{
  return G_MAXSIZE;
}

static gboolean
no_forward (gpointer model, SegueModelPass *pass, GError **error)
{
  return FALSE;
}

static gboolean
no_backward (gpointer model, SegueModelPass *pass, const float *d_logits, GError **error)
{
  return FALSE;
}

static const SegueParam *const model_params[] = {
  SEGUE_PARAM (FixtureModelConfig, dropout, SEGUE_PARAM_DOUBLE, .def = "0.1", .max = 0.9,
               .doc = "Share of what is dropped."),
  SEGUE_PARAM (FixtureModelConfig, width, SEGUE_PARAM_INT, .def = "64", .min = 1, .max = 4096,
               .doc = "Channels."),
  NULL,
};
static const SegueRecipe recipe =
  SEGUE_INIT (SegueRecipe, .epochs = 3, .batch = 8, .learning_rate = 1e-3);

#define MODEL(model_name)                                                                          \
  SEGUE_INIT (SegueModelType, .name = model_name, .summary = "Knows nothing",                      \
              .doc = "Nothing at all, for tests.", .result_version = 3, .params = model_params,    \
              .config_size = sizeof (FixtureModelConfig), .recipe = &recipe, .create = no_model,   \
              .load = no_load, .save = no_save, .free = no_free, .describe = no_describe,          \
              .list_tensors = no_tensors, .plan = no_plan, .forward = no_forward,                  \
              .backward = no_backward)

static const SegueModelType tiny = MODEL ("tiny");
static const SegueModelType huge = MODEL ("huge");
static const SegueModelType *const models[] = { &tiny, &huge, NULL };

const SeguePlugin fixture_plugin = SEGUE_INIT (
  SeguePlugin, .abi_major = SEGUE_ABI_MAJOR, .abi_minor = SEGUE_ABI_MINOR, .name = "fixture",
  .version = "1.0", .licence = "MIT", .stages = stages, .models = models);

SegueRegistry *
fixture_registry (void)
{
  SegueRegistry *registry = segue_registry_new ();
  GError *error = NULL;
  segue_registry_add (registry, &fixture_plugin, NULL, &error);
  g_assert_no_error (error);
  return registry;
}

char *
fixture_write (const char *name, const char *text)
{
  GError *error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("segue-test-XXXXXX", &error);
  g_assert_no_error (error);
  char *path = g_build_filename (folder, name, NULL);
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
  return path;
}

void
fixture_remove (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_unlink (path);
  g_rmdir (folder);
}

void
fixture_assert_message (GError **error, const char *pattern)
{
  g_assert_nonnull (*error);
  if (!g_pattern_match_simple (pattern, (*error)->message))
    g_error ("the message is “%s”, and should be “%s”", (*error)->message, pattern);
  g_assert_true (g_utf8_validate ((*error)->message, -1, NULL));
  g_clear_error (error);
}
