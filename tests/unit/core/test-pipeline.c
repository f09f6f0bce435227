/* Pipeline files: settings, variables, overrides, stages, ports, and the messages for errors. */
#include "fixture.h"
#include "graph/advice.h"
#include "graph/graph.h"
#include "registry/registry.h"
#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

static SegueRegistry *registry;

/* A pipeline of `segue: 1` and @stages, as "- use: source" lines. */
#define PIPELINE(stages) "segue: 1\nstages:\n" stages

static SeguePipeline *
load (const char *text, const char *const *overrides, GError **error)
{
  g_autofree char *path = fixture_write ("artist.yaml", text);
  SeguePipeline *pipeline = segue_pipeline_load (registry, path, overrides, error);
  /* Messages are compared without the temporary folder. */
  if (error && *error && g_str_has_prefix ((*error)->message, path)) {
    char *message = g_strconcat ("artist.yaml", (*error)->message + strlen (path), NULL);
    g_free ((*error)->message);
    (*error)->message = message;
  }
  fixture_remove (path);
  return pipeline;
}

static SeguePipeline *
load_ok (const char *text, const char *const *overrides)
{
  GError *error = NULL;
  SeguePipeline *pipeline = load (text, overrides, &error);
  g_assert_no_error (error);
  return pipeline;
}

static void
assert_refused (const char *text, const char *const *overrides, const char *pattern)
{
  GError *error = NULL;
  g_assert_null (load (text, overrides, &error));
  fixture_assert_message (&error, pattern);
}

static const SegueGraphStage *
stage_of (const SeguePipeline *pipeline, guint index)
{
  return g_ptr_array_index (pipeline->stages, index);
}

static const FixtureConfig *
config_of (const SeguePipeline *pipeline, guint index)
{
  return stage_of (pipeline, index)->config;
}

static void
test_straight (void)
{
  g_autoptr (SeguePipeline) pipeline =
    load_ok ("segue: 1\nname: artist\nseed: 42\non_error: fail\nmax_failures: 3\n"
             "stages:\n"
             "  - { id: songs, use: source }\n"
             "  - use: decode\n"
             "  - { use: cut, cache: true }\n"
             "  - use: split\n"
             "  - use: jitter\n"
             "  - use: train\n"
             "  - use: evaluate\n",
             NULL);
  g_assert_cmpstr (segue_pipeline_get_name (pipeline), ==, "artist");
  g_assert_null (segue_pipeline_get_first_variable (pipeline));
  g_assert_cmpuint (pipeline->seed, ==, 42);
  g_assert_true (pipeline->fail_on_error);
  g_assert_cmpuint (pipeline->max_failures, ==, 3);
  g_assert_cmpuint (pipeline->stages->len, ==, 7);
  g_assert_cmpstr (stage_of (pipeline, 0)->id, ==, "songs");
  g_assert_cmpstr (stage_of (pipeline, 1)->id, ==, "decode");
  g_assert_true (stage_of (pipeline, 2)->cache);
  g_assert_cmpuint (stage_of (pipeline, 2)->inputs[0].producer, ==, 1);
  g_assert_cmpint (stage_of (pipeline, 3)->outputs[0], ==, SEGUE_KIND_AUDIO);
  const SegueGraphStage *train = stage_of (pipeline, 5);
  g_assert_cmpuint (train->inputs[0].producer, ==, 4);
  g_assert_cmpuint (train->inputs[1].producer, ==, SEGUE_NOT_CONNECTED);
  const SegueGraphStage *evaluate = stage_of (pipeline, 6);
  g_assert_cmpuint (evaluate->inputs[0].producer, ==, 4);
  g_assert_cmpuint (evaluate->inputs[1].producer, ==, 5);
}

static void
test_settings (void)
{
  g_autoptr (SeguePipeline) pipeline =
    load_ok (PIPELINE ("- {use: source, seed: 5}\n- use: decode\n- use: cut\n"), NULL);
  g_assert_cmpint (stage_of (pipeline, 0)->seed, ==, 5);
  g_assert_cmpint (stage_of (pipeline, 1)->seed, ==, SEGUE_UNSET_INT);
  g_autofree char *text = segue_pipeline_describe (pipeline);
  g_assert_nonnull (strstr (text, "\"seed\": 5"));
  g_assert_cmpstr (segue_pipeline_get_name (pipeline), ==, "artist");
  g_assert_cmpuint (pipeline->max_failures, ==, G_MAXUINT);
}

static void
test_from (void)
{
  g_autoptr (SeguePipeline) pipeline =
    load_ok (PIPELINE ("- use: source\n- use: decode\n- {id: first, use: cut}\n"
                       "- {id: second, use: cut, from: decode}\n"
                       "- {id: a, use: train, from: first}\n"
                       "- {id: b, use: train, from: {items: decode.audio, init: ~}}\n"
                       "- {use: evaluate, from: a}\n"
                       "- {id: other, use: evaluate, from: {items: second}}\n"),
             NULL);
  g_assert_cmpuint (stage_of (pipeline, 3)->inputs[0].producer, ==, 1);
  g_assert_cmpuint (stage_of (pipeline, 4)->inputs[0].producer, ==, 2);
  g_assert_cmpuint (stage_of (pipeline, 5)->inputs[0].producer, ==, 1);
  g_assert_cmpuint (stage_of (pipeline, 5)->inputs[1].producer, ==, SEGUE_NOT_CONNECTED);
  g_assert_cmpuint (stage_of (pipeline, 6)->inputs[0].producer, ==, 3);
  g_assert_cmpuint (stage_of (pipeline, 6)->inputs[1].producer, ==, 4);
  g_assert_cmpuint (stage_of (pipeline, 7)->inputs[0].producer, ==, 3);
  g_assert_cmpuint (stage_of (pipeline, 7)->inputs[1].producer, ==, 5);
}

