/* segue predict: many songs, in all forms of input and output; killed, and resumed. */
#include "fixture.h"
#include "music.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARTISTS 3
#define SONGS   6
#define MODEL   "runs/small/latest"

static const char pipeline[] =
  "segue: 1\n"
  "name: small\n"
  "seed: 42\n"
  "vars: { music: music }\n"
  "stages:\n"
  "  - { id: songs, use: scan, with: { root: \"${music}\", layout: \"{artist}/{album}/{title}\", "
  "label: artist } }\n"
  "  - { use: decode-sndfile, with: { rate: 16000, channels: mono } }\n"
  "  - { use: segment, with: { length: 5, count: 4 } }\n"
  "  - { use: split, with: { by: song, test: 0.2, validation: 0.2 } }\n"
  "  - { use: train, with: { model: { use: mel-cnn, channels: [4, 4] }, epochs: 2, batch: 4 } }\n"
  "  - { use: evaluate }\n";

static void
set_up (Fixture *f, gconstpointer library)
{
  fixture_set_up (f, library);
  fixture_write (f, "small.yaml", pipeline);
  g_auto (CommandResult) result = { 0 };
  command_run (&result, f->folder, f->env, "run", "small.yaml", NULL);
  command_assert (&result, 0);
}

/* @script: `segue` is the built one. */
static void
shell (Fixture *f, const char *script, CommandResult *result)
{
  g_autofree char *program = command_path ();
  g_autofree char *folder = g_path_get_dirname (program);
  g_autofree char *whole = g_strdup_printf ("PATH='%s':$PATH; %s", folder, script);
  char *argv[] = { (char *) "sh", (char *) "-c", whole, NULL };
  g_autoptr (GError) error = NULL;
  int status = 0;
  command_result_clear (result);
  g_spawn_sync (f->folder, argv, f->env, G_SPAWN_SEARCH_PATH, NULL, NULL, &result->out,
                &result->err, &status, &error);
  g_assert_no_error (error);
  result->status = WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

static guint
count_lines (const char *text)
{
  guint n = 0;
  for (const char *p = text; *p; p++)
    n += *p == '\n';
  return n;
}

/* The same bytes for any number of songs at once, from the cache and without it, in each format. */
static void
test_same_answers (Fixture *f, gconstpointer data)
{
  static const char *const formats[] = { "--json", "--csv", "--csv --timeline", "--timeline", "" };
  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autofree char *alone = NULL;
    static const char *const ways[] = { "-j 1 --no-cache", "-j 2 --no-cache", "-j 2", "-j 5" };
    for (gsize j = 0; j < G_N_ELEMENTS (ways); j++) {
      g_auto (CommandResult) result = { 0 };
      g_autofree char *script = g_strdup_printf (
        "echo rubbish > music/bad.wav; segue predict --model " MODEL " %s %s music nothing.wav",
        formats[i], ways[j]);
      shell (f, script, &result);
      command_assert (&result, 65);
      command_assert_says (&result, "2 of 20 files could not be used");
      if (!alone)
        alone = g_steal_pointer (&result.out);
      else
        g_assert_cmpstr (result.out, ==, alone);
    }
    g_assert_cmpuint (count_lines (alone), >=, ARTISTS * SONGS);
  }
}

static void
test_lists (Fixture *f, gconstpointer data)
{
  static const char *const scripts[] = {
    "segue predict --model " MODEL " --json 'music/Artist 1/Album 0' 'music/Artist 1/Album 1'",
    "segue predict --model " MODEL " --json 'music/Artist 1/*/Song ?.wav'",
    "find 'music/Artist 1' -name '*.wav' | sort | segue predict --model " MODEL " --json -",
    "find 'music/Artist 1' -name '*.wav' -print0 | sort -z | segue predict --model " MODEL
    " --json --null -",
    "echo 'music/Artist 1' | segue predict -m " MODEL " - --json",
  };
  g_autofree char *first = NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (scripts); i++) {
    g_auto (CommandResult) result = { 0 };
    shell (f, scripts[i], &result);
    command_assert (&result, 0);
    g_assert_cmpuint (count_lines (result.out), ==, SONGS);
    if (!first)
      first = g_steal_pointer (&result.out);
    else
      g_assert_cmpstr (result.out, ==, first);
  }
  g_auto (CommandResult) result = { 0 };
  shell (f, "segue predict -m " MODEL " - < /dev/null", &result);
  command_assert (&result, 66);
  command_assert_says (&result, "the list of files is empty");
  shell (f, "segue predict -m " MODEL " --null music", &result);
  command_assert (&result, 64);
  shell (f, "segue predict -m " MODEL " --json --csv music", &result);
  command_assert (&result, 64);
}

