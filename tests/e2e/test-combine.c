/* Two models of different inputs, combined: the run, its predictions by `segue predict`, and the same bytes with any number of
 * workers. */
#include "fixture.h"
#include "music.h"

#include <math.h>
#include <string.h>

#define LATEST  "runs/both/latest"
#define ARTISTS 3
#define SONGS   5
/* Columns of predictions.csv before the labels. */
#define SONG_COLUMN  1
#define START_COLUMN 5
#define FIRST_LABEL  7

/* One split, then two branches: vectors of the songs as they are, with copies, and segments of another length at 16 kHz. */
static const char pipeline[] =
  "segue: 1\n"
  "name: both\n"
  "stages:\n"
  "  - id: songs\n"
  "    use: scan\n"
  "    with: { root: music, layout: '{artist}/{album}/{title}' }\n"
  "  - use: split\n"
  "    with: { by: song, test: 0.2, validation: 0.2 }\n"
  "  - use: decode\n"
  "  - id: moments\n"
  "    use: segment\n"
  "    with: { length: 10, count: 3 }\n"
  "  - use: augment\n"
  "    with: { ops: [{ op: low-pass, p: 0.75 }] }\n"
  "  - use: embed\n"
  "    copies: 2\n"
  "    with: { encoders: [statistics] }\n"
  "  - id: lda\n"
  "    use: train\n"
  "    with: { model: { use: lda, gate: true } }\n"
  "  - id: judge-lda\n"
  "    use: evaluate\n"
  "  - id: mono\n"
  "    use: decode\n"
  "    from: split\n"
  "    with: { rate: 16000, channels: mono }\n"
  "  - id: clips\n"
  "    use: segment\n"
  "    with: { length: 4, count: 4 }\n"
  "  - id: cnn\n"
  "    use: train\n"
  "    with: { model: { use: mel-cnn, channels: [8, 8] }, epochs: 1 }\n"
  "  - id: judge-cnn\n"
  "    use: evaluate\n"
  "  - use: combine\n"
  "    from: [judge-lda, judge-cnn]\n"
  "    with: { weights: learnt, rule: geometric }\n";

static void
run (Fixture *f, const char *jobs, const char *last_stage)
{
  g_auto (CommandResult) result = { 0 };
  g_autofree char *text = g_strconcat (pipeline, last_stage, NULL);
  fixture_write (f, "both.yaml", text);
  command_run (&result, f->folder, f->env, "run", "both.yaml", "--fresh", "--jobs", jobs, NULL);
  command_assert (&result, 0);
  command_assert_says (&result, "weights of the models, learnt from 3 validation songs: ");
}

/* What `segue predict` says about a song of the run's table, by its id. */
static json_t *
find_answer (GPtrArray *answers, const char *song)
{
  for (guint i = 0; i < answers->len; i++) {
    json_t *answer = g_ptr_array_index (answers, i);
    if (g_str_has_suffix (json_string_value (json_object_get (answer, "file")), song))
      return answer;
  }
  g_error ("no answer for ‘%s’", song);
}

static GPtrArray *
predict_all (Fixture *f, const char *model)
{
  g_auto (CommandResult) result = { 0 };
  command_run (&result, f->folder, f->env, "predict", "--model", model, "music", "--json", NULL);
  command_assert (&result, 0);
  GPtrArray *answers = g_ptr_array_new_with_free_func ((GDestroyNotify) json_decref);
  g_auto (GStrv) lines = g_strsplit (result.out, "\n", -1);
  for (guint i = 0; lines[i] && *lines[i]; i++) {
    json_t *answer = json_loads (lines[i], 0, NULL);
    g_assert_nonnull (answer);
    g_ptr_array_add (answers, answer);
  }
  return answers;
}

static double
number_at (const json_t *segment, const char *label)
{
  return json_number_value (json_object_get (json_object_get (segment, "probabilities"), label));
}

