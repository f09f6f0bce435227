/* Formats, from stage to stage: each reports its output formats, or why it can't use its inputs. */
#include "graph/advice.h"
#include "graph/format.h"
#include "graph/pipeline-private.h"
#include <string.h>

struct _SegueNegotiation {
  SegueRegistry *registry;
  GPtrArray *stages; /* SegueGraphStage */
  SegueGraphStage *stage;
  char *no_port; /* nullable: a name that its negotiate () used for a port, and is none */
};

static void
note_no_port (SegueNegotiation *negotiation, const char *name)
{
  if (!negotiation->no_port)
    negotiation->no_port = g_strdup (name);
}

/* NULL: not connected. */
static const SegueGraphInput *
find_input (SegueNegotiation *negotiation, const char *port)
{
  const SegueGraphStage *stage = negotiation->stage;
  for (guint i = 0; i < stage->n_inputs; i++)
    if (strcmp (stage->inputs[i].port->name, port) == 0)
      return stage->inputs[i].producer != SEGUE_NOT_CONNECTED ? &stage->inputs[i] : NULL;
  note_no_port (negotiation, port);
  return NULL;
}

static const SegueGraphStage *
producer_of (const SegueNegotiation *negotiation, const SegueGraphInput *input)
{
  return g_ptr_array_index (negotiation->stages, input->producer);
}

static const SegueFormat *
format_of (const SegueNegotiation *negotiation, const SegueGraphInput *input)
{
  return &producer_of (negotiation, input)->formats[input->producer_port];
}

const SegueFormat *
segue_negotiation_get_input (SegueNegotiation *negotiation, const char *port)
{
  const SegueGraphInput *input = find_input (negotiation, port);
  return input ? format_of (negotiation, input) : NULL;
}

SegueFormat *
segue_negotiation_get_output (SegueNegotiation *negotiation, const char *port)
{
  SegueGraphStage *stage = negotiation->stage;
  for (guint i = 0; i < stage->n_outputs; i++)
    if (strcmp (stage->type->outputs[i]->name, port) == 0)
      return &stage->formats[i];
  note_no_port (negotiation, port);
  return &stage->formats[stage->n_outputs];
}

void
segue_negotiation_pass (SegueNegotiation *negotiation, const char *input, const char *port)
{
  const SegueFormat *from = segue_negotiation_get_input (negotiation, input);
  SegueFormat *to = segue_negotiation_get_output (negotiation, port);
  if (from)
    *to = *from;
}

SegueRegistry *
segue_negotiation_get_registry (SegueNegotiation *negotiation)
{
  return negotiation->registry;
}

/* The node of "model.high" below @with; of the longest part of the path that exists. */
static const SegueNode *
find_parameter (const SegueNode *with, const char *path)
{
  g_auto (GStrv) names = g_strsplit (path, ".", -1);
  const SegueNode *found = NULL;
  for (guint i = 0; names[i] && with && with->type == SEGUE_NODE_MAP; i++) {
    with = segue_node_get (with, names[i]);
    found = with ? with : found;
  }
  return found;
}

gboolean
segue_negotiation_refuse (SegueNegotiation *negotiation, const char *parameter, GError **error,
                          const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  const SegueGraphStage *stage = negotiation->stage;
  const SegueNode *with = stage->node ? segue_node_get (stage->node, "with") : NULL;
  const SegueNode *at = parameter && with ? find_parameter (with, parameter) : NULL;
  return segue_node_error (at ? at : stage->node, error, "stage '%s': %s", stage->id, message);
}

/* The stage on the path to @input that set @part of its format: later ones passed it on. */
static const SegueGraphStage *
find_origin (const SegueNegotiation *negotiation, const SegueGraphInput *input,
             SegueFormatPart part)
{
  const SegueFormat *given = format_of (negotiation, input);
  const SegueGraphStage *origin = NULL;
  while (input) {
    origin = producer_of (negotiation, input);
    input = NULL;
    for (guint i = 0; i < origin->n_inputs && !input; i++)
      if (origin->inputs[i].producer != SEGUE_NOT_CONNECTED &&
          segue_format_equals (format_of (negotiation, &origin->inputs[i]), given, part))
        input = &origin->inputs[i];
  }
  return origin;
}

