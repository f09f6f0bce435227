/* The page of a run: made by the preset, recreated by the verb, replaced as a whole. */
#include "fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <segue/file.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define QUICK                                                                                      \
  (char *) "--set", (char *) "segment.count=2", (char *) "--set", (char *) "train.epochs=1",       \
    (char *) "--set", (char *) "train.model.channels=[8,8]"
#define LATEST "runs/artist-cnn/latest"

static void
run_preset (Fixture *f, CommandResult *result)
{
  command_run (result, f->folder, f->env, "run", "--preset", "artist-cnn", f->music, QUICK, NULL);
  command_assert (result, 0);
}

static guint
count_files (Fixture *f, const char *name)
{
  g_autofree char *path = g_build_filename (f->folder, name, NULL);
  g_auto (GStrv) names = segue_file_list_folder (path, NULL);
  return names ? g_strv_length (names) : 0;
}

static void
assert_no_temporaries (Fixture *f, const char *name)
{
  g_autofree char *path = g_build_filename (f->folder, name, NULL);
  g_auto (GStrv) names = segue_file_list_folder (path, NULL);
  for (guint i = 0; names && names[i]; i++)
    g_assert_false (segue_file_is_temporary (names[i]));
}

/* The whole page, with the same clips, from the run and from the verb. */
static void
test_page (Fixture *f, gconstpointer data)
{
  static const char *const names[] = { "index.html", "page.css", "page.js", "data.js" };
  g_auto (CommandResult) result = { 0 };
  run_preset (f, &result);
  command_assert_says (&result, "\nreport runs/artist-cnn/");
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *name = g_build_filename (LATEST "/report", names[i], NULL);
    fixture_assert_exists (f, name);
  }
  guint n_clips = count_files (f, LATEST "/report/clips");
  g_assert_cmpuint (n_clips, >, 0);
  g_autofree char *first = fixture_read (f, LATEST "/report/data.js", NULL);

  run_preset (f, &result);
  command_assert_says (&result, "report: from the cache");

  command_run (&result, f->folder, f->env, "report", LATEST, "--music", f->music, NULL);
  command_assert (&result, 0);
  g_assert_cmpstr (result.out, ==, LATEST "/report/index.html\n");
  command_assert_says (&result, "open it in a browser");
  g_autofree char *second = fixture_read (f, LATEST "/report/data.js", NULL);
  g_assert_cmpstr (first, ==, second);
  assert_no_temporaries (f, LATEST);

  /* Missing songs have no clips; everything else exists. Moved songs have clips again. */
  g_autofree char *away = g_build_filename (f->folder, "away", NULL);
  g_assert_cmpint (g_rename (f->music, away), ==, 0);
  command_run (&result, f->folder, f->env, "report", LATEST, "--out", "copy", "--music", f->music,
               NULL);
  command_assert (&result, 66);
  command_run (&result, f->folder, f->env, "report", LATEST, "--out", "copy", "--music", "runs",
               NULL);
  command_assert (&result, 0);
  command_assert_says (&result, "clips could not be created");
  g_autofree char *third = fixture_read (f, "copy/data.js", NULL);
  command_assert_has (third, "the song's file is missing");
  g_assert_cmpuint (count_files (f, "copy/clips"), ==, 0);
  command_run (&result, f->folder, f->env, "report", LATEST, "--out", "copy", "--music", "away",
               NULL);
  command_assert (&result, 0);
  g_assert_cmpuint (count_files (f, "copy/clips"), ==, n_clips);
}

/* A run whose pipeline has no such stage. */
/* A report that is written again has the clips of unchanged songs from the cache, bit for bit. */
static void
test_clips_are_kept (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  run_preset (f, &result);
  guint n = count_files (f, LATEST "/report/clips");
  g_assert_cmpuint (n, >, 0);
  command_run_shell (&result, f->folder, f->env, "cp -rL " LATEST "/report/clips first");
  command_assert (&result, 0);

  g_auto (GStrv) env = g_environ_setenv (g_strdupv (f->env), "SEGUE_DEBUG", "report:debug", TRUE);
  command_run (&result, f->folder, env, "run", "--preset", "artist-cnn", f->music, QUICK, "--set",
               "report.clips=199", NULL);
  command_assert (&result, 0);
  g_autofree char *all = g_strdup_printf ("%u of %u clips from the cache", n, n);
  command_assert_says (&result, all);
  command_run_shell (&result, f->folder, f->env, "diff -r first " LATEST "/report/clips");
  command_assert (&result, 0);

  /* Clips in another format are other clips. */
  command_run (&result, f->folder, env, "run", "--preset", "artist-cnn", f->music, QUICK, "--set",
               "report.format=flac", NULL);
  command_assert (&result, 0);
  g_autofree char *none = g_strdup_printf ("0 of %u clips from the cache", n);
  command_assert_says (&result, none);
}

