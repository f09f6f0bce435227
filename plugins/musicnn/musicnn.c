/* musicnn: the encoder's table. */
#include "musicnn.h"

#include <segue/encoder.h>
#include <segue/plugin.h>

enum { LAYER_PENULTIMATE, LAYER_TAGS, N_LAYERS };

static gpointer
refuse_to_create (const void *config, const SegueModelSpec *spec, GError **error)
{
  g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                       "'musicnn' needs its weights: run `sh examples/encoder.sh`, and add `init: "
                       "msd-musicnn`");
  return NULL;
}

static gpointer
load (const char *folder, const void *config, const SegueModelSpec *spec, GError **error)
{
  return musicnn_load (folder, spec->threads, spec->precision, error);
}

static void
unload (gpointer model)
{
  musicnn_free (model);
}

static void
describe (gpointer model, SegueModelInfo *info)
{
  const Musicnn *musicnn = model;
  info->rate = musicnn_get_rate (musicnn);
  info->min_length = musicnn_get_min_length (musicnn);
}

static void
encoder_describe (gpointer model, guint layer, SegueEncoderInfo *info)
{
  const Musicnn *musicnn = model;
  info->rate = musicnn_get_rate (musicnn);
  info->channels = 1;
  info->n_layers = N_LAYERS;
  info->layer = LAYER_PENULTIMATE;
  info->width = layer == LAYER_TAGS ? musicnn->base.n_labels : (guint) musicnn->hidden;
}

static gsize
encoder_count_frames (gpointer model, gsize length)
{
  return length >= musicnn_get_min_length (model) ? 1 : 0;
}

static gsize
encoder_plan (gpointer model, guint batch, gsize length, guint layer)
{
  return musicnn_plan (model, batch, length);
}

static gboolean
encoder_encode (gpointer model, const SegueEncoderPass *pass, GError **error)
{
  const MusicnnPass forward = { .batch = pass->batch,
                                .length = pass->length,
                                .samples = pass->input,
                                .workspace = pass->workspace,
                                .penultimate =
                                  pass->layer == LAYER_PENULTIMATE ? pass->output : NULL,
                                .tags = pass->layer == LAYER_TAGS ? pass->output : NULL };
  return musicnn_forward (model, &forward, error);
}

static const SegueEncoder encoder =
  SEGUE_INIT (SegueEncoder, .describe = encoder_describe, .count_frames = encoder_count_frames,
              .plan = encoder_plan, .encode = encoder_encode);

static const char *const config_types[] = { "musicnn", NULL };

static const SegueModelType musicnn = {
  SEGUE_MODEL_TYPE,
  .name = "musicnn",
  .summary = "A convolutional network that was trained to tag music",
  .doc = "The weights are installed by `sh examples/encoder.sh`: `init: msd-musicnn` or `init: "
         "mtt-musicnn`. Layer 0 is the penultimate (200 numbers), layer 1 the logits of 50 tags.",
  .result_version = 1,
  .config_types = config_types,
  .create = refuse_to_create,
  .load = load,
  .free = unload,
  .describe = describe,
  .set_cancellable = segue_nn_model_set_cancellable,
  .encoder = &encoder,
};

static const SegueModelType *const models[] = { &musicnn, NULL };

SEGUE_PLUGIN (.name = "musicnn", .version = "1.0", .licence = "MIT", .models = models)
