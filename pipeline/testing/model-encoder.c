/* The encoder of a model type: segue/encoder.h. */
#include "model-case.h"

#include <segue/encoder.h>
#include <segue/file.h>
#include <string.h>

#define THREADS 3
#define ROUNDS  4 /* of each thread that encodes */

/* One layer of an encoder, for segments of one length. @n: numbers of an item's output */
typedef struct {
  const ModelCase *c;
  guint layer;
  SegueEncoderInfo info;
  gsize length, n;
} Layer;

static SegueModel *
new_encoder (const ModelCase *c, guint threads, GError **error)
{
  const SegueModelSpec spec =
    SEGUE_INIT (SegueModelSpec, .seed = MODEL_CASE_SEED, .threads = threads,
                .precision = c->precision, .headless = TRUE);
  return segue_model_new (c->type, c->config, &spec, error);
}

/* ---- What it says of itself ---- */

static gboolean
check_info (const ModelCase *c, guint layer, const SegueEncoderInfo *info,
            const SegueEncoderInfo *first, GError **error)
{
  if (info->rate == 0 || info->channels < 1 || info->channels > 2 || info->n_layers < 1 ||
      info->layer >= info->n_layers || info->width < 1)
    return model_case_refuse (c, error,
                              "the encoder describes layer %u with %u Hz, %u channels, layer %u of "
                              "%u as the default, and a width of %u",
                              layer, info->rate, info->channels, info->layer, info->n_layers,
                              info->width);
  return (info->rate == first->rate && info->channels == first->channels &&
          info->n_layers == first->n_layers && info->layer == first->layer &&
          info->parallel == first->parallel) ||
         model_case_refuse (c, error,
                            "the encoder describes layers 0 and %u with different properties of "
                            "the model",
                            layer);
}

/* Frames of no audio, of @length, and of more. */
static gboolean
check_frames (const ModelCase *c, SegueModel *model, gsize length, GError **error)
{
  gsize n = segue_encoder_count_frames (model, length);
  if (segue_encoder_count_frames (model, 0) != 0 || n == 0)
    return model_case_refuse (c, error,
                              "count_frames () is %" G_GSIZE_FORMAT " for no audio, and "
                              "%" G_GSIZE_FORMAT " for a tenth of a second more than the minimum",
                              segue_encoder_count_frames (model, 0), n);
  return segue_encoder_count_frames (model, 2 * length) >= n ||
         model_case_refuse (c, error, "count_frames () is smaller for longer audio");
}

/* ---- Passes ---- */

static void
fill_input (const Layer *layer, guint first, guint batch, float *input)
{
  gsize n = layer->length * layer->info.channels;
  for (guint b = 0; b < batch; b++)
    model_case_fill_row (first + b, n, input + b * n);
}

/* @output [batch, n], full of marks. */
static gboolean
check_memory (const Layer *layer, const Guarded *workspace, const Guarded *output, gsize n,
              GError **error)
{
  const float *values = guarded_get (output);
  if (!guarded_is_intact (workspace))
    return model_case_refuse (layer->c, error,
                              "encode () writes beyond the workspace that plan () requests");
  if (!guarded_is_intact (output))
    return model_case_refuse (layer->c, error,
                              "encode () writes beyond the frames of count_frames ()");
  for (gsize i = 0; i < n; i++)
    if (guard_is_marked (values + i, sizeof *values))
      return model_case_refuse (
        layer->c, error, "encode () leaves number %" G_GSIZE_FORMAT " of its output unset", i);
  return TRUE;
}

/* (transfer full): the output for items from number @first on. @garbage: in the workspace before. Any thread */
static float *
encode (const Layer *layer, SegueModel *model, guint first, guint batch, guint8 garbage,
        GError **error)
{
  gsize n_input = batch * layer->length * layer->info.channels, n = batch * layer->n;
  gsize bytes = segue_encoder_plan (model, batch, layer->length, layer->layer);
  if (!segue_model_check_workspace (model, bytes, error))
    return NULL;
  g_auto (Guarded) workspace = { NULL, 0 };
  g_auto (Guarded) output = { NULL, 0 };
  guarded_open (&workspace, bytes, garbage);
  guarded_open (&output, n * sizeof (float), GUARD_MARK);
  g_autofree float *whole = g_new (float, n_input);
  fill_input (layer, first, batch, whole);
  g_autofree float *input = g_memdup2 (whole, n_input * sizeof *whole);
  const SegueEncoderPass pass =
    SEGUE_INIT (SegueEncoderPass, .batch = batch, .length = layer->length, .layer = layer->layer,
                .input = input, .workspace = bytes > 0 ? guarded_get (&workspace) : NULL,
                .output = guarded_get (&output));
  if (!segue_encoder_encode (model, &pass, error) ||
      !check_memory (layer, &workspace, &output, n, error))
    return NULL;
  if (memcmp (input, whole, n_input * sizeof *whole) == 0)
    return g_memdup2 (guarded_get (&output), n * sizeof (float));
  model_case_refuse (layer->c, error, "encode () writes to its input");
  return NULL;
}

/* Encodes and compares with @expected [batch, n]. @what: "other output …" */
static gboolean
compare (const Layer *layer, SegueModel *model, guint first, guint batch, const float *expected,
         const char *what, GError **error)
{
  g_autofree float *output = encode (layer, model, first, batch, 0xff, error);
  if (!output)
    return FALSE;
  return memcmp (output, expected, batch * layer->n * sizeof *output) == 0 ||
         model_case_refuse (layer->c, error, "encode () gives layer %u another output %s",
                            layer->layer, what);
}

