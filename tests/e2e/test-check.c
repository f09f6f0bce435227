/* Pipelines and the command line itself: correct ones pass, errors state where and why. */
#include "assert-text.h"
#include "command.h"

#include <glib/gstdio.h>
#include <jansson.h>
#include <segue/error.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  char *folder;
  char **env;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->folder = scratch_new ();
  f->env = command_env (f->folder, TRUE);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  scratch_free (f->folder);
  g_strfreev (f->env);
}

/* ---- Presets ---- */

static void
test_presets (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) list = { 0 }, result = { 0 };
  command_run (&list, f->folder, f->env, "presets", "--json", NULL);
  command_assert (&list, 0);
  json_t *presets = json_loads (list.out, 0, NULL);
  g_assert_cmpuint (json_array_size (presets), >, 2);
  size_t i;
  json_t *preset;
  json_array_foreach (presets, i, preset)
  {
    const char *name = json_string_value (json_object_get (preset, "name"));
    g_assert_cmpstr (json_string_value (json_object_get (preset, "summary")), !=, "");
    command_run (&result, f->folder, f->env, "check", "--preset", name, NULL);
    command_assert (&result, 0);
    assert_has (result.out, name);
    assert_has (result.out, "← songs");
    /* `evaluate` reads the clean segments; a stage that two inputs come from is named once. */
    g_assert_null (strstr (result.out, "← augment, train"));
    g_assert_null (strstr (result.out, "evaluate, evaluate"));
    command_assert_says (&result, "note: give a folder of music when you run it");

    /* The resolved pipeline has the file's content, plus every default. */
    command_run (&result, f->folder, f->env, "check", "--preset", name, "--json", NULL);
    command_assert (&result, 0);
    json_t *root = json_loads (result.out, JSON_REJECT_DUPLICATES, NULL);
    g_assert_cmpuint (json_array_size (json_object_get (root, "stages")), >, 3);
    json_decref (root);

    /* A printed preset can be used as a pipeline file. */
    command_run (&result, f->folder, f->env, "presets", name, NULL);
    command_assert (&result, 0);
    g_autofree char *path = g_build_filename (f->folder, "mine.yaml", NULL);
    g_assert_true (g_file_set_contents (path, result.out, -1, NULL));
    command_run (&result, f->folder, f->env, "check", "mine.yaml", NULL);
    command_assert (&result, 0);
  }
  json_decref (presets);
  command_run (&result, f->folder, f->env, "presets", "artits", NULL);
  command_assert (&result, 66);
  command_assert_says (&result, "did you mean 'artist'?");
}

/* ---- Wrong pipelines ---- */

#define HEAD "segue: 1\nname: x\nstages:\n  - use: scan\n    with: { root: . }\n"

static const struct {
  const char *text;
  const char *says[3];
} wrong[] = {
  { HEAD "  - use: decod\n",
    { "wrong.yaml:6:10: ", "did you mean 'decode'?", "   6 |   - use: decod\n" } },
  { HEAD "  - use: decode\n    with: { rat: 16000 }\n",
    { "wrong.yaml:7:13: ", "did you mean 'rate'?", "             ^" } },
  { HEAD "  - use: decode\n  - use: segment\n    with: { count: 0 }\n",
    { "wrong.yaml:8:20: stage 'segment': count must be 1..1000, got 0", "{ count: 0 }\n", "^" } },
  { HEAD "  - use: decode\n  - use: decode\n", { "wrong.yaml:7:", "decode", "^" } },
  { HEAD "  - use: trim\n", { "wrong.yaml:6:", "stage 'trim'", "audio" } },
  { "segue: 1\nname: x\nstages:\n  - use: scan\n    with: { root: ., layout: {artist}/{title} }\n",
    { "wrong.yaml:5:", "quotes", "^" } },
  { "segue: 1\nname: [\n", { "wrong.yaml:", NULL } },
  { "segue: 2\n", { "wrong.yaml:1:8: ", "segue must be 1", "^" } },
  { "", { "wrong.yaml:1:1: ", "segue: 1", NULL } },
  { "segue: 1\nsegue: 1\n", { "wrong.yaml:2:1: ", NULL } },
  { "segue: 1\nsteps: []\n", { "wrong.yaml:2:1: ", "stages", NULL } },
};

