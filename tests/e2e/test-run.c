/* From a folder of music to names, by the built command only. */
#include "fixture.h"
#include "music.h"

#include <glib/gstdio.h>
#include <string.h>

#define ARTISTS 3
#define SONGS   6

/* Small enough to train in seconds; SMALL: the network, too. */
#define QUICK                                                                                      \
  (char *) "--set", (char *) "segment.count=2", (char *) "--set", (char *) "train.epochs=2"
#define SMALL QUICK, (char *) "--set", (char *) "train.model.channels=[8,8]"

static void
assert_same (Fixture *f, const char *a, const char *b)
{
  gsize n_a = 0, n_b = 0;
  g_autofree char *text_a = fixture_read (f, a, &n_a);
  g_autofree char *text_b = fixture_read (f, b, &n_b);
  g_assert_cmpmem (text_a, n_a, text_b, n_b);
}

/* The text of a preset with @from replaced by @to, as mine.yaml. */
static void
write_variant (Fixture *f, const char *preset, const char *from, const char *to)
{
  g_auto (CommandResult) result = { 0 };
  command_run (&result, f->folder, f->env, "presets", preset, NULL);
  command_assert (&result, 0);
  g_auto (GStrv) parts = g_strsplit (result.out, from, 2);
  g_assert_cmpuint (g_strv_length (parts), ==, 2);
  g_autofree char *text = g_strjoinv (to, parts);
  fixture_write (f, "mine.yaml", text);
}

/* ---- Songs to names ---- */

static void
assert_answer (const char *line, const char *file, guint segments)
{
  json_error_t problem;
  json_t *answer = json_loads (line, JSON_REJECT_DUPLICATES, &problem);
  if (!answer)
    g_test_message ("%s: %s", problem.text, line);
  g_assert_nonnull (answer);
  g_assert_cmpstr (json_string_value (json_object_get (answer, "file")), ==, file);
  const char *label = json_string_value (json_object_get (answer, "label"));
  json_t *probabilities = json_object_get (answer, "probabilities");
  g_assert_cmpuint (json_object_size (probabilities), ==, ARTISTS);
  double sum = 0, best = 0;
  const char *name;
  json_t *p;
  json_object_foreach (probabilities, name, p)
  {
    sum += json_number_value (p);
    best = MAX (best, json_number_value (p));
  }
  g_assert_cmpfloat_with_epsilon (sum, 1, 1e-5);
  g_assert_cmpfloat (json_number_value (json_object_get (probabilities, label)), ==, best);
  json_t *list = json_object_get (answer, "segments");
  g_assert_cmpuint (json_array_size (list), ==, segments);
  json_t *first = json_array_get (list, 0);
  g_assert_cmpfloat (json_number_value (json_object_get (first, "start")), ==, 10);
  g_assert_cmpfloat (json_number_value (json_object_get (first, "duration")), ==, 10);
  json_decref (answer);
}

