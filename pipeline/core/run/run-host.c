/* What running stages request from the run. */
#include "run/run-private.h"

#include <string.h>

guint
segue_run_index_of (SegueRun *run, const SegueGraphStage *stage)
{
  guint i = 0;
  while (run->stages[i].stage != stage)
    i++;
  return i;
}

static SegueDataset *
get_input (gpointer data, const SegueGraphStage *stage, const char *port, guint nth)
{
  SegueRun *run = data;
  const SegueStageRun *at = &run->stages[segue_run_index_of (run, stage)];
  guint index = segue_graph_stage_find_input (stage, port, nth);
  return index < stage->n_inputs ? at->inputs[index] : NULL;
}

static const char *
get_folder (gpointer data, const SegueGraphStage *stage, gboolean work, GError **error)
{
  SegueRun *run = data;
  SegueStageRun *at = &run->stages[segue_run_index_of (run, stage)];
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&run->lock);
  if (stage->type->mode == SEGUE_MODE_MAP) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
                 "stage '%s' requested a folder: the result of a MAP stage is its items and may "
                 "come from the cache",
                 stage->id);
    return NULL;
  }
  if (!work) {
    if (!at->output_folder)
      at->output_folder =
        segue_run_folder_make_stage (run->folder, stage->id, &at->output_fd, error);
    return at->output_folder;
  }
  if (!at->work) {
    g_autofree char *about =
      g_strdup_printf ("stage '%s' of pipeline '%s'", stage->id, run->pipeline->name);
    g_autofree char *key = segue_stage_key_of_work (at->parts);
    at->work = segue_work_folder_open (segue_store_get_folder (run->store), key, about, error);
  }
  return at->work ? at->work->path : NULL;
}

static SegueStore *
get_store (gpointer data)
{
  return ((SegueRun *) data)->store;
}

/* Records a stage's events if its result may be stored: in their original form, since advice
 * depends on the run. */
static void
take_event (gpointer data, const SegueGraphStage *stage, const SegueEvent *event)
{
  SegueRun *run = data;
  SegueStageNotes *notes = run->stages[segue_run_index_of (run, stage)].notes;
  gboolean is_progress =
    event->type == SEGUE_EVENT_PROGRESS || event->type == SEGUE_EVENT_PROGRESS_UNIT;
  if (notes)
    segue_stage_notes_take (notes, event);
  /* A chain reports progress as a whole, in songs. */
  if (!is_progress || stage->type->mode != SEGUE_MODE_MAP)
    segue_run_tell (run, event);
}

const SegueStageHost segue_run_host = {
  .get_input = get_input,
  .get_folder = get_folder,
  .get_store = get_store,
  .event = take_event,
};
