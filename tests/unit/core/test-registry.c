/* Plugins: found, loaded once, and refused with a reason. */
#include "fixture.h"
#include "registry/registry.h"
#include <glib/gstdio.h>
#include <string.h>

#define OURS G_STRINGIFY (SEGUE_ABI_MAJOR) "." G_STRINGIFY (SEGUE_ABI_MINOR)

static char *plugin_folder; /* where the build puts tests/unit/core/plugins */

static const char *
refusal_of (SegueRegistry *registry, const char *file)
{
  g_autoptr (GPtrArray) list = segue_registry_list (registry);
  for (guint i = 0; i < list->len; i++) {
    const SeguePluginEntry *entry = g_ptr_array_index (list, i);
    if (g_str_has_suffix (entry->path, file))
      return entry->refusal;
  }
  g_error ("%s is not in the list", file);
}

static void
test_folder (void)
{
  g_autoptr (SegueRegistry) registry = segue_registry_new ();
  segue_registry_load_folder (registry, plugin_folder);
  static const char *const refused[][2] = {
    { "future-major.so", "*built for plugin interface 3.0, this segue has " OURS "; rebuild it*" },
    { "future-past.so", "*built for plugin interface 1.3, this segue has " OURS "; rebuild it*" },
    { "future-minor.so", "*needs plugin interface 2.9, this segue has " OURS "; install a newer*" },
    { "mangled.so", "segue_plugin_query () has a C++ name; declare it extern \"C\"*" },
    { "symbol.so", "not a segue plugin: it has no symbol segue_plugin_query*" },
    { "unbound.so", "can't be loaded: *segue_test_nobody_has_this*" },
    { "empty.so", "*returned nothing*" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++) {
    const char *refusal = refusal_of (registry, refused[i][0]);
    g_assert_nonnull (refusal);
    if (!g_pattern_match_simple (refused[i][1], refusal))
      g_error ("%s was refused with “%s”", refused[i][0], refusal);
  }
  g_assert_null (refusal_of (registry, "good.so"));
  g_autofree char *missing = segue_registry_explain_missing (registry, "missing");
  g_autofree char *searched = g_strdup_printf ("no plugin in %s provides it", plugin_folder);
  g_assert_cmpstr (missing, ==, searched);
  const SegueStageType *nothing = segue_registry_find_stage (registry, "nothing");
  g_assert_nonnull (nothing);
  const SeguePluginEntry *entry = segue_registry_get_plugin_of (registry, nothing);
  g_assert_cmpstr (entry->plugin->name, ==, "good");
  g_assert_true (g_str_has_suffix (entry->path, "good.so"));
  /* Again: nothing is loaded twice, or refused because of it. */
  g_autoptr (GPtrArray) before = segue_registry_list (registry);
  segue_registry_load_folder (registry, plugin_folder);
  g_autoptr (GPtrArray) after = segue_registry_list (registry);
  g_assert_cmpuint (before->len, ==, after->len);
}

static void
test_file (void)
{
  g_autoptr (SegueRegistry) registry = segue_registry_new ();
  GError *error = NULL;
  g_assert_false (segue_registry_load_file (registry, "/nowhere/x.so", &error));
  fixture_assert_message (&error, "/nowhere/x.so: can't be loaded: *");
  g_autofree char *text = fixture_write ("text.so", "not a shared object");
  g_assert_false (segue_registry_load_file (registry, text, &error));
  fixture_assert_message (&error, "*text.so: can't be loaded: *");
  fixture_remove (text);
  g_autofree char *good = g_build_filename (plugin_folder, "good.so", NULL);
  g_assert_true (segue_registry_load_file (registry, good, &error));
  g_assert_true (segue_registry_load_file (registry, good, &error));
  g_assert_no_error (error);
}

static void
test_search_path (void)
{
  g_autofree char *parent = g_path_get_dirname (plugin_folder);
  g_autofree char *path = g_strdup_printf ("/nowhere::%s:%s", parent, plugin_folder);
  g_setenv ("SEGUE_PLUGIN_PATH", path, TRUE);
  g_autoptr (SegueRegistry) registry = segue_registry_new ();
  segue_registry_load_search_path (registry);
  g_assert_nonnull (segue_registry_find_stage (registry, "nothing"));
  g_assert_null (refusal_of (registry, "good.so"));
}

static void
test_same_names (void)
{
  g_autoptr (SegueRegistry) registry = fixture_registry ();
  GError *error = NULL;
  SeguePlugin twin = fixture_plugin;
  g_assert_false (segue_registry_add (registry, &twin, "/twin.so", &error));
  fixture_assert_message (&error, "/twin.so: a plugin named 'fixture' is already loaded (*");
  twin.name = "twin";
  g_assert_false (segue_registry_add (registry, &twin, "/twin.so", &error));
  fixture_assert_message (
    &error, "/twin.so: stage type 'everything' is already provided by plugin 'fixture'*");
  twin.stages = NULL;
  g_assert_false (segue_registry_add (registry, &twin, "/twin.so", &error));
  fixture_assert_message (&error, "*model type 'tiny' is already provided by plugin 'fixture'*");
  twin.models = NULL;
  g_assert_false (segue_registry_add (registry, &twin, "/twin.so", &error));
  fixture_assert_message (&error,
                          "/twin.so: plugin 'twin' provides nothing: neither .stages nor .models*");
  /* A type of a refused plugin is found with the reason, whatever its file is called. */
  static SegueModelType tidy;
  static const SegueModelType *const tidy_models[] = { &tidy, NULL };
  tidy = *fixture_plugin.models[0];
  tidy.name = "tidy";
  tidy.recipe = NULL;
  twin.models = tidy_models;
  g_assert_false (segue_registry_add (registry, &twin, "/twin.so", &error));
  g_clear_error (&error);
  g_autofree char *refusal = segue_registry_model_types (registry).refusal (registry, "tidy");
  g_assert_cmpstr (refusal, ==, "/twin.so was refused: model type 'tidy': has no recipe");
  twin.models = NULL;
  /* A refused plugin does not occupy another stage's name. */
  static SegueStageType other;
  static const SegueStageType *const stages[] = { &other, NULL };
  static const SegueStageType *const twice[] = { &other, &other, NULL };
  other = *fixture_plugin.stages[0];
  other.name = "other";
  twin.stages = twice;
  g_assert_false (segue_registry_add (registry, &twin, "/twin.so", &error));
  fixture_assert_message (&error, "/twin.so: two stage types are named 'other'");
  twin.stages = stages;
  g_assert_true (segue_registry_add (registry, &twin, "/twin.so", &error));
  g_assert_no_error (error);
}

static void
test_lists (void)
{
  g_autoptr (SegueRegistry) registry = fixture_registry ();
  g_autoptr (GPtrArray) stages = segue_registry_list_stages (registry);
  g_autoptr (GPtrArray) models = segue_registry_list_models (registry);
  g_assert_cmpuint (stages->len, ==, 10);
  for (guint i = 1; i < stages->len; i++)
    g_assert_cmpstr (((SegueStageType *) stages->pdata[i - 1])->name, <,
                     ((SegueStageType *) stages->pdata[i])->name);
  g_assert_cmpuint (models->len, ==, 2);
  g_assert_cmpstr (((SegueModelType *) models->pdata[0])->name, ==, "huge");
  g_assert_null (segue_registry_find_stage (registry, "tiny"));
  g_assert_null (segue_registry_find_model (registry, "source"));
}

static gboolean
nothing (gpointer instance, SegueContext *context, GError **error)
{
  return TRUE;
}

static gboolean
item (gpointer instance, SegueItem *one, SegueContext *context, GError **error)
{
  return TRUE;
}

static char *
no_fingerprint (void)
{
  return NULL;
}

static const SeguePort *const one_port[] = { SEGUE_PORT ("x", SEGUE_KIND_AUDIO, "X."), NULL };
static const SeguePort *const two_ports[] = { SEGUE_PORT ("x", SEGUE_KIND_AUDIO, "X."),
                                              SEGUE_PORT ("x", SEGUE_KIND_AUDIO, "X."), NULL };
static const SeguePort *const any_port[] = { SEGUE_PORT ("x", SEGUE_KIND_ANY, "X."), NULL };
static const SeguePort *const summary[] = { SEGUE_PORT ("x", SEGUE_KIND_SUMMARY, "X."), NULL };
static const SeguePort *const several[] = {
  SEGUE_PORT ("x", SEGUE_KIND_AUDIO, "X.", .flags = SEGUE_PORT_SEVERAL), NULL
};
static const SeguePort no_size = { .name = "x", .kind = SEGUE_KIND_AUDIO };
static const SeguePort *const old_port[] = { &no_size, NULL };
static const SeguePort *const bad_port[] = { SEGUE_PORT ("X y", SEGUE_KIND_AUDIO, "X."), NULL };

/* A table of an older minor version ends before the last callbacks; memory there is not read. */
static void
test_short_table (void)
{
  static struct {
    SegueStageType type;
  } old = { { .struct_size = offsetof (SegueStageType, process),
              .name = "old",
              .summary = "From before",
              .result_version = 1,
              .mode = SEGUE_MODE_SOURCE,
              .outputs = one_port,
              .produce = nothing,
              .collect = nothing } };
  static const SegueStageType *const stages[] = { &old.type, NULL };
  SeguePlugin plugin = fixture_plugin;
  plugin.name = "old";
  plugin.stages = stages;
  plugin.struct_size = offsetof (SeguePlugin, models); /* whose models then read as none */
  g_autoptr (SegueRegistry) registry = segue_registry_new ();
  GError *error = NULL;
  g_assert_true (segue_registry_add (registry, &plugin, NULL, &error));
  g_assert_no_error (error);
  const SegueStageType *type = segue_registry_find_stage (registry, "old");
  g_assert_cmpuint (type->struct_size, ==, sizeof *type);
  g_assert_true (type->produce == nothing);
  g_assert_null (type->collect);
  g_assert_nonnull (segue_registry_get_plugin_of (registry, type));
  g_assert_nonnull (segue_registry_get_plugin_of (registry, &old.type));
  g_assert_null (segue_registry_find_model (registry, "tiny"));
}

/* What a plugin was built with, and no byte more: a sanitizer sees whoever reads past it. */
#define SHORT(table, last_field)                                                                   \
  ({                                                                                               \
    gsize size = offsetof (__typeof__ (*(table)), last_field) + sizeof (table)->last_field;        \
    gsize *copy = g_memdup2 (table, size);                                                         \
    *copy = size;                                                                                  \
    g_ptr_array_add (copies, copy);                                                                \
    (gpointer) copy;                                                                               \
  })

/* Each struct with the fields of 2.0 alone: accepted, and complete for all of the core. */
static void
test_older_structs (void)
{
  g_autoptr (GPtrArray) copies = g_ptr_array_new_with_free_func (g_free);
  static const char *const extensions[] = { "old", NULL };
  const SegueDecodes decodes = SEGUE_INIT (SegueDecodes, .rank = 7, .extensions = extensions);
  const SeguePort *const in[] = { SHORT (SEGUE_PORT ("file", SEGUE_KIND_FILE, "Songs."), flags),
                                  NULL };
  const SeguePort *const out[] = { SHORT (SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "Audio."), flags),
                                   NULL };
  const SegueStageType decoder = {
    SEGUE_STAGE_TYPE,
    .name = "old",
    .summary = "From before",
    .mode = SEGUE_MODE_MAP,
    .flags = SEGUE_STAGE_PREPARE,
    .inputs = in,
    .outputs = out,
    .process = item,
    .decodes = SHORT (&decodes, extensions),
  };
  SegueModelType model = *fixture_plugin.models[0];
  model.recipe = SHORT (model.recipe, schedule);
  model.fingerprint = no_fingerprint;
  const SegueStageType *const stages[] = { SHORT (&decoder, decodes), NULL };
  const SegueModelType *const models[] = { SHORT (&model, backward), NULL };
  SeguePlugin whole = fixture_plugin;
  whole.stages = stages;
  whole.models = models;
  const SeguePlugin *plugin = SHORT (&whole, models);

  g_autoptr (SegueRegistry) registry = segue_registry_new ();
  GError *error = NULL;
  g_assert_true (segue_registry_add (registry, plugin, NULL, &error));
  g_assert_no_error (error);
  const SegueStageType *stage = segue_registry_find_stage (registry, "old");
  g_assert_cmpuint (stage->struct_size, ==, sizeof *stage);
  g_assert_null (stage->negotiate);
  g_assert_cmpuint (stage->inputs[0]->struct_size, ==, sizeof (SeguePort));
  g_assert_cmpuint (stage->decodes->struct_size, ==, sizeof (SegueDecodes));
  g_assert_cmpuint (stage->decodes->rank, ==, 7);
  const SegueModelType *type = segue_registry_find_model (registry, model.name);
  g_assert_cmpuint (type->struct_size, ==, sizeof *type);
  g_assert_cmpuint (type->recipe->struct_size, ==, sizeof (SegueRecipe));
  g_assert_null (type->fingerprint);
}