static void
test_first_contact (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  command_run (&result, f->folder, f->env, "run", "--preset", "artist-cnn", f->music, "--set",
               "segment.count=4", "--set", "train.epochs=6", "--set", "train.batch=4", "--set",
               "train.model.channels=[8,16]", NULL);
  command_assert (&result, 0);
  command_assert_has (result.out, "artist ");
  for (guint a = 0; a < ARTISTS; a++) {
    g_autofree char *name = g_strdup_printf ("\nArtist %u ", a);
    command_assert_has (result.out, name);
  }
  command_assert_has (result.out, "\ntest ");
  command_assert_has (result.out, "\nThe test set by artist:\n");
  command_assert_has (result.out, "with 95 % confidence the accuracy");
  command_assert_says (&result, "\n18 songs\n");
  /* Each epoch prints a line, in the order in which they end. */
  for (guint epoch = 1; epoch <= 6; epoch++) {
    g_autofree char *line = g_strdup_printf ("\ntrain: epoch %u/6: loss ", epoch);
    command_assert_says (&result, line);
  }
  command_assert_says (&result, ", validation loss ");
  command_assert_says (&result, "segue predict --model runs/artist-cnn/latest SONG.mp3");
  static const char *const left[] = { "run.json",
                                      "metrics.json",
                                      "predictions.csv",
                                      "log.ndjson",
                                      "summary.json",
                                      "timings.json",
                                      "model/config.json",
                                      "model/segue.json",
                                      "model/model.safetensors",
                                      "model/preprocessor_config.json" };
  for (gsize i = 0; i < G_N_ELEMENTS (left); i++) {
    g_autofree char *name = g_build_filename ("runs/artist-cnn/latest", left[i], NULL);
    fixture_assert_exists (f, name);
  }
  /* Sounds that differ this much are learnt quickly. */
  json_t *metrics = fixture_read_json (f, "runs/artist-cnn/latest/metrics.json");
  json_t *accuracy = json_object_get (json_object_get (metrics, "train"), "segment_accuracy");
  g_assert_cmpfloat (json_number_value (accuracy), >=, 0.8);
  json_decref (metrics);

  /* The exact command that the run printed at its end, then everything else that --model
   * accepts. */
  static const char *const models[] = { "runs/artist-cnn/latest", "runs/artist-cnn/latest/model",
                                        "runs/artist-cnn/latest/" };
  g_autofree char *before = NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (models); i++) {
    command_run (&result, f->folder, f->env, "predict", "--model", models[i],
                 "music/Artist 1/Album 0/Song 2.wav", NULL);
    command_assert (&result, 0);
    g_assert_true (g_str_has_prefix (result.out, "music/Artist 1/Album 0/Song 2.wav  Artist"));
    if (before)
      g_assert_cmpstr (result.out, ==, before);
    g_free (before);
    before = g_strdup (result.out);
  }

  /* Every song of a folder, in order, the same for any number of threads. */
  for (guint jobs = 1; jobs <= 3; jobs += 2) {
    g_autofree char *j = g_strdup_printf ("%u", jobs);
    command_run (&result, f->folder, f->env, "predict", "--model", models[0], "--json", "-j", j,
                 "music/Artist 2", "nothing.mp3", "music/Artist 0/Album 1/Song 1.wav", NULL);
    command_assert (&result, 65);
    g_auto (GStrv) lines = g_strsplit (result.out, "\n", -1);
    g_assert_cmpuint (g_strv_length (lines), ==, SONGS + 2 + 1);
    assert_answer (lines[0], "music/Artist 2/Album 0/Song 0.wav", 4);
    assert_answer (lines[3], "music/Artist 2/Album 1/Song 1.wav", 4);
    g_assert_true (g_str_has_prefix (lines[6], "{\"file\":\"nothing.mp3\",\"error\":\""));
    assert_answer (lines[7], "music/Artist 0/Album 1/Song 1.wav", 4);
    if (jobs > 1)
      g_assert_cmpstr (result.out, ==, before);
    g_free (before);
    before = g_strdup (result.out);
  }
}

