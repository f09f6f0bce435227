/* Numbers from counters. */
#include <math.h>
#include <segue/random.h>

/* The known answers that come with Random123. */
static void
test_philox (void)
{
  static const struct {
    guint32 counter[4], key[2], out[4];
  } known[] = {
    { { 0, 0, 0, 0 }, { 0, 0 }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
    { { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
      { 0xffffffff, 0xffffffff },
      { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
    { { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 },
      { 0xa4093822, 0x299f31d0 },
      { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++) {
    guint32 out[4];
    segue_philox (known[i].counter, known[i].key, out);
    g_assert_cmpmem (out, sizeof out, known[i].out, sizeof known[i].out);
  }
}

/* Seed and counter matter in each half, and the values are those of earlier versions. */
static void
test_bits (void)
{
  const guint64 seeds[] = { 0, 1, G_GUINT64_CONSTANT (1) << 63 };
  guint64 seen[9];
  for (guint i = 0; i < G_N_ELEMENTS (seen); i++)
    seen[i] = segue_random_bits (seeds[i / 3], seeds[i % 3]);
  g_assert_cmphex (seen[0], ==, G_GUINT64_CONSTANT (0xe169c58d6627e8d5));
  for (guint i = 0; i < G_N_ELEMENTS (seen); i++)
    for (guint j = 0; j < i; j++)
      g_assert_cmphex (seen[i], !=, seen[j]);
}

/* Bounds are five standard errors. */
static void
test_distributions (void)
{
  enum { N = 100000 };
  double sum = 0, normal = 0, squares = 0, product = 0;
  for (guint i = 0; i < N; i++) {
    double x = segue_random_between (7, i, -1, 3), a, b;
    g_assert_true (x >= -1 && x < 3);
    segue_random_normal_pair (8, i, &a, &b);
    sum += x;
    normal += a + b;
    squares += a * a + b * b;
    product += a * b;
  }
  g_assert_cmpfloat (fabs (sum / N - 1), <, 5 * 4 / sqrt (12.0 * N));
  g_assert_cmpfloat (fabs (normal / (2 * N)), <, 5 / sqrt (2.0 * N));
  g_assert_cmpfloat (fabs (squares / (2 * N) - 1), <, 5 / sqrt (1.0 * N));
  g_assert_cmpfloat (fabs (product / N), <, 5 / sqrt (1.0 * N));
}

/* Similar texts are far apart; another seed gives another order. */
static void
test_hash (void)
{
  guint ones = 0, in_order = 0;
  for (guint i = 0; i < 1000; i++) {
    g_autofree char *text = g_strdup_printf ("artist/%u", i),
                    *next = g_strdup_printf ("artist/%u", i + 1);
    guint64 hash = segue_random_hash_string (3, text);
    g_assert_cmphex (hash, ==, segue_random_hash_string (3, text));
    ones += (guint) __builtin_popcountll (hash ^ segue_random_hash_string (3, next));
    in_order += (hash < segue_random_hash_string (3, next)) ==
                (segue_random_hash_string (4, text) < segue_random_hash_string (4, next));
  }
  g_assert_cmpfloat (fabs (ones / 64000.0 - 0.5), <, 5 * 0.5 / sqrt (64000.0));
  g_assert_cmpfloat (fabs (in_order / 1000.0 - 0.5), <, 5 * 0.5 / sqrt (1000.0));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/random/philox", test_philox);
  g_test_add_func ("/random/bits", test_bits);
  g_test_add_func ("/random/distributions", test_distributions);
  g_test_add_func ("/random/hash", test_hash);
  return g_test_run ();
}
