/* The command's pure parts: text on terminals, bars, tables, options, help, log rules, excerpts. */
#include "assert-text.h"
#include "cli.h"
#include "progress-line.h"
#include "table.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <math.h>
#include <segue/file.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const SegueTerm plain = { .columns = 80, .unicode = TRUE };
static const SegueTerm ascii = { .columns = 80 };
static const SegueTerm screen = { .columns = 80, .tty = TRUE, .unicode = TRUE };

static void
assert_fits (const char *text, guint columns)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (gsize i = 0; lines[i]; i++) {
    if (segue_text_width (lines[i]) > columns)
      g_test_message ("wider than %u: ‘%s’", columns, lines[i]);
    g_assert_cmpuint (segue_text_width (lines[i]), <=, columns);
  }
}

/* ---- Text ---- */

static void
test_printable (void)
{
  assert_text (segue_text_printable ("a b"), "a b");
  assert_text (segue_text_printable ("a\nb\tc"), "a\\nb\\tc");
  assert_text (segue_text_printable ("\033[31mred"), "\\x1b[31mred");
  assert_text (segue_text_printable ("\xff"), "\xef\xbf\xbd");
  assert_text (segue_text_printable ("노래 🎵"), "노래 🎵");
  /* U+202E reverses the following text. */
  assert_text (segue_text_printable ("a\xe2\x80\xaegpj"), "a\\u202egpj");
  assert_text (segue_text_printable ("\xf3\xa0\x81\x81"), "\\U000e0041");
}

static void
test_json_printable (void)
{
  assert_text (segue_json_printable ("{\n  \"노래\": \"\\u001b\"\n}"),
               "{\n  \"노래\": \"\\u001b\"\n}");
  assert_text (segue_json_printable ("[\"a\x7f\xc2\x9b\xe2\x80\xae\"]"),
               "[\"a\\u007f\\u009b\\u202e\"]");
  /* A tag of U+E0041: two halves. */
  assert_text (segue_json_printable ("[\"\xf3\xa0\x81\x81\"]"), "[\"\\udb40\\udc41\"]");
}

static void
test_width (void)
{
  g_assert_cmpuint (segue_text_width ("abc"), ==, 3);
  g_assert_cmpuint (segue_text_width ("노래"), ==, 4);
  g_assert_cmpuint (segue_text_width ("e\xcc\x81"), ==, 1);
  assert_text (segue_text_clip ("abcdef", 6, TRUE), "abcdef");
  assert_text (segue_text_clip ("abcdefg", 6, TRUE), "abcde…");
  assert_text (segue_text_clip ("abcdefg", 6, FALSE), "abc...");
  assert_text (segue_text_clip ("노래노래", 6, TRUE), "노래…");
  for (guint columns = 0; columns < 12; columns++)
    for (gsize unicode = 0; unicode < 2; unicode++) {
      g_autofree char *text = segue_text_clip ("a노래b노래c노래", columns, unicode != 0);
      g_assert_cmpuint (segue_text_width (text), <=, columns);
    }
}

static void
test_wrap (void)
{
  g_autoptr (GString) out = g_string_new ("  ");
  segue_text_append_wrapped (out, "one two three four", 2, 10);
  g_assert_cmpstr (out->str, ==, "  one two\n  three\n  four\n");
  g_string_assign (out, "");
  segue_text_append_wrapped (out, "averylongword b", 0, 5);
  g_assert_cmpstr (out->str, ==, "averylongword\nb\n");
}

/* ---- Progress ---- */

static void
test_duration (void)
{
  assert_text (segue_duration_text (0), "0:00");
  assert_text (segue_duration_text (7.4), "0:07");
  assert_text (segue_duration_text (59.6), "1:00");
  assert_text (segue_duration_text (3599), "59:59");
  assert_text (segue_duration_text (3723), "1:02:03");
  assert_text (segue_duration_text (-1), "?");
  assert_text (segue_duration_text ((double) NAN), "?");
  assert_text (segue_duration_text ((double) INFINITY), "?");
}