/* The same seed, the same bytes, on any number of threads. */
static void
test_same_result (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  for (guint jobs = 1; jobs <= 3; jobs += 2) {
    g_autofree char *j = g_strdup_printf ("%u", jobs);
    g_autofree char *out = g_strdup_printf ("runs-%u", jobs);
    g_autofree char *cache = g_build_filename (f->folder, out, "cache", NULL);
    f->env = g_environ_setenv (f->env, "SEGUE_CACHE", cache, TRUE);
    command_run (&result, f->folder, f->env, "run", "--preset", "artist-cnn", f->music, "-j", j,
                 "--out", out, SMALL, NULL);
    command_assert (&result, 0);
  }
  static const char *const names[] = { "metrics.json", "predictions.csv", "model/model.safetensors",
                                       "model/config.json", "model/segue.json" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *a = g_build_filename ("runs-1/artist-cnn/latest", names[i], NULL);
    g_autofree char *b = g_build_filename ("runs-3/artist-cnn/latest", names[i], NULL);
    assert_same (f, a, b);
  }

  /* A second identical run reads everything from the cache, into its own folder. */
  command_run (&result, f->folder, f->env, "run", "--preset", "artist-cnn", f->music, "--out",
               "runs-again", SMALL, NULL);
  command_assert (&result, 0);
  command_assert_says (&result, "] train: from the cache\n");
  /* Counters of stages come from the cache, too. */
  command_assert_says (&result, "\ndecode: ");
  command_assert_says (&result, " decoded by decode-");
  command_assert_says (&result, "] evaluate: from the cache\n");
  g_assert_null (strstr (result.err, "epoch"));
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *a = g_build_filename ("runs-1/artist-cnn/latest", names[i], NULL);
    g_autofree char *b = g_build_filename ("runs-again/artist-cnn/latest", names[i], NULL);
    assert_same (f, a, b);
  }
  command_run (&result, f->folder, f->env, "run", "--preset", "artist-cnn", f->music, "--out",
               "runs-never", "--dry-run", SMALL, "--set", "train.epochs=9", NULL);
  command_assert (&result, 0);
  command_assert_has (result.out, "would run: parameter epochs of stage 'train' changed\n");
  command_assert_has (result.out, "would run: depends on 'train', which would run\n");
  g_assert_null (strstr (result.out, "cache=true"));

  /* Songs that were decoded before, and would be decoded again for a later stage. */
  static const struct {
    const char *set, *says;
  } changes[] = {
    { "segment.count=3",
      "parameter count of stage 'segment' changed; 'decode' runs again after each such change, "
      "unless --set decode.cache=true caches its output (3.7 MiB per minute)\n" },
    { "decode.rate=15000", "parameter rate of stage 'decode' changed\n" },
    { "decode.cache=true", "first run of this pipeline\n" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (changes); i++) {
    command_run (&result, f->folder, f->env, "run", "--preset", "artist-cnn", f->music, "--dry-run",
                 SMALL, "--set", changes[i].set, NULL);
    command_assert (&result, 0);
    command_assert_has (result.out, changes[i].says);
    g_assert_true (i == 0 || !strstr (result.out, "--set"));
  }
  command_run (&result, f->folder, f->env, "run", "--preset", "artist-cnn", f->music, "--out",
               "runs-never", "--dry-run", "--json", SMALL, NULL);
  command_assert (&result, 0);
  command_assert_has (result.out, "\"name\":\"train\"");
  g_assert_null (strstr (result.out, "\"would_run\":true"));
  g_autofree char *never = g_build_filename (f->folder, "runs-never", NULL);
  g_assert_false (g_file_test (never, G_FILE_TEST_EXISTS));
}

static void
test_moved_song (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  command_run (&result, f->folder, f->env, "run", "--preset", "artist-cnn", f->music, "--json",
               SMALL, NULL);
  command_assert (&result, 0);
  g_assert_cmpint (command_get_int (&result, "songs"), ==, 18);
  g_assert_cmpint (command_get_int (&result, "cached"), ==, 0);

  g_autofree char *from = g_build_filename (f->music, "Artist 0/Album 0/Song 0.wav", NULL);
  g_autofree char *to = g_build_filename (f->music, "Artist 1/Album 0/Song 99.wav", NULL);
  g_assert_cmpint (g_rename (from, to), ==, 0);
  command_run (&result, f->folder, f->env, "run", "--preset", "artist-cnn", f->music, "--json",
               SMALL, NULL);
  command_assert (&result, 0);
  g_assert_cmpint (command_get_int (&result, "songs"), ==, 18);
  g_assert_cmpint (command_get_int (&result, "cached"), ==, 18);
  g_autofree char *csv = fixture_read (f, "runs/artist-cnn/latest/predictions.csv", NULL);
  command_assert_has (csv, "Artist 1/Album 0/Song 99.wav");
  g_assert_null (strstr (csv, "Artist 0/Album 0/Song 0.wav"));
}