static void
test_playlist (Fixture *f, gconstpointer data)
{
  fixture_write (f, "music/x.m3u",
                 "\xef\xbb\xbf#EXTM3U\r\n#EXTINF:9,A - B\r\nArtist 1/Album 0/Song 0.wav\r\n\r\n");
  static const char *const scripts[] = {
    "segue predict -m " MODEL " -n1 -- music/x.m3u",
    "printf 'music/Artist 1/Album 0/Song 0.wav\\r\\n' | segue predict -m" MODEL " -n1 -",
    "cp 'music/Artist 1/Album 0/Song 0.wav' ./-n.wav; segue predict -m" MODEL " -n1 -j4 -- -n.wav",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (scripts); i++) {
    g_auto (CommandResult) result = { 0 };
    shell (f, scripts[i], &result);
    command_assert (&result, 0);
    g_assert_cmpuint (count_lines (result.out), ==, 1);
  }
}

/* A path that is not a file fails alone, and not the songs next to it: with the cache of answers and without. */
static void
test_no_files (Fixture *f, gconstpointer data)
{
  struct sockaddr_un name = { .sun_family = AF_UNIX };
  g_autofree char *place = g_build_filename (f->folder, "socket.mp3", NULL);
  g_strlcpy (name.sun_path, place, sizeof name.sun_path);
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &name, sizeof name), ==, 0);
  fixture_write (f, "x.m3u",
                 "socket.mp3\n/dev/null\n/dev/tty\n/proc/self/mem\n/proc/kmsg\n"
                 "music/Artist 1/Album 0/Song 0.wav\n");
  static const char *const options[] = { "", "--no-cache" };
  for (gsize i = 0; i < G_N_ELEMENTS (options); i++) {
    g_auto (CommandResult) result = { 0 };
    g_autofree char *script =
      g_strdup_printf ("segue predict -m " MODEL " --json %s x.m3u", options[i]);
    shell (f, script, &result);
    command_assert (&result, 65);
    command_assert_says (&result, "5 of 6 files could not be used");
    g_assert_cmpuint (count_lines (result.out), ==, 6);
  }
  close (fd);
}

static void
assert_note (Fixture *f, const char *options, const char *file, guint segments, const char *why)
{
  g_auto (CommandResult) result = { 0 };
  g_autofree char *script =
    g_strdup_printf ("segue predict -m runs/limits/latest --json %s %s", options, file);
  for (guint again = 0; again < 2; again++) { /* the second time from the cache */
    shell (f, script, &result);
    command_assert (&result, 0);
    json_t *answer = json_loads (result.out, 0, NULL);
    g_assert_cmpuint (json_array_size (json_object_get (answer, "segments")), ==, segments);
    command_assert_has (json_string_value (json_object_get (answer, "note")), why);
    json_decref (answer);
  }
}

/* Songs that training skips are predicted as far as possible, with a note, and without advice that applies only to
 * a pipeline. */
