/* A realistic folder: files with wrong types, and names of every kind. Each is either used or skipped with a
 * reason; the run continues. */
#include "fixture.h"
#include "music.h"

#include <segue/file.h>
#include <string.h>
#include <unistd.h>

#define ARTISTS 3
#define SONGS   4

/* Unusual names of valid songs. */
static const char *const odd_names[] = {
  "A B/ C /  d.wav",
  "\"quoted\"/'it'/a;b$(c)`d`.wav",
  "new\nline/\t/\n.wav",
  "방탄소년단/花樣年華/노래 🎵.wav",
  "raw \xff\xfe/\x80/\xc3.wav",
  "-dash/--help/-.wav",
  "100%/%41/%.wav",
  "A:B/C:1:2:/x:3:4: y.wav",
  "esc \033[2J/b/c.wav",
};

static void
put (Fixture *f, const char *name, const void *bytes, gssize length)
{
  g_autofree char *path = fixture_place (f, name);
  g_autoptr (GError) error = NULL;
  g_file_set_contents (path, bytes, length, &error);
  g_assert_no_error (error);
}

/* Unusable files, each below "Bad/Album". */
static void
put_bad (Fixture *f)
{
  guint8 noise[20000];
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  for (gsize i = 0; i < sizeof noise; i++)
    noise[i] = (guint8) g_rand_int (rand);
  put (f, "Bad/Album/noise.mp3", noise, sizeof noise);
  put (f, "Bad/Album/noise.flac", noise, sizeof noise);
  put (f, "Bad/Album/empty.mp3", "", 0);
  put (f, "Bad/Album/text.mp3", "This is not music.\n", -1);
  put (f, "Bad/Album/page.ogg", "<!DOCTYPE html><title>404</title>", -1);
  put (f, "Bad/Album/fLaC.flac", "fLaC", 4);
  put (f, "Bad/Album/head.wav", "RIFF\xff\xff\xff\xffWAVE", 12);

  g_autofree char *whole = fixture_place (f, "Bad/Album/short.wav");
  music_write_song (whole, 0, 0, 2); /* shorter than a segment */
  g_autofree char *long_song = fixture_place (f, "Bad/Album/cut.wav");
  music_write_song (long_song, 0, 0, 60);
  g_assert_cmpint (truncate (long_song, 300000), ==, 0); /* declares 60 s; contains 9 s */

  g_autofree char *folder = fixture_place (f, "Bad/Album/folder.mp3/x");
  g_autofree char *link = fixture_place (f, "Bad/Album/dangling.mp3");
  g_assert_cmpint (symlink ("nowhere", link), ==, 0);
  g_autofree char *loop = fixture_place (f, "Bad/Album/loop.mp3");
  g_assert_cmpint (symlink ("loop.mp3", loop), ==, 0);
}

static const char *const bad_names[] = {
  "noise.mp3", "noise.flac", "empty.mp3", "text.mp3",   "page.ogg",     "fLaC.flac",
  "head.wav",  "short.wav",  "cut.wav",   "folder.mp3", "dangling.mp3", "loop.mp3",
};

static void
set_up (Fixture *f, gconstpointer library)
{
  fixture_set_up (f, library);
  put (f, "Artist 0/Album 0/cover.jpg", "not a picture", -1);
  put (f, "Artist 0/Album 0/notes.txt", "not music", -1);
}

static void
assert_printable (const char *text)
{
  g_assert_true (g_utf8_validate (text, -1, NULL));
  for (const char *p = text; *p; p++)
    if (g_ascii_iscntrl (*p) && *p != '\n')
      g_error ("control character %d in: %s", *p, text);
}

static void
run (Fixture *f, int status, CommandResult *result)
{
  command_run (result, f->folder, f->env, "run", "--preset", "artist-cnn", f->music, "--set",
               "segment.count=2", "--set", "segment.length=4", "--set", "train.epochs=1", "--set",
               "train.model.channels=[8]", "--set", "split.too_few=train_only", NULL);
  command_assert (result, status);
  assert_printable (result->err);
  assert_printable (result->out);
}

/* Every bad file is listed with a reason, in the report or in run.json. */
static void
test_bad_files (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  put_bad (f);
  run (f, 0, &result);
  command_assert_says (&result, "2 non-audio files ignored");
  command_assert_says (&result, "12 skipped:");
  command_assert_says (&result, "  decode: ‘Bad/Album/cut.wav’ ");
  command_assert_says (&result, "  songs: ‘Bad/Album/dangling.mp3’ ");
  command_assert_says (&result, "  and 2 more; see runs/artist-cnn/");
  g_autofree char *first = g_strdup (strstr (result.err, "skipped:"));

  json_t *report = fixture_read_json (f, "runs/artist-cnn/latest/run.json");
  g_autofree char *text = json_dumps (report, JSON_COMPACT);
  json_decref (report);
  for (gsize i = 0; i < G_N_ELEMENTS (bad_names); i++) {
    g_autofree char *id = g_strconcat ("Bad/Album/", bad_names[i], NULL);
    if (!strstr (text, id))
      g_test_message ("%s is not in run.json", id);
    g_assert_nonnull (strstr (text, id));
  }

  /* The reasons are cached, and repaired files are detected. */
  run (f, 0, &result);
  command_assert_says (&result, "12 skipped:");
  g_autofree char *mended = fixture_place (f, "Bad/Album/text.mp3");
  music_write_song (mended, 1, 3, 33);
  run (f, 0, &result);
  command_assert_says (&result, "11 skipped:");
  g_assert_null (strstr (result.err, "text.mp3"));
}

