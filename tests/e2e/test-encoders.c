/* A pipeline over an encoder: one word selects another; what is wrong with one is found before a song is decoded. */
#include "fixture.h"

#include <glib/gstdio.h>
#include <segue/file.h>
#include <string.h>

#define ARTISTS 3
#define SONGS   5

/* A DistilHuBERT of a few thousand weights. */
#define SMALL                                                                                      \
  "{ use: distilhubert, hidden_size: 24, num_attention_heads: 2, intermediate_size: 32, "          \
  "conv_dim: [16, 16, 16], conv_kernel: [10, 8, 8], conv_stride: [10, 8, 8], "                     \
  "num_conv_pos_embeddings: 16, num_conv_pos_embedding_groups: 4, classifier_proj_size: 8 }"

static void
write_pipeline (Fixture *f, const char *seconds, const char *rest)
{
  g_autofree char *text = g_strdup_printf (
    "segue: 1\nname: x\nseed: 1\nvars: { music: music }\nstages:\n"
    "  - { use: scan, with: { root: \"${music}\", layout: \"{artist}/{album}/{title}\", label: "
    "artist } }\n"
    "  - { use: decode, with: { rate: 16000, channels: mono } }\n"
    "  - { use: segment, with: { length: %s, count: 3 } }\n"
    "%s",
    seconds, rest);
  fixture_write (f, "mine.yaml", text);
}

static void
write_embedding (Fixture *f, const char *seconds, const char *encoders)
{
  g_autofree char *rest = g_strdup_printf ("  - { use: embed, with: { encoders: [%s] } }\n"
                                           "  - use: split\n"
                                           "  - { use: train, with: { model: lda } }\n"
                                           "  - use: evaluate\n",
                                           encoders);
  write_pipeline (f, seconds, rest);
}

/* Trains @model into the folder @name, for a moment. */
static void
make_model (Fixture *f, const char *model, const char *name)
{
  g_auto (CommandResult) result = { 0 };
  g_autofree char *rest =
    g_strdup_printf ("  - use: split\n  - { use: train, with: { model: %s, epochs: 1 } }\n", model);
  g_autofree char *target = g_build_filename (f->folder, name, NULL);
  write_pipeline (f, "1", rest);
  command_run (&result, f->folder, f->env, "run", "mine.yaml", NULL);
  command_assert (&result, 0);
  g_autofree char *line = g_strdup_printf ("cp -rL runs/x/latest/model '%s'", target);
  command_run_shell (&result, f->folder, f->env, line);
  command_assert (&result, 0);
}

/* Runs it, and predicts a song with the result. Returns its messages (transfer full). */
static char *
run_with (Fixture *f, const char *encoders)
{
  static const char song[] = "music/Artist 1/Album 0/Song 2.wav";
  g_auto (CommandResult) result = { 0 }, answer = { 0 };
  write_embedding (f, "1", encoders);
  command_run (&result, f->folder, f->env, "run", "mine.yaml", NULL);
  command_assert (&result, 0);
  json_t *metrics = fixture_read_json (f, "runs/x/latest/metrics.json");
  json_t *count = json_object_get (json_object_get (metrics, "train"), "segments");
  g_assert_cmpint (json_integer_value (count), >, ARTISTS);
  json_decref (metrics);

  command_run (&answer, f->folder, f->env, "predict", "--model", "runs/x/latest", "--json", song,
               NULL);
  command_assert (&answer, 0);
  command_assert_has (answer.out, "\"label\":\"Artist ");
  command_assert_has (answer.out, "\"segments\":[");
  return g_strdup (result.err);
}

#define RANDOM "has random weights"

