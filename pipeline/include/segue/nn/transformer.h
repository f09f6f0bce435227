/* Transformer layers, with norms after attention and feed-forward (BERT) or before them.
 *
 *   norms after:                               norms before (norm_first):
 *     s1 = x + drop (attention (x))              n1 = attention_norm (x)
 *     n1 = attention_norm (s1)                   s1 = x + drop (attention (n1))
 *     s2 = n1 + drop (feed_forward (n1))         n2 = final_norm (s1)
 *     n2 = final_norm (s2), the output           s2 = s1 + drop (feed_forward (n2)), the output
 *
 * feed_forward (x) = outer (drop (activation (inner (x)))). All of x, s1, n1, s2, n2 are [B, T, H].
 */
#pragma once

#include <segue/nn/activation.h>
#include <segue/nn/arena.h>
#include <segue/nn/weights.h>

G_BEGIN_DECLS

/** SegueNnTransformer: properties that all layers of a stack share. Dropouts apply in training only. */
typedef struct {
  gsize hidden;
  gsize heads; /* divides @hidden */
  gsize inner;
  SegueNnActivation activation;
  gboolean norm_first;
  float eps; /* of the norms */
  float hidden_dropout;
  float attention_dropout;
  float activation_dropout;
} SegueNnTransformer;

/** SegueNnTransformerLayer: @qkv: [3H, H], [3H]: the three projections as one. */
typedef struct {
  SegueNnAffine qkv;
  SegueNnAffine out;
  SegueNnAffine attention_norm;
  SegueNnAffine inner;
  SegueNnAffine outer;
  SegueNnAffine final_norm;
} SegueNnTransformerLayer;

/** SegueNnTransformerNames: names of the tensors of a layer after its prefix, without ".weight", ".bias". */
typedef struct {
  const char *query, *key, *value;
  const char *out;
  const char *attention_norm;
  const char *inner, *outer;
  const char *final_norm;
} SegueNnTransformerNames;

/** segue_nn_transformer_declare: weights N (0, @deviation²).
 * @prefix: "encoder.layers.3." */
SEGUE_API void segue_nn_transformer_declare (const SegueNnTransformer *transformer,
                                             SegueNnTransformerLayer *layer,
                                             SegueNnWeights *weights, guint part, double deviation,
                                             const SegueNnTransformerNames *names,
                                             const char *prefix);

/** SegueNnTransformerBuffers: of one layer. In inference all layers share the buffers except sum1 … norm2. */
typedef struct {
  float *qkv;                           /* [B, T, 3H] */
  float *context;                       /* [B, T, H]: attention's output */
  float *sum1;                          /* [B, T, H] */
  float *norm1;                         /* [B, T, H] */
  float *inner;                         /* [B, T, I]: before the activation */
  float *sum2;                          /* [B, T, H] */
  float *norm2;                         /* [B, T, H] */
  float *mean1, *rstd1, *mean2, *rstd2; /* [B, T] */
} SegueNnTransformerBuffers;

/** SegueNnTransformerWorkspace: of a stack, and of a pass.
 * @d_branch, @d_sum, @scratch: other ops may use them between calls */
typedef struct {
  gsize batch, frames, rows; /* B, T, B · T */
  gboolean train;
  guint n_buffers; /* layer l uses those of l mod n_buffers */
  float *buffers;
  gsize stride; /* bytes */
  SegueNnTransformerBuffers shared;
  float *active;  /* [B, T, I]: after activation and dropout */
  float *branch;  /* [B, T, H]: of attention or feed-forward, before it is added */
  float *scratch; /* @n_scratch floats */
  gsize n_scratch;
  float *d_sum, *d_branch; /* [B, T, H] */
  float *d_qkv;            /* [B, T, 3H] */
  float *d_inner;          /* [B, T, I] */
  float *keys;             /* [H] */
} SegueNnTransformerWorkspace;

/** segue_nn_transformer_lay: lays out @n_layers layers over [@batch, @frames, hidden].
 * @more_scratch: floats of scratch that other ops need */
SEGUE_API void segue_nn_transformer_lay (const SegueNnTransformer *transformer,
                                         SegueNnThreads *threads, SegueNnArena *arena,
                                         guint n_layers, gsize batch, gsize frames, gboolean train,
                                         gsize more_scratch,
                                         SegueNnTransformerWorkspace *workspace);
/** segue_nn_transformer_get_buffers: of layer @layer. */
SEGUE_API SegueNnTransformerBuffers segue_nn_transformer_get_buffers (
  const SegueNnTransformer *transformer, const SegueNnTransformerWorkspace *workspace, guint layer);
/** segue_nn_transformer_get_output: of layer @layer, after its forward; in inference valid until the next layer but
 * one runs. */
SEGUE_API const float *
segue_nn_transformer_get_output (const SegueNnTransformer *transformer,
                                 const SegueNnTransformerWorkspace *workspace, guint layer);

/** SegueNnTransformerCall: one layer in one pass.
 * @index: of the layer, for its buffers
 * @random: the first of four numbers for #SegueNnRandomKey.layer
 * @pass: for seed, step and items; not used in inference */
typedef struct {
  const SegueNnTransformer *transformer;
  const SegueNnTransformerLayer *layer;
  SegueNnThreads *threads;
  SegueNnTransformerWorkspace *workspace;
  const SegueModelPass *pass;
  guint index;
  guint32 random;
} SegueNnTransformerCall;

/** segue_nn_transformer_forward: @x [B, T, H] → segue_nn_transformer_get_output(). */
SEGUE_API void segue_nn_transformer_forward (const SegueNnTransformerCall *call, const float *x);
/** segue_nn_transformer_backward: @d [B, T, H]: the gradient of the output on entry, of @x on return. */
SEGUE_API void segue_nn_transformer_backward (const SegueNnTransformerCall *call, const float *x,
                                              float *d);

G_END_DECLS
