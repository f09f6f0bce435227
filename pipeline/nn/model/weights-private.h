/* The table of weights (internal). */
#pragma once

#include "../kept.h"

#include <segue/nn/weights.h>

/* Flags of what belongs to the classifier. */
#define NN_WEIGHT_ANY_HEAD (SEGUE_NN_WEIGHT_HEAD | SEGUE_NN_WEIGHT_LABELS)

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

typedef struct {
  SegueNnDeriveFunc derive;
  gpointer layer;
} NnDerive;

typedef struct {
  SegueNnWeight *weight;
  SegueNnKeep keep;
  SegueNnKept kept;
} NnKeptWeight;

struct _SegueNnWeights {
  GArray *tensors;   /* NnTensor */
  GArray *derived;   /* NnDerived */
  GArray *derive;    /* NnDerive */
  GPtrArray *kept;   /* NnKeptWeight */
  gboolean is_fresh; /* what is derived */
  gsize n_floats, n_derived;
  gboolean overflow, headless;
  float *values, *gradients, *beside; /* aligned, in @blocks */
  gpointer blocks[3];
};

static inline const NnTensor *
nn_weights_at (const SegueNnWeights *weights, guint i)
{
  return &g_array_index (weights->tensors, NnTensor, i);
}

/* What is declared from now on as part of the classifier is ignored. */
void nn_weights_set_headless (SegueNnWeights *weights);
/* Initial values for tensor i. */
void nn_weights_init_one (const SegueNnWeights *weights, SegueNnThreads *threads, guint i,
                          guint64 seed);
/* Converts torch's order to the layout in memory, and back. */
void nn_tensor_pack (SegueNnThreads *threads, const NnTensor *tensor, const float *file,
                     float *memory);
void nn_tensor_unpack (SegueNnThreads *threads, const NnTensor *tensor, const float *memory,
                       float *file);
/* FALSE, with SEGUE_ERROR_RESOURCE. */
gboolean nn_weights_no_memory (GError **error);
