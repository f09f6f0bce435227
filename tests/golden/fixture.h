/* Shared by the golden tests: a fixture's folder, its reference numbers, and a model on it. */
#pragma once

#include "folder.h"

#include <segue/encoder.h>

/* A model with the data of one pass. */
typedef struct {
  HubertModel *model;
  guint batch;
  gsize length;
  float *samples;  /* [B, length] */
  gint32 *labels;  /* [B] */
  guint64 *items;  /* [B] */
  float *logits;   /* [B, labels] */
  float *d_logits; /* [B, labels] */
  gpointer block;
  gpointer workspace;
  HubertWorkspace layout;
  SegueModelPass pass;
} GoldenRun;

/* All training settings, as in config.json. */
extern const HubertParams golden_as_the_folder;

char *golden_folder (const char *fixture);
/* The fixture's golden.safetensors, or another file of it; a failure ends the test. */
SegueSafetensors *golden_open (const char *fixture, const char *file);
/* (transfer full) the tensor `name` as float32, and its number of elements. */
float *golden_read (SegueSafetensors *file, const char *name, gsize *n);

/* Loads @folder with @params and the samples and labels of @reference; workspace for training. */
GoldenRun *golden_run_new (const char *folder, const HubertParams *params,
                           SegueSafetensors *reference, guint threads);
/* Takes @model, copies samples [batch, length] and labels. */
GoldenRun *golden_run_from_model (HubertModel *model, guint batch, gsize length,
                                  const float *samples, const gint32 *labels);
void golden_run_free (GoldenRun *run);

/* A pass in training mode with the loss (mean cross-entropy) and d_logits. */
double golden_run_forward (GoldenRun *run);
void golden_run_backward (GoldenRun *run);
void golden_run_zero_gradients (GoldenRun *run);
/* (transfer full) the gradient of a tensor in torch's order. */
float *golden_gradient (const GoldenRun *run, const SegueModelTensor *tensor, guint index);

/* (transfer full): layer @layer of a model as an encoder, [batch, T, width of the layer]. */
float *golden_encode (HubertModel *model, guint layer, guint batch, gsize length,
                      const float *samples);

/* max |a − b| / max |b|. */
double golden_max_difference (const float *a, const float *b, gsize n);
/* ‖a − b‖ and ‖a‖. */
double golden_distance (const float *a, const float *b, gsize n);
double golden_norm (const float *a, gsize n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GoldenRun, golden_run_free)
