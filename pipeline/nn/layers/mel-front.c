/* From samples to a network's input: log-mel frames, crop, gain, tilt, standardisation, masks. */
#include <segue/nn/mel-front.h>

#include <math.h>
#include <segue/error.h>
#include <segue/nn/batch-norm.h>
#include <segue/nn/elementwise.h>
#include <segue/nn/random.h>
#include <string.h>

/* Added to a variance: a silent segment or band becomes zeros. */
#define EPS      1e-5f
#define MOMENTUM 0.1

/* Indices of the random numbers of an item; each mask uses two, from RANDOM_MASKS on. */
enum { RANDOM_CROP, RANDOM_GAIN, RANDOM_TILT, RANDOM_MASKS };

typedef struct {
  const SegueNnMelFront *front;
  const SegueModelPass *pass;
  gsize frames, bands;
  float *cropped;             /* [B, samples of the frames] */
  const float *x;             /* [B, frames, bands] */
  float *y;                   /* [B, frames, bands] */
  const float *scale, *shift; /* [bands] */
} Preparation;

gboolean
segue_nn_mel_front_open (SegueNnMelFront *front, SegueNnModel *model, const char *name,
                         GError **error)
{
  g_autofree char *mean = g_strconcat (name, ".running_mean", NULL);
  g_autofree char *variance = g_strconcat (name, ".running_var", NULL);
  SegueNnTensor tensor =
    SEGUE_INIT (SegueNnTensor, .name = mean, .rank = 1, .shape = { front->frames.bands },
                .flags = SEGUE_NN_WEIGHT_BUFFER);
  front->log_mel = segue_nn_log_mel_new (&front->frames, model->threads, error);
  if (!front->log_mel)
    return FALSE;
  if (front->standardise == SEGUE_NN_STANDARDISE_SEGMENT)
    return TRUE;
  segue_nn_weights_add (model->weights, &front->mean, &tensor);
  tensor.name = variance;
  tensor.a = 1;
  tensor.flags |= SEGUE_NN_WEIGHT_VARIANCE;
  segue_nn_weights_add (model->weights, &front->variance, &tensor);
  return TRUE;
}

void
segue_nn_mel_front_close (SegueNnMelFront *front)
{
  g_clear_pointer (&front->log_mel, segue_nn_log_mel_free);
}

/* As many as @n frames need. */
static gsize
count_samples (const SegueNnMelFront *front, gsize n)
{
  return front->frames.window + (n - 1) * front->frames.hop;
}

gsize
segue_nn_mel_front_get_min_length (const SegueNnMelFront *front)
{
  return count_samples (front, MAX (front->min_frames, 1));
}

gboolean
segue_nn_mel_front_lay (const SegueNnMelFront *front, SegueNnArena *arena, guint batch,
                        gsize length, SegueModelMode mode, SegueNnMelBuffers *b)
{
  gsize least = MAX (front->min_frames, 1), all = segue_nn_log_mel_frames (&front->frames, length);
  gboolean train = mode == SEGUE_MODEL_TRAIN;
  *b = (SegueNnMelBuffers){ .frames = all };
  if (train)
    b->frames = MIN (MAX ((gsize) (front->crop * (double) all + 0.5), least), all);
  if (batch == 0 || b->frames < least)
    return FALSE;
  if (train)
    b->cropped = segue_nn_arena_floats (arena, batch, count_samples (front, b->frames), 1, 1);
  b->log_mel = segue_nn_arena_floats (arena, batch, b->frames, front->frames.bands, 1);
  b->output = segue_nn_arena_floats (arena, batch, b->frames, front->frames.bands, 1);
  return TRUE;
}

gsize
segue_nn_mel_front_scratch (const SegueNnMelFront *front, guint batch, const SegueNnMelBuffers *b)
{
  gsize bands = front->frames.bands;
  return 6 * bands + segue_nn_batch_norm_scratch (batch * b->frames, bands);
}

static SegueNnRandomKey
item_key (const Preparation *p, gsize item)
{
  return (SegueNnRandomKey){ .seed = p->pass->seed,
                             .step = p->pass->step,
                             .item = p->pass->items[item],
                             .layer = p->front->layer };
}

/* Uniform in [−range, range). */
static float
draw (const SegueNnRandomKey *key, guint64 index, float range)
{
  return range * (2.0f * segue_nn_random_uniform (key, index) - 1.0f);
}

/* The crop starts where a frame of the whole item does. */
static void
crop_item (gpointer data, gsize item, guint thread)
{
  const Preparation *p = data;
  const SegueNnRandomKey key = item_key (p, item);
  gsize n = count_samples (p->front, p->frames), length = p->pass->length;
  gsize all = segue_nn_log_mel_frames (&p->front->frames, length);
  gsize first = segue_nn_random_below (&key, RANDOM_CROP, (guint32) (all - p->frames + 1));
  memcpy (p->cropped + item * n, p->pass->input + item * length + first * p->front->frames.hop,
          n * sizeof *p->cropped);
}

