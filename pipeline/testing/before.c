/* Negotiation in the harness: the formats of the stage's inputs are those of the test's items. */
#include "before.h"
#include "graph/format.h"

struct _SegueBefore {
  SegueStageType type; /* its outputs are the inputs of the tested stage */
  SegueGraphStage *stage, *tested;
  GPtrArray *stages;
};

SegueBefore *
segue_before_new (SegueGraphStage *stage)
{
  static const SeguePort *const no_ports[] = { NULL };
  SegueBefore *before = g_new0 (SegueBefore, 1);
  before->type = (SegueStageType){ SEGUE_STAGE_TYPE, .name = "test", .mode = SEGUE_MODE_SOURCE };
  before->type.outputs = stage->type->inputs ? stage->type->inputs : no_ports;
  before->stage = segue_graph_stage_new_faulty (&before->type, "test", NULL);
  before->tested = stage;
  before->stages = g_ptr_array_new ();
  g_ptr_array_add (before->stages, before->stage);
  g_ptr_array_add (before->stages, stage);
  return before;
}

void
segue_before_free (SegueBefore *before)
{
  if (!before)
    return;
  g_ptr_array_unref (before->stages);
  segue_graph_stage_free (before->stage);
  g_free (before);
}

GPtrArray *
segue_before_get_stages (SegueBefore *before)
{
  return before->stages;
}

void
segue_before_connect (SegueBefore *before, guint port, SegueItem *const *items, guint n_items,
                      gboolean more)
{
  SegueGraphInput *input = &before->tested->inputs[port];
  SegueFormat *format = &before->stage->formats[port];
  gboolean begun = more && input->producer != SEGUE_NOT_CONNECTED;
  if (input->port->kind == SEGUE_KIND_SUMMARY)
    return; /* which comes from the run, in a pipeline, too */
  if (!begun)
    *format = (SegueFormat) SEGUE_INIT (SegueFormat, .kind = input->port->kind);
  for (guint i = 0; i < n_items; i++) {
    SegueFormat one;
    segue_format_of (items[i], &one);
    if (begun || i > 0)
      segue_format_merge (format, &one);
    else
      *format = one;
  }
  input->producer = 0;
  input->producer_port = port;
  input->kind = format->kind;
}

void
segue_before_forget_length (SegueBefore *before, guint port)
{
  before->stage->formats[port].frames = 0;
}

gboolean
segue_before_negotiate (SegueBefore *before, SegueRegistry *registry, GError **error)
{
  segue_graph_stage_resolve_outputs (before->tested);
  return segue_graph_stage_negotiate (before->tested, before->stages, registry, error);
}