/* A field of 2.0 that is missing is refused, not read. */
static void
test_truncated_structs (void)
{
  for (guint i = 0; i < 4; i++) {
    g_autoptr (GPtrArray) copies = g_ptr_array_new_with_free_func (g_free);
    const SegueDecodes decodes = SEGUE_INIT (SegueDecodes, .rank = 7);
    const SeguePort *const ports[] = { SHORT (SEGUE_PORT ("x", SEGUE_KIND_AUDIO, "X."), doc),
                                       NULL };
    const SegueParamGroup group = SEGUE_INIT (SegueParamGroup, .size = 8);
    const SegueParam *const params[] = {
      SEGUE_ROW (SegueParam, .name = "x", .type = SEGUE_PARAM_RECORD,
                 .group = SHORT (&group, size)),
      NULL,
    };
    SegueStageType stage = *fixture_plugin.stages[0];
    SegueModelType model = *fixture_plugin.models[0];
    const SegueStageType *const stages[] = { &stage, NULL };
    const SegueModelType *const models[] = { &model, NULL };
    SeguePlugin plugin = fixture_plugin;
    plugin.stages = stages;
    plugin.models = models;
    if (i == 0)
      stage.outputs = ports;
    if (i == 1)
      stage.decodes = SHORT (&decodes, rank);
    if (i == 2)
      model.recipe = SHORT (model.recipe, gradient_clip);
    if (i == 3) {
      model.params = params;
      model.config_size = 8;
    }
    static const char *const patterns[] = { "*struct_size of an output is*use SEGUE_PORT*",
                                            "*but no file types*",
                                            "*recipe's struct_size is*use SEGUE_INIT*",
                                            "*group's struct_size is*use SEGUE_INIT*" };
    g_autoptr (SegueRegistry) registry = segue_registry_new ();
    GError *error = NULL;
    g_assert_false (segue_registry_add (registry, &plugin, NULL, &error));
    fixture_assert_message (&error, patterns[i]);
  }
}

