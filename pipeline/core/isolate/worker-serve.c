/* The main loop of a worker process: open, and fork, or lock and answer, until the socket
 * closes. */
#include "isolate/worker-serve.h"
#include "isolate/answer.h"
#include "isolate/question.h"
#include "isolate/worker-fork.h"
#include "isolate/worker-stage.h"

#include <stdio.h>
#include <unistd.h>

typedef struct {
  SegueWorkerStage stage;
  const SegueWorkerHooks *hooks;
} Worker;

/* Log lines of libraries about the item. */
static void
pass_notes_on (Worker *worker)
{
  g_autofree char *text = worker->hooks->take_notes ? worker->hooks->take_notes () : NULL;
  g_auto (GStrv) lines = g_strsplit (text ? text : "", "\n", -1);
  for (guint i = 0; lines[i]; i++)
    segue_worker_stage_report (
      &worker->stage, SEGUE_EVENT (LOG, NULL, .level = G_LOG_LEVEL_DEBUG, .text = lines[i]));
}

static gboolean
answer (Worker *worker, SegueSharedArena *arena, SegueMessage *message)
{
  SegueWorkerStage *stage = &worker->stage;
  g_autoptr (SegueReads) reads = segue_reads_new ();
  g_autoptr (SegueCounts) counts = segue_counts_new ();
  g_autoptr (GError) error = NULL;
  gint64 epoch;
  g_autoptr (SegueItem) item = segue_question_read (message, reads, &epoch, &error);
  if (!item)
    return segue_answer_send_failure (stage->socket, error, SEGUE_WAIT_FOR_EVER) == SEGUE_WIRE_OK;
  if (epoch >= 0)
    segue_chain_set_epoch (stage->chain, (guint) epoch);
  segue_chain_set_counts (stage->chain, counts);
  g_autoptr (GPtrArray) outputs = segue_chain_carry (stage->chain, &item, 1, NULL, &error);
  segue_chain_set_counts (stage->chain, NULL);
  pass_notes_on (worker);
  return segue_answer_send (stage->socket, arena, item, outputs, error, reads, counts,
                            SEGUE_WAIT_FOR_EVER) == SEGUE_WIRE_OK;
}

static gboolean
answer_once (Worker *worker)
{
  g_auto (SegueSharedArena) arena = SEGUE_SHARED_ARENA_NONE;
  g_auto (SegueMessage) message = { .fd = -1 };
  return segue_question_receive (worker->stage.socket, &arena, &message, SEGUE_WAIT_FOR_EVER) &&
         answer (worker, &arena, &message);
}

static gboolean
say_ready (int socket, gboolean forks)
{
  return segue_message_send (socket, SEGUE_MESSAGE_READY,
                             g_variant_new (SEGUE_FORMAT_READY, SEGUE_MESSAGE_VERSION, forks), -1,
                             SEGUE_WAIT_FOR_EVER) == SEGUE_WIRE_OK;
}

static gboolean
lock_in (Worker *worker)
{
  SegueWorkerStage *stage = &worker->stage;
  if (worker->hooks->lock) {
    g_autofree char *note = worker->hooks->lock (stage->memory);
    segue_worker_stage_report (stage,
                               SEGUE_EVENT (LOG, NULL, .level = G_LOG_LEVEL_DEBUG, .text = note));
  }
  return say_ready (stage->socket, FALSE);
}

/* SegueWorkerMain. */
static int
work (int socket, gpointer data)
{
  Worker *worker = data;
  worker->stage.socket = socket;
  if (!lock_in (worker))
    return 1;
  while (answer_once (worker))
    ;
  return 0;
}

static void
preload (gpointer data)
{
  Worker *worker = data;
  segue_chain_preload (worker->stage.chain);
  if (segue_worker_fork_is_safe ())
    return;
  fprintf (stderr, "stage type '%s' left threads running after preload ()\n",
           worker->stage.stage->type->name);
  _exit (70);
}

/* Math libraries that decoders depend on start threads as soon as they are loaded. A stage in a
 * worker computes with one thread. */
static void
ask_for_no_threads (void)
{
  g_setenv ("OPENBLAS_NUM_THREADS", "1", TRUE);
  g_setenv ("OMP_NUM_THREADS", "1", TRUE);
}

/* For this process, or for all processes that it forks. */
static void
prepare_lock (Worker *worker)
{
  if (worker->hooks->prepare)
    worker->hooks->prepare (worker->stage.readable);
}

int
segue_worker_serve (int socket, const SegueWorkerHooks *hooks)
{
  ask_for_no_threads ();
  Worker worker = { .stage = { .socket = socket }, .hooks = hooks };
  g_auto (SegueMessage) message = { .fd = -1 };
  g_autoptr (GError) error = NULL;
  int status = 0;
  if (segue_message_receive (socket, &message, SEGUE_WAIT_FOR_EVER) != SEGUE_WIRE_OK)
    return 1;
  if (!segue_worker_stage_open (&worker.stage, &message, &error)) {
    segue_answer_send_failure (socket, error, SEGUE_WAIT_FOR_EVER);
    status = 1;
  } else if (!worker.stage.be_server) {
    prepare_lock (&worker);
    status = work (socket, &worker);
  } else {
    /* A fork of a process with threads would lack all but one of them. */
    gboolean forks = segue_worker_fork_is_safe ();
    if (forks)
      prepare_lock (&worker);
    if (say_ready (socket, forks))
      segue_worker_fork_all (socket, forks ? work : NULL, forks ? preload : NULL, &worker);
  }
  segue_worker_stage_clear (&worker.stage);
  return status;
}