static void
test_wrong (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  g_autofree char *path = g_build_filename (f->folder, "wrong.yaml", NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_assert_true (g_file_set_contents (path, wrong[i].text, -1, NULL));
    command_run (&result, f->folder, f->env, "check", "wrong.yaml", NULL);
    command_assert (&result, 78);
    g_assert_cmpstr (result.out, ==, "");
    for (gsize j = 0; j < G_N_ELEMENTS (wrong[i].says) && wrong[i].says[j]; j++)
      command_assert_says (&result, wrong[i].says[j]);
    /* `run` reports the same, and leaves no files. */
    g_autofree char *said = g_strdup (result.err);
    command_run (&result, f->folder, f->env, "run", "wrong.yaml", NULL);
    command_assert (&result, 78);
    g_assert_cmpstr (result.err, ==, said);
    g_autofree char *runs = g_build_filename (f->folder, "runs", NULL);
    g_assert_false (g_file_test (runs, G_FILE_TEST_EXISTS));
  }
}

static guint
count_places (const CommandResult *result)
{
  guint n = 0;
  for (const char *at = result->err; (at = strstr (at, "wrong.yaml:")); at++)
    n++;
  return n;
}

/* All errors are reported at once, each with its position; `run` reports the same. */
static void
test_many (Fixture *f, gconstpointer data)
{
  static const char *const places[] = {
    "wrong.yaml:2:1: unknown key 'sed'; did you mean 'seed'?",
    "wrong.yaml:3:11: on_error must be one of skip, fail, got ignore",
    "wrong.yaml:6:22: stage 'scan': unknown parameter 'laber'; did you mean 'label'?",
    "wrong.yaml:7:10: no stage type 'decod'; did you mean 'decode'?",
    "wrong.yaml:9:21: stage 'segment': length must be a number, got 10s; write 10",
    "wrong.yaml:9:33: stage 'segment': count must be 1..1000, got 0",
    "wrong.yaml:9:36: stage 'segment': unknown parameter 'hopp'; did you mean 'hop'?",
    "wrong.yaml:11:21: stage 'augment': unknown parameter 'ops[0].opp'; did you mean 'op'?",
  };
  g_auto (CommandResult) result = { 0 };
  g_autofree char *path = g_build_filename (f->folder, "wrong.yaml", NULL);
  g_assert_true (g_file_set_contents (path,
                                      "segue: 1\n"
                                      "sed: 4\n"
                                      "on_error: ignore\n"
                                      "stages:\n"
                                      "  - use: scan\n"
                                      "    with: { root: ., laber: artist }\n"
                                      "  - use: decod\n"
                                      "  - use: segment\n"
                                      "    with: { length: 10s, count: 0, hopp: 3 }\n"
                                      "  - use: augment\n"
                                      "    with: { ops: [{ opp: gain }] }\n",
                                      -1, NULL));
  static const char *const verbs[] = { "check", "run" };
  for (gsize v = 0; v < G_N_ELEMENTS (verbs); v++) {
    command_run (&result, f->folder, f->env, verbs[v], "wrong.yaml", NULL);
    command_assert (&result, 78);
    for (gsize i = 0; i < G_N_ELEMENTS (places); i++)
      command_assert_says (&result, places[i]);
    g_assert_cmpuint (count_places (&result), ==, G_N_ELEMENTS (places));
  }
}

/* Likewise for connections between stages, together with wrong parameters; output of a wrong stage is not reported
 * as missing after it. */
