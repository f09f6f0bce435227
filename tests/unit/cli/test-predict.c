/* Input and output of `segue predict`: lists of files, answers as text, answers in order. */
#include "assert-text.h"
#include "in-order.h"
#include "predict-files.h"
#include "predict-text.h"

#include <glib/gstdio.h>
#include <jansson.h>
#include <math.h>
#include <segue/file.h>
#include <string.h>
#include <unistd.h>

static const SegueTerm plain = { .columns = 80, .unicode = TRUE };

/* ---- Answers as text ---- */

static const char *const labels[] = { "Abba", "Mika \"M\"", "방탄", NULL };

static void
test_json (void)
{
  float p[] = { 0.25f, 0.5f, 0.25f }, q[] = { 0, 1, 0 };
  SegueSegmentPrediction segments[] = { { 10, 10.5, p }, { 20, 10, q } };
  SegueSongPrediction song = { .n_labels = 3,
                               .distance = NAN,
                               .best = 1,
                               .probabilities = p,
                               .n_segments = 2,
                               .segments = segments };
  assert_text (
    segue_predict_json ("a \"b\"\n\xff%a%25.mp3", labels, &song, 0, FALSE),
    "{\"file\":\"a \\\"b\\\"\\n%FF%a%2525.mp3\",\"label\":\"Mika \\\"M\\\"\",\"probabilities\":{"
    "\"Abba\":0.25,\"Mika \\\"M\\\"\":0.5,\"방탄\":0.25},\"segments\":[{\"start\":10.0,"
    "\"duration\":10.5,\"probabilities\":{\"Abba\":0.25,\"Mika \\\"M\\\"\":0.5,\"방탄\":0."
    "25}},{\"start\":20.0,\"duration\":10.0,\"probabilities\":{\"Abba\":0.0,\"Mika "
    "\\\"M\\\"\":1.0,\"방탄\":0.0}}]}");
  song.n_segments = 0;
  /* Equal ones keep the model's order. */
  assert_text (segue_predict_json ("x", labels, &song, 2, FALSE),
               "{\"file\":\"x\",\"label\":\"Mika \\\"M\\\"\",\"probabilities\":{\"Mika "
               "\\\"M\\\"\":0.5,\"Abba\":0.25},\"segments\":[]}");
  p[0] = NAN;
  g_autofree char *text = segue_predict_json ("x", labels, &song, 0, FALSE);
  assert_has (text, "\"Abba\":null");
  assert_text (segue_predict_json_error ("\xc3.mp3", "no \xff"),
               "{\"file\":\"%C3.mp3\",\"error\":\"no \xef\xbf\xbd\"}");
}

/* A float32 comes back bit for bit. */
static void
test_digits (void)
{
  float p[] = { 0.1f, 1.0f / 3, 1e-30f };
  SegueSongPrediction song = { .n_labels = 3, .distance = NAN, .probabilities = p };
  g_autofree char *text = segue_predict_json ("x", labels, &song, 0, FALSE);
  json_t *root = json_loads (text, 0, NULL);
  for (gsize i = 0; i < 3; i++) {
    json_t *value = json_object_get (json_object_get (root, "probabilities"), labels[i]);
    g_assert_true ((float) json_real_value (value) == p[i]);
  }
  json_decref (root);
}

static void
test_table (void)
{
  float p[] = { 0.25f, 0.75f, 0 };
  SegueSongPrediction song = { .n_labels = 3, .distance = NAN, .best = 1, .probabilities = p };
  g_autoptr (GPtrArray) files = g_ptr_array_new ();
  g_ptr_array_add (files, (gpointer) "노래.mp3");
  g_ptr_array_add (files, (gpointer) "a\nb.mp3");
  SeguePredictTable table;
  segue_predict_table_init (&table, &plain, files, labels, 2, FALSE);
  assert_text (segue_predict_table_row (&table, "a\nb.mp3", &song),
               "a\\nb.mp3  Mika \"M\"   75.0 %  Abba       25.0 %");
  segue_predict_table_init (&table, &plain, files, labels, 99, FALSE);
  assert_text (segue_predict_table_row (&table, "노래.mp3", &song),
               "노래.mp3  Mika \"M\"   75.0 %  Abba       25.0 %  방탄        0.0 %");
}