/* Another library and other numbers give the same answer. */
static void
check_precisions (Fixture *f)
{
  static const char *const options[][4] = {
    { "--precision", "float32", "--backend", "openblas" },
    { "--precision", "auto", "--backend", "openblas" },
    { "--precision", "float32", "--top", "1" },
    { "--precision", "auto", "--top", "1" },
  };
  g_autofree char *label = NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (options); i++) {
    g_auto (CommandResult) result = { 0 };
    const char *const *o = options[i];
    command_run (&result, f->folder, f->env, "predict", "--model", "runs/artist-cnn/latest",
                 "music/Artist 0/Album 0/Song 0.wav", "--json", o[0], o[1], o[2], o[3], NULL);
    command_assert (&result, 0);
    json_t *answer = json_loads (result.out, 0, NULL);
    const char *said = json_string_value (json_object_get (answer, "label"));
    if (!label)
      label = g_strdup (said);
    g_assert_cmpstr (said, ==, label);
    json_decref (answer);
  }
  g_auto (CommandResult) none = { 0 };
  command_run (&none, f->folder, f->env, "predict", "--model", "runs/artist-cnn/latest", "music",
               "--precision", "int8", "--backend", "openblas", NULL);
  command_assert (&none, 78);
  command_assert_says (&none, "openblas does not support int8 on this processor");
}

/* One word selects another decoder, one word another network. */
static void
test_swaps (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  write_variant (f, "artist-cnn", "use: decode\n", "use: decode-sndfile\n");
  g_auto (GStrv) env = command_env (f->folder, TRUE);
  command_run (&result, f->folder, env, "run", "mine.yaml", f->music, SMALL, NULL);
  command_assert (&result, 0);
  command_assert_says (&result, "decode-sndfile");
  command_run (&result, f->folder, env, "predict", "--model", "runs/artist-cnn/latest", "music",
               "/etc/passwd", NULL);
  command_assert (&result, 65);

  write_variant (f, "artist-cnn", "model: mel-cnn", "model: distilhubert");
  command_run (&result, f->folder, f->env, "run", "mine.yaml", f->music, QUICK, "--set",
               "train.model.hidden_size=32", "--set", "train.model.intermediate_size=64", "--set",
               "train.model.num_attention_heads=2", "--set", "train.model.conv_dim=[16,16,16]",
               "--set", "train.model.conv_kernel=[10,8,8]", "--set",
               "train.model.conv_stride=[10,8,8]", "--set",
               "train.model.num_conv_pos_embeddings=16", "--set",
               "train.model.num_conv_pos_embedding_groups=4", NULL);
  command_assert (&result, 0);
  command_run (&result, f->folder, f->env, "predict", "--model", "runs/artist-cnn/latest",
               "music/Artist 0/Album 0/Song 0.wav", "--json", NULL);
  command_assert (&result, 0);
  g_autofree char *line = g_strdup (g_strchomp (result.out));
  assert_answer (line, "music/Artist 0/Album 0/Song 0.wav", 2);
  check_precisions (f);

  /* Those weights can be the start for the preset `artist`, like the published ones. */
  command_run (&result, f->folder, f->env, "run", "--preset", "artist", f->music, QUICK, "--set",
               "weights=runs/artist-cnn/latest/model", NULL);
  command_assert (&result, 0);
  fixture_assert_exists (f, "runs/artist/latest/model/model.safetensors");
}

/* With descriptors closed, no opened file receives printed output. */
static void
test_closed_descriptors (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  command_run_shell (&result, f->folder, f->env,
                     "\"$segue\" run --preset dataset music --set segment.count=2 <&- >&- 2>&-");
  command_assert (&result, 0);
  g_autofree char *log = fixture_read (f, "runs/dataset/latest/log.ndjson", NULL);
  g_auto (GStrv) lines = g_strsplit (log, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), >, 2);
  for (guint i = 0; *lines[i]; i++)
    g_assert_true (g_str_has_prefix (lines[i], "{\"") && g_str_has_suffix (lines[i], "}"));
}