static void
test_bar (void)
{
  SegueProgressView view = { .name = "decode … segment",
                             .index = 1,
                             .n_stages = 6,
                             .unit = "songs",
                             .done = 30,
                             .total = 120,
                             .rate = 12,
                             .elapsed = 2.5,
                             .detail = "tagged" };
  g_autofree char *bar = segue_progress_bar (&screen, &view);
  assert_has (bar, "[2/6] decode … segment ━");
  assert_has (bar, "━━──────── 30/120 songs · 12/s · 0:08 left · tagged");
  g_autofree char *line = segue_progress_plain (&view);
  g_assert_cmpstr (line, ==, "[2/6] decode … segment: 30 of 120 songs, 12/s, 0:08 left, tagged");
  assert_text (segue_progress_done (&plain, &view), "[2/6] decode … segment: 30 songs in 2.5 s");

  /* Without a detail there is room for a longer bar. */
  view.detail = NULL;
  g_autofree char *longer = segue_progress_bar (&screen, &view);
  assert_has (longer, "━━━━━━────────────────── 30/120 songs · 12/s · 0:08 left");
  view.detail = "tagged";

  view.total = 0;
  view.rate = 0.5;
  g_autofree char *endless = segue_progress_plain (&view);
  g_assert_cmpstr (endless, ==, "[2/6] decode … segment: 30 songs, 2.0 s each, 0:03, tagged");

  view.done = 1;
  assert_text (segue_progress_done (&plain, &view), "[2/6] decode … segment: 1 song in 2.5 s");
  view.unit = NULL;
  assert_text (segue_progress_done (&plain, &view), "[2/6] decode … segment: 1 in 2.5 s");
}

/* Whatever is displayed, the cursor must stay in its line. */
static void
test_bar_fits (void)
{
  SegueProgressView view = {
    .name = "노래 decode with a long name", .done = 5, .total = 10, .rate = 1
  };
  view.detail = "a detail\nwith a line break and \033[2J";
  for (guint columns = 20; columns < 200; columns++) {
    SegueTerm narrow = { .columns = columns, .tty = TRUE, .unicode = TRUE };
    g_autofree char *bar = segue_progress_bar (&narrow, &view);
    g_assert_cmpuint (segue_text_width (bar), <, columns);
    g_assert_null (strpbrk (bar, "\n\033"));
  }
  /* A training's status is visible at any usual width. */
  SegueProgressView train = { .name = "train",
                              .index = 4,
                              .n_stages = 7,
                              .unit = "steps",
                              .done = 1234,
                              .total = 23400,
                              .rate = 3.14,
                              .detail = "epoch 12/30, loss 0.812" };
  for (guint columns = 60; columns < 120; columns++) {
    SegueTerm any = { .columns = columns, .tty = TRUE, .unicode = TRUE };
    g_autofree char *bar = segue_progress_bar (&any, &train);
    assert_has (bar, "1234/23400");
    assert_has (bar, "left · epoch 12/30, loss 0.812");
    g_assert_cmpuint (segue_text_width (bar), <, columns);
  }
  view.done = 20; /* more than all */
  g_autofree char *over = segue_progress_bar (&screen, &view);
  g_assert_cmpuint (segue_text_width (over), <, 80);
}

static void
test_bytes (void)
{
  SegueProgressView view = {
    .name = "x", .unit = SEGUE_UNIT_BYTES, .done = 34100000, .total = 94000000, .rate = 12000000
  };
  g_autofree char *line = segue_progress_plain (&view);
  assert_has (line, "34.1");
  assert_has (line, "94.0");
  assert_has (line, "MB/s");
  assert_has (line, "0:05 left");
}