#define SOURCE "- use: source\n"

static void
test_graph_messages (void)
{
  static const struct {
    const char *text, *pattern;
  } cases[] = {
    { "- 1", "artist.yaml:1:1: a pipeline is a map that begins with the line 'segue: 1'" },
    { "", "artist.yaml:1:1: a pipeline is a map*" },
    { "stages: []", "artist.yaml:1:1: no 'segue: 1'; put that line at the top" },
    { "segue: 2", "artist.yaml:1:8: segue must be 1*got 2" },
    { "segue: 1", "artist.yaml:1:1: a pipeline needs stages*" },
    { "segue: 1\nstages: []", "artist.yaml:2:9: a pipeline needs stages*" },
    { "segue: 1\nstage: []", "artist.yaml:2:1: unknown key 'stage'; did you mean 'stages'?" },
    { "segue: 1\nwhatever: []", "artist.yaml:2:1: unknown key 'whatever'; known are segue, *" },
    { "segue: 1\nseed: -1\nstages: [{use: source}]",
      "artist.yaml:2:7: seed must be *at least 0, got -1" },
    { "segue: 1\nname: A b\nstages: [{use: source}]", "artist.yaml:2:7: name 'A b'*; write a-b" },
    { "segue: 1\non_error: skipp\nstages: [{use: source}]",
      "*on_error must be one of skip, fail, got skipp; *" },
    { PIPELINE ("- source\n"),
      "artist.yaml:3:3: a stage is a map, got source; write - use: source" },
    { PIPELINE ("- id: x\n"), "artist.yaml:3:3: a stage needs 'use: TYPE'*" },
    { PIPELINE ("- use: sorce\n"),
      "artist.yaml:3:8: no stage type 'sorce'; did you mean 'source'?" },
    { PIPELINE ("- use: quite-different\n"),
      "*no stage type 'quite-different'; no plugin provides it; segue inspect lists them" },
    { PIPELINE ("- {use: source, width: {}}\n"),
      "*stage: unknown key 'width'; did you mean 'with'?" },
    { PIPELINE ("- {use: source, count: 3}\n"),
      "*stage: unknown key 'count'; known are id, use, with, from, cache, *" },
    { PIPELINE ("- {use: source, id: A}\n"), "*id A: an id is *; write a" },
    { PIPELINE ("- {use: source, id: My_1}\n"), "*id My_1: an id is *; write my-1" },
    { PIPELINE ("- {use: source, id: 1}\n"), "*id 1: an id is *; write n1" },
    { PIPELINE ("- {use: everything, layout: x}\n"),
      "artist.yaml:3:21: stage: 'layout' is a parameter of 'everything'; write with: { layout: … "
      "}" },
    { PIPELINE ("- {type: source}\n"), "*stage: unknown key 'type'; did you mean 'use'?" },
    { PIPELINE ("- {use: source, params: {}}\n"),
      "*stage: unknown key 'params'; did you mean 'with'?" },
    { PIPELINE ("- use:source\n"), "*a stage is a map: write - use: TYPE, with a plain space *" },
    { PIPELINE ("- use: \u201csource\u201d\n"),
      "*no stage type *, such as a typographic quote: *" },
    { "Segue: 1\nstages: []", "artist.yaml:1:1: unknown key 'Segue'; did you mean 'segue'?" },
    { PIPELINE (SOURCE SOURCE),
      "artist.yaml:4:3: two stages have the id 'source' (first in line 3); *" },
    { PIPELINE ("- {use: source, with: {a: 1}}\n"),
      "*stage 'source': unknown parameter 'a'; it takes none, remove it" },
    { PIPELINE ("- {use: everything, id: x, with: {count: 0}}\n"),
      "artist.yaml:3:42: stage 'x': count must be 1..1000, got 0" },
    { PIPELINE ("- {use: everything, with: {count: 13}}\n"),
      "artist.yaml:3:27: stage 'everything': count 13 brings no luck; take 14" },
    { PIPELINE ("- {use: everything, with: 3}\n"),
      "*stage 'everything': with must be a map of parameters, got 3" },
    { PIPELINE ("- {use: source, cache: true}\n"), "*stage 'source': cache is for*" },
    { PIPELINE ("- {use: source, cache: 1}\n"), "*cache must be true or false, got 1; write true" },
    { PIPELINE ("- {use: source, isolate: yes}\n"),
      "artist.yaml:3:26: stage 'source': isolate must be true or false, got yes; write true" },
    { PIPELINE ("- {use: source, isolate: true}\n"),
      "artist.yaml:3:26: stage 'source': isolate is for stages that take one item at a time; *" },
    { PIPELINE ("- {use: source, time_limit: 5}\n"), "*'source': time_limit is for stages that *" },
    { PIPELINE (SOURCE "- {use: decode, seed: 1}\n"),
      "artist.yaml:4:23: stage 'decode': 'decode' draws no random numbers; remove seed" },
    { PIPELINE (SOURCE "- {use: decode, time_limit: 0}\n"),
      "artist.yaml:4:29: stage 'decode': time_limit must be 0.1..86400 s, got 0" },
    { PIPELINE (SOURCE "- {use: decode, isolate: true}\n"),
      "artist.yaml:4:26: stage 'decode': 'decode' is part of this program *; remove isolate" },
    { PIPELINE (SOURCE "- use: cut\n"),
      "artist.yaml:4:3: stage 'cut': input 'audio' needs audio, and no earlier stage produces it; "
      "put one before it (decode)" },
    { PIPELINE ("- use: split\n"), "*input 'items' needs file, audio or tensor, and no *" },
    { PIPELINE ("- {use: source, from: source}\n"), "*a source has no inputs; remove from" },
    { PIPELINE (SOURCE "- {use: decode, from: decode}\n"),
      "*from: 'decode' is this stage itself; name an earlier stage" },
    { PIPELINE (SOURCE "- {use: decode, from: cut}\n- use: cut\n"),
      "artist.yaml:4:23: *from: 'cut' comes later; *" },
    { PIPELINE (SOURCE "- {use: decode, from: sorce}\n"),
      "*from: no stage 'sorce'; did you mean 'source'?" },
    { PIPELINE (SOURCE "- {use: decode, from: zzzzzz}\n"),
      "*from: no stage 'zzzzzz'; earlier ones are: source" },
    { PIPELINE (SOURCE "- {use: decode, from: {audio: source}}\n"),
      "*from: no input 'audio'; inputs are: file" },
    { PIPELINE (SOURCE "- {use: decode, from: {file: ~}}\n"),
      "*from: input 'file' is required; name a stage" },
    { PIPELINE (SOURCE "- {use: decode, from: [source]}\n"),
      "*from must be a stage's id, or a map such as { file: ID }" },
    { PIPELINE (SOURCE "- {use: decode, from: source.sound}\n"),
      "*from: stage 'source' has no output 'sound'; its outputs are: files" },
    { PIPELINE (SOURCE "- use: decode\n- use: jitter\n- use: cut\n- use: train\n"),
      "artist.yaml:6:3: stage 'cut': its output is stored, but stage 'jitter' *move 'jitter' after "
      "it" },
    { PIPELINE (SOURCE "- use: decode\n- use: jitter\n- use: split\n- use: train\n"),
      "artist.yaml:5:3: stage 'jitter': no later stage uses *: 'split' reads the items without "
      "its changes; move it after 'split', right before the stage that trains, *" },
  };
#define JUDGES                                                                                     \
  SOURCE "- use: decode\n- use: train\n- {id: a, use: evaluate}\n- {id: b, use: evaluate}\n"
  static const struct {
    const char *combine, *pattern;
  } several[] = {
    { "{use: combine}",
      "artist.yaml:8:3: stage 'combine': input 'predictions' takes the outputs of several stages; "
      "name two or more of them: from: ?ID, ID?" },
    { "{use: combine, from: a}", "*input 'predictions' takes the outputs of several stages; *" },
    { "{use: combine, from: [a]}", "*input 'predictions' takes the outputs of several stages; *" },
    { "{use: combine, from: []}", "*input 'predictions' takes the outputs of several stages; *" },
    { "{use: combine, from: {predictions: [a, b], metrics: a}}",
      "artist.yaml:8:55: *input 'metrics' takes the outputs of several stages; *" },
    { "{use: combine, from: [a, b, a]}",
      "artist.yaml:8:31: *from: 'a' is named twice; remove one of them" },
    { "{use: combine, from: [a, train]}",
      "artist.yaml:8:28: *from: 'train' has no output of the kind that input 'predictions' takes *" },
    { "{use: combine, from: [a, c]}", "artist.yaml:8:28: *from: no stage 'c'; did you mean 'a'?" },
    { "{use: combine, from: [a, [b]]}", "*from must be a stage's id, or a map such as *" },
    { "{use: combine, from: {predictions: [a, b], metrics: [a, b], init: [train]}}",
      "*from must be a stage's id, or a map such as *" },
    { "{use: combine, from: {predictions: [a, b], metrics: [b, a]}}",
      "artist.yaml:8:24: *inputs 'predictions' and 'metrics' take the same stages in the same order; "
      "write one list for both: from: ?ID, ID?" },
    { "{use: combine, from: {predictions: [a, b, c], metrics: [a, b]}}", "*no stage 'c'*" },
    { "{use: combine, from: {predictions: [a, b], metrics: [a, b, d]}}", "*no stage 'd'*" },
  };
  static const char *const lengths[] = { "{predictions: [a, b, e], metrics: [a, b]}",
                                         "{predictions: [a, b], metrics: [a, b, e]}" };
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++) {
    g_autofree char *text = g_strdup_printf (
      PIPELINE (JUDGES "- {id: e, use: evaluate}\n- {use: combine, from: %s}\n"), lengths[i]);
    assert_refused (text, NULL, "artist.yaml:9:*in the same order; write one list for both*");
  }
  for (guint i = 0; i < G_N_ELEMENTS (several); i++) {
    g_autofree char *text = g_strdup_printf (PIPELINE (JUDGES "- %s\n"), several[i].combine);
    assert_refused (text, NULL, several[i].pattern);
  }
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_refused (cases[i].text, NULL, cases[i].pattern);
  g_autoptr (GString) many = g_string_new ("segue: 1\nstages:\n");
  for (int i = 0; i < 300; i++)
    g_string_append_printf (many, "- {use: source, id: s%d}\n", i);
  assert_refused (many->str, NULL, "*at most 256 stages, got 300");
}

