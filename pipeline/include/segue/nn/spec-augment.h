/* SpecAugment on features of frames (Park et al. 2019), as transformers' _mask_hidden_states (): in training, spans of
 * frames become a learnt embedding, spans of channels become 0.
 *
 * Each item draws its own spans from its own counters, so that an item's masks do not depend on the other items in its
 * batch.
 */
#pragma once

#include <segue/nn/arena.h>
#include <segue/nn/config.h>
#include <segue/nn/weights.h>

G_BEGIN_DECLS

/** SegueNnSpans: spans of @length that cover about @share of an axis, at least @least spans. */
typedef struct {
  double share;
  gsize length;
  gsize least;
} SegueNnSpans;

/** SegueNnSpecAugment: the caller sets @hidden and @random, and reads the rest with segue_nn_spec_augment_read().
 * @random: the first of two numbers for #SegueNnRandomKey.layer */
typedef struct {
  gsize hidden;
  gboolean is_on; /* apply_spec_augment */
  SegueNnSpans frames;
  SegueNnSpans channels;
  guint32 random;
  SegueNnWeight embedding; /* [hidden] */
} SegueNnSpecAugment;

/** segue_nn_spec_augment_read: apply_spec_augment, mask_time_… and mask_feature_… of an untrusted config.json, with
 * Wav2Vec2Config's defaults. @where: the file, for messages */
SEGUE_API gboolean segue_nn_spec_augment_read (SegueNnSpecAugment *layer, const json_t *config,
                                               const char *where, GError **error);
/** segue_nn_spec_augment_has_embedding: whether transformers' model has one under this config. */
SEGUE_API gboolean segue_nn_spec_augment_has_embedding (const SegueNnSpecAugment *layer);
/** segue_nn_spec_augment_declare: @name: "hubert.masked_spec_embed". Where nothing is masked, it has no gradient,
 * rather than one of 0. */
SEGUE_API void segue_nn_spec_augment_declare (SegueNnSpecAugment *layer, SegueNnWeights *weights,
                                              guint part, const char *name);

/** SegueNnSpecAugmentBuffers: of one training pass. */
typedef struct {
  gsize batch, frames;
  guint8 *frame_mask;   /* [B, T] */
  guint8 *channel_mask; /* [B, hidden] */
} SegueNnSpecAugmentBuffers;

SEGUE_API void segue_nn_spec_augment_lay (const SegueNnSpecAugment *layer, SegueNnArena *arena,
                                          gsize batch, gsize frames,
                                          SegueNnSpecAugmentBuffers *buffers);
/** segue_nn_spec_augment_forward: draws masks and applies them to @x [B, T, hidden], in place. */
SEGUE_API void segue_nn_spec_augment_forward (const SegueNnSpecAugment *layer,
                                              const SegueModelPass *pass,
                                              const SegueNnSpecAugmentBuffers *buffers, float *x);
/** segue_nn_spec_augment_backward: @dx [B, T, hidden] in place. */
SEGUE_API void segue_nn_spec_augment_backward (const SegueNnSpecAugment *layer,
                                               const SegueNnSpecAugmentBuffers *buffers, float *dx);

G_END_DECLS
