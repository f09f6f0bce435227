/* The core's side of a fork server. */
#include "isolate/fork-server.h"
#include "isolate/answer.h"
#include "params/params.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Opening a stage may read everything that is installed, on a slow disk. */
#define OPEN_LIMIT (300 * G_TIME_SPAN_SECOND)
/* For a reply that the server sends at once, or after the time that it gives a worker to end. */
#define REPLY_LIMIT (10 * G_TIME_SPAN_SECOND)

struct _SegueForkServer {
  SegueContext *context;
  SegueWorkerProcess *process;
  guint64 memory;
  gboolean ready, has_open_workers;
  guint n_forked;
};

static int
socket_of (SegueForkServer *server)
{
  return segue_worker_process_get_socket (server->process);
}

static SegueWait
wait_for (SegueForkServer *server, gint64 limit)
{
  return segue_wait_begin (limit, server->context->cancellable);
}

static gboolean
set_not_opened (SegueForkServer *server, const char *what, GError **error)
{
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED, "‘%s’ can't open stage type '%s': %s",
               segue_worker_process_get_path (server->process), server->context->stage->type->name,
               what);
  return FALSE;
}

gboolean
segue_fork_server_explain (SegueForkServer *server, SegueWire wire, GError **error)
{
  const SegueContext *context = server->context;
  if (wire == SEGUE_WIRE_CANCELLED)
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
  else if (wire == SEGUE_WIRE_BROKEN && errno == EMSGSIZE)
    g_set_error (
      error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
      "‘%s’ has more metadata or parameters than the process of stage '%s' accepts (%d bytes)",
      context->input ? segue_item_get_id (context->input) : context->stage->id, context->stage->id,
      SEGUE_MESSAGE_MAX);
  else if (wire == SEGUE_WIRE_BROKEN)
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_RESOURCE, "can't communicate with",
                                segue_worker_process_get_path (server->process));
  else
    return FALSE;
  return TRUE;
}

gboolean
segue_fork_server_send_open (SegueForkServer *server, int socket, gboolean be_server,
                             GError **error)
{
  const SegueContext *context = server->context;
  const SegueGraphStage *stage = context->stage;
  const SeguePluginEntry *plugin =
    segue_registry_get_plugin_of (context->scope->registry, stage->type);
  SegueWait wait = wait_for (server, OPEN_LIMIT);
  g_autofree char *params = segue_params_describe (stage->type->params, stage->config);
  GVariant *body = g_variant_new (SEGUE_FORMAT_OPEN, SEGUE_MESSAGE_VERSION, be_server, plugin->path,
                                  stage->type->name, stage->id, params, stage->seed,
                                  context->scope->seed, server->memory);
  SegueWire wire = segue_message_send (socket, SEGUE_MESSAGE_OPEN, body, -1, &wait);
  /* If it has ended by now, the wait for its answer finds out why. */
  return wire == SEGUE_WIRE_OK || wire == SEGUE_WIRE_CLOSED ||
         (!segue_fork_server_explain (server, wire, error) &&
          set_not_opened (server, "it does not read its messages", error));
}

SegueForkServer *
segue_fork_server_start (SegueContext *context, guint64 memory, GError **error)
{
  SegueWorkerProcess *process = segue_worker_process_start (error);
  if (!process)
    return NULL;
  SegueForkServer *server = g_new0 (SegueForkServer, 1);
  *server = (SegueForkServer){ .context = context, .process = process, .memory = memory };
  if (segue_fork_server_send_open (server, socket_of (server), TRUE, error))
    return server;
  segue_fork_server_free (server);
  return NULL;
}

static void
log_words (SegueForkServer *server, GLogLevelFlags level, const char *words)
{
  g_auto (GStrv) lines = g_strsplit (words ? words : "", "\n", -1);
  for (guint i = 0; lines[i]; i++)
    if (*lines[i])
      segue_context_log (server->context, level, "%s", lines[i]);
}

void
segue_fork_server_log_words (SegueForkServer *server, GLogLevelFlags level)
{
  g_autofree char *words = segue_worker_process_take_words (server->process);
  log_words (server, level, words);
}

void
segue_fork_server_free (SegueForkServer *server)
{
  if (!server)
    return;
  if (server->ready)
    segue_worker_process_close (server->process);
  else
    segue_worker_process_kill (server->process);
  g_free (server);
}

int
segue_fork_server_reap (SegueForkServer *server)
{
  g_autofree char *words = NULL;
  int status = segue_worker_process_reap (server->process, &words);
  log_words (server, G_LOG_LEVEL_WARNING, words);
  g_free (server);
  return status;
}

static void
set_unexpected (SegueForkServer *server, SegueWire wire, GError **error)
{
  if (!segue_fork_server_explain (server, wire, error))
    set_not_opened (server,
                    wire == SEGUE_WIRE_LATE ? "it timed out"
                                            : "it is not segue-worker, or has another version",
                    error);
}