/* "write `with: { channels: mono }` at stage 'decode'", where that has such a parameter. */
static char *
find_remedy (const SegueGraphStage *origin, const char *remedy)
{
  gsize length = remedy ? strcspn (remedy, ":") : 0;
  for (const SegueParam *const *row = origin->type->params; length > 0 && row && *row; row++)
    if (strlen ((*row)->name) == length && strncmp ((*row)->name, remedy, length) == 0)
      return g_strdup_printf ("write `with: { %s }` at stage '%s'", remedy, origin->id);
  return g_strdup_printf ("put a stage that converts it after '%s', or name another with from:",
                          origin->id);
}

gboolean
segue_negotiation_require (SegueNegotiation *negotiation, const char *port,
                           const SegueFormat *wanted, const char *remedy, GError **error)
{
  SegueFormat whole = { 0 };
  memcpy (&whole, wanted, MIN (wanted->struct_size, sizeof whole));
  const SegueGraphInput *input = find_input (negotiation, port);
  SegueFormatPart part =
    input ? segue_format_compare (format_of (negotiation, input), &whole) : SEGUE_FORMAT_FITS;
  if (part == SEGUE_FORMAT_FITS)
    return TRUE;
  const SegueGraphStage *origin = find_origin (negotiation, input, part);
  g_autofree char *takes = segue_format_describe (&whole, part);
  g_autofree char *gives = segue_format_describe (format_of (negotiation, input), part);
  g_autofree char *advice = find_remedy (origin, remedy);
  return segue_negotiation_refuse (negotiation, NULL, error,
                                   "its input '%s' takes %s, and stage '%s' gives %s; %s", port,
                                   takes, origin->id, gives, advice);
}

static void
forget_formats (SegueGraphStage *stage)
{
  for (guint i = 0; i <= stage->n_outputs; i++)
    stage->formats[i] = (SegueFormat) SEGUE_INIT (SegueFormat, .kind = stage->outputs[i]);
}

static gboolean
ask (SegueNegotiation *negotiation, GError **error)
{
  SegueGraphStage *stage = negotiation->stage;
  g_autoptr (GError) local = NULL;
  gboolean ok =
    !stage->type->negotiate || stage->type->negotiate (stage->config, negotiation, &local);
  g_autofree char *no_port = g_steal_pointer (&negotiation->no_port);
  if (no_port)
    return segue_negotiation_refuse (
      negotiation, NULL, error,
      "negotiate () uses a port '%s', which '%s' does not have: a bug in the plugin", no_port,
      stage->type->name);
  if (ok && !local)
    return TRUE;
  g_autofree char *bug = segue_graph_find_bug ("negotiate", ok, local);
  if (bug)
    return segue_negotiation_refuse (negotiation, NULL, error, "%s", bug);
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

gboolean
segue_graph_stage_negotiate (SegueGraphStage *stage, GPtrArray *stages, SegueRegistry *registry,
                             GError **error)
{
  SegueNegotiation negotiation = { .registry = registry, .stages = stages, .stage = stage };
  forget_formats (stage);
  if (stage->faulty || ask (&negotiation, error))
    return TRUE;
  /* The outputs for an input that it refuses are unknown. */
  forget_formats (stage);
  segue_advise_error (error, stages, stage->id);
  return FALSE;
}

gboolean
segue_loading_negotiate (SegueLoading *loading)
{
  GPtrArray *stages = loading->pipeline->stages;
  for (guint i = 0; i < stages->len; i++)
    if (!segue_graph_stage_negotiate (g_ptr_array_index (stages, i), stages,
                                      loading->pipeline->registry, loading->error) &&
        !segue_loading_goes_on (loading))
      return FALSE;
  return TRUE;
}