/* A list feeds every input that takes several, in its order; a map can also connect the other inputs. */
static void
test_several (void)
{
  g_autoptr (SeguePipeline) pipeline =
    load_ok (PIPELINE (JUDGES "- {id: one, use: combine, from: [b, a]}\n"
                              "- {id: two, use: combine, from: {metrics: [b, a.metrics], "
                              "predictions: [b, a], init: ~}}\n"),
             NULL);
  static const guint producers[] = { 4, 3, 4, 3, 2 };
  const SegueGraphStage *one = stage_of (pipeline, 5), *two = stage_of (pipeline, 6);
  g_assert_cmpuint (one->n_inputs, ==, G_N_ELEMENTS (producers));
  for (guint i = 0; i < one->n_inputs; i++)
    g_assert_cmpuint (one->inputs[i].producer, ==, producers[i]);
  g_assert_cmpuint (segue_graph_stage_find_input (one, "metrics", 1), ==, 3);
  g_assert_cmpuint (segue_graph_stage_find_input (one, "metrics", 2), ==, one->n_inputs);
  g_assert_cmpstr (one->inputs[3].port->name, ==, "metrics");
  g_assert_cmpuint (two->inputs[0].producer, ==, 4);
  g_assert_cmpuint (two->inputs[2].producer, ==, 4);
  g_assert_cmpuint (two->inputs[4].producer, ==, SEGUE_NOT_CONNECTED);

  g_autofree char *text = segue_pipeline_describe (pipeline);
  json_t *root = json_loads (text, 0, NULL);
  g_assert_nonnull (root);
  json_t *described = json_array_get (json_object_get (root, "stages"), 5);
  json_t *inputs = json_object_get (described, "inputs");
  json_t *metrics = json_object_get (inputs, "metrics");
  g_assert_cmpuint (json_array_size (metrics), ==, 2);
  g_assert_cmpstr (json_string_value (json_object_get (json_array_get (metrics, 1), "stage")), ==,
                   "a");
  g_assert_true (json_is_object (json_object_get (inputs, "init")));
  json_decref (root);
}

