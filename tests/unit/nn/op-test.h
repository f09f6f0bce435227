/* One harness for every differentiable op. A test gives the op's shapes, calls its forward and
 * backward, and defines in a few plain loops over double what it should compute; the harness does
 * the rest:
 *
 * - the forward matches the reference;
 * - gradients match central differences of the reference, element by element (all of them where
 *   they are few, a sample where they are many) and along one random direction through all
 *   elements;
 * - gradients of parameters are added to the previous values, those of inputs overwrite them;
 * - each gradient may be omitted (NULL) without changing the others;
 * - 1, 2, 3 and 4 threads give the same bits.
 *
 * Buffers have exactly the required length, so that AddressSanitizer detects accesses outside. */
#pragma once

#include <segue/nn/threads.h>

#define OP_MAX_INPUTS 8

typedef enum {
  OP_INPUT,     /* its gradient is written */
  OP_PARAMETER, /* its gradient is added to */
  OP_CONSTANT,  /* has no gradient */
} OpRole;

typedef struct {
  const char *name;
  gsize n;
  OpRole role;
  double low, high; /* values are uniform in between; both 0 means −1 … 1 */
} OpInput;

typedef struct _OpTest OpTest;

struct _OpTest {
  const char *name;
  OpInput inputs[OP_MAX_INPUTS]; /* up to the first without a name */
  gsize n_out;
  gsize n_saved; /* floats that forward leaves for backward */
  gconstpointer shape;

  void (*forward) (const OpTest *test, SegueNnThreads *threads, float *const *in, float *y,
                   float *saved);
  void (*reference) (const OpTest *test, double *const *in, double *y);
  /* grads[i] is NULL for constants and for gradients that are omitted. */
  void (*backward) (const OpTest *test, SegueNnThreads *threads, float *const *in, const float *y,
                    const float *saved, const float *dy, float *const *grads);
  gboolean all_gradients; /* the op computes all gradients or none: no NULLs */

  /* Greatest error allowed, in units of the largest magnitude; 0: 2e-6 of values and 1e-5 of
   * gradients, some tens of roundings of a float. */
  double tolerance;
  double gradient_tolerance;
};

void op_test_run (const OpTest *test);

/* Threads for tests that need no more than these; aborts on failure. */
SegueNnThreads *op_test_threads (guint n_threads);

/* n values, uniform in [low, high), the same for the same seed. Free with g_free (). */
float *op_test_random (guint64 seed, gsize n, double low, double high);

/* The same without memory for floats: one deterministic number in [0, 1). */
double op_test_uniform (guint64 seed, gsize index);
