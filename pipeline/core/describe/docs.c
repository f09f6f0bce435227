/* docs/stages.md: every stage type and model type, from the tables. */
#include "describe/describe.h"
#include "graph/pipeline-private.h"
#include "item/item-private.h"
#include <string.h>

/* Text for a cell of a Markdown table. */
static void
append_cell (GString *out, const char *text)
{
  for (const char *c = text ? text : ""; *c; c++) {
    if (*c == '|')
      g_string_append (out, "\\|");
    else
      g_string_append_c (out, *c == '\n' ? ' ' : *c);
  }
}

static void
append_param (const SegueParam *row, const char *path, const SegueParam *variant,
              const SegueParamGroup *group, guint depth, gpointer data)
{
  GString *out = data;
  if (group) {
    g_string_append_printf (out, "| `%s` with `%s: %s` | | | ", path, variant->tag, group->name);
    append_cell (out, group->doc);
    g_string_append (out, " |\n");
    return;
  }
  g_autofree char *value = segue_param_value_words (row);
  g_autofree char *fallback = segue_param_default_words (row);
  g_string_append_printf (out, "| `%s` | ", path);
  append_cell (out, value);
  g_string_append (out, row->def ? " | `" : " | ");
  append_cell (out, fallback);
  g_string_append (out, row->def ? "` | " : " | ");
  append_cell (out, row->doc);
  g_string_append (out, " |\n");
}

static void
append_params (GString *out, const SegueParam *const *rows)
{
  if (!rows || !*rows) {
    g_string_append (out, "It has no parameters.\n\n");
    return;
  }
  g_string_append (out, "| parameter | value | default | meaning |\n|---|---|---|---|\n");
  segue_params_visit (rows, append_param, out);
  g_string_append_c (out, '\n');
}

static void
append_ports (GString *out, const char *title, const SeguePort *const *ports)
{
  for (; ports && *ports; ports++)
    g_string_append_printf (out, "- %s `%s` (%s%s%s): %s\n", title, (*ports)->name,
                            segue_kind_words ((*ports)->kind),
                            (*ports)->flags & SEGUE_PORT_OPTIONAL ? ", optional" : "",
                            (*ports)->flags & SEGUE_PORT_SEVERAL ? ", of several stages" : "",
                            (*ports)->doc ? (*ports)->doc : "");
}

static void
append_stage (GString *out, SegueRegistry *registry, const SegueStageType *type)
{
  const SeguePluginEntry *entry = segue_registry_get_plugin_of (registry, type);
  g_autofree char *words = segue_stage_words (type);
  g_string_append_printf (out, "## %s\n\n%s.\n\n- plugin `%s` %s\n- %s\n", type->name,
                          type->summary, entry->plugin->name, entry->plugin->version, words);
  append_ports (out, "input", type->inputs);
  append_ports (out, "output", type->outputs);
  g_string_append_printf (out, "\n%s\n\n", type->doc ? type->doc : "");
  append_params (out, type->params);
}

static void
append_model (GString *out, SegueRegistry *registry, const SegueModelType *type)
{
  const SeguePluginEntry *entry = segue_registry_get_plugin_of (registry, type);
  g_string_append_printf (out, "## %s (model)\n\n%s.\n\n- %s\n- plugin `%s` %s\n\n%s\n\n",
                          type->name, type->summary, segue_model_words (type), entry->plugin->name,
                          entry->plugin->version, type->doc ? type->doc : "");
  append_params (out, type->params);
  if (!type->recipe || !type->backward)
    return;
  g_autofree char *recipe = segue_recipe_words (type->recipe);
  g_string_append_printf (out, "Default training settings: %s.\n\n", recipe);
}

char *
segue_docs_stages (SegueRegistry *registry)
{
  g_autoptr (GPtrArray) stages = segue_registry_list_stages (registry);
  g_autoptr (GPtrArray) models = segue_registry_list_models (registry);
  GString *out = g_string_new (
    "<!-- Generated from the parameter tables by `ninja -C build update-generated`. -->\n# Stages "
    "and models\n\nThe stage types that come with segue, and their parameters. `segue inspect "
    "NAME` prints the same for every installed type.\n\nBesides its parameters (`with`), a stage "
    "of a pipeline has settings for how it runs; of these, only `seed` changes its results:\n\n");
  append_params (out, segue_stage_settings);
  for (guint i = 0; i < stages->len; i++)
    append_stage (out, registry, g_ptr_array_index (stages, i));
  for (guint i = 0; i < models->len; i++)
    append_model (out, registry, g_ptr_array_index (models, i));
  while (out->len > 1 && out->str[out->len - 2] == '\n')
    g_string_truncate (out, out->len - 1);
  return g_string_free (out, FALSE);
}
