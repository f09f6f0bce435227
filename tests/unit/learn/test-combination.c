/* Combination of models: rules and alignment compared with figures computed by hand. */
#include <math.h>
#include <segue/combination.h>

#define N 3

static void
assert_row (const float *row, double a, double b, double c)
{
  g_assert_cmpfloat_with_epsilon ((double) row[0], a, 1e-6);
  g_assert_cmpfloat_with_epsilon ((double) row[1], b, 1e-6);
  g_assert_cmpfloat_with_epsilon ((double) row[2], c, 1e-6);
}

static void
test_rules (void)
{
  static const double weights[] = { 0.75, 0.25 };
  const float one[] = { 0.8f, 0.1f, 0.1f, 0, 0, 1 }, other[] = { 0.2f, 0.5f, 0.3f, 0, 0, 1 };
  const float *const rows[] = { one, other };
  float mixed[2 * N];
  SegueCombination combination = { SEGUE_COMBINE_MEAN, 2, weights };
  segue_combination_mix (&combination, rows, 2, N, mixed);
  assert_row (mixed, 0.65, 0.2, 0.15);
  assert_row (mixed + N, 0, 0, 1);

  combination.rule = SEGUE_COMBINE_GEOMETRIC;
  segue_combination_mix (&combination, rows, 2, N, mixed);
  double a = pow (0.8, 0.75) * pow (0.2, 0.25), b = pow (0.1, 0.75) * pow (0.5, 0.25);
  double c = pow (0.1, 0.75) * pow (0.3, 0.25), sum = a + b + c;
  assert_row (mixed, a / sum, b / sum, c / sum);
  assert_row (mixed + N, 0, 0, 1);
}

/* The members exclude each other's labels: a distribution all the same. */
static void
test_contradiction (void)
{
  static const double weights[] = { 0.5, 0.5 };
  const float one[] = { 1, 0, 0 }, other[] = { 0, 1, 0 };
  const float *const rows[] = { one, other };
  float mixed[N];
  for (guint rule = 0; rule < SEGUE_N_COMBINATION_RULES; rule++) {
    const SegueCombination combination = { (SegueCombinationRule) rule, 2, weights };
    segue_combination_mix (&combination, rows, 1, N, mixed);
    assert_row (mixed, 0.5, 0.5, 0);
  }
}

/* A model alone keeps every bit. */
static void
test_alone (void)
{
  static const double weight = 1;
  const float row[] = { 0.1f, 0.7f, 0.2f };
  const float *const rows[] = { row };
  float mixed[N];
  segue_combination_mix (&(SegueCombination){ SEGUE_COMBINE_MEAN, 1, &weight }, rows, 1, N, mixed);
  g_assert_cmpmem (mixed, sizeof mixed, row, sizeof row);
}

static void
test_same_segments (void)
{
  /* They overlap, and are not in order. */
  static const SegueSpan spans[] = { { 5, 10 }, { 0, 10 }, { 10, 10 } };
  const float rows[] = { 0.1f, 0.9f, 0.2f, 0.8f, 0.3f, 0.7f };
  float aligned[6];
  segue_combination_align (spans, 3, spans, 3, rows, 2, aligned);
  g_assert_cmpmem (aligned, sizeof aligned, rows, sizeof rows);
}

/* Segments of 10 s, and of 4 s: middles 5, 15, 25 and 2, 6, 10, 14, 18, of which 10 is as near to 5 as to 15; none is
 * nearest to 25, to which 18 is. */
static void
test_other_segments (void)
{
  static const SegueSpan long_ones[] = { { 0, 10 }, { 10, 10 }, { 20, 10 } };
  static const SegueSpan short_ones[] = { { 0, 4 }, { 4, 4 }, { 8, 4 }, { 12, 4 }, { 16, 4 } };
  const float fine[] = { 0.1f, 0.9f, 0.2f, 0.8f, 0.3f, 0.7f, 0.6f, 0.4f, 0.8f, 0.2f };
  const float coarse[] = { 0.1f, 0.9f, 0.5f, 0.5f, 1, 0 };
  float aligned[10];
  segue_combination_align (long_ones, 3, short_ones, 5, fine, 2, aligned);
  static const double means[] = { 0.2, 0.7, 0.8 };
  for (guint s = 0; s < 3; s++)
    g_assert_cmpfloat_with_epsilon ((double) aligned[2 * s], means[s], 1e-6);

  segue_combination_align (short_ones, 5, long_ones, 3, coarse, 2, aligned);
  /* 2 and 6 have none but 6 is the nearest to 5; 25 counts at 18. */
  static const double nearest[] = { 0.1, 0.1, 0.1, 0.5, 1 };
  for (guint s = 0; s < 5; s++)
    g_assert_cmpfloat_with_epsilon ((double) aligned[2 * s], nearest[s], 1e-6);
}

/* One vector for the whole song counts at each segment, and all segments at it. */
static void
test_whole_song (void)
{
  static const SegueSpan whole = { 0, 60 };
  static const SegueSpan spans[] = { { 0, 10 }, { 20, 10 }, { 50, 10 } };
  const float rows[] = { 0.3f, 0.7f, 0.6f, 0.4f, 0.9f, 0.1f }, row[] = { 0.25f, 0.75f };
  float aligned[6];
  segue_combination_align (&whole, 1, spans, 3, rows, 2, aligned);
  g_assert_cmpfloat_with_epsilon ((double) aligned[0], 0.6, 1e-6);
  segue_combination_align (spans, 3, &whole, 1, row, 2, aligned);
  for (guint s = 0; s < 3; s++)
    g_assert_cmpfloat ((double) aligned[2 * s], ==, 0.25);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/combination/rules", test_rules);
  g_test_add_func ("/combination/contradiction", test_contradiction);
  g_test_add_func ("/combination/alone", test_alone);
  g_test_add_func ("/combination/same-segments", test_same_segments);
  g_test_add_func ("/combination/other-segments", test_other_segments);
  g_test_add_func ("/combination/whole-song", test_whole_song);
  return g_test_run ();
}
