/* Temperatures compared with scipy's minimum, and for scores that leave no choice. */
#include "temperature.h"

#include <segue/nn/safetensors.h>

static const char *fixtures;

static gpointer
read_tensor (SegueSafetensors *file, const char *name, gsize *n)
{
  const SegueTensorInfo *info = segue_safetensors_lookup (file, name);
  g_assert_nonnull (info);
  gpointer values = g_malloc (info->n_bytes);
  g_assert_true (segue_safetensors_read (file, info, values, NULL));
  *n = info->n_elements;
  return values;
}

static void
test_reference (void)
{
  gsize n, unused;
  g_autoptr (SegueSafetensors) file = segue_safetensors_open (fixtures, NULL);
  g_assert_nonnull (file);
  g_autofree double *scores = read_tensor (file, "temperature.scores", &unused);
  g_autofree gint32 *labels = read_tensor (file, "temperature.labels", &n);
  g_autofree double *best = read_tensor (file, "temperature.best", &unused);
  g_assert_cmpfloat_with_epsilon (lda_fit_temperature (scores, labels, n, 5), *best, 1e-5);

  /* Scores twice as large are twice as confident; large ones don't overflow; rows without a label don't count. */
  for (gsize i = 0; i < 5 * n; i++)
    scores[i] = 2.0 * scores[i] + 1e6;
  g_assert_cmpfloat_with_epsilon (lda_fit_temperature (scores, labels, n, 5), 2.0 * *best, 2e-5);
  double half = lda_fit_temperature (scores, labels, n / 2, 5);
  for (gsize i = n / 2; i < n; i++)
    labels[i] = -1;
  g_assert_cmpfloat (lda_fit_temperature (scores, labels, n, 5), ==, half);
}

static void
test_limits (void)
{
  const double scores[] = { 9, 1, 0, 2, 7, 3, 0, 1, 1e5 },
               equal[] = { 5, 5, 5, -2, -2, -2, 0, 0, 0 };
  const gint32 right[] = { 0, 1, 2 }, wrong[] = { 1, 0, 0 }, none[] = { -1, -1, -1 };
  g_assert_cmpfloat (lda_fit_temperature (scores, right, 3, 3), ==, LDA_TEMPERATURE_MIN);
  g_assert_cmpfloat (lda_fit_temperature (scores, wrong, 3, 3), ==, LDA_TEMPERATURE_MAX);
  g_assert_cmpfloat (lda_fit_temperature (scores, none, 3, 3), ==, LDA_TEMPERATURE_DEFAULT);
  g_assert_cmpfloat (lda_fit_temperature (scores, right, 0, 3), ==, LDA_TEMPERATURE_DEFAULT);
  g_assert_cmpfloat (lda_fit_temperature (equal, right, 3, 3), ==, LDA_TEMPERATURE_DEFAULT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 2);
  fixtures = argv[1];
  g_test_add_func ("/temperature/reference", test_reference);
  g_test_add_func ("/temperature/limits", test_limits);
  return g_test_run ();
}
