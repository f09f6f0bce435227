/* Every stage type and model type of every plugin that was built: the guarantees of its tables. */
#include "params/params.h"
#include "registry/registry.h"
#include "samples.h"
#include <math.h>
#include <string.h>

static SegueRegistry *registry;
static const char *some_model; /* name of a model type, for MODEL rows */

/* One set of rows: a stage type's or a model type's. */
typedef struct {
  const char *name;
  const char *summary;
  const char *doc;
  const SegueParam *const *params;
  gsize config_size;
  const SegueStageType *stage; /* NULL: a model type */
} Table;

static GArray *tables;

static void
collect_tables (void)
{
  tables = g_array_new (FALSE, FALSE, sizeof (Table));
  g_autoptr (GPtrArray) stages = segue_registry_list_stages (registry);
  g_autoptr (GPtrArray) models = segue_registry_list_models (registry);
  for (guint i = 0; i < stages->len; i++) {
    const SegueStageType *type = g_ptr_array_index (stages, i);
    Table table = { type->name, type->summary, type->doc, type->params, type->config_size, type };
    g_array_append_val (tables, table);
  }
  for (guint i = 0; i < models->len; i++) {
    const SegueModelType *type = g_ptr_array_index (models, i);
    Table table = { type->name, type->summary, type->doc, type->params, type->config_size, NULL };
    g_array_append_val (tables, table);
    some_model = type->name;
  }
}

static gboolean
parse (const Table *table, const char *yaml, GError **error)
{
  g_autoptr (SegueNode) node = segue_node_parse (yaml, -1, "with", error);
  if (!node)
    return FALSE;
  SegueParamScope scope = { .models = segue_registry_model_types (registry),
                            .folder = "/",
                            .at = node };
  g_autofree gpointer config = g_malloc0 (MAX (table->config_size, 1));
  if (!segue_params_parse (table->params, node, config, &scope, error))
    return FALSE;
  segue_params_clear (table->params, config);
  return TRUE;
}

static void
assert_accepted (const Table *table, const SegueParam *row, const char *value)
{
  g_autofree char *yaml = segue_sample_config (table->params, row, value, some_model);
  g_autoptr (GError) error = NULL;
  if (!parse (table, yaml, &error))
    g_error ("%s: %.200s should be accepted: %s", table->name, yaml, error->message);
}

/* Refused, with a message about that parameter. */
static void
assert_refused (const Table *table, const SegueParam *row, const char *name, const char *value)
{
  g_autofree char *yaml = segue_sample_config (table->params, row, value, some_model);
  g_autoptr (GError) error = NULL;
  if (parse (table, yaml, &error))
    g_error ("%s: %.200s should be refused", table->name, yaml);
  if (!strstr (error->message, name))
    g_error ("%s: %.200s is refused with “%s”, which says nothing of %s", table->name, yaml,
             error->message, name);
}

static char *
number_text (double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  return g_strdup (g_ascii_formatd (text, sizeof text, "%.17g", value));
}

/* Past this, adjacent whole numbers can't be distinguished in a bound's double. */
#define EXACT 9007199254740992.0

static void
check_end (const Table *table, const SegueParam *row, const char *name, double bound, int direction)
{
  gboolean whole = row->type == SEGUE_PARAM_INT;
  if (isinf (bound) || (whole && fabs (bound) >= EXACT))
    return;
  double outside = whole ? bound + direction : nextafter (bound, direction * INFINITY);
  g_autofree char *on = number_text (bound);
  g_autofree char *past = number_text (outside);
  assert_accepted (table, row, on);
  assert_refused (table, row, name, past);
  if (row->type == SEGUE_PARAM_RANGE) {
    g_autofree char *pair = g_strdup_printf ("[%s, %s]", on, on);
    g_autofree char *past_pair = g_strdup_printf ("[%s, %s]", past, past);
    assert_accepted (table, row, pair);
    assert_refused (table, row, name, past_pair);
  }
}

/* A list that may be longer reaches the limits of a whole file before its own. */
#define LONGEST_LIST 8192

