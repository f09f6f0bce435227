/* The stage as a whole: the content of a report, and the input that it refuses. */
#include "assert-text.h"
#include "test-case.h"

#include <jansson.h>
#include <math.h>
#include <segue/calibration.h>
#include <segue/collect.h>
#include <segue/file.h>
#include <segue/tensor.h>
#include <string.h>

static const char *const labels[] = { "Anna", "Ben", "Cora", NULL };

/* Ten wrong segments in the set test: Ben is predicted as Anna six times, Cora as Ben four times. */
static void
add_songs (Case *c, gboolean sound)
{
  case_add_song (c, "Anna/a/1.mp3", "train", "Anna", "0:90 0:80", sound);
  case_add_song (c, "Ben/b/1.mp3", "train", "Ben", "1:60 1:95", sound);
  case_add_song (c, "Ben/b/2.mp3", "train", "Ben", "0:70", sound);
  case_add_song (c, "Cora/c/1.mp3", "train", "Cora", "2:99", sound);
  case_add_song (c, "Anna/a/2.mp3", "validation", "Anna", "0:77", sound);
  case_add_song (c, "Anna/a/3.mp3", "test", "Anna", "0:81 0:82 0:83", sound);
  case_add_song (c, "Ben/b/3.mp3", "test", "Ben", "0:71 0:72 0:73 1:60", sound);
  case_add_song (c, "Ben/b/4.mp3", "test", "Ben", "0:61 0:62 0:63 1:90 1:91", sound);
  case_add_song (c, "Cora/c/2.mp3", "test", "Cora", "1:51 1:52 1:53 1:98 2:50", sound);
}

static const char summary[] =
  "{\"segue\":\"0.1.0\",\"name\":\"artist\",\"seed\":42,\"stages\":["
  "{\"id\":\"songs\",\"use\":\"scan\",\"plugin\":\"scan\",\"plugin_version\":\"1.0\","
  "\"with\":{\"root\":\"/home/anna/Music\",\"label\":\"artist\"},"
  "\"counters\":{\"ignored files\":3},\"curves\":{}},"
  "{\"id\":\"train\",\"use\":\"train\",\"with\":{\"best\":\"accuracy\"},\"curves\":{"
  "\"train/epoch_loss\":[[10,1.5],[20,1],[30,0.75]],"
  "\"validation/loss\":[[10,1],[20,0.5],[30,0.75]],"
  "\"validation/accuracy\":[[10,0.5],[20,0.75],[30,0.75]],"
  "\"validation/song_accuracy\":[[10,0.5],[20,null],[30,1]]}}],"
  "\"quarantined\":[{\"stage\":\"decode\",\"id\":\"Ben/b/bad.mp3\",\"reason\":\"it is damaged\"}]}";

static json_t *
read_data (SegueHarness *harness)
{
  static const char before[] = "window.segueReport=", after[] = ";\n";
  gsize length;
  g_autofree char *text = case_read (harness, "data.js", &length);
  g_assert_true (g_str_has_prefix (text, before) && g_str_has_suffix (text, after));
  for (gsize i = 0; i < length; i++)
    g_assert_true (text[i] == '\n' || (text[i] >= 0x20 && text[i] < 0x7f && text[i] != '<'));
  json_error_t problem;
  json_t *data =
    json_loadb (text + strlen (before), length - strlen (before) - strlen (after), 0, &problem);
  if (!data)
    g_test_message ("data.js: %s", problem.text);
  g_assert_nonnull (data);
  return data;
}

static gint64
number_at (json_t *list, gsize i)
{
  return json_integer_value (json_array_get (list, i));
}

static void
assert_file (SegueHarness *harness, const char *name, const char *magic)
{
  gsize length;
  g_autofree char *bytes = case_read (harness, name, &length);
  g_assert_cmpuint (length, >, 100);
  g_assert_cmpmem (bytes, strlen (magic), magic, strlen (magic));
}