static void
test_many_connections (Fixture *f, gconstpointer data)
{
  static const char *const places[] = {
    "wrong.yaml:4:11: stage 'scan': a source has no inputs",
    "wrong.yaml:6:5: stage 'trim': input 'audio' needs audio, and no earlier stage produces it; "
    "put one before it (decode, ",
    "wrong.yaml:9:25: stage 'slow': unknown parameter 'laber'",
    "wrong.yaml:11:11: stage 'segment': from: no stage 'decod'; earlier ones are: scan, trim, slow",
    "wrong.yaml:13:13: stage 'split': from: no input 'audio'; inputs are: items",
    "wrong.yaml:13:26: stage 'split': from: no input 'tree'; inputs are: items",
    "wrong.yaml:16:11: stage 'again': from: 'again' is this stage itself",
    "wrong.yaml:18:20: stage 'train': from: 'scan' has no output of the kind",
    "wrong.yaml:20:20: stage 'evaluate': from: 'split' has no output of the kind",
  };
  g_auto (CommandResult) result = { 0 };
  g_autofree char *path = g_build_filename (f->folder, "wrong.yaml", NULL);
  g_assert_true (g_file_set_contents (path,
                                      "segue: 1\n"
                                      "stages:\n"
                                      "  - use: scan\n"
                                      "    from: split\n"
                                      "    with: { root: . }\n"
                                      "  - use: trim\n"
                                      "  - use: decode\n"
                                      "    id: slow\n"
                                      "    with: { rate: 8000, laber: 3 }\n"
                                      "  - use: segment\n"
                                      "    from: decod\n"
                                      "  - use: split\n"
                                      "    from: { audio: slow, tree: 3 }\n"
                                      "  - use: decode\n"
                                      "    id: again\n"
                                      "    from: again\n"
                                      "  - use: train\n"
                                      "    from: { items: scan }\n"
                                      "  - use: evaluate\n"
                                      "    from: { model: split }\n",
                                      -1, NULL));
  command_run (&result, f->folder, f->env, "check", "wrong.yaml", NULL);
  command_assert (&result, 78);
  for (gsize i = 0; i < G_N_ELEMENTS (places); i++)
    command_assert_says (&result, places[i]);
  g_assert_cmpuint (count_places (&result), ==, G_N_ELEMENTS (places));

  /* Bypasses of a split, and formats. */
  static const char *const formats[] = {
    "wrong.yaml:9:11: stage 'one': its input 'items' comes from 'segment', which bypasses 'split'",
    "wrong.yaml:14:20: stage 'two': the model takes audio of 16000 Hz and gets 22050 Hz; decode to "
    "that with --set decode.rate=16000\n",
    "wrong.yaml:17:42: stage 'three': high must be at most 11025 Hz",
  };
  g_assert_true (g_file_set_contents (path,
                                      "segue: 1\n"
                                      "stages:\n"
                                      "  - { use: scan, with: { root: . } }\n"
                                      "  - use: decode\n"
                                      "    with: { rate: 22050, channels: mono }\n"
                                      "  - use: segment\n"
                                      "  - use: split\n"
                                      "  - use: train\n"
                                      "    from: segment\n"
                                      "    id: one\n"
                                      "    with: { model: mel-cnn }\n"
                                      "  - use: train\n"
                                      "    id: two\n"
                                      "    with: { model: distilhubert }\n"
                                      "  - use: train\n"
                                      "    id: three\n"
                                      "    with: { model: { use: mel-cnn, high: 30000 } }\n",
                                      -1, NULL));
  command_run (&result, f->folder, f->env, "check", "wrong.yaml", NULL);
  command_assert (&result, 78);
  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++)
    command_assert_says (&result, formats[i]);
  g_assert_cmpuint (count_places (&result), ==, G_N_ELEMENTS (formats));

  /* Wrong variables are reported once each; references to them are not. */
  g_assert_true (g_file_set_contents (path,
                                      "segue: 1\n"
                                      "vars:\n"
                                      "  music: .\n"
                                      "  Rate: 8000\n"
                                      "  stages: 3\n"
                                      "  length: \"${lenght} s\"\n"
                                      "  title: \"${\"\n"
                                      "stages:\n"
                                      "  - use: scan\n"
                                      "    with: { root: \"${musik}\", layout: \"${title}\" }\n"
                                      "  - use: segment\n"
                                      "    with: { length: \"${length}\" }\n",
                                      -1, NULL));
  static const char *const variables[] = {
    "wrong.yaml:4:3: variable 'Rate': a name is",
    "wrong.yaml:5:3: variable 'stages': a name is",
    "wrong.yaml:6:11: unknown variable 'lenght'; define it under vars, before its use",
    "wrong.yaml:7:10: '${' begins a variable",
    "wrong.yaml:10:19: unknown variable 'musik'; did you mean 'music'?",
  };
  command_run (&result, f->folder, f->env, "check", "wrong.yaml", NULL);
  command_assert (&result, 78);
  for (gsize i = 0; i < G_N_ELEMENTS (variables); i++)
    command_assert_says (&result, variables[i]);
  g_assert_cmpuint (count_places (&result), ==, G_N_ELEMENTS (variables));

  /* Missing variables, at any position. */
  g_assert_true (g_file_set_contents (path,
                                      "segue: 1\n"
                                      "vars: { music: . }\n"
                                      "stages:\n"
                                      "  - use: scan\n"
                                      "    with: { root: \"${musik}\" }\n"
                                      "  - use: decode\n"
                                      "    with: { rate: \"${rate}\", timeout: 3 }\n",
                                      -1, NULL));
  command_run (&result, f->folder, f->env, "check", "wrong.yaml", NULL);
  command_assert (&result, 78);
  command_assert_says (&result, "wrong.yaml:5:19: unknown variable 'musik'; did you mean 'music'?");
  command_assert_says (&result, "wrong.yaml:7:19: unknown variable 'rate'; define it under vars");
  g_assert_cmpuint (count_places (&result), ==, 2);
}