static void
test_unlike_training (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  shell (f, "segue run small.yaml --set name=limits --set decode-sndfile.max_duration=60", &result);
  command_assert (&result, 0);
  g_autofree char *clip = fixture_place (f, "clip.wav");
  music_write_song (clip, 0, 0, 3);
  g_autofree char *mix = fixture_place (f, "mix.wav");
  music_write_song (mix, 0, 0, 305);
  g_autofree char *cut = fixture_place (f, "cut.wav");
  music_write_song (cut, 0, 0, 40);
  g_assert_cmpint (truncate (cut, 300000), ==, 0);
  g_autofree char *blip = fixture_place (f, "blip.wav");
  music_write_song (blip, 0, 0, 1);
  g_assert_cmpint (truncate (blip, 6444), ==, 0);

  assert_note (f, "", "music/clip.wav", 1, "‘music/clip.wav’ is too short: needs 5 s, has 3");
  /* 300 s in steps of at most 30 s. */
  assert_note (f, "", "music/mix.wav", 11, "‘music/mix.wav’ is longer than 60 s");
  assert_note (f, "--partial", "music/cut.wav", 4, "‘music/cut.wav’ is damaged");
  shell (f, "segue predict -m runs/limits/latest -t music/mix.wav music/clip.wav", &result);
  command_assert (&result, 0);
  command_assert_says (&result, "note: ‘music/mix.wav’ is longer than 60 s; predicted from");
  command_assert_has (result.out, "0:00 ");
  command_assert_has (result.out, " 5:05\n");

  shell (f, "segue predict -m runs/limits/latest music/cut.wav", &result);
  command_assert (&result, 65);
  command_assert_says (&result, "; get a complete copy, or use what is left with --partial\n");
  shell (f, "segue predict -m runs/limits/latest --partial music/blip.wav", &result);
  command_assert (&result, 65);
  command_assert_says (&result, "too short: needs 0.5 s");
  command_assert_says (&result, "the file could not be used");
}

/* Answers that can't be written end the command, with the reason. */
static void
test_full (Fixture *f, gconstpointer data)
{
  if (access ("/dev/full", W_OK) != 0) {
    g_test_skip ("there is no /dev/full here");
    return;
  }
  static const char *const formats[] = { "", "--json", "--csv", "--timeline" };
  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_auto (CommandResult) result = { 0 };
    g_autofree char *script =
      g_strdup_printf ("segue predict -m " MODEL " %s music >/dev/full", formats[i]);
    shell (f, script, &result);
    command_assert (&result, 74);
    command_assert_says (&result, "segue: can't write the output: No space left on device\n");
    g_autofree char *gone =
      g_strdup_printf ("trap '' PIPE; segue predict -m " MODEL " %s music | :", formats[i]);
    shell (f, gone, &result);
    g_assert_null (strstr (result.err, "segue: "));
  }
}

/* Prediction uses the settings of the run's evaluation. */
static void
test_aggregation (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) asked = { 0 };
  g_auto (CommandResult) result = { 0 };
  shell (f, "segue run small.yaml --set name=votes --set evaluate.aggregation=vote", &result);
  command_assert (&result, 0);
  json_t *metrics = fixture_read_json (f, "runs/votes/latest/metrics.json");
  g_assert_cmpstr (json_string_value (json_object_get (metrics, "aggregation")), ==, "vote");
  json_decref (metrics);
  shell (f, "segue predict -m " MODEL " --aggregation vote --json music", &asked);
  shell (f, "segue predict -m runs/votes/latest --json music", &result);
  command_assert (&result, 0);
  g_assert_cmpstr (result.out, ==, asked.out);
  shell (f, "segue predict -m " MODEL " --json music", &asked);
  g_assert_cmpstr (result.out, !=, asked.out);
  /* A copy of the model is complete. */
  g_autofree char *votes = g_strdup (result.out);
  shell (f, "cp -rL runs/votes/latest/model copy; segue predict -m copy --json music", &result);
  g_assert_cmpstr (result.out, ==, votes);
  shell (f, "segue predict -m runs/votes/latest/stages/train/model --json music", &result);
  g_assert_cmpstr (result.out, ==, asked.out);

  shell (f, "segue predict -m " MODEL " --aggregation mean-logits music", &result);
  command_assert (&result, 64);
  command_assert_says (&result, "did you mean mean-logit?");
  fixture_write (f, "copy/calibration.json",
                 "{\"segue\": 1, \"confidences\": {}, \"aggregation\": \"guess\"}");
  shell (f, "segue predict -m copy music", &result);
  command_assert (&result, 65);
  command_assert_says (&result, "calibration.json’ is not a valid calibration file");
}

