/* The harness: one stage, driven by a test. */
#include "again.h"
#include "before.h"
#include "graph/advice.h"
#include "isolate/isolated-stage.h"
#include "item/item-private.h"
#include "place.h"
#include "stage/shared.h"
#include "stage/stage-run.h"

#include <locale.h>
#include <segue/file.h>
#include <segue/testing.h>

struct _SegueHarness {
  SegueRegistry *own_registry; /* nullable */
  SegueNode *with;
  SegueGraphStage *stage;
  SegueScope scope;
  GCancellable *cancellable;
  char *folder, *output_folder, *work_folder;
  guint epoch;

  SegueChain *chain;    /* MAP */
  SegueChain *again;    /* likewise: see segue_again_check() */
  SegueScope quiet;     /* the scope of @again */
  SegueContext context; /* the other modes */
  SegueSerial serial;
  GHashTable *inputs; /* port → GPtrArray of SegueDataset */
  SegueBefore *before;

  GMutex lock; /* of counts, quarantined and log, which any thread may use */
  GHashTable *counts;
  GPtrArray *quarantined, *log;
  GQueue output;
};

static SegueDataset *
get_input (gpointer data, const SegueGraphStage *stage, const char *port, guint nth)
{
  SegueHarness *harness = data;
  const GPtrArray *datasets = g_hash_table_lookup (harness->inputs, port);
  return datasets && nth < datasets->len ? g_ptr_array_index (datasets, nth) : NULL;
}

static void
add_count (SegueHarness *harness, const char *name, gint64 n)
{
  gint64 *total = g_hash_table_lookup (harness->counts, name);
  if (!total) {
    total = g_new0 (gint64, 1);
    g_hash_table_insert (harness->counts, g_strdup (name), total);
  }
  *total += n;
}

static void
add_line (SegueHarness *harness, GLogLevelFlags level, const char *message)
{
  const char *name = (level & G_LOG_LEVEL_MASK) > G_LOG_LEVEL_WARNING ? "info" : "warning";
  g_autofree char *advised =
    segue_advise (message, segue_before_get_stages (harness->before), harness->stage->id);
  g_ptr_array_add (harness->log, g_strdup_printf ("%s: %s", name, advised));
}

static void
add_failure (SegueHarness *harness, const char *id, const GError *error)
{
  g_autofree char *message =
    segue_advise (error->message, segue_before_get_stages (harness->before), harness->stage->id);
  g_ptr_array_add (harness->quarantined, g_strdup_printf ("%s: %s", id, message));
}

static void
take_event (gpointer data, const SegueGraphStage *stage, const SegueEvent *event)
{
  SegueHarness *harness = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&harness->lock);
  if (event->type == SEGUE_EVENT_COUNT)
    add_count (harness, event->text, event->n);
  else if (event->type == SEGUE_EVENT_LOG)
    add_line (harness, event->level, event->text);
  else if (event->type == SEGUE_EVENT_ITEM_FAILED)
    add_failure (harness, event->text, event->error);
}

static const char *
get_folder (gpointer data, const SegueGraphStage *stage, gboolean work, GError **error)
{
  SegueHarness *harness = data;
  const char *path = work ? harness->work_folder : harness->output_folder;
  return segue_file_make_folder (path, error) ? path : NULL;
}

static const SegueStageHost host = {
  .get_input = get_input,
  .get_folder = get_folder,
  .event = take_event,
};

/* For repeated processing, only to compare results: nothing is counted. */
static const SegueStageHost quiet_host = { .get_folder = get_folder };

static gboolean
collect_output (gpointer data, SegueItem *item, GError **error)
{
  SegueHarness *harness = data;
  g_queue_push_tail (&harness->output, item);
  return TRUE;
}

static const SegueStageType *
find_type (SegueRegistry *registry, const char *stage, GError **error)
{
  const SegueStageType *type = segue_registry_find_stage (registry, stage);
  if (type)
    return type;
  g_autoptr (GPtrArray) types = segue_registry_list_stages (registry);
  g_autoptr (GString) names = g_string_new (NULL);
  for (guint i = 0; i < types->len; i++)
    g_string_append_printf (names, "%s'%s'", i > 0 ? ", " : "",
                            ((const SegueStageType *) g_ptr_array_index (types, i))->name);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE, "there is no stage type '%s'; available: %s",
               stage, names->len ? names->str : "none");
  return NULL;
}

