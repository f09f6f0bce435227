/* segue presets */
#include "cli.h"

#include <jansson.h>

typedef struct {
  gboolean json;
} Options;

static void
list_json (SegueCli *cli, GPtrArray *presets)
{
  json_t *list = json_array ();
  for (guint i = 0; i < presets->len; i++) {
    const SeguePreset *preset = g_ptr_array_index (presets, i);
    g_autofree char *path = g_filename_display_name (preset->path);
    json_array_append_new (list, json_pack ("{s:s, s:s, s:s}", "name", preset->name, "summary",
                                            preset->summary ? preset->summary : "", "path", path));
  }
  segue_term_print_json (&cli->out, list, JSON_INDENT (2));
}

static void
list_text (SegueCli *cli, GPtrArray *presets)
{
  guint column = 0;
  for (guint i = 0; i < presets->len; i++)
    column = MAX (column, segue_text_width (((SeguePreset *) presets->pdata[i])->name) + 2);
  g_autoptr (GString) out = g_string_new (NULL);
  for (guint i = 0; i < presets->len; i++) {
    const SeguePreset *preset = g_ptr_array_index (presets, i);
    g_string_append (out, segue_term_style (&cli->out, SEGUE_STYLE_CYAN));
    segue_text_append_padded (out, preset->name, column);
    g_string_append (out, segue_term_reset (&cli->out));
    g_autofree char *summary = segue_text_printable (preset->summary ? preset->summary : "");
    segue_text_append_wrapped (out, summary, column, cli->out.columns);
  }
  fputs (out->str, cli->out.stream);
  if (presets->len > 0 && cli->out.tty)
    fprintf (cli->out.stream, "\nRun one with: segue run --preset NAME FOLDER\nCopy one to edit "
                              "it: segue presets NAME > mine.yaml\n");
}

static gboolean
show (SegueCli *cli, const char *name, GError **error)
{
  g_autoptr (SeguePreset) preset = segue_preset_find (name, error);
  if (!preset)
    return FALSE;
  g_autofree char *text = NULL;
  gsize length = 0;
  g_autoptr (GError) local = NULL;
  if (!g_file_get_contents (preset->path, &text, &length, &local)) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT, local->message);
    return FALSE;
  }
  fwrite (text, 1, length, cli->out.stream);
  return TRUE;
}

static gboolean
verb_presets (SegueCli *cli, gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  if (!segue_refuse_arguments (&segue_verb_presets, arguments, 1, error))
    return FALSE;
  if (arguments[0] && options->json)
    return segue_usage_error (&segue_verb_presets, error,
                              "--json applies to the list, not to one preset");
  if (arguments[0])
    return show (cli, arguments[0], error);
  g_autoptr (GPtrArray) presets = segue_preset_list ();
  if (options->json)
    list_json (cli, presets);
  else
    list_text (cli, presets);
  return TRUE;
}

static const SegueOption rows[] = {
  { "json", 0, SEGUE_OPTION_FLAG, offsetof (Options, json), NULL, 0, 0,
    "the list as JSON, with the files' names" },
  { NULL },
};

static const SegueExample examples[] = {
  { "segue presets", "list all presets" },
  { "segue presets artist > mine.yaml", "a copy to edit" },
  { NULL, NULL },
};

const SegueVerb segue_verb_presets = {
  .name = "presets",
  .summary = "list the pipelines that come with segue, or print one",
  .synopsis = "[NAME] [--json]",
  .doc = "Without a name, lists the presets: pipelines that are run by name with segue run "
         "--preset. With one, prints the file, a good starting point for your own pipeline.",
  .options = rows,
  .size = sizeof (Options),
  .examples = examples,
  .run = verb_presets,
};