static void
check_list_length (const Table *table, const SegueParam *row)
{
  guint max = segue_param_max_items (row);
  guint lengths[] = { row->min_items, max, max + 1, row->min_items - 1 };
  for (guint k = 0; k < (row->min_items > 0 ? 4 : 3); k++) {
    if (lengths[k] > LONGEST_LIST)
      continue;
    g_autofree char *member = segue_sample_value (row->element, some_model);
    g_autoptr (GString) list = g_string_new ("[");
    for (guint i = 0; i < lengths[k]; i++)
      g_string_append_printf (list, "%s, ", member);
    g_string_append_c (list, ']');
    if (k < 2)
      assert_accepted (table, row, list->str);
    else
      assert_refused (table, row, row->name, list->str);
  }
}

static void
check_value (const Table *table, const SegueParam *row, const char *name)
{
  gboolean bounded = row->min != 0 || row->max != 0;
  switch (row->type) {
  case SEGUE_PARAM_BOOL:
    assert_accepted (table, row, "true");
    assert_accepted (table, row, "false");
    assert_refused (table, row, name, "maybe");
    break;
  case SEGUE_PARAM_INT:
    assert_refused (table, row, name, "0.5");
    G_GNUC_FALLTHROUGH;
  case SEGUE_PARAM_DOUBLE:
  case SEGUE_PARAM_RANGE:
    assert_refused (table, row, name, "much");
    assert_refused (table, row, name, ".nan");
    if (bounded) {
      check_end (table, row, name, row->min, -1);
      check_end (table, row, name, row->max, 1);
    }
    break;
  case SEGUE_PARAM_CHOICE:
    for (guint i = 0; row->choices[i]; i++)
      assert_accepted (table, row, row->choices[i]);
    assert_refused (table, row, name, "no-such-choice");
    break;
  case SEGUE_PARAM_STRING:
    assert_accepted (table, row, "\"a text\"");
    assert_refused (table, row, name, "{a: b}");
    break;
  case SEGUE_PARAM_INPUT_PATH:
  case SEGUE_PARAM_OUTPUT_PATH:
  case SEGUE_PARAM_MODEL_REF:
    assert_accepted (table, row, "folder/file");
    assert_refused (table, row, name, "\"\"");
    break;
  case SEGUE_PARAM_VARIANT:
  case SEGUE_PARAM_MODEL:
    assert_refused (table, row, name, "no-such-name");
    break;
  case SEGUE_PARAM_LIST:
  case SEGUE_PARAM_RECORD:
    assert_refused (table, row, name, "7");
    break;
  }
}

static void check_rows (const Table *table, const SegueParam *const *rows);

static void
check_row (const Table *table, const SegueParam *row, const char *name)
{
  check_value (table, row, name);
  if (row->type == SEGUE_PARAM_LIST) {
    check_list_length (table, row);
    check_row (table, row->element, name);
  }
  if (row->type == SEGUE_PARAM_RECORD)
    check_rows (table, row->group->params);
  if (row->type == SEGUE_PARAM_VARIANT)
    for (const SegueParamGroup *const *one = row->cases; *one; one++) {
      g_assert_nonnull ((*one)->doc);
      check_rows (table, (*one)->params);
    }
}

static void
check_rows (const Table *table, const SegueParam *const *rows)
{
  for (; rows && *rows; rows++) {
    check_row (table, *rows, (*rows)->name);
    if (!(*rows)->doc || !g_str_has_suffix ((*rows)->doc, "."))
      g_error ("%s: parameter %s needs a doc that ends with a full stop", table->name,
               (*rows)->name);
  }
}

static void
test_values (void)
{
  for (guint i = 0; i < tables->len; i++) {
    const Table *table = &g_array_index (tables, Table, i);
    check_rows (table, table->params);
  }
}

/* Without parameters: it opens, or reports what it requires. */
static void
test_defaults (void)
{
  for (guint i = 0; i < tables->len; i++) {
    const Table *table = &g_array_index (tables, Table, i);
    g_autoptr (GError) error = NULL;
    if (!parse (table, "{}", &error) && !strstr (error->message, " is required; give it "))
      g_error ("%s: %s", table->name, error->message);
    g_autofree char *least = segue_sample_config (table->params, NULL, NULL, some_model);
    g_clear_error (&error);
    parse (table, least, &error);
    g_assert_no_error (error);
    g_clear_error (&error);
    g_assert_false (parse (table, "{no_such_parameter: 1}", &error));
    g_assert_nonnull (strstr (error->message, "no_such_parameter"));
  }
}

