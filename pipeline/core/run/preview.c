/* The data set before anything is decoded: checks first what is known from the sources alone. */
#include "run/preview.h"
#include "graph/advice.h"
#include "item/item-private.h"
#include "stage/context-private.h"

#include <string.h>

/* What the stages so far would pass on; NULL: not known without decoding. */
typedef struct {
  SegueRun *run;
  SegueDataset **outputs; /* by stage */
  SegueDataset **inputs;  /* of the current stage, by port */
  SegueDataView *view;
} Preview;

static void
clear_label (gpointer data)
{
  g_free (((SegueDataLabel *) data)->label);
}

static SegueDataView *
view_new (void)
{
  SegueDataView *view = g_new0 (SegueDataView, 1);
  view->struct_size = sizeof *view;
  view->labels = g_array_new (FALSE, TRUE, sizeof (SegueDataLabel));
  g_array_set_clear_func (view->labels, clear_label);
  view->warnings = g_ptr_array_new_with_free_func (g_free);
  return view;
}

static void
view_free (SegueDataView *view)
{
  g_array_unref (view->labels);
  g_ptr_array_unref (view->warnings);
  g_free (view);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueDataView, view_free)

static SegueDataset *
get_input (gpointer data, const SegueGraphStage *stage, const char *port, guint nth)
{
  Preview *preview = data;
  guint index = segue_graph_stage_find_input (stage, port, nth);
  return index < stage->n_inputs ? preview->inputs[index] : NULL;
}

static void
take_warning (gpointer data, const SegueGraphStage *stage, const SegueEvent *event)
{
  Preview *preview = data;
  if (event->type != SEGUE_EVENT_LOG || (event->level & G_LOG_LEVEL_MASK) > G_LOG_LEVEL_WARNING)
    return;
  char *advised = segue_advise (event->text, preview->run->pipeline->stages, stage->id);
  g_autofree char *line = g_strdup_printf ("%s: %s", stage->id, advised);
  g_free (advised);
  g_ptr_array_add (preview->view->warnings, g_steal_pointer (&line));
}

static const SegueStageHost preview_host = { .get_input = get_input, .event = take_warning };

/* Stages that pass on each song, whatever they do to its sound. */
static gboolean
passes_songs_on (const SegueStageType *type)
{
  return type->mode == SEGUE_MODE_MAP && (type->flags & (SEGUE_STAGE_PREPARE | SEGUE_STAGE_LIVE));
}

/* FALSE: an input is not known. */
static gboolean
find_inputs (Preview *preview, const SegueGraphStage *stage)
{
  for (guint i = 0; i < stage->n_inputs; i++) {
    guint producer = stage->inputs[i].producer;
    preview->inputs[i] = producer == SEGUE_NOT_CONNECTED ? NULL : preview->outputs[producer];
    if (producer != SEGUE_NOT_CONNECTED && !preview->inputs[i])
      return FALSE;
  }
  return stage->n_inputs > 0;
}

static gboolean
preview_stage (Preview *preview, guint index, GError **error)
{
  SegueRun *run = preview->run;
  const SegueGraphStage *stage = run->stages[index].stage;
  SegueScope scope = run->scope;
  scope.host = &preview_host;
  scope.host_data = preview;
  g_auto (SegueContext)
    context = { .scope = &scope, .stage = stage, .cancellable = run->cancellable, .epoch = -1 };
  g_autoptr (GError) local = NULL;
  gboolean ok = segue_context_conclude (&context, stage->type->preview (&context, &local), &local);
  if (ok && context.output)
    preview->outputs[index] = segue_dataset_ref (context.output);
  if (!ok) {
    segue_advise_error (&local, run->pipeline->stages, stage->id);
    g_propagate_prefixed_error (error, g_steal_pointer (&local), "stage '%s': ", stage->id);
  }
  return ok;
}

