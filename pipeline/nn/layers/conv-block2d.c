#include <segue/nn/conv-block2d.h>

#include <math.h>
#include <segue/nn/batch-norm.h>

#define KERNEL   3
#define POOL     2
#define EPS      1e-5f
#define MOMENTUM 0.1

static SegueNnConv2d
conv_of (const SegueNnConvBlock2d *block, const SegueNnConvBlock2dBuffers *b)
{
  return (SegueNnConv2d){ .batch = b ? b->batch : 0,
                          .height = b ? b->height : 0,
                          .width = b ? b->width : 0,
                          .in = block->in,
                          .out = block->out,
                          .kernel_height = KERNEL,
                          .kernel_width = KERNEL };
}

static SegueNnPool2d
pool_of (const SegueNnConvBlock2d *block, const SegueNnConvBlock2dBuffers *b)
{
  return (SegueNnPool2d){ .batch = b->batch,
                          .height = b->height,
                          .width = b->width,
                          .channels = block->out,
                          .pool_height = POOL,
                          .pool_width = POOL,
                          .kind = block->pool };
}

static void
declare_vector (SegueNnWeights *weights, SegueNnWeight *weight, const char *name,
                const char *ending, gsize n, double value, SegueNnWeightFlags flags)
{
  g_autofree char *full = g_strconcat (name, ending, NULL);
  const SegueNnTensor tensor =
    SEGUE_INIT (SegueNnTensor, .name = full, .rank = 1, .shape = { n }, .a = value, .flags = flags);
  segue_nn_weights_add (weights, weight, &tensor);
}

static void
pack (gpointer layer, SegueNnThreads *threads)
{
  SegueNnConvBlock2d *block = layer;
  const SegueNnConv2d shape = conv_of (block, NULL);
  segue_nn_conv2d_pack (threads, &shape, block->conv.w, block->packed, block->packed_back);
}

void
segue_nn_conv_block2d_declare (SegueNnConvBlock2d *block, SegueNnWeights *weights, const char *name,
                               guint64 item)
{
  g_autofree char *conv_name = g_strconcat (name, ".conv.weight", NULL);
  g_autofree char *norm_name = g_strconcat (name, ".norm", NULL);
  const SegueNnConv2d shape = conv_of (block, NULL);
  float window = (float) (block->in * KERNEL * KERNEL);
  const SegueNnTensor conv = SEGUE_INIT (
    SegueNnTensor, .name = conv_name, .rank = 4, .shape = { block->out, block->in, KERNEL, KERNEL },
    .init = SEGUE_NN_INIT_NORMAL, .b = (double) sqrtf (2.0f / window), .numbered = TRUE,
    .item = item, .flags = SEGUE_NN_WEIGHT_DECAY);
  segue_nn_weights_add (weights, &block->conv, &conv);
  segue_nn_weights_add_norm (weights, &block->norm, 0, block->out, norm_name);
  declare_vector (weights, &block->mean, norm_name, ".running_mean", block->out, 0,
                  SEGUE_NN_WEIGHT_BUFFER);
  declare_vector (weights, &block->variance, norm_name, ".running_var", block->out, 1,
                  SEGUE_NN_WEIGHT_BUFFER | SEGUE_NN_WEIGHT_VARIANCE);
  segue_nn_weights_add_derived (weights, &block->packed, segue_nn_conv2d_packed_size (&shape));
  if (!block->first)
    segue_nn_weights_add_derived (weights, &block->packed_back,
                                  segue_nn_conv2d_packed_back_size (&shape));
  segue_nn_weights_derive (weights, pack, block);
}

gsize
segue_nn_conv_block2d_scratch (const SegueNnConvBlock2d *block, SegueNnThreads *threads,
                               const SegueNnConvBlock2dBuffers *b, gboolean train)
{
  const SegueNnConv2d conv = conv_of (block, b);
  const SegueNnPool2d shape = pool_of (block, b);
  gsize most = segue_nn_conv2d_forward_scratch (threads, &conv);
  if (!train)
    return most;
  most = MAX (most, segue_nn_conv2d_backward_scratch (threads, &conv));
  most = MAX (most, segue_nn_norm_relu_pool2d_scratch (&shape));
  return MAX (most, segue_nn_batch_norm_scratch (b->batch * b->height * b->width, block->out));
}

enum { MEAN, VARIANCE, SCALE, SHIFT, RSTD };

static float *
statistic (const SegueNnConvBlock2d *block, const SegueNnConvBlock2dBuffers *b, guint which)
{
  return b->statistics + which * block->out;
}

static void
normalise (SegueNnConvBlock2d *block, SegueNnThreads *threads, const SegueNnConvBlock2dBuffers *b,
           gboolean train, float *scratch)
{
  float *mean = statistic (block, b, MEAN), *variance = statistic (block, b, VARIANCE);
  gsize rows = b->batch * b->height * b->width;
  if (train) {
    segue_nn_batch_norm_statistics (threads, rows, block->out, b->convolved, mean, variance,
                                    scratch);
    segue_nn_batch_norm_track (rows, block->out, MOMENTUM, mean, variance, block->mean.w,
                               block->variance.w);
  }
  segue_nn_batch_norm_fold (block->out, EPS, block->norm.weight.w, block->norm.bias.w,
                            train ? mean : block->mean.w, train ? variance : block->variance.w,
                            statistic (block, b, SCALE), statistic (block, b, SHIFT),
                            statistic (block, b, RSTD));
}

void
segue_nn_conv_block2d_forward (SegueNnConvBlock2d *block, SegueNnThreads *threads,
                               const SegueNnConvBlock2dBuffers *b, gboolean train, float *scratch)
{
  const SegueNnConv2d conv = conv_of (block, b);
  const SegueNnPool2d shape = pool_of (block, b);
  segue_nn_conv2d_forward (threads, &conv, b->x, block->packed, b->convolved, scratch);
  normalise (block, threads, b, train, scratch);
  segue_nn_norm_relu_pool2d_forward (threads, &shape, b->convolved, statistic (block, b, SCALE),
                                     statistic (block, b, SHIFT), b->y);
}

void
segue_nn_conv_block2d_backward (SegueNnConvBlock2d *block, SegueNnThreads *threads,
                                const SegueNnConvBlock2dBuffers *b, float *scratch)
{
  const SegueNnConv2d conv = conv_of (block, b);
  const SegueNnPool2d shape = pool_of (block, b);
  const SegueNnBatchNorm norm = { block->norm.weight.w, statistic (block, b, MEAN),
                                  statistic (block, b, RSTD), statistic (block, b, SCALE),
                                  statistic (block, b, SHIFT) };
  segue_nn_norm_relu_pool2d_backward (threads, &shape, &norm, b->convolved, b->y, b->convolved,
                                      block->norm.weight.dw, block->norm.bias.dw, scratch);
  segue_nn_conv2d_backward (threads, &conv, b->x, block->packed_back, b->convolved,
                            block->first ? NULL : b->x, block->conv.dw, scratch);
}
