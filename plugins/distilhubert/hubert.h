/* A Hubert classifier: transformers' HubertForSequenceClassification.
 *
 *   samples [B, length] → features [B, T, C]                          segue/nn/conv-encoder.h
 *   h = mask (dropout (projection (norm (features))))   [B, T, H]     segue/nn/spec-augment.h
 *   e = h + activation (positional (h))                               segue/nn/positional-conv.h
 *   state 0 = dropout (norm (e)); with do_stable_layer_norm dropout (e)
 *   state l + 1 = layer l (state l)                                   segue/nn/transformer.h
 *   logits = head (the last state, or all of them)      [B, labels]   segue/nn/head.h
 *
 * Under do_stable_layer_norm the norm of e follows the last layer instead. The norm of features exists under
 * feat_proj_layer_norm.
 *
 * As an encoder, its layer i is transformers' hidden_states[i]: state i; the last of them is last_hidden_state, which is
 * normed under do_stable_layer_norm. One more layer are the features.
 */
#pragma once

#include <segue/model.h>
#include <segue/nn/conv-encoder.h>
#include <segue/nn/head.h>
#include <segue/nn/model.h>
#include <segue/nn/positional-conv.h>
#include <segue/nn/spec-augment.h>
#include <segue/nn/transformer.h>

/* What is not trained: nothing, the conv encoder, or all but projector and classifier. Frozen parts also run as in
 * inference: no dropout, no masks. */
typedef enum { HUBERT_FREEZE_NONE, HUBERT_FREEZE_FEATURE_ENCODER, HUBERT_FREEZE_BASE } HubertFreeze;

/* What can be frozen together. */
typedef enum { HUBERT_PART_ENCODER, HUBERT_PART_BASE, HUBERT_PART_HEAD } HubertPart;

typedef struct {
  SegueNnModel base;
  HubertFreeze freeze;

  /* As in config.json, in the order of the computation. */
  SegueNnConvEncoder encoder;
  gboolean has_feature_norm; /* feat_proj_layer_norm */
  SegueNnAffine feature_norm;
  SegueNnAffine projection;
  float feature_dropout; /* feat_proj_dropout */
  SegueNnSpecAugment masks;
  SegueNnPositionalConv positional;
  SegueNnAffine norm;             /* encoder.layer_norm */
  SegueNnTransformer transformer; /* norm_first: do_stable_layer_norm */
  guint n_layers;
  SegueNnTransformerLayer *layers;
  float layerdrop;
  SegueNnHead head;
  float initializer_range;

  guint rate;                  /* Hz */
  json_t *config;              /* config.json as loaded or made: unknown keys are kept */
  json_t *preprocessor_config; /* likewise */
  gboolean assumes_normalise;  /* its folder does not specify whether audio is normalised */
} HubertModel;

/* ---- config.c ---- */

/* Reads @config into the model, with HubertConfig's defaults for missing keys. Features that this plugin does not
 * support are refused by name. @where: the file, for messages. */
gboolean hubert_config_read (HubertModel *model, const json_t *config, const char *where,
                             GError **error);
/* @config (nullable): no such file; then Wav2Vec2FeatureExtractor's defaults. */
gboolean hubert_preprocessor_read (HubertModel *model, const json_t *config, const char *where,
                                   GError **error);
/* (transfer full): preprocessor_config.json, keeping other content of the loaded one. */
json_t *hubert_preprocessor_write (const HubertModel *model);

/* ---- network.c ---- */

/* Declares all tensors of a model whose labels are set, and marks what is frozen. */
gboolean hubert_declare (HubertModel *model, gboolean has_mask_embedding, GError **error);

/* The buffers of a pass. */
typedef struct {
  gsize batch, length;
  gsize frames, rows;                        /* T, B · T */
  gboolean train_encoder, train_base, train; /* keep the values that each part's backward needs */
  SegueNnConvEncoderBuffers encoder;
  float *feature_normed;              /* [B, T, C] */
  float *feature_mean, *feature_rstd; /* [B, T] */
  float *projected;                   /* [B, T, H]: h */
  SegueNnSpecAugmentBuffers masks;
  SegueNnPositionalConvBuffers positional;
  float *embedded; /* [B, T, H]: e */
  float *embedded_mean, *embedded_rstd;
  float *first; /* [B, T, H]: state 0 */
  SegueNnTransformerWorkspace stack;
  float *last; /* [B, T, H]: normed last state (do_stable_layer_norm) */
  float *last_mean, *last_rstd;
  SegueNnHeadBuffers head;
  float *d_state;    /* [B, T, H] */
  float *d_features; /* [B, T, C] */
} HubertWorkspace;

/* Lays out the workspace of a pass at @base (NULL: only measures). Returns its bytes, G_MAXSIZE where the sizes are
 * impossible. */
gsize hubert_lay (const HubertModel *model, gsize batch, gsize length, gboolean train,
                  gpointer base, HubertWorkspace *workspace);

/* Whether layerdrop leaves this layer out of this step, for the whole batch. */
gboolean hubert_is_skipped (const HubertModel *model, const HubertWorkspace *workspace,
                            const SegueModelPass *pass, guint layer);
/* State @state [B, T, H]: the input of that layer; `n_layers`: the last one's output. */
const float *hubert_get_state (const HubertModel *model, const HubertWorkspace *workspace,
                               const SegueModelPass *pass, guint state);
/* The last state, normed under do_stable_layer_norm. */
const float *hubert_last_forward (const HubertModel *model, HubertWorkspace *workspace,
                                  const SegueModelPass *pass);

void hubert_forward (const HubertModel *model, HubertWorkspace *workspace,
                     const SegueModelPass *pass);
void hubert_backward (const HubertModel *model, HubertWorkspace *workspace,
                      const SegueModelPass *pass, const float *d_logits);
/* Layers of the encoder: states 0 … n_layers, then the features. */
guint hubert_count_encoder_layers (const HubertModel *model);
/* Numbers per frame of encoder layer @layer. */
gsize hubert_get_encoder_width (const HubertModel *model, guint layer);
/* As hubert_lay(), for hubert_encode() of @layer. */
gsize hubert_lay_encoder (const HubertModel *model, gsize batch, gsize length, guint layer,
                          gpointer base, HubertWorkspace *workspace);
/* samples [B, length] → output [B, T, width of @layer]. */
void hubert_encode (const HubertModel *model, HubertWorkspace *workspace, guint layer,
                    const float *samples, float *output);

extern const SegueModelType hubert_model_type;