/* Figures, errors in their order, each with a training segment by the right artist. */
static void
test_content (void)
{
  g_auto (Case) c;
  g_autoptr (GError) error = NULL;
  case_init (&c, labels);
  add_songs (&c, TRUE);
  case_write (&c);
  g_autoptr (SegueHarness) harness = case_run (&c, "{ clips: 3 }", summary, &error);
  g_assert_no_error (error);
  g_assert_cmpint (segue_harness_get_count (harness, "wrong segments"), ==, 10);
  g_autofree char *page = case_read (harness, "index.html", NULL);
  assert_has (page, "<title>artist · report</title>");
  assert_has (page, "<strong>41 %</strong> of segments"); /* 7 of 17 */
  assert_has (page, "With 95 % confidence, between 25 % and 75 % of songs like these ");
  assert_has (page, "guessing gives 50 %: no better than chance, as far as ");
  assert_has (page, "aria-label=\"Ben predicted as Anna: 6 of 9 segments\"");
  assert_has (page, "aria-label=\"Cora, right: 1 of 5 segments\"");
  assert_has (page, "<td class=\"number\">6 in 2</td>");
  assert_has (page, "Ben/b/bad.mp3");
  assert_has (page, "it is damaged");
  assert_has (page, "kept: epoch 2"); /* the same accuracy, less loss */
  assert_has (page, "ignored files 3");
  assert_has (page, "root …/Music");
  g_assert_null (strstr (page, "/home/anna"));
  g_assert_null (strstr (page, "<!--{"));

  json_t *data = read_data (harness);
  json_t *wrong = json_object_get (data, "wrong"), *segments = json_object_get (data, "segments");
  g_assert_cmpuint (json_array_size (wrong), ==, 10);
  g_assert_cmpuint (json_array_size (segments), ==, 24);
  double before = 1;
  for (gsize i = 0; i < json_array_size (wrong); i++) {
    json_t *segment = json_array_get (segments, (gsize) number_at (wrong, i));
    double confidence = json_number_value (json_array_get (segment, 4));
    g_assert_cmpfloat (confidence, <=, before);
    before = confidence;
  }
  /* 98 %, Cora for Ben; 73 %, Ben for Anna, to which Ben/b/2.mp3 (70 % Anna) is nearest. */
  json_t *clips = json_object_get (data, "clips");
  g_assert_cmpuint (json_array_size (clips), ==, 3);
  json_t *nearest = json_array_get (json_array_get (clips, 0), 1);
  g_assert_cmpint (number_at (nearest, 0), ==, 18);
  nearest = json_array_get (json_array_get (clips, 1), 1);
  g_assert_cmpint (number_at (nearest, 0), ==, 8);
  const char *file = json_string_value (json_array_get (nearest, 1));
  g_assert_true (g_str_has_prefix (file, "clips/"));
  assert_file (harness, file, g_str_has_suffix (file, ".opus") ? "OggS" : "fLaC");
  /* 3 and the nearest: one of Cora, one of Ben. */
  g_assert_cmpint (segue_harness_get_count (harness, "clips"), ==, 5);
  json_decref (data);
}