static gboolean
check_batch (const Layer *layer, SegueModel *model, const float *whole, GError **error)
{
  for (guint i = MODEL_CASE_N; i-- > 0;)
    if (!compare (layer, model, i, 1, whole + i * layer->n, "for an item in a batch than alone",
                  error))
      return FALSE;
  return TRUE;
}

static gboolean
check_cancelling (const Layer *layer, SegueModel *model, const float *whole, GError **error)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) local = NULL;
  g_cancellable_cancel (cancellable);
  segue_model_set_cancellable (model, cancellable);
  gboolean done =
    compare (layer, model, 0, MODEL_CASE_N, whole, "when it is cancelled, and no error", &local);
  segue_model_set_cancellable (model, NULL);
  if (!done && !g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_CANCELLED)) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  return compare (layer, model, 0, MODEL_CASE_N, whole, "after a cancelled pass", error);
}

/* ---- Parallel calls ---- */

typedef struct {
  const Layer *layer;
  SegueModel *model;
  guint item;
  const float *expected;
  GError *failure;
} Caller;

static gpointer
call (gpointer data)
{
  Caller *caller = data;
  for (guint round = 0; round < ROUNDS && !caller->failure; round++)
    compare (caller->layer, caller->model, caller->item, 1, caller->expected,
             "while other threads encode", &caller->failure);
  return NULL;
}

static gboolean
check_parallel (const Layer *layer, SegueModel *model, const float *whole, GError **error)
{
  Caller callers[MODEL_CASE_N];
  GThread *threads[MODEL_CASE_N];
  for (guint i = 0; i < MODEL_CASE_N; i++) {
    callers[i] = (Caller){ layer, model, i, whole + i * layer->n, NULL };
    threads[i] = g_thread_new ("encode", call, &callers[i]);
  }
  gboolean ok = TRUE;
  for (guint i = 0; i < MODEL_CASE_N; i++) {
    g_thread_join (threads[i]);
    if (!callers[i].failure)
      continue;
    g_propagate_error (ok ? error : NULL, callers[i].failure);
    ok = FALSE;
  }
  return ok;
}

static gboolean
check_layer (const Layer *layer, SegueModel *model, SegueModel *threaded, GError **error)
{
  g_autofree float *whole = encode (layer, model, 0, MODEL_CASE_N, 0, error);
  return whole &&
         compare (layer, model, 0, MODEL_CASE_N, whole,
                  "for the same segments: it depends on earlier calls, or on what is in the "
                  "workspace before",
                  error) &&
         check_batch (layer, model, whole, error) &&
         compare (layer, threaded, 0, MODEL_CASE_N, whole, "with several threads than with one",
                  error) &&
         (!layer->info.parallel || check_parallel (layer, model, whole, error)) &&
         check_cancelling (layer, model, whole, error);
}

/* A classifier of the same weights in a folder: without its head, it encodes alike. */
static gboolean
check_headless (const Layer *layer, SegueModel *model, const char *folder, GError **error)
{
  const ModelCase *c = layer->c;
  const SegueModelSpec spec =
    SEGUE_INIT (SegueModelSpec, .threads = 1, .precision = c->precision, .headless = TRUE);
  g_autofree float *whole = encode (layer, model, 0, MODEL_CASE_N, 0, error);
  g_autoptr (SegueModel) classifier = whole ? model_case_new_model (c, 1, error) : NULL;
  if (!classifier || !segue_model_save (classifier, folder, NULL, error))
    return FALSE;
  g_autoptr (SegueModel) loaded =
    segue_model_load (c->registry, folder, c->type, c->config, &spec, error);
  return loaded && compare (layer, loaded, 0, MODEL_CASE_N, whole,
                            "for a classifier that was saved and loaded without its head than for "
                            "a new model of the same seed",
                            error);
}

static gboolean
check_folder (const Layer *layer, SegueModel *model, GError **error)
{
  /* Files are the same in every precision. */
  if (!layer->c->type->recipe || layer->c->precision != SEGUE_MODEL_FLOAT32)
    return TRUE;
  g_autofree char *folder = g_dir_make_tmp ("segue-test-XXXXXX", error);
  gboolean ok = folder && check_headless (layer, model, folder, error);
  if (folder)
    segue_file_remove_folder (folder, NULL);
  return ok;
}

gboolean
model_case_check_encoder (const ModelCase *c, GError **error)
{
  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  SegueEncoderInfo first = SEGUE_INIT (SegueEncoderInfo);
  g_autoptr (SegueModel) model = new_encoder (c, 1, error);
  g_autoptr (SegueModel) threaded = model ? new_encoder (c, THREADS, error) : NULL;
  if (!threaded)
    return FALSE;
  segue_model_describe (model, &info);
  segue_encoder_describe (model, 0, &first);
  gsize length = info.min_length + first.rate / 10;
  if (!check_info (c, 0, &first, &first, error) || !check_frames (c, model, length, error))
    return FALSE;
  for (guint i = 0; i < first.n_layers; i++) {
    Layer layer = { .c = c, .layer = i, .info = SEGUE_INIT (SegueEncoderInfo), .length = length };
    segue_encoder_describe (model, i, &layer.info);
    layer.n = segue_encoder_count_frames (model, length) * layer.info.width;
    if (!check_info (c, i, &layer.info, &first, error) ||
        !check_layer (&layer, model, threaded, error) ||
        (i == first.layer && !check_folder (&layer, model, error)))
      return FALSE;
  }
  return TRUE;
}
