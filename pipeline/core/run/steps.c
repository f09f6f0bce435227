/* The steps of a run: which stages run together, and the inputs of each stage. */
#include "run/run-private.h"

static SegueStageRun *
stage_at (SegueRun *run, guint index)
{
  return &run->stages[index];
}

static gboolean
is_stored_map (const SegueGraphStage *stage)
{
  return stage->type->mode == SEGUE_MODE_MAP && !(stage->type->flags & SEGUE_STAGE_LIVE);
}

/* The stage that alone reads @index's output; SEGUE_NOT_CONNECTED: there are none or several. */
static guint
find_only_reader (SegueRun *run, guint index)
{
  guint reader = SEGUE_NOT_CONNECTED, n = 0;
  for (guint i = index + 1; i < run->n_stages; i++) {
    const SegueGraphStage *stage = stage_at (run, i)->stage;
    for (guint j = 0; j < stage->n_inputs; j++)
      if (stage->inputs[j].producer == index) {
        reader = i;
        n++;
      }
  }
  return n == 1 ? reader : SEGUE_NOT_CONNECTED;
}

static gboolean
is_live (SegueRun *run, guint index)
{
  return (stage_at (run, index)->stage->type->flags & SEGUE_STAGE_LIVE) != 0;
}

/* The live stages between @first and what it reads, in order. */
static void
prepend_live (SegueRun *run, guint first, GArray *chain)
{
  guint at = first;
  while (is_stored_map (stage_at (run, first)->stage) &&
         (at = stage_at (run, at)->stage->inputs[0].producer) != SEGUE_NOT_CONNECTED &&
         is_live (run, at))
    g_array_prepend_val (chain, at);
}

/* The stored stage that continues the chain after @at, and the live ones on the way there;
 * SEGUE_NOT_CONNECTED: none. */
static guint
find_next (SegueRun *run, guint at, GArray *chain)
{
  guint length = chain->len, next = find_only_reader (run, at);
  while (next != SEGUE_NOT_CONNECTED && is_live (run, next)) {
    g_array_append_val (chain, next);
    next = find_only_reader (run, next);
  }
  if (next != SEGUE_NOT_CONNECTED && is_stored_map (stage_at (run, next)->stage))
    return next;
  g_array_set_size (chain, length);
  return SEGUE_NOT_CONNECTED;
}

/* The chain that begins at @first, as indices of stages; for any other stage, only its index. The live stages
 * before a stored one belong to the chain: it stores copies. */
static GArray *
find_chain (SegueRun *run, guint first)
{
  GArray *chain = g_array_new (FALSE, FALSE, sizeof (guint));
  prepend_live (run, first, chain);
  for (guint at = first; at != SEGUE_NOT_CONNECTED;) {
    g_array_append_val (chain, at);
    const SegueGraphStage *stage = stage_at (run, at)->stage;
    at = is_stored_map (stage) && !stage->cache ? find_next (run, at, chain) : SEGUE_NOT_CONNECTED;
  }
  return chain;
}

static char *
name_chain (SegueRun *run, GArray *chain)
{
  const char *first = stage_at (run, g_array_index (chain, guint, 0))->stage->id;
  const char *last = stage_at (run, g_array_index (chain, guint, chain->len - 1))->stage->id;
  return chain->len == 1   ? g_strdup (first)
         : chain->len == 2 ? g_strdup_printf ("%s, %s", first, last)
                           : g_strdup_printf ("%s … %s", first, last);
}

/* Results contain only what they add to their inputs, so an input has to live as long as the last
 * reader of anything derived from it. */
static void
find_last_uses (SegueRun *run)
{
  for (guint i = run->n_stages; i > 0; i--) {
    SegueStageRun *at = stage_at (run, i - 1);
    at->last_use = MAX (at->last_use, i - 1);
    for (guint j = 0; j < at->stage->n_inputs; j++) {
      guint producer = at->stage->inputs[j].producer;
      if (producer == SEGUE_NOT_CONNECTED)
        continue;
      SegueStageRun *made = stage_at (run, producer);
      made->last_use = MAX (made->last_use, at->last_use);
    }
  }
}

void
segue_run_find_steps (SegueRun *run)
{
  find_last_uses (run);
  for (guint i = 0; i < run->n_stages; i++)
    stage_at (run, i)->step = SEGUE_NOT_CONNECTED;
  for (guint i = 0; i < run->n_stages; i++) {
    SegueStageRun *at = stage_at (run, i);
    if (at->step != SEGUE_NOT_CONNECTED || (at->stage->type->flags & SEGUE_STAGE_LIVE))
      continue;
    SegueRunStep step = { .stages = find_chain (run, i) };
    step.name = name_chain (run, step.stages);
    for (guint j = 0; j < step.stages->len; j++) {
      guint member = g_array_index (step.stages, guint, j);
      if (!is_live (run, member)) /* which may also be read by others */
        stage_at (run, member)->step = run->steps->len;
    }
    g_array_append_val (run->steps, step);
  }
}

gboolean
segue_run_is_chain (SegueRun *run, const SegueRunStep *step)
{
  return stage_at (run, g_array_index (step->stages, guint, 0))->stage->type->mode ==
         SEGUE_MODE_MAP;
}

gboolean
segue_run_connect_inputs (SegueRun *run, SegueStageRun *at)
{
  const SegueGraphStage *stage = at->stage;
  segue_run_release_inputs (at);
  at->inputs = g_new0 (SegueDataset *, stage->n_inputs + 1);
  for (guint i = 0; i < stage->n_inputs; i++) {
    const SegueGraphInput *input = &stage->inputs[i];
    if (input->producer == SEGUE_NOT_CONNECTED)
      continue;
    SegueDataset *dataset = stage_at (run, input->producer)->outputs[input->producer_port];
    if (!dataset)
      return FALSE;
    gboolean augmented =
      input->port->flags & SEGUE_PORT_LIVE || stage->type->flags & SEGUE_STAGE_LIVE;
    at->inputs[i] = augmented                             ? segue_dataset_ref (dataset)
                    : stage->type->mode == SEGUE_MODE_MAP ? segue_dataset_without_live (dataset)
                                                          : segue_dataset_without_copies (dataset);
  }
  return TRUE;
}

void
segue_run_release_inputs (SegueStageRun *at)
{
  for (guint i = 0; at->inputs && i < at->stage->n_inputs; i++)
    segue_dataset_unref (at->inputs[i]);
  g_clear_pointer (&at->inputs, g_free);
}

gboolean
segue_run_attach_live (SegueRun *run, SegueStageRun *at)
{
  if (!segue_run_connect_inputs (run, at))
    return FALSE;
  segue_run_set_output (at, 0, segue_dataset_with_live (at->inputs[0], &run->scope, at->stage));
  segue_run_release_inputs (at);
  return TRUE;
}

void
segue_run_set_output (SegueStageRun *at, guint port, SegueDataset *dataset)
{
  segue_dataset_unref (at->outputs[port]);
  at->outputs[port] = dataset;
  at->n_outputs[port] = segue_dataset_get_length (dataset);
}

guint
segue_run_find_output (const SegueGraphStage *stage, SegueKind kind)
{
  for (guint i = 0; i < stage->n_outputs; i++)
    if (stage->outputs[i] == kind || stage->outputs[i] == SEGUE_KIND_ANY)
      return i;
  return 0;
}