/* Vectors around a circle: neighbours are similar, whatever their labels. */
static void
add_circle (Case *c)
{
  static const struct {
    const char *id, *set, *label, *answers;
    double angle;
  } songs[] = {
    { "Anna/1.mp3", "train", "Anna", "0:90 0:80", 0 },
    { "Anna/2.mp3", "train", "Anna", "0:90 0:80", 20 },
    { "Anna/3.mp3", "train", "Anna", "0:90 0:80", 40 },
    { "Ben/1.mp3", "train", "Ben", "1:90 1:80", 120 },
    { "Ben/2.mp3", "validation", "Ben", "1:90 1:80", 141 },
    { "Cora/1.mp3", "train", "Cora", "2:90 2:80", 240 },
    { "Anna/4.mp3", "test", "Anna", "0:70 0:80", 2 },
    { "Ben/3.mp3", "test", "Ben", "0:70 0:80", 22 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (songs); i++) {
    case_add_song (c, songs[i].id, songs[i].set, songs[i].label, songs[i].answers, TRUE);
    case_add_vectors (c, songs[i].angle);
  }
}

static void
test_similar (void)
{
  g_auto (Case) c;
  g_autoptr (GError) error = NULL;
  case_init (&c, labels);
  add_circle (&c);
  case_write (&c);
  g_autoptr (SegueHarness) harness = case_run (&c, "{ clips: 3 }", summary, &error);
  g_assert_no_error (error);
  json_t *data = read_data (harness), *explained = json_object_get (data, "explained");
  g_assert_cmpuint (json_array_size (explained), ==, 2);
  /* The mistake comes first; nearest are Anna/2, then Anna/3 or Anna/1: training songs only. */
  json_t *mistake = json_array_get (explained, 0), *twins = json_array_get (mistake, 1);
  g_assert_cmpint (number_at (mistake, 0), ==, 6);
  g_assert_cmpuint (json_array_size (twins), ==, 3);
  g_assert_cmpint (number_at (json_array_get (twins, 0), 0), ==, 1);
  double before = 1.0001;
  for (gsize i = 0; i < 3; i++) {
    json_t *twin = json_array_get (twins, i);
    double similarity = json_number_value (json_array_get (twin, 1));
    g_assert_cmpfloat (similarity, <=, before);
    before = similarity;
    g_assert_cmpint (number_at (twin, 0), <=, 2);
    /* Both can be played. */
    for (gsize k = 2; k < 4; k++)
      g_assert_true (json_is_string (json_array_get (json_array_get (twin, k), 1)));
  }
  /* The other song is right: its list has no players of its own. */
  json_t *right = json_array_get (explained, 1);
  json_t *twin = json_array_get (json_array_get (right, 1), 0);
  g_assert_cmpint (number_at (right, 0), ==, 3);
  g_assert_cmpint (number_at (twin, 0), ==, 0);
  json_decref (data);
  g_autofree char *page = case_read (harness, "index.html", NULL);
  assert_has (page, "<section id=\"why\"");
}

/* Vectors that can't be compared cost the list, not the report. */
static void
test_similar_to_none (void)
{
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < 2; i++) {
    g_auto (Case) c;
    case_init (&c, labels);
    add_circle (&c);
    g_ptr_array_set_size (c.vectors, i == 0 ? 0 : (gint) c.vectors->len - 2);
    if (i > 0)
      case_add_vectors (&c, NAN);
    case_write (&c);
    g_autoptr (SegueHarness) harness = case_run (&c, "{ clips: 3 }", summary, &error);
    g_assert_no_error (error);
    json_t *data = read_data (harness);
    g_assert_cmpuint (json_array_size (json_object_get (data, "explained")), ==, 0);
    json_decref (data);
  }
}

static void
test_pictures (void)
{
#ifndef HAVE_PANGOCAIRO
  g_test_skip ("built without cairo");
#else
  static const char *const names[] = { "accuracy", "confusion", "loss", "validation",
                                       "reliability" };
  g_auto (Case) c;
  g_autoptr (GError) error = NULL;
  case_init (&c, labels);
  add_songs (&c, FALSE);
  case_write (&c);
  g_autoptr (SegueHarness) harness = case_run (&c, "{ clips: 0 }", summary, &error);
  g_assert_no_error (error);
  g_autofree char *page = case_read (harness, "index.html", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *name = g_strdup_printf ("charts/%s.png", names[i]);
    assert_file (harness, name, "\x89PNG\r\n");
    assert_has (page, name);
  }
#endif
}

/* Names are data: they end no element, string or script, and don't change the text direction. */
static void
test_hostile_names (void)
{
  static const char *const names[] = { "</script><script>alert(1)</script>",
                                       "\" onload='x' <b>&amp;",
                                       "a\x01\x1b[31m\r\nb",
                                       "\xe2\x80\xaegnp.exe",
                                       "방탄 소년 🎧",
                                       NULL };
  g_auto (Case) c;
  g_autoptr (GError) error = NULL;
  case_init (&c, names);
  for (guint i = 0; names[i]; i++) {
    g_autofree char *train = g_strdup_printf ("%s/x/1.mp3", names[i]);
    g_autofree char *test = g_strdup_printf ("%s/x/,\"2\".mp3", names[i]);
    g_autofree char *answers = g_strdup_printf ("%u:80 %u:70", i, (i + 1) % 5);
    case_add_song (&c, train, "train", names[i], answers, FALSE);
    case_add_song (&c, test, "test", names[i], answers, FALSE);
  }
  case_write (&c);
  g_autoptr (SegueHarness) harness = case_run (
    &c, "{}",
    "{\"segue\":\"0\",\"name\":\"</title><script>\",\"seed\":1,\"stages\":[{\"id\":\"<i>\",\"use\":"
    "\"<u>\",\"with\":{\"<k>\":\"<v>\\u202e\"}}],\"quarantined\":[{\"stage\":\"<s>\",\"id\":\"<img "
    "onerror=x>\",\"reason\":\"<svg/onload=x>\"}]}",
    &error);
  g_assert_no_error (error);
  g_autofree char *page = case_read (harness, "index.html", NULL);
  static const char *const never[] = { "<script>alert", "<img", "<svg/", "<i>",
                                       "<u>",           "<k>",  "<v>",   "<s>",
                                       "<b>",           "\x1b", "\x01",  "title><script>",
                                       "\xe2\x80\xae",  "' <b" };
  for (guint i = 0; i < G_N_ELEMENTS (never); i++) {
    if (strstr (page, never[i]))
      g_test_message ("found %s", never[i]);
    g_assert_null (strstr (page, never[i]));
  }
  assert_has (page, "&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;");
  assert_has (page, "방탄 소년 🎧");
  g_assert_true (g_utf8_validate (page, -1, NULL));
  /* A saved table has to contain the exact names. */
  json_t *data = read_data (harness);
  for (guint i = 0; names[i]; i++)
    g_assert_cmpstr (json_string_value (json_array_get (json_object_get (data, "labels"), i)), ==,
                     names[i]);
  json_decref (data);
}