#define EVERYTHING(...) "- {use: everything, with: {" __VA_ARGS__ "}}\n"

static void
test_variables (void)
{
  g_autoptr (SeguePipeline) pipeline = load_ok (
    "segue: 1\nvars: {music: songs, n: 7, sets: [a, b], sub: "
    "\"${music}/x\"}\nstages:\n" EVERYTHING (
      "input: \"${sub}/y\", count: \"${n}\", sets: \"${sets}\", layout: \"$${a}-${n}-$5\""),
    NULL);
  const FixtureConfig *config = config_of (pipeline, 0);
  g_assert_true (g_str_has_suffix (config->input, "/songs/x/y"));
  g_assert_true (g_path_is_absolute (config->input));
  g_assert_cmpint (config->count, ==, 7);
  g_assert_cmpuint (config->sets->len, ==, 2);
  g_assert_cmpstr (config->layout, ==, "${a}-7-$5");
  g_assert_cmpstr (segue_pipeline_get_first_variable (pipeline), ==, "music");
}

static void
test_variable_messages (void)
{
#define VARS(vars, ...) "segue: 1\nvars: " vars "\nstages:\n" EVERYTHING (__VA_ARGS__)
  static const struct {
    const char *text, *pattern;
  } cases[] = {
    { VARS ("{music: x}", "input: \"${musik}\""),
      "artist.yaml:4:35: unknown variable 'musik'; did you mean 'music'?" },
    { VARS ("{}", "input: \"${m}\""), "*unknown variable 'm'; define it under vars*" },
    { VARS ("{m: }", "input: \"${m}\""),
      "artist.yaml:4:35: variable 'm' has no value; set one with --set m=…" },
    { VARS ("{m: [1]}", "input: \"a${m}\""), "*variable 'm' is not text*" },
    { VARS ("{m: x}", "input: \"a${m\""), "*'${' begins a variable*$${*" },
    { VARS ("{m: x}", "input: \"${M}\""), "*'${' begins a variable*" },
    { VARS ("{a: \"${b}\", b: 1}", ""),
      "artist.yaml:2:11: unknown variable 'b'; define it under vars, before its use" },
    { VARS ("{a: \"${a}\"}", ""), "*unknown variable 'a'*" },
    { VARS ("{seed: 1}", ""), "artist.yaml:2:8: variable 'seed': a name is *rename it" },
    { VARS ("{A: 1}", ""), "*variable 'A': a name is *" },
    { VARS ("[a]", ""), "artist.yaml:2:7: vars must be a map of name: value" },
    { VARS ("{n: 0}", "count: \"${n}\""),
      "artist.yaml:2:11: stage 'everything': count must be 1..1000, got 0" },
  };
#undef VARS
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_refused (cases[i].text, NULL, cases[i].pattern);
}

