/* Children by number: forks them, waits for them, kills them. */
#include "isolate/worker-fork.h"
#include "isolate/message.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long a worker that has closed its socket may take to end. */
#define LAST_WAIT (2 * G_TIME_SPAN_SECOND)

typedef struct {
  guint number;
  pid_t pid;
} Child;

typedef struct {
  int socket;
  SegueWorkerMain main;
  void (*when_idle) (gpointer data);
  gpointer data;
  guint n_forked;
  GArray *children;
} Server;

gboolean
segue_worker_fork_is_safe (void)
{
  g_autoptr (GDir) folder = g_dir_open ("/proc/self/task", 0, NULL);
  guint n = 0;
  while (folder && g_dir_read_name (folder))
    n++;
  return n == 1;
}

/* In the child; if the server has threads, only system calls are allowed. */
static void
work (const Server *server, pid_t parent, int socket)
{
  char name[] = "segue-worker", *const arguments[] = { name, NULL };
  /* If the server dies, its worker does, too. */
  if (prctl (PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid () != parent)
    _exit (1);
  /* In place of the server's: a sandbox may rely on its number, and the server's is closed. */
  if (dup2 (socket, server->socket) < 0)
    _exit (1);
  close (socket);
  if (server->main)
    _exit (server->main (server->socket, server->data));
  execv ("/proc/self/exe", arguments);
  _exit (127);
}

/* If a worker can't be forked, its socket is closed. */
static void
fork_worker (Server *server, SegueMessage *message)
{
  Child child = { 0 };
  pid_t parent = getpid ();
  g_variant_get (message->body, "(u)", &child.number);
  child.pid = message->fd >= 0 ? fork () : -1;
  if (child.pid == 0)
    work (server, parent, message->fd);
  server->n_forked++;
  if (child.pid > 0)
    g_array_append_val (server->children, child);
}

/* 0: there is no such worker. */
static pid_t
fork_take (Server *server, guint number)
{
  for (guint i = 0; i < server->children->len; i++) {
    Child child = g_array_index (server->children, Child, i);
    if (child.number != number)
      continue;
    g_array_remove_index_fast (server->children, i);
    return child.pid;
  }
  return 0;
}

static void
kill_child (pid_t pid)
{
  kill (pid, SIGKILL);
  while (waitpid (pid, NULL, 0) < 0 && errno == EINTR)
    ;
}

/* A process closes its files a moment before waitpid () reports it. */
static int
wait_for (pid_t pid)
{
  gint64 deadline = g_get_monotonic_time () + LAST_WAIT;
  int status = -1;
  pid_t got;
  while ((got = waitpid (pid, &status, WNOHANG)) == 0 && g_get_monotonic_time () < deadline)
    g_usleep (500);
  if (got == 0)
    kill_child (pid);
  return got > 0 ? status : -1;
}

static gboolean
end_worker (Server *server, SegueMessage *message)
{
  guint32 number;
  gboolean tell;
  g_variant_get (message->body, "(ub)", &number, &tell);
  pid_t pid = fork_take (server, number);
  if (!tell && pid > 0)
    kill_child (pid);
  if (!tell)
    return TRUE;
  gint32 status = pid > 0 ? wait_for (pid) : -1;
  return segue_message_send (server->socket, SEGUE_MESSAGE_ENDED,
                             g_variant_new (SEGUE_FORMAT_ENDED, number, status), -1,
                             SEGUE_WAIT_FOR_EVER) == SEGUE_WIRE_OK;
}

static void
use_idle_time (Server *server)
{
  struct pollfd polled = { .fd = server->socket, .events = POLLIN };
  if (server->n_forked == 0 || !server->when_idle || poll (&polled, 1, 0) > 0)
    return;
  server->when_idle (server->data);
  server->when_idle = NULL;
}

static gboolean
serve_once (Server *server)
{
  use_idle_time (server);
  g_auto (SegueMessage) message = { .fd = -1 };
  if (segue_message_receive (server->socket, &message, SEGUE_WAIT_FOR_EVER) != SEGUE_WIRE_OK)
    return FALSE;
  if (message.type == SEGUE_MESSAGE_FORK)
    fork_worker (server, &message);
  return message.type == SEGUE_MESSAGE_FORK ||
         (message.type == SEGUE_MESSAGE_END && end_worker (server, &message));
}

void
segue_worker_fork_all (int socket, SegueWorkerMain main, void (*when_idle) (gpointer data),
                       gpointer data)
{
  Server server = { .socket = socket, .main = main, .when_idle = when_idle, .data = data };
  server.children = g_array_new (FALSE, FALSE, sizeof (Child));
  while (serve_once (&server))
    ;
  for (guint i = 0; i < server.children->len; i++)
    kill_child (g_array_index (server.children, Child, i).pid);
  g_array_unref (server.children);
}