/* Bytes that no editor writes. */
static void
test_rubbish (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  g_autofree char *path = g_build_filename (f->folder, "wrong.yaml", NULL);
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  for (guint i = 0; i < 20; i++) {
    guint8 bytes[300];
    for (gsize j = 0; j < sizeof bytes; j++)
      bytes[j] = (guint8) g_rand_int (rand);
    g_assert_true (g_file_set_contents (path, (const char *) bytes, sizeof bytes, NULL));
    command_run (&result, f->folder, f->env, "check", "wrong.yaml", NULL);
    command_assert (&result, 78);
    g_assert_true (g_utf8_validate (result.err, -1, NULL));
    /* None of it controls the terminal. */
    for (const char *p = result.err; *p; p++)
      g_assert_false (*p != '\n' && g_ascii_iscntrl (*p));
  }
}

static void
test_set (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  command_run (&result, f->folder, f->env, "check", "--preset", "artist-cnn", "--set",
               "train.epochs=3", "--set", "seed=7", "--set", "train.model.dropout=0", "--json",
               NULL);
  command_assert (&result, 0);
  json_t *root = json_loads (result.out, 0, NULL);
  g_assert_cmpint (json_integer_value (json_object_get (root, "seed")), ==, 7);
  json_decref (root);
  static const struct {
    const char *set;
    const char *says;
  } cases[] = {
    { "train.epohcs=3", "did you mean 'epochs'?" },        { "musik=x", "did you mean 'music'?" },
    { "trian.epochs=3", "did you mean 'train'?" },         { "train.epochs=many", "epochs" },
    { "segment.count=0", "count must be 1..1000, got 0" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    command_run (&result, f->folder, f->env, "check", "--preset", "artist-cnn", "--set",
                 cases[i].set, NULL);
    command_assert (&result, 78);
    command_assert_says (&result, cases[i].says);
  }
  command_run (&result, f->folder, f->env, "check", "--preset", "artist-cnn", "--set", "x", NULL);
  command_assert (&result, 64);
}

/* ---- The command line ---- */

static void
test_help (Fixture *f, gconstpointer data)
{
  static const char *const verbs[] = { "run",    "check", "inspect", "presets", "predict",
                                       "schema", "fetch", "map",     "similar" };
  g_auto (CommandResult) result = { 0 }, other = { 0 };
  command_run (&result, f->folder, f->env, "--help", NULL);
  command_assert (&result, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++) {
    assert_has (result.out, verbs[i]);
    command_run (&other, f->folder, f->env, verbs[i], "--help", NULL);
    command_assert (&other, 0);
    assert_has (other.out, "usage: segue ");
    command_run (&other, f->folder, f->env, "help", verbs[i], NULL);
    command_assert (&other, 0);
    command_run (&other, f->folder, f->env, verbs[i], "--hepl", NULL);
    command_assert (&other, 64);
    command_assert_says (&other, "did you mean --help?");
  }
  command_run (&other, f->folder, f->env, NULL);
  command_assert (&other, 0);
  g_assert_cmpstr (other.out, ==, result.out);
}

static void
test_unknown (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  static const struct {
    const char *word;
    const char *says;
  } cases[] = {
    { "rnu", "did you mean ‘run’?" },
    { "predcit", "did you mean ‘predict’?" },
    { "xyzzy", "segue --help lists them" },
    { "mine.yaml", "segue run mine.yaml" },
    { "a\033[2J", "\\x1b[2J" },
    { "", "there is no verb" },
    { "--json", "options come after it: segue VERB --json" },
    { "-j4", "segue VERB -j4" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    command_run (&result, f->folder, f->env, cases[i].word, NULL);
    command_assert (&result, 64);
    command_assert_says (&result, cases[i].says);
  }
}

/* The version is printed without reading any plugin, even where all of them are broken. */
static void
test_version (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  g_autofree char *broken = g_build_filename (f->folder, "segue-broken.so", NULL);
  g_assert_true (g_file_set_contents (broken, "rubbish", -1, NULL));
  f->env = g_environ_setenv (f->env, "SEGUE_PLUGIN_PATH", f->folder, TRUE);
  command_run (&result, f->folder, f->env, "--version", NULL);
  command_assert (&result, 0);
  g_assert_true (g_str_has_prefix (result.out, "segue "));
  g_assert_cmpstr (result.err, ==, "");
  /* And for a plugin that is found but unusable the reason is reported. */
  command_run (&result, f->folder, f->env, "inspect", NULL);
  command_assert (&result, 0);
  assert_has (result.out, "segue-broken.so");
}

static void
test_inspect (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  command_run (&result, f->folder, f->env, "inspect", NULL);
  command_assert (&result, 0);
  assert_has (result.out, "mel-cnn");
  command_run (&result, f->folder, f->env, "inspect", "segment", NULL);
  command_assert (&result, 0);
  assert_has (result.out, "count");
  assert_has (result.out, "1000");
  command_run (&result, f->folder, f->env, "inspect", "segmnt", NULL);
  g_assert_cmpint (result.status, >, 0);
  command_assert_says (&result, "segment");
  command_run (&result, f->folder, f->env, "inspect", "--json", NULL);
  command_assert (&result, 0);
  json_t *root = json_loads (result.out, JSON_REJECT_DUPLICATES, NULL);
  g_assert_nonnull (root);
  json_decref (root);
  command_run (&result, f->folder, f->env, "schema", NULL);
  command_assert (&result, 0);
  root = json_loads (result.out, JSON_REJECT_DUPLICATES, NULL);
  g_assert_nonnull (json_object_get (root, "$schema"));
  json_decref (root);
}

/* Output on stdout of verbs that need no music. */
static const char *const printing[] = {
  "--help",
  "--version",
  "-V",
  "help run",
  "run --help",
  "schema",
  "presets",
  "presets --json",
  "presets artist",
  "inspect",
  "inspect segment",
  "inspect --json",
  "check --preset artist",
  "check --preset artist --json",
  "cache info",
  "cache info --json",
};

/* Runs `segue WORDS REDIRECTION`. */
static void
run_redirected (Fixture *f, const char *words, const char *redirection, CommandResult *result)
{
  g_autofree char *line = g_strdup_printf ("\"$segue\" %s %s", words, redirection);
  command_run_shell (result, f->folder, f->env, line);
}

/* Lost output is a failure, with the system's own reason. */
static void
test_full (Fixture *f, gconstpointer data)
{
  if (access ("/dev/full", W_OK) != 0) {
    g_test_skip ("there is no /dev/full here");
    return;
  }
  g_auto (CommandResult) result = { 0 };
  for (gsize i = 0; i < G_N_ELEMENTS (printing); i++) {
    run_redirected (f, printing[i], ">/dev/full", &result);
    command_assert (&result, 74);
    command_assert_says (&result, "segue: can't write the output: No space left on device\n");
    /* Once is enough. */
    g_assert_null (strstr (strstr (result.err, "can't write") + 1, "can't write"));

    run_redirected (f, printing[i], ">&-", &result);
    command_assert (&result, 74);
    command_assert_says (&result, "segue: can't write the output: Bad file descriptor\n");
  }
}

/* A closed reader causes no message, whether or not SIGPIPE is ignored. */
static void
test_gone (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  for (gsize i = 0; i < G_N_ELEMENTS (printing); i++) {
    run_redirected (f, printing[i], "| :", &result);
    command_assert (&result, 0);
    g_assert_null (strstr (result.err, "segue: "));
    g_autofree char *line = g_strdup_printf ("trap '' PIPE; \"$segue\" %s | :", printing[i]);
    command_run_shell (&result, f->folder, f->env, line);
    command_assert (&result, 0);
    g_assert_null (strstr (result.err, "segue: "));
  }
}

/* With descriptors closed, no opened file receives printed output. */
static void
test_closed (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  run_redirected (f, "check --preset artist", "<&- 2>&-", &result);
  command_assert (&result, 0);
  run_redirected (f, "check x.yaml", "<&- >&- 2>&-", &result);
  command_assert (&result, 66);
  run_redirected (f, "predict --model . -", "<&-", &result);
  g_assert_cmpint (result.status, >, 0);
}

/* No colour and no bar without a terminal; both on a terminal. */
static void
test_plain (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  f->env = g_environ_setenv (f->env, "TERM", "xterm-256color", TRUE);
  command_run (&result, f->folder, f->env, "--help", NULL);
  g_assert_null (strchr (result.out, '\033'));
}

/* ---- Inputs of stages ---- */

#define BEGIN                                                                                      \
  "segue: 1\nstages:\n"                                                                            \
  "  - { use: scan, with: { root: \".\", layout: \"{artist}/{title}\", label: artist } }\n"

#define MONO "  - { use: decode, with: { rate: 16000, channels: mono } }\n"

static void
test_formats (Fixture *f, gconstpointer data)
{
  static const struct {
    const char *stages, *says;
  } cases[] = {
    { "  - { use: decode, with: { channels: keep } }\n  - use: segment\n  - use: split\n"
      "  - use: train\n",
      "p.yaml:7:5: stage 'train': its input 'items' takes one channel, and stage 'decode' gives as "
      "many channels as each file has; write `with: { channels: mono }` at stage 'decode'" },
    { "  - { use: decode, with: { channels: mono } }\n  - use: segment\n  - use: split\n"
      "  - use: train\n",
      "p.yaml:7:5: stage 'train': its input 'items' takes one rate for all items, and stage 'decode' "
      "gives the rate that each file has; write `with: { rate: 16000 }` at stage 'decode'" },
    { MONO
      "  - use: segment\n  - use: split\n  - use: train\n"
      "  - { id: wide, use: decode, with: { channels: keep } }\n  - { id: parts, use: segment }\n"
      "  - { id: sets, use: split }\n  - use: evaluate\n",
      "p.yaml:11:5: stage 'evaluate': its input 'items' takes one channel, and stage 'wide' "
      "gives" },
    { MONO "  - { use: segment, with: { shortest: 1 } }\n  - use: split\n"
           "  - use: train\n",
      "p.yaml:7:5: stage 'train': items differ in length, and models take one length" },
    { "  - { use: decode, with: { rate: 8000, channels: mono } }\n  - use: segment\n  - use: split\n"
      "  - { use: train, with: { model: { use: mel-cnn, high: 7000 } } }\n",
      "p.yaml:7:56: stage 'train': high must be at most 4000 Hz" },
    { "  - { use: decode, with: { rate: 8000, channels: mono } }\n  - use: segment\n  - use: split\n"
      "  - { use: train, with: { model: { use: mel-cnn, low: 4500 } } }\n",
      "p.yaml:7:55: stage 'train': low must be below 4000 Hz" },
    { "  - { use: decode, with: { rate: 44100, channels: mono } }\n  - use: trim\n  - use: segment\n  - use: "
      "split\n"
      "  - use: augment\n  - { use: train, with: { model: distilhubert } }\n",
      "p.yaml:9:34: stage 'train': the model takes audio of 16000 Hz and gets 44100 Hz" },
    { MONO "  - { use: segment, with: { length: 0.05 } }\n  - use: split\n  - use: "
           "train\n",
      "p.yaml:7:5: stage 'train': segments of 0.050 s are too short for 'mel-cnn'" },
    { MONO "  - { use: segment, with: { length: 3600 } }\n  - use: split\n"
           "  - { use: train, with: { model: { use: mel-cnn, hop: 1, channels: [1024] } } }\n",
      "p.yaml:7:34: stage 'train': segments of 3600.000 s are too long for this 'mel-cnn' model: "
      "it would take more than 2" },
    { MONO "  - { use: segment, with: { length: 3600 } }\n  - use: split\n"
           "  - { use: train, with: { batch: 4096 } }\n",
      "p.yaml:7:34: stage 'train': a pass of this 'mel-cnn' model takes " },
    { MONO "  - use: segment\n  - { id: again, use: segment, with: { length: 11 } }\n",
      "p.yaml:6:48: stage 'again': every item is 10.000 s long, shorter than a segment of 11 s" },
    { MONO "  - use: split\n  - use: train\n",
      "p.yaml:6:5: stage 'train': items differ in length" },
    { MONO "  - use: segment\n  - use: split\n  - { use: train, with: { init: . } }\n",
      "p.yaml:7:33: stage 'train': \342\200\230" },
    { MONO "  - use: segment\n  - use: split\n  - { use: train, from: segment }\n",
      "p.yaml:7:25: stage 'train': its input 'items' comes from 'segment', which bypasses "
      "'split'" },
    { MONO "  - use: segment\n  - use: train\n  - use: split\n",
      "p.yaml:6:5: stage 'train': its input 'items' comes from 'segment', which bypasses 'split'" },
    { MONO "  - use: segment\n  - use: split\n  - use: train\n"
           "  - { use: evaluate, from: { items: segment } }\n",
      "stage 'evaluate': its input 'items' comes from 'segment', which bypasses 'split'" },
    { "  - { id: low, use: decode, with: { rate: 8000, channels: mono } }\n"
      "  - { id: songs-8, use: segment }\n  - use: split\n  - use: train\n"
      "  - { id: other, use: decode, with: { rate: 16000, channels: mono } }\n"
      "  - { id: songs-16, use: segment }\n  - { id: sets, use: split }\n  - use: evaluate\n",
      "stage 'evaluate': the model was trained at 8000 Hz, and this audio is at 16000 Hz" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (CommandResult) result = { 0 };
    g_autofree char *path = g_build_filename (f->folder, "p.yaml", NULL);
    g_autofree char *text = g_strconcat (BEGIN, cases[i].stages, NULL);
    g_assert_true (g_file_set_contents (path, text, -1, NULL));
    command_run (&result, f->folder, f->env, "check", "p.yaml", NULL);
    command_assert (&result, 78);
    command_assert_says (&result, cases[i].says);
  }
}

/* An output that no stage takes is probably a mistake; a pipeline under construction may end anywhere. */
static void
test_unused (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  g_autofree char *path = g_build_filename (f->folder, "p.yaml", NULL);
  g_assert_true (g_file_set_contents (
    path, BEGIN "  - use: decode\n  - use: trim\n  - { use: segment, from: decode }\n", -1, NULL));
  command_run (&result, f->folder, f->env, "check", "p.yaml", NULL);
  command_assert (&result, 0);
  command_assert_says (&result,
                       "warning: p.yaml:5:5: stage 'trim': no stage uses its output 'audio'");
  g_assert_null (strstr (result.err, "stage 'segment'"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, test) g_test_add ("/check/" path, Fixture, NULL, set_up, test, tear_down)
  ADD ("presets", test_presets);
  ADD ("formats", test_formats);
  ADD ("unused", test_unused);
  ADD ("wrong", test_wrong);
  ADD ("many", test_many);
  ADD ("many-connections", test_many_connections);
  ADD ("rubbish", test_rubbish);
  ADD ("set", test_set);
  ADD ("help", test_help);
  ADD ("unknown", test_unknown);
  ADD ("version", test_version);
  ADD ("inspect", test_inspect);
  ADD ("full", test_full);
  ADD ("gone", test_gone);
  ADD ("closed", test_closed);
  ADD ("plain", test_plain);
#undef ADD
  return g_test_run ();
}