/* An untrusted file may write below its own folder; only the user allows other places. */
static void
test_output_paths (void)
{
  static const char *const inside[] = { "new", "a/b", "./a/../b", "a//b", "here/x", "..x" };
  static const char *const outside[] = {
    "/etc/x",     "..",    "../x",       "a/../../x", "~/x", "file:///etc/x", "file:///../x",
    "./.././a/x", "out/x", "out/../out", "nowhere",   "/",   "nowhere/x",     "loop/x",
  };
  g_autofree char *base = fixture_write ("base", "");
  g_autofree char *folder = g_path_get_dirname (base);
  g_autofree char *path = g_build_filename (folder, "artist.yaml", NULL);
  const char *const links[][2] = {
    { ".", "here" }, { "/tmp", "out" }, { "../not-there", "nowhere" }, { "loop", "loop" }
  };
  for (guint i = 0; i < G_N_ELEMENTS (links); i++) {
    g_autofree char *link = g_build_filename (folder, links[i][1], NULL);
    g_assert_cmpint (symlink (links[i][0], link), ==, 0);
  }
  for (guint i = 0; i < G_N_ELEMENTS (inside) + G_N_ELEMENTS (outside); i++) {
    gboolean good = i < G_N_ELEMENTS (inside);
    const char *output = good ? inside[i] : outside[i - G_N_ELEMENTS (inside)];
    g_autoptr (GError) error = NULL;
    g_autofree char *text =
      g_strdup_printf (PIPELINE ("- {use: everything, with: {output: \"%s\"}}\n"), output);
    g_assert_true (g_file_set_contents (path, text, -1, NULL));
    g_autoptr (SeguePipeline) pipeline = segue_pipeline_load (registry, path, NULL, &error);
    g_test_message ("%s: %s", output, pipeline ? "within" : error->message);
    if (good) {
      g_assert_no_error (error);
      continue;
    }
    g_assert_null (pipeline);
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
    g_assert_nonnull (
      strstr (error->message, "stage 'everything': output is outside the folder of"));
    /* The same from the command line is the user's own choice. */
    g_autofree char *override = g_strdup_printf ("everything.output=%s", output);
    const char *const overrides[] = { override, NULL };
    g_autoptr (SeguePipeline) own = segue_pipeline_load (registry, path, overrides, NULL);
    g_assert_nonnull (own);
  }
  for (guint i = 0; i < G_N_ELEMENTS (links); i++) {
    g_autofree char *link = g_build_filename (folder, links[i][1], NULL);
    g_unlink (link);
  }
  g_unlink (path);
  fixture_remove (base);
}

/* Variables of variables multiply as aliases do. */
static void
test_variable_laughs (void)
{
  g_autoptr (GString) text = g_string_new ("segue: 1\nvars:\n  v0: \"0123456789\"\n");
  for (int i = 1; i < 40; i++) {
    g_string_append_printf (text, "  v%d: \"", i);
    for (int k = 0; k < 10; k++)
      g_string_append_printf (text, "${v%d}", i - 1);
    g_string_append (text, "\"\n");
  }
  assert_refused (text->str, NULL,
                  "artist.yaml:*: variables expand to more than 2 MiB; shorten them");
  g_string_assign (text, "segue: 1\nvars:\n  v0: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n");
  for (int i = 1; i < 10; i++) {
    g_string_append_printf (text, "  v%d: [", i);
    for (int k = 0; k < 10; k++)
      g_string_append_printf (text, "\"${v%d}\",", i - 1);
    g_string_append (text, "]\n");
  }
  assert_refused (text->str, NULL, "artist.yaml:*: variables expand to too many values; use fewer");
}

static void
test_overrides (void)
{
  const char *const overrides[] = { "music=here/[x]: #1",
                                    "n=9",
                                    "sets=[p, q, r]",
                                    "seed=7",
                                    "name=other",
                                    "everything.length=2.5",
                                    "everything.model.width=8",
                                    "everything.ops.0.gain=[1, 2]",
                                    "everything.ops.1.gain=3",
                                    "everything.band.high=9",
                                    "everything.output=out",
                                    "everything.length=3",
                                    NULL };
  g_autoptr (SeguePipeline) pipeline = load_ok (
    "segue: 1\nname: artist\nvars: {music: songs, n: 7, sets: [a, b]}\nstages:\n" EVERYTHING (
      "input: \"${music}/y\", count: \"${n}\", sets: \"${sets}\", model: huge, ops: [{op: gain}, "
      "gain]"),
    overrides);
  const FixtureConfig *config = config_of (pipeline, 0);
  g_autofree char *here = g_get_current_dir ();
  g_autofree char *input = g_build_filename (here, "here/[x]: #1/y", NULL);
  g_autofree char *output = g_build_filename (here, "out", NULL);
  g_assert_cmpstr (config->input, ==, input);
  g_assert_cmpstr (config->output, ==, output);
  g_assert_cmpint (config->count, ==, 9);
  g_assert_cmpuint (config->sets->len, ==, 3);
  g_assert_cmpuint (pipeline->seed, ==, 7);
  g_assert_cmpstr (segue_pipeline_get_name (pipeline), ==, "other");
  g_assert_cmpfloat (config->length, ==, 3);
  g_assert_cmpstr (config->model.type->name, ==, "huge");
  g_assert_cmpint (((FixtureModelConfig *) config->model.config)->width, ==, 8);
  SegueVariant *ops = (SegueVariant *) (gpointer) config->ops->data;
  g_assert_cmpfloat (((FixtureGain *) ops[0].config)->gain[0], ==, 1);
  g_assert_cmpfloat (((FixtureGain *) ops[1].config)->gain[1], ==, 3);
  g_assert_cmpfloat (config->band.low, ==, 20);
  g_assert_cmpfloat (config->band.high, ==, 9);
}

