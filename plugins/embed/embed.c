/* embed: segments of audio → vectors, by one or several encoders. */
#include "encoding.h"

#include <segue/collect.h>
#include <segue/format.h>
#include <segue/nn/backend.h>
#include <segue/plugin.h>
#include <segue/registry.h>
#include <segue/tensor.h>

typedef struct {
  GArray *encoders; /* EncodingConfig */
} EmbedConfig;

static const SegueParam *const encoder_params[] = {
  SEGUE_PARAM (EncodingConfig, model, SEGUE_PARAM_MODEL,
               .doc = "The encoder: a model type, by name or with its own parameters: "
                      "`{ use: NAME, … }`."),
  SEGUE_PARAM (EncodingConfig, init, SEGUE_PARAM_MODEL_REF, .flags = SEGUE_PARAM_OPTIONAL,
               .doc = "Its weights: a model folder, with or without a classifier, or ORG/NAME of a "
                      "fetched one. Unset: for encoders without weights; others get random ones."),
  SEGUE_PARAM (EncodingConfig, layer, SEGUE_PARAM_INT, .flags = SEGUE_PARAM_OPTIONAL, .min = 0,
               .max = 1000,
               .doc = "The layer whose output is used, from 0. Unset: as the model type suggests."),
  SEGUE_PARAM (EncodingConfig, pool, SEGUE_PARAM_CHOICE, .def = "mean", .choices = POOL_CHOICES,
               .doc = "How the frames of a segment become one vector: their mean; mean and maximum "
                      "side by side; mean and standard deviation; or `none`, which keeps all "
                      "frames, if there is only one encoder."),
  SEGUE_PARAM (EncodingConfig, precision, SEGUE_PARAM_CHOICE, .def = "auto",
               .choices = SEGUE_MODEL_PRECISION_CHOICES,
               .doc = "Number format of matrix multiplications, in encoders that support several. "
                      "`auto`: bfloat16 where the processor has instructions for it, else "
                      "float32."),
  NULL,
};

static const SegueParamGroup encoder_group =
  SEGUE_INIT (SegueParamGroup, .size = sizeof (EncodingConfig), .params = encoder_params);

static const SegueParam *const params[] = {
  SEGUE_PARAM (EmbedConfig, encoders, SEGUE_PARAM_LIST, .min_items = 1, .max_items = 16,
               .element = SEGUE_ELEMENT (SEGUE_PARAM_RECORD, .group = &encoder_group),
               .doc = "The encoders. The vectors of several are joined in this order."),
  NULL,
};

static const EncodingConfig *
get_encoder (const EmbedConfig *config, guint i)
{
  return &g_array_index (config->encoders, EncodingConfig, i);
}

static gboolean
embed_check (const void *data, GError **error)
{
  const EmbedConfig *config = data;
  for (guint i = 0; i < config->encoders->len && config->encoders->len > 1; i++)
    if (get_encoder (config, i)->pool == POOL_NONE) {
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                   "`pool: none` keeps the frames of an encoder, which can't be joined with the "
                   "vectors of another; use `pool: mean`, or one encoder");
      return FALSE;
    }
  return TRUE;
}

static char *
embed_fingerprint (const void *config)
{
  return segue_nn_fingerprint ();
}

static void
encodings_free (gpointer instance)
{
  g_ptr_array_unref (instance);
}

static GPtrArray *
load_all (const EmbedConfig *config, SegueRegistry *registry, guint threads, gboolean blank,
          GError **error)
{
  g_autoptr (GPtrArray) encodings = g_ptr_array_new_with_free_func ((GDestroyNotify) encoding_free);
  for (guint i = 0; i < config->encoders->len; i++) {
    Encoding *encoding = encoding_new (get_encoder (config, i), registry, threads, blank, error);
    if (!encoding)
      return NULL;
    g_ptr_array_add (encodings, encoding);
  }
  return g_steal_pointer (&encodings);
}

static gboolean
embed_open (SegueContext *context, gpointer *instance, GError **error)
{
  GPtrArray *encodings =
    load_all (segue_context_get_config (context), segue_context_get_registry (context),
              segue_context_get_threads (context), FALSE, error);
  for (guint i = 0; encodings && i < encodings->len; i++) {
    g_autofree char *notice = encoding_get_notice (g_ptr_array_index (encodings, i));
    if (notice)
      segue_context_log (context, G_LOG_LEVEL_WARNING, "%s", notice);
  }
  *instance = encodings;
  return encodings != NULL;
}

