#include <segue/nn/spec-augment.h>

#include <segue/nn/random.h>
#include <string.h>

#define MAX_LENGTH ((gsize) 1 << 16)

typedef SegueNnSpecAugment Layer;
typedef SegueNnSpecAugmentBuffers Buffers;

enum { RANDOM_FRAMES, RANDOM_CHANNELS };

static gboolean
read_spans (const json_t *config, const char *where, const char *axis, SegueNnSpans *spans,
            GError **error)
{
  g_autofree char *share = g_strdup_printf ("mask_%s_prob", axis);
  g_autofree char *length = g_strdup_printf ("mask_%s_length", axis);
  g_autofree char *least = g_strdup_printf ("mask_%s_min_masks", axis);
  return segue_nn_config_get_number (config, where, share, 0, 1, &spans->share, error) &&
         segue_nn_config_get_size (config, where, length, 1, MAX_LENGTH, &spans->length, error) &&
         segue_nn_config_get_size (config, where, least, 0, MAX_LENGTH, &spans->least, error);
}

gboolean
segue_nn_spec_augment_read (Layer *layer, const json_t *config, const char *where, GError **error)
{
  layer->is_on = TRUE;
  layer->frames = (SegueNnSpans){ 0.05, 10, 2 };
  layer->channels = (SegueNnSpans){ 0.0, 10, 0 };
  return segue_nn_config_get_bool (config, where, "apply_spec_augment", &layer->is_on, error) &&
         read_spans (config, where, "time", &layer->frames, error) &&
         read_spans (config, where, "feature", &layer->channels, error);
}

gboolean
segue_nn_spec_augment_has_embedding (const Layer *layer)
{
  return layer->frames.share > 0 || layer->channels.share > 0;
}

void
segue_nn_spec_augment_declare (Layer *layer, SegueNnWeights *weights, guint part, const char *name)
{
  const SegueNnTensor embedding =
    SEGUE_INIT (SegueNnTensor, .name = name, .rank = 1, .shape = { layer->hidden },
                .init = SEGUE_NN_INIT_UNIFORM, .b = 1, .part = part,
                .flags = SEGUE_NN_WEIGHT_DECAY | SEGUE_NN_WEIGHT_OPTIONAL);
  segue_nn_weights_add (weights, &layer->embedding, &embedding);
  if (!layer->is_on)
    segue_nn_weights_freeze_one (weights, &layer->embedding);
}

void
segue_nn_spec_augment_lay (const Layer *layer, SegueNnArena *arena, gsize batch, gsize frames,
                           Buffers *b)
{
  *b = (Buffers){ .batch = batch, .frames = frames };
  b->frame_mask = segue_nn_arena_bytes (arena, batch * frames);
  b->channel_mask = segue_nn_arena_bytes (arena, batch * layer->hidden);
}

/* The number of spans: share · n / length, rounded up or down at random; at most as many as fit. */
static gsize
count_spans (const SegueNnSpans *spans, const SegueNnRandomKey *key, gsize n)
{
  if (spans->share <= 0 || spans->length > n)
    return 0;
  double expected = spans->share * (double) n / (double) spans->length;
  gsize count = (gsize) (expected + (double) segue_nn_random_uniform (key, 0));
  return MIN (MAX (count, spans->least), MIN (n / spans->length, n - spans->length + 1));
}

/* mask [n]: 1 within spans. Starts are drawn without replacement. */
static void
draw (const SegueNnSpans *spans, const SegueNnRandomKey *key, gsize n, guint8 *mask)
{
  enum { MASKED = 1, START = 2 };
  gsize count = count_spans (spans, key, n);
  memset (mask, 0, n);
  guint64 index = 1;
  for (gsize i = 0; i < count; i++) {
    gsize start;
    do
      start = segue_nn_random_below (key, index++, (guint32) (n - spans->length + 1));
    while (mask[start] & START);
    mask[start] |= START;
    for (gsize j = 0; j < spans->length; j++)
      mask[start + j] |= MASKED;
  }
}

void
segue_nn_spec_augment_forward (const Layer *layer, const SegueModelPass *pass, const Buffers *b,
                               float *x)
{
  gsize hidden = layer->hidden;
  gboolean in_time = layer->is_on && layer->frames.share > 0;
  gboolean in_channels = layer->is_on && layer->channels.share > 0;
  for (gsize item = 0; item < b->batch && (in_time || in_channels); item++) {
    SegueNnRandomKey key = { .seed = pass->seed, .step = pass->step, .item = pass->items[item] };
    guint8 *frames = b->frame_mask + item * b->frames;
    guint8 *channels = b->channel_mask + item * hidden;
    if (in_time) {
      key.layer = layer->random + RANDOM_FRAMES;
      draw (&layer->frames, &key, b->frames, frames);
    }
    if (in_channels) {
      key.layer = layer->random + RANDOM_CHANNELS;
      draw (&layer->channels, &key, hidden, channels);
    }
    for (gsize t = 0; t < b->frames; t++) {
      float *row = x + (item * b->frames + t) * hidden;
      if (in_time && frames[t])
        memcpy (row, layer->embedding.w, hidden * sizeof *row);
      for (gsize i = 0; i < hidden && in_channels; i++)
        row[i] = channels[i] ? 0.0f : row[i];
    }
  }
}

void
segue_nn_spec_augment_backward (const Layer *layer, const Buffers *b, float *dx)
{
  gsize hidden = layer->hidden;
  gboolean in_time = layer->is_on && layer->frames.share > 0;
  gboolean in_channels = layer->is_on && layer->channels.share > 0;
  float *d_embedding = layer->embedding.dw;
  for (gsize row = 0; row < b->batch * b->frames && (in_time || in_channels); row++) {
    float *d = dx + row * hidden;
    const guint8 *channels = b->channel_mask + row / b->frames * hidden;
    for (gsize i = 0; i < hidden && in_channels; i++)
      d[i] = channels[i] ? 0.0f : d[i];
    if (!in_time || !b->frame_mask[row])
      continue;
    for (gsize i = 0; i < hidden && d_embedding; i++)
      d_embedding[i] += d[i];
    memset (d, 0, hidden * sizeof *d);
  }
}