/* What is set at a stage, and not inside of its `with`. */
static void
test_stage_settings (void)
{
  static const char text[] = "segue: 1\nstages:\n- use: source\n- {use: decode, time_limit: 5}\n";
  const char *const overrides[] = { "decode.time_limit=7.5", "decode.isolate=false",
                                    "decode.cache=true", NULL };
  g_autoptr (SeguePipeline) pipeline = load_ok (text, NULL);
  g_autoptr (SeguePipeline) changed = load_ok (text, overrides);
  g_autofree char *before = segue_pipeline_describe (pipeline);
  g_autofree char *after = segue_pipeline_describe (changed);
  g_assert_nonnull (strstr (before, "\"time_limit\": 5"));
  g_assert_nonnull (strstr (before, "\"isolate\": true"));
  g_assert_nonnull (strstr (after, "\"time_limit\": 7.5"));
  g_assert_nonnull (strstr (after, "\"isolate\": false"));
  g_assert_nonnull (strstr (after, "\"cache\": true"));
  const char *const wrong[] = { "decode.isolate=3", NULL };
  assert_refused (text, wrong, "*decode.isolate=3*isolate must be true or false, got 3*");
}

static void
test_override_values (void)
{
  const char *const text =
    "segue: 1\nvars: {music: }\nstages:\n" EVERYTHING ("input: \"${music}\"");
  const char *const raw[][2] = { { "music=/a/true", "/a/true" },     { "music=\"/a b\"", "/a b" },
                                 { "music='/it''s'", "/it's" },      { "music=/x\xff", "/x\xff" },
                                 { "music=/${music}", "/${music}" }, { "music=/a=b", "/a=b" } };
  for (guint i = 0; i < G_N_ELEMENTS (raw); i++) {
    const char *const overrides[] = { raw[i][0], NULL };
    g_autoptr (SeguePipeline) pipeline = load_ok (text, overrides);
    g_assert_cmpstr (config_of (pipeline, 0)->input, ==, raw[i][1]);
    g_autofree char *described = segue_pipeline_describe (pipeline);
    g_assert_true (g_utf8_validate (described, -1, NULL));
  }
  /* Text unchanged, where a parameter is text; an empty value unsets it. */
  const char *const texts[][2] = { { "{artist}/{title}", "{artist}/{title}" },
                                   { "{artist} - {title} #1", "{artist} - {title} #1" },
                                   { "[x", "[x" },
                                   { "a: b", "a: b" },
                                   { "7", "7" },
                                   { "\"a # b\"", "a # b" },
                                   { "null", NULL },
                                   { "", NULL } };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autofree char *layout = g_strconcat ("everything.layout=", texts[i][0], NULL);
    const char *const overrides[] = { "music=/x", layout, NULL };
    g_autoptr (SeguePipeline) pipeline = load_ok (text, overrides);
    g_assert_cmpstr (config_of (pipeline, 0)->layout, ==, texts[i][1]);
  }
  /* The default of a parameter is expanded where a value is set inside of it. */
  const char *const inside[] = { "music=/x", "everything.model.width=5", NULL };
  g_autoptr (SeguePipeline) pipeline = load_ok (text, inside);
  g_assert_cmpint (((FixtureModelConfig *) config_of (pipeline, 0)->model.config)->width, ==, 5);
  const char *const stage_without_with[] = { "everything.count=5", NULL };
  g_autoptr (SeguePipeline) bare = load_ok (PIPELINE ("- use: everything\n"), stage_without_with);
  g_assert_cmpint (config_of (bare, 0)->count, ==, 5);
}