/* The content of a page where there is little data. */
static void
test_little (void)
{
  static const char *const one[] = { "Anna", NULL };
  g_auto (Case) all_right, single, no_test, only_train;
  g_autoptr (GError) error = NULL;
  case_init (&all_right, labels);
  case_add_song (&all_right, "a/1", "test", "Anna", "0:90", FALSE);
  case_add_song (&all_right, "b/1", "test", "Ben", "1:90", FALSE);
  case_init (&single, one);
  case_add_song (&single, "a/1", "train", "Anna", "0:100", FALSE);
  case_add_song (&single, "a/2", "test", "Anna", "0:100", FALSE);
  case_init (&no_test, labels);
  case_add_song (&no_test, "a/1", "train", "Anna", "0:90", FALSE);
  case_add_song (&no_test, "a/2", "validation", "Anna", "1:90", FALSE);
  case_init (&only_train, labels);
  case_add_song (&only_train, "a/1", NULL, "Anna", "0:90", FALSE);
  case_add_song (&only_train, "a/2", "elsewhere", "Anna", "1:90", FALSE);
  case_add_song (&only_train, "a/3", "train", NULL, "1:90", FALSE);
  struct {
    Case *of;
    const char *says;
    gsize n_wrong;
  } cases[] = {
    { &all_right, "No segment was misclassified", 0 },
    { &single, "<strong>100 %</strong>", 0 },
    { &no_test, "This run has no test set", 1 },
    { &only_train, "on which the model was trained", 0 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    case_write (cases[i].of);
    g_autoptr (SegueHarness) harness = case_run (cases[i].of, "{}", NULL, &error);
    g_assert_no_error (error);
    g_autofree char *page = case_read (harness, "index.html", NULL);
    json_t *data = read_data (harness);
    assert_has (page, cases[i].says);
    assert_has (page, "This run has no learning curves");
    assert_has (page, "There is no information about this run");
    g_assert_cmpuint (json_array_size (json_object_get (data, "wrong")), ==, cases[i].n_wrong);
    json_decref (data);
  }
}

/* A label that the model does not have is always wrong, and has nothing in training. */
static void
test_unknown_label (void)
{
  g_auto (Case) c;
  g_autoptr (GError) error = NULL;
  case_init (&c, labels);
  case_add_song (&c, "a/1", "train", "Anna", "0:90", FALSE);
  case_add_song (&c, "z/1", "test", "Zoe", "0:90 1:80", FALSE);
  case_write (&c);
  g_autoptr (SegueHarness) harness = case_run (&c, "{}", NULL, &error);
  g_assert_no_error (error);
  json_t *data = read_data (harness);
  json_t *clips = json_object_get (data, "clips");
  g_assert_cmpuint (json_array_size (json_object_get (data, "labels")), ==, 4);
  g_assert_cmpuint (json_array_size (json_object_get (data, "wrong")), ==, 2);
  g_assert_true (json_is_null (json_array_get (json_array_get (clips, 0), 1)));
  /* No file, no clip: the page states why there is no clip. */
  json_t *own = json_array_get (json_array_get (clips, 0), 0);
  g_assert_true (json_is_null (json_array_get (own, 1)));
  g_assert_cmpuint (strlen (json_string_value (json_array_get (own, 2))), >, 10);
  json_decref (data);
}

static char *
digest (SegueHarness *harness)
{
  static const char *const names[] = { "index.html", "page.css", "page.js", "data.js" };
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree char *clips =
    g_build_filename (segue_harness_get_folder (harness), "output", "report", "clips", NULL);
  g_auto (GStrv) files = segue_file_list_folder (clips, NULL);
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_ptr_array_add (all, g_strdup (names[i]));
  for (guint i = 0; files && files[i]; i++)
    g_ptr_array_add (all, g_build_filename ("clips", files[i], NULL));
  g_assert_cmpuint (all->len, >, 10);
  for (guint i = 0; i < all->len; i++) {
    gsize length;
    g_autofree char *bytes = case_read (harness, all->pdata[i], &length);
    g_checksum_update (checksum, (const guchar *) bytes, (gssize) length);
  }
  return g_strdup (g_checksum_get_string (checksum));
}

/* segue serve shows the report in a sandbox, where no form can be submitted, not even one that only
 * closes a dialog. */
static void
test_works_in_a_sandbox (void)
{
  g_auto (Case) c;
  g_autoptr (GError) error = NULL;
  case_init (&c, labels);
  add_songs (&c, FALSE);
  case_write (&c);
  g_autoptr (SegueHarness) harness = case_run (&c, "{ clips: 0 }", summary, &error);
  g_assert_no_error (error);
  g_autofree char *page = case_read (harness, "index.html", NULL);
  g_autofree char *script = case_read (harness, "page.js", NULL);
  assert_has (page, "<dialog id=\"relabel\"");
  g_assert_null (strstr (page, "<form"));
  g_assert_null (strstr (page, "formmethod"));
  g_assert_false (g_regex_match_simple ("\\b(requestSubmit|submit) *\\(", script, 0, 0));
}

static void
test_same_bytes (void)
{
  static const char *const formats[] = { "{ format: opus }", "{ format: flac }" };
  for (guint f = 0; f < G_N_ELEMENTS (formats); f++) {
    char *digests[2];
    for (guint k = 0; k < 2; k++) {
      g_auto (Case) c;
      g_autoptr (GError) error = NULL;
      case_init (&c, labels);
      add_songs (&c, TRUE);
      case_write (&c);
      g_autoptr (SegueHarness) harness = case_run (&c, formats[f], summary, &error);
      g_assert_no_error (error);
      digests[k] = digest (harness);
    }
    g_assert_cmpstr (digests[0], ==, digests[1]);
    g_free (digests[0]);
    g_free (digests[1]);
  }
}

/* Two hundred artists: what does not fit is omitted, and the page states that. */
static void
test_many_labels (void)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_auto (Case) c;
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < 200; i++)
    g_ptr_array_add (names, g_strdup_printf ("Artist %03u", i));
  g_ptr_array_add (names, NULL);
  case_init (&c, (const char *const *) names->pdata);
  for (guint i = 0; i < 200; i++) {
    g_autofree char *id = g_strdup_printf ("%03u/1.mp3", i);
    g_autofree char *answers =
      g_strdup_printf ("%u:60 %u:50 %u:50", i, i, i < 30 ? (i + 1) % 30 : i);
    case_add_song (&c, id, "test", names->pdata[i], answers, FALSE);
  }
  case_write (&c);
  g_autoptr (SegueHarness) harness = case_run (&c, "{}", NULL, &error);
  g_assert_no_error (error);
  g_autofree char *page = case_read (harness, "index.html", NULL);
  assert_has (page, "Of 200 labels, the 60 with the lowest accuracy are shown");
  assert_has (page, "Of 200 labels, the 40 with the most errors are shown");
  assert_has (page, "All 200 labels as a table");
  assert_has (page, "Artist 029 predicted as Artist 000: 1 of 3 segments");
}

