#pragma once

#include <segue/nn/random.h>

G_BEGIN_DECLS

/* Multi-head self attention between its projections:
 *
 *   y_h = dropout (softmax (q_h k_hᵀ / √dim)) v_h      for each item and head h
 *
 * q, k, v and y are [batch, time, heads · dim], head h in channels h·dim … h·dim + dim − 1, as
 * the projections leave them; `stride` is the distance in floats between frames of q, k, v (and
 * dq, dk, dv), so that the three may be interleaved in one [batch, time, 3 · heads · dim]
 * buffer. y and dy are contiguous.
 *
 * Probabilities are never stored: the backward recomputes them, one block of rows at a time, from
 * q and k. That costs a sixth of the op's arithmetic and makes memory linear in time. */
typedef struct {
  gsize batch;
  gsize time;
  gsize heads;
  gsize dim;     /* of one head */
  gsize stride;  /* between frames of q, k and v; >= heads · dim */
  float dropout; /* on probabilities; 0 for inference */
} SegueNnAttention;

/* Floats of scratch; grows with the number of threads and with time, not with batch. */
SEGUE_API gsize segue_nn_attention_forward_scratch (SegueNnThreads *threads,
                                                    const SegueNnAttention *attention);
SEGUE_API gsize segue_nn_attention_backward_scratch (SegueNnThreads *threads,
                                                     const SegueNnAttention *attention);

/* key: of the dropout mask; the index of an element of item b is (head · time + row) · time +
 * column, see dropout.h. key and items may be NULL if dropout is 0. */
SEGUE_API void segue_nn_attention_forward (SegueNnThreads *threads,
                                           const SegueNnAttention *attention,
                                           const SegueNnRandomKey *key, const guint64 *items,
                                           const float *q, const float *k, const float *v, float *y,
                                           float *scratch);

/* dq, dk, dv are written; the same key as forward. */
SEGUE_API void segue_nn_attention_backward (SegueNnThreads *threads,
                                            const SegueNnAttention *attention,
                                            const SegueNnRandomKey *key, const guint64 *items,
                                            const float *q, const float *k, const float *v,
                                            const float *dy, float *dq, float *dk, float *dv,
                                            float *scratch);

G_END_DECLS