static void
test_one_word (Fixture *f, gconstpointer data)
{
  make_model (f, SMALL, "hubert");
  make_model (f, "{ use: mel-cnn, channels: [8, 8] }", "cnn");
  static const struct {
    const char *encoders;
    gboolean random;
  } cases[] = {
    { "statistics", FALSE },
    { "mel-cnn", TRUE },
    { "{ model: mel-cnn, init: cnn }", FALSE },
    { "{ model: " SMALL " }", TRUE },
    { "{ model: distilhubert, init: hubert }", FALSE },
    { "{ model: distilhubert, init: hubert, layer: 3, pool: statistics, precision: float32 }",
      FALSE },
    { "statistics, { model: distilhubert, init: hubert }, { model: mel-cnn, init: cnn }", FALSE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_test_message ("%s", cases[i].encoders);
    g_autofree char *messages = run_with (f, cases[i].encoders);
    g_assert_true ((strstr (messages, RANDOM) != NULL) == cases[i].random);
  }

  /* The model contains its encoder. */
  g_auto (CommandResult) answer = { 0 };
  command_run_shell (&answer, f->folder, f->env,
                     "rm -r hubert cnn && \"$segue\" predict --no-cache --model runs/x/latest "
                     "'music/Artist 0/Album 0/Song 0.wav'");
  command_assert (&answer, 0);
}

/* Its weights are no part of the project: sh examples/encoder.sh. */
static void
test_musicnn (Fixture *f, gconstpointer data)
{
  g_autofree char *folder =
    g_build_filename (g_get_user_data_dir (), "segue", "models", "msd-musicnn", NULL);
  if (!g_file_test (folder, G_FILE_TEST_IS_DIR)) {
    g_test_skip ("msd-musicnn is not installed");
    return;
  }
  g_autofree char *encoders = g_strdup_printf ("{ model: musicnn, init: '%s' }", folder);
  g_free (run_with (f, encoders));
}

static void
test_preset (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  make_model (f, SMALL, "hubert");
  command_run (&result, f->folder, f->env, "run", "--preset", "artist-frozen", f->music, "--set",
               "segment.count=2", "--set", "weights=hubert", NULL);
  command_assert (&result, 0);
  command_run (&result, f->folder, f->env, "predict", "--model", "runs/artist-frozen/latest",
               "music/Artist 0/Album 0/Song 0.wav", NULL);
  command_assert (&result, 0);
  command_assert_has (result.out, "Artist ");
}

/* ---- Refused ---- */

static void
patch_config (Fixture *f, const char *from, const char *to)
{
  g_autofree char *text = fixture_read (f, "hubert/config.json", NULL);
  g_auto (GStrv) parts = g_strsplit (text, from, 2);
  g_assert_cmpuint (g_strv_length (parts), ==, 2);
  g_autofree char *patched = g_strjoinv (to, parts);
  fixture_write (f, "hubert/config.json", patched);
}

/* A number in the middle of the weights: the classifier, which an encoder ignores, is at the start. */
static void
write_nan (Fixture *f)
{
  static const guint8 nan[] = { 0, 0, 0xc0, 0x7f };
  g_autofree char *path = g_build_filename (f->folder, "hubert", "model.safetensors", NULL);
  gsize n = 0;
  guint64 header;
  g_autofree char *content = fixture_read (f, "hubert/model.safetensors", &n);
  memcpy (&header, content, sizeof header);
  gsize first = sizeof header + (gsize) GUINT64_FROM_LE (header);
  memcpy (content + first + (n - first) / 8 * 4, nan, sizeof nan);
  g_assert_true (segue_file_write (path, content, (gssize) n, NULL));
}

static void
refuse (Fixture *f, const char *seconds, const char *encoders, int status, const char *text)
{
  g_auto (CommandResult) result = { 0 };
  write_embedding (f, seconds, encoders);
  command_run (&result, f->folder, f->env, "check", "mine.yaml", NULL);
  g_test_message ("%s: %s%s", encoders, result.out, result.err);
  command_assert_says (&result, text);
  command_assert (&result, status);
}

static void
test_refused (Fixture *f, gconstpointer data)
{
  static const char hubert[] = "{ model: distilhubert, init: hubert }";
  make_model (f, SMALL, "hubert");
  make_model (f, "{ use: mel-cnn, channels: [8, 8] }", "cnn");
  static const struct {
    const char *seconds, *encoders, *text;
    int status;
  } cases[] = {
    { "1", "{ model: distilhubert, init: cnn }", "of type 'mel-cnn', not 'distilhubert'", 78 },
    { "1", "{ model: mel-cnn, init: hubert }", "write `model: distilhubert`", 78 },
    { "1", "{ model: distilhubert, init: music }", "contains no model", 78 },
    { "1", "{ model: distilhubert, init: nobody/nothing }", "segue fetch nobody/nothing", 0 },
    { "1", "musicnn", "sh examples/encoder.sh", 78 },
    { "1", "lda", "is a classifier, not an encoder", 78 },
    { "1", "{ model: distilhubert, init: hubert, layer: 4 }", "has the layers 0..3, got 4", 78 },
    { "1", "{ model: mel-cnn, init: cnn, layer: 1 }", "has the layers 0..0, got 1", 78 },
    { "0.05", "{ model: mel-cnn, init: cnn }", "too short for 'mel-cnn'", 78 },
    { "1800", "distilhubert", "too long for this 'distilhubert'", 78 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    refuse (f, cases[i].seconds, cases[i].encoders, cases[i].status, cases[i].text);

  refuse (f, "1", "{ model: distilhubert, init: hubert }, { model: mel-cnn, init: cnn }", 0, "");
  patch_config (f, "\"hidden_size\": 24", "\"hidden_size\": 48");
  refuse (f, "1", hubert, 78, "has shape");
  patch_config (f, "\"hidden_size\": 48", "\"hidden_size\": 24");
  write_nan (f);
  refuse (f, "1", hubert, 78, "not finite");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_auto (FixtureLibrary) library = fixture_library_new (ARTISTS, SONGS);
#define ADD(path, test)                                                                            \
  g_test_add ("/encoders/" path, Fixture, &library, fixture_set_up, test, fixture_tear_down)
  ADD ("one-word", test_one_word);
  ADD ("musicnn", test_musicnn);
  ADD ("preset", test_preset);
  ADD ("refused", test_refused);
#undef ADD
  return g_test_run ();
}
