/* Plain scalars: which ones are numbers, and their values, in any locale; and suggestions. */
#include "base/number.h"
#include "base/suggest.h"
#include "params/params.h"
#include "yaml/scalar.h"
#include <locale.h>
#include <math.h>

static void
test_ints (void)
{
  static const struct {
    const char *text;
    SegueScalarResult result;
    gint64 value;
  } cases[] = {
    { "0", SEGUE_SCALAR_OK, 0 },
    { "-17", SEGUE_SCALAR_OK, -17 },
    { "+5", SEGUE_SCALAR_OK, 5 },
    { "007", SEGUE_SCALAR_OK, 7 },
    { "0x1F", SEGUE_SCALAR_OK, 31 },
    { "0o17", SEGUE_SCALAR_OK, 15 },
    { "10.0", SEGUE_SCALAR_OK, 10 },
    { "1e3", SEGUE_SCALAR_OK, 1000 },
    { "9223372036854775807", SEGUE_SCALAR_OK, G_MAXINT64 },
    { "9223372036854775808", SEGUE_SCALAR_TOO_LARGE, 0 },
    { "1e300", SEGUE_SCALAR_TOO_LARGE, 0 },
    { "1.5", SEGUE_SCALAR_OTHER, 0 },
    { "", SEGUE_SCALAR_OTHER, 0 },
    { "-", SEGUE_SCALAR_OTHER, 0 },
    { "0x", SEGUE_SCALAR_OTHER, 0 },
    { "0o8", SEGUE_SCALAR_OTHER, 0 },
    { "-0x1", SEGUE_SCALAR_OTHER, 0 },
    { "1_000", SEGUE_SCALAR_OTHER, 0 },
    { "12abc", SEGUE_SCALAR_OTHER, 0 },
    { " 1", SEGUE_SCALAR_OTHER, 0 },
    { "1,5", SEGUE_SCALAR_OTHER, 0 },
    { ".nan", SEGUE_SCALAR_NOT_FINITE, 0 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    gint64 value = 0;
    g_assert_cmpint (segue_scalar_to_int (cases[i].text, &value), ==, cases[i].result);
    if (cases[i].result == SEGUE_SCALAR_OK)
      g_assert_cmpint (value, ==, cases[i].value);
  }
}

static void
test_doubles (void)
{
  static const struct {
    const char *text;
    SegueScalarResult result;
    double value;
  } cases[] = {
    { "5.0e-5", SEGUE_SCALAR_OK, 5e-5 },     { "5e-5", SEGUE_SCALAR_OK, 5e-5 },
    { ".5", SEGUE_SCALAR_OK, 0.5 },          { "5.", SEGUE_SCALAR_OK, 5 },
    { "-1.25E+2", SEGUE_SCALAR_OK, -125 },   { "0x10", SEGUE_SCALAR_OK, 16 },
    { "1e400", SEGUE_SCALAR_TOO_LARGE, 0 },  { ".inf", SEGUE_SCALAR_NOT_FINITE, 0 },
    { "-.Inf", SEGUE_SCALAR_NOT_FINITE, 0 }, { ".NaN", SEGUE_SCALAR_NOT_FINITE, 0 },
    { "inf", SEGUE_SCALAR_OTHER, 0 },        { "nan", SEGUE_SCALAR_OTHER, 0 },
    { "0x1p3", SEGUE_SCALAR_OTHER, 0 },      { ".", SEGUE_SCALAR_OTHER, 0 },
    { "1e", SEGUE_SCALAR_OTHER, 0 },         { "1.2.3", SEGUE_SCALAR_OTHER, 0 },
    { "10 s", SEGUE_SCALAR_OTHER, 0 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    double value = 0;
    g_assert_cmpint (segue_scalar_to_double (cases[i].text, &value), ==, cases[i].result);
    if (cases[i].result == SEGUE_SCALAR_OK)
      g_assert_cmpfloat (value, ==, cases[i].value);
  }
}

static void
test_bools (void)
{
  gboolean value;
  g_assert_true (segue_scalar_to_bool ("true", &value) && value);
  g_assert_true (segue_scalar_to_bool ("False", &value) && !value);
  /* YAML 1.1's country of Norway. */
  g_assert_false (segue_scalar_to_bool ("no", &value));
  g_assert_false (segue_scalar_to_bool ("yes", &value));
  g_assert_false (segue_scalar_to_bool ("tRue", &value));
}

static void
test_shortest (void)
{
  static const struct {
    double value;
    const char *text;
  } cases[] = {
    { 10, "10" },
    { 0.1, "0.1" },
    { 5e-5, "5e-05" },
    { -0.0, "0" },
    { 1.0 / 3, "0.3333333333333333" },
    { 1e300, "1e+300" },
    { 16000, "16000" },
    { 0.1 + 0.2, "0.30000000000000004" },
    { -2.5, "-2.5" },
    { 4e15, "4000000000000000" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = segue_number_to_text (cases[i].value);
    g_assert_cmpstr (text, ==, cases[i].text);
    double back;
    g_assert_cmpint (segue_scalar_to_double (text, &back), ==, SEGUE_SCALAR_OK);
    g_assert_cmpfloat (back, ==, cases[i].value);
  }
}

static void
test_locale (void)
{
  static const char *const commas[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", NULL };
  const char *found = NULL;
  for (guint i = 0; commas[i] && !found; i++)
    found = setlocale (LC_NUMERIC, commas[i]);
  if (!found) {
    g_test_skip ("no locale with a decimal comma is installed");
    return;
  }
  test_doubles ();
  test_shortest ();
  setlocale (LC_NUMERIC, "C");
}

static void
test_suggest (void)
{
  static const char *const names[] = { "length", "count", "learning_rate", "p", NULL };
  static const struct {
    const char *word, *near;
  } cases[] = {
    { "lenght", "length" },
    { "Count", "count" },
    { "learning-rate", "learning_rate" },
    { "counts", "count" },
    { "ocunt", "count" },
    { "frequency", NULL },
    { "co", NULL },
    { "", NULL },
    { "learningrate", "learning_rate" },
    { "cou", "count" },
    { "rate", "learning_rate" },
    { "ratio", NULL },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *near = segue_suggest (cases[i].word, names);
    g_assert_cmpstr (near, ==, cases[i].near);
  }
  g_autofree char *endless = g_strnfill (10000, 'x');
  g_assert_null (segue_suggest (endless, names));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scalar/ints", test_ints);
  g_test_add_func ("/scalar/doubles", test_doubles);
  g_test_add_func ("/scalar/bools", test_bools);
  g_test_add_func ("/scalar/shortest", test_shortest);
  g_test_add_func ("/scalar/locale", test_locale);
  g_test_add_func ("/scalar/suggest", test_suggest);
  return g_test_run ();
}
