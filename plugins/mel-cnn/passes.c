/* The passes: log-mel frames (the frozen prefix), blocks, classifier; and back. */
#include "mel-cnn.h"

#include <segue/nn/batch-norm.h>
#include <segue/nn/conv2d.h>
#include <segue/nn/dropout.h>
#include <segue/nn/linear.h>
#include <segue/nn/mean-pool.h>

/* One pass: the plan, and its workspace. */
typedef struct {
  MelCnn *model;
  SegueModelPass *pass;
  MelCnnPlan plan;
  float *base;
} Run;

static float *
at (const Run *run, gsize place)
{
  return run->base + place;
}

gsize
mel_cnn_prefix_size (gpointer data, gsize length)
{
  MelCnn *model = data;
  gsize size = 0;
  gsize frames = segue_nn_log_mel_frames (&model->architecture.frames, length);
  return g_size_checked_mul (&size, frames, model->architecture.frames.bands) ? size : 0;
}

gboolean
mel_cnn_prefix (gpointer data, guint batch, gsize length, const float *input, void *workspace,
                float *output, GError **error)
{
  MelCnn *model = data;
  segue_nn_pool_watch (model->pool, model->cancellable);
  segue_nn_log_mel_forward (model->pool, model->log_mel, batch, length, input, output);
  return segue_nn_pool_check (model->pool, error);
}

gsize
mel_cnn_plan_bytes (gpointer data, guint batch, gsize length, SegueModelMode mode,
                    gboolean from_prefix)
{
  MelCnnPlan plan;
  if (!mel_cnn_plan (data, batch, length, mode, from_prefix, &plan))
    return G_MAXSIZE;
  return plan.size * sizeof (float);
}

/* From here to segue_nn_pool_check () the arithmetic may be left unfinished. */
static gboolean
begin (Run *run, MelCnn *model, SegueModelPass *pass, GError **error)
{
  *run = (Run){ .model = model, .pass = pass, .base = pass->workspace };
  if (mel_cnn_plan (model, pass->batch, pass->length, pass->mode, pass->from_prefix, &run->plan)) {
    segue_nn_pool_watch (model->pool, model->cancellable);
    return TRUE;
  }
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
               "a segment of %" G_GSIZE_FORMAT " samples leaves nothing after %u blocks, each of "
               "which halves its frames; take longer segments or fewer blocks",
               pass->length, model->architecture.n_blocks);
  return FALSE;
}

static SegueNnConv2d
conv_shape (const Run *run, guint i)
{
  const MelCnnBlock *b = &run->model->blocks[i];
  return (SegueNnConv2d){ run->pass->batch, run->plan.height[i], run->plan.width[i], b->in,
                          b->out,           MEL_CNN_KERNEL,      MEL_CNN_KERNEL };
}

static SegueNnPool2d
pool_shape (const Run *run, guint i)
{
  const MelCnnBlock *b = &run->model->blocks[i];
  return (
    SegueNnPool2d){ run->pass->batch, run->plan.height[i], run->plan.width[i],           b->out,
                    MEL_CNN_POOL,     MEL_CNN_POOL,        run->model->architecture.pool };
}

/* What a block reads. */
static float *
block_input (const Run *run, guint i)
{
  return at (run, i == 0 ? run->plan.input : run->plan.pooled[i - 1]);
}

/* mean, variance, scale, shift, rstd of a block. */
static float *
statistic (const Run *run, guint i, guint which)
{
  return at (run, run->plan.statistics[i]) + which * run->model->blocks[i].out;
}

enum { MEAN, VARIANCE, SCALE, SHIFT, RSTD };

static void
normalise (const Run *run, guint i)
{
  MelCnnBlock *b = &run->model->blocks[i];
  float *mean = statistic (run, i, MEAN), *variance = statistic (run, i, VARIANCE);
  gsize rows = run->pass->batch * run->plan.height[i] * run->plan.width[i];
  gboolean train = run->pass->mode == SEGUE_MODEL_TRAIN;

  if (train) {
    segue_nn_batch_norm_statistics (run->model->pool, rows, b->out, at (run, run->plan.conv[i]),
                                    mean, variance, at (run, run->plan.scratch));
    segue_nn_batch_norm_track (rows, b->out, MEL_CNN_MOMENTUM, mean, variance, b->running_mean,
                               b->running_variance);
  }
  segue_nn_batch_norm_fold (b->out, MEL_CNN_NORM_EPS, b->gamma.w, b->beta.w,
                            train ? mean : b->running_mean, train ? variance : b->running_variance,
                            statistic (run, i, SCALE), statistic (run, i, SHIFT),
                            statistic (run, i, RSTD));
}

static void
block_forward (const Run *run, guint i)
{
  SegueNnPool *pool = run->model->pool;
  const SegueNnConv2d conv = conv_shape (run, i);
  const SegueNnPool2d shape = pool_shape (run, i);
  float *convolved = at (run, run->plan.conv[i]);

  segue_nn_conv2d_forward (pool, &conv, block_input (run, i), run->model->blocks[i].packed,
                           convolved, at (run, run->plan.scratch));
  normalise (run, i);
  segue_nn_norm_relu_pool2d_forward (pool, &shape, convolved, statistic (run, i, SCALE),
                                     statistic (run, i, SHIFT), at (run, run->plan.pooled[i]));
}

