/* The table of weights (internal). */
#pragma once

#include <segue/nn/weights.h>

/* One tensor. @offset: floats, in the arena of values and in that of gradients */
typedef struct {
  SegueNnTensor as_declared; /* its name is owned */
  gsize n_elements;
  gsize offset;
  gboolean trained;
  SegueNnWeight *weight;
} NnTensor;

typedef struct {
  float **place;
  gsize offset; /* floats, in the arena of derived values */
} NnDerived;

/* A matrix that is kept: of a weight, or of what is derived. */
typedef struct {
  const SegueNnWeight *weight;
  float *const *place;
  gsize rows, columns;
} NnKeptMatrix;

struct _SegueNnWeights {
  GArray *tensors; /* NnTensor */
  GArray *derived; /* NnDerived */
  GArray *kept;    /* NnKeptMatrix */
  gsize n_floats, n_derived;
  gboolean overflow;
  float *values, *gradients, *beside; /* aligned, in @blocks */
  gpointer blocks[3];
};

static inline const NnTensor *
nn_weights_at (const SegueNnWeights *weights, guint i)
{
  return &g_array_index (weights->tensors, NnTensor, i);
}

/* Initial values for tensor i. */
gboolean nn_weights_init_one (const SegueNnWeights *weights, SegueNnThreads *threads, guint i,
                              guint64 seed, gpointer data, GError **error);
/* Converts torch's order to the layout in memory, and back. */
void nn_tensor_pack (SegueNnThreads *threads, const NnTensor *tensor, const float *file,
                     float *memory);
void nn_tensor_unpack (SegueNnThreads *threads, const NnTensor *tensor, const float *memory,
                       float *file);
/* FALSE, with SEGUE_ERROR_RESOURCE. */
gboolean nn_weights_no_memory (GError **error);