static void
test_override_messages (void)
{
  const char *const text = "segue: 1\nvars: {music: x}\nstages:\n" EVERYTHING ("ops: [gain]");
  const char *const cases[][2] = {
    { "music", "'music' sets nothing; write NAME=VALUE*" },
    { "=3", "'=3' sets nothing*" },
    { "musik=3", "musik=3: the pipeline has no variable 'musik'; did you mean 'music'?" },
    { "quite=3", "quite=3: the pipeline has no variable 'quite' (it has: music); *" },
    { "stages=[]", "stages=[]: the pipeline has no variable 'stages'*" },
    { "everthing.count=3", "everthing.count=3: no stage 'everthing'; did you mean 'everything'?" },
    { "x.count=3", "x.count=3: no stage 'x'; stages are: everything" },
    { "everything.cuont=3",
      "everything.cuont=3: stage 'everything': unknown parameter 'cuont'; did you mean 'count'?" },
    { "everything.count=0",
      "everything.count=0: stage 'everything': count must be 1..1000, got 0" },
    { "everything.count=", "*count has no value*" },
    { "everything.count.x=1",
      "*unknown parameter*|*a single value * has no parameters to set*|*must be a whole number*" },
    { "everything.ops.1.gain=1",
      "*'1' is not an index of a list of 1 entries; indexes start at 0" },
    { "everything.ops.x=1", "*'x' is not an index of a list of 1 *" },
    { "everything.model.width=0", "*model.width must be 1..4096, got 0" },
    { "everything.sets=[1", "everything.sets=[1:*bracket*" },
    { "seed=x", "seed=x: seed must be a whole number, got x" },
    { "name=A", "name=A: name 'A'*" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    const char *const overrides[] = { cases[i][0], NULL };
    GError *error = NULL;
    g_assert_null (load (text, overrides, &error));
    g_auto (GStrv) patterns = g_strsplit (cases[i][1], "|", -1);
    gboolean matched = FALSE;
    for (guint k = 0; patterns[k]; k++)
      matched |= g_pattern_match_simple (patterns[k], error->message);
    if (!matched)
      g_error ("the message is “%s”, and should be “%s”", error->message, cases[i][1]);
    g_clear_error (&error);
  }
}

static void
test_describe (void)
{
  g_autoptr (SeguePipeline) pipeline =
    load_ok (PIPELINE (SOURCE "- use: decode\n- use: train\n"), NULL);
  g_autofree char *text = segue_pipeline_describe (pipeline);
  json_error_t problem;
  json_t *root = json_loads (text, 0, &problem);
  g_assert_nonnull (root);
  json_t *train = json_array_get (json_object_get (root, "stages"), 2);
  json_t *items = json_object_get (json_object_get (train, "inputs"), "items");
  g_assert_cmpstr (json_string_value (json_object_get (items, "stage")), ==, "decode");
  g_assert_cmpstr (json_string_value (json_object_get (items, "kind")), ==, "audio");
  g_assert_cmpstr (json_string_value (json_object_get (train, "plugin")), ==, "fixture");
  json_decref (root);
}

static void
test_presets (void)
{
  g_autofree char *path =
    fixture_write ("my-artist.yaml", "# yaml-language-server: $schema=x\n\n#  Who sings\n# more\n");
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *second = fixture_write ("my-artist.yaml", "# Not this one\n");
  g_autofree char *second_folder = g_path_get_dirname (second);
  g_autofree char *search = g_strdup_printf ("%s:/nowhere::%s", folder, second_folder);
  g_setenv ("SEGUE_PRESET_PATH", search, TRUE);
  GError *error = NULL;
  g_autoptr (SeguePreset) preset = segue_preset_find ("my-artist", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (preset->path, ==, path);
  g_assert_cmpstr (preset->summary, ==, "Who sings");
  g_assert_null (segue_preset_find ("my-artits", &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);
  fixture_assert_message (&error, "no preset 'my-artits'; did you mean 'my-artist'?");
  g_assert_null (segue_preset_find ("../secret", &error));
  g_clear_error (&error);
  fixture_remove (path);
  fixture_remove (second);
}

static void
assert_advised (const SeguePipeline *pipeline, const char *speaker, const char *message,
                const char *wanted)
{
  g_autofree char *advised = segue_advise (message, pipeline ? pipeline->stages : NULL, speaker);
  g_assert_cmpstr (advised, ==, wanted);
}

/* Advice names the stages of this pipeline; names that can't be typed are omitted. */
static void
test_advice (void)
{
  g_autoptr (SeguePipeline) pipeline =
    load_ok (PIPELINE ("- id: songs\n  use: source\n- id: first\n  use: everything\n"
                       "- id: cut\n  use: everything\n"),
             NULL);
  const char *message = "too short" SEGUE_ADVICE ("; allow it with ", "count=3") ".";
  assert_advised (pipeline, "cut", message, "too short; allow it with --set cut.count=3.");
  assert_advised (pipeline, "first", message, "too short; allow it with --set first.count=3.");
  assert_advised (pipeline, "first, cut", message, "too short; allow it with --set cut.count=3.");
  assert_advised (pipeline, "songs", message, "too short.");
  assert_advised (pipeline, NULL, message, "too short.");
  assert_advised (NULL, "cut", message, "too short.");
  assert_advised (pipeline, "songs", "x" SEGUE_ADVICE (": ", "everything:count=3"),
                  "x: --set cut.count=3");
  assert_advised (pipeline, "cut", "x" SEGUE_ADVICE (": ", "nothing=3"), "x");
  assert_advised (pipeline, "cut", "x" SEGUE_ADVICE (": ", "none:count=3"), "x");
  assert_advised (pipeline, "cut",
                  "x" SEGUE_ADVICE (": ", "count=3") SEGUE_ADVICE (" or ", "length=1.5"),
                  "x: --set cut.count=3 or --set cut.length=1.5");
  /* The type's name in place of the id is distinguished from other mistakes. */
  assert_refused (
    PIPELINE ("- id: songs\n  use: everything\n"),
    (const char *const[]){ "everything.count=3", NULL },
    "*no stage 'everything'; the stage of that type is called 'songs': --set songs.count");
  /* Nothing from an untrusted file may get into a user's shell through a message. */
  assert_advised (pipeline, "cut", "x" SEGUE_ADVICE (": ", "count=$(rm -rf ~)"), "x");
  assert_advised (pipeline, "cut", "x" SEGUE_ADVICE (": ", "count=3;ls"), "x");
  assert_advised (pipeline, "cut", "\u27e6 \u00a6 half", "\u27e6 \u00a6 half");
}

/* All errors are found in one pass, each once. */
static void
test_problems (void)
{
  static const struct {
    const char *text, *overrides[4], *says[4];
    gboolean no_plugin;
  } cases[] = {
    { PIPELINE (SOURCE "- use: decode\n"),
      { "musik=x", "decod.rate=3", "=", NULL },
      { "*'='*", "*the pipeline has no variable 'musik'*",
        "*no stage 'decod'; did you mean 'decode'?" } },
    { "segue: 1\nvars: { A: 1, b: \"${c}\", seed: 3 }\nstages: [{use: source, id: \"${b}\"}]",
      { NULL },
      { "*variable 'A': a name is*", "*unknown variable 'c'*", "*variable 'seed': a name is*" } },
    { PIPELINE (SOURCE "- use: decode\n- use: cut\n"),
      { NULL },
      { "*no stage type 'source': no plugin was found*" },
      TRUE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = fixture_write ("p.yaml", cases[i].text);
    g_autoptr (SegueRegistry) none = segue_registry_new ();
    g_autoptr (GPtrArray) problems =
      segue_pipeline_find_problems (cases[i].no_plugin ? none : registry, path, cases[i].overrides);
    fixture_remove (path);
    guint n = 0;
    for (; n < G_N_ELEMENTS (cases[i].says) && cases[i].says[n]; n++) {
      g_assert_cmpuint (n, <, problems->len);
      GError *error = g_error_copy (g_ptr_array_index (problems, n));
      fixture_assert_message (&error, cases[i].says[n]);
    }
    g_assert_cmpuint (problems->len, ==, n);
  }
}

/* Where there was no memory for a plugin, missing types of the file are not known. */
static void
test_shortage (void)
{
  g_autofree char *path =
    fixture_write ("p.yaml", PIPELINE ("- use: source\n  wiht: {}\n- use: decode\n- use: cut\n"));
  g_autoptr (SegueRegistry) none = segue_registry_new ();
  GError *shortage = g_error_new (SEGUE_ERROR, SEGUE_ERROR_RESOURCE, "not enough memory");
  segue_registry_note_shortage (none, shortage);
  g_autoptr (GPtrArray) problems = segue_pipeline_find_problems (none, path, NULL);
  fixture_remove (path);
  g_assert_cmpuint (problems->len, ==, 1);
  g_assert_error ((GError *) g_ptr_array_index (problems, 0), SEGUE_ERROR, SEGUE_ERROR_RESOURCE);
}

/* Stages that change what a model is trained on, and that predict does not run. */
static void
test_warnings (void)
{
  static const struct {
    const char *stages, *says; /* NULL: nothing */
  } cases[] = {
    { "  - use: decode\n  - use: cut\n  - use: jitter\n  - use: train\n  - use: evaluate\n",
      "*p.yaml:5:5: stage 'cut': the model is trained on its output, but `segue predict` does not run "
      "it: its type 'cut' lacks the flag SEGUE_STAGE_PREPARE" },
    { "  - use: decode\n  - use: jitter\n  - use: train\n  - { use: cut, from: decode }\n"
      "  - { use: evaluate, from: { items: cut } }\n",
      NULL },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *text =
      g_strconcat ("segue: 1\nstages:\n  - use: source\n", cases[i].stages, NULL);
    g_autofree char *path = fixture_write ("p.yaml", text);
    g_autoptr (SeguePipeline) pipeline = segue_pipeline_load (registry, path, NULL, &error);
    fixture_remove (path);
    g_assert_no_error (error);
    const char *const *warnings = segue_pipeline_get_warnings (pipeline);
    g_assert_cmpuint (g_strv_length ((char **) warnings), ==, cases[i].says ? 1 : 0);
    g_assert_true (!cases[i].says || g_pattern_match_simple (cases[i].says, warnings[0]));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  registry = fixture_registry ();
  g_test_add_func ("/pipeline/straight", test_straight);
  g_test_add_func ("/pipeline/settings", test_settings);
  g_test_add_func ("/pipeline/from", test_from);
  g_test_add_func ("/pipeline/several", test_several);
  g_test_add_func ("/pipeline/graph-messages", test_graph_messages);
  g_test_add_func ("/pipeline/output-paths", test_output_paths);
  g_test_add_func ("/pipeline/variables", test_variables);
  g_test_add_func ("/pipeline/variable-messages", test_variable_messages);
  g_test_add_func ("/pipeline/variable-laughs", test_variable_laughs);
  g_test_add_func ("/pipeline/overrides", test_overrides);
  g_test_add_func ("/pipeline/stage-settings", test_stage_settings);
  g_test_add_func ("/pipeline/override-values", test_override_values);
  g_test_add_func ("/pipeline/override-messages", test_override_messages);
  g_test_add_func ("/pipeline/warnings", test_warnings);
  g_test_add_func ("/pipeline/describe", test_describe);
  g_test_add_func ("/pipeline/presets", test_presets);
  g_test_add_func ("/pipeline/advice", test_advice);
  g_test_add_func ("/pipeline/problems", test_problems);
  g_test_add_func ("/pipeline/shortage", test_shortage);
  int status = g_test_run ();
  segue_registry_free (registry);
  return status;
}
