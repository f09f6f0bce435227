/* Output generated from the tables: text for terminals, JSON, the schema, Markdown. */
#include "fixture.h"
#include <jansson.h>
#include <string.h>

static SegueRegistry *registry;

static json_t *
parse_json (const char *text)
{
  json_error_t problem;
  json_t *root = json_loads (text, JSON_REJECT_DUPLICATES, &problem);
  if (!root)
    g_error ("line %d: %s", problem.line, problem.text);
  return root;
}

/* The value at a path such as "a/b/2". */
static json_t *
at (json_t *root, const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  for (guint i = 0; parts[i]; i++) {
    root = json_is_array (root)
             ? json_array_get (root, (size_t) g_ascii_strtoull (parts[i], NULL, 10))
             : json_object_get (root, parts[i]);
    if (!root)
      g_error ("nothing at “%s” of %s", parts[i], path);
  }
  return root;
}

static void
test_inspect (void)
{
  GError *error = NULL;
  g_autofree char *text = segue_inspect_type (registry, "everything", 80, &error);
  g_assert_no_error (error);
  static const char *const parts[] = {
    "everything: Does nothing\n",
    "plugin fixture 1.0 (MIT), (linked in)",
    "count: whole number, 1..1000; default 20\n      How many.\n",
    "length: number, 0.1..600 s; default 10\n",
    "layout: text; optional\n",
    "snr: [low, high] or a number, -20..80 dB; default [10, 40]\n",
    "sets: list of 1..3: text; default [train]\n",
    "op: room\n",
    "impulse: file or folder; required\n",
    "limit: number, at least 0; default 3.5\n",
    "output files (file): Files.\n",
  };
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    if (!strstr (text, parts[i]))
      g_error ("“%s” is not in:\n%s", parts[i], text);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    g_assert_cmpint (g_utf8_strlen (lines[i], -1), <=, 80);
  g_autofree char *model = segue_inspect_type (registry, "tiny", 1000, &error);
  g_assert_nonnull (strstr (model, "width: whole number, 1..4096;"));
  g_assert_nonnull (strstr (model, "learning_rate 0.001"));
  g_assert_null (segue_inspect_type (registry, "decod", 80, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE);
  fixture_assert_message (&error, "no stage type or model type 'decod'; did you mean 'decode'?");
  g_assert_null (segue_inspect_json (registry, "tinny", &error));
  fixture_assert_message (&error, "*did you mean 'tiny'?");
}

static void
test_json (void)
{
  GError *error = NULL;
  g_autofree char *text = segue_inspect_json (registry, NULL, &error);
  g_assert_no_error (error);
  json_t *root = parse_json (text);
  g_assert_cmpuint (json_array_size (at (root, "stages")), ==, 10);
  g_assert_cmpuint (json_array_size (at (root, "models")), ==, 2);
  g_assert_cmpstr (json_string_value (at (root, "plugins/0/name")), ==, "fixture");
  json_decref (root);
  g_autofree char *one = segue_inspect_json (registry, "everything", &error);
  root = parse_json (one);
  g_assert_cmpint (json_integer_value (at (root, "params/2/max")), ==, 1000);
  g_assert_cmpint (json_integer_value (at (root, "params/2/default")), ==, 20);
  g_assert_true (json_is_array (at (root, "params/5/default")));
  g_assert_cmpstr (json_string_value (at (root, "params/8/element/cases/1/name")), ==, "room");
  g_assert_true (json_is_true (at (root, "params/8/element/cases/1/params/1/required")));
  json_decref (root);
  g_autofree char *combine = segue_inspect_json (registry, "combine", &error);
  root = parse_json (combine);
  g_assert_true (json_is_true (at (root, "inputs/0/several")));
  g_assert_true (json_is_false (at (root, "inputs/2/several")));
  json_decref (root);
}

static void
test_schema (void)
{
  g_autofree char *text = segue_schema_pipeline (registry);
  json_t *root = parse_json (text);
  g_assert_cmpstr (json_string_value (at (root, "$schema")), ==,
                   "https://json-schema.org/draft/2020-12/schema");
  g_assert_cmpuint (json_array_size (at (root, "$defs/stage/allOf")), ==, 10);
  g_assert_cmpuint (json_array_size (at (root, "$defs/stage/properties/use/enum")), ==, 10);
  json_t *with = at (root, "$defs/with-everything");
  g_assert_true (json_is_false (at (with, "additionalProperties")));
  g_assert_cmpint (json_integer_value (at (with, "properties/count/minimum")), ==, 1);
  g_assert_cmpint (json_integer_value (at (with, "properties/count/maximum")), ==, 1000);
  g_assert_cmpuint (json_array_size (at (with, "properties/method/anyOf/1/enum")), ==, 3);
  g_assert_null (json_object_get (with, "required"));
  g_assert_cmpstr (json_string_value (at (with, "properties/bands/items/anyOf/1/required/0")), ==,
                   "low");
  json_decref (root);
}

static void
test_stages (void)
{
  g_autofree char *text = segue_docs_stages (registry);
  static const char *const parts[] = {
    "\n## everything\n\nDoes nothing.\n",
    "| `count` | whole number, 1..1000 | `20` | How many. |\n",
    "| `layout` | text | none | A template. |\n",
    "| `ops[]` with `op: gain` | | | Louder or softer. |\n",
    "| `ops[].gain` | [low, high] or a number, -60..60 dB | `[-6, 6]` |",
    "| `band.low` | number, 0..20000 Hz | required |",
    "- input `predictions` (predictions, of several stages): Answers.\n",
    "\n## tiny (model)\n",
  };
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    if (!strstr (text, parts[i]))
      g_error ("“%s” is not in:\n%s", parts[i], text);
  g_assert_true (g_str_has_suffix (text, ".\n"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  registry = fixture_registry ();
  g_test_add_func ("/docs/inspect", test_inspect);
  g_test_add_func ("/docs/json", test_json);
  g_test_add_func ("/docs/schema", test_schema);
  g_test_add_func ("/docs/stages", test_stages);
  int status = g_test_run ();
  segue_registry_free (registry);
  return status;
}
