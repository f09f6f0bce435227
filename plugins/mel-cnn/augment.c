/* From log-mel frames to the network's input: crop, gain, tilt, standardisation, masks. */
#include "mel-cnn.h"

#include <segue/nn/batch-norm.h>
#include <segue/nn/elementwise.h>
#include <string.h>

/* Under a segment's variance: a silent one becomes zeros. */
#define SEGMENT_EPS 1e-5f

/* Which random number of an item decides what; masks take two each from RANDOM_MASKS on. */
enum { RANDOM_CROP, RANDOM_GAIN, RANDOM_TILT, RANDOM_MASKS };

typedef struct {
  const MelCnn *model;
  const SegueModelPass *pass;
  gsize all_frames, frames, bands;
  const float *x;             /* [B, all_frames, bands] */
  float *y;                   /* [B, frames, bands] */
  const float *scale, *shift; /* [bands] */
} Prepare;

static SegueNnRandomKey
item_key (const Prepare *p, gsize item)
{
  return (SegueNnRandomKey){ .seed = p->pass->seed,
                             .step = p->pass->step,
                             .item = p->pass->items[item],
                             .layer = MEL_CNN_RANDOM_AUGMENT };
}

/* Uniform in [−range, range). */
static float
draw (const SegueNnRandomKey *key, guint64 index, float range)
{
  return range * (2.0f * segue_nn_random_uniform (key, index) - 1.0f);
}

/* A crop of one item, louder or softer: a gain multiplies the power under the logarithm, and what
 * that takes below the floor stays there. */
static void
crop_item (gpointer data, gsize item, guint thread)
{
  const Prepare *p = data;
  const MelCnnTraining *t = &p->model->training;
  const SegueNnRandomKey key = item_key (p, item);
  gsize first =
    segue_nn_random_below (&key, RANDOM_CROP, (guint32) (p->all_frames - p->frames + 1));
  const float *x = p->x + (item * p->all_frames + first) * p->bands;
  float *y = p->y + item * p->frames * p->bands;
  float gain = draw (&key, RANDOM_GAIN, t->gain), tilt = draw (&key, RANDOM_TILT, t->tilt);
  float least = logf ((float) p->model->architecture.frames.floor);

  for (gsize i = 0; i < p->frames; i++, x += p->bands, y += p->bands)
    for (gsize m = 0; m < p->bands; m++) {
      float place = 2.0f * (float) m / (float) (p->bands - 1) - 1.0f; /* −1 … 1 */
      float v = x[m] + gain + tilt * place;
      y[m] = MAX (v, least);
    }
}

static void
scale_item (gpointer data, gsize item, guint thread)
{
  const Prepare *p = data;
  const float *x = p->x + item * p->frames * p->bands;
  float *y = p->y + item * p->frames * p->bands;
  for (gsize i = 0; i < p->frames; i++)
    for (gsize m = 0; m < p->bands; m++)
      y[i * p->bands + m] = p->scale[m] * x[i * p->bands + m] + p->shift[m];
}

/* Where a mask of up to `most` of `n` begins, and how many it covers. */
static gsize
draw_mask (const SegueNnRandomKey *key, guint64 index, gsize most, gsize n, gsize *length)
{
  *length = segue_nn_random_below (key, index, (guint32) (MIN (most, n) + 1));
  return segue_nn_random_below (key, index + 1, (guint32) (n - *length + 1));
}

/* Standardised frames have mean 0: that is what a mask leaves. */
static void
mask_item (gpointer data, gsize item, guint thread)
{
  const Prepare *p = data;
  const MelCnnTraining *t = &p->model->training;
  const SegueNnRandomKey key = item_key (p, item);
  float *y = p->y + item * p->frames * p->bands;
  guint64 index = RANDOM_MASKS;
  gsize length;

  for (gsize k = 0; k < t->time_masks; k++, index += 2) {
    gsize first = draw_mask (&key, index, t->time_mask, p->frames, &length);
    memset (y + first * p->bands, 0, length * p->bands * sizeof *y);
  }
  for (gsize k = 0; k < t->band_masks; k++, index += 2) {
    gsize first = draw_mask (&key, index, t->band_mask, p->bands, &length);
    for (gsize i = 0; i < p->frames; i++)
      memset (y + i * p->bands + first, 0, length * sizeof *y);
  }
}

gsize
mel_cnn_prepare_scratch (MelCnn *model, guint batch, gsize frames)
{
  gsize bands = model->architecture.frames.bands;
  return 6 * bands + segue_nn_batch_norm_scratch (batch * frames, bands);
}

/* Batch normalisation without weights; in training with the batch's statistics. */
static void
standardise_bands (MelCnn *model, Prepare *p, float *scratch)
{
  SegueNnPool *pool = model->pool;
  gsize rows = p->pass->batch * p->frames, n = p->bands;
  float *mean = scratch, *variance = mean + n, *scale = variance + n, *shift = scale + n;
  float *one = shift + n, *zero = one + n;

  segue_nn_fill (pool, n, 1.0f, one);
  segue_nn_fill (pool, n, 0.0f, zero);
  if (p->pass->mode == SEGUE_MODEL_TRAIN) {
    segue_nn_batch_norm_statistics (pool, rows, n, p->x, mean, variance, zero + n);
    segue_nn_batch_norm_track (rows, n, MEL_CNN_MOMENTUM, mean, variance, model->running_mean,
                               model->running_variance);
    segue_nn_batch_norm_fold (n, MEL_CNN_NORM_EPS, one, zero, mean, variance, scale, shift, NULL);
  } else {
    segue_nn_batch_norm_fold (n, MEL_CNN_NORM_EPS, one, zero, model->running_mean,
                              model->running_variance, scale, shift, NULL);
  }
  p->scale = scale;
  p->shift = shift;
  segue_nn_pool_run (pool, p->pass->batch, scale_item, p);
}

void
mel_cnn_prepare (MelCnn *model, const SegueModelPass *pass, const MelCnnPlan *plan,
                 const float *frames, float *input, float *scratch)
{
  gboolean train = pass->mode == SEGUE_MODEL_TRAIN;
  Prepare p = { .model = model,
                .pass = pass,
                .all_frames = plan->all_frames,
                .frames = plan->frames,
                .bands = model->architecture.frames.bands,
                .x = frames,
                .y = input };
  if (train) {
    segue_nn_pool_run (model->pool, pass->batch, crop_item, &p);
    p.x = input;
  }
  if (model->architecture.standardise == MEL_CNN_STANDARDISE_BAND)
    standardise_bands (model, &p, scratch);
  else
    segue_nn_standardise (model->pool, pass->batch, p.frames * p.bands, SEGMENT_EPS, p.x, p.y);
  if (train)
    segue_nn_pool_run (model->pool, pass->batch, mask_item, &p);
}