/* One message up to READY. @answer: the messages before it. */
static gboolean
take_message (SegueForkServer *server, SegueMessage *message, SegueAnswer *answer, gboolean *ready,
              gboolean *forks, GError **error)
{
  const char *why = NULL;
  guint32 version;
  if (message->type == SEGUE_MESSAGE_READY) {
    g_variant_get (message->body, "(ub)", &version, forks);
    *ready = version == SEGUE_MESSAGE_VERSION;
    return *ready || set_not_opened (server, "it has another version; reinstall segue", error);
  }
  if (!segue_answer_take (answer, message, server->context, &why))
    return set_not_opened (server, why, error);
  if (!answer->done)
    return TRUE;
  if (!answer->failure)
    return set_not_opened (server, "it answers before any request", error);
  g_propagate_error (error, g_steal_pointer (&answer->failure));
  return FALSE;
}

SegueOpening
segue_fork_server_listen (SegueForkServer *server, int socket, gboolean quiet, gboolean *forks,
                          GError **error)
{
  SegueWait wait = wait_for (server, OPEN_LIMIT);
  g_auto (SegueAnswer) answer = { 0 };
  segue_answer_init (&answer, NULL);
  answer.quiet = quiet;
  for (gboolean ready = FALSE; !ready;) {
    g_auto (SegueMessage) message = { .fd = -1 };
    SegueWire wire = segue_message_receive (socket, &message, &wait);
    if (wire == SEGUE_WIRE_CLOSED)
      return SEGUE_OPENING_ENDED;
    if (wire != SEGUE_WIRE_OK) {
      set_unexpected (server, wire, error);
      return SEGUE_OPENING_FAILED;
    }
    if (!take_message (server, &message, &answer, &ready, forks, error))
      return SEGUE_OPENING_FAILED;
  }
  return SEGUE_OPENING_DONE;
}

SegueOpening
segue_fork_server_await (SegueForkServer *server, GError **error)
{
  if (server->ready)
    return SEGUE_OPENING_DONE;
  SegueOpening opening =
    segue_fork_server_listen (server, socket_of (server), FALSE, &server->has_open_workers, error);
  server->ready = opening == SEGUE_OPENING_DONE;
  return opening;
}

const char *
segue_fork_server_get_path (SegueForkServer *server)
{
  return segue_worker_process_get_path (server->process);
}

gboolean
segue_fork_server_is_open (SegueForkServer *server)
{
  return server->ready;
}

gboolean
segue_fork_server_has_open_workers (SegueForkServer *server)
{
  return server->ready && server->has_open_workers;
}

gboolean
segue_fork_server_is_gone (SegueForkServer *server)
{
  struct pollfd polled = { .fd = socket_of (server), .events = POLLRDHUP };
  return poll (&polled, 1, 0) > 0 && (polled.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

guint
segue_fork_server_fork (SegueForkServer *server, int *socket, GError **error)
{
  int ends[2];
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_RESOURCE, "can't communicate with",
                                segue_worker_process_get_path (server->process));
    return 0;
  }
  SegueWait wait = wait_for (server, REPLY_LIMIT);
  GVariant *body = g_variant_new (SEGUE_FORMAT_FORK, server->n_forked + 1);
  SegueWire wire =
    segue_message_send (socket_of (server), SEGUE_MESSAGE_FORK, body, ends[1], &wait);
  close (ends[1]);
  *socket = ends[0];
  /* If the server has ended or does not read, the worker's socket is closed. */
  if (!segue_fork_server_explain (server, wire, error))
    return ++server->n_forked;
  close (ends[0]);
  return 0;
}

static SegueWire
send_end (SegueForkServer *server, guint number, gboolean tell)
{
  SegueWait wait = segue_wait_begin (REPLY_LIMIT, NULL);
  GVariant *body = g_variant_new (SEGUE_FORMAT_END, number, tell);
  return segue_message_send (socket_of (server), SEGUE_MESSAGE_END, body, -1, &wait);
}

void
segue_fork_server_kill (SegueForkServer *server, guint number)
{
  send_end (server, number, FALSE);
}

int
segue_fork_server_wait (SegueForkServer *server, guint number)
{
  SegueWait wait = segue_wait_begin (REPLY_LIMIT, NULL);
  g_auto (SegueMessage) message = { .fd = -1 };
  guint32 ended;
  gint32 status;
  if (send_end (server, number, TRUE) != SEGUE_WIRE_OK ||
      segue_message_receive (socket_of (server), &message, &wait) != SEGUE_WIRE_OK ||
      message.type != SEGUE_MESSAGE_ENDED)
    return -1;
  g_variant_get (message.body, "(ui)", &ended, &status);
  return ended == number ? segue_worker_process_read_status (status) : -1;
}