/* Half the songs are read from the cache at once; the estimate is for the rest. */
static void
test_rate (void)
{
  SegueRate rate = { 0 };
  g_assert_cmpfloat (segue_rate_get (&rate, 0, 0), ==, 0);
  segue_rate_add (&rate, 0, 0);
  g_assert_cmpfloat (segue_rate_get (&rate, 0.1, 500), ==, 0);
  for (guint s = 1; s <= 100; s++)
    segue_rate_add (&rate, s, 1000 + 2 * s);
  g_assert_cmpfloat_with_epsilon (segue_rate_get (&rate, 100, 1200), 2, 1e-9);
  g_assert_cmpfloat (segue_rate_get (&rate, 101, 100), ==, 0); /* it went backwards */
  for (guint s = 101; s <= 104; s++)
    segue_rate_add (&rate, s, 3 * (s - 101));
  g_assert_cmpfloat_with_epsilon (segue_rate_get (&rate, 105, 12), 3, 1e-9);
}

/* ---- Tables ---- */

static char *
table_of (const SegueTerm *term, const char *text)
{
  json_t *metrics = json_loads (text, 0, NULL);
  g_assert_nonnull (metrics);
  char *table = segue_table_metrics (term, metrics, "artist");
  json_decref (metrics);
  return table;
}

static const char metrics_text[] =
  "{\"train\": {\"songs\": 10, \"segments\": 200, \"segment_accuracy\": 1, \"song_accuracy\": 1},"
  " \"test\": {\"songs\": 4, \"segments\": 80, \"segment_accuracy\": 0.7708, \"song_accuracy\": "
  "0.75,  \"song_accuracy_interval\": [0.3006, 0.9544], \"chance\": 0.3333, \"majority\": 0.5,"
  "  \"labels\": {"
  "   \"Mika\": {\"songs\": 2, \"segments\": 40, \"segment_accuracy\": 0.425, \"song_accuracy\": "
  "0.5},   \"방탄소년단\": {\"songs\": 1, \"segments\": 20, \"segment_accuracy\": 1, \"song_accuracy\": "
  "1},   \"A\\u001b[2J\": {\"songs\": 1, \"segments\": 20, \"segment_accuracy\": null}}}}";

/* The set of the figures, and what can be concluded from so few songs. */
static void
test_table (void)
{
  assert_text (table_of (&plain, metrics_text),
               "set         songs  segments  segments right  songs right\n"
               "train          10       200         100.0 %      100.0 %\n"
               "test            4        80          77.1 %       75.0 %\n"
               "\n"
               "The test set by artist:\n"
               "artist      songs  segments  segments right  songs right\n"
               "방탄소년단      1        20         100.0 %      100.0 %\n"
               "Mika            2        40          42.5 %       50.0 %\n"
               "A\\x1b[2J        1        20\n"
               "\n"
               "3 of 4 test songs right (75.0 %); with 95 % confidence the accuracy is between\n"
               "30.1 % and 95.4 %. Chance level is 33.3 %, always predicting the most frequent\n"
               "label gives 50.0 %: no better than chance, as far as 4 songs can tell.\n");
  /* A terminal of any width. */
  for (guint columns = 60; columns < 100; columns++) {
    const SegueTerm narrow = { .columns = columns, .tty = TRUE, .unicode = TRUE };
    g_autofree char *table = table_of (&narrow, metrics_text);
    assert_fits (table, columns);
  }
}