static void
test_odd_names (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  for (gsize i = 0; i < G_N_ELEMENTS (odd_names); i++) {
    g_autofree char *path = fixture_place (f, odd_names[i]);
    music_write_song (path, (guint) i % ARTISTS, (guint) i, 31);
  }
  run (f, 0, &result);
  g_autofree char *count =
    g_strdup_printf ("%u songs", ARTISTS * SONGS + (guint) G_N_ELEMENTS (odd_names));
  command_assert_says (&result, count);
  g_assert_null (strstr (result.err, "skipped"));

  /* Each is answered under its own name, one line per answer. */
  g_autoptr (GPtrArray) argv = g_ptr_array_new_with_free_func (g_free);
  static const char *const head[] = { "predict", "--json", "--model", "runs/artist-cnn/latest",
                                      "--" };
  for (gsize i = 0; i < G_N_ELEMENTS (head); i++)
    g_ptr_array_add (argv, g_strdup (head[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (odd_names); i++)
    g_ptr_array_add (argv, g_build_filename ("music", odd_names[i], NULL));
  g_ptr_array_add (argv, NULL);
  command_run_argv (&result, f->folder, f->env, (char *const *) argv->pdata);
  command_assert (&result, 0);
  g_auto (GStrv) lines = g_strsplit (result.out, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, G_N_ELEMENTS (odd_names) + 1);
  for (gsize i = 0; i < G_N_ELEMENTS (odd_names); i++) {
    json_t *answer = json_loads (lines[i], JSON_REJECT_DUPLICATES, NULL);
    g_assert_nonnull (answer);
    const char *file = json_string_value (json_object_get (answer, "file"));
    g_autofree char *name = g_build_filename ("music", odd_names[i], NULL);
    if (g_utf8_validate (name, -1, NULL) && !strstr (name, "%41"))
      g_assert_cmpstr (file, ==, name);
    g_autofree char *bytes = g_uri_unescape_string (file, NULL);
    if (strstr (name, "raw"))
      g_assert_cmpstr (bytes, ==, name);
    g_assert_nonnull (json_object_get (answer, "label"));
    json_decref (answer);
  }
  g_ptr_array_remove_index (argv, 1);
  command_run_argv (&result, f->folder, f->env, (char *const *) argv->pdata);
  command_assert (&result, 0);
  assert_printable (result.out);
}

/* Good and bad together: all are answered, in order, and the exit status reports failures. */
static void
test_predict (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  run (f, 0, &result);
  put_bad (f);
  command_run (&result, f->folder, f->env, "predict", "--model", "runs/artist-cnn/latest", "--json",
               "music/Bad/Album", "music/Artist 0/Album 0", NULL);
  command_assert (&result, 65);
  command_assert_says (&result, "could not be used");
  g_auto (GStrv) lines = g_strsplit (g_strchomp (result.out), "\n", -1);
  guint n_errors = 0, n_answers = 0;
  for (gsize i = 0; lines[i]; i++) {
    json_t *answer = json_loads (lines[i], JSON_REJECT_DUPLICATES, NULL);
    g_assert_nonnull (answer);
    const char *file = json_string_value (json_object_get (answer, "file"));
    gboolean bad = strstr (file, "Bad") != NULL;
    const char *error = json_string_value (json_object_get (answer, "error"));
    /* A song shorter than declared still has audio; its decoder decides whether it is used. One that is shorter
     * than a segment is predicted with a note. */
    if (strstr (file, "short.wav"))
      g_assert_nonnull (json_object_get (answer, "note"));
    else if (!strstr (file, "cut.wav") && bad != (error != NULL))
      g_error ("‘%s’: %s", file, error ? error : "answered");
    if (error)
      g_assert_cmpuint (strlen (error), >, 10);
    n_errors += error != NULL;
    n_answers += !error;
    json_decref (answer);
  }
  g_assert_cmpuint (n_errors, >=, G_N_ELEMENTS (bad_names) - 2);
  g_assert_cmpuint (n_answers, >=, 2);
}

/* No usable file at all is reported as an error. */
static void
test_nothing_but_bad (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  segue_file_remove_folder (f->music, NULL);
  put_bad (f);
  run (f, 65, &result);
  command_assert_says (&result, "at least two labels");
  put (f, "Worse/Album/text.mp3", "This is no music either.\n", -1);
  run (f, 65, &result);
  command_assert_says (&result, "none of the");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_auto (FixtureLibrary) library = fixture_library_new (ARTISTS, SONGS);
#define ADD(path, test)                                                                            \
  g_test_add ("/bad-input/" path, Fixture, &library, set_up, test, fixture_tear_down)
  ADD ("files", test_bad_files);
  ADD ("names", test_odd_names);
  ADD ("predict", test_predict);
  ADD ("nothing-but-bad", test_nothing_but_bad);
#undef ADD
  return g_test_run ();
}
