/* Starting, ending and burying worker processes. */
#include "worker-process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <segue/error.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* How long a worker that is no longer needed, or has closed its socket, may take to end. */
#define LAST_WAIT (2 * G_TIME_SPAN_SECOND)
/* Threads reserve far more addresses than they use. */
#define LEAST_MEMORY ((guint64) 4 << 30)
/* The socket's number in the worker; the first after the standard ones. */
#define SOCKET 3

struct _SegueWorkerProcess {
  pid_t pid;
  int socket;
  char *path;
};

guint64
segue_worker_memory (void)
{
  long pages = sysconf (_SC_PHYS_PAGES), size = sysconf (_SC_PAGESIZE);
  guint64 all = pages > 0 && size > 0 ? (guint64) pages * (guint64) size : 0;
  return MAX (all / 2, LEAST_MEMORY);
}

static char *
find_program (void)
{
  const char *given = g_getenv ("SEGUE_WORKER");
  return g_strdup (given && *given ? given : SEGUE_WORKER_PATH);
}

/* Nothing of this process goes along: no descriptor, no handler, no blocked signal, no group. */
static int
spawn (const char *path, int socket, pid_t *pid)
{
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  sigset_t all, none;
  char name[] = "segue-worker", *const arguments[] = { name, NULL };
  sigfillset (&all);
  sigemptyset (&none);
  posix_spawn_file_actions_init (&files);
  posix_spawnattr_init (&attributes);
  posix_spawnattr_setsigdefault (&attributes, &all);
  posix_spawnattr_setsigmask (&attributes, &none);
  posix_spawnattr_setpgroup (&attributes, 0);
  posix_spawnattr_setflags (&attributes,
                            POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  posix_spawn_file_actions_adddup2 (&files, socket, SOCKET);
  posix_spawn_file_actions_addopen (&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  /* What a library prints is no result; what it complains of may help. */
  posix_spawn_file_actions_addopen (&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  if (fcntl (STDERR_FILENO, F_GETFD) < 0)
    posix_spawn_file_actions_addopen (&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
#ifdef HAVE_SPAWN_CLOSEFROM
  posix_spawn_file_actions_addclosefrom_np (&files, SOCKET + 1);
#endif
  int failed = posix_spawn (pid, path, &files, &attributes, arguments, environ);
  posix_spawn_file_actions_destroy (&files);
  posix_spawnattr_destroy (&attributes);
  return failed;
}

SegueWorkerProcess *
segue_worker_process_start (GError **error)
{
  g_autofree char *path = find_program ();
  g_autofree char *shown = g_filename_display_name (path);
  int ends[2];
  pid_t pid;
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_RESOURCE, "can't start", shown);
    return NULL;
  }
  int failed = spawn (path, ends[1], &pid);
  close (ends[1]);
  if (failed == 0) {
    SegueWorkerProcess *process = g_new (SegueWorkerProcess, 1);
    *process = (SegueWorkerProcess){ pid, ends[0], g_steal_pointer (&shown) };
    return process;
  }
  close (ends[0]);
  gboolean resource = failed == EAGAIN || failed == ENOMEM;
  g_set_error (error, SEGUE_ERROR, resource ? SEGUE_ERROR_RESOURCE : SEGUE_ERROR_FAILED,
               "can't start ‘%s’, the process that isolated stages run in: %s; %s", shown,
               g_strerror (failed),
               resource ? "run fewer at once (-j), or write ‘isolate: false’ at the stage"
                        : "install segue whole, name it in $SEGUE_WORKER, or write ‘isolate: "
                          "false’ at the stage");
  return NULL;
}

int
segue_worker_process_get_socket (SegueWorkerProcess *process)
{
  return process->socket;
}

const char *
segue_worker_process_get_path (SegueWorkerProcess *process)
{
  return process->path;
}

static void
free_process (SegueWorkerProcess *process)
{
  close (process->socket);
  g_free (process->path);
  g_free (process);
}

static int
await (pid_t pid)
{
  int status = -1;
  pid_t got;
  while ((got = waitpid (pid, &status, 0)) < 0 && errno == EINTR)
    ;
  return got == pid ? status : -1;
}

void
segue_worker_process_kill (SegueWorkerProcess *process)
{
  kill (process->pid, SIGKILL);
  await (process->pid);
  free_process (process);
}

void
segue_worker_process_close (SegueWorkerProcess *process)
{
  struct pollfd polled = { .fd = process->socket, .events = POLLRDHUP };
  gint64 deadline = g_get_monotonic_time () + LAST_WAIT, left;
  shutdown (process->socket, SHUT_WR);
  while ((left = deadline - g_get_monotonic_time ()) > 0 &&
         poll (&polled, 1, (int) (left / 1000)) < 0 && errno == EINTR)
    ;
  segue_worker_process_kill (process);
}

int
segue_worker_process_reap (SegueWorkerProcess *process)
{
  gint64 deadline = g_get_monotonic_time () + LAST_WAIT;
  int status = -1;
  pid_t got;
  /* A process closes its files a moment before it can be waited for. */
  while ((got = waitpid (process->pid, &status, WNOHANG)) == 0 &&
         g_get_monotonic_time () < deadline)
    g_usleep (500);
  if (got == 0) {
    kill (process->pid, SIGKILL);
    await (process->pid);
  }
  free_process (process);
  return got > 0 ? status : -1;
}
