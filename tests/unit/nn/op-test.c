#include "op-test.h"

#include <math.h>
#include <string.h>

#define SAMPLES 24   /* elements of an input whose derivatives are checked one by one */
#define STEP    1e-5 /* of a central difference in double: truncation 1e-10, rounding 1e-11 */

typedef struct {
  const OpTest *test;
  guint n_inputs;
  float *in[OP_MAX_INPUTS];
  double *exact[OP_MAX_INPUTS]; /* the same values in double */
  float *before[OP_MAX_INPUTS]; /* initial values that the gradients of parameters are added to */
  float *grads[OP_MAX_INPUTS];  /* of one thread */
  float *y, *saved, *dy;
} Run;

G_GNUC_PRINTF (1, 2)
static void
fail (const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);
  g_assertion_message (G_LOG_DOMAIN, __FILE__, __LINE__, G_STRFUNC, message);
}

double
op_test_uniform (guint64 seed, gsize index)
{
  /* splitmix64: independent of the code under test */
  guint64 z = seed * G_GUINT64_CONSTANT (0xD1342543DE82EF95) + index;
  z += G_GUINT64_CONSTANT (0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94D049BB133111EB);
  return (double) ((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

float *
op_test_random (guint64 seed, gsize n, double low, double high)
{
  float *x = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    x[i] = (float) (low + (high - low) * op_test_uniform (seed, i));
  return x;
}

SegueNnThreads *
op_test_threads (guint n_threads)
{
  g_autoptr (GError) error = NULL;
  SegueNnThreads *threads = segue_nn_threads_new (n_threads, NULL, &error);
  g_assert_no_error (error);
  return threads;
}

static void
run_start (Run *run, const OpTest *test)
{
  *run = (Run){ .test = test };
  while (run->n_inputs < OP_MAX_INPUTS && test->inputs[run->n_inputs].name)
    run->n_inputs++;
  for (guint i = 0; i < run->n_inputs; i++) {
    const OpInput *input = &test->inputs[i];
    gboolean given = input->low != 0.0 || input->high != 0.0;
    run->in[i] =
      op_test_random (i + 1, input->n, given ? input->low : -1.0, given ? input->high : 1.0);
    run->before[i] = op_test_random (i + 101, input->n, -1.0, 1.0);
    run->exact[i] = g_new (double, input->n);
    for (gsize j = 0; j < input->n; j++)
      run->exact[i][j] = (double) run->in[i][j];
  }
  run->dy = op_test_random (99, test->n_out, -1.0, 1.0);
}

static void
run_finish (Run *run)
{
  for (guint i = 0; i < run->n_inputs; i++) {
    g_free (run->in[i]);
    g_free (run->exact[i]);
    g_free (run->before[i]);
    g_free (run->grads[i]);
  }
  g_free (run->y);
  g_free (run->saved);
  g_free (run->dy);
}

/* Not a number: unwritten elements stay visible. */
static float *
new_poisoned (gsize n)
{
  float *x = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    x[i] = NAN;
  return x;
}

static void
assert_same_bits (const OpTest *test, const char *what, guint n_threads, const float *a,
                  const float *b, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (memcmp (&a[i], &b[i], sizeof *a) != 0)
      fail ("%s: %s[%zu] with %u threads is %.9g, was %.9g", test->name, what, i, n_threads,
            (double) b[i], (double) a[i]);
}

static void
forward (Run *run, SegueNnThreads *threads, float **y, float **saved)
{
  *y = new_poisoned (run->test->n_out);
  *saved = new_poisoned (run->test->n_saved);
  run->test->forward (run->test, threads, run->in, *y, *saved);
}

/* Gradients of all inputs, or with only >= 0 only of that one. */
static void
backward (Run *run, SegueNnThreads *threads, gint only, float **grads)
{
  for (guint i = 0; i < run->n_inputs; i++) {
    const OpInput *input = &run->test->inputs[i];
    if (input->role == OP_CONSTANT || (only >= 0 && only != (gint) i))
      grads[i] = NULL;
    else if (input->role == OP_PARAMETER)
      grads[i] = g_memdup2 (run->before[i], input->n * sizeof (float));
    else
      grads[i] = new_poisoned (input->n);
  }
  run->test->backward (run->test, threads, run->in, run->y, run->saved, run->dy, grads);
}

static double
largest (const double *x, gsize n)
{
  double most = 0.0;
  for (gsize i = 0; i < n; i++)
    most = MAX (most, fabs (x[i]));
  return most;
}

static void
check_forward (Run *run)
{
  const OpTest *test = run->test;
  g_autofree double *expected = g_new (double, test->n_out);
  test->reference (test, run->exact, expected);

  double tolerance = test->tolerance > 0.0 ? test->tolerance : 2e-6;
  double allowed = tolerance * MAX (largest (expected, test->n_out), 1e-3);
  for (gsize i = 0; i < test->n_out; i++)
    if (!(fabs ((double) run->y[i] - expected[i]) <= allowed))
      fail ("%s: y[%zu] is %.9g, should be %.9g ± %.2g", test->name, i, (double) run->y[i],
            expected[i], allowed);
}

/* Σ dy · y of the reference. */
static double
objective (Run *run, double *y)
{
  double sum = 0.0;
  run->test->reference (run->test, run->exact, y);
  for (gsize i = 0; i < run->test->n_out; i++)
    sum += (double) run->dy[i] * y[i];
  return sum;
}

static double
difference_at (Run *run, guint input, gsize element, double *y)
{
  double *x = &run->exact[input][element], was = *x;
  *x = was + STEP;
  double after = objective (run, y);
  *x = was - STEP;
  double before = objective (run, y);
  *x = was;
  return (after - before) / (2.0 * STEP);
}

/* Along a direction of ±1s through a whole input. */
static double
difference_along (Run *run, guint input, const double *direction, double *y)
{
  double *x = run->exact[input], sides[2];
  gsize n = run->test->inputs[input].n;
  for (guint side = 0; side < 2; side++) {
    for (gsize j = 0; j < n; j++)
      x[j] = (double) run->in[input][j] + (side == 0 ? STEP : -STEP) * direction[j];
    sides[side] = objective (run, y);
  }
  for (gsize j = 0; j < n; j++)
    x[j] = (double) run->in[input][j];
  return (sides[0] - sides[1]) / (2.0 * STEP);
}

/* The gradient computed by the op, without the initial value of a parameter's gradient. */
static double
gradient_at (Run *run, guint input, gsize element)
{
  gboolean added = run->test->inputs[input].role == OP_PARAMETER;
  return (double) run->grads[input][element] - (added ? (double) run->before[input][element] : 0.0);
}

static void
check_gradient (Run *run, guint input)
{
  const OpTest *test = run->test;
  const OpInput *in = &test->inputs[input];
  g_autofree double *y = g_new (double, test->n_out);
  g_autofree double *direction = g_new (double, in->n);
  gsize n_samples = MIN (in->n, SAMPLES);
  double numeric[SAMPLES], along = 0.0, scale = 1.0, norm = 0.0;
  gsize at[SAMPLES];

  for (gsize s = 0; s < n_samples; s++) {
    at[s] = n_samples == in->n ? s : (gsize) (op_test_uniform (7, s) * (double) in->n);
    numeric[s] = difference_at (run, input, at[s], y);
    scale = MAX (scale, fabs (numeric[s]));
  }
  double tolerance = test->gradient_tolerance > 0.0 ? test->gradient_tolerance : 1e-5;
  for (gsize s = 0; s < n_samples; s++)
    if (!(fabs (gradient_at (run, input, at[s]) - numeric[s]) <= tolerance * scale))
      fail ("%s: gradient of %s[%zu] is %.9g, should be %.9g ± %.2g", test->name, in->name, at[s],
            gradient_at (run, input, at[s]), numeric[s], tolerance * scale);

  for (gsize j = 0; j < in->n; j++) {
    direction[j] = op_test_uniform (8, j) < 0.5 ? -1.0 : 1.0;
    along += direction[j] * gradient_at (run, input, j);
    norm += gradient_at (run, input, j) * gradient_at (run, input, j);
  }
  /* Errors of n elements add up like √n of them; so does the norm. */
  double expected = difference_along (run, input, direction, y);
  double allowed = 4.0 * tolerance * (scale * sqrt ((double) in->n) + sqrt (norm));
  if (!(fabs (along - expected) <= allowed))
    fail ("%s: derivative along a direction of %s is %.9g, should be %.9g ± %.2g", test->name,
          in->name, along, expected, allowed);
}

static void
check_threads (Run *run, guint n_threads)
{
  g_autoptr (SegueNnThreads) threads = op_test_threads (n_threads);
  g_autofree float *y = NULL, *saved = NULL;
  float *grads[OP_MAX_INPUTS];

  forward (run, threads, &y, &saved);
  assert_same_bits (run->test, "y", n_threads, run->y, y, run->test->n_out);
  assert_same_bits (run->test, "saved", n_threads, run->saved, saved, run->test->n_saved);
  if (!run->test->backward)
    return;
  backward (run, threads, -1, grads);
  for (guint i = 0; i < run->n_inputs; i++) {
    const OpInput *input = &run->test->inputs[i];
    if (input->role != OP_CONSTANT)
      assert_same_bits (run->test, input->name, n_threads, run->grads[i], grads[i], input->n);
    g_free (grads[i]);
  }
}

static void
check_alone (Run *run, SegueNnThreads *threads, guint input)
{
  float *grads[OP_MAX_INPUTS];
  backward (run, threads, (gint) input, grads);
  assert_same_bits (run->test, run->test->inputs[input].name, 1, run->grads[input], grads[input],
                    run->test->inputs[input].n);
  g_free (grads[input]);
}

void
op_test_run (const OpTest *test)
{
  g_autoptr (SegueNnThreads) threads = op_test_threads (1);
  Run run;
  run_start (&run, test);

  forward (&run, threads, &run.y, &run.saved);
  check_forward (&run);
  if (test->backward) {
    backward (&run, threads, -1, run.grads);
    for (guint i = 0; i < run.n_inputs; i++) {
      if (test->inputs[i].role == OP_CONSTANT)
        continue;
      check_gradient (&run, i);
      if (!test->all_gradients)
        check_alone (&run, threads, i);
    }
  }
  for (guint n_threads = 2; n_threads <= 4; n_threads++)
    check_threads (&run, n_threads);
  run_finish (&run);
}