/* The files in the model of a run that differ from those of `train`, and the number of files with weights in the
 * cache. */
static const char list_own[] =
  "cd " MODEL "; for name in $(ls model); do [ model/$name -ef stages/train/model/$name ] || "
  "echo $name; done; cd ../../..; find cache -name model.safetensors -printf '%i\\n' | sort -u | "
  "wc -l";

/* A run has one copy of the weights, and so has the cache, for `train` and `evaluate` together. */
static void
test_stored_once (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  shell (f, list_own, &result);
  command_assert (&result, 0);
  g_assert_cmpstr (result.out, ==, "calibration.json\n1\n");
  g_autofree char *calibration = fixture_read (f, MODEL "/model/calibration.json", NULL);
  shell (f, "segue run small.yaml", &result);
  command_assert (&result, 0);
  command_assert_says (&result, "evaluate: from the cache");
  g_autofree char *again = fixture_read (f, MODEL "/model/calibration.json", NULL);
  g_assert_cmpstr (calibration, ==, again);
  shell (f, list_own, &result);
  g_assert_cmpstr (result.out, ==, "calibration.json\n1\n");
  shell (f, "segue cache verify", &result);
  command_assert (&result, 0);
}

/* Songs that are stranger than the model's threshold: with a label, unless the user asks for none. */
static void
test_none_of_these (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  static const char calibration[] = MODEL "/model/calibration.json";
  /* No answer is that confident. */
  fixture_write (f, calibration,
                 "{\"segue\": 1, \"confidences\": {\"mean-probability\": [1, 1, 1]}}");
  shell (f, "segue predict -m " MODEL " --none-of-these 25% music", &result);
  command_assert (&result, 0);
  g_auto (GStrv) lines = g_strsplit (g_strchomp (result.out), "\n", -1);
  for (gsize i = 0; lines[i]; i++)
    command_assert_has (lines[i], ".wav  unsure ");
  shell (f, "segue predict -m " MODEL " --none-of-these 25 --json music", &result);
  command_assert_has (result.out, "\"label\":null,\"nearest\":\"Artist ");
  command_assert_has (result.out, "\"unsure\":true,\"candidates\":[\"Artist ");
  shell (f, "segue predict -m " MODEL " --none-of-these off music", &result);
  g_assert_null (strstr (result.out, "unsure"));
  /* Too few songs for the default: nothing is said. */
  shell (f, "segue predict -m " MODEL " music", &result);
  command_assert (&result, 0);
  g_assert_null (strstr (result.out, "unsure"));
  g_assert_null (strstr (result.err, "none-of-these"));

  shell (f, "segue predict -m " MODEL " --none-of-these 24 music", &result);
  command_assert (&result, 0);
  command_assert_says (&result,
                       "--none-of-these 25 instead of 24: the minimum with 3 correctly classified");
  command_assert_has (result.out, "unsure");
  shell (f, "segue predict -m " MODEL " --none-of-these 25 -a vote music", &result);
  command_assert (&result, 65);

  /* Enough songs: unsure by default, with a label. */
  fixture_write (f, calibration,
                 "{\"segue\": 1, \"confidences\": {\"mean-probability\": [1, 1, 1, 1]}}");
  shell (f, "segue predict -m " MODEL " music", &result);
  command_assert (&result, 0);
  command_assert_has (result.out, ".wav  unsure ");
  shell (f, "segue predict -m " MODEL " --json music", &result);
  command_assert_has (result.out, "\"label\":\"Artist ");
  command_assert_has (result.out, "\"unsure\":true,\"candidates\":[\"Artist ");
  shell (f, "segue predict -m " MODEL " --csv --top 1 music", &result);
  command_assert_has (result.out, "file,label,confidence,error,label_1,p_1,unsure\n");
  command_assert_has (result.out, ".wav,Artist ");
  /* As the model states: never. */
  fixture_write (f, calibration,
                 "{\"segue\": 1, \"share\": 0, \"confidences\": {\"mean-probability\": [1, 1, 1, "
                 "1]}}");
  shell (f, "segue predict -m " MODEL " music", &result);
  g_assert_null (strstr (result.out, "unsure"));
  /* Distances of a model that measures none. */
  fixture_write (f, calibration,
                 "{\"segue\": 1, \"confidences\": {}, \"distances\": {\"mean-probability\": [0, 0, "
                 "0, 0]}}");
  shell (f, "segue predict -m " MODEL " music", &result);
  command_assert (&result, 0);
  g_assert_null (strstr (result.out, "unsure"));

  fixture_write (f, calibration, "{\"segue\": 1, \"confidences\": {\"vote\": [7]}}");
  shell (f, "segue predict -m " MODEL " --none-of-these 25 music", &result);
  command_assert (&result, 65);
  command_assert_says (&result, "calibration.json’ is not a valid calibration file");
  shell (f,
         "rm " MODEL "/model/calibration.json; segue predict -m " MODEL " --none-of-these 9 music",
         &result);
  command_assert (&result, 65);
  command_assert_says (&result, "has no calibration.json");
  static const char *const wrong[] = { "0", "100", "-5", "5x", "''", "nan", "%" };
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autofree char *script =
      g_strdup_printf ("segue predict -m " MODEL " --none-of-these=%s music", wrong[i]);
    shell (f, script, &result);
    command_assert (&result, 64);
  }
}