static void
test_verdict (void)
{
  static const struct {
    const char *test;
    const char *says; /* NULL: nothing */
  } cases[] = {
    { "\"songs\": 200, \"song_accuracy\": 0.9, \"song_accuracy_interval\": [0.85, 0.93], "
      "\"chance\": 0.1, \"majority\": 0.1",
      "180 of 200 test songs right (90.0 %); with 95 % confidence the accuracy is\n"
      "between 85.0 % and 93.0 %. Chance level is 10.0 %.\n" },
    { "\"songs\": 15, \"song_accuracy\": 0.8, \"song_accuracy_interval\": [0.55, 0.93], "
      "\"chance\": 0.3, \"majority\": 0.3",
      "better than chance; more test songs\nwould give a more precise figure.\n" },
    { "\"songs\": 15, \"song_accuracy\": 0.4, \"song_accuracy_interval\": [0.2, 0.64], \"chance\": "
      "0.3, \"majority\": 0.3",
      "no better than chance, as far as 15\nsongs can tell.\n" },
    { "\"songs\": 1, \"song_accuracy\": 1, \"song_accuracy_interval\": [0.21, 1], \"chance\": 0.5, "
      "\"majority\": 1",
      "1 of 1 test song right" },
    { "\"songs\": 99, \"song_accuracy\": 0, \"song_accuracy_interval\": [0, 0.04], \"chance\": "
      "0.5, \"majority\": 0.5",
      ": worse than chance.\n" },
    { "\"songs\": 0, \"song_accuracy\": null, \"song_accuracy_interval\": [null, null], "
      "\"chance\": 0.5, \"majority\": null",
      NULL },
    { "\"songs\": 5, \"song_accuracy\": 0.4", NULL },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = g_strdup_printf ("{\"test\": {%s}}", cases[i].test);
    g_autofree char *table = table_of (&plain, text);
    if (cases[i].says)
      assert_has (table, cases[i].says);
    else
      g_assert_null (strstr (table, "confidence"));
  }
}

static void
test_table_of_rubbish (void)
{
  static const char *const texts[] = {
    "{}",
    "[]",
    "{\"test\": 3}",
    "{\"test\": {\"labels\": []}}",
    "{\"test\": {\"labels\": {\"a\": 3}}}",
    "{\"test\": {\"songs\": 1, \"song_accuracy\": 1, \"chance\": 1, "
    "\"song_accuracy_interval\": {\"a\": 3}}}"
  };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    json_t *metrics = json_loads (texts[i], 0, NULL);
    g_autofree char *table = segue_table_metrics (&plain, metrics, "artist");
    g_assert_true (g_str_has_prefix (table, "set"));
    json_decref (metrics);
  }
}

/* ---- Options, help, logs ---- */

typedef struct {
  char *name;
  char **list;
  gint count;
  gboolean flag, flat;
} Values;

static const SegueOption rows[] = {
  { "name", 'n', SEGUE_OPTION_PATH, offsetof (Values, name), "N", 0, 0, "a name" },
  { "list", 'l', SEGUE_OPTION_LIST, offsetof (Values, list), "L", 0, 0, "a list" },
  { "count", 'c', SEGUE_OPTION_COUNT, offsetof (Values, count), "C", 1, 9, "a count" },
  { "flag", 'f', SEGUE_OPTION_FLAG, offsetof (Values, flag), NULL, 0, 0, "a flag" },
  { "flat", 0, SEGUE_OPTION_FLAG, offsetof (Values, flat), NULL, 0, 0, "another" },
  { NULL },
};

static const SegueVerb verb = { .name = "verb",
                                .summary = "s",
                                .synopsis = "X",
                                .doc = "d",
                                .options = rows,
                                .size = sizeof (Values) };

static gboolean
parse (const char *line, Values *values, gboolean *help, char ***left, GError **error)
{
  *values = (Values){ 0 };
  *help = FALSE;
  *left = g_strsplit (line, " ", -1);
  return segue_options_parse (&verb, left, values, help, error);
}

