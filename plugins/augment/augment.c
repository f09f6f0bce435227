/* augment: changes segments differently in every epoch. */
#include "op.h"

#include <segue/dataset.h>
#include <segue/format.h>
#include <segue/nn/backend.h>
#include <segue/plugin.h>
#include <segue/random.h>
#include <string.h>

typedef struct {
  GArray *sets;
  GArray *ops;
} AugmentConfig;

static const SegueParam *const params[] = {
  SEGUE_PARAM (AugmentConfig, sets, SEGUE_PARAM_LIST, .def = "[train]", .min_items = 1,
               .max_items = SEGUE_N_SETS,
               .element = SEGUE_ELEMENT (SEGUE_PARAM_CHOICE, .choices = SEGUE_SET_CHOICES),
               .doc = "Sets whose items are augmented. Items in no set are augmented, too."),
  SEGUE_PARAM (AugmentConfig, ops, SEGUE_PARAM_LIST, .def = "[gaussian-noise]", .min_items = 1,
               .max_items = 64,
               .element = SEGUE_ELEMENT (SEGUE_PARAM_VARIANT, .cases = op_cases, .tag = "op"),
               .doc = "Operations on a segment, in this order; each has its own probability `p`, "
                      "and its values are drawn again in every epoch."),
  NULL,
};

static gboolean
is_wanted (const AugmentConfig *config, SegueItem *item)
{
  const char *set = segue_item_get_string (item, SEGUE_META_SET);

  if (!set)
    return TRUE;
  for (guint i = 0; i < config->sets->len; i++)
    if (g_array_index (config->sets, int, i) == (int) segue_set_from_name (set))
      return TRUE;
  return FALSE;
}

/* (transfer full): the samples after all randomly chosen ops; NULL: none was chosen. */
static float *
apply_ops (const GArray *ops, guint64 seed, const SegueItem *item, gboolean *out_of_memory)
{
  guint channels = segue_item_get_channels (item);
  gsize n_frames;
  const float *frames = segue_item_get_frames (item, &n_frames);
  gsize bytes = n_frames * channels * sizeof (float);
  g_autofree float *changed = NULL;

  for (guint i = 0; i < ops->len && bytes > 0; i++) {
    const SegueVariant *op = &g_array_index (ops, SegueVariant, i);

    if (segue_random_uniform (seed, 2 * i) >= op_get_probability (op))
      continue;
    if (!changed) {
      changed = g_try_malloc (bytes);
      if (!changed) {
        *out_of_memory = TRUE;
        return NULL;
      }
      memcpy (changed, frames, bytes);
    }
    const OpSound sound = { changed, n_frames, channels, segue_item_get_rate (item) };
    if (!op_find (op->chosen) (op->config, segue_random_bits (seed, 2 * i + 1), &sound)) {
      *out_of_memory = TRUE;
      return NULL;
    }
  }
  return g_steal_pointer (&changed);
}

static gboolean
process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  const AugmentConfig *config = segue_context_get_config (context);
  gboolean out_of_memory = FALSE;
  g_autoptr (GBytes) bytes = NULL;
  float *changed = NULL;

  if (is_wanted (config, item))
    changed = apply_ops (config->ops, segue_context_get_seed (context), item, &out_of_memory);
  if (out_of_memory) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                 "‘%s’: not enough memory to augment it; reduce `batch` of the `train` stage",
                 segue_item_get_id (item));
    return FALSE;
  }
  if (!changed)
    return segue_context_emit (context, segue_item_ref (item), error);
  bytes = g_bytes_new_take (changed, g_bytes_get_size (segue_item_get_bytes (item)));
  return segue_context_emit (context,
                             segue_item_new_audio (item, NULL, bytes, segue_item_get_rate (item),
                                                   segue_item_get_channels (item)),
                             error);
}

static char *
fingerprint (const void *config)
{
  return segue_nn_fingerprint ();
}

static gboolean
negotiate (const void *config, SegueNegotiation *negotiation, GError **error)
{
  segue_negotiation_pass (negotiation, "audio", "audio");
  return TRUE;
}

static const SeguePort *const inputs[] = { SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "Segments."),
                                           NULL };
static const SeguePort *const outputs[] = {
  SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "The same items, augmented."), NULL
};

static const SegueStageType augment = {
  SEGUE_STAGE_TYPE,
  .name = "augment",
  .summary = "Augments segments differently in every epoch of training",
  .doc =
    "Runs when a segment is read for training, not before: nothing is stored, and the samples "
    "differ in every epoch. The changes to a segment depend only on the run's seed, the epoch and "
    "the segment's id. `evaluate`, `export` and `report` get the segments without augmentation.",
  .result_version = 3,
  .mode = SEGUE_MODE_MAP,
  .flags = SEGUE_STAGE_LIVE | SEGUE_STAGE_SEEDED,
  .inputs = inputs,
  .outputs = outputs,
  .params = params,
  .config_size = sizeof (AugmentConfig),
  .fingerprint = fingerprint,
  .process = process,
  .negotiate = negotiate,
};

static const SegueStageType *const stages[] = { &augment, NULL };

SEGUE_PLUGIN (.name = "augment", .version = "1.0", .licence = "MIT", .stages = stages)