/* An unsure song is reported with the two most probable labels; by request, without a label. */
static void
test_unsure (void)
{
  float p[] = { 0.25f, 0.5f, 0.25f };
  SegueSongPrediction song = {
    .n_labels = 3, .distance = 7.5, .best = 1, .probabilities = p, .certainty = SEGUE_UNSURE
  };
  assert_text (
    segue_predict_json ("x", labels, &song, 1, FALSE),
    "{\"file\":\"x\",\"label\":\"Mika \\\"M\\\"\",\"distance\":7.5,\"unsure\":true,\"candidates\":[\"Mika "
    "\\\"M\\\"\",\"Abba\"],\"probabilities\":{\"Mika \\\"M\\\"\":0.5},\"segments\":[]}");
  song.distance = NAN;
  assert_text (segue_predict_json ("x", labels, &song, 1, TRUE),
               "{\"file\":\"x\",\"label\":null,\"nearest\":\"Mika \\\"M\\\"\",\"unsure\":true,"
               "\"candidates\":[\"Mika \\\"M\\\"\",\"Abba\"],\"probabilities\":{\"Mika "
               "\\\"M\\\"\":0.5},\"segments\":[]}");
  g_autoptr (GPtrArray) files = g_ptr_array_new ();
  g_ptr_array_add (files, (gpointer) "a.mp3");
  SeguePredictTable table;
  segue_predict_table_init (&table, &plain, files, labels, 1, TRUE);
  assert_text (segue_predict_table_row (&table, "a.mp3", &song),
               "a.mp3  unsure             Mika \"M\"   50.0 %  Abba       25.0 %");
  SeguePredictCsv csv = { labels, FALSE, 0, FALSE };
  assert_text (segue_predict_csv_rows (&csv, "x", &song),
               "x,\"Mika \"\"M\"\"\",0.5,,0.25,0.5,0.25,1");
  csv.rejects = TRUE;
  assert_text (segue_predict_csv_rows (&csv, "x", &song), "x,,0.5,,0.25,0.5,0.25,1");
  /* No formula in a spreadsheet. */
  assert_text (segue_predict_csv_rows (&csv, "-x.mp3", &song), "'-x.mp3,,0.5,,0.25,0.5,0.25,1");

  song.certainty = SEGUE_SURE;
  assert_text (segue_predict_json ("x", labels, &song, 1, TRUE),
               "{\"file\":\"x\",\"label\":\"Mika \\\"M\\\"\",\"unsure\":false,\"probabilities\":{"
               "\"Mika \\\"M\\\"\":0.5},\"segments\":[]}");
  assert_text (segue_predict_table_row (&table, "a.mp3", &song), "a.mp3  Mika \"M\"   50.0 %");
  assert_text (segue_predict_csv_rows (&csv, "x", &song),
               "x,\"Mika \"\"M\"\"\",0.5,,0.25,0.5,0.25,0");

  /* A model of one label has one candidate. */
  SegueSongPrediction only = {
    .n_labels = 1, .distance = NAN, .probabilities = p + 1, .certainty = SEGUE_UNSURE
  };
  assert_text (segue_predict_json ("x", labels, &only, 0, FALSE),
               "{\"file\":\"x\",\"label\":\"Abba\",\"unsure\":true,\"candidates\":[\"Abba\"],"
               "\"probabilities\":{\"Abba\":0.5},\"segments\":[]}");
}

/* The answer comes first, also where votes are tied. */
static void
test_answer_is_first (void)
{
  float p[] = { 0.5f, 0, 0.5f };
  SegueSongPrediction song = { .n_labels = 3, .distance = NAN, .best = 2, .probabilities = p };
  assert_text (segue_predict_json ("x", labels, &song, 2, FALSE),
               "{\"file\":\"x\",\"label\":\"방탄\",\"probabilities\":{\"방탄\":0.5,\"Abba\":0.5},"
               "\"segments\":[]}");
}