static void
test_without_stage (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  command_run (&result, f->folder, f->env, "presets", "artist-cnn", NULL);
  g_auto (GStrv) parts = g_strsplit (result.out, "  - use: report\n", 2);
  g_assert_cmpuint (g_strv_length (parts), ==, 2);
  fixture_write (f, "mine.yaml", parts[0]);
  command_run (&result, f->folder, f->env, "run", "mine.yaml", f->music, QUICK, NULL);
  command_assert (&result, 0);
  g_assert_null (strstr (result.err, "\nreport "));
  command_run (&result, f->folder, f->env, "report", LATEST "/", "--clips", "1", "--format", "flac",
               "--music", "music", NULL);
  command_assert (&result, 0);
  fixture_assert_exists (f, LATEST "/report/index.html");
  g_assert_cmpuint (count_files (f, LATEST "/report/clips"), <=, 2);
  g_autofree char *page = fixture_read (f, LATEST "/report/data.js", NULL);
  command_assert_has (page, ".flac\"");
  g_autofree char *curves = fixture_read (f, LATEST "/report/index.html", NULL);
  command_assert_has (curves, "kept: epoch 1");
}

/* Writes @text to the file @name, with its folders. */
static void
put (Fixture *f, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (f->folder, name, NULL);
  g_autofree char *folder = g_path_get_dirname (path);
  g_assert_cmpint (g_mkdir_with_parents (folder, 0777), ==, 0);
  fixture_write (f, name, text);
}

static void
assert_refused (Fixture *f, const char *run, const char *out, const char *kept)
{
  g_auto (CommandResult) result = { 0 };
  if (out)
    command_run (&result, f->folder, f->env, "report", run, "--out", out, NULL);
  else
    command_run (&result, f->folder, f->env, "report", run, NULL);
  command_assert (&result, 73);
  command_assert_says (&result, "with --out");
  g_autofree char *text = fixture_read (f, kept, NULL);
  g_assert_cmpstr (text, ==, "mine");
}

/* A report never replaces anything else, whatever its name. */
static void
test_keeps (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  run_preset (f, &result);
  put (f, "site/index.html", "mine");
  put (f, "site/page.css", "mine");
  assert_refused (f, LATEST, "site", "site/index.html");
  put (f, "videos/clips/wedding.mp4", "mine");
  assert_refused (f, LATEST, "videos", "videos/clips/wedding.mp4");

  /* Next to an earlier report; in place of one of its files; under a name in its list. */
  command_run (&result, f->folder, f->env, "report", LATEST, "--out", "page", NULL);
  command_assert (&result, 0);
  command_run (&result, f->folder, f->env, "report", LATEST, "--out", "page", NULL);
  command_assert (&result, 0);
  put (f, "page/clips/thesis.txt", "mine");
  assert_refused (f, LATEST, "page", "page/clips/thesis.txt");
  command_run_shell (&result, f->folder, f->env, "rm page/clips/thesis.txt");
  put (f, "page/index.html", "mine");
  assert_refused (f, LATEST, "page", "page/index.html");

  /* An untrusted list in a folder of the user's files. */
  put (f, "list/thesis.txt", "mine");
  put (f, "list/.segue-files",
       "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  thesis.txt\n"
       "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  ../file\n");
  assert_refused (f, LATEST, "list", "list/thesis.txt");

  /* A user's file with the name of a list. */
  put (f, "notes/.segue-files", "mine");
  assert_refused (f, LATEST, "notes", "notes/.segue-files");

  /* A link in a folder that is replaced. */
  command_run_shell (
    &result, f->folder, f->env,
    "mkdir linked && ln -s ../videos linked/clips && printf '' >linked/.segue-files");
  assert_refused (f, LATEST, "linked", "videos/clips/wedding.mp4");
}

