/* SOURCE, SERIAL and COLLECT stages: the calls of one stage in their order. */
#include "stage/stage-run.h"
#include "base/calling.h"
#include "item/item-private.h"
#include "stage/emitted.h"

#include <string.h>

gboolean
segue_stage_open (SegueContext *context, gpointer *instance, GError **error)
{
  const SegueStageType *type = context->stage->type;
  g_autoptr (GError) local = NULL;
  *instance = NULL;
  segue_context_begin (context);
  if (!type->open ||
      segue_context_conclude (context, type->open (context, instance, &local), &local)) {
    if (!*instance || type->close)
      return TRUE;
    segue_context_set_bug (
      context, SEGUE_ERROR_INTERNAL, &local,
      "makes an instance in open () and has no close () to free it: a bug in the plugin");
  }
  *instance = NULL;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

static void
close_stage (SegueContext *context, gpointer instance)
{
  if (instance && context->stage->type->close)
    context->stage->type->close (instance);
}

typedef gboolean (*WholeFunc) (gpointer instance, SegueContext *context, GError **error);

static gboolean
run_whole (SegueContext *context, WholeFunc function, GError **error)
{
  gpointer instance;
  g_autoptr (GError) local = NULL;
  gboolean ok = segue_context_check_cancelled (context, &local) &&
                segue_stage_open (context, &instance, &local);
  if (ok) {
    segue_context_begin (context);
    const SegueCalling outer = segue_calling_begin ("stage", context->stage->id, FALSE);
    ok = function (instance, context, &local);
    segue_calling_end (outer);
    ok = segue_context_conclude (context, ok, &local);
    if (ok && context->stage->type->mode == SEGUE_MODE_COLLECT)
      ok = segue_emitted_check_output (context, &local);
    close_stage (context, instance);
  }
  if (!ok)
    g_propagate_error (error, g_steal_pointer (&local));
  return ok;
}

gboolean
segue_stage_produce (SegueContext *context, GError **error)
{
  return run_whole (context, context->stage->type->produce, error);
}

gboolean
segue_stage_collect (SegueContext *context, GError **error)
{
  return run_whole (context, context->stage->type->collect, error);
}

static gboolean
open_serial (SegueSerial *serial, GError **error)
{
  if (serial->opened)
    return TRUE;
  if (!segue_stage_open (serial->context, &serial->instance, error))
    return FALSE;
  serial->opened = TRUE;
  segue_context_begin (serial->context);
  return TRUE;
}

static gboolean
end_song (SegueSerial *serial, GError **error)
{
  SegueContext *context = serial->context;
  if (!serial->song)
    return TRUE;
  g_clear_pointer (&serial->song, g_free);
  if (!context->stage->type->end_song)
    return TRUE;
  gboolean ok = context->stage->type->end_song (serial->instance, context, error);
  return segue_context_conclude (context, ok, error);
}

static gboolean
push (SegueSerial *serial, SegueItem *item, GError **error)
{
  SegueContext *context = serial->context;
  if (!segue_context_check_cancelled (context, error) || !open_serial (serial, error))
    return FALSE;
  if (serial->song && strcmp (serial->song, item->body->song) != 0 && !end_song (serial, error))
    return FALSE;
  if (!serial->song)
    serial->song = g_strdup (item->body->song);
  guint64 looked = segue_emitted_look (context, item);
  serial->n_items++;
  const SegueCalling outer = segue_calling_begin ("stage", context->stage->id, FALSE);
  gboolean ok = context->stage->type->process (serial->instance, item, context, error);
  segue_calling_end (outer);
  return segue_context_conclude (context, ok, error) &&
         segue_emitted_check_unchanged (context, item, looked, error);
}

gboolean
segue_serial_push (SegueSerial *serial, SegueItem *item, GError **error)
{
  g_autoptr (GError) local = NULL;
  if (push (serial, item, &local))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

static gboolean
finish (SegueSerial *serial, GError **error)
{
  SegueContext *context = serial->context;
  if (!open_serial (serial, error) || !end_song (serial, error) ||
      !segue_context_check_cancelled (context, error))
    return FALSE;
  if (context->stage->type->finish &&
      !segue_context_conclude (
        context, context->stage->type->finish (serial->instance, context, error), error))
    return FALSE;
  return serial->n_items == 0 || g_atomic_int_get (&context->n_reasons) > 0 ||
         segue_emitted_check_output (context, error);
}

gboolean
segue_serial_finish (SegueSerial *serial, GError **error)
{
  g_autoptr (GError) local = NULL;
  if (finish (serial, &local))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

void
segue_serial_clear (SegueSerial *serial)
{
  if (serial->opened)
    close_stage (serial->context, serial->instance);
  serial->opened = FALSE;
  g_clear_pointer (&serial->song, g_free);
}

gboolean
segue_stage_stream (SegueContext *context, SegueDataset *dataset, GError **error)
{
  g_auto (SegueSerial) serial = { .context = context };
  g_autoptr (SegueReader) reader = segue_reader_new (dataset, 0);
  guint n = segue_dataset_get_length (dataset);
  for (guint i = 0; i < n; i++) {
    g_autoptr (SegueItem) item = segue_reader_get (reader, i, context->cancellable, error);
    if (!item || !segue_serial_push (&serial, item, error))
      return FALSE;
  }
  return segue_serial_finish (&serial, error);
}