/* Passed on to another program, they have the same effect there. */
static void
test_option_words (void)
{
  Values given, again = { 0 };
  gboolean help;
  char **left;
  g_assert_true (parse ("verb -n \xff=-- -l 1 --list=2 --flag -c 9", &given, &help, &left, NULL));
  g_strfreev (left);
  g_auto (GStrv) words = segue_options_words (&verb, &given);
  g_autofree char *joined = g_strjoinv (" ", words);
  g_autofree char *line = g_strconcat ("verb ", joined, NULL);
  g_assert_true (parse (line, &again, &help, &left, NULL));
  g_assert_cmpuint (g_strv_length (left), ==, 1);
  g_assert_cmpstr (again.name, ==, "\xff=--");
  g_assert_cmpuint (g_strv_length (again.list), ==, 2);
  g_assert_cmpstr (again.list[1], ==, "2");
  g_assert_cmpint (again.count, ==, 9);
  g_assert_true (again.flag);
  g_strfreev (left);
  segue_options_clear (&verb, &given);
  segue_options_clear (&verb, &again);

  Values none = { 0 };
  g_auto (GStrv) no_words = segue_options_words (&verb, &none);
  g_assert_cmpuint (g_strv_length (no_words), ==, 0);
}

/* Every spelling that is usual in other commands. */
static void
test_options (void)
{
  static const struct {
    const char *line;
    const char *rest; /* words that are not options */
    const char *name, *last;
    gint count;
    gboolean flag;
  } cases[] = {
    { "verb a -n \xff -l 1 --list=2 --flag -c 9 b -- --name", "a b --name", "\xff", "2", 9, TRUE },
    { "verb -c4", "", NULL, NULL, 4, FALSE },
    { "verb -c 4", "", NULL, NULL, 4, FALSE },
    { "verb --count=4", "", NULL, NULL, 4, FALSE },
    { "verb --count 4 -c5 --count=6", "", NULL, NULL, 6, FALSE },
    { "verb --cou 4", "", NULL, NULL, 4, FALSE },
    { "verb -fc4 x", "x", NULL, NULL, 4, TRUE },
    { "verb -ffnx", "", "x", NULL, 0, TRUE },
    { "verb -n -f", "", "-f", NULL, 0, FALSE },
    { "verb -n=x", "", "=x", NULL, 0, FALSE },
    { "verb -- -n.mp3 -c", "-n.mp3 -c", NULL, NULL, 0, FALSE },
    { "verb x -- -- -", "x -- -", NULL, NULL, 0, FALSE },
    { "verb - x -f", "- x", NULL, NULL, 0, TRUE },
    { "verb x -l1 y -l2 z", "x y z", NULL, "2", 0, FALSE },
    { "verb --list= x", "x", NULL, "", 0, FALSE },
    { "verb", "", NULL, NULL, 0, FALSE },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    Values values;
    gboolean help;
    char **left;
    g_autoptr (GError) error = NULL;
    g_assert_true (parse (cases[i].line, &values, &help, &left, &error));
    g_autofree char *rest = g_strjoinv (" ", left + 1);
    g_assert_cmpstr (rest, ==, cases[i].rest);
    g_assert_cmpstr (values.name, ==, cases[i].name);
    g_assert_cmpint (values.count, ==, cases[i].count);
    g_assert_true (values.flag == cases[i].flag && !values.flat && !help);
    g_assert_cmpstr (values.list ? values.list[g_strv_length (values.list) - 1] : NULL, ==,
                     cases[i].last);
    g_strfreev (left);
    segue_options_clear (&verb, &values);
  }
}

/* --help wins, whatever follows. */
static void
test_options_help (void)
{
  static const char *const lines[] = { "verb -h", "verb --help", "verb --hel", "verb x -fh --nmae",
                                       "verb -c 4 --help -c x" };
  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++) {
    Values values;
    gboolean help;
    char **left;
    g_assert_true (parse (lines[i], &values, &help, &left, NULL));
    g_assert_true (help);
    g_strfreev (left);
    segue_options_clear (&verb, &values);
  }
}

