/* segue inspect */
#include "pipeline-arg.h"

typedef struct {
  gboolean json;
} Options;

static const char *const mode_titles[] = {
  [SEGUE_MODE_SOURCE] = "Sources of songs",
  [SEGUE_MODE_MAP] = "Stages that process one item at a time",
  [SEGUE_MODE_SERIAL] = "Stages that process all items in order",
  [SEGUE_MODE_COLLECT] = "Stages that process the whole data set",
};

static void
append_title (GString *out, const SegueTerm *term, const char *title)
{
  g_string_append_printf (out, "%s%s%s%s\n", out->len > 0 ? "\n" : "",
                          segue_term_style (term, SEGUE_STYLE_BOLD), title,
                          segue_term_reset (term));
}

static void
append_type (GString *out, const SegueTerm *term, const char *name, const char *summary,
             guint column)
{
  g_string_append_printf (out, "  %s", segue_term_style (term, SEGUE_STYLE_CYAN));
  segue_text_append_padded (out, name, column - 2);
  g_string_append (out, segue_term_reset (term));
  segue_text_append_wrapped (out, summary ? summary : "", column, term->columns);
}

static guint
name_column (GPtrArray *stages, GPtrArray *models)
{
  guint widest = 0;
  for (guint i = 0; i < stages->len; i++)
    widest = MAX (widest, segue_text_width (((const SegueStageType *) stages->pdata[i])->name));
  for (guint i = 0; i < models->len; i++)
    widest = MAX (widest, segue_text_width (((const SegueModelType *) models->pdata[i])->name));
  return 2 + widest + 2;
}

static void
append_refused (GString *out, const SegueTerm *term, SegueRegistry *registry)
{
  g_autoptr (GPtrArray) entries = segue_registry_list (registry);
  gboolean titled = FALSE;
  for (guint i = 0; i < entries->len; i++) {
    const SeguePluginEntry *entry = g_ptr_array_index (entries, i);
    if (entry->plugin)
      continue;
    if (!titled)
      append_title (out, term, "Found, but not usable");
    titled = TRUE;
    g_autofree char *path = segue_text_printable (entry->path);
    g_autofree char *reason = segue_text_printable (entry->refusal ? entry->refusal : "");
    g_string_append_printf (out, "  %s\n    ", path);
    segue_text_append_wrapped (out, reason, 4, term->columns);
  }
}

static char *
overview (const SegueTerm *term, SegueRegistry *registry)
{
  g_autoptr (GPtrArray) stages = segue_registry_list_stages (registry);
  g_autoptr (GPtrArray) models = segue_registry_list_models (registry);
  guint column = name_column (stages, models);
  GString *out = g_string_new (NULL);
  for (gsize mode = 0; mode < G_N_ELEMENTS (mode_titles); mode++) {
    gboolean titled = FALSE;
    for (guint i = 0; i < stages->len; i++) {
      const SegueStageType *type = g_ptr_array_index (stages, i);
      if (type->mode != (SegueMode) mode)
        continue;
      if (!titled)
        append_title (out, term, mode_titles[mode]);
      titled = TRUE;
      append_type (out, term, type->name, type->summary, column);
    }
  }
  if (models->len > 0)
    append_title (out, term, "Model types, for train");
  for (guint i = 0; i < models->len; i++) {
    const SegueModelType *type = g_ptr_array_index (models, i);
    append_type (out, term, type->name, type->summary, column);
  }
  append_refused (out, term, registry);
  return g_string_free (out, FALSE);
}

static gboolean
verb_inspect (SegueCli *cli, gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  if (!segue_refuse_arguments (&segue_verb_inspect, arguments, 1, error))
    return FALSE;
  g_autoptr (SegueRegistry) registry = segue_registry_for_cli ();
  g_autofree char *text = NULL;
  if (options->json)
    text = segue_inspect_json (registry, arguments[0], error);
  else if (arguments[0])
    text = segue_inspect_type (registry, arguments[0], cli->out.columns, error);
  else
    text = overview (&cli->out, registry);
  if (!text)
    return FALSE;
  fputs (text, cli->out.stream);
  if (!g_str_has_suffix (text, "\n"))
    fputc ('\n', cli->out.stream);
  return TRUE;
}

static const SegueOption rows[] = {
  { "json", 0, SEGUE_OPTION_FLAG, offsetof (Options, json), NULL, 0, 0,
    "as JSON: of one type, or of all" },
  { NULL },
};

static const SegueExample examples[] = {
  { "segue inspect", "every stage type and model type" },
  { "segue inspect segment", "the parameters of one, with ranges and defaults" },
  { NULL, NULL },
};

const SegueVerb segue_verb_inspect = {
  .name = "inspect",
  .summary = "list stage types and models, or explain one",
  .synopsis = "[TYPE] [--json]",
  .doc = "Without a name, lists every stage type and model type of the plugins that are installed, "
         "and the plugins that were found but can't be used, with the reason. With one, explains "
         "it: parameters, ranges, defaults, inputs and outputs.",
  .options = rows,
  .size = sizeof (Options),
  .examples = examples,
  .run = verb_inspect,
};
