/* Where everything lies in a workspace. */
#include "mel-cnn.h"

#include <segue/nn/batch-norm.h>
#include <segue/nn/conv2d.h>

/* Floats; every buffer begins on a cache line. */
#define ALIGN 16

/* Adds up sizes; one overflow spoils the sum for good. */
typedef struct {
  gsize used;
  gboolean overflow;
} Sum;

static gsize
product (Sum *sum, gsize a, gsize b, gsize c, gsize d)
{
  gsize n = 0;
  if (!g_size_checked_mul (&n, a, b) || !g_size_checked_mul (&n, n, c) ||
      !g_size_checked_mul (&n, n, d))
    sum->overflow = TRUE;
  return n;
}

static gsize
take (Sum *sum, gsize n)
{
  gsize place = sum->used;
  if (n > G_MAXSIZE / sizeof (float) - ALIGN ||
      !g_size_checked_add (&sum->used, sum->used, (n + ALIGN - 1) / ALIGN * ALIGN))
    sum->overflow = TRUE;
  return place;
}

gsize
mel_cnn_min_frames (const MelCnnArchitecture *architecture)
{
  return (gsize) 1 << architecture->n_blocks;
}

static void
plan_shapes (const MelCnn *model, gsize length, SegueModelMode mode, MelCnnPlan *plan)
{
  const MelCnnArchitecture *a = &model->architecture;
  gsize least = mel_cnn_min_frames (a);

  plan->all_frames = segue_nn_log_mel_frames (&a->frames, length);
  plan->frames = plan->all_frames;
  if (mode == SEGUE_MODEL_TRAIN) {
    gsize crop = (gsize) (model->training.crop * (double) plan->all_frames + 0.5);
    plan->frames = MIN (MAX (crop, least), plan->all_frames);
  }
  for (guint i = 0; i <= MIN (a->n_blocks, MEL_CNN_MAX_BLOCKS); i++) {
    plan->height[i] = plan->frames >> i;
    plan->width[i] = a->frames.bands >> i;
  }
}

/* Scratch is needed by one op at a time: as much as the greediest wants. */
static gsize
scratch_size (MelCnn *model, guint batch, SegueModelMode mode, const MelCnnPlan *plan)
{
  gsize most = mel_cnn_prepare_scratch (model, batch, plan->frames);
  for (guint i = 0; i < model->architecture.n_blocks; i++) {
    const MelCnnBlock *b = &model->blocks[i];
    const SegueNnConv2d conv = { batch,  plan->height[i], plan->width[i], b->in,
                                 b->out, MEL_CNN_KERNEL,  MEL_CNN_KERNEL };
    most = MAX (most, segue_nn_conv2d_forward_scratch (model->pool, &conv));
    if (mode == SEGUE_MODEL_INFER)
      continue;
    const SegueNnPool2d pool = { batch,        plan->height[i], plan->width[i],          b->out,
                                 MEL_CNN_POOL, MEL_CNN_POOL,    model->architecture.pool };
    gsize rows = batch * plan->height[i] * plan->width[i];
    most = MAX (most, segue_nn_conv2d_backward_scratch (model->pool, &conv));
    most = MAX (most, segue_nn_norm_relu_pool2d_scratch (&pool));
    most = MAX (most, segue_nn_batch_norm_scratch (rows, b->out));
  }
  return most;
}

static void
plan_blocks (const MelCnn *model, guint batch, SegueModelMode mode, MelCnnPlan *plan, Sum *sum)
{
  guint n = model->architecture.n_blocks;
  gsize widest = 0, places[2] = { 0 };

  for (guint i = 0; i < n; i++) {
    const MelCnnBlock *b = &model->blocks[i];
    gsize conv = product (sum, batch, plan->height[i], plan->width[i], b->out);
    gsize pooled = product (sum, batch, plan->height[i + 1], plan->width[i + 1], b->out);
    plan->statistics[i] = take (sum, 5 * b->out);
    if (mode == SEGUE_MODEL_TRAIN) {
      plan->conv[i] = take (sum, conv);
      plan->pooled[i] = take (sum, pooled);
    } else {
      widest = MAX (widest, conv);
      places[i % 2] = MAX (places[i % 2], pooled);
    }
  }
  if (mode == SEGUE_MODEL_TRAIN)
    return;
  gsize conv = take (sum, widest), even = take (sum, places[0]), odd = take (sum, places[1]);
  for (guint i = 0; i < n; i++) {
    plan->conv[i] = conv;
    plan->pooled[i] = i % 2 == 0 ? even : odd;
  }
}

gboolean
mel_cnn_plan (MelCnn *model, guint batch, gsize length, SegueModelMode mode, gboolean from_prefix,
              MelCnnPlan *plan)
{
  const MelCnnArchitecture *a = &model->architecture;
  guint n = a->n_blocks;
  Sum sum = { 0, FALSE };

  *plan = (MelCnnPlan){ 0 };
  plan_shapes (model, length, mode, plan);
  if (batch == 0 || plan->frames < mel_cnn_min_frames (a))
    return FALSE;
  gsize channels = a->channels[n - 1];
  gsize all = product (&sum, batch, plan->all_frames, a->frames.bands, 1);
  plan->log_mel = from_prefix ? 0 : take (&sum, all);
  plan->input = take (&sum, product (&sum, batch, plan->frames, a->frames.bands, 1));
  plan_blocks (model, batch, mode, plan, &sum);
  plan->bands = take (&sum, product (&sum, batch, plan->height[n], channels, 1));
  plan->features = take (&sum, product (&sum, batch, 2, channels, 1));
  plan->dropped = take (&sum, product (&sum, batch, 2, channels, 1));
  if (sum.overflow)
    return FALSE;
  plan->scratch = take (&sum, scratch_size (model, batch, mode, plan));
  plan->size = sum.used;
  return !sum.overflow && plan->size <= G_MAXSIZE / sizeof (float);
}
