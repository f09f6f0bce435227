/* What is suspicious in a pipeline that can run. */
#include "graph/graph.h"

static const SegueGraphStage *
stage_at (GPtrArray *stages, guint index)
{
  return g_ptr_array_index (stages, index);
}

static gboolean
is_taken (GPtrArray *stages, guint producer, guint port)
{
  for (guint i = producer + 1; i < stages->len; i++) {
    const SegueGraphStage *stage = stage_at (stages, i);
    for (guint k = 0; k < stage->n_inputs; k++)
      if (stage->inputs[k].producer == producer && stage->inputs[k].producer_port == port)
        return TRUE;
  }
  return FALSE;
}

static void add_warning (GPtrArray *warnings, const SegueGraphStage *stage, const char *format, ...)
  G_GNUC_PRINTF (3, 4);

static void
add_warning (GPtrArray *warnings, const SegueGraphStage *stage, const char *format, ...)
{
  g_autoptr (GError) place = NULL;
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  segue_node_error (stage->node, &place, "stage '%s': %s", stage->id, message);
  g_ptr_array_add (warnings, g_strdup (place->message));
}

/* Items that no stage takes. */
static void
find_unused (GPtrArray *stages, GPtrArray *warnings)
{
  /* Not the last stage: a pipeline under construction is run for its output. */
  for (guint i = 0; i + 1 < stages->len; i++) {
    const SegueGraphStage *stage = stage_at (stages, i);
    for (guint k = 0; k < stage->n_outputs; k++) {
      if (!segue_kind_is_items (stage->outputs[k]) || is_taken (stages, i, k))
        continue;
      add_warning (warnings, stage,
                   "no stage uses its output '%s'; remove the stage, or connect it with from: %s",
                   stage->type->outputs[k]->name, stage->id);
    }
  }
}

/* Whether there is a port for a model that is always connected. */
static gboolean
has_model (const SeguePort *const *ports)
{
  for (; ports && *ports; ports++)
    if ((*ports)->kind == SEGUE_KIND_MODEL && !((*ports)->flags & SEGUE_PORT_OPTIONAL))
      return TRUE;
  return FALSE;
}

static gboolean
trains (const SegueGraphStage *stage)
{
  return has_model (stage->type->outputs) && !has_model (stage->type->inputs);
}

/* Stages whose changes to songs a model is trained on, but which are not replayed to predict. */
static void
find_unreplayed (GPtrArray *stages, GPtrArray *warnings)
{
  /* By a stage that trains, or one that such a stage depends on; inputs come from earlier stages. */
  g_autofree gboolean *read = g_new0 (gboolean, stages->len);
  for (guint i = stages->len; i-- > 0;) {
    const SegueGraphStage *stage = stage_at (stages, i);
    for (guint k = 0; (read[i] || trains (stage)) && k < stage->n_inputs; k++)
      if (stage->inputs[k].producer != SEGUE_NOT_CONNECTED)
        read[stage->inputs[k].producer] = TRUE;
  }
  for (guint i = 0; i < stages->len; i++) {
    const SegueStageType *type = stage_at (stages, i)->type;
    if (read[i] && type->mode == SEGUE_MODE_MAP &&
        !(type->flags & (SEGUE_STAGE_PREPARE | SEGUE_STAGE_LIVE)))
      add_warning (
        warnings, stage_at (stages, i),
        "the model is trained on its output, but `segue predict` does not run it: its type "
        "'%s' lacks the flag SEGUE_STAGE_PREPARE",
        type->name);
  }
}

void
segue_graph_find_warnings (GPtrArray *stages, GPtrArray *warnings)
{
  find_unused (stages, warnings);
  find_unreplayed (stages, warnings);
}