/* GLib prints messages in the character set of the locale: in that of a program that calls no setlocale (), quotes
 * become `?`. */
static void
use_utf8 (void)
{
  if (g_strcmp0 (setlocale (LC_CTYPE, NULL), "C") != 0)
    return;
  setlocale (LC_CTYPE, "");
  if (!g_get_charset (NULL))
    setlocale (LC_CTYPE, "C.UTF-8");
}

SegueHarness *
segue_harness_try_new_in (SegueRegistry *registry, const char *stage, const char *config,
                          GError **error)
{
  use_utf8 ();
  g_autoptr (SegueHarness) harness = g_new0 (SegueHarness, 1);
  g_mutex_init (&harness->lock);
  g_queue_init (&harness->output);
  harness->cancellable = g_cancellable_new ();
  harness->inputs =
    g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  harness->counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  harness->quarantined = g_ptr_array_new_with_free_func (g_free);
  harness->log = g_ptr_array_new_with_free_func (g_free);
  const SegueStageType *type = find_type (registry, stage, error);
  if (!type)
    return NULL;
  harness->folder = g_dir_make_tmp ("segue-test-XXXXXX", error);
  if (!harness->folder)
    return NULL;
  harness->output_folder = g_build_filename (harness->folder, "output", NULL);
  harness->work_folder = g_build_filename (harness->folder, "work", NULL);
  harness->with = segue_node_parse (config, -1, "config", error);
  if (!harness->with)
    return NULL;
  harness->stage =
    segue_graph_stage_new (registry, type, stage, harness->with, harness->folder, error);
  if (!harness->stage)
    return NULL;
  harness->before = segue_before_new (harness->stage);
  harness->scope = (SegueScope){ .registry = registry,
                                 .seed = 42,
                                 .threads = 1,
                                 .isolated = segue_isolated_carrier (),
                                 .shared = segue_shared_new (),
                                 .host = &host,
                                 .host_data = harness,
                                 .thorough = TRUE };
  harness->context =
    (SegueContext){ .scope = &harness->scope,
                    .stage = harness->stage,
                    .cancellable = harness->cancellable,
                    .epoch = -1,
                    .emit = collect_output,
                    .emit_data = harness,
                    .names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL) };
  harness->serial.context = &harness->context;
  return g_steal_pointer (&harness);
}

SegueHarness *
segue_harness_new_in_at (SegueRegistry *registry, const char *stage, const char *config,
                         const char *file, int line, const char *function)
{
  g_autoptr (GError) error = NULL;
  SegueHarness *harness = segue_harness_try_new_in (registry, stage, config, &error);
  segue_place_check (error, file, line, function);
  return harness;
}

SegueHarness *
segue_harness_try_new (const SeguePlugin *plugin, const char *stage, const char *config,
                       GError **error)
{
  g_autoptr (SegueRegistry) registry = segue_registry_new ();
  if (!segue_registry_add (registry, plugin, NULL, error))
    return NULL;
  SegueHarness *harness = segue_harness_try_new_in (registry, stage, config, error);
  if (harness)
    harness->own_registry = g_steal_pointer (&registry);
  return harness;
}

SegueHarness *
segue_harness_new_at (const SeguePlugin *plugin, const char *stage, const char *config,
                      const char *file, int line, const char *function)
{
  g_autoptr (GError) error = NULL;
  SegueHarness *harness = segue_harness_try_new (plugin, stage, config, &error);
  segue_place_check (error, file, line, function);
  return harness;
}

void
segue_harness_free (SegueHarness *harness)
{
  if (!harness)
    return;
  segue_chain_free (harness->chain);
  segue_chain_free (harness->again);
  segue_serial_clear (&harness->serial);
  segue_shared_free (harness->scope.shared);
  segue_context_clear (&harness->context);
  g_clear_pointer (&harness->context.names, g_hash_table_unref);
  segue_before_free (harness->before);
  g_clear_pointer (&harness->stage, segue_graph_stage_free);
  g_clear_pointer (&harness->with, segue_node_free);
  g_hash_table_unref (harness->inputs);
  g_hash_table_unref (harness->counts);
  g_ptr_array_unref (harness->quarantined);
  g_ptr_array_unref (harness->log);
  g_queue_clear_full (&harness->output, (GDestroyNotify) segue_item_unref);
  segue_registry_free (harness->own_registry);
  g_object_unref (harness->cancellable);
  if (harness->folder)
    segue_file_remove_folder (harness->folder, NULL);
  g_free (harness->folder);
  g_free (harness->output_folder);
  g_free (harness->work_folder);
  g_mutex_clear (&harness->lock);
  g_free (harness);
}

