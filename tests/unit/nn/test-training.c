/* Loss, optimiser, clipping, schedules, and the sums under them. Expected numbers that aren't
 * computed here are the output of torch 2 and transformers 4 for the same input. */
#include "op-test.h"

#include <math.h>
#include <segue/nn/cross-entropy.h>
#include <segue/nn/elementwise.h>
#include <segue/nn/optimiser.h>
#include <segue/nn/schedule.h>

typedef struct {
  SegueNnCrossEntropy loss;
  const gint32 *labels;
} Loss;

static const gint32 labels[] = { 2, 0, SEGUE_NN_IGNORE, 4, 4, 1, 3 };
static const float weights[] = { 0.5f, 2.0f, 1.0f, 0.25f, 3.0f };

static void
loss_forward (const OpTest *test, SegueNnThreads *threads, float *const *in, float *y, float *saved)
{
  const Loss *l = test->shape;
  y[0] = (float) segue_nn_cross_entropy_forward (&l->loss, in[0], l->labels, saved);
}

static void
loss_reference (const OpTest *test, double *const *in, double *y)
{
  const Loss *l = test->shape;
  const SegueNnCrossEntropy *c = &l->loss;
  double total = 0.0, divisor = 0.0, smoothing = (double) c->label_smoothing;
  for (gsize b = 0; b < c->batch; b++) {
    const double *x = in[0] + b * c->classes;
    double sum = 0.0;
    if (l->labels[b] == SEGUE_NN_IGNORE)
      continue;
    for (gsize i = 0; i < c->classes; i++)
      sum += exp (x[i]);
    for (gsize i = 0; i < c->classes; i++) {
      double w = c->class_weights ? (double) c->class_weights[i] : 1.0;
      double target = smoothing / (double) c->classes;
      if (i == (gsize) l->labels[b]) {
        target += 1.0 - smoothing;
        divisor += w;
      }
      total -= w * target * (x[i] - log (sum));
    }
  }
  y[0] = total / (c->divisor > 0.0 ? c->divisor : divisor);
}

static void
loss_backward (const OpTest *test, SegueNnThreads *threads, float *const *in, const float *y,
               const float *saved, const float *dy, float *const *grads)
{
  const Loss *l = test->shape;
  segue_nn_cross_entropy_backward (&l->loss, saved, l->labels, grads[0]);
  segue_nn_scale (threads, l->loss.batch * l->loss.classes, dy[0], grads[0]);
}

