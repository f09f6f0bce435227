/* A worker's life: open, lock, answer, until nobody asks. */
#include "worker-serve.h"
#include "answer.h"
#include "chain.h"
#include "params.h"
#include "question.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* How long a stage may take to put itself away once nobody asks any more. */
#define LAST_WAIT (1 * G_TIME_SPAN_SECOND)

typedef struct {
  int socket;
  SegueWorkerNotes notes; /* nullable */
  SegueRegistry *registry;
  SegueNode *params;
  SegueGraphStage *stage;
  SegueScope scope;
  SegueChain *chain;
  guint64 memory;
  GPtrArray *readable; /* char: what the stage said that it will read */
  gint busy;           /* atomic: an item is being worked on */
} Worker;

static void
clear_worker (Worker *worker)
{
  g_clear_pointer (&worker->chain, segue_chain_free);
  g_clear_pointer (&worker->stage, segue_graph_stage_free);
  g_clear_pointer (&worker->params, segue_node_free);
  g_clear_pointer (&worker->registry, segue_registry_free);
  g_clear_pointer (&worker->readable, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Worker, clear_worker)

/* What a stage says on its way: passed on, whether or not anybody hears it. */
static void
log_line (gpointer data, const SegueGraphStage *stage, GLogLevelFlags level, const char *message)
{
  Worker *worker = data;
  g_autofree char *text = g_utf8_make_valid (message, -1);
  segue_message_send (worker->socket, SEGUE_MESSAGE_LOG,
                      g_variant_new (SEGUE_FORMAT_LOG, (guint32) level, text), -1,
                      SEGUE_WAIT_FOR_EVER);
}

/* What libraries had to say about the item. */
static void
pass_notes_on (Worker *worker)
{
  g_autofree char *text = worker->notes ? worker->notes () : NULL;
  g_auto (GStrv) lines = g_strsplit (text ? text : "", "\n", -1);
  for (guint i = 0; lines[i]; i++)
    log_line (worker, worker->stage, G_LOG_LEVEL_DEBUG, lines[i]);
}

static void
scalar (gpointer data, const SegueGraphStage *stage, const char *tag, guint64 step, double value)
{
  Worker *worker = data;
  segue_message_send (worker->socket, SEGUE_MESSAGE_SCALAR,
                      g_variant_new (SEGUE_FORMAT_SCALAR, tag, step, value), -1,
                      SEGUE_WAIT_FOR_EVER);
}

static void
progress (gpointer data, const SegueGraphStage *stage, guint64 done, guint64 total,
          const char *detail)
{
  Worker *worker = data;
  segue_message_send (worker->socket, SEGUE_MESSAGE_PROGRESS,
                      g_variant_new (SEGUE_FORMAT_PROGRESS, done, total, detail ? detail : ""), -1,
                      SEGUE_WAIT_FOR_EVER);
}

static void
allow_read (gpointer data, const SegueGraphStage *stage, const char *path)
{
  Worker *worker = data;
  g_ptr_array_add (worker->readable, g_strdup (path));
}

static const SegueStageHost host = {
  .log = log_line, .scalar = scalar, .progress = progress, .allow_read = allow_read
};

/* SegueParamContentFunc: files and folders that the parameters name may be read. */
static char *
note_path (const SegueParam *row, const char *path, gpointer data, GError **error)
{
  g_ptr_array_add (data, g_strdup (path));
  return g_strdup ("");
}

static gboolean
find_stage (Worker *worker, const char *plugin, const char *type_name, const char *id,
            const char *params, gint64 own_seed, GError **error)
{
  worker->registry = segue_registry_new ();
  if (!segue_registry_load_file (worker->registry, plugin, error))
    return FALSE;
  const SegueStageType *type = segue_registry_find_stage (worker->registry, type_name);
  if (!type) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED, "‘%s’ has no stage type '%s' any more",
                 plugin, type_name);
    return FALSE;
  }
  worker->params = segue_node_parse (params, -1, "parameters", error);
  if (!worker->params)
    return FALSE;
  worker->stage = segue_graph_stage_new (worker->registry, type, id, worker->params, "/", error);
  if (!worker->stage)
    return FALSE;
  worker->stage->seed = own_seed;
  worker->stage->isolate = FALSE;
  g_autofree char *ignored =
    segue_params_key (type->params, worker->stage->config, note_path, worker->readable, NULL);
  return TRUE;
}

