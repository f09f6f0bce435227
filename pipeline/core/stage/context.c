/* The context: passes a stage's events and requests on to the host. */
#include "item/item-private.h"
#include "stage/context-private.h"
#include "stage/dataset-private.h"
#include "stage/seed.h"

#include <string.h>

void
segue_context_clear (SegueContext *context)
{
  g_clear_error (&context->failure);
  g_clear_pointer (&context->output, segue_dataset_unref);
  g_clear_pointer (&context->nothing, segue_dataset_unref);
}

void
segue_context_set_bug (SegueContext *context, SegueErrorCode code, GError **error,
                       const char *format, ...)
{
  const SegueGraphStage *stage = context->stage;
  SegueRegistry *registry = context->scope->registry;
  const SeguePluginEntry *entry =
    registry ? segue_registry_get_plugin_of (registry, stage->type) : NULL;
  g_autofree char *plugin =
    entry ? g_strdup_printf (", plugin %s %s", entry->plugin->name, entry->plugin->version) : NULL;
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, SEGUE_ERROR, (int) code, "stage '%s' (type '%s'%s) %s", stage->id,
               stage->type->name, plugin ? plugin : "", what);
}

void
segue_context_begin (SegueContext *context)
{
  context->thread = g_thread_self ();
  context->n_emitted = 0;
  g_atomic_int_set (&context->n_reasons, 0);
}

gboolean
segue_context_conclude (SegueContext *context, gboolean ok, GError **error)
{
  g_autoptr (GError) failure = g_steal_pointer (&context->failure);
  if (ok && *error) {
    g_autoptr (GError) forgotten = g_steal_pointer (error);
    segue_context_set_bug (context, SEGUE_ERROR_INTERNAL, error,
                           "returned TRUE with an error set (%s): a bug in the plugin",
                           forgotten->message);
    return FALSE;
  }
  if (ok && failure) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  if (!ok && !*error) {
    if (failure)
      g_propagate_error (error, g_steal_pointer (&failure));
    else
      segue_context_set_bug (context, SEGUE_ERROR_INTERNAL, error,
                             "failed without a reason: a bug in the plugin");
  }
  return ok;
}

const void *
segue_context_get_config (SegueContext *context)
{
  return context->stage->config;
}

const char *
segue_context_get_stage_id (SegueContext *context)
{
  return context->stage->id;
}

void
segue_context_fail (SegueContext *context, const GError *error)
{
  if (!context->failure)
    context->failure = g_error_copy (error);
}

guint64
segue_context_get_seed (SegueContext *context)
{
  const SegueStageType *type = context->stage->type;
  if (type->mode != SEGUE_MODE_SOURCE && !(type->flags & SEGUE_STAGE_SEEDED)) {
    /* Its key has no seed: a cached result would be used for other seeds, too. */
    g_autoptr (GError) error = g_error_new (
      SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
      "stage type ‘%s’ requests a seed without the flag SEGUE_STAGE_SEEDED", type->name);
    segue_context_fail (context, error);
  }
  return segue_seed_derive (context->scope->seed, type->name, context->stage->seed, context->epoch,
                            context->input ? context->input->body->id : NULL);
}

guint
segue_context_get_threads (SegueContext *context)
{
  const SegueStageType *type = context->stage->type;
  gboolean alone = type->mode == SEGUE_MODE_MAP && !(type->flags & SEGUE_STAGE_SHARED);
  return alone ? 1 : MAX (1, context->scope->threads);
}

GCancellable *
segue_context_get_cancellable (SegueContext *context)
{
  return context->cancellable;
}

gboolean
segue_context_check_cancelled (SegueContext *context, GError **error)
{
  if (!context->cancellable || !g_cancellable_is_cancelled (context->cancellable))
    return TRUE;
  g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
  return FALSE;
}

SegueRegistry *
segue_context_get_registry (SegueContext *context)
{
  return context->scope->registry;
}

static gboolean
has_input (const SegueStageType *type, const char *port)
{
  for (const SeguePort *const *input = type->inputs; input && *input; input++)
    if (strcmp ((*input)->name, port) == 0)
      return type->mode == SEGUE_MODE_SERIAL || type->mode == SEGUE_MODE_COLLECT;
  return FALSE;
}

SegueDataset *
segue_context_get_input (SegueContext *context, const char *port)
{
  return segue_context_get_nth_input (context, port, 0);
}

SegueDataset *
segue_context_get_nth_input (SegueContext *context, const char *port, guint nth)
{
  const SegueScope *scope = context->scope;
  const SegueStageType *type = context->stage->type;
  if (!has_input (type, port)) {
    g_autoptr (GError) error =
      g_error_new (SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
                   "stage type ‘%s’ requests the dataset on input ‘%s’, which it does not declare",
                   type->name, port);
    segue_context_fail (context, error);
    if (!context->nothing)
      context->nothing = segue_dataset_new_from_items (NULL, 0);
    return context->nothing;
  }
  return scope->host && scope->host->get_input
           ? scope->host->get_input (scope->host_data, context->stage, port, nth)
           : NULL;
}

static void
say (SegueContext *context, const SegueEvent *event)
{
  const SegueScope *scope = context->scope;
  if (scope->host && scope->host->event)
    scope->host->event (scope->host_data, context->stage, event);
}

void
segue_context_quarantine (SegueContext *context, const char *id, const GError *error)
{
  g_atomic_int_inc (&context->n_reasons);
  say (context, SEGUE_EVENT (ITEM_FAILED, context->stage->id, .text = id, .error = error));
}

void
segue_context_count (SegueContext *context, const char *name, gint64 n)
{
  g_atomic_int_inc (&context->n_reasons);
  if (context->counts)
    segue_counts_add (context->counts, context->index, name, n);
  else
    say (context, SEGUE_EVENT (COUNT, context->stage->id, .text = name, .n = n));
}

void
segue_context_allow_read (SegueContext *context, const char *path)
{
  const SegueScope *scope = context->scope;
  if (scope->host && scope->host->allow_read)
    scope->host->allow_read (scope->host_data, context->stage, path);
}

static const char *
get_folder (SegueContext *context, gboolean work, GError **error)
{
  const SegueScope *scope = context->scope;
  if (scope->host && scope->host->get_folder)
    return scope->host->get_folder (scope->host_data, context->stage, work, error);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
               "stage ‘%s’ requested a folder, but may not write here", context->stage->id);
  return NULL;
}

const char *
segue_context_get_output_folder (SegueContext *context, GError **error)
{
  return get_folder (context, FALSE, error);
}

const char *
segue_context_get_work_folder (SegueContext *context, GError **error)
{
  return get_folder (context, TRUE, error);
}

void
segue_context_progress (SegueContext *context, guint64 done, guint64 total, const char *detail)
{
  say (context,
       SEGUE_EVENT (PROGRESS, context->stage->id, .done = done, .total = total, .text = detail));
}

void
segue_context_set_progress_unit (SegueContext *context, const char *unit)
{
  say (context, SEGUE_EVENT (PROGRESS_UNIT, context->stage->id, .text = unit));
}

void
segue_context_log (SegueContext *context, GLogLevelFlags level, const char *format, ...)
{
  if (!(level & G_LOG_LEVEL_DEBUG))
    g_atomic_int_inc (&context->n_reasons);
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  say (context, SEGUE_EVENT (LOG, context->stage->id, .level = level, .text = message));
}

void
segue_context_scalar (SegueContext *context, const char *tag, guint64 step, double value)
{
  say (context,
       SEGUE_EVENT (SCALAR, context->stage->id, .text = tag, .n = (gint64) step, .value = value));
}
