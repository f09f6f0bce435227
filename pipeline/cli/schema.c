/* segue schema */
#include "pipeline-arg.h"

static gboolean
verb_schema (SegueCli *cli, gconstpointer options, char **arguments, GError **error)
{
  if (!segue_refuse_arguments (&segue_verb_schema, arguments, 0, error))
    return FALSE;
  g_autoptr (SegueRegistry) registry = segue_registry_for_cli ();
  g_autofree char *schema = segue_schema_pipeline (registry);
  fputs (schema, cli->out.stream);
  if (!g_str_has_suffix (schema, "\n"))
    fputc ('\n', cli->out.stream);
  return TRUE;
}

static const SegueExample examples[] = {
  { "segue schema > pipeline.schema.json", "for an editor that checks YAML against a schema" },
  { NULL, NULL },
};

const SegueVerb segue_verb_schema = {
  .name = "schema",
  .summary = "print the JSON Schema of pipelines, for editors",
  .synopsis = "",
  .doc = "Prints a JSON Schema of pipeline files with every stage type and parameter of the "
         "plugins that are installed.\n\nAn editor with a YAML language server then completes and "
         "checks a pipeline while it is written. The first line of the pipeline tells it where the "
         "schema is: # yaml-language-server: $schema=pipeline.schema.json",
  .examples = examples,
  .run = verb_schema,
};