/* ---- Refused input ---- */

/* A prediction for one song, with a value of each type that a run from someone else may have changed. */
typedef struct {
  const char *set, *label, *predicted, *says;
  double probability, row[4];
  guint n_labels;
} Forged;

static SegueItem *
forge (const Forged *forged)
{
  double *row;
  SegueItem *item = segue_item_new_predictions (NULL, "a/1", 1, forged->n_labels, &row, NULL);
  memcpy (row, forged->row, (SEGUE_PREDICTION_LABELS + forged->n_labels) * sizeof *row);
  segue_item_set_string (item, SEGUE_META_SET, forged->set);
  segue_item_set_string (item, SEGUE_META_LABEL, forged->label);
  if (forged->predicted)
    segue_item_set_string (item, SEGUE_META_PREDICTED, forged->predicted);
  segue_item_set_double (item, SEGUE_META_PROBABILITY, forged->probability);
  return item;
}

static void
test_forged_predictions (void)
{
#define SONG "test", "Anna"
#define ROW                                                                                        \
  {                                                                                                \
    0, 1, 0.9, 0.1                                                                                 \
  }
  static const Forged cases[] = {
    { SONG, "Anna", NULL, 0.9, ROW, 2 },
    { SONG, "Anna", "have 1 labels, and metrics.json has 2", 0.9, ROW, 1 },
    { SONG, NULL, "name ‘’ with probability 0.9", 0.9, ROW, 2 },
    { SONG, "Zoe", "name ‘Zoe’", 0.9, ROW, 2 },
    { SONG, "Anna", "with probability 1.5", 1.5, ROW, 2 },
    { SONG, "Anna", "with probability nan", (double) NAN, ROW, 2 },
    { SONG, "Anna", "segment 0 has a time below 0", 0.9, { -1, 1, 0.9, 0.1 }, 2 },
    { SONG, "Anna", "segment 0 has a time below 0", 0.9, { (double) NAN, 1, 0.9, 0.1 }, 2 },
    { SONG, "Anna", "segment 0 has a time below 0", 0.9, { 0, (double) INFINITY, 0.9, 0.1 }, 2 },
    { SONG, "Anna", "at 0 s that lasts 1e+300 s", 0.9, { 0, 1e300, 0.9, 0.1 }, 2 },
    { SONG, "Anna", "probability that is not between", 0.9, { 0, 1, 1.5, 0.1 }, 2 },
    { SONG, "Anna", "probability that is not between", 0.9, { 0, 1, 0.9, (double) NAN }, 2 },
    { "train", "Anna", "Anna", "metrics.json counts 0 segments of the set ‘train’", 0.9, ROW, 2 },
    { "test", "", "Anna", "metrics.json counts 1 segments of the set ‘test’", 0.9, ROW, 2 },
  };
  static const char *const two[] = { "Anna", "Ben", NULL };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (Case) c;
    g_autoptr (GError) error = NULL;
    case_init (&c, two);
    case_add_song (&c, "a/1", "test", "Anna", "0:90", FALSE);
    case_write (&c);
    g_ptr_array_set_size (c.predictions, 0);
    g_ptr_array_add (c.predictions, forge (&cases[i]));
    g_autoptr (SegueHarness) harness = case_run (&c, "{}", NULL, &error);
    g_assert_true ((harness != NULL) == (!cases[i].says));
    if (harness)
      continue;
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
    assert_has (error->message, cases[i].says);
  }
}

