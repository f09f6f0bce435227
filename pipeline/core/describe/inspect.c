/* `segue inspect TYPE`: a type as text for a terminal. */
#include "describe/describe.h"
#include "item/item-private.h"
#include "registry/registry.h"
#include <string.h>

/* Narrower terminals wrap by themselves; wider lines are hard to read. */
#define MIN_COLUMNS 40
#define MAX_COLUMNS 100

typedef struct {
  GString *text;
  guint columns;
} Page;

/* One paragraph, wrapped: the first line after @indent spaces, the others after @hanging. */
static void
append_wrapped (Page *page, const char *paragraph, guint indent, guint hanging)
{
  g_auto (GStrv) words = g_strsplit_set (paragraph, " \n\t", -1);
  gsize used = 0;
  for (guint i = 0; words[i]; i++) {
    gsize width = (gsize) g_utf8_strlen (words[i], -1);
    if (width == 0)
      continue;
    if (used > 0 && used + 1 + width <= page->columns) {
      g_string_append_c (page->text, ' ');
      used++;
    } else {
      guint behind = used ? hanging : indent;
      g_string_append_printf (page->text, "%s%*s", used ? "\n" : "", (int) behind, "");
      used = behind;
    }
    g_string_append (page->text, words[i]);
    used += width;
  }
  g_string_append_c (page->text, '\n');
}

static void
append_paragraph (Page *page, const char *paragraph, guint indent)
{
  append_wrapped (page, paragraph, indent, indent);
}

/* Markdown source: paragraphs wrapped; lists and indented code line by line. */
static void
append_doc (Page *page, const char *doc, guint indent)
{
  g_auto (GStrv) paragraphs = g_strsplit (doc ? doc : "", "\n\n", -1);
  for (guint i = 0; paragraphs[i]; i++) {
    const char *paragraph = paragraphs[i];
    if (i > 0)
      g_string_append_c (page->text, '\n');
    if (!strchr (" -*|#", *paragraph)) {
      append_paragraph (page, paragraph, indent);
      continue;
    }
    g_auto (GStrv) lines = g_strsplit (paragraph, "\n", -1);
    for (guint k = 0; lines[k]; k++)
      g_string_append_printf (page->text, "%*s%s\n", (int) indent, "", lines[k]);
  }
}

static void
append_param (const SegueParam *row, const char *path, const SegueParam *variant,
              const SegueParamGroup *group, guint depth, gpointer data)
{
  Page *page = data;
  guint indent = 2 + 4 * depth;
  if (group) {
    g_string_append_printf (page->text, "%*s%s: %s\n", (int) indent, "", variant->tag, group->name);
    if (group->doc)
      append_paragraph (page, group->doc, indent + 4);
    return;
  }
  g_autofree char *value = segue_param_value_words (row);
  g_autofree char *fallback = segue_param_default_words (row);
  gboolean optional = !row->def && (row->flags & SEGUE_PARAM_OPTIONAL) != 0;
  g_autofree char *head = g_strdup_printf (
    "%s: %s; %s%s", row->name, value, row->def ? "default " : "", optional ? "optional" : fallback);
  append_wrapped (page, head, indent, indent + 2);
  if (row->doc)
    append_paragraph (page, row->doc, indent + 4);
}

static void
append_ports (Page *page, const char *title, const SeguePort *const *ports)
{
  for (; ports && *ports; ports++) {
    g_autofree char *line = g_strdup_printf (
      "%s %s (%s%s%s): %s", title, (*ports)->name, segue_kind_words ((*ports)->kind),
      (*ports)->flags & SEGUE_PORT_OPTIONAL ? ", optional" : "",
      (*ports)->flags & SEGUE_PORT_SEVERAL ? ", of several stages" : "",
      (*ports)->doc ? (*ports)->doc : "");
    append_wrapped (page, line, 2, 4);
  }
}

static void
append_head (Page *page, SegueRegistry *registry, gconstpointer type, const char *name,
             const char *summary, const char *what)
{
  g_string_append_printf (page->text, "%s: %s\n\n", name, summary);
  append_paragraph (page, what, 2);
  const SeguePluginEntry *entry = segue_registry_get_plugin_of (registry, type);
  g_autofree char *path = g_filename_display_name (entry->path);
  g_string_append_printf (page->text, "  plugin %s %s (%s), %s\n", entry->plugin->name,
                          entry->plugin->version, entry->plugin->licence, path);
}

static void
append_params (Page *page, const SegueParam *const *rows)
{
  g_string_append (page->text, rows && *rows ? "\nParameters\n\n" : "\nIt has no parameters.\n");
  segue_params_visit (rows, append_param, page);
}

static void
append_extensions (Page *page, const SegueStageType *type)
{
  g_autofree char *list = g_strjoinv (" ", (GStrv) type->decodes->extensions);
  g_autofree char *line = g_strconcat ("reads files with the extensions ", list, NULL);
  append_wrapped (page, line, 2, 4);
}

/* The decoders that `decode` tries on this system, in order. */
static void
append_decoders (Page *page, SegueRegistry *registry, const GPtrArray *decoders)
{
  g_string_append (page->text, "\nInstalled decoders, in the order in which they are tried\n\n");
  for (guint i = 0; i < decoders->len; i++) {
    const SegueStageType *type = g_ptr_array_index (decoders, i);
    const SeguePluginEntry *entry = segue_registry_get_plugin_of (registry, type);
    g_string_append_printf (page->text, "  %u. %s: %s (plugin %s)\n", i + 1, type->name,
                            type->summary, entry->plugin->version);
  }
}

static void
append_stage (Page *page, SegueRegistry *registry, const SegueStageType *type)
{
  g_autofree char *words = segue_stage_words (type);
  g_autofree char *what = g_strconcat ("stage type; ", words, NULL);
  append_head (page, registry, type, type->name, type->summary, what);
  append_ports (page, "input", type->inputs);
  append_ports (page, "output", type->outputs);
  if (type->decodes)
    append_extensions (page, type);
  const GPtrArray *decoders = segue_registry_decoders_of (registry, type);
  if (decoders)
    append_decoders (page, registry, decoders);
  if (type->doc) {
    g_string_append_c (page->text, '\n');
    append_doc (page, type->doc, 2);
  }
  append_params (page, type->params);
}

static void
append_model (Page *page, SegueRegistry *registry, const SegueModelType *type)
{
  g_autofree char *what = g_strconcat ("model type; ", segue_model_words (type), NULL);
  append_head (page, registry, type, type->name, type->summary, what);
  if (type->doc) {
    g_string_append_c (page->text, '\n');
    append_doc (page, type->doc, 2);
  }
  append_params (page, type->params);
  if (!type->recipe || !type->backward)
    return;
  g_autofree char *recipe = segue_recipe_words (type->recipe);
  g_string_append (page->text, "\nDefault training settings\n\n");
  append_paragraph (page, recipe, 2);
}

char *
segue_inspect_type (SegueRegistry *registry, const char *name, guint columns, GError **error)
{
  const SegueStageType *stage = segue_registry_find_stage (registry, name);
  const SegueModelType *model = segue_registry_find_model (registry, name);
  if (!stage && !model) {
    segue_docs_unknown (registry, name, error);
    return NULL;
  }
  Page page = { .text = g_string_new (NULL), .columns = CLAMP (columns, MIN_COLUMNS, MAX_COLUMNS) };
  if (stage)
    append_stage (&page, registry, stage);
  if (stage && model)
    g_string_append_c (page.text, '\n');
  if (model)
    append_model (&page, registry, model);
  return g_string_free (page.text, FALSE);
}
