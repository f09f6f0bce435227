/* SpecAugment on the projected features (Park et al. 2019), as transformers' _mask_hidden_states ():
 * spans of frames become the learnt masked_spec_embed, spans of channels become 0.
 *
 * Each item draws its own spans from its own counters, so that an item's masks don't depend on the other items in
 * its batch.
 */
#include "passes.h"

#include <segue/nn/random.h>
#include <string.h>

/* The number of spans: share · n / length, rounded up or down at random; at most as many as fit. */
static gsize
count_spans (const HubertMask *mask, const SegueNnRandomKey *key, gsize n)
{
  if (mask->share <= 0 || mask->length > n)
    return 0;
  double expected = mask->share * (double) n / (double) mask->length;
  gsize spans = (gsize) (expected + (double) segue_nn_random_uniform (key, 0));
  return MIN (MAX (spans, mask->least), MIN (n / mask->length, n - mask->length + 1));
}

/* mask [n]: 1 within spans.  Starts are drawn without replacement. */
static void
draw (const HubertMask *mask, const SegueNnRandomKey *key, gsize n, guint8 *masked)
{
  enum { MASKED = 1, START = 2 };
  gsize spans = count_spans (mask, key, n);
  memset (masked, 0, n);
  guint64 index = 1;
  for (gsize i = 0; i < spans; i++) {
    gsize start;
    do
      start = segue_nn_random_below (key, index++, (guint32) (n - mask->length + 1));
    while (masked[start] & START);
    masked[start] |= START;
    for (gsize j = 0; j < mask->length; j++)
      masked[start + j] |= MASKED;
  }
}

static gboolean
is_on (const HubertModel *model, const HubertMask *mask)
{
  return model->training.augment && mask->share > 0;
}

void
hubert_mask_forward (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass,
                     float *x)
{
  gsize hidden = model->architecture.hidden;
  gboolean in_time = is_on (model, &model->training.time_mask);
  gboolean in_channels = is_on (model, &model->training.channel_mask);
  for (gsize b = 0; b < ws->batch && (in_time || in_channels); b++) {
    SegueNnRandomKey key = { .seed = pass->seed, .step = pass->step, .item = pass->items[b] };
    guint8 *frames = ws->time_mask + b * ws->frames;
    guint8 *channels = ws->channel_mask + b * hidden;
    if (in_time) {
      key.layer = HUBERT_RANDOM_TIME_MASK;
      draw (&model->training.time_mask, &key, ws->frames, frames);
    }
    if (in_channels) {
      key.layer = HUBERT_RANDOM_CHANNEL_MASK;
      draw (&model->training.channel_mask, &key, hidden, channels);
    }
    for (gsize t = 0; t < ws->frames; t++) {
      float *row = x + (b * ws->frames + t) * hidden;
      if (in_time && frames[t])
        memcpy (row, model->weights.mask_embedding.w, hidden * sizeof *row);
      for (gsize i = 0; i < hidden && in_channels; i++)
        row[i] = channels[i] ? 0.0f : row[i];
    }
  }
}

void
hubert_mask_backward (const HubertModel *model, HubertWorkspace *ws, float *dx)
{
  gsize hidden = model->architecture.hidden;
  gboolean in_time = is_on (model, &model->training.time_mask);
  gboolean in_channels = is_on (model, &model->training.channel_mask);
  float *d_embedding = model->weights.mask_embedding.dw;
  for (gsize row = 0; row < ws->rows && (in_time || in_channels); row++) {
    float *d = dx + row * hidden;
    const guint8 *channels = ws->channel_mask + row / ws->frames * hidden;
    for (gsize i = 0; i < hidden && in_channels; i++)
      d[i] = channels[i] ? 0.0f : d[i];
    if (!in_time || !ws->time_mask[row])
      continue;
    for (gsize i = 0; i < hidden && d_embedding != NULL; i++)
      d_embedding[i] += d[i];
    memset (d, 0, hidden * sizeof *d);
  }
}