static void
test_damaged_figures (void)
{
  static const char *const texts[] = {
    "",
    "[]",
    "{\"test\": 7}",
    "{\"test\": {}, \"test\": {}}",
    "{\"test\": {\"segment_accuracy\": 2, \"song_accuracy\": 1, \"macro_f1\": 1, \"loss\": 0, "
    "\"segments\": 1, \"songs\": 1, \"labels\": {}}}",
    "{\"test\": {\"segment_accuracy\": 1, \"song_accuracy\": 1, \"macro_f1\": 1, \"loss\": 0, "
    "\"segments\": -1, \"songs\": 1, \"labels\": {}}}",
    "{\"test\": {\"segment_accuracy\": 1, \"song_accuracy\": 1, \"macro_f1\": 1, \"loss\": 0, "
    "\"segments\": 1, \"songs\": 1, \"labels\": {\"Anna\": []}}}",
  };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_auto (Case) c;
    g_autoptr (GError) error = NULL;
    case_init (&c, labels);
    case_add_song (&c, "a/1", "test", "Anna", "0:90", FALSE);
    case_write (&c);
    case_put (&c, "metrics.json", texts[i]);
    g_assert_null (case_run (&c, "{}", NULL, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
    g_assert_nonnull (strstr (error->message, "metrics.json"));
  }
}

/* A song's prediction is the one that `evaluate` made, whatever its segments are. */
static void
test_song_prediction (void)
{
  g_auto (Case) c;
  g_autoptr (GError) error = NULL;
  case_init (&c, labels);
  case_add_song (&c, "a/1", "train", "Anna", "0:90", FALSE);
  case_add_song (&c, "b/4", "test", "Ben", "0:61 1:90 1:91", FALSE);
  case_write (&c);
  SegueItem *song = g_ptr_array_index (c.predictions, 1);
  segue_item_set_double (song, SEGUE_META_PROBABILITY, 0.625);
  g_autoptr (SegueHarness) harness = case_run (&c, "{}", NULL, &error);
  g_assert_no_error (error);
  g_autofree char *data = case_read (harness, "data.js", NULL);
  assert_has (data, "[\"b/4\",2,1,0,0.625,1,3,0]");
}

/* Adds what `evaluate` counted as unsure, of which @threshold is part. */
static void
put_unsure (const Case *c, const char *threshold)
{
  g_autofree char *path = g_build_filename (c->folder, "metrics.json", NULL);
  json_t *root = json_load_file (path, 0, NULL);
  json_object_set_new (root, "unsure", json_loads (threshold, JSON_DECODE_ANY, NULL));
  json_object_set_new (json_object_get (root, "test"), "unsure",
                       json_pack ("{s:i, s:i, s:i}", "right", 1, "wrong", 1, "unlabelled", 0));
  g_assert_cmpint (json_dump_file (root, path, 0), ==, 0);
  json_decref (root);
}

/* By confidence, and by distance: which songs are unsure, and how many of the right ones. */
static void
test_unsure (void)
{
  static const char by_confidence[] =
    "{\"measure\": \"confidence\", \"threshold\": 0.65, \"share\": 0.1, \"measured\": 42}";
  static const char by_distance[] =
    "{\"measure\": \"distance\", \"threshold\": 6.25, \"share\": 0.1, \"measured\": 42}";
  static const char *const damaged[] = {
    "7", "{}", "{\"measure\": \"luck\", \"threshold\": 1, \"share\": 0.1, \"measured\": 42}",
    "{\"measure\": \"distance\", \"threshold\": \"1\", \"share\": 0.1, \"measured\": 42}",
    "{\"measure\": \"distance\", \"threshold\": 1, \"share\": 7, \"measured\": 42}"
  };
  g_auto (Case) c;
  g_autoptr (GError) error = NULL;
  case_init (&c, labels);
  case_add_song (&c, "a/1", "test", "Anna", "0:90", FALSE);
  case_add_song (&c, "a/2", "test", "Anna", "0:60", FALSE);
  case_add_song (&c, "b/3", "test", "Ben", "0:50", FALSE);
  case_write (&c);
  put_unsure (&c, by_confidence);
  g_autoptr (SegueHarness) first = case_run (&c, "{}", NULL, &error);
  g_assert_no_error (error);
  g_autofree char *data = case_read (first, "data.js", NULL);
  assert_has (data, "[\"a/1\",2,0,0,0.9,0,1,0]");
  assert_has (data, "[\"a/2\",2,0,0,0.6,1,1,1]");
  assert_has (data, "[\"b/3\",2,1,0,0.5,2,1,1]");
  g_autofree char *page = case_read (first, "index.html", NULL);
  assert_has (page,
              "2 of 3 songs are shown as unsure: 1 whose prediction is right (50 % of these)");
  assert_has (page, "Their confidence is below 0.65");

  put_unsure (&c, by_distance);
  segue_item_set_double (g_ptr_array_index (c.predictions, 0), SEGUE_META_DISTANCE, 6.5);
  segue_item_set_double (g_ptr_array_index (c.predictions, 1), SEGUE_META_DISTANCE, 6);
  g_autoptr (SegueHarness) second = case_run (&c, "{}", NULL, &error);
  g_assert_no_error (error);
  g_autofree char *other = case_read (second, "data.js", NULL);
  assert_has (other, "[\"a/1\",2,0,0,0.9,0,1,1]");
  assert_has (other, "[\"a/2\",2,0,0,0.6,1,1,0]");
  assert_has (other, "[\"b/3\",2,1,0,0.5,2,1,0]"); /* no distance */
  g_autofree char *distance = case_read (second, "index.html", NULL);
  assert_has (distance, "Their distance from all labels is above 6.25");

  for (guint i = 0; i < G_N_ELEMENTS (damaged); i++) {
    g_autoptr (GError) refused = NULL;
    put_unsure (&c, damaged[i]);
    g_assert_null (case_run (&c, "{}", NULL, &refused));
    g_assert_error (refused, SEGUE_ERROR, SEGUE_ERROR_DATA);
    g_assert_nonnull (strstr (refused->message, "metrics.json"));
  }
}

static void
test_damaged_summary (void)
{
  static const char *const texts[] = {
    "",
    "[]",
    "{\"stages\": [7]}",
    "{\"stages\": [{\"id\": \"x\"}]}",
    "{\"quarantined\": [{\"id\": \"x\", \"stage\": 1, \"reason\": \"\"}]}",
  };
  /* Unusual, but harmless. */
  static const char *const odd[] = {
    "{\"stages\": [{\"id\": \"t\", \"use\": \"train\", \"curves\": {\"train/epoch_loss\": "
    "[[1, 2], 7, [\"x\", 1], [1e300, 1e300]], \"validation/loss\": [[0, null]]}}]}",
    "{\"stages\": [{\"id\": \"t\", \"use\": \"train\", \"curves\": {\"train/epoch_loss\": [7]}}]}",
    "{\"stages\": [{\"id\": \"t\", \"use\": \"train\", \"curves\": {\"train/epoch_loss\": "
    "[[1, -5], [2, -5]], \"validation/loss\": [[1e18, 1]], \"validation/accuracy\": [[1, 9]]}}]}",
    "{\"stages\": 3, \"quarantined\": 4, \"name\": 5}",
  };
  g_auto (Case) c;
  case_init (&c, labels);
  case_add_song (&c, "a/1", "test", "Anna", "0:90", FALSE);
  case_write (&c);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (case_run (&c, "{}", texts[i], &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
    g_assert_nonnull (strstr (error->message, "summary.json"));
  }
  for (guint i = 0; i < G_N_ELEMENTS (odd); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (SegueHarness) harness = case_run (&c, "{}", odd[i], &error);
    g_assert_no_error (error);
  }
}

static void
test_missing_and_cancel (void)
{
  g_auto (Case) c;
  g_autoptr (GError) error = NULL, cancelled = NULL, unlabelled = NULL;
  case_init (&c, labels);
  case_add_song (&c, "a/1", "test", NULL, "0:90", FALSE);
  g_assert_null (case_run (&c, "{}", NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);
  case_write (&c);
  g_assert_null (case_run (&c, "{}", NULL, &unlabelled));
  g_assert_error (unlabelled, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (unlabelled->message, "no song has a label"));

  const SeguePlugin *segue_plugin_query (void);
  g_autoptr (SegueHarness) harness = segue_harness_new (segue_plugin_query (), "report", "{}");
  g_autoptr (SegueItem) metrics = segue_item_new_folder (SEGUE_KIND_METRICS, "metrics", c.folder);
  g_autoptr (SegueItem) run = segue_item_new_folder (SEGUE_KIND_SUMMARY, "summary", c.folder);
  segue_harness_set_input (harness, "metrics", &metrics, 1);
  segue_harness_set_input (harness, "summary", &run, 1);
  g_cancellable_cancel (segue_harness_get_cancellable (harness));
  g_assert_false (segue_harness_run (harness, &cancelled));
  g_assert_error (cancelled, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/report/content", test_content);
  g_test_add_func ("/report/similar", test_similar);
  g_test_add_func ("/report/similar-to-none", test_similar_to_none);
  g_test_add_func ("/report/pictures", test_pictures);
  g_test_add_func ("/report/hostile-names", test_hostile_names);
  g_test_add_func ("/report/little", test_little);
  g_test_add_func ("/report/unknown-label", test_unknown_label);
  g_test_add_func ("/report/works-in-a-sandbox", test_works_in_a_sandbox);
  g_test_add_func ("/report/same-bytes", test_same_bytes);
  g_test_add_func ("/report/many-labels", test_many_labels);
  g_test_add_func ("/report/forged-predictions", test_forged_predictions);
  g_test_add_func ("/report/damaged-figures", test_damaged_figures);
  g_test_add_func ("/report/song-prediction", test_song_prediction);
  g_test_add_func ("/report/unsure", test_unsure);
  g_test_add_func ("/report/damaged-summary", test_damaged_summary);
  g_test_add_func ("/report/missing-and-cancel", test_missing_and_cancel);
  return g_test_run ();
}
