/* The parts of a report separately: colours, text, sound, rows. */
#include "palette.h"
#include "passage.h"
#include "summary.h"
#include "text.h"

#include <glib/gstdio.h>
#include <math.h>
#include <segue/csv.h>
#include <segue/error.h>
#include <segue/testing.h>
#include <sndfile.h>
#include <string.h>

/* ---- Colours ---- */

static double
channel (guint value)
{
  double share = (value & 255) / 255.0;
  return share <= 0.04045 ? share / 12.92 : pow ((share + 0.055) / 1.055, 2.4);
}

static double
luminance (guint hex)
{
  return 0.2126 * channel (hex >> 16) + 0.7152 * channel (hex >> 8) + 0.0722 * channel (hex);
}

static void
assert_readable (ReportColour text, ReportColour ground, gboolean dark)
{
  double a = luminance (report_colour_hex (text, dark));
  double b = luminance (report_colour_hex (ground, dark));
  double contrast = (MAX (a, b) + 0.05) / (MIN (a, b) + 0.05);
  if (contrast < 4.5)
    g_test_message ("%s on %s, %s: %.2f", report_colour_name (text), report_colour_name (ground),
                    dark ? "dark" : "light", contrast);
  g_assert_cmpfloat (contrast, >=, 4.5);
}

static void
test_contrast (void)
{
  static const ReportColour texts[] = { REPORT_COLOUR_INK, REPORT_COLOUR_MUTED, REPORT_COLOUR_RIGHT,
                                        REPORT_COLOUR_WRONG };
  static const ReportColour grounds[] = { REPORT_COLOUR_PAPER, REPORT_COLOUR_CARD,
                                          REPORT_COLOUR_HEAT };
  for (guint dark = 0; dark < 2; dark++) {
    for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
      for (guint j = 0; j < G_N_ELEMENTS (grounds); j++)
        assert_readable (texts[i], grounds[j], dark);
    assert_readable (REPORT_COLOUR_ON_DARK, REPORT_COLOUR_RIGHT, dark);
    for (guint step = 0; step < REPORT_HEAT_STEPS; step++)
      assert_readable (report_colour_on_heat (REPORT_COLOUR_HEAT + step), REPORT_COLOUR_HEAT + step,
                       dark);
  }
  g_assert_cmpint (report_colour_heat (0), ==, REPORT_COLOUR_HEAT);
  g_assert_cmpint (report_colour_heat (0.001), ==, REPORT_COLOUR_HEAT + 1);
  g_assert_cmpint (report_colour_heat (1), ==, REPORT_COLOUR_HEAT + REPORT_HEAT_STEPS - 1);
}

/* ---- Text ---- */

static void
test_text (void)
{
  static const struct {
    const char *text;
    double ems;
    const char *fitted;
  } cases[] = {
    { "Mika", 10, "Mika" },
    { "Crosby, Stills, Nash & Young", 8, "Crosby, Sti…" },
    { "방탄 소년단", 4, "방탄…" },
    { "a\nb\x7f", 10,
      "a\xef\xbf\xbd"
      "b\xef\xbf\xbd" },
    { "", 1, "" },
    { "wide", 0.1, "…" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *fitted = report_text_fit (cases[i].text, cases[i].ems);
    g_assert_cmpstr (fitted, ==, cases[i].fitted);
  }
  g_autoptr (GString) html = g_string_new (NULL);
  report_text_append_html (html, "<a href=\"x\">'&\xe2\x80\xae</a>");
  g_assert_cmpstr (html->str, ==, "&lt;a href=&quot;x&quot;&gt;&#39;&amp;\xef\xbf\xbd&lt;/a&gt;");
  g_autofree char *none = report_text_share (NAN), *some = report_text_share (0.125);
  g_autofree char *zero = report_text_share (-0.001);
  g_assert_cmpstr (none, ==, "–");
  g_assert_cmpstr (some, ==, "13 %");
  g_assert_cmpstr (zero, ==, "0 %");
}

/* ---- Sound ---- */

static SegueItem *
make_sound (guint rate, guint channels, double seconds)
{
  gsize n = (gsize) (rate * seconds);
  float *frames = g_new (float, n *channels);
  for (gsize i = 0; i < n * channels; i++)
    frames[i] = (float) (0.5 * sin ((double) (i / channels) * 440 * 2 * G_PI / rate));
  g_autoptr (GBytes) bytes = g_bytes_new_take (frames, n * channels * sizeof (float));
  return segue_item_new_audio (NULL, "song", bytes, rate, channels);
}

/* Length, channels and level, as read by another program. */
static void
check_sound (GBytes *bytes, double seconds, guint channels)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp ("segue-sound-XXXXXX", &path, &error);
  gsize size;
  const void *data = g_bytes_get_data (bytes, &size);
  SF_INFO info = { 0 };
  g_assert_no_error (error);
  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (path, data, (gssize) size, NULL));
  SNDFILE *file = sf_open (path, SFM_READ, &info);
  g_assert_nonnull (file);
  g_assert_cmpint (info.channels, ==, channels);
  g_assert_cmpfloat_with_epsilon ((double) info.frames / info.samplerate, seconds, 0.001);
  g_autofree float *frames = g_new (float, (gsize) (info.frames * info.channels));
  sf_count_t n = sf_readf_float (file, frames, info.frames);
  double power = 0;
  for (sf_count_t i = 0; i < n * info.channels; i++)
    power += (double) (frames[i] * frames[i]);
  g_assert_cmpint (n, >, info.frames * 9 / 10);
  g_assert_cmpfloat_with_epsilon (power / (double) (n * info.channels), 0.125, 0.01);
  sf_close (file);
  g_unlink (path);
}

