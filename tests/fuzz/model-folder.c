/* An untrusted model folder, read as by `segue predict`, and as an encoder by `embed`: whatever config.json,
 * preprocessor_config.json, segue.json and the weights' header contain, a model that works or an
 * error.
 *
 * The input contains those four in this order; see fuzz_split(). Of the weights only the header is
 * given: the values that it declares are 0. Built once for each model type. */
#include "scratch.h"
#include "standalone.h"

#include <segue/encoder.h>
#include <segue/host/segue.h>
#include <segue/plugin.h>
#include <stdlib.h>
#include <string.h>

/* The maximum size that a header may declare here; more is like a file that is too short. */
#define MAX_VALUES ((gsize) 64 * 1024)
/* Models are run where that takes little time. */
#define MAX_LENGTH    ((gsize) 4096)
#define MAX_WORKSPACE ((gsize) 4 * 1024 * 1024)

/* The largest number after "data_offsets": the end of the values. */
static gsize
end_of_values (const char *header)
{
  static const char key[] = "\"data_offsets\"";
  guint64 end = 0;
  for (const char *at = header; (at = strstr (at, key));) {
    at += strlen (key);
    const char *comma = at + strcspn (at, ",]");
    if (*comma == ',')
      end = MAX (end, g_ascii_strtoull (comma + 1, NULL, 10));
  }
  return (gsize) MIN (end, MAX_VALUES);
}

static void
put_weights (const FuzzText *header)
{
  if (header->size == 0) {
    fuzz_put ("model.safetensors", NULL, 0);
    return;
  }
  g_autofree char *text = g_strndup ((const char *) header->data, header->size);
  gsize values = end_of_values (text);
  gsize size = 8 + header->size + values;
  g_autofree guint8 *file = g_malloc0 (size);
  guint64 length = GUINT64_TO_LE ((guint64) header->size);
  memcpy (file, &length, sizeof length);
  memcpy (file + 8, header->data, header->size);
  fuzz_put ("model.safetensors", file, size);
}

static void
run_model (SegueModel *model)
{
  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  segue_model_describe (model, &info);
  for (guint i = 0; i < info.n_labels; i++)
    g_assert_true (g_utf8_validate (info.labels[i], -1, NULL));
  gsize length = MAX (info.min_length, 1);
  if (length > MAX_LENGTH || info.n_labels > 16 ||
      segue_model_get_type (model)->plan (segue_model_get_impl (model), 2, length,
                                          SEGUE_MODEL_INFER) > MAX_WORKSPACE)
    return;

  g_autofree float *samples = g_new (float, length);
  for (gsize i = 0; i < length; i++)
    samples[i] = (float) (i % 7) / 7.0f - 0.4f;
  g_autoptr (GBytes) bytes = g_bytes_new (samples, length * sizeof *samples);
  g_autoptr (SegueItem) file = segue_item_new_file ("song", "/song");
  g_autoptr (SegueItem) item = segue_item_new_audio (file, NULL, bytes, info.rate, 1);
  SegueItem *items[] = { item, item };
  g_autofree float *probabilities = g_new0 (float, 2 * info.n_labels);
  g_autoptr (GError) error = NULL;
  if (!segue_model_predict (model, items, 2, probabilities, NULL, NULL, &error)) {
    fuzz_check_error (error);
    return;
  }
  float sum = 0;
  for (guint i = 0; i < info.n_labels; i++)
    sum += probabilities[i];
  g_assert_cmpfloat_with_epsilon (sum, 1, 1e-3f);
}

static void
run_encoder (SegueModel *model)
{
  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  SegueEncoderInfo layer = SEGUE_INIT (SegueEncoderInfo);
  segue_model_describe (model, &info);
  segue_encoder_describe (model, 0, &layer);
  guint last = layer.n_layers - 1;
  segue_encoder_describe (model, last, &layer);
  gsize length = MAX (info.min_length, 1);
  gsize bytes = length <= MAX_LENGTH ? segue_encoder_plan (model, 1, length, last) : G_MAXSIZE;
  if (bytes > MAX_WORKSPACE || layer.width > MAX_LENGTH)
    return;

  g_autoptr (GError) error = NULL;
  g_autofree float *samples = g_new0 (float, length);
  g_autofree float *output =
    g_new (float, segue_encoder_count_frames (model, length) * layer.width);
  void *workspace = segue_model_new_workspace (model, bytes, &error);
  const SegueEncoderPass pass =
    SEGUE_INIT (SegueEncoderPass, .batch = 1, .length = length, .layer = last, .input = samples,
                .workspace = workspace, .output = output);
  if (!workspace || !segue_encoder_encode (model, &pass, &error))
    fuzz_check_error (error);
  free (workspace);
}

const SeguePlugin *segue_plugin_query (void);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *const names[] = { "config.json", "preprocessor_config.json", "segue.json" };
  static SegueRegistry *registry;
  if (!registry) {
    registry = segue_registry_new ();
    g_assert_true (segue_registry_add (registry, segue_plugin_query (), NULL, NULL));
  }
  FuzzText texts[4];
  fuzz_split (data, size, texts, G_N_ELEMENTS (texts));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    fuzz_put (names[i], texts[i].size > 0 ? texts[i].data : NULL, texts[i].size);
  put_weights (&texts[3]);

  for (guint headless = 0; headless < 2; headless++) {
    const SegueModelSpec spec =
      SEGUE_INIT (SegueModelSpec, .threads = 1, .headless = headless == 1);
    g_autoptr (GError) error = NULL;
    g_autoptr (SegueModel) model =
      segue_model_load (registry, fuzz_folder (), NULL, NULL, &spec, &error);
    if (!model)
      fuzz_check_error (error);
    else if (headless)
      run_encoder (model);
    else
      run_model (model);
  }
  return 0;
}
