/* Tables at work: YAML → struct → canonical JSON, and the messages for all errors. */
#include "fixture.h"
#include "params/params.h"
#include "registry/registry.h"
#include <string.h>

static SegueRegistry *registry;

static gboolean
parse (const char *yaml, FixtureConfig *config, GError **error)
{
  g_autoptr (SegueNode) node = segue_node_parse (yaml, -1, "t.yaml", error);
  SegueParamScope scope = { .models = segue_registry_model_types (registry),
                            .folder = "/base/folder",
                            .where = "stage 'x': ",
                            .at = node };
  memset (config, 0, sizeof *config);
  return node && segue_params_parse (fixture_params, node, config, &scope, error);
}

static void
parse_ok (const char *yaml, FixtureConfig *config)
{
  GError *error = NULL;
  parse (yaml, config, &error);
  g_assert_no_error (error);
}

static void
test_defaults (void)
{
  FixtureConfig config;
  parse_ok ("{}", &config);
  g_assert_cmpint (config.flag, ==, FALSE);
  g_assert_cmpint (config.method, ==, 0);
  g_assert_cmpint (config.count, ==, 20);
  g_assert_cmpfloat (config.length, ==, 10);
  g_assert_null (config.layout);
  g_assert_cmpfloat (config.snr[0], ==, 10);
  g_assert_cmpfloat (config.snr[1], ==, 40);
  g_assert_cmpuint (config.sets->len, ==, 1);
  g_assert_cmpstr (g_array_index (config.sets, char *, 0), ==, "train");
  g_assert_cmpuint (config.ops->len, ==, 0);
  g_assert_cmpfloat (config.band.low, ==, 20);
  g_assert_cmpfloat (config.band.high, ==, 8000);
  g_assert_null (config.op.chosen);
  g_assert_null (config.input);
  g_assert_cmpstr (config.model.type->name, ==, "tiny");
  g_assert_cmpint (((FixtureModelConfig *) config.model.config)->width, ==, 64);
  g_assert_cmpfloat (config.limit, ==, 3.5);
  segue_params_clear (fixture_params, &config);
  for (gsize i = 0; i < sizeof config; i++)
    g_assert_cmpint (((char *) &config)[i], ==, 0);
}

static void
test_everything (void)
{
  FixtureConfig config;
  parse_ok ("flag: true\nmethod: exact\ncount: 1000\nlength: 0.1\nlayout: \"{a}/{b}\"\nsnr: 15\n"
            "sets: [train, test]\n"
            "bands: [{low: 1, high: 2}, {low: 3}, 4]\n"
            "ops: [{op: gain, gain: 3}, flip, gain, {op: room, impulse: hall.wav, wet: 1}]\n"
            "band: {low: 5, high: 6.5}\nop: {op: gain, gain: [0, 1]}\n"
            "input: ../in.wav\noutput: out\ninit: org/name\n"
            "model: {use: huge, dropout: 0}\nlimit: null\nbig: -9223372036854775807\n",
            &config);
  g_assert_true (config.flag);
  g_assert_cmpint (config.method, ==, 1);
  g_assert_cmpfloat (config.snr[0], ==, 15);
  g_assert_cmpfloat (config.snr[1], ==, 15);
  g_assert_cmpuint (config.bands->len, ==, 3);
  g_assert_cmpfloat (g_array_index (config.bands, FixtureBand, 1).low, ==, 3);
  g_assert_cmpfloat (g_array_index (config.bands, FixtureBand, 1).high, ==, 8000);
  /* The short form, for the only required row. */
  g_assert_cmpfloat (g_array_index (config.bands, FixtureBand, 2).low, ==, 4);
  g_assert_cmpfloat (g_array_index (config.bands, FixtureBand, 2).high, ==, 8000);
  g_assert_cmpuint (config.ops->len, ==, 4);
  SegueVariant *ops = (SegueVariant *) (gpointer) config.ops->data;
  g_assert_cmpfloat (((FixtureGain *) ops[0].config)->gain[1], ==, 3);
  g_assert_cmpstr (ops[1].chosen->name, ==, "flip");
  g_assert_null (ops[1].config);
  g_assert_cmpfloat (((FixtureGain *) ops[2].config)->gain[0], ==, -6);
  g_assert_cmpstr (((FixtureRoom *) ops[3].config)->impulse, ==, "/base/folder/hall.wav");
  g_assert_cmpstr (config.input, ==, "/base/in.wav");
  g_assert_cmpstr (config.output, ==, "/base/folder/out");
  g_assert_cmpstr (config.init, ==, "org/name");
  g_assert_cmpstr (config.model.type->name, ==, "huge");
  g_assert_cmpfloat (((FixtureModelConfig *) config.model.config)->dropout, ==, 0);
  g_assert_true (isnan (config.limit));
  g_assert_cmpint (config.big, ==, -G_MAXINT64);
  segue_params_clear (fixture_params, &config);
}