static gboolean
open_stage (Worker *worker, SegueMessage *message, GError **error)
{
  const char *plugin, *type, *id, *params;
  guint64 seed;
  gint64 own_seed;
  guint32 version;
  if (message->type != SEGUE_MESSAGE_OPEN) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
                         "a worker is told first what to open");
    return FALSE;
  }
  g_variant_get (message->body, "(u^&ay&s&s&sxtt)", &version, &plugin, &type, &id, &params,
                 &own_seed, &seed, &worker->memory);
  if (version != SEGUE_MESSAGE_VERSION) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_FAILED,
                         "segue-worker is of another version of segue; install segue whole");
    return FALSE;
  }
  if (!find_stage (worker, plugin, type, id, params, own_seed, error))
    return FALSE;
  worker->scope = (SegueScope){
    .registry = worker->registry, .seed = seed, .threads = 1, .host = &host, .host_data = worker
  };
  const SegueGraphStage *stages[] = { worker->stage };
  worker->chain = segue_chain_new (&worker->scope, stages, 1);
  return segue_chain_open (worker->chain, error);
}

/* Ends the process when its parent is gone, whatever the stage is at. */
static gpointer
watch (gpointer data)
{
  Worker *worker = data;
  struct pollfd polled = { .fd = worker->socket, .events = POLLRDHUP };
  while (!(polled.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)))
    poll (&polled, 1, -1);
  /* Nobody waits for an answer; a stage that is idle is put away by its own thread. */
  if (!g_atomic_int_get (&worker->busy))
    g_usleep (LAST_WAIT);
  _exit (0);
}

/* What a bad item left behind in the instance goes with it.  A stage that can't be opened from in here
 * needs a new process. */
static gboolean
renew (Worker *worker)
{
  segue_chain_renew (worker->chain);
  return segue_chain_open (worker->chain, NULL);
}

static gboolean
answer (Worker *worker, SegueMessage *message)
{
  g_autoptr (SegueReads) reads = segue_reads_new ();
  g_autoptr (SegueCounts) counts = segue_counts_new ();
  g_autoptr (GError) error = NULL;
  gint64 epoch;
  g_autoptr (SegueItem) item = segue_question_read (message, reads, &epoch, &error);
  if (!item)
    return segue_answer_send_failure (worker->socket, error, SEGUE_WAIT_FOR_EVER) == SEGUE_WIRE_OK;
  if (epoch >= 0)
    segue_chain_set_epoch (worker->chain, (guint) epoch);
  segue_chain_set_counts (worker->chain, counts);
  g_autoptr (GPtrArray) outputs = segue_chain_carry (worker->chain, &item, 1, NULL, &error);
  segue_chain_set_counts (worker->chain, NULL);
  pass_notes_on (worker);
  SegueWire wire =
    segue_answer_send (worker->socket, item, outputs, error, reads, counts, SEGUE_WAIT_FOR_EVER);
  return wire == SEGUE_WIRE_OK && (outputs || renew (worker));
}

static void
answer_all (Worker *worker)
{
  gboolean heard = TRUE;
  while (heard) {
    g_auto (SegueMessage) message = { .fd = -1 };
    heard = segue_message_receive (worker->socket, &message, SEGUE_WAIT_FOR_EVER) == SEGUE_WIRE_OK;
    if (!heard)
      break;
    g_atomic_int_set (&worker->busy, TRUE);
    heard = answer (worker, &message);
    g_atomic_int_set (&worker->busy, FALSE);
  }
}

static gboolean
start (Worker *worker, SegueWorkerLock lock)
{
  g_auto (SegueMessage) message = { .fd = -1 };
  g_autoptr (GError) error = NULL;
  if (segue_message_receive (worker->socket, &message, SEGUE_WAIT_FOR_EVER) != SEGUE_WIRE_OK)
    return FALSE;
  if (!open_stage (worker, &message, &error)) {
    segue_answer_send_failure (worker->socket, error, SEGUE_WAIT_FOR_EVER);
    return FALSE;
  }
  if (lock) {
    g_autofree char *note = lock (worker->readable, worker->memory);
    log_line (worker, worker->stage, G_LOG_LEVEL_DEBUG, note);
  }
  /* Not before: what a lock takes from a thread it may not take from those that are there. */
  g_autoptr (GThread) watcher = g_thread_try_new ("segue-watch", watch, worker, &error);
  if (!watcher) {
    g_autoptr (GError) lack = g_error_new (
      SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
      "can't start a thread: %s; close other programs, or raise the limit (ulimit -u), "
      "and run again",
      error->message);
    segue_answer_send_failure (worker->socket, lack, SEGUE_WAIT_FOR_EVER);
    return FALSE;
  }
  return segue_message_send (worker->socket, SEGUE_MESSAGE_READY,
                             g_variant_new (SEGUE_FORMAT_READY, SEGUE_MESSAGE_VERSION), -1,
                             SEGUE_WAIT_FOR_EVER) == SEGUE_WIRE_OK;
}

int
segue_worker_serve (int socket, SegueWorkerLock lock, SegueWorkerNotes notes)
{
  g_auto (Worker) worker = { .socket = socket,
                             .notes = notes,
                             .readable = g_ptr_array_new_with_free_func (g_free) };
  if (!start (&worker, lock))
    return 1;
  answer_all (&worker);
  return 0;
}
