/* Paths around a split: pipelines that would run, but not as intended. */
#include "graph/pipeline-private.h"

static SegueGraphStage *
stage_at (GPtrArray *stages, guint index)
{
  return g_ptr_array_index (stages, index);
}

/* The input that a stage's items come from; NULL: it creates them. */
static const SegueGraphInput *
items_input (const SegueGraphStage *stage)
{
  for (guint i = 0; i < stage->n_inputs; i++)
    if (stage->inputs[i].producer != SEGUE_NOT_CONNECTED &&
        segue_kind_is_items (stage->inputs[i].kind))
      return &stage->inputs[i];
  return NULL;
}

static gboolean
makes_sets (const SegueGraphStage *stage)
{
  for (guint i = 0; i < stage->n_outputs; i++)
    if (stage->type->outputs[i]->flags & SEGUE_PORT_SETS)
      return TRUE;
  return FALSE;
}

/* The first stage of the path to @index. @sets: (out): whether a stage on it assigns sets. */
static guint
find_source (GPtrArray *stages, guint index, gboolean *sets)
{
  for (*sets = FALSE;;) {
    const SegueGraphStage *stage = stage_at (stages, index);
    const SegueGraphInput *input = items_input (stage);
    *sets = *sets || makes_sets (stage);
    if (!input)
      return index;
    index = input->producer;
  }
}

/* A stage that assigns the items of @source to sets; NULL: there is none. */
static const SegueGraphStage *
find_split (GPtrArray *stages, guint source)
{
  gboolean sets;
  for (guint i = 0; i < stages->len; i++)
    if (makes_sets (stage_at (stages, i)) && find_source (stages, i, &sets) == source)
      return stage_at (stages, i);
  return NULL;
}

gboolean
segue_loading_check_sets (SegueLoading *loading)
{
  GPtrArray *stages = loading->pipeline->stages;
  for (guint i = 0; i < stages->len; i++) {
    const SegueGraphStage *stage = stage_at (stages, i);
    for (guint k = 0; k < stage->n_inputs; k++) {
      const SegueGraphInput *input = &stage->inputs[k];
      if (!(input->port->flags & SEGUE_PORT_SETS) || input->producer == SEGUE_NOT_CONNECTED)
        continue;
      gboolean sets;
      guint source = find_source (stages, input->producer, &sets);
      const SegueGraphStage *split = sets ? NULL : find_split (stages, source);
      if (!split)
        continue;
      const SegueNode *from = segue_node_get (stage->node, "from");
      segue_node_error (
        from ? from : stage->node, loading->error,
        "stage '%s': its input '%s' comes from '%s', which bypasses '%s': the items are in no set, "
        "and the model would be trained on test items; connect it to '%s' or a later stage",
        stage->id, input->port->name, stage_at (stages, input->producer)->id, split->id, split->id);
      if (!segue_loading_goes_on (loading))
        return FALSE;
    }
  }
  return TRUE;
}