static gboolean
preview_all (Preview *preview, GError **error)
{
  SegueRun *run = preview->run;
  for (guint i = 0; i < run->n_stages; i++) {
    const SegueGraphStage *stage = run->stages[i].stage;
    g_autofree SegueDataset **inputs = g_new0 (SegueDataset *, stage->n_inputs + 1);
    preview->inputs = inputs;
    if (stage->type->mode == SEGUE_MODE_SOURCE) {
      SegueDataset *made = stage->n_outputs > 0 ? run->stages[i].outputs[0] : NULL;
      preview->outputs[i] = made ? segue_dataset_ref (made) : NULL;
    } else if (find_inputs (preview, stage)) {
      if (passes_songs_on (stage->type))
        preview->outputs[i] = segue_dataset_ref (inputs[0]);
      else if (stage->type->preview && !preview_stage (preview, i, error))
        return FALSE;
    }
  }
  return TRUE;
}

static SegueDataLabel *
find_label (SegueDataView *view, GHashTable *places, const SegueItem *item)
{
  const char *label = segue_item_get_string (item, SEGUE_META_LABEL);
  gpointer place;
  if (!label)
    label = "";
  if (!g_hash_table_lookup_extended (places, label, NULL, &place)) {
    SegueDataLabel row = { .label = g_strdup (label) };
    place = GUINT_TO_POINTER (view->labels->len);
    g_array_append_val (view->labels, row);
    g_hash_table_insert (places, row.label, place);
  }
  return &g_array_index (view->labels, SegueDataLabel, GPOINTER_TO_UINT (place));
}

static int
compare_labels (gconstpointer a, gconstpointer b)
{
  return strcmp (((const SegueDataLabel *) a)->label, ((const SegueDataLabel *) b)->label);
}

/* Songs of all sources; @sets: (nullable): the remaining songs, in their sets. */
static void
count_songs (SegueDataView *view, SegueRun *run, SegueDataset *sets)
{
  g_autoptr (GHashTable) places = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) left = g_hash_table_new (g_str_hash, g_str_equal);
  guint n_sets = sets ? segue_dataset_get_length (sets) : 0;
  for (guint i = 0; i < n_sets; i++) {
    SegueItem *entry = segue_dataset_get_entry (sets, i);
    g_hash_table_insert (left, (gpointer) segue_item_get_song (entry), entry);
  }
  for (guint i = 0; i < run->n_stages; i++) {
    SegueStageRun *at = &run->stages[i];
    gboolean is_source = at->stage->type->mode == SEGUE_MODE_SOURCE && at->stage->n_outputs > 0;
    guint n = is_source && at->outputs[0] ? segue_dataset_get_length (at->outputs[0]) : 0;
    for (guint j = 0; j < n; j++) {
      SegueItem *entry = segue_dataset_get_entry (at->outputs[0], j);
      SegueItem *kept = sets ? g_hash_table_lookup (left, segue_item_get_song (entry)) : entry;
      const char *set = kept ? segue_item_get_string (kept, SEGUE_META_SET) : NULL;
      SegueDataLabel *label = find_label (view, places, entry);
      view->n_songs++;
      label->n_left_out += !kept;
      label->n_train += segue_set_from_name (set) == SEGUE_SET_TRAIN;
      label->n_validation += segue_set_from_name (set) == SEGUE_SET_VALIDATION;
      label->n_test += segue_set_from_name (set) == SEGUE_SET_TEST;
      label->n_unset += kept && !set;
    }
  }
  g_array_sort (view->labels, compare_labels);
}

/* The last dataset in which songs have sets. */
static SegueDataset *
find_sets (Preview *preview)
{
  for (guint i = preview->run->n_stages; i > 0; i--) {
    SegueDataset *dataset = preview->outputs[i - 1];
    if (dataset && segue_dataset_get_length (dataset) > 0 &&
        segue_item_get_string (segue_dataset_get_entry (dataset, 0), SEGUE_META_SET))
      return dataset;
  }
  return NULL;
}

gboolean
segue_run_preview (SegueRun *run, GError **error)
{
  g_autoptr (SegueDataView) view = view_new ();
  g_autofree SegueDataset **outputs = g_new0 (SegueDataset *, run->n_stages + 1);
  Preview preview = { .run = run, .outputs = outputs, .view = view };
  gboolean ok = preview_all (&preview, error);
  count_songs (view, run, find_sets (&preview));
  for (guint i = 0; i < run->n_stages; i++)
    segue_dataset_unref (outputs[i]);
  segue_run_tell (run, SEGUE_EVENT (DATA, NULL, .data = view));
  return ok;
}