/* Louder or softer: a gain multiplies the power under the logarithm, and the result is at least the floor. */
static void
change_item (gpointer data, gsize item, guint thread)
{
  const Preparation *p = data;
  const SegueNnRandomKey key = item_key (p, item);
  const float *x = p->x + item * p->frames * p->bands;
  float *y = p->y + item * p->frames * p->bands;
  float gain = draw (&key, RANDOM_GAIN, p->front->gain);
  float tilt = draw (&key, RANDOM_TILT, p->front->tilt);
  float least = logf ((float) p->front->frames.floor);

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
  const Preparation *p = data;
  const float *x = p->x + item * p->frames * p->bands;
  float *y = p->y + item * p->frames * p->bands;
  for (gsize i = 0; i < p->frames; i++)
    for (gsize m = 0; m < p->bands; m++)
      y[i * p->bands + m] = p->scale[m] * x[i * p->bands + m] + p->shift[m];
}

/* The start and length of a mask of up to `most` of `n`. */
static gsize
draw_mask (const SegueNnRandomKey *key, guint64 index, gsize most, gsize n, gsize *length)
{
  *length = segue_nn_random_below (key, index, (guint32) (MIN (most, n) + 1));
  return segue_nn_random_below (key, index + 1, (guint32) (n - *length + 1));
}

/* Standardised frames have mean 0: a mask sets them to 0. */
static void
mask_item (gpointer data, gsize item, guint thread)
{
  const Preparation *p = data;
  const SegueNnRandomKey key = item_key (p, item);
  float *y = p->y + item * p->frames * p->bands;
  guint64 index = RANDOM_MASKS;
  gsize length;

  for (gsize k = 0; k < p->front->time_masks; k++, index += 2) {
    gsize first = draw_mask (&key, index, p->front->time_mask, p->frames, &length);
    memset (y + first * p->bands, 0, length * p->bands * sizeof *y);
  }
  for (gsize k = 0; k < p->front->band_masks; k++, index += 2) {
    gsize first = draw_mask (&key, index, p->front->band_mask, p->bands, &length);
    for (gsize i = 0; i < p->frames; i++)
      memset (y + i * p->bands + first, 0, length * sizeof *y);
  }
}

/* Batch normalisation without weights; in training with the batch's statistics. */
static void
standardise_bands (SegueNnMelFront *front, SegueNnThreads *threads, Preparation *p, float *scratch)
{
  gsize rows = p->pass->batch * p->frames, n = p->bands;
  float *mean = scratch, *variance = mean + n, *scale = variance + n, *shift = scale + n;
  float *one = shift + n, *zero = one + n;

  segue_nn_fill (threads, n, 1.0f, one);
  segue_nn_fill (threads, n, 0.0f, zero);
  if (p->pass->mode == SEGUE_MODEL_TRAIN) {
    segue_nn_batch_norm_statistics (threads, rows, n, p->x, mean, variance, zero + n);
    segue_nn_batch_norm_track (rows, n, MOMENTUM, mean, variance, front->mean.w, front->variance.w);
    segue_nn_batch_norm_fold (n, EPS, one, zero, mean, variance, scale, shift, NULL);
  } else {
    segue_nn_batch_norm_fold (n, EPS, one, zero, front->mean.w, front->variance.w, scale, shift,
                              NULL);
  }
  p->scale = scale;
  p->shift = shift;
  segue_nn_threads_run (threads, p->pass->batch, scale_item, p);
}

void
segue_nn_mel_front_forward (SegueNnMelFront *front, SegueNnThreads *threads,
                            const SegueModelPass *pass, SegueNnMelBuffers *b, float *scratch)
{
  gboolean train = pass->mode == SEGUE_MODEL_TRAIN;
  gsize length = train ? count_samples (front, b->frames) : pass->length;
  Preparation p = { .front = front,
                    .pass = pass,
                    .frames = b->frames,
                    .bands = front->frames.bands,
                    .cropped = b->cropped,
                    .x = b->log_mel,
                    .y = b->output };
  if (train)
    segue_nn_threads_run (threads, pass->batch, crop_item, &p);
  segue_nn_log_mel_forward (threads, front->log_mel, pass->batch, length,
                            train ? b->cropped : pass->input, b->log_mel);
  if (train) {
    segue_nn_threads_run (threads, pass->batch, change_item, &p);
    p.x = b->output;
  }
  if (front->standardise == SEGUE_NN_STANDARDISE_BAND)
    standardise_bands (front, threads, &p, scratch);
  else
    segue_nn_standardise (threads, pass->batch, p.frames * p.bands, EPS, p.x, p.y);
  if (train)
    segue_nn_threads_run (threads, pass->batch, mask_item, &p);
}