/* Each row of the run's table is a segment of the song's prediction, to the last digit that both print. */
static void
assert_as_evaluated (Fixture *f, GPtrArray *answers)
{
  g_autofree char *table = fixture_read (f, LATEST "/predictions.csv", NULL);
  g_auto (GStrv) lines = g_strsplit (table, "\n", -1);
  g_auto (GStrv) names = g_strsplit (lines[0], ",", -1);
  guint n_rows = 0, at = 0;
  const char *before = "";
  for (guint i = 1; lines[i] && *lines[i]; i++, n_rows++) {
    g_auto (GStrv) cells = g_strsplit (lines[i], ",", -1);
    at = strstr (before, cells[SONG_COLUMN]) ? at + 1 : 0;
    before = lines[i];
    const json_t *answer = find_answer (answers, cells[SONG_COLUMN]);
    const json_t *segment = json_array_get (json_object_get (answer, "segments"), at);
    g_assert_cmpfloat_with_epsilon (json_number_value (json_object_get (segment, "start")),
                                    g_ascii_strtod (cells[START_COLUMN], NULL), 1e-6);
    for (guint c = FIRST_LABEL; cells[c]; c++)
      g_assert_cmpfloat_with_epsilon (number_at (segment, names[c] + strlen ("p:")),
                                      g_ascii_strtod (cells[c], NULL), 2e-9);
  }
  g_assert_cmpuint (n_rows, ==, ARTISTS * SONGS * 3);
}

static void
test_predict (Fixture *f, gconstpointer data)
{
  run (f, "2", "  - use: report\n");
  fixture_assert_exists (f, LATEST "/report/index.html");
  fixture_assert_exists (f, LATEST "/stages/judge-cnn/metrics.json");
  fixture_assert_exists (f, LATEST "/model/members/1/calibration.json");
  fixture_assert_exists (f, LATEST "/model/members/2/model.safetensors");
  g_autoptr (GPtrArray) answers = predict_all (f, LATEST);
  g_assert_cmpuint (answers->len, ==, ARTISTS * SONGS);
  assert_as_evaluated (f, answers);

  /* The folder is complete without its run. */
  g_auto (CommandResult) result = { 0 };
  command_run_shell (&result, f->folder, f->env, "cp -rL " LATEST "/model alone && rm -r runs");
  command_assert (&result, 0);
  g_autoptr (GPtrArray) again = predict_all (f, "alone");
  for (guint i = 0; i < answers->len; i++)
    g_assert_true (json_equal (g_ptr_array_index (answers, i), g_ptr_array_index (again, i)));

  /* A folder that was copied without a member. */
  command_run_shell (&result, f->folder, f->env, "rm -r alone/members/2");
  command_run (&result, f->folder, f->env, "predict", "--model", "alone", "music", NULL);
  g_assert_cmpint (result.status, !=, 0);
  command_assert_says (&result, "alone/members/2’ is not a folder with members");
}

static void
test_same_bytes (Fixture *f, gconstpointer data)
{
  static const char *const jobs[] = { "1", "2", "8" };
  static const char *const names[] = { "metrics.json",
                                       "predictions.csv",
                                       "model/segue.json",
                                       "model/calibration.json",
                                       "model/members/1/model.safetensors",
                                       "model/members/2/model.safetensors" };
  char *first[G_N_ELEMENTS (names)];
  gsize lengths[G_N_ELEMENTS (names)];
  for (guint j = 0; j < G_N_ELEMENTS (jobs); j++) {
    run (f, jobs[j], "");
    for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
      gsize length;
      g_autofree char *name = g_build_filename (LATEST, names[i], NULL);
      g_autofree char *content = fixture_read (f, name, &length);
      if (j > 0)
        g_assert_cmpmem (content, length, first[i], lengths[i]);
      if (j == 0) {
        first[i] = g_steal_pointer (&content);
        lengths[i] = length;
      }
    }
  }
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_free (first[i]);
}

/* A stage that runs one model says what to do with a combined one. */
static void
test_evaluate_again (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  g_autofree char *text = g_strconcat (pipeline, "  - id: again\n    use: evaluate\n", NULL);
  fixture_write (f, "both.yaml", text);
  command_run (&result, f->folder, f->env, "run", "both.yaml", NULL);
  g_assert_cmpint (result.status, !=, 0);
  command_assert_says (&result, "is a combined model, which `combine` has evaluated");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_auto (FixtureLibrary) library = fixture_library_new (ARTISTS, SONGS);
#define ADD(path, function)                                                                        \
  g_test_add (path, Fixture, &library, fixture_set_up, function, fixture_tear_down)
  ADD ("/combine/predict", test_predict);
  ADD ("/combine/same-bytes", test_same_bytes);
  ADD ("/combine/evaluate-again", test_evaluate_again);
  return g_test_run ();
}