/* Links in an untrusted run are not followed. */
static void
test_links (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  run_preset (f, &result);
  static const char *const lines[] = {
    "rm -r run/report; ln -s ../home run/report",
    "rm -r run/report; ln -s \"$PWD/home\" run/report",
    /* As in a run in progress: `report` is an alias of the stage's folder. */
    "rm -r run/report run/stages/report/report; ln -s stages/report/report run/report; "
    "ln -s ../../../home run/stages/report/report",
    "rm -r run/report run/stages/report; ln -s stages/report/report run/report; "
    "mkdir home/report; ln -s ../../home run/stages/report",
    "rm -r run/report; ln -s stages/../../home/report run/report",
  };
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++) {
    g_autofree char *line =
      g_strdup_printf ("rm -rf run home; cp -r %s run; mkdir home; "
                       "cp -r run/report home/sealed; printf mine >home/kept; %s",
                       LATEST "/.", lines[i]);
    command_run_shell (&result, f->folder, f->env, line);
    command_assert (&result, 0);
    assert_refused (f, "run", NULL, "home/kept");
    g_assert_cmpuint (count_files (f, "home"), ==, i == 3 ? 3 : 2);
  }
  /* An alias as in a run is accepted. */
  command_run_shell (&result, f->folder, f->env, "rm -rf run; cp -a " LATEST "/. run");
  command_run (&result, f->folder, f->env, "report", "run", NULL);
  command_assert (&result, 0);
}

/* Leftovers of a killed command are removed by the next one; folders of a running one stay. */
static void
test_leftover (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  run_preset (f, &result);
  put (f, ".segue-tmp-report-dead00/report/index.html", "");
  put (f, ".segue-tmp-report-alive0/report/index.html", "mine");
  put (f, ".segue-tmp-other", "mine");
  put (f, ".segue-tmp-report-mine/thesis.txt", "mine");
  g_autofree char *alive = g_build_filename (f->folder, ".segue-tmp-report-alive0", NULL);
  int fd = g_open (alive, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  g_assert_cmpint (flock (fd, LOCK_EX), ==, 0);
  command_run (&result, f->folder, f->env, "report", LATEST, "--out", "page", NULL);
  command_assert (&result, 0);
  close (fd);
  fixture_assert_exists (f, ".segue-tmp-report-alive0/report/index.html");
  fixture_assert_exists (f, ".segue-tmp-report-mine/thesis.txt");
  fixture_assert_exists (f, ".segue-tmp-other");
  g_autofree char *dead = g_build_filename (f->folder, ".segue-tmp-report-dead00", NULL);
  g_assert_false (g_file_test (dead, G_FILE_TEST_EXISTS));
}

/* Replaces text in the predictions of `run`, with the checksum that an attacker would set (see result.h). */
static const char forge[] = "import hashlib, sys\n"
                            "path, old, new = sys.argv[1:]\n"
                            "data = bytearray(open(path, 'rb').read())\n"
                            "assert len(old) == len(new) and old.encode() in data\n"
                            "data = data.replace(old.encode(), new.encode())\n"
                            "data[16:48] = hashlib.sha256(data[48:]).digest()\n"
                            "open(path, 'wb').write(data)\n";

/* An untrusted run refers to files of this machine: elsewhere, and with `..`. */
static void
test_sources (Fixture *f, gconstpointer data)
{
  static const struct {
    const char *old, *new, *music, *says;
  } cases[] = {
    { "Album", "Album", NULL, "pass the music folder with --music FOLDER" },
    { "/music/", "/secrt/", NULL, "pass the music folder with --music FOLDER" },
    { "/Song ", "/../a/", "music", "the first error: the song's file is missing" },
  };
  g_auto (CommandResult) result = { 0 };
  run_preset (f, &result);
  fixture_write (f, "forge.py", forge);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    /* All of these files exist. */
    g_autofree char *line = g_strdup_printf (
      "rm -rf run secrt; cp -rL " LATEST "/. run; cp -rL music secrt; "
      "for artist in music/*; do mkdir -p \"$artist/a\"; for song in 0 1 2 3; do "
      "cp 'music/Artist 0/Album 0/Song 0.wav' \"$artist/a/$song.wav\"; done; done; "
      "python3 forge.py run/predictions/result '%s' '%s'",
      cases[i].old, cases[i].new);
    command_run_shell (&result, f->folder, f->env, line);
    command_assert (&result, 0);
    command_run (&result, f->folder, f->env, "report", "run", cases[i].music ? "--music" : NULL,
                 cases[i].music, NULL);
    command_assert (&result, 0);
    command_assert_says (&result, cases[i].says);
    g_assert_cmpuint (count_files (f, "run/report/clips"), ==, 0);
  }
}

