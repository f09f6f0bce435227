/* The network: its workspace, forward, backward. */
#include "mel-cnn.h"

#include <segue/nn/dropout.h>
#include <segue/nn/linear.h>
#include <segue/nn/mean-pool.h>

/* One pass, in its workspace. */
typedef struct {
  MelCnn *model;
  SegueModelPass *pass;
  gboolean train;
  SegueNnMelBuffers front;
  SegueNnConvBlock2dBuffers blocks[MEL_CNN_MAX_BLOCKS];
  gsize time, bands; /* after the last block */
  float *by_time;    /* [B, T', C]: mean over bands */
  float *features;   /* [B, 2C]: mean and maximum over time */
  float *dropped;    /* [B, 2C]: after dropout; its gradient */
  float *scratch;
} Run;

gsize
mel_cnn_get_channels (const MelCnn *model)
{
  return model->blocks[model->n_blocks - 1].out;
}

/* In inference the convolutions share one place, and pooled activations alternate between two. */
static void
lay_blocks (Run *run, SegueNnArena *arena)
{
  const MelCnn *model = run->model;
  gsize convolved = 0, pooled[2] = { 0, 0 }, height = run->front.frames;
  gsize width = model->mel.front.frames.bands, batch = run->pass->batch;
  float *shared = NULL, *places[2] = { NULL, NULL };
  for (guint i = 0; i < model->n_blocks; i++) {
    SegueNnConvBlock2dBuffers *b = &run->blocks[i];
    *b = (SegueNnConvBlock2dBuffers){ .batch = batch, .height = height >> i, .width = width >> i };
    convolved = MAX (convolved, b->height * b->width * model->blocks[i].out);
    pooled[i % 2] = MAX (pooled[i % 2], (b->height >> 1) * (b->width >> 1) * model->blocks[i].out);
  }
  if (!run->train) {
    shared = segue_nn_arena_floats (arena, batch, convolved, 1, 1);
    places[0] = segue_nn_arena_floats (arena, batch, pooled[0], 1, 1);
    places[1] = segue_nn_arena_floats (arena, batch, pooled[1], 1, 1);
  }
  for (guint i = 0; i < model->n_blocks; i++) {
    SegueNnConvBlock2dBuffers *b = &run->blocks[i];
    gsize out = model->blocks[i].out;
    b->x = i == 0 ? run->front.output : run->blocks[i - 1].y;
    b->statistics = segue_nn_arena_floats (arena, 5, out, 1, 1);
    b->convolved =
      run->train ? segue_nn_arena_floats (arena, batch, b->height, b->width, out) : shared;
    b->y = run->train ? segue_nn_arena_floats (arena, batch, b->height >> 1, b->width >> 1, out)
                      : places[i % 2];
  }
  run->time = height >> model->n_blocks;
  run->bands = width >> model->n_blocks;
}

/* Scratch is needed by one op at a time: as much as the largest one needs. */
static gsize
scratch_size (const Run *run)
{
  const MelCnn *model = run->model;
  gsize most = segue_nn_mel_front_scratch (&model->mel.front, run->pass->batch, &run->front);
  for (guint i = 0; i < model->n_blocks; i++)
    most = MAX (most, segue_nn_conv_block2d_scratch (&model->blocks[i], model->mel.base.threads,
                                                     &run->blocks[i], run->train));
  return most;
}

/* Bytes of the workspace; %G_MAXSIZE where the segment is too short, or the sizes are impossible. */
static gsize
lay (Run *run, MelCnn *model, SegueModelPass *pass)
{
  SegueNnArena arena = { pass->workspace };
  gsize channels = mel_cnn_get_channels (model);
  *run = (Run){ .model = model, .pass = pass, .train = pass->mode == SEGUE_MODEL_TRAIN };
  /* Far beyond any memory, and small enough that no product below overflows before it is checked. */
  if (pass->length > G_MAXSIZE >> 24 ||
      !segue_nn_mel_front_lay (&model->mel.front, &arena, pass->batch, pass->length, pass->mode,
                               &run->front))
    return G_MAXSIZE;
  lay_blocks (run, &arena);
  run->by_time = segue_nn_arena_floats (&arena, pass->batch, run->time, channels, 1);
  run->features = segue_nn_arena_floats (&arena, pass->batch, 2, channels, 1);
  run->dropped = segue_nn_arena_floats (&arena, pass->batch, 2, channels, 1);
  if (!arena.overflow)
    run->scratch = segue_nn_arena_floats (&arena, scratch_size (run), 1, 1, 1);
  return segue_nn_arena_get_size (&arena);
}