static void
test_paths (void)
{
  FixtureConfig config;
  g_autofree char *home = g_build_filename (g_get_home_dir (), "m", NULL);
  parse_ok ("{init: installed-model}", &config);
  g_assert_cmpstr (config.init, ==, "installed-model");
  segue_params_clear (fixture_params, &config);
  parse_ok ("{input: ~/m, output: /a/../b, init: ./model}", &config);
  g_assert_cmpstr (config.input, ==, home);
  g_assert_cmpstr (config.output, ==, "/b");
  g_assert_cmpstr (config.init, ==, "/base/folder/model");
  segue_params_clear (fixture_params, &config);
  parse_ok ("{input: \"~\", init: runs/a/model, output: ~user}", &config);
  g_assert_cmpstr (config.input, ==, g_get_home_dir ());
  g_assert_cmpstr (config.init, ==, "/base/folder/runs/a/model");
  g_assert_cmpstr (config.output, ==, "/base/folder/~user");
  segue_params_clear (fixture_params, &config);
  /* Bytes that YAML can't represent are read from a URI, and written as one. */
  parse_ok ("{input: \"file:///m/%ff%20x\"}", &config);
  g_assert_cmpstr (config.input, ==, "/m/\xff x");
  g_autofree char *text = segue_params_canonical (fixture_params, &config);
  g_assert_nonnull (strstr (text, "\"input\":\"file:///m/%FF%20x\""));
  segue_params_clear (fixture_params, &config);
}