/* Predictions that were changed, moved or removed; a run of an older version had none. */
static void
test_forged (Fixture *f, gconstpointer data)
{
  static const struct {
    const char *line, *says;
    int status;
  } cases[] = {
    { "rm -r run/predictions", "has no predictions in its folder: an older version of segue", 66 },
    { "mv run/predictions away; ln -s ../away run/predictions", "has no predictions", 66 },
    { "rm run/predictions/items", "damaged result: one of its files is missing", 65 },
    { "mv run/predictions/items away; ln -s ../../away run/predictions/items",
      "damaged result: one of its files is not a regular file", 65 },
    { "printf x >> run/predictions/items", "damaged result: its items have the wrong size", 65 },
    { "printf x | dd of=run/predictions/items conv=notrunc 2>&1",
      "damaged result: the checksum of its items is wrong", 65 },
    { "printf x | dd of=run/predictions/result bs=1 seek=99 conv=notrunc 2>&1",
      "damaged result: its header's checksum is wrong", 65 },
    { ": > run/predictions/result", "damaged result: it does not begin with", 65 },
    { "rm -r run/predictions; mkfifo run/predictions", "it is not a readable folder", 65 },
  };
  g_auto (CommandResult) result = { 0 };
  run_preset (f, &result);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *line =
      g_strdup_printf ("rm -rf run away; cp -rL " LATEST "/. run; %s", cases[i].line);
    command_run_shell (&result, f->folder, f->env, line);
    command_assert (&result, 0);
    command_run (&result, f->folder, f->env, "report", "run", NULL);
    command_assert (&result, cases[i].status);
    command_assert_says (&result, cases[i].says);
  }
}

/* Folders that are not runs, and that are not reports. */
static void
test_refused (Fixture *f, gconstpointer data)
{
  static const struct {
    const char *arguments[5];
    int status;
    const char *says;
  } cases[] = {
    { { "report", NULL }, 64, "give the folder of a run" },
    { { "report", "a", "b", NULL }, 64, "b" },
    { { "report", "nowhere", NULL }, 66, "‘nowhere’ is not the folder of a run" },
    { { "report", "music", NULL }, 66, "it has no run.json" },
    { { "report", LATEST, "--out", "music", NULL },
      73,
      "contains something other than an unchanged report" },
    { { "report", LATEST, "--out", "file", NULL },
      73,
      "contains something other than an unchanged report" },
    { { "report", LATEST, "--out", "report", NULL },
      73,
      "contains something other than an unchanged report" },
    { { "report", LATEST, "--format", "mp3", NULL }, 78, "format must be one of" },
    { { "report", LATEST, "--clips", "2001", NULL }, 64, "--clips must be 1..2000" },
  };
  g_auto (CommandResult) result = { 0 };
  run_preset (f, &result);
  fixture_write (f, "file", "mine");
  g_autofree char *report = g_build_filename (f->folder, "report", NULL);
  g_assert_cmpint (g_mkdir (report, 0777), ==, 0);
  fixture_write (f, "report/index.html", "mine");
  fixture_write (f, "report/thesis.txt", "mine");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    command_run_argv (&result, f->folder, f->env, (char *const *) cases[i].arguments);
    command_assert (&result, cases[i].status);
    command_assert_says (&result, cases[i].says);
  }
  fixture_assert_exists (f, "report/thesis.txt");
  assert_no_temporaries (f, ".");

  /* A damaged run keeps its report. */
  g_autofree char *before = fixture_read (f, LATEST "/report/index.html", NULL);
  fixture_write (f, LATEST "/predictions/items", "x");
  command_run (&result, f->folder, f->env, "report", LATEST, NULL);
  command_assert (&result, 65);
  command_assert_says (&result, "predictions’: damaged result: its items have the wrong size");
  g_autofree char *after = fixture_read (f, LATEST "/report/index.html", NULL);
  g_assert_cmpstr (before, ==, after);
  assert_no_temporaries (f, LATEST "/stages/report");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_auto (FixtureLibrary) library = fixture_library_new (3, 4);
#define ADD(name, function)                                                                        \
  g_test_add (name, Fixture, &library, fixture_set_up, function, fixture_tear_down)
  ADD ("/report/page", test_page);
  ADD ("/report/clips-are-kept", test_clips_are_kept);
  ADD ("/report/without-stage", test_without_stage);
  ADD ("/report/refused", test_refused);
  ADD ("/report/keeps", test_keeps);
  ADD ("/report/links", test_links);
  ADD ("/report/leftover", test_leftover);
  ADD ("/report/sources", test_sources);
  ADD ("/report/forged", test_forged);
  return g_test_run ();
}