/* ---- Killed ---- */

/* path → inode of each record of @f's cache. */
static GHashTable *
list_records (Fixture *f)
{
  GHashTable *records = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_auto (CommandResult) result = { 0 };
  shell (f, "find cache/segue/records -type f ! -name '.*'", &result);
  g_auto (GStrv) lines = g_strsplit (g_strchomp (result.out), "\n", -1);
  for (gsize i = 0; lines[i] && *lines[i]; i++) {
    struct stat st;
    g_autofree char *path = g_build_filename (f->folder, lines[i], NULL);
    g_assert_cmpint (stat (path, &st), ==, 0);
    g_hash_table_insert (records, g_strdup (lines[i]), GSIZE_TO_POINTER ((gsize) st.st_ino));
  }
  return records;
}

/* Kills the command after it has printed @n_lines. */
static void
kill_after (Fixture *f, guint n_lines)
{
  g_autofree char *program = command_path ();
  char *argv[] = { program,          (char *) "predict", (char *) "-m",
                   (char *) MODEL,   (char *) "-j",      (char *) "2",
                   (char *) "music", (char *) "--json",  NULL };
  GPid pid;
  int out;
  g_autoptr (GError) error = NULL;
  g_spawn_async_with_pipes (f->folder, argv, f->env,
                            G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
                            &pid, NULL, &out, NULL, &error);
  g_assert_no_error (error);
  char c;
  while (n_lines > 0 && read (out, &c, 1) == 1)
    n_lines -= c == '\n';
  kill (pid, SIGKILL);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  close (out);
}

static void
test_killed (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) undisturbed = { 0 };
  g_auto (CommandResult) result = { 0 };
  shell (f, "SEGUE_CACHE=other segue predict -m " MODEL " -j 2 music --json", &undisturbed);
  command_assert (&undisturbed, 0);
  shell (f, "segue cache gc --all", &result);
  for (guint n_lines = 2; n_lines <= 10; n_lines += 4) {
    kill_after (f, n_lines);
    g_autoptr (GHashTable) before = list_records (f);
    g_assert_cmpuint (g_hash_table_size (before), >=, n_lines);
    /* Answered songs are not computed again, and so not written again. */
    kill_after (f, n_lines + 2);
    g_autoptr (GHashTable) after = list_records (f);
    GHashTableIter iter;
    gpointer path, inode;
    g_hash_table_iter_init (&iter, before);
    while (g_hash_table_iter_next (&iter, &path, &inode))
      g_assert_true (g_hash_table_lookup (after, path) == inode);
  }
  shell (f, "segue predict -m " MODEL " -j 2 music --json", &result);
  command_assert (&result, 0);
  g_assert_cmpstr (result.out, ==, undisturbed.out);
  g_autoptr (GHashTable) records = list_records (f);
  g_assert_cmpuint (g_hash_table_size (records), ==, ARTISTS * SONGS);
  shell (f, "segue cache verify", &result);
  command_assert (&result, 0);
}