static void
test_bad_tables (void)
{
#define TYPE_OF(type_name, type_summary, ...)                                                      \
  SEGUE_INIT (SegueStageType, .name = type_name, .summary = type_summary, __VA_ARGS__)
#define TYPE(...) TYPE_OF ("bad", "Bad", __VA_ARGS__)
  const struct {
    SegueStageType type;
    const char *pattern;
  } cases[] = {
    { { .struct_size = 8 }, "*struct_size is 8*" },
    { TYPE_OF ("Bad", "Bad", .mode = SEGUE_MODE_SOURCE), "*'Bad': a name is*" },
    { TYPE_OF (NULL, "Bad", .mode = SEGUE_MODE_SOURCE), "*a name is*" },
    { TYPE_OF ("bad", NULL, .mode = SEGUE_MODE_SOURCE), "*no summary*" },
    { TYPE (.mode = SEGUE_MODE_SOURCE, .outputs = one_port), "*a SOURCE has produce ()*" },
    { TYPE (.mode = SEGUE_MODE_SOURCE, .produce = nothing), "*a SOURCE has produce ()*" },
    { TYPE (.mode = SEGUE_MODE_MAP, .inputs = one_port, .outputs = one_port), "*MAP stage has*" },
    { TYPE (.mode = SEGUE_MODE_SERIAL, .inputs = one_port), "*SERIAL stage has process*" },
    { TYPE (.mode = SEGUE_MODE_COLLECT, .collect = nothing), "*COLLECT stage has collect*" },
    { TYPE (.mode = 17, .inputs = one_port), "*no known mode*" },
    { TYPE (.mode = SEGUE_MODE_COLLECT, .inputs = two_ports, .collect = nothing),
      "*two inputs are named 'x'*" },
    { TYPE (.mode = SEGUE_MODE_COLLECT, .inputs = old_port, .collect = nothing),
      "*struct_size of an input is 0; use SEGUE_PORT*" },
    { TYPE (.mode = SEGUE_MODE_COLLECT, .inputs = bad_port, .collect = nothing), "*'X y'*" },
    { TYPE (.mode = SEGUE_MODE_COLLECT, .inputs = one_port, .outputs = any_port,
            .collect = nothing),
      "*output 'x' of any kind needs*" },
    { TYPE (.mode = SEGUE_MODE_MAP, .inputs = several, .outputs = one_port, .process = item),
      "*input 'x': only a COLLECT stage takes the outputs of several" },
    { TYPE (.mode = SEGUE_MODE_SERIAL, .inputs = several, .process = item),
      "*input 'x': only a COLLECT stage takes the outputs of several" },
    { TYPE (.mode = SEGUE_MODE_MAP, .inputs = summary, .outputs = one_port, .process = item),
      "*input 'x': only a COLLECT stage*" },
    { TYPE (.mode = SEGUE_MODE_SERIAL, .inputs = summary, .process = item),
      "*input 'x': only a COLLECT stage*" },
    { TYPE (.mode = SEGUE_MODE_COLLECT, .inputs = one_port, .outputs = summary, .collect = nothing),
      "*output 'x': no stage produces a run's summary*" },
    { TYPE (.mode = SEGUE_MODE_COLLECT, .inputs = one_port, .collect = nothing,
            .flags = SEGUE_STAGE_LIVE),
      "*flags of MAP stages*" },
    { TYPE (.mode = SEGUE_MODE_COLLECT, .inputs = one_port, .collect = nothing,
            .params = fixture_params, .config_size = 16),
      "*outside the struct*" },
  };
#undef TYPE
#undef TYPE_OF
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    const SegueStageType *const stages[] = { &cases[i].type, NULL };
    SeguePlugin plugin = fixture_plugin;
    plugin.stages = stages;
    g_autoptr (SegueRegistry) registry = segue_registry_new ();
    GError *error = NULL;
    g_assert_false (segue_registry_add (registry, &plugin, "/bad.so", &error));
    fixture_assert_message (&error, cases[i].pattern);
    g_assert_nonnull (refusal_of (registry, "bad.so"));
    g_assert_null (segue_registry_find_model (registry, "tiny"));
  }
  SeguePlugin plugin = fixture_plugin;
  plugin.version = NULL;
  GError *error = NULL;
  g_autoptr (SegueRegistry) registry = segue_registry_new ();
  g_assert_false (segue_registry_add (registry, &plugin, NULL, &error));
  fixture_assert_message (&error, "*does not state its version and licence");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  plugin_folder =
    g_build_filename (g_getenv ("SEGUE_BUILD_ROOT"), "tests", "unit", "core", "plugins", NULL);
  g_test_add_func ("/registry/folder", test_folder);
  g_test_add_func ("/registry/file", test_file);
  g_test_add_func ("/registry/search-path", test_search_path);
  g_test_add_func ("/registry/same-names", test_same_names);
  g_test_add_func ("/registry/lists", test_lists);
  g_test_add_func ("/registry/short-table", test_short_table);
  g_test_add_func ("/registry/older-structs", test_older_structs);
  g_test_add_func ("/registry/truncated-structs", test_truncated_structs);
  g_test_add_func ("/registry/bad-tables", test_bad_tables);
  int status = g_test_run ();
  g_free (plugin_folder);
  return status;
}