gsize
mel_cnn_plan (gpointer data, guint batch, gsize length, SegueModelMode mode)
{
  SegueModelPass pass = SEGUE_INIT (SegueModelPass, .mode = mode, .batch = batch, .length = length);
  Run run;
  return lay (&run, data, &pass);
}

static gboolean
begin (Run *run, MelCnn *model, SegueModelPass *pass, GError **error)
{
  if (lay (run, model, pass) != G_MAXSIZE) {
    segue_nn_model_begin (&model->mel.base);
    return TRUE;
  }
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
               "a segment of %" G_GSIZE_FORMAT
               " samples is too short for %u blocks, each of which halves its frames; use longer "
               "segments or fewer blocks",
               pass->length, model->n_blocks);
  return FALSE;
}

static SegueNnRandomKey
dropout_key (const Run *run)
{
  return (SegueNnRandomKey){ run->pass->seed, run->pass->step, 0, MEL_CNN_RANDOM_DROPOUT };
}

/* Samples → features [B, 2C]. */
static void
compute_features (Run *run, float *features)
{
  MelCnn *model = run->model;
  SegueNnThreads *threads = model->mel.base.threads;
  gsize batch = run->pass->batch, channels = mel_cnn_get_channels (model);
  segue_nn_mel_front_forward (&model->mel.front, threads, run->pass, &run->front, run->scratch);
  for (guint i = 0; i < model->n_blocks; i++)
    segue_nn_conv_block2d_forward (&model->blocks[i], threads, &run->blocks[i], run->train,
                                   run->scratch);
  segue_nn_mean_pool_forward (threads, batch * run->time, run->bands, channels,
                              run->blocks[model->n_blocks - 1].y, run->by_time);
  segue_nn_mean_max_pool_forward (threads, batch, run->time, channels, run->by_time, features);
}

gboolean
mel_cnn_forward (gpointer data, SegueModelPass *pass, GError **error)
{
  MelCnn *model = data;
  SegueNnThreads *threads = model->mel.base.threads;
  gsize batch = pass->batch, channels = mel_cnn_get_channels (model);
  Run run;
  if (!begin (&run, model, pass, error))
    return FALSE;
  const SegueNnRandomKey key = dropout_key (&run);
  compute_features (&run, run.features);
  segue_nn_dropout (threads, &key, pass->items, run.train ? model->dropout : 0.0f, batch,
                    2 * channels, run.features, run.dropped);
  segue_nn_linear_forward_batch (threads, batch, 1, 2 * channels, model->mel.base.n_labels,
                                 run.dropped, &model->head, pass->logits);
  return segue_nn_model_end (&model->mel.base, error);
}

gboolean
mel_cnn_encode (gpointer data, const SegueEncoderPass *pass, GError **error)
{
  MelCnn *model = data;
  SegueModelPass forward =
    SEGUE_INIT (SegueModelPass, .mode = SEGUE_MODEL_INFER, .batch = pass->batch,
                .length = pass->length, .input = pass->input, .workspace = pass->workspace);
  Run run;
  if (!begin (&run, model, &forward, error))
    return FALSE;
  compute_features (&run, pass->output);
  return segue_nn_model_end (&model->mel.base, error);
}

gboolean
mel_cnn_backward (gpointer data, SegueModelPass *pass, const float *d_logits, GError **error)
{
  MelCnn *model = data;
  SegueNnThreads *threads = model->mel.base.threads;
  gsize batch = pass->batch, channels = mel_cnn_get_channels (model);
  Run run;
  g_return_val_if_fail (pass->mode == SEGUE_MODEL_TRAIN, FALSE);
  if (!begin (&run, model, pass, error))
    return FALSE;
  const SegueNnRandomKey key = dropout_key (&run);
  float *d_features = run.features; /* their values aren't needed any more */
  segue_nn_linear_backward (threads, batch, 2 * channels, model->mel.base.n_labels, run.dropped,
                            &model->head, d_logits, d_features);
  segue_nn_dropout (threads, &key, pass->items, model->dropout, batch, 2 * channels, d_features,
                    run.dropped);
  segue_nn_mean_max_pool_backward (threads, batch, run.time, channels, run.by_time, run.dropped,
                                   run.by_time);
  segue_nn_mean_pool_backward (threads, batch * run.time, run.bands, channels, run.by_time,
                               run.blocks[model->n_blocks - 1].y);
  for (guint i = model->n_blocks; i-- > 0;)
    segue_nn_conv_block2d_backward (&model->blocks[i], threads, &run.blocks[i], run.scratch);
  return segue_nn_model_end (&model->mel.base, error);
}