/* An unusable cache costs time, but no answer. */
static void
test_no_cache (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) with = { 0 };
  g_auto (CommandResult) result = { 0 };
  shell (f, "segue predict -m " MODEL " music", &with);
  shell (f, "echo > file; SEGUE_CACHE=file/cache segue predict -m " MODEL " music", &result);
  command_assert (&result, 0);
  g_assert_cmpstr (result.out, ==, with.out);
  command_assert_says (&result, "file/cache");
  shell (f, "SEGUE_CACHE=never segue predict -m " MODEL " --no-cache music; ls never", &result);
  command_assert (&result, 2);
  g_assert_cmpstr (result.out, ==, with.out);
}

/* ---- Memory ---- */

/* KiB at its largest, over @n songs. */
static glong
measure (Fixture *f, guint n)
{
  g_autofree char *program = command_path ();
  g_autoptr (GPtrArray) argv = g_ptr_array_new_with_free_func (g_free);
  static const char *const head[] = { "predict", "-m", MODEL, "-j", "2", "-t", "--no-cache" };
  g_ptr_array_add (argv, g_strdup (program));
  for (gsize i = 0; i < G_N_ELEMENTS (head); i++)
    g_ptr_array_add (argv, g_strdup (head[i]));
  for (guint i = 0; i < n; i++) {
    g_autofree char *name = music_song_name (i % ARTISTS, i / ARTISTS % SONGS);
    g_ptr_array_add (argv, g_build_filename ("music", name, NULL));
  }
  g_ptr_array_add (argv, NULL);
  GPid pid;
  g_autoptr (GError) error = NULL;
  g_spawn_async (f->folder, (char **) argv->pdata, f->env,
                 G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL |
                   G_SPAWN_STDERR_TO_DEV_NULL,
                 NULL, NULL, &pid, &error);
  g_assert_no_error (error);
  struct rusage usage;
  int status;
  g_assert_cmpint (wait4 (pid, &status, 0, &usage), ==, pid);
  g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 0);
  return usage.ru_maxrss;
}

/* A hundred songs take no more than twenty. A song that stayed in memory would take 2 MiB. */
static void
test_memory (Fixture *f, gconstpointer data)
{
  /* Freed memory that a sanitizer keeps does not count. */
  f->env = g_environ_setenv (f->env, "ASAN_OPTIONS",
                             "detect_leaks=0:abort_on_error=1:quarantine_size_mb=1", TRUE);
  glong few = measure (f, 20), many = measure (f, 100);
  g_test_message ("%ld KiB over 20 songs, %ld KiB over 100", few, many);
  g_assert_cmpint (many, <, few + 24 * 1024);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_auto (FixtureLibrary) library = fixture_library_new (ARTISTS, SONGS);
#define ADD(path, test)                                                                            \
  g_test_add ("/predict/" path, Fixture, &library, set_up, test, fixture_tear_down)
  ADD ("same-answers", test_same_answers);
  ADD ("lists", test_lists);
  ADD ("playlist", test_playlist);
  ADD ("no-files", test_no_files);
  ADD ("unlike-training", test_unlike_training);
  ADD ("full", test_full);
  ADD ("aggregation", test_aggregation);
  ADD ("stored-once", test_stored_once);
  ADD ("none-of-these", test_none_of_these);
  ADD ("killed", test_killed);
  ADD ("no-cache", test_no_cache);
  ADD ("memory", test_memory);
#undef ADD
  return g_test_run ();
}