static void
test_options_wrong (void)
{
  static const struct {
    const char *line;
    const char *says;
  } cases[] = {
    { "verb --nmae x", "there is no option --nmae; did you mean --name?" },
    { "verb --nmae=x", "there is no option --nmae; did you mean --name?" },
    { "verb --xyzzyxyzzy", "there is no option --xyzzyxyzzy (" },
    { "verb --\033[2J", "there is no option --\\x1b[2J (" },
    { "verb -x", "there is no option -x (" },
    { "verb -fxc4", "there is no option -x (" },
    { "verb -f -\xc3\xa9", "there is no option -\xc3\xa9 (" },
    { "verb --fla", "--fla is ambiguous: it may be any of --flag, --flat; write one in full" },
    { "verb --flag=1", "--flag takes no value" },
    { "verb --help=1", "--help takes no value" },
    { "verb -c 10", "--count must be 1..9, got 10" },
    { "verb -c10", "--count must be 1..9, got 10" },
    { "verb -c 0", "--count must be 1..9, got 0" },
    { "verb -c -1", "--count must be 1..9, got -1" },
    { "verb -c 99999999999999999999", "--count must be 1..9, got 99999999999999999999" },
    { "verb -c x", "--count must be a whole number in 1..9, got x" },
    { "verb -c 1.5", "--count must be a whole number in 1..9, got 1.5" },
    { "verb -c 0x4", "--count must be a whole number in 1..9, got 0x4" },
    { "verb -c 1e0", "--count must be a whole number in 1..9, got 1e0" },
    { "verb -c4x", "--count must be a whole number in 1..9, got 4x" },
    { "verb --count=", "--count must be a whole number in 1..9, got nothing" },
    { "verb -n", "--name has no value: give --name N" },
    { "verb -fn", "--name has no value: give --name N" },
    { "verb --name", "--name has no value: give --name N" },
    { "verb --name=", "--name has no value: give N" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    Values values;
    gboolean help;
    char **left;
    g_autoptr (GError) error = NULL;
    g_assert_false (parse (cases[i].line, &values, &help, &left, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE);
    assert_has (error->message, cases[i].says);
    assert_has (error->message, "segue verb --help");
    g_strfreev (left);
    segue_options_clear (&verb, &values);
  }
}

/* The help of every verb states its purpose, with an example, in lines that fit. */
static void
test_help (void)
{
  static const SegueTerm narrow = { .columns = 60 };
  g_autofree char *all = segue_help_main (&ascii);
  g_autofree char *man = segue_help_man ();
  assert_fits (all, 80);
  for (const SegueVerb *const *v = segue_verbs (); *v; v++) {
    assert_has (all, (*v)->name);
    assert_has (all, (*v)->summary);
    assert_has (man, (*v)->name);
    g_assert_true ((*v)->examples && (*v)->examples[0].command);
    g_autofree char *text = segue_help_verb (&ascii, *v);
    g_autofree char *small = segue_help_verb (&narrow, *v);
    assert_has (text, "--help");
    assert_fits (text, 80);
    assert_fits (small, 60);
    for (const SegueOption *o = (*v)->options; o && o->name; o++) {
      g_autofree char *name = g_strconcat ("--", o->name, NULL);
      assert_has (text, name);
      g_assert_true ((o->type == SEGUE_OPTION_FLAG) == (!o->argument));
      g_assert_cmpuint (o->offset, <, (*v)->size);
    }
  }
}

static void
test_log_rules (void)
{
  g_assert_true (segue_log_wants (NULL, "decode", G_LOG_LEVEL_WARNING));
  g_assert_true (segue_log_wants (NULL, "decode", G_LOG_LEVEL_MESSAGE));
  g_assert_false (segue_log_wants (NULL, "decode", G_LOG_LEVEL_INFO));
  g_assert_true (segue_log_wants ("decode:debug", "decode", G_LOG_LEVEL_DEBUG));
  g_assert_false (segue_log_wants ("decode:debug", "train", G_LOG_LEVEL_DEBUG));
  g_assert_true (segue_log_wants ("*:info", "train", G_LOG_LEVEL_INFO));
  g_assert_false (segue_log_wants ("*:debug,train:error", "train", G_LOG_LEVEL_WARNING));
  g_assert_true (segue_log_wants ("nonsense,:::,decode:x", "decode", G_LOG_LEVEL_MESSAGE));
}

/* ---- Excerpts ---- */

static void
test_excerpt (void)
{
  g_autofree char *folder = g_dir_make_tmp ("segue-test-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "a:1: b.yaml", NULL);
  g_assert_true (g_file_set_contents (path, "one\n\t노래: {x}\n", -1, NULL));
  g_autofree char *second = g_strconcat (path, ":2:6: stage 'x': no", NULL);
  assert_text (segue_excerpt (&plain, second), "    2 |  노래: {x}\n               ^\n");
  g_assert_true (g_file_set_contents (path,
                                      "\xef\xbb\xbf"
                                      "a: b\r\n",
                                      -1, NULL));
  g_autofree char *first = g_strconcat (path, ":1:4: no", NULL);
  assert_text (segue_excerpt (&plain, first), "    1 | a: b\n           ^\n");
  static const char *const places[] = { ":9:1: no", ":2:0: no", ":0:1: no", ": no", "" };
  for (gsize i = 0; i < G_N_ELEMENTS (places); i++) {
    g_autofree char *message = g_strconcat (path, places[i], NULL);
    g_assert_null (segue_excerpt (&plain, message));
  }
  g_autofree char *far = g_strconcat (path, ":1:999: no", NULL);
  g_autofree char *text = segue_excerpt (&plain, far);
  assert_has (text, "^");
  g_assert_null (segue_excerpt (&plain, "/not/there.yaml:1:1: no"));
  g_assert_null (segue_excerpt (&plain, "/dev/zero:1:1: no"));
  segue_file_remove_folder (folder, NULL);
}

/* A free descriptor among the first three is not used for files; reads and writes there are errors. */
static void
test_guard (void)
{
  static const int modes[] = { O_WRONLY, O_RDONLY, O_WRONLY };
  for (int free_one = STDIN_FILENO; free_one <= STDERR_FILENO; free_one++) {
    int status;
    pid_t child = fork ();
    g_assert_cmpint (child, >=, 0);
    if (child == 0) {
      close (free_one);
      segue_term_guard_descriptors ();
      int mode = fcntl (free_one, F_GETFL);
      _exit (mode != -1 && (mode & O_ACCMODE) == modes[free_one] ? 0 : 2);
    }
    g_assert_cmpint (waitpid (child, &status, 0), ==, child);
    g_assert_cmpint (status, ==, 0);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli/text/printable", test_printable);
  g_test_add_func ("/cli/text/json", test_json_printable);
  g_test_add_func ("/cli/text/width", test_width);
  g_test_add_func ("/cli/text/wrap", test_wrap);
  g_test_add_func ("/cli/guard", test_guard);
  g_test_add_func ("/cli/progress/duration", test_duration);
  g_test_add_func ("/cli/progress/bar", test_bar);
  g_test_add_func ("/cli/progress/bar-fits", test_bar_fits);
  g_test_add_func ("/cli/progress/bytes", test_bytes);
  g_test_add_func ("/cli/progress/rate", test_rate);
  g_test_add_func ("/cli/table", test_table);
  g_test_add_func ("/cli/table/verdict", test_verdict);
  g_test_add_func ("/cli/table/rubbish", test_table_of_rubbish);
  g_test_add_func ("/cli/options", test_options);
  g_test_add_func ("/cli/option-words", test_option_words);
  g_test_add_func ("/cli/options/help", test_options_help);
  g_test_add_func ("/cli/options/wrong", test_options_wrong);
  g_test_add_func ("/cli/help", test_help);
  g_test_add_func ("/cli/log-rules", test_log_rules);
  g_test_add_func ("/cli/excerpt", test_excerpt);
  return g_test_run ();
}