static void
test_sound (void)
{
  static const struct {
    guint rate, channels;
    PassageFormat format;
    const char *suffix;
    guint written;
  } cases[] = {
    { 48000, 2, PASSAGE_OPUS, "opus", 2 }, { 16000, 1, PASSAGE_OPUS, "opus", 1 },
    { 22050, 1, PASSAGE_OPUS, "flac", 1 }, { 48000, 6, PASSAGE_OPUS, "opus", 1 },
    { 44100, 2, PASSAGE_FLAC, "flac", 2 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (SegueItem) sound = make_sound (cases[i].rate, cases[i].channels, 4);
    const char *suffix;
    g_autoptr (GBytes) one = passage_encode (sound, 10, 11, 2, cases[i].format, &suffix, &error);
    g_assert_no_error (error);
    if (passage_can (PASSAGE_OPUS))
      g_assert_cmpstr (suffix, ==, cases[i].suffix);
    check_sound (one, 2, cases[i].written);
    g_autoptr (GBytes) again = passage_encode (sound, 10, 11, 2, cases[i].format, &suffix, NULL);
    g_assert_true (g_bytes_equal (one, again));
    /* The part that the song contains; an empty part is an error. */
    g_autoptr (GBytes) end = passage_encode (sound, 10, 13, 9, cases[i].format, &suffix, &error);
    g_assert_no_error (error);
    check_sound (end, 1, cases[i].written);
    g_assert_null (passage_encode (sound, 10, 14, 9, cases[i].format, &suffix, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  }
}

/* ---- Rows ---- */

static void
test_csv (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp ("segue-csv-XXXXXX", &path, &error);
  g_assert_no_error (error);
  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (path, "a,\"b,\"\"\n\",\r\n,\n\"\",x\rz\nlast,", -1, NULL));
  static const char *const rows[][4] = {
    { "a", "b,\"\n", "" }, { "", "" }, { "", "x\rz" }, { "last", "" }
  };
  g_autoptr (SegueCsv) csv = segue_csv_open (path, &error);
  g_assert_no_error (error);
  g_autoptr (GPtrArray) fields = g_ptr_array_new ();
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_assert_true (segue_csv_next (csv, fields, &error));
    g_assert_cmpuint (fields->len, ==, g_strv_length ((GStrv) rows[i]));
    for (guint j = 0; j < fields->len; j++)
      g_assert_cmpstr (fields->pdata[j], ==, rows[i][j]);
  }
  g_assert_true (segue_csv_next (csv, fields, &error));
  g_assert_cmpuint (fields->len, ==, 0);
  segue_csv_fail (csv, &error, "x");
  g_assert_nonnull (strstr (error->message, ":5: x"));
  g_unlink (path);
  g_autoptr (GError) missing = NULL;
  g_assert_null (segue_csv_open (path, &missing));
  g_assert_error (missing, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);
}

/* No spreadsheet evaluates a name as a formula, and every name is read back unchanged. */
static void
test_formulas (void)
{
  static const char *const names[] = {
    "=1+1",   "+44",      "-n.mp3",       "@SUM(A1)", "\tx",   "\r=x",   "\n=x",
    "'=x",    "''-",      "'Til Tuesday", "'",        "''",    "a;=1+1", "a,\"b\"",
    "\"=x\"", "=\"\",\"", "=HYPERLINK",   "",         "a=b",   "'\t",    "\"",
    "＝1+1",  "'＠x",     "a;'=1",        ";;'-1",    "a\t+1", "\t\t=x", "a\r\n@x",
    "a;''",   "a; =b",    "a\";＋1",
  };
  static const char *const formulas[] = { "=",  "+",  "-",  "@",  "\t", "\r",
                                          "\n", "＝", "＋", "－", "＠" };
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  g_autoptr (GString) text = g_string_new ("\xef\xbb\xbf");
  int fd = g_file_open_tmp ("segue-csv-XXXXXX", &path, &error);
  g_assert_no_error (error);
  g_close (fd, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    gsize start = text->len;
    segue_csv_append (text, names[i]);
    const char *field = text->str + start + (text->str[start] == '"');
    /* Where a cell begins, also for programs that separate cells by semicolons or tabs. */
    for (const char *at = field; *at != '\0'; at++)
      if (at == field || strchr (";\t\r\n", at[-1]))
        for (guint j = 0; j < G_N_ELEMENTS (formulas); j++)
          g_assert_false (g_str_has_prefix (at, formulas[j]));
    g_string_append_c (text, i % 3 == 2 ? '\n' : ',');
  }
  g_assert_true (g_file_set_contents (path, text->str, (gssize) text->len, NULL));
  g_autoptr (SegueCsv) csv = segue_csv_open (path, &error);
  g_autoptr (GPtrArray) fields = g_ptr_array_new ();
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    if (i % 3 == 0)
      g_assert_true (segue_csv_next (csv, fields, &error));
    g_assert_cmpstr (fields->pdata[i % 3], ==, names[i]);
  }
  g_unlink (path);
}