void
segue_harness_set_seed (SegueHarness *harness, guint64 seed)
{
  harness->scope.seed = seed;
}

void
segue_harness_set_epoch (SegueHarness *harness, guint epoch)
{
  harness->epoch = epoch;
}

void
segue_harness_set_threads (SegueHarness *harness, guint threads)
{
  harness->scope.threads = threads;
}

GCancellable *
segue_harness_get_cancellable (SegueHarness *harness)
{
  return harness->cancellable;
}

static void
open_chains (SegueHarness *harness)
{
  const SegueGraphStage *stage = harness->stage;
  if (!harness->chain)
    harness->chain = segue_chain_new (&harness->scope, &stage, 1);
  if (!harness->again)
    harness->again = segue_chain_new (&harness->quiet, &stage, 1);
  harness->quiet = harness->scope;
  harness->quiet.host = &quiet_host;
  segue_chain_set_epoch (harness->chain, harness->epoch);
  segue_chain_set_epoch (harness->again, harness->epoch);
}

static gboolean
negotiate (SegueHarness *harness, GError **error)
{
  return segue_before_negotiate (harness->before, harness->scope.registry, error);
}

/* In a pipeline, the length of songs is not known before they are decoded: one that the stage would refuse in advance
 * is left to process (). */
static gboolean
negotiate_item (SegueHarness *harness, SegueItem *item, GError **error)
{
  g_autoptr (GError) local = NULL;
  segue_before_connect (harness->before, 0, &item, 1, FALSE);
  if (negotiate (harness, &local))
    return TRUE;
  segue_before_forget_length (harness->before, 0);
  return negotiate (harness, error);
}

static gboolean
push_through_map (SegueHarness *harness, SegueItem *item, GError **error)
{
  if (!negotiate_item (harness, item, error))
    return FALSE;
  open_chains (harness);
  /* As a run gives it to a chain, which records what is read. */
  g_autoptr (SegueReads) reads = segue_reads_new ();
  g_autoptr (SegueItem) input = segue_item_copy_as_input (item, reads, 0);
  g_autoptr (GPtrArray) output =
    segue_chain_carry (harness->chain, &input, 1, harness->cancellable, error);
  if (!output || !segue_again_check (harness->again, harness->stage, item, output,
                                     harness->cancellable, error))
    return FALSE;
  for (guint i = 0; i < output->len; i++)
    g_queue_push_tail (&harness->output, segue_item_ref (g_ptr_array_index (output, i)));
  return TRUE;
}

static gboolean
push_to_serial (SegueHarness *harness, SegueItem *item, GError **error)
{
  segue_before_connect (harness->before, 0, &item, 1, TRUE);
  return negotiate (harness, error) && segue_serial_push (&harness->serial, item, error);
}

/* Errors of the test, not of the stage. */
static gboolean
may_push (SegueHarness *harness, const SegueItem *item, GError **error)
{
  const SegueStageType *type = harness->stage->type;
  if (type->mode != SEGUE_MODE_MAP && type->mode != SEGUE_MODE_SERIAL) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE,
                 "stage type '%s' takes no items one by one: it is neither MAP nor SERIAL; call "
                 "segue_harness_set_input () and segue_harness_run ()",
                 type->name);
    return FALSE;
  }
  SegueKind wanted = type->inputs[0]->kind, kind = segue_item_get_kind (item);
  if (segue_kind_takes (wanted, kind))
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE,
               "stage type '%s' takes items of kind %s, not %s", type->name,
               segue_kind_words (wanted), segue_kind_to_string (kind));
  return FALSE;
}