static void
test_messages (void)
{
  static const struct {
    const char *yaml, *pattern;
  } cases[] = {
    { "count: 0", "t.yaml:1:8: stage 'x': count must be 1..1000, got 0" },
    { "count: 1001", "t.yaml:1:8: stage 'x': count must be 1..1000, got 1001" },
    { "count: 1e30", "*count must be 1..1000, got 1e30" },
    { "count: 1.5", "*count must be a whole number, got 1.5" },
    { "count: many", "*count must be a whole number, got many" },
    { "count: \"5\"", "*count must be a whole number, got the text \"5\"; remove the quotes" },
    { "count: [5]", "*count must be a whole number, got a list" },
    { "count:", "t.yaml:1:7: *count has no value; *remove the key" },
    { "big: 9223372036854775808",
      "*big must be at most 9223372036854775807, got 9223372036854775808" },
    { "big: 0xffffffffffffffff",
      "*big must be at most 9223372036854775807, got 0xffffffffffffffff" },
    { "big: 1e400", "*big must be at most 9223372036854775807, got 1e400" },
    { "big: 1e19", "*big must be at most 9223372036854775807, got 1e19" },
    { "big: -9223372036854775808",
      "*big must be at least -9223372036854775807, got -9223372036854775808" },
    { "big: -1e19", "*big must be at least -9223372036854775807, got -1e19" },
    { "big: .inf", "*big must be a whole number, got .inf" },
    { "big: -.inf", "*big must be a whole number, got -.inf" },
    { "big: .nan", "*big must be a whole number, got .nan" },
    { "big: nan", "*big must be a whole number, got nan" },
    { "count: 1_000", "*count must be a whole number, got 1_000; write 1000" },
    { "count: \"1,000\"", "*count must be a whole number, got the text \"1,000\"; write 1000" },
    { "count: 10 songs", "*count must be a whole number, got 10 songs; write 10" },
    { "count: 1e-3", "*count must be a whole number, got 1e-3" },
    { "count: -5", "*count must be 1..1000, got -5" },
    { "count: 18446744073709551616", "*count must be 1..1000, got 18446744073709551616" },
    { "length: 10s", "*length must be a number, got 10s; write 10" },
    { "length: 0,5", "*length must be a number, got 0,5; write 0.5" },
    { "length: 1,000", "*length must be a number, got 1,000; write 1000" },
    { "length: 2 1", "*length must be a number, got 2 1" },
    { "length: 0.09", "*length must be 0.1..600 s, got 0.09" },
    { "length: .nan", "*length must be a finite number, got .nan" },
    { "length: .inf", "*length must be a finite number, got .inf" },
    { "length: 1e999", "*length must be 0.1..600 s, got 1e999" },
    { "length: -1e999", "*length must be 0.1..600 s, got -1e999" },
    { "limit: -1", "*limit must be at least 0, got -1" },
    { "flag: yes", "*flag must be true or false, got yes; write true" },
    { "flag: Off", "*flag must be true or false, got Off; write false" },
    { "flag: \"true\"", "*flag must be true or false, got the text \"true\"; remove the quotes" },
    { "flag: maybe", "*flag must be true or false, got maybe" },
    { "length: 500 ms", "*length must be a number, got 500 ms; write 0.5" },
    { "length: 2 min", "*length must be a number, got 2 min; write 120" },
    { "length: 2 parsec", "*length must be a number, got 2 parsec" },
    { "length: 1e", "*length must be a number, got 1e" },
    { "length: \"2,5\"", "*length must be a number, got the text \"2,5\"; write 2.5" },
    { "count: \"16\\n\"", "*count must be a whole number, got the text \"16 \"; write 16" },
    { "count: 1k", "*count must be a whole number, got 1k; write 1000" },
    { "band: {low: 1, high: 4 kHz}", "*band.high must be a number, got 4 kHz; write 4000" },
    { "band: {low: 1, high: 4k}", "*band.high must be a number, got 4k; write 4000" },
    { "op: {op: room, impulse: x, wet: 20%}", "*op.wet must be a number, got 20%; write 0.2" },
    { "snr: 20 dB", "*snr must be [[]low, high] or a number, got 20 dB; write 20" },
    { "method: exakt", "*must be one of fast, exact, adaptive, got exakt; did you mean 'exact'?" },
    { "method: [fast]", "*method must be one of the choices, got a list" },
    { "snr: [40, 10]", "*snr must be [[]low, high] with low not above high; swap them" },
    { "snr: [1, 2, 3]", "*snr must be [[]low, high], got 3 values" },
    { "snr: [-21, 0]", "t.yaml:1:7: *snr must be -20..80 dB, got -21" },
    { "sets: train", "*sets must be a list, got train; write [[]train]" },
    { "sets: []", "*sets must have 1..3 entries, got 0" },
    { "sets: [a, b, c, d]", "*sets must have 1..3 entries, got 4" },
    { "sets: [a, ~]", "*sets[[]1] is empty*" },
    { "sets: [a, {b: 1}]", "*sets[[]1] must be text, got a map" },
    { "bands: [{low: 1}, {high: 2}]",
      "t.yaml:1:19: *bands[[]1].low is required; give it a number" },
    { "bands: [{low: 1, hihg: 2}]", "*unknown parameter 'bands[[]0].hihg'; did you mean 'high'?" },
    { "bands: [[7]]", "*bands[[]0] must be a map of parameters, got a list" },
    { "bands: [7, low]", "t.yaml:1:12: *bands[[]1].low must be a number, got low" },
    { "band: {}", "*band.low is required*" },
    { "ops: [{op: gian}]",
      "t.yaml:1:12: *ops[[]0] must be one of gain, room, flip, got gian; did *" },
    { "ops: [room]", "*ops[[]0].impulse is required; give it a file or folder" },
    { "ops: [{gain: 3}]", "*ops[[]0] does not specify which one; write { op: NAME, … }" },
    { "ops: [{op: flip, x: 1}]", "*unknown parameter 'ops[[]0].x'*" },
    { "op: [gain]", "*op must be a name or a map, got a list" },
    { "model: tinny", "*model must be one of huge, tiny, got tinny; did you mean 'tiny'?" },
    { "model: {use: tiny, widht: 3}", "*unknown parameter 'model.widht'; did you mean 'width'?" },
    { "model: {use: tiny, width: 0}", "t.yaml:1:27: *model.width must be 1..4096, got 0" },
    { "{model: tiny, dropout: 0.3}",
      "*'dropout' is a parameter of the model; write model: { use: tiny, dropout: … }" },
    { "{model: {use: huge}, width: 3}",
      "*'width' is a parameter of the model; write model: { use: huge, *" },
    { "model: {width: 1}", "*model does not specify which one; write { use: NAME, … }" },
    { "lenght: 1", "t.yaml:1:1: stage 'x': unknown parameter 'lenght'; did you mean 'length'?" },
    { "zzzzzz: 1", "*unknown parameter 'zzzzzz'; known are flag, method, *" },
    { "layout: {artist}", "t.yaml:1:9: *layout must be text; *quotes: write \"{artist}\"" },
    { "input: ''", "*input is empty; write a file or folder" },
    { "[1, 2]", "*with must be a map of parameters, got a list" },
    { "layout: [\"\\e\\n\"]", "*layout must be text, got a list" },
    { "count: \"\\e\\n\"", "*got the text \"  \"" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    FixtureConfig config;
    GError *error = NULL;
    g_assert_false (parse (cases[i].yaml, &config, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
    g_autofree char *pattern = g_strdup (cases[i].pattern);
    /* g_pattern has no brackets: "[[]" is written for users of shells. */
    for (char *at; (at = strstr (pattern, "[[]"));)
      memmove (at, at + 2, strlen (at + 2) + 1), *at = '?';
    fixture_assert_message (&error, pattern);
    for (gsize k = 0; k < sizeof config; k++)
      g_assert_cmpint (((char *) &config)[k], ==, 0);
  }
}

static void
assert_canonical (const char *a, const char *b, gboolean same)
{
  FixtureConfig one, other;
  parse_ok (a, &one);
  parse_ok (b, &other);
  g_autofree char *x = segue_params_canonical (fixture_params, &one);
  g_autofree char *y = segue_params_canonical (fixture_params, &other);
  if (same)
    g_assert_cmpstr (x, ==, y);
  else
    g_assert_cmpstr (x, !=, y);
  segue_params_clear (fixture_params, &one);
  segue_params_clear (fixture_params, &other);
}

static void
test_canonical (void)
{
  FixtureConfig config;
  parse_ok ("{}", &config);
  g_autofree char *text = segue_params_canonical (fixture_params, &config);
  g_assert_cmpstr (text, ==,
                   "{\"band\":{\"high\":8000,\"low\":20},\"bands\":[],\"big\":0,\"count\":20,"
                   "\"flag\":false,\"length\":10,\"limit\":3.5,\"method\":\"fast\","
                   "\"model\":{\"dropout\":0.1,\"use\":\"tiny\",\"width\":64},\"ops\":[],"
                   "\"sets\":[\"train\"],\"snr\":[10,40]}");
  segue_params_clear (fixture_params, &config);
  assert_canonical ("{}", "{length: 10.0, count: 20, model: tiny, limit: 3.5}", TRUE);
  assert_canonical ("{length: 1}", "{length: 1.0}", TRUE);
  assert_canonical ("{snr: 5}", "{snr: [5, 5.0]}", TRUE);
  assert_canonical ("{ops: [gain]}", "{ops: [{op: gain, gain: [-6, 6]}]}", TRUE);
  assert_canonical ("{}", "{threads: 8, output: /x}", TRUE);
  assert_canonical ("{layout: ~}", "{}", TRUE);
  assert_canonical ("{limit: ~}", "{}", FALSE);
  assert_canonical ("{input: a}", "{}", FALSE);
  assert_canonical ("{length: 10.000000000000002}", "{length: 10}", FALSE);
}

static void
assert_round_trip (const char *yaml)
{
  FixtureConfig config, again;
  parse_ok (yaml, &config);
  g_autofree char *described = segue_params_describe (fixture_params, &config);
  parse_ok (described, &again);
  g_autofree char *twice = segue_params_describe (fixture_params, &again);
  g_assert_cmpstr (described, ==, twice);
  segue_params_clear (fixture_params, &config);
  segue_params_clear (fixture_params, &again);
}

static void
test_round_trip (void)
{
  assert_round_trip ("{}");
  assert_round_trip (
    "{limit: ~, layout: \"a\\\"\\\\\\n\\t\\x01\\x7f ä 🎵\", threads: 3, output: o}");
  assert_round_trip ("{ops: [flip, gain, {op: room, impulse: x}], op: flip, model: huge, "
                     "init: a/b, input: \"file:///%ff\", bands: [{low: 0.1}], big: -5}");
  assert_round_trip ("{layout: \"true\", sets: [\"1\", \"null\", \"\"]}");
}

static char *
content_of (const SegueParam *row, const char *path, gpointer data, GError **error)
{
  if (g_str_has_suffix (path, "missing")) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT, "no %s", path);
    return NULL;
  }
  return g_strdup_printf ("%s-%s", (const char *) data, row->name);
}

static void
test_key (void)
{
  FixtureConfig config;
  GError *error = NULL;
  parse_ok ("{input: x, init: a/b}", &config);
  g_autofree char *key =
    segue_params_key (fixture_params, &config, content_of, (gpointer) "hash", &error);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (key, "\"input\":\"hash-input\""));
  g_assert_nonnull (strstr (key, "\"init\":\"hash-init\""));
  g_assert_nonnull (strstr (key, "\"result_version\":3"));
  segue_params_clear (fixture_params, &config);
  parse_ok ("{input: missing}", &config);
  g_assert_null (segue_params_key (fixture_params, &config, content_of, (gpointer) "h", &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);
  g_clear_error (&error);
  segue_params_clear (fixture_params, &config);
}

/* A table from an older header: its rows end early, and data after them is not read. */
static void
test_short_rows (void)
{
  typedef struct {
    gint64 n;
  } Old;
  static const struct {
    SegueParam row;
  } old = { { .struct_size = offsetof (SegueParam, min),
              .name = "n",
              .type = SEGUE_PARAM_INT,
              .offset = offsetof (Old, n),
              .def = "4",
              .min = 100,
              .max = 200,
              .flags = SEGUE_PARAM_VOLATILE } };
  const SegueParam *const rows[] = { &old.row, NULL };
  GError *error = NULL;
  Old config = { 0 };
  SegueParamScope scope = { 0 };
  g_assert_true (segue_params_check_table (rows, sizeof config, "old", &error));
  g_assert_true (segue_params_parse (rows, NULL, &config, &scope, &error));
  g_assert_no_error (error);
  g_assert_cmpint (config.n, ==, 4);
  g_autofree char *text = segue_params_canonical (rows, &config);
  g_assert_cmpstr (text, ==, "{\"n\":4}");
}

static void
test_bad_tables (void)
{
  typedef struct {
    gint64 n;
    double x;
    char *s;
  } C;
/* Without the check of SEGUE_PARAM (), which would refuse some of them. */
#define BAD(field, param_type, ...)                                                                \
  SEGUE_ROW (SegueParam, .name = #field, .type = param_type, .offset = offsetof (C, field),        \
             ##__VA_ARGS__)
  const struct {
    const SegueParam *rows[3];
    gsize size;
    const char *pattern;
  } cases[] = {
    { { BAD (n, SEGUE_PARAM_INT, .def = "0", .min = 1, .max = 2) },
      sizeof (C),
      "*n must be 1..2*" },
    { { BAD (n, SEGUE_PARAM_INT, .def = "x") }, sizeof (C), "*default: n must be a whole number*" },
    { { BAD (n, SEGUE_PARAM_INT, .def = "[") }, sizeof (C), "*" },
    { { BAD (n, SEGUE_PARAM_INT, .def = "1", .relaxed = "x") },
      sizeof (C),
      "*relaxed: n must be a whole number*" },
    { { BAD (n, SEGUE_PARAM_INT, .min = 2, .max = 1) }, sizeof (C), "*.min is above .max*" },
    { { BAD (n, SEGUE_PARAM_INT, .def = "0") }, 4, "*outside the struct*" },
    { { BAD (s, SEGUE_PARAM_RANGE) }, sizeof (C), "*outside the struct*" },
    { { BAD (s, SEGUE_PARAM_CHOICE) }, sizeof (C), "*CHOICE needs .choices*" },
    { { BAD (s, SEGUE_PARAM_LIST) }, sizeof (C), "*LIST needs an .element*" },
    { { BAD (s, SEGUE_PARAM_VARIANT) }, sizeof (C), "*VARIANT needs*" },
    { { BAD (s, SEGUE_PARAM_RECORD) }, sizeof (C), "*RECORD needs*" },
    { { BAD (s, 99) }, sizeof (C), "*no known type*" },
    { { BAD (n, SEGUE_PARAM_INT, .def = "0"), BAD (n, SEGUE_PARAM_INT, .def = "0") },
      sizeof (C),
      "*two parameters are named 'n'*" },
    { { &(SegueParam) SEGUE_INIT (SegueParam, .name = "Bad-Name") }, sizeof (C), "*'Bad-Name'*" },
    { { &(SegueParam){ .struct_size = 8, .name = "n" } }, sizeof (C), "*struct_size is 8*" },
    { { &(SegueParam) SEGUE_INIT (SegueParam, .name = "n", .type = SEGUE_PARAM_INT, .offset = 4) },
      sizeof (C),
      "*does not fit*" },
  };
#undef BAD
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GError *error = NULL;
    g_assert_false (segue_params_check_table (cases[i].rows, cases[i].size, "bad", &error));
    fixture_assert_message (&error, cases[i].pattern);
  }
  GError *error = NULL;
  g_assert_true (
    segue_params_check_table (fixture_params, sizeof (FixtureConfig), "fixture", &error));
  g_assert_no_error (error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  registry = fixture_registry ();
  g_test_add_func ("/params/defaults", test_defaults);
  g_test_add_func ("/params/everything", test_everything);
  g_test_add_func ("/params/paths", test_paths);
  g_test_add_func ("/params/messages", test_messages);
  g_test_add_func ("/params/canonical", test_canonical);
  g_test_add_func ("/params/round-trip", test_round_trip);
  g_test_add_func ("/params/key", test_key);
  g_test_add_func ("/params/short-rows", test_short_rows);
  g_test_add_func ("/params/bad-tables", test_bad_tables);
  int status = g_test_run ();
  segue_registry_free (registry);
  return status;
}
