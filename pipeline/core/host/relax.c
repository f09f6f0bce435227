/* Stricter values of parameters replaced by relaxed ones. */
#include "host/relax.h"
#include "params/params.h"
#include "yaml/scalar.h"

static double
number_in (const char *text)
{
  double value;
  return text && segue_scalar_to_double (text, &value) == SEGUE_SCALAR_OK ? value : 0;
}

/* Whether a number rejects songs that the relaxed one accepts; anything else is replaced by it. */
static gboolean
is_stricter (const SegueParam *row, const SegueNode *given)
{
  if (row->type != SEGUE_PARAM_DOUBLE && row->type != SEGUE_PARAM_INT)
    return !given || given->type != SEGUE_NODE_SCALAR || g_strcmp0 (given->text, row->relaxed) != 0;
  double relaxed = number_in (row->relaxed), standard = number_in (row->def);
  double value = given && given->type == SEGUE_NODE_SCALAR ? number_in (given->text) : standard;
  return relaxed > standard ? value < relaxed : value > relaxed;
}

static gboolean
applies (const SegueParam *row, SegueRelax relax)
{
  gboolean on_request = (row->flags & SEGUE_PARAM_ON_REQUEST) != 0;
  return row->relaxed &&
         (relax == SEGUE_RELAX_DAMAGED || (relax == SEGUE_RELAX_SIZE && !on_request));
}

gboolean
segue_relax_stage (const SegueStageType *type, SegueNode *stage, SegueRelax relax)
{
  SegueNode *with = (SegueNode *) segue_node_get (stage, "with");
  gboolean changed = FALSE;
  for (const SegueParam *const *one = type->params; one && *one; one++) {
    SegueParam row = segue_param_read (*one);
    if (!applies (&row, relax) || !is_stricter (&row, segue_node_get (with, row.name)))
      continue;
    if (!with || with->type != SEGUE_NODE_MAP) {
      with = segue_node_new (SEGUE_NODE_MAP, stage);
      segue_node_set (stage, "with", with);
    }
    segue_node_set (with, row.name, segue_node_new_scalar (with, row.relaxed));
    changed = TRUE;
  }
  return changed;
}

void
segue_relax_limit (const SegueStageType *type, SegueNode *stage)
{
  SegueNode *with = (SegueNode *) segue_node_get (stage, "with");
  for (const SegueParam *const *one = type->params; one && *one; one++) {
    SegueParam row = segue_param_read (*one);
    const SegueNode *given = with ? segue_node_get (with, row.name) : NULL;
    if (row.relaxed && (row.flags & SEGUE_PARAM_COST) && given &&
        given->type == SEGUE_NODE_SCALAR && number_in (given->text) > number_in (row.relaxed))
      segue_node_set (with, row.name, segue_node_new_scalar (with, row.relaxed));
  }
}
