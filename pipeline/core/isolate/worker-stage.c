/* Opening a stage in its process, and passing on its events. */
#include "isolate/worker-stage.h"

void
segue_worker_stage_clear (SegueWorkerStage *stage)
{
  g_clear_pointer (&stage->chain, segue_chain_free);
  g_clear_pointer (&stage->stage, segue_graph_stage_free);
  g_clear_pointer (&stage->params, segue_node_free);
  g_clear_pointer (&stage->registry, segue_registry_free);
  g_clear_pointer (&stage->readable, g_ptr_array_unref);
}

/* Events of a running stage are sent even if the core may be gone. */
void
segue_worker_stage_report (SegueWorkerStage *stage, const SegueEvent *event)
{
  g_autofree char *text = g_utf8_make_valid (event->text ? event->text : "", -1);
  segue_message_send (stage->socket, SEGUE_MESSAGE_EVENT,
                      g_variant_new (SEGUE_FORMAT_EVENT, (guint32) event->type,
                                     (guint32) event->level, text, event->done, event->total,
                                     event->n, event->value),
                      -1, SEGUE_WAIT_FOR_EVER);
}

static void
take_event (gpointer data, const SegueGraphStage *of, const SegueEvent *event)
{
  if (event->type == SEGUE_EVENT_LOG || event->type == SEGUE_EVENT_SCALAR ||
      event->type == SEGUE_EVENT_PROGRESS)
    segue_worker_stage_report (data, event);
}

static void
allow_read (gpointer data, const SegueGraphStage *stage, const char *path)
{
  g_ptr_array_add (((SegueWorkerStage *) data)->readable, g_strdup (path));
}

static const SegueStageHost host = { .allow_read = allow_read, .event = take_event };

/* SegueParamContentFunc: files and folders that the parameters name may be read. */
static char *
note_path (const SegueParam *row, const char *path, gpointer data, GError **error)
{
  g_ptr_array_add (data, g_strdup (path));
  return g_strdup ("");
}

static gboolean
find_stage (SegueWorkerStage *stage, const char *plugin, const char *type_name, const char *id,
            const char *params, gint64 own_seed, GError **error)
{
  stage->registry = segue_registry_new ();
  if (!segue_registry_load_file (stage->registry, plugin, error))
    return FALSE;
  const SegueStageType *type = segue_registry_find_stage (stage->registry, type_name);
  if (!type) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED,
                 "‘%s’ no longer has the stage type '%s'; run the same command again", plugin,
                 type_name);
    return FALSE;
  }
  stage->params = segue_node_parse (params, -1, "parameters", error);
  if (!stage->params)
    return FALSE;
  stage->stage = segue_graph_stage_new (stage->registry, type, id, stage->params, "/", error);
  if (!stage->stage)
    return FALSE;
  stage->stage->seed = own_seed;
  stage->stage->isolate = FALSE;
  g_autofree char *ignored =
    segue_params_key (type->params, stage->stage->config, note_path, stage->readable, NULL);
  return TRUE;
}

gboolean
segue_worker_stage_open (SegueWorkerStage *stage, SegueMessage *message, GError **error)
{
  const char *plugin, *type, *id, *params;
  guint64 seed;
  gint64 own_seed;
  guint32 version;
  stage->readable = g_ptr_array_new_with_free_func (g_free);
  if (message->type != SEGUE_MESSAGE_OPEN) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
                         "a worker's first message is not a request to open a stage");
    return FALSE;
  }
  g_variant_get (message->body, "(ub^&ay&s&s&sxtt)", &version, &stage->be_server, &plugin, &type,
                 &id, &params, &own_seed, &seed, &stage->memory);
  if (version != SEGUE_MESSAGE_VERSION) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_FAILED,
                         "segue-worker has another version; reinstall segue");
    return FALSE;
  }
  if (!find_stage (stage, plugin, type, id, params, own_seed, error))
    return FALSE;
  stage->scope = (SegueScope){ .registry = stage->registry,
                               .seed = seed,
                               .threads = 1,
                               .host = &host,
                               .host_data = stage,
                               .is_worker = TRUE };
  const SegueGraphStage *stages[] = { stage->stage };
  stage->chain = segue_chain_new (&stage->scope, stages, 1);
  return segue_chain_open (stage->chain, error);
}
