/* The workspace: the buffers of a pass besides the weights, planned once.
 *
 * One function lays it out, for measuring and for use, so that both always agree.  The convolutional encoder
 * processes one item at a time: its activations are an order of magnitude larger than all others (130 MB for 10 s
 * of DistilHuBERT), and one item's need does not depend on the number of items.  The transformer processes the
 * whole batch.
 *
 * A training pass keeps each convolution's output, before norm and activation; these are recomputed in the
 * backward pass, which costs little and halves the memory.  Likewise only the input of a feed-forward's activation
 * is kept.
 */
#pragma once

#include "hubert.h"

#include <segue/nn/grouped-conv1d.h>

/* The input of the pass. */
typedef enum {
  HUBERT_START_SAMPLES,  /* [B, length] */
  HUBERT_START_FEATURES, /* [B, T, C]: a frozen conv encoder's output */
  HUBERT_START_POOLED,   /* [B, states, H]: a frozen base model's output */
} HubertStart;

typedef struct {
  gsize batch;
  gsize length; /* samples */
  gsize frames; /* T */
  gsize rows;   /* B · T */
  gsize states; /* hidden states that the head uses: 1, or layers + 1 */
  gsize conv_frames[HUBERT_MAX_CONVS];
  HubertStart start;
  gboolean train_encoder; /* keep the values that each part's backward needs */
  gboolean train_base;
  gboolean train;

  /* Conv encoder. */
  float *samples;                 /* [length]: one item, normalised */
  float *convs[HUBERT_MAX_CONVS]; /* [B, T_i, C_i]: each convolution's output */
  float *conv_mean, *conv_rstd;   /* one item, the largest layer */
  float *even, *odd;         /* one item: activations of even and odd layers, or their gradients */
  float *activated, *normed; /* one item: recomputed for the backward */
  float *features;           /* [B, T, C] */

  /* From features to the first hidden state. */
  float *feature_normed;              /* [B, T, C] */
  float *feature_mean, *feature_rstd; /* [B, T] */
  float *projected;                   /* [B, T, H] */
  guint8 *time_mask;                  /* [B, T] */
  guint8 *channel_mask;               /* [B, H] */
  float *positional;                  /* [B, T, H]: before the activation */
  float *embedded;                    /* [B, T, H]: sum, before the norm */
  float *embedded_mean, *embedded_rstd;
  float *first; /* [B, T, H]: hidden state 0 */

  /* Transformer. */
  SegueNnTransformerWorkspace stack;
  float *last; /* [B, T, H]: normed last state (do_stable_layer_norm) */
  float *last_mean, *last_rstd;

  /* Head. */
  float *pooled;    /* [states, B, H] */
  float *mixed;     /* [B, H] */
  float *projector; /* [B, P] */

  /* Backward. */
  float *d_projector, *d_mixed, *d_pooled; /* as above */
  float *d_state;                          /* [B, T, H] */
  float *d_features;                       /* [B, T, C] */
  float *d_positional;                     /* the packed weight's gradient */
} HubertWorkspace;

/* Lays out the workspace of a pass at @base (NULL: only measures).  Returns its bytes, G_MAXSIZE
 * where the sizes are impossible. */
gsize hubert_workspace_lay (const HubertModel *model, gsize batch, gsize length, gboolean train,
                            gboolean from_prefix, gpointer base, HubertWorkspace *workspace);

SegueNnGroupedConv1d hubert_workspace_positional (const HubertWorkspace *workspace,
                                                  const HubertModel *model);