/* Every segment of every song as a WAV file under its set and label. */
static void
test_dataset (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  command_run (&result, f->folder, f->env, "run", "--preset", "dataset", f->music, "--set",
               "segment.count=2", NULL);
  command_assert (&result, 0);
  command_run (&result, f->folder, f->env, "predict", "--model", "runs/dataset/latest", "music",
               NULL);
  command_assert (&result, 66);
  json_t *root = fixture_read_json (f, "runs/dataset/latest/run.json");
  g_assert_cmpstr (json_string_value (json_object_get (root, "state")), ==, "finished");
  json_decref (root);
  char *argv[] = { (char *) "find", (char *) "runs/dataset/latest/", (char *) "-name",
                   (char *) "*.wav", NULL };
  g_autofree char *list = NULL;
  g_assert_true (
    g_spawn_sync (f->folder, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &list, NULL, NULL, NULL));
  g_auto (GStrv) lines = g_strsplit (g_strchomp (list), "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, ARTISTS * SONGS * 2);
}

/* ---- Errors ---- */

static void
test_too_few (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  g_autofree char *lonely = g_build_filename (f->music, "Lonely/Only/Song.wav", NULL);
  music_write_song (lonely, 3, 0, 31);
  command_run (&result, f->folder, f->env, "run", "--preset", "artist-cnn", f->music, QUICK, NULL);
  command_assert (&result, 0);
  command_assert_says (&result, "1 label with too few songs for every set (at least 3) is "
                                "excluded: ‘Lonely’ has 1 song");
  /* Errors visible from names alone end a run before it decodes anything. */
  command_run (&result, f->folder, f->env, "run", "--preset", "artist-cnn", f->music, QUICK,
               "--set", "split.too_few=fail", "--fresh", NULL);
  command_assert (&result, 65);
  g_assert_null (strstr (result.err, "decode"));
  g_assert_null (strstr (result.err, "to continue")); /* it would fail again */
  command_assert_says (&result, "‘Lonely’ has 1 song; each needs at least 3");
  command_assert_says (&result, "--set split.too_few=leave_out");
}

/* The data set without decoding: by label and set, as in a later run. */
static void
test_data_view (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  g_autofree char *lonely = g_build_filename (f->music, "Lonely/Only/Song.wav", NULL);
  g_autofree char *loose = g_build_filename (f->music, "loose.wav", NULL);
  g_autofree char *mix = g_build_filename (f->music, "various artists/Hits/Mix.wav", NULL);
  music_write_song (lonely, 3, 0, 31);
  music_write_song (loose, 3, 1, 31);
  music_write_song (mix, 3, 2, 31);
  command_run (&result, f->folder, f->env, "check", "--preset", "artist-cnn", f->music, NULL);
  command_assert (&result, 0);
  command_assert_has (result.out, "chance level 33 %");
  command_assert_has (result.out, "few test songs (3)");
  command_assert_has (result.out, "‘Lonely’ has 1 song");
  command_assert_says (&result, "‘loose.wav’ is not inside an artist folder");
  command_assert_says (&result, "excluded labels (in ‘skip_labels’): ‘various artists’ (1 song)");
  g_autofree char *first = g_strndup (result.out, strcspn (result.out, "\n"));
  command_run (&result, f->folder, f->env, "run", "--preset", "artist-cnn", f->music, QUICK,
               "--dry-run", NULL);
  command_assert (&result, 0);
  command_assert_has (result.out, first);
  command_assert_has (result.out, "(rescanned on every run)");
  g_assert_null (strstr (result.err, "run.json"));

  /* Fewer than two labels: reported at once, by every command that checks. */
  const char *const verbs[] = { "check", "run" };
  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++) {
    command_run (&result, f->folder, f->env, verbs[i], "--preset", "artist-cnn", f->music, "--set",
                 "songs.labels=[Lonely]", NULL);
    command_assert (&result, 65);
    command_assert_says (&result, "none of 1 labels has enough songs");
    g_assert_null (strstr (result.err, "decode"));
  }
  command_run (&result, f->folder, f->env, "check", "--preset", "artist-cnn", f->music, "--set",
               "songs.labels=[Lonely]", "--set", "split.too_few=train_only", NULL);
  command_assert (&result, 65);
  command_assert_says (&result, "stage 'train': a classifier needs at least two labels");
}