static void
test_csv (void)
{
  float p[] = { 0.25f, 0.5f, 0.25f }, q[] = { 0.1f, 0, 0.9f };
  SegueSegmentPrediction segments[] = { { 10, 10.5, p }, { 20.5, 10, q } };
  SegueSongPrediction song = { .n_labels = 3,
                               .distance = NAN,
                               .best = 1,
                               .probabilities = p,
                               .n_segments = 2,
                               .segments = segments };
  SeguePredictCsv csv = { labels, FALSE, 0 };
  assert_text (segue_predict_csv_head (&csv),
               "file,label,confidence,error,p:Abba,\"p:Mika \"\"M\"\"\",p:방탄,unsure");
  assert_text (segue_predict_csv_rows (&csv, "a,\"b\"\n\xff.mp3", &song),
               "\"a,\"\"b\"\"\n%FF.mp3\",\"Mika \"\"M\"\"\",0.5,,0.25,0.5,0.25,");
  assert_text (segue_predict_csv_error (&csv, "x", "no, \xff"), "x,,,\"no, \xef\xbf\xbd\",,,,");
  csv.n_top = 2;
  assert_text (segue_predict_csv_head (&csv),
               "file,label,confidence,error,label_1,p_1,label_2,p_2,unsure");
  assert_text (segue_predict_csv_rows (&csv, "x", &song),
               "x,\"Mika \"\"M\"\"\",0.5,,\"Mika \"\"M\"\"\",0.5,Abba,0.25,");
  csv.segments = TRUE;
  csv.n_top = 99;
  assert_text (
    segue_predict_csv_head (&csv),
    "file,start,duration,label,confidence,error,label_1,p_1,label_2,p_2,label_3,p_3,unsure");
  csv.n_top = 0;
  assert_text (segue_predict_csv_rows (&csv, "x", &song),
               "x,10,10.5,\"Mika \"\"M\"\"\",0.5,,0.25,0.5,0.25,\n"
               "x,20.5,10,방탄,0.899999976,,0.100000001,0,0.899999976,");
  assert_text (segue_predict_csv_error (&csv, "x", "no"), "x,,,,,no,,,,");
}

#define N_SEGMENTS 70

static void
test_timeline (void)
{
  float rows[N_SEGMENTS][3], p[] = { 0.3f, 0.6f, 0.1f };
  SegueSegmentPrediction segments[N_SEGMENTS];
  for (guint i = 0; i < N_SEGMENTS; i++) {
    gboolean mika = i < 40, sure = i % 10 != 9;
    rows[i][1] = mika ? (sure ? 0.8f : 0.4f) : 0.1f;
    rows[i][0] = mika ? 0.1f : 0.8f;
    rows[i][2] = 1 - rows[i][0] - rows[i][1];
    if (mika && !sure)
      rows[i][0] = rows[i][2] = 0.3f;
    segments[i] = (SegueSegmentPrediction){ 10 + 10.0 * i, 10, rows[i] };
  }
  SegueSongPrediction song = { .n_labels = 3,
                               .distance = NAN,
                               .best = 1,
                               .probabilities = p,
                               .n_segments = N_SEGMENTS,
                               .segments = segments };
  assert_text (segue_predict_timeline (&plain, labels, &song),
               "     0:10 AAAAAAAAAaAAAAAAAAAaAAAAAAAAAaAAAAAAAAAaBBBBBBBBBBBBBBBBBBBB\n"
               "    10:10 BBBBBBBBBB 11:50\n"
               "          A Mika \"M\", B Abba; lower case: less than 50 %");
  const SegueTerm coloured = { .columns = 40, .tty = TRUE, .colour = TRUE };
  song.n_segments = 3;
  assert_text (segue_predict_timeline (&coloured, labels, &song),
               "     0:10 \033[32mAAA\033[0m 0:40\n          A Mika \"M\"");
}

/* ---- Which files ---- */

static char *
touch (const char *folder, const char *name)
{
  char *path = g_build_filename (folder, name, NULL);
  g_autofree char *parent = g_path_get_dirname (path);
  g_assert_cmpint (g_mkdir_with_parents (parent, 0777), ==, 0);
  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  return path;
}