static gboolean
embed_process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  const EmbedConfig *config = segue_context_get_config (context);
  GPtrArray *encodings = instance;
  g_autoptr (GArray) vector = g_array_new (FALSE, FALSE, sizeof (float));
  for (guint i = 0; i < encodings->len; i++)
    if (!encoding_compute (g_ptr_array_index (encodings, i), item,
                           segue_context_get_cancellable (context), vector, error))
      return FALSE;
  guint width = encoding_get_width (g_ptr_array_index (encodings, 0));
  gboolean framed = get_encoder (config, 0)->pool == POOL_NONE;
  const gsize shape[] = { framed ? vector->len / width : vector->len, width };
  g_autoptr (GBytes) bytes = g_bytes_new (vector->data, vector->len * sizeof (float));
  return segue_context_emit (context,
                             segue_item_new_tensor (SEGUE_KIND_TENSOR, item, NULL, bytes,
                                                    SEGUE_DTYPE_F32, framed ? 2 : 1, shape),
                             error);
}

static gboolean
check_lengths (const GPtrArray *encodings, const SegueFormat *audio, GError **error)
{
  gboolean known = audio && audio->rate > 0 && audio->rate < SEGUE_FORMAT_SAME &&
                   audio->frames > 0 && audio->frames < SEGUE_FORMAT_SAME;
  for (guint i = 0; known && i < encodings->len; i++)
    if (!encoding_check_length (g_ptr_array_index (encodings, i), audio->frames, audio->rate,
                                error))
      return FALSE;
  return TRUE;
}

/* Describes the encoders now, so that their errors occur before a song is decoded. */
static gboolean
embed_negotiate (const void *data, SegueNegotiation *negotiation, GError **error)
{
  const EmbedConfig *config = data;
  SegueFormat *output = segue_negotiation_get_output (negotiation, "vectors");
  gboolean framed = get_encoder (config, 0)->pool == POOL_NONE;
  output->dtype = SEGUE_DTYPE_F32;
  output->rank = framed ? 2 : 1;
  g_autoptr (GError) local = NULL;
  g_autoptr (GPtrArray) encodings =
    load_all (config, segue_negotiation_get_registry (negotiation), 1, TRUE, &local);
  if (!encodings ||
      !check_lengths (encodings, segue_negotiation_get_input (negotiation, "audio"), &local))
    /* `segue check` lists weights that were not fetched yet together with everything else that is missing. */
    return g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT) ||
           g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_RESOURCE) ||
           segue_negotiation_refuse (negotiation, "encoders", error, "%s", local->message);
  gsize width = 0;
  for (guint i = 0; i < encodings->len; i++)
    width += encoding_get_width (g_ptr_array_index (encodings, i));
  output->shape[framed ? 1 : 0] = width;
  if (framed)
    output->shape[0] = SEGUE_FORMAT_VARIES;
  return TRUE;
}

static const SeguePort *const inputs[] = {
  SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "Segments, of any rate and number of channels.",
              .flags = SEGUE_PORT_LIVE),
  NULL
};

static const SeguePort *const outputs[] = {
  SEGUE_PORT ("vectors", SEGUE_KIND_TENSOR,
              "A vector [C] of float32 for each segment; with `pool: none`, its frames [T, C]."),
  NULL
};

static const SegueStageType embed = {
  SEGUE_STAGE_TYPE,
  .name = "embed",
  .summary = "Turns segments into vectors with one or several encoders",
  .doc = "An encoder computes what is characteristic of a segment: statistics of its spectrum, or "
         "a hidden layer of a network. `train` then needs only a small classifier, and only the "
         "vectors are stored.\n\nEach encoder gets the sound at its own sample rate and number of "
         "channels. All workers share one instance of it. If `augment` comes before this stage, "
         "it also stores augmented copies of each segment, as many as its setting `copies`, which "
         "only training uses.",
  .result_version = 1,
  .mode = SEGUE_MODE_MAP,
  .flags = SEGUE_STAGE_PREPARE | SEGUE_STAGE_SHARED,
  .inputs = inputs,
  .outputs = outputs,
  .params = params,
  .config_size = sizeof (EmbedConfig),
  .check = embed_check,
  .fingerprint = embed_fingerprint,
  .open = embed_open,
  .close = encodings_free,
  .process = embed_process,
  .negotiate = embed_negotiate,
};

static const SegueStageType *const stages[] = { &embed, NULL };

SEGUE_PLUGIN (.name = "embed", .version = "1.0", .licence = "MIT", .stages = stages)
