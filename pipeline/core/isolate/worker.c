#include "isolate/worker.h"

#include <unistd.h>

struct _SegueWorker {
  SegueForkServer *server;
  guint number;
  int socket;
  gboolean asked; /* OPEN was sent, as its server could not open the stage for it */
  gboolean ready;
};

/* If the server's workers start without the stage: has them open it in advance. */
static gboolean
ask_to_open (SegueWorker *worker, GError **error)
{
  if (worker->asked || segue_fork_server_has_open_workers (worker->server))
    return TRUE;
  worker->asked = TRUE;
  return segue_fork_server_send_open (worker->server, worker->socket, FALSE, error);
}

SegueWorker *
segue_worker_new (SegueForkServer *server, GError **error)
{
  int socket;
  guint number = segue_fork_server_fork (server, &socket, error);
  if (number == 0)
    return NULL;
  SegueWorker *worker = g_new0 (SegueWorker, 1);
  *worker = (SegueWorker){ .server = server, .number = number, .socket = socket };
  if (!segue_fork_server_is_open (server) || ask_to_open (worker, error))
    return worker;
  segue_worker_kill (worker);
  return NULL;
}

SegueOpening
segue_worker_await (SegueWorker *worker, gboolean quiet, GError **error)
{
  gboolean forks;
  if (worker->ready)
    return SEGUE_OPENING_DONE;
  SegueOpening opening = segue_fork_server_await (worker->server, error);
  if (opening != SEGUE_OPENING_DONE)
    return opening;
  if (!ask_to_open (worker, error))
    return SEGUE_OPENING_FAILED;
  opening = segue_fork_server_listen (worker->server, worker->socket, quiet, &forks, error);
  worker->ready = opening == SEGUE_OPENING_DONE;
  return opening;
}

int
segue_worker_get_socket (SegueWorker *worker)
{
  return worker->socket;
}

void
segue_worker_kill (SegueWorker *worker)
{
  close (worker->socket);
  segue_fork_server_kill (worker->server, worker->number);
  g_free (worker);
}

int
segue_worker_reap (SegueWorker *worker)
{
  int status = segue_fork_server_wait (worker->server, worker->number);
  close (worker->socket);
  g_free (worker);
  return status;
}