static void
test_no_folder (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  command_run (&result, f->folder, f->env, "run", "--preset", "artist-cnn", NULL);
  command_assert (&result, 64);
  command_assert_says (&result, "preset 'artist-cnn' needs a folder of music: segue run "
                                "--preset artist-cnn FOLDER");
  command_run (&result, f->folder, f->env, "run", "--preset", "artist-cnn", "--set",
               "music=nowhere", NULL);
  command_assert (&result, 66);
  command_assert_says (&result, "nowhere");
  command_run (&result, f->folder, f->env, "run", "--preset", "artist-cnn", "nowhere", NULL);
  command_assert (&result, 66);
  command_assert_says (&result, "there is no folder ‘nowhere’");
  command_run (&result, f->folder, f->env, "run", "--preset", "artist-cnn", "/etc/passwd", NULL);
  command_assert (&result, 66);
  g_autofree char *runs = g_build_filename (f->folder, "runs", NULL);
  g_assert_false (g_file_test (runs, G_FILE_TEST_EXISTS));
}

/* Without the weights nothing is started, and one sentence states how to get them. */
static void
test_no_weights (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  command_run (&result, f->folder, f->env, "run", "--preset", "artist", f->music, NULL);
  command_assert (&result, 66);
  command_assert_says (&result, "segue fetch ntu-spml/distilhubert");
  command_assert_says (&result, "--set weights=FOLDER");
  g_autofree char *runs = g_build_filename (f->folder, "runs", NULL);
  g_assert_false (g_file_test (runs, G_FILE_TEST_EXISTS));
}

static void
test_empty_folder (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  g_autofree char *empty = g_build_filename (f->folder, "empty", NULL);
  g_assert_cmpint (g_mkdir (empty, 0777), ==, 0);
  command_run (&result, f->folder, f->env, "run", "--preset", "artist-cnn", empty, NULL);
  g_assert_cmpint (result.status, >, 0);
  command_assert_says (&result, "empty");
}

static void
test_no_model (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  command_run (&result, f->folder, f->env, "predict", "--model", "music", "x.wav", NULL);
  command_assert (&result, 66);
  command_assert_says (&result, "there is no model in ‘music’");
  command_run (&result, f->folder, f->env, "predict", "--model", "music/none", "x.wav", NULL);
  command_assert (&result, 66);
  command_assert_says (&result, "there is no model folder ‘music/none’");
  command_run (&result, f->folder, f->env, "predict", "--model", "org/name", "x.wav", NULL);
  command_assert (&result, 66);
  command_assert_says (&result, "segue fetch org/name");
  command_run (&result, f->folder, f->env, "predict", "x.wav", NULL);
  command_assert (&result, 64);
  command_run (&result, f->folder, f->env, "predict", "--model", "music", "x.wav", "--precision",
               "flaot32", NULL);
  command_assert (&result, 64);
  command_assert_says (&result, "did you mean float32?");
  command_run (&result, f->folder, f->env, "predict", "--model", "music", NULL);
  command_assert (&result, 64);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_auto (FixtureLibrary) library = fixture_library_new (ARTISTS, SONGS);
#define ADD(path, test)                                                                            \
  g_test_add ("/run/" path, Fixture, &library, fixture_set_up, test, fixture_tear_down)
  ADD ("first-contact", test_first_contact);
  ADD ("same-result", test_same_result);
  ADD ("moved-song", test_moved_song);
  ADD ("swaps", test_swaps);
  ADD ("closed-descriptors", test_closed_descriptors);
  ADD ("dataset", test_dataset);
  ADD ("too-few", test_too_few);
  ADD ("data-view", test_data_view);
  ADD ("no-folder", test_no_folder);
  ADD ("no-weights", test_no_weights);
  ADD ("empty-folder", test_empty_folder);
  ADD ("no-model", test_no_model);
#undef ADD
  return g_test_run ();
}