gboolean
segue_harness_try_push (SegueHarness *harness, SegueItem *item, GError **error)
{
  SegueMode mode = harness->stage->type->mode;
  if (!may_push (harness, item, error))
    return FALSE;
  segue_item_seal (item);
  g_autoptr (GError) local = NULL;
  if (mode == SEGUE_MODE_MAP ? push_through_map (harness, item, &local)
                             : push_to_serial (harness, item, &local))
    return TRUE;
  segue_advise_error (&local, segue_before_get_stages (harness->before), harness->stage->id);
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

void
segue_harness_push_at (SegueHarness *harness, SegueItem *item, const char *file, int line,
                       const char *function)
{
  g_autoptr (GError) error = NULL;
  segue_harness_try_push (harness, item, &error);
  segue_place_check (error, file, line, function);
}

/* The index of @port; an error of the test where there is none, or where @several is requested of a port for one. */
static guint
find_port (SegueHarness *harness, const char *port, gboolean several, GError **error)
{
  const SeguePort *const *inputs = harness->stage->type->inputs;
  guint i = 0;
  while (inputs && inputs[i] && !g_str_equal (inputs[i]->name, port))
    i++;
  if (!inputs || !inputs[i])
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE, "stage type '%s' has no input '%s'",
                 harness->stage->type->name, port);
  else if (several && !(inputs[i]->flags & SEGUE_PORT_SEVERAL))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE,
                 "input '%s' of stage type '%s' takes one dataset", port,
                 harness->stage->type->name);
  return i;
}

void
segue_harness_set_input_at (SegueHarness *harness, const char *port, SegueItem *const *items,
                            guint n_items, const char *file, int line, const char *function)
{
  g_autoptr (GError) error = NULL;
  guint index = find_port (harness, port, FALSE, &error);
  segue_place_check (error, file, line, function);
  segue_before_connect (harness->before, index, items, n_items, FALSE);
  GPtrArray *datasets = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_dataset_unref);
  g_ptr_array_add (datasets, segue_dataset_new_from_items (items, n_items));
  g_hash_table_replace (harness->inputs, g_strdup (port), datasets);
}

void
segue_harness_add_input_at (SegueHarness *harness, const char *port, SegueItem *const *items,
                            guint n_items, const char *file, int line, const char *function)
{
  g_autoptr (GError) error = NULL;
  guint index = find_port (harness, port, TRUE, &error);
  segue_place_check (error, file, line, function);
  GPtrArray *datasets = g_hash_table_lookup (harness->inputs, port);
  if (!datasets) {
    segue_harness_set_input_at (harness, port, items, n_items, file, line, function);
    return;
  }
  segue_before_connect (harness->before, index, items, n_items, TRUE);
  g_ptr_array_add (datasets, segue_dataset_new_from_items (items, n_items));
}

static gboolean
harness_run (SegueHarness *harness, GError **error)
{
  const SegueStageType *type = harness->stage->type;
  if (!harness->serial.opened)
    g_hash_table_remove_all (harness->context.names);
  if (type->mode != SEGUE_MODE_MAP && !negotiate (harness, error))
    return FALSE;
  switch (type->mode) {
  case SEGUE_MODE_SOURCE:
    return segue_stage_produce (&harness->context, error);
  case SEGUE_MODE_COLLECT:
    return segue_stage_collect (&harness->context, error);
  case SEGUE_MODE_SERIAL: {
    SegueDataset *first = get_input (harness, harness->stage, type->inputs[0]->name, 0);
    if (harness->serial.opened || !first)
      return segue_serial_finish (&harness->serial, error);
    return segue_stage_stream (&harness->context, first, error);
  }
  case SEGUE_MODE_MAP:
    break;
  }
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE,
               "stage type '%s' is MAP and takes items one by one: call segue_harness_push ()",
               type->name);
  return FALSE;
}

gboolean
segue_harness_run (SegueHarness *harness, GError **error)
{
  g_autoptr (GError) local = NULL;
  if (harness_run (harness, &local))
    return TRUE;
  segue_advise_error (&local, segue_before_get_stages (harness->before), harness->stage->id);
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

SegueItem *
segue_harness_pull (SegueHarness *harness)
{
  return g_queue_pop_head (&harness->output);
}

SegueDataset *
segue_harness_get_dataset (SegueHarness *harness)
{
  return harness->context.output;
}

gint64
segue_harness_get_count (SegueHarness *harness, const char *counter)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&harness->lock);
  const gint64 *total = g_hash_table_lookup (harness->counts, counter);
  return total ? *total : 0;
}

GPtrArray *
segue_harness_get_quarantined (SegueHarness *harness)
{
  return harness->quarantined;
}

GPtrArray *
segue_harness_get_log (SegueHarness *harness)
{
  return harness->log;
}

const char *
segue_harness_get_folder (SegueHarness *harness)
{
  return harness->folder;
}