static void
block_backward (const Run *run, guint i)
{
  SegueNnPool *pool = run->model->pool;
  MelCnnBlock *b = &run->model->blocks[i];
  const SegueNnConv2d conv = conv_shape (run, i);
  const SegueNnPool2d shape = pool_shape (run, i);
  const SegueNnBatchNorm norm = { b->gamma.w, statistic (run, i, MEAN), statistic (run, i, RSTD),
                                  statistic (run, i, SCALE), statistic (run, i, SHIFT) };
  float *convolved = at (run, run->plan.conv[i]), *scratch = at (run, run->plan.scratch);
  float *x = block_input (run, i);

  /* Gradients take the places of the activations that they belong to. */
  segue_nn_norm_relu_pool2d_backward (pool, &shape, &norm, convolved, at (run, run->plan.pooled[i]),
                                      convolved, b->gamma.dw, b->beta.dw, scratch);
  segue_nn_conv2d_backward (pool, &conv, x, b->packed_back, convolved, i > 0 ? x : NULL, b->conv.dw,
                            scratch);
}

/* features [B, 2C] and logits of the last block's output [B, T, M, C]. */
static void
classify (const Run *run)
{
  MelCnn *model = run->model;
  guint n = model->architecture.n_blocks, batch = run->pass->batch;
  gsize time = run->plan.height[n], channels = model->blocks[n - 1].out;
  const SegueNnRandomKey key = { run->pass->seed, run->pass->step, 0, MEL_CNN_RANDOM_DROPOUT };
  gboolean train = run->pass->mode == SEGUE_MODEL_TRAIN;
  float *bands = at (run, run->plan.bands), *features = at (run, run->plan.features);
  float *dropped = at (run, run->plan.dropped);

  segue_nn_mean_pool_forward (model->pool, batch * time, run->plan.width[n], channels,
                              at (run, run->plan.pooled[n - 1]), bands);
  segue_nn_mean_max_pool_forward (model->pool, batch, time, channels, bands, features);
  segue_nn_dropout (model->pool, &key, run->pass->items, train ? model->training.dropout : 0.0f,
                    batch, 2 * channels, features, dropped);
  segue_nn_linear_forward_batch (model->pool, batch, 1, 2 * channels, model->n_labels, dropped,
                                 model->head.w, model->head_bias.w, run->pass->logits);
}

static void
classify_backward (const Run *run, const float *d_logits)
{
  MelCnn *model = run->model;
  guint n = model->architecture.n_blocks, batch = run->pass->batch;
  gsize time = run->plan.height[n], channels = model->blocks[n - 1].out;
  const SegueNnRandomKey key = { run->pass->seed, run->pass->step, 0, MEL_CNN_RANDOM_DROPOUT };
  float *bands = at (run, run->plan.bands), *dropped = at (run, run->plan.dropped);
  float *d_features = at (run, run->plan.features); /* their values aren't needed any more */

  segue_nn_linear_backward (model->pool, batch, 2 * channels, model->n_labels, dropped,
                            model->head.w, d_logits, d_features, model->head.dw,
                            model->head_bias.dw);
  segue_nn_dropout (model->pool, &key, run->pass->items, model->training.dropout, batch,
                    2 * channels, d_features, dropped);
  segue_nn_mean_max_pool_backward (model->pool, batch, time, channels, bands, dropped, bands);
  segue_nn_mean_pool_backward (model->pool, batch * time, run->plan.width[n], channels, bands,
                               at (run, run->plan.pooled[n - 1]));
}

gboolean
mel_cnn_forward (gpointer data, SegueModelPass *pass, GError **error)
{
  MelCnn *model = data;
  Run run;
  if (!begin (&run, model, pass, error))
    return FALSE;
  const float *frames = pass->input;
  if (!pass->from_prefix) {
    segue_nn_log_mel_forward (model->pool, model->log_mel, pass->batch, pass->length, pass->input,
                              at (&run, run.plan.log_mel));
    frames = at (&run, run.plan.log_mel);
  }
  mel_cnn_prepare (model, pass, &run.plan, frames, at (&run, run.plan.input),
                   at (&run, run.plan.scratch));
  for (guint i = 0; i < model->architecture.n_blocks; i++)
    block_forward (&run, i);
  classify (&run);
  return segue_nn_pool_check (model->pool, error);
}

gboolean
mel_cnn_backward (gpointer data, SegueModelPass *pass, const float *d_logits, GError **error)
{
  MelCnn *model = data;
  Run run;
  g_return_val_if_fail (pass->mode == SEGUE_MODEL_TRAIN, FALSE);
  if (!begin (&run, model, pass, error))
    return FALSE;
  classify_backward (&run, d_logits);
  for (guint i = model->architecture.n_blocks; i-- > 0;)
    block_backward (&run, i);
  return segue_nn_pool_check (model->pool, error);
}
