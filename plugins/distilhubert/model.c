/* The model type: callbacks and descriptor. */
#include "folder.h"

#include <segue/encoder.h>
#include <segue/nn/backend.h>

static void
describe (gpointer data, SegueModelInfo *info)
{
  const HubertModel *model = data;
  *info = (SegueModelInfo) SEGUE_INIT (
    SegueModelInfo, .labels = (const char *const *) model->base.labels,
    .n_labels = model->base.n_labels, .rate = model->rate,
    .min_length = segue_nn_conv_encoder_get_min_length (&model->encoder), .coupled = FALSE,
    .precision = model->base.precision,
    .notice =
      model->assumes_normalise
        ? "the model folder does not state whether audio is normalised (do_normalize in "
          "preprocessor_config.json or processor_config.json): it is normalised, as in transformers"
        : NULL);
}

static gboolean
check_length (const HubertModel *model, gsize bytes, gsize length, GError **error)
{
  if (bytes != G_MAXSIZE)
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
               "segments of %" G_GSIZE_FORMAT " samples can't be used; this model needs at least "
               "%" G_GSIZE_FORMAT,
               length, segue_nn_conv_encoder_get_min_length (&model->encoder));
  return FALSE;
}

static gsize
plan (gpointer model, guint batch, gsize length, SegueModelMode mode)
{
  HubertWorkspace ws;
  return hubert_lay (model, batch, length, mode == SEGUE_MODEL_TRAIN, NULL, &ws);
}

static gboolean
lay_pass (const HubertModel *model, const SegueModelPass *pass, HubertWorkspace *ws, GError **error)
{
  gsize bytes = hubert_lay (model, pass->batch, pass->length, pass->mode == SEGUE_MODEL_TRAIN,
                            pass->workspace, ws);
  return check_length (model, bytes, pass->length, error);
}

static gboolean
forward (gpointer model, SegueModelPass *pass, GError **error)
{
  HubertWorkspace ws;
  if (!lay_pass (model, pass, &ws, error))
    return FALSE;
  segue_nn_model_begin (model);
  hubert_forward (model, &ws, pass);
  return segue_nn_model_end (model, error);
}

static gboolean
backward (gpointer model, SegueModelPass *pass, const float *d_logits, GError **error)
{
  HubertWorkspace ws;
  if (!lay_pass (model, pass, &ws, error))
    return FALSE;
  segue_nn_model_begin (model);
  hubert_backward (model, &ws, pass, d_logits);
  return segue_nn_model_end (model, error);
}

/* ---- As an encoder ---- */

/* The last state is what transformers' AutoModel returns; DistilHuBERT was trained to predict three layers of HuBERT
 * from it. */
static void
encoder_describe (gpointer data, guint layer, SegueEncoderInfo *info)
{
  const HubertModel *model = data;
  info->rate = model->rate;
  info->channels = 1;
  info->n_layers = hubert_count_encoder_layers (model);
  info->layer = model->n_layers;
  info->width = (guint) hubert_get_encoder_width (model, layer);
}

static gsize
encoder_count_frames (gpointer data, gsize length)
{
  return segue_nn_conv_encoder_get_frames (&((HubertModel *) data)->encoder, length);
}

static gsize
encoder_plan (gpointer model, guint batch, gsize length, guint layer)
{
  HubertWorkspace ws;
  return hubert_lay_encoder (model, batch, length, layer, NULL, &ws);
}

static gboolean
encode (gpointer model, const SegueEncoderPass *pass, GError **error)
{
  HubertWorkspace ws;
  gsize bytes =
    hubert_lay_encoder (model, pass->batch, pass->length, pass->layer, pass->workspace, &ws);
  if (!check_length (model, bytes, pass->length, error))
    return FALSE;
  segue_nn_model_begin (model);
  hubert_encode (model, &ws, pass->layer, pass->input, pass->output);
  return segue_nn_model_end (model, error);
}

static const SegueEncoder encoder =
  SEGUE_INIT (SegueEncoder, .describe = encoder_describe, .count_frames = encoder_count_frames,
              .plan = encoder_plan, .encode = encode);

/* The Hugging Face audio course's fine-tuning of this model on GTZAN. */
static const SegueRecipe recipe = SEGUE_INIT (
  SegueRecipe, .epochs = 10, .batch = 8, .learning_rate = 5e-5, .weight_decay = 0, .warmup = 0.1,
  .label_smoothing = 0, .gradient_clip = 1, .schedule = SEGUE_SCHEDULE_LINEAR);

static const char *const config_types[] = { "hubert", NULL };

const SegueModelType hubert_model_type = {
  SEGUE_MODEL_TYPE,
  .name = "distilhubert",
  .summary = "DistilHuBERT and other Hubert models with a classifier on top",
  .doc = "A convolutional encoder over raw samples at 16 kHz, transformer layers, the mean over "
         "time, and a linear classifier: transformers' HubertForSequenceClassification. Start from "
         "pre-trained weights with `init: ntu-spml/distilhubert`; without `init` weights are "
         "random. Every size and switch is read from the model folder's config.json, so "
         "facebook/hubert-base-ls960 and hubert-large are this type, too. Saved models open in "
         "transformers' AutoModelForAudioClassification.",
  .result_version = 1,
  .params = hubert_params,
  .config_size = sizeof (HubertParams),
  .recipe = &recipe,
  .config_types = config_types,
  .create = hubert_model_create,
  .load = hubert_model_load,
  .save = hubert_model_save,
  .free = hubert_model_free,
  .describe = describe,
  .list_tensors = segue_nn_model_list_tensors,
  .changed = segue_nn_model_changed,
  .plan = plan,
  .forward = forward,
  .backward = backward,
  .fingerprint = segue_nn_fingerprint,
  .set_cancellable = segue_nn_model_set_cancellable,
  .encoder = &encoder,
};
