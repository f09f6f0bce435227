/* What the passes read: batch norms folded into what is before or behind them. */
#include "musicnn.h"

#include <math.h>
#include <segue/nn/batch-norm.h>

static void
fold_norm (const Musicnn *model, gsize n, const SegueNnAffine *norm, const SegueNnWeight *mean,
           const SegueNnWeight *variance, float *scale, float *shift)
{
  segue_nn_batch_norm_fold (n, (float) model->eps, norm->weight.w, norm->bias.w, mean->w,
                            variance->w, scale, shift, NULL);
}

static void
fold_block (Musicnn *model, MusicnnBlock *block)
{
  fold_norm (model, block->out, &block->norm, &block->mean, &block->variance, block->scale,
             block->shift);
}

/* Kernels [out, 1, frames, bands] in the order of windows: bands, frames. */
static void
fold_front_block (Musicnn *model, MusicnnBlock *block)
{
  gsize frames = block->frames, bands = block->bands, size = frames * bands;
  fold_block (model, block);
  g_autofree float *w = g_new (float, block->out *size);
  for (gsize o = 0; o < block->out; o++)
    for (gsize t = 0; t < frames; t++)
      for (gsize f = 0; f < bands; f++)
        w[o * size + f * frames + t] = block->conv.weight.w[o * size + t * bands + f];
  SegueNnConvMax conv = musicnn_get_conv (model, block, 1);
  segue_nn_conv_max_pack (&conv, w, block->kernel);
}

/* Columns of one part of the channels, of which the weights alternate maximum and mean, and the pass has all means
 * and then all maxima. */
static void
fold_dense_part (const Musicnn *model, gsize first, gsize n, gsize pooled, const float *scale)
{
  for (gsize o = 0; o < model->hidden; o++) {
    const float *from = model->dense.weight.w + o * pooled + 2 * first;
    float *to = model->dense_kernel + o * pooled + 2 * first;
    for (gsize i = 0; i < n; i++) {
      to[i] = from[2 * i + 1] * scale[2 * (first + i) + 1];
      to[n + i] = from[2 * i] * scale[2 * (first + i)];
    }
  }
}

static void
fold_dense (Musicnn *model)
{
  gsize middle = model->middle[0].out, pooled = 2 * (model->front + model->n_middle * middle);
  g_autofree float *scale = g_new (float, pooled), *shift = g_new (float, pooled);
  fold_norm (model, pooled, &model->pooled.norm, &model->pooled.mean, &model->pooled.variance,
             scale, shift);
  fold_dense_part (model, 0, model->front, pooled, scale);
  for (guint i = 0; i < model->n_middle; i++)
    fold_dense_part (model, model->front + i * middle, middle, pooled, scale);
  for (gsize o = 0; o < model->hidden; o++) {
    double sum = (double) model->dense.bias.w[o];
    for (gsize i = 0; i < pooled; i++)
      sum += (double) model->dense.weight.w[o * pooled + i] * (double) shift[i];
    model->dense_bias[o] = (float) sum;
  }
}

void
musicnn_fold (gpointer data, SegueNnThreads *threads)
{
  Musicnn *model = data;
  fold_norm (model, 1, &model->input.norm, &model->input.mean, &model->input.variance,
             &model->input_scale, &model->input_shift);
  model->input_scale /= (float) G_LN10; /* frames are natural logarithms */
  for (guint i = 0; i < model->n_timbre; i++)
    fold_front_block (model, &model->timbre[i]);
  for (guint i = 0; i < model->n_tempo; i++)
    fold_front_block (model, &model->tempo[i]);
  for (guint i = 0; i < model->n_middle; i++)
    fold_block (model, &model->middle[i]);
  fold_dense (model);
  fold_norm (model, model->hidden, &model->penultimate.norm, &model->penultimate.mean,
             &model->penultimate.variance, model->hidden_scale, model->hidden_shift);
}