static void
test_cross_entropy (void)
{
  static const Loss losses[] = {
    { { 7, 5, 0.0f, NULL, 0.0 }, labels },     { { 7, 5, 0.1f, NULL, 0.0 }, labels },
    { { 7, 5, 0.1f, weights, 0.0 }, labels },  { { 7, 5, 0.0f, weights, 12.5 }, labels },
    { { 7, 5, 1.0f, weights, 0.0 }, labels },  { { 1, 5, 0.0f, NULL, 0.0 }, labels + 3 },
    { { 1, 1, 0.3f, NULL, 0.0 }, labels + 1 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (losses); i++) {
    gsize n = losses[i].loss.batch * losses[i].loss.classes;
    OpTest test = { .name = "cross-entropy",
                    .inputs = { { "logits", n, OP_INPUT, -4, 4 } },
                    .n_out = 1,
                    .n_saved = n,
                    .shape = &losses[i],
                    .forward = loss_forward,
                    .reference = loss_reference,
                    .backward = loss_backward };
    op_test_run (&test);
  }
}

static void
test_cross_entropy_torch (void)
{
  static const float logits[] = { 1.0f, -2.0f, 0.5f, 0.25f, 0.75f, -1.5f, 3.0f, 3.0f, -3.0f };
  static const float w[] = { 0.5f, 2.0f, 1.5f };
  static const gint32 all[] = { 0, 2, 1 }, some[] = { 0, -100, 1 };
  static const struct {
    SegueNnCrossEntropy loss;
    const gint32 *labels;
    double expected, first, last; /* of the gradient */
  } cases[] = {
    { { 3, 3, 0.0f, NULL, 0 }, all, 1.32886803150177, -0.1320836991071701, 0.0004126139101572335 },
    { { 3, 3, 0.1f, NULL, 0 },
      all,
      1.3899791240692139,
      -0.10986146330833435,
      -0.010698497295379639 },
    { { 3, 3, 0.2f, w, 0 }, all, 1.6031906604766846, -0.007708511780947447, -0.02442234195768833 },
    { { 3, 3, 0.1f, w, 0 }, some, 0.864730954170227, -0.04579191282391548, -0.019042735919356346 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    float p[9];
    double loss = segue_nn_cross_entropy_forward (&cases[i].loss, logits, cases[i].labels, p);
    segue_nn_cross_entropy_backward (&cases[i].loss, p, cases[i].labels, p);
    g_assert_cmpfloat_with_epsilon (loss, cases[i].expected, 1e-6);
    g_assert_cmpfloat_with_epsilon ((double) p[0], cases[i].first, 1e-7);
    g_assert_cmpfloat_with_epsilon ((double) p[8], cases[i].last, 1e-7);
  }
}

/* Parts of a step with the step's divisor add up to the step; nothing overflows; all ignored is
 * 0. */
static void
test_cross_entropy_parts (void)
{
  SegueNnCrossEntropy whole = { 7, 5, 0.1f, weights, 0.0 }, part = whole;
  g_autofree float *logits = op_test_random (1, 35, -4, 4);
  float p[35], parts[35];
  double loss = segue_nn_cross_entropy_forward (&whole, logits, labels, p), sum;
  segue_nn_cross_entropy_backward (&whole, p, labels, p);

  part.divisor = segue_nn_cross_entropy_divisor (&whole, labels);
  part.batch = 3;
  sum = segue_nn_cross_entropy_forward (&part, logits, labels, parts);
  segue_nn_cross_entropy_backward (&part, parts, labels, parts);
  part.batch = 4;
  sum += segue_nn_cross_entropy_forward (&part, logits + 15, labels + 3, parts + 15);
  segue_nn_cross_entropy_backward (&part, parts + 15, labels + 3, parts + 15);
  g_assert_cmpfloat_with_epsilon (sum, loss, 1e-12);
  for (gsize i = 0; i < 35; i++)
    g_assert_cmpfloat_with_epsilon ((double) parts[i], (double) p[i], 1e-8);

  SegueNnCrossEntropy one = { 1, 3, 0.0f, NULL, 0.0 };
  float far[] = { 3e38f, -3e38f, 0.0f };
  gint32 first = 0, none = SEGUE_NN_IGNORE;
  g_assert_cmpfloat (segue_nn_cross_entropy_forward (&one, far, &first, p), ==, 0.0);
  g_assert_cmpfloat (segue_nn_cross_entropy_forward (&one, far, &none, p), ==, 0.0);
  segue_nn_cross_entropy_backward (&one, p, &none, p);
  for (gsize i = 0; i < 3; i++)
    g_assert_cmpfloat ((double) p[i], ==, 0.0);
}

static void
test_adamw_torch (void)
{
  static const struct {
    double decay;
    float expected[4];
  } cases[] = {
    { 0.0, { 0x1.ce53d8p-2f, -0x1.38d14ap+0f, 0x1.7f6b0ep+1f, 0.0f } },
    { 0.1, { 0x1.cbdf64p-2f, -0x1.373e1ap+0f, 0x1.7d80d2p+1f, 0.0f } },
  };
  static const double m_expected[] = { 0.13144099712371826, 0.08588001132011414,
                                       4.0950998148048257e-10, 0.0 };
  static const double v_expected[] = { 0.0005495003424584866, 0.009980027563869953,
                                       4.9900098582851876e-21, 0.0 };
  g_autoptr (SegueNnThreads) threads = op_test_threads (1);
  const SegueNnAdamW adamw = SEGUE_NN_ADAMW_DEFAULT;

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    float w[] = { 0.5f, -1.25f, 3.0f, 0.0f }, m[4] = { 0 }, v[4] = { 0 };
    for (guint step = 1; step <= 5; step++) {
      /* half the gradient, scaled by two: as clipping would */
      float dw[] = { 0.05f * (float) step, (-3.0f + (float) step) / 2.0f, 5e-10f, 0.0f };
      segue_nn_adamw_step (threads, &adamw, step, 1e-2, cases[i].decay, 2.0f, 4, dw, m, v, w);
    }
    for (gsize j = 0; j < 4; j++) {
      double size = fabs ((double) cases[i].expected[j]);
      g_assert_cmpfloat_with_epsilon ((double) w[j], (double) cases[i].expected[j],
                                      2.5e-7 * size + 1e-30);
      g_assert_cmpfloat_with_epsilon ((double) m[j], m_expected[j], 3e-7 * m_expected[j] + 1e-30);
      g_assert_cmpfloat_with_epsilon ((double) v[j], v_expected[j], 3e-7 * v_expected[j] + 1e-30);
    }
  }
}

/* Many elements against the formula in double, and the same bits on any number of threads. */
static void
test_adamw_many (void)
{
  enum { N = 40003 };
  const SegueNnAdamW adamw = { 0.8, 0.99, 1e-6 };
  g_autofree float *first = NULL;
  for (guint n_threads = 1; n_threads <= 4; n_threads++) {
    g_autoptr (SegueNnThreads) threads = op_test_threads (n_threads);
    g_autofree float *w = op_test_random (1, N, -1, 1), *dw = op_test_random (2, N, -1, 1);
    g_autofree float *m = op_test_random (3, N, -1, 1), *v = op_test_random (4, N, 0, 1);
    g_autofree float *before = g_memdup2 (w, N * sizeof *w);
    g_autofree float *m_before = g_memdup2 (m, N * sizeof *m);
    g_autofree float *v_before = g_memdup2 (v, N * sizeof *v);
    segue_nn_adamw_step (threads, &adamw, 10, 1e-3, 0.01, 0.5f, N, dw, m, v, w);
    for (gsize i = 0; i < N; i++) {
      double g = 0.5 * (double) dw[i];
      double mi = 0.8 * (double) m_before[i] + 0.2 * g;
      double vi = 0.99 * (double) v_before[i] + 0.01 * g * g;
      double denominator = sqrt (vi / (1.0 - pow (0.99, 10))) + 1e-6;
      double wi =
        (double) before[i] * (1.0 - 1e-5) - 1e-3 / (1.0 - pow (0.8, 10)) * mi / denominator;
      g_assert_cmpfloat_with_epsilon ((double) w[i], wi, 3e-7);
    }
    if (!first)
      first = g_memdup2 (w, N * sizeof *w);
    g_assert_cmpmem (w, N * sizeof *w, first, N * sizeof *first);
  }
}

static void
test_clipping (void)
{
  g_autoptr (SegueNnThreads) threads = op_test_threads (2);
  const float a[] = { 3.0f, 4.0f, 0.0f }, b[] = { 12.0f };
  const float *grads[] = { a, NULL, b };
  const gsize sizes[] = { 3, 9, 1 };
  double norm = segue_nn_grad_norm (threads, 3, grads, sizes);
  g_assert_cmpfloat (norm, ==, 13.0);
  g_assert_cmpfloat_with_epsilon ((double) (segue_nn_clip_coefficient (norm, 1.0) * a[0]),
                                  0.23076921701431274, 1e-8);
  g_assert_cmpfloat ((double) segue_nn_clip_coefficient (0.5, 1.0), ==, 1.0);
  g_assert_cmpfloat ((double) segue_nn_clip_coefficient (0.0, 1.0), ==, 1.0);
  g_assert_cmpfloat ((double) segue_nn_clip_coefficient (1e30, 0.0), ==, 1.0);
  g_assert_cmpfloat ((double) segue_nn_clip_coefficient ((double) NAN, 1.0), ==, 0.0);
  g_assert_cmpfloat ((double) segue_nn_clip_coefficient ((double) INFINITY, 0.0), ==, 0.0);

  const float bad[] = { 1.0f, NAN };
  const float *broken[] = { bad };
  const gsize two = 2;
  g_assert_true (isnan (segue_nn_grad_norm (threads, 1, broken, &two)));
}

static void
assert_schedule (SegueNnSchedule schedule, const double *expected, gsize n)
{
  for (gsize i = 0; i < n; i++)
    g_assert_cmpfloat_with_epsilon (segue_nn_schedule_factor (&schedule, i), expected[i], 1e-12);
}

static void
test_schedules (void)
{
  static const double linear[] = { 0.0,
                                   0.25,
                                   0.5,
                                   0.75,
                                   1.0,
                                   0.8888888888888888,
                                   0.7777777777777778,
                                   0.6666666666666666,
                                   0.5555555555555556,
                                   0.4444444444444444,
                                   0.3333333333333333,
                                   0.2222222222222222,
                                   0.1111111111111111,
                                   0.0,
                                   0.0,
                                   0.0 };
  static const double cosine[] = { 0.0,
                                   0.25,
                                   0.5,
                                   0.75,
                                   1.0,
                                   0.9698463103929542,
                                   0.883022221559489,
                                   0.75,
                                   0.5868240888334653,
                                   0.41317591116653485,
                                   0.2500000000000001,
                                   0.11697777844051105,
                                   0.03015368960704584,
                                   0.0 };
  static const double constant[] = { 0.0, 0.3333333333333333, 0.6666666666666666, 1.0, 1.0, 1.0 };
  static const double no_warmup[] = { 1.0, 0.8, 0.6, 0.4, 0.2, 0.0, 0.0 };
  static const double one_cycle[] = { 0.04,
                                      0.52,
                                      1.0,
                                      0.9504846320134737,
                                      0.8117456539497631,
                                      0.6112620219362893,
                                      0.38874197806371075,
                                      0.18825834605023697,
                                      0.049519367986526286,
                                      4e-6,
                                      4e-6 };
  assert_schedule ((SegueNnSchedule){ SEGUE_SCHEDULE_LINEAR, 4, 13 }, linear,
                   G_N_ELEMENTS (linear));
  assert_schedule ((SegueNnSchedule){ SEGUE_SCHEDULE_COSINE, 4, 13 }, cosine,
                   G_N_ELEMENTS (cosine));
  assert_schedule ((SegueNnSchedule){ SEGUE_SCHEDULE_CONSTANT, 3, 6 }, constant,
                   G_N_ELEMENTS (constant));
  assert_schedule ((SegueNnSchedule){ SEGUE_SCHEDULE_LINEAR, 0, 5 }, no_warmup,
                   G_N_ELEMENTS (no_warmup));
  assert_schedule ((SegueNnSchedule){ SEGUE_SCHEDULE_ONE_CYCLE, 3, 10 }, one_cycle,
                   G_N_ELEMENTS (one_cycle));
}

/* Any schedule, however unusual its numbers, stays within 0 … 1. */
static void
test_schedule_corners (void)
{
  for (SegueSchedule kind = 0; kind < SEGUE_N_SCHEDULES; kind++) {
    for (guint64 warmup = 0; warmup < 5; warmup++) {
      for (guint64 total = 1; total < 5; total++) {
        SegueNnSchedule schedule = { kind, warmup, total };
        for (guint64 step = 0; step < 7; step++) {
          double factor = segue_nn_schedule_factor (&schedule, step);
          g_assert_true (factor >= 0.0 && factor <= 1.0);
        }
      }
    }
  }
}

/* Sums and maps over odd sizes, on 1 … 4 threads. */
static void
test_elementwise (void)
{
  static const gsize sizes[] = { 0, 1, 15, 16384, 16385, 70001 };
  for (gsize s = 0; s < G_N_ELEMENTS (sizes); s++) {
    gsize n = sizes[s];
    g_autofree float *a = op_test_random (1, n, -1, 1), *b = op_test_random (2, n, -1, 1);
    double first = 0.0, exact = 0.0;
    for (gsize i = 0; i < n; i++)
      exact += (double) a[i] * (double) b[i];
    for (guint n_threads = 1; n_threads <= 4; n_threads++) {
      g_autoptr (SegueNnThreads) threads = op_test_threads (n_threads);
      g_autofree float *y = g_new (float, n + 1);
      y[n] = 42.0f;
      double dot = segue_nn_dot (threads, n, a, b);
      if (n_threads == 1)
        first = dot;
      g_assert_true (dot == first);
      g_assert_cmpfloat_with_epsilon (dot, exact, 1e-9);

      segue_nn_add (threads, n, a, b, y);
      segue_nn_accumulate (threads, n, 0.5f, a, y);
      segue_nn_scale (threads, n, 2.0f, y);
      for (gsize i = 0; i < n; i++)
        g_assert_cmpfloat_with_epsilon ((double) y[i], 3.0 * (double) a[i] + 2.0 * (double) b[i],
                                        1e-6);
      segue_nn_copy (threads, n, a, y);
      segue_nn_add (threads, n, y, b, y);
      segue_nn_fill (threads, n / 2, 7.0f, y);
      for (gsize i = 0; i < n; i++)
        g_assert_true (y[i] == (i < n / 2 ? 7.0f : a[i] + b[i]));
      g_assert_true (y[n] == 42.0f);
    }
  }
}

static void
test_all_finite (void)
{
  enum { N = 50000 };
  g_autoptr (SegueNnThreads) threads = op_test_threads (3);
  g_autofree float *x = op_test_random (1, N, -3e38, 3e38);
  static const gsize places[] = { 0, 1, 16383, 16384, N - 1 };
  const float bad[] = { NAN, INFINITY, -INFINITY };
  g_assert_true (segue_nn_all_finite (threads, N, x));
  g_assert_true (segue_nn_all_finite (threads, 0, x));
  for (gsize i = 0; i < G_N_ELEMENTS (places); i++) {
    for (gsize j = 0; j < G_N_ELEMENTS (bad); j++) {
      float was = x[places[i]];
      x[places[i]] = bad[j];
      g_assert_false (segue_nn_all_finite (threads, N, x));
      x[places[i]] = was;
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nn/cross-entropy/op", test_cross_entropy);
  g_test_add_func ("/nn/cross-entropy/torch", test_cross_entropy_torch);
  g_test_add_func ("/nn/cross-entropy/parts", test_cross_entropy_parts);
  g_test_add_func ("/nn/adamw/torch", test_adamw_torch);
  g_test_add_func ("/nn/adamw/many", test_adamw_many);
  g_test_add_func ("/nn/clipping", test_clipping);
  g_test_add_func ("/nn/schedule/reference", test_schedules);
  g_test_add_func ("/nn/schedule/corners", test_schedule_corners);
  g_test_add_func ("/nn/elementwise/maps", test_elementwise);
  g_test_add_func ("/nn/elementwise/all-finite", test_all_finite);
  return g_test_run ();
}