/* 16 MiB of commas must not allocate half a gigabyte for fields. */
static void
test_wide (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL, *commas = g_strnfill (1000000, ',');
  int fd = g_file_open_tmp ("segue-csv-XXXXXX", &path, &error);
  g_assert_no_error (error);
  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (path, commas, -1, NULL));
  g_autoptr (SegueCsv) csv = segue_csv_open (path, &error);
  g_autoptr (GPtrArray) fields = g_ptr_array_new ();
  g_assert_false (segue_csv_next (csv, fields, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, ":1: a row of more than 200000 fields"));
  g_unlink (path);
}

/* An untrusted run: the page shows the id in a shell command. */
static void
test_stage_id (void)
{
  static const char *const ids[] = { "x'; rm -rf ~ #", "$(id)", "-rf", "", "a b", "A", "songs-2" };
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++) {
    g_autofree char *text = g_strdup_printf (
      "{\"stages\": [{\"id\": \"%s\", \"use\": \"scan\"}], \"quarantined\": []}", ids[i]);
    g_autoptr (GError) error = NULL;
    g_autofree char *path = NULL;
    g_close (g_file_open_tmp ("segue-summary-XXXXXX", &path, NULL), NULL);
    g_assert_true (g_file_set_contents (path, text, -1, NULL));
    ReportSummary *summary = report_summary_load (path, NULL, &error);
    g_unlink (path);
    g_assert_no_error (error);
    g_assert_cmpstr (report_summary_stage_id (summary, "scan"), ==,
                     g_str_equal (ids[i], "songs-2") ? "songs-2" : NULL);
    report_summary_free (summary);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/report/contrast", test_contrast);
  g_test_add_func ("/report/text", test_text);
  g_test_add_func ("/report/sound", test_sound);
  g_test_add_func ("/report/csv", test_csv);
  g_test_add_func ("/report/csv/formulas", test_formulas);
  g_test_add_func ("/report/csv/wide", test_wide);
  g_test_add_func ("/report/stage-id", test_stage_id);
  return g_test_run ();
}
