/* Aggregation of segments: each method compared with figures computed by hand. */
#include <math.h>
#include <segue/host/predict.h>
#include <string.h>

#define N 3

static guint
aggregate (SegueAggregation aggregation, const float *rows, guint n, float *song)
{
  guint best = segue_song_aggregate (aggregation, rows, n, N, song);
  float sum = 0;
  for (guint c = 0; c < N; c++) {
    g_assert_cmpfloat (song[c], >=, 0);
    sum += song[c];
  }
  g_assert_cmpfloat_with_epsilon (sum, 1, 1e-6f);
  return best;
}

static void
assert_song (const float *song, double a, double b, double c)
{
  g_assert_cmpfloat_with_epsilon ((double) song[0], a, 1e-6);
  g_assert_cmpfloat_with_epsilon ((double) song[1], b, 1e-6);
  g_assert_cmpfloat_with_epsilon ((double) song[2], c, 1e-6);
}

/* One song for which they differ. */
static void
test_worked_example (void)
{
  const float rows[] = { 0.8f, 0.1f, 0.1f, 0.3f, 0.4f, 0.3f, 0.3f, 0.4f, 0.3f };
  float song[N];
  g_assert_cmpuint (aggregate (SEGUE_AGGREGATE_MEAN_PROBABILITY, rows, 3, song), ==, 0);
  assert_song (song, 1.4 / 3, 0.9 / 3, 0.7 / 3);

  double a = cbrt (0.8 * 0.3 * 0.3), b = cbrt (0.1 * 0.4 * 0.4), c = cbrt (0.1 * 0.3 * 0.3);
  g_assert_cmpuint (aggregate (SEGUE_AGGREGATE_MEAN_LOGIT, rows, 3, song), ==, 0);
  assert_song (song, a / (a + b + c), b / (a + b + c), c / (a + b + c));

  g_assert_cmpuint (aggregate (SEGUE_AGGREGATE_VOTE, rows, 3, song), ==, 1);
  assert_song (song, 1.0 / 3, 2.0 / 3, 0);

  double sure = 1 + (0.8 * log (0.8) + 0.2 * log (0.1)) / log (3);
  double unsure = 1 + (0.6 * log (0.3) + 0.4 * log (0.4)) / log (3);
  double whole = sure + 2 * unsure;
  g_assert_cmpuint (aggregate (SEGUE_AGGREGATE_CONFIDENCE_WEIGHTED, rows, 3, song), ==, 0);
  assert_song (song, (sure * 0.8 + unsure * 0.6) / whole, (sure * 0.1 + unsure * 0.8) / whole,
               (sure * 0.1 + unsure * 0.6) / whole);
}

/* A label with probability 0 in one segment is not excluded forever, and nothing is infinite. */
static void
test_certain (void)
{
  const float rows[] = { 1, 0, 0, 0, 1, 0, 0, 1, 0 };
  float song[N];
  for (guint i = 0; i < SEGUE_N_AGGREGATIONS; i++)
    g_assert_cmpuint (aggregate ((SegueAggregation) i, rows, 3, song), ==, 1);
  const float lost[] = { 1, 0, 0, 0, 1, 0 };
  g_assert_cmpuint (aggregate (SEGUE_AGGREGATE_MEAN_LOGIT, lost, 2, song), ==, 0);
  assert_song (song, 0.5, 0.5, 0);
}

/* Tied votes are decided by mean probability; other ties by order. */
static void
test_ties (void)
{
  const float rows[] = { 0.5f, 0.3f, 0.2f, 0.1f, 0.2f, 0.7f };
  float song[N];
  g_assert_cmpuint (aggregate (SEGUE_AGGREGATE_VOTE, rows, 2, song), ==, 2);
  assert_song (song, 0.5, 0, 0.5);
  const float even[] = { 0.5f, 0.25f, 0.25f, 0.25f, 0.5f, 0.25f };
  for (guint i = 0; i < SEGUE_N_AGGREGATIONS; i++)
    g_assert_cmpuint (aggregate ((SegueAggregation) i, even, 2, song), ==, 0);
}

/* Where all segments are uniform, they have equal weights; where only one is not, it alone counts. */
static void
test_nothing_known (void)
{
  const float third = 1.0f / 3;
  const float rows[] = { third, third, third, third, third, third };
  float song[N];
  aggregate (SEGUE_AGGREGATE_CONFIDENCE_WEIGHTED, rows, 2, song);
  assert_song (song, 1.0 / 3, 1.0 / 3, 1.0 / 3);
  const float one[] = { third, third, third, 0, 0.5f, 0.5f };
  aggregate (SEGUE_AGGREGATE_CONFIDENCE_WEIGHTED, one, 2, song);
  assert_song (song, 0, 0.5, 0.5);
}

static void
test_one_of_each (void)
{
  const float row[] = { 0.2f, 0.5f, 0.3f }, label[] = { 1, 1 };
  float song[N], only;
  for (guint i = 0; i < SEGUE_N_AGGREGATIONS; i++) {
    g_assert_cmpuint (aggregate ((SegueAggregation) i, row, 1, song), ==, 1);
    if (i != SEGUE_AGGREGATE_VOTE)
      assert_song (song, 0.2, 0.5, 0.3);
    g_assert_cmpuint (segue_song_aggregate ((SegueAggregation) i, label, 2, 1, &only), ==, 0);
    g_assert_cmpfloat (only, ==, 1);
  }
}

static void
test_names (void)
{
  const char *const *names = segue_aggregation_names ();
  g_assert_cmpuint (g_strv_length ((char **) names), ==, SEGUE_N_AGGREGATIONS);
  g_assert_cmpstr (names[SEGUE_AGGREGATE_VOTE], ==, "vote");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/aggregate/worked-example", test_worked_example);
  g_test_add_func ("/aggregate/certain", test_certain);
  g_test_add_func ("/aggregate/ties", test_ties);
  g_test_add_func ("/aggregate/nothing-known", test_nothing_known);
  g_test_add_func ("/aggregate/one-of-each", test_one_of_each);
  g_test_add_func ("/aggregate/names", test_names);
  return g_test_run ();
}