static void
test_files (void)
{
  g_autofree char *folder = g_dir_make_tmp ("segue-test-XXXXXX", NULL);
  static const char *const names[] = { "b/2.MP3",
                                       "b/1.flac",
                                       "a.ogg",
                                       "cover.jpg",
                                       "README",
                                       "._1.mp3",
                                       "b/\xff.wav",
                                       ".Trash/x.mp3",
                                       "mp3",
                                       ".38/x.mp3",
                                       "@eaDir/a.ogg/x.ogg",
                                       ".hidden.mp3" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    g_free (touch (folder, names[i]));
  g_autofree char *circle = g_build_filename (folder, "b", "circle", NULL);
  g_assert_cmpint (symlink ("..", circle), ==, 0);
  g_autofree char *dangling = g_build_filename (folder, "gone.mp3", NULL);
  g_assert_cmpint (symlink ("nowhere", dangling), ==, 0);
  g_autofree char *cover = g_build_filename (folder, "cover.jpg", NULL);

  char *arguments[] = { cover, folder, (char *) "/not/there.mp3", NULL };
  static const char *const extensions[] = { "", "mp3", "flac", "ogg", "wav", NULL };
  const SeguePredictInput input = { .arguments = arguments, .extensions = extensions };
  g_autoptr (GPtrArray) files = segue_predict_files (&input, NULL);
  static const char *const wanted[] = { "cover.jpg", ".38/x.mp3", ".hidden.mp3", "a.ogg",
                                        "b/1.flac",  "b/2.MP3",   "b/\xff.wav",  "gone.mp3" };
  g_assert_cmpuint (files->len, ==, G_N_ELEMENTS (wanted) + 1);
  for (gsize i = 0; i < G_N_ELEMENTS (wanted); i++) {
    g_autofree char *path = g_build_filename (folder, wanted[i], NULL);
    g_assert_cmpstr (g_ptr_array_index (files, i), ==, path);
  }
  g_assert_cmpstr (g_ptr_array_index (files, files->len - 1), ==, "/not/there.mp3");
  segue_file_remove_folder (folder, NULL);
}

static GPtrArray *
list_files (char *const *arguments, const char *text, gsize length, char separator, GError **error)
{
  FILE *list = fmemopen ((char *) text, MAX (length, 1), "r");
  if (length == 0)
    getc (list);
  const SeguePredictInput input = { .arguments = arguments, .list = list, .separator = separator };
  GPtrArray *files = segue_predict_files (&input, error);
  fclose (list);
  return files;
}

static void
assert_list (const char *text, gsize length, char separator, const char *const *wanted)
{
  char *arguments[] = { (char *) "first", (char *) "-", (char *) "last", NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) files = list_files (arguments, text, length, separator, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (g_ptr_array_index (files, 0), ==, "first");
  g_assert_cmpuint (files->len, ==, 2 + g_strv_length ((char **) wanted));
  for (guint i = 0; wanted[i]; i++)
    g_assert_cmpstr (g_ptr_array_index (files, 1 + i), ==, wanted[i]);
}

/* Names in any bytes; patterns are names here. */
static void
test_list (void)
{
  static const char lines[] = "a b.mp3\n\n\xff\r\n*.ogg\nend", zeros[] = "a\nb\0-\0\0c";
  assert_list (lines, sizeof lines - 1, '\n',
               (const char *const[]){ "a b.mp3", "\xff", "*.ogg", "end", NULL });
  assert_list (zeros, sizeof zeros - 1, '\0', (const char *const[]){ "a\nb", "-", "c", NULL });
  assert_list (" ", 0, '\n', (const char *const[]){ NULL });

  char *arguments[] = { (char *) "-", NULL };
  g_autoptr (GError) error = NULL;
  g_assert_null (list_files (arguments, zeros, sizeof zeros - 1, '\n', &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  assert_has (error->message, "line 2 of the list contains a zero byte");
  g_clear_error (&error);
  g_autofree char *endless = g_strnfill (100 * 1024, 'x');
  g_assert_null (list_files (arguments, endless, 100 * 1024, '\n', &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  assert_has (error->message, "line 1 of the list is longer");
}

static void
assert_playlist (const char *folder, const char *name, const char *text, const char *const *wanted)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) error = NULL;
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  char *arguments[] = { path, NULL };
  const SeguePredictInput input = { .arguments = arguments };
  g_autoptr (GPtrArray) files = segue_predict_files (&input, &error);
  g_assert_no_error (error);
  for (guint i = 0; wanted[i]; i++) {
    g_autofree char *file =
      wanted[i][0] == '=' ? g_strdup (wanted[i] + 1) : g_build_filename (folder, wanted[i], NULL);
    g_assert_cmpuint (i, <, files->len);
    g_assert_cmpstr (g_ptr_array_index (files, i), ==, file);
  }
  g_assert_cmpuint (files->len, ==, g_strv_length ((char **) wanted));
}

/* An untrusted list must not cause gigabytes of names. */
static void
test_long_playlist (void)
{
  g_autofree char *folder = g_dir_make_tmp ("segue-test-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "x.m3u", NULL);
  g_autofree char *text = g_strnfill (300000, '\n');
  g_autoptr (GError) error = NULL;
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  char *arguments[] = { path, NULL };
  const SeguePredictInput input = { .arguments = arguments };
  g_assert_null (segue_predict_files (&input, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  assert_has (error->message, "more than 200000 lines");
  g_unlink (path);
  g_rmdir (folder);
}

/* A line may name a folder, and each line the same one. */
static void
test_playlist_of_folders (void)
{
  g_autofree char *folder = g_dir_make_tmp ("segue-test-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "x.m3u", NULL);
  g_autofree char *text = g_strnfill (3 * 3000, '.');
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < 100; i++) {
    g_autofree char *name = g_strdup_printf ("%u.mp3", i);
    g_free (touch (folder, name));
  }
  for (gsize i = 0; text[i]; i += 3)
    memcpy (text + i, "./\n", 3);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  char *arguments[] = { path, NULL };
  const SeguePredictInput input = { .arguments = arguments };
  g_assert_null (segue_predict_files (&input, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  assert_has (error->message, "more than 200000 files");
  segue_file_remove_folder (folder, NULL);
}

#define FILES(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* As players save them, on any system. */
static void
test_playlists (void)
{
  g_autofree char *folder = g_dir_make_tmp ("segue-test-XXXXXX", NULL);
  static const char *const names[] = { "a.mp3",         "b/c d.mp3",     "\xc3\xa9t\xc3\xa9.mp3",
                                       "100%.mp3",      "#1.mp3",        "ends\r",
                                       "b/raw\xe9.mp3", "n\xcc\x83.mp3", "b/\xc3\xbc.mp3" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    g_free (touch (folder, names[i]));
  assert_playlist (folder, "x.m3u",
                   "\xef\xbb\xbf#EXTM3U\r\n#EXTINF:12,A - B\r\na.mp3\r\n\r\nb/c d.mp3\r\n\r\n",
                   FILES ("a.mp3", "b/c d.mp3"));
  assert_playlist (folder, "X.M3U8", "# comment\n#1.mp3\n  a.mp3  \n100%.mp3\nb\\c d.mp3",
                   FILES ("#1.mp3", "a.mp3", "100%.mp3", "b/c d.mp3"));
  /* Bytes as they are, Latin-1, percents, the other normal form, and Latin-1 after backslashes. */
  assert_playlist (folder, "x.m3u",
                   "b/raw\xe9.mp3\n\xe9t\xe9.mp3\nb/c%20d.mp3\n\xc3\xb1.mp3\nb\\\xfc.mp3\n",
                   FILES ("b/raw\xe9.mp3", "\xc3\xa9t\xc3\xa9.mp3", "b/c d.mp3", "n\xcc\x83.mp3",
                          "b/\xc3\xbc.mp3"));
  assert_playlist (folder, "x.m3u",
                   "/not/there.mp3\nfile:///not/th%20ere.mp3\ngone.mp3\nhttp://x/y.mp3\n",
                   FILES ("=/not/there.mp3", "=/not/th ere.mp3", "gone.mp3", "=http://x/y.mp3"));
  assert_playlist (folder, "x.pls",
                   "[playlist]\r\nNumberOfEntries=2\r\nFile1=a.mp3\r\nTitle1=A\r\nLength1=12\r\n"
                   "file2 = x\r\nFile2=b\\c d.mp3\r\nVersion=2\r\n",
                   FILES ("a.mp3", "b/c d.mp3"));
  /* A playlist in a playlist is not a song, and causes no cycle. */
  assert_playlist (folder, "x.m3u", "x.m3u\n", FILES ("x.m3u"));

  g_autofree char *here = g_get_current_dir ();
  g_assert_cmpint (g_chdir (folder), ==, 0);
  static const char lines[] = "\xef\xbb\xbf"
                              "a.mp3\r\nends\r\r\nends\r\n #x \n";
  assert_list (lines, sizeof lines - 1, '\n',
               (const char *const[]){ "a.mp3", "ends\r", "ends\r", " #x ", NULL });
  static const char m3u[] = "#EXTM3U\n#EXTINF:1,x\na.mp3\n";
  assert_list (m3u, sizeof m3u - 1, '\n', (const char *const[]){ "a.mp3", NULL });
  static const char raw[] = "#EXTM3U\0a.mp3\r\0";
  assert_list (raw, sizeof raw - 1, '\0', (const char *const[]){ "#EXTM3U", "a.mp3\r", NULL });
  g_assert_cmpint (g_chdir (here), ==, 0);

  g_autofree char *uri = g_filename_to_uri (folder, NULL, NULL);
  g_autofree char *song = g_strconcat (uri, "/b/c%20d.mp3", NULL);
  g_autofree char *path = g_build_filename (folder, "b/c d.mp3", NULL);
  char *arguments[] = { song, NULL };
  const SeguePredictInput input = { .arguments = arguments };
  g_autoptr (GPtrArray) files = segue_predict_files (&input, NULL);
  g_assert_cmpstr (g_ptr_array_index (files, 0), ==, path);
  segue_file_remove_folder (folder, NULL);
}

static void
test_list_of_other_encoding (void)
{
  static const char utf16[] = "\xff\xfe"
                              "a\0\n\0";
  char *arguments[] = { (char *) "-", NULL };
  g_autoptr (GError) error = NULL;
  g_assert_null (list_files (arguments, utf16, sizeof utf16 - 1, '\n', &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  assert_has (error->message,
              "line 1 of the list is UTF-16 text; save the list with UTF-8 encoding");
}

/* As in a shell, except that a file of that exact name comes first, and in byte order. */
static void
test_patterns (void)
{
  g_autofree char *folder = g_dir_make_tmp ("segue-test-XXXXXX", NULL);
  static const char *const names[] = { "b.mp3", "B.mp3",  "a.mp3",        "[x].mp3",
                                       "x.mp3", ".h.mp3", "d.mp3/in.mp3", "d.mp3/cover.jpg" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    g_free (touch (folder, names[i]));
  static const struct {
    const char *pattern;
    const char *wanted[8];
  } cases[] = {
    { "*.mp3", { "B.mp3", "[x].mp3", "a.mp3", "b.mp3", "d.mp3/in.mp3", "x.mp3" } },
    { "[x].mp3", { "[x].mp3" } },
    { "[ab].mp3", { "a.mp3", "b.mp3" } },
    { "?.ogg", { "?.ogg" } },
    { "*/i*", { "d.mp3/in.mp3" } },
  };
  static const char *const extensions[] = { "mp3", NULL };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *pattern = g_build_filename (folder, cases[i].pattern, NULL);
    char *arguments[] = { pattern, NULL };
    const SeguePredictInput input = { .arguments = arguments, .extensions = extensions };
    g_autoptr (GPtrArray) files = segue_predict_files (&input, NULL);
    g_assert_cmpuint (files->len, ==, g_strv_length ((char **) cases[i].wanted));
    for (guint j = 0; j < files->len; j++) {
      g_autofree char *path = g_build_filename (folder, cases[i].wanted[j], NULL);
      g_assert_cmpstr (g_ptr_array_index (files, j), ==, path);
    }
  }
  segue_file_remove_folder (folder, NULL);
}

/* ---- Answers in order ---- */

#define N_TASKS 500

typedef struct {
  guint window, stop_at;
  gint n_taken, n_there, most_there, n_dropped;
  guint made[N_TASKS];
} Tasks;

static gpointer
make_task (gpointer data, guint index)
{
  Tasks *tasks = data;
  gint there = g_atomic_int_add (&tasks->n_there, 1) + 1;
  gint most = g_atomic_int_get (&tasks->most_there);
  while (there > most && !g_atomic_int_compare_and_exchange (&tasks->most_there, most, there))
    most = g_atomic_int_get (&tasks->most_there);
  /* Every ninth is slow: all later ones finish earlier. */
  if (index % 9 == 0)
    g_usleep (2000);
  tasks->made[index]++;
  return GUINT_TO_POINTER (index + 1);
}

static gboolean
take_task (gpointer data, guint index, gpointer result)
{
  Tasks *tasks = data;
  g_assert_cmpuint (GPOINTER_TO_UINT (result), ==, index + 1);
  g_assert_cmpint (tasks->n_taken, ==, index);
  tasks->n_taken++;
  g_atomic_int_add (&tasks->n_there, -1);
  return index != tasks->stop_at;
}

static gpointer dropping;

static void
drop_task (gpointer result)
{
  ((Tasks *) dropping)->n_dropped++;
}

static void
run_tasks (Tasks *tasks, guint n_threads)
{
  const SegueInOrder work = { N_TASKS,   n_threads, tasks->window, tasks,
                              make_task, take_task, drop_task };
  dropping = tasks;
  g_assert_true (segue_in_order (&work, NULL));
}

/* Each once, in order, and never more than fit into the window. */
static void
test_in_order (void)
{
  for (guint n_threads = 1; n_threads <= 8; n_threads *= 2)
    for (guint window = 1; window <= 32; window *= 4) {
      Tasks tasks = { .window = window, .stop_at = N_TASKS };
      run_tasks (&tasks, n_threads);
      g_assert_cmpint (tasks.n_taken, ==, N_TASKS);
      g_assert_cmpint (tasks.n_dropped, ==, 0);
      /* One more is held by the consumer. */
      g_assert_cmpint (tasks.most_there, <=, window + 1);
      for (guint i = 0; i < N_TASKS; i++)
        g_assert_cmpuint (tasks.made[i], ==, 1);
    }
}

static void
test_in_order_stops (void)
{
  Tasks tasks = { .window = 8, .stop_at = 20 };
  run_tasks (&tasks, 4);
  g_assert_cmpint (tasks.n_taken, ==, 21);
  guint n_made = 0;
  for (guint i = 0; i < N_TASKS; i++)
    n_made += tasks.made[i];
  g_assert_cmpuint (n_made, <=, 21 + 8);
  g_assert_cmpuint (n_made, ==, 21 + (guint) tasks.n_dropped);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/predict/json", test_json);
  g_test_add_func ("/predict/digits", test_digits);
  g_test_add_func ("/predict/table", test_table);
  g_test_add_func ("/predict/unsure", test_unsure);
  g_test_add_func ("/predict/answer-is-first", test_answer_is_first);
  g_test_add_func ("/predict/csv", test_csv);
  g_test_add_func ("/predict/timeline", test_timeline);
  g_test_add_func ("/predict/files", test_files);
  g_test_add_func ("/predict/list", test_list);
  g_test_add_func ("/predict/playlist/long", test_long_playlist);
  g_test_add_func ("/predict/playlist/folders", test_playlist_of_folders);
  g_test_add_func ("/predict/list/playlists", test_playlists);
  g_test_add_func ("/predict/list/encoding", test_list_of_other_encoding);
  g_test_add_func ("/predict/patterns", test_patterns);
  g_test_add_func ("/predict/in-order", test_in_order);
  g_test_add_func ("/predict/in-order/stops", test_in_order_stops);
  return g_test_run ();
}