/* Data that one process writes, another reads back the same. */
static void
test_round_trip (void)
{
  for (guint i = 0; i < tables->len; i++) {
    const Table *table = &g_array_index (tables, Table, i);
    char *text = segue_sample_config (table->params, NULL, NULL, some_model);
    char *written[2] = { NULL, NULL };
    for (guint k = 0; k < 2; k++) {
      g_autoptr (GError) error = NULL;
      g_autoptr (SegueNode) node = segue_node_parse (text, -1, "with", &error);
      g_assert_no_error (error);
      g_autofree gpointer config = g_malloc0 (MAX (table->config_size, 1));
      SegueParamScope scope = { .models = segue_registry_model_types (registry), .folder = "/" };
      segue_params_parse (table->params, node, config, &scope, &error);
      g_assert_no_error (error);
      written[k] = segue_params_describe (table->params, config);
      segue_params_clear (table->params, config);
      g_free (text);
      text = g_strdup (written[k]);
    }
    g_assert_cmpstr (written[0], ==, written[1]);
    g_free (text);
    g_free (written[0]);
    g_free (written[1]);
  }
}

static void
check_ports (const Table *table, const SeguePort *const *ports)
{
  for (; ports && *ports; ports++)
    if (!(*ports)->doc || !*(*ports)->doc)
      g_error ("%s: port %s has no doc", table->name, (*ports)->name);
}

static void
test_docs (void)
{
  for (guint i = 0; i < tables->len; i++) {
    const Table *table = &g_array_index (tables, Table, i);
    if (g_str_has_suffix (table->summary, ".") || strchr (table->summary, '\n'))
      g_error ("%s: a summary is one line without a full stop", table->name);
    if (!g_ascii_isupper (table->summary[0]))
      g_error ("%s: a summary begins with a capital letter", table->name);
    if (!table->doc || strlen (table->doc) < 40)
      g_error ("%s: has no doc worth the name", table->name);
    if (table->stage) {
      check_ports (table, table->stage->inputs);
      check_ports (table, table->stage->outputs);
      if (table->stage->result_version < 1)
        g_error ("%s: result_version begins at 1", table->name);
    }
    g_autoptr (GError) error = NULL;
    g_autofree char *page = segue_inspect_type (registry, table->name, 80, &error);
    g_assert_no_error (error);
    for (const SegueParam *const *row = table->params; row && *row; row++)
      g_assert_nonnull (strstr (page, (*row)->name));
  }
}

/* Everything about a plugin of the tree is in its folder: build/plugins/NAME/… comes from plugins/NAME. */
static void
test_folders (void)
{
  g_autoptr (GPtrArray) plugins = segue_registry_list (registry);
  g_assert_cmpuint (plugins->len, >, 0);
  g_autofree char *tree = g_build_filename (g_getenv ("SEGUE_BUILD_ROOT"), "plugins", "", NULL);
  for (guint i = 0; i < plugins->len; i++) {
    const SeguePluginEntry *entry = g_ptr_array_index (plugins, i);
    if (entry->refusal)
      g_error ("%s was refused: %s", entry->path, entry->refusal);
    if (!g_str_has_prefix (entry->path, tree))
      continue;
    g_autofree char *built = g_path_get_dirname (entry->path);
    g_autofree char *name = g_path_get_basename (built);
    g_autofree char *readme =
      g_build_filename (g_getenv ("SEGUE_SOURCE_ROOT"), "plugins", name, "README.md", NULL);
    if (!g_file_test (readme, G_FILE_TEST_IS_REGULAR))
      g_error ("%s is not there", readme);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (!g_getenv ("SEGUE_PLUGIN_PATH"))
    g_error ("SEGUE_PLUGIN_PATH is not set; run this test with meson test");
  g_auto (GStrv) folders = g_strsplit (g_getenv ("SEGUE_PLUGIN_PATH"), ":", -1);
  registry = segue_registry_new ();
  for (guint i = 0; folders[i]; i++)
    segue_registry_load_folder (registry, folders[i]);
  collect_tables ();
  g_test_add_func ("/generic/tables/defaults", test_defaults);
  g_test_add_func ("/generic/tables/values", test_values);
  g_test_add_func ("/generic/tables/round-trip", test_round_trip);
  g_test_add_func ("/generic/tables/docs", test_docs);
  if (g_getenv ("SEGUE_SOURCE_ROOT"))
    g_test_add_func ("/generic/tables/folders", test_folders);
  int status = g_test_run ();
  g_array_unref (tables);
  segue_registry_free (registry);
  return status;
}
