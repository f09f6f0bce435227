/* Like posix_spawn (), which can't create namespaces: the child uses this process's memory until it
 * runs another program, while the calling thread waits. It has a separate stack, makes system
 * calls only, and blocks all signals. */
#include "isolate/worker-spawn.h"
#include "isolate/worker-environment.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

#define SOCKET     3
#define STACK_SIZE (64 * 1024)

typedef struct {
  const char *path;
  char *const *arguments, *const *environment;
  int socket, words;
  int failed; /* an errno */
} Child;

/* Only calls that are allowed after vfork (). */
static gboolean
set_up_child (const Child *child)
{
  struct sigaction action = { .sa_handler = SIG_DFL };
  sigset_t none;
  setsid ();
  for (int number = 1; number < NSIG; number++)
    if (number != SIGKILL && number != SIGSTOP)
      sigaction (number, &action, NULL);
  int nothing = open ("/dev/null", O_RDWR | O_CLOEXEC);
  if (nothing < 0 || dup2 (nothing, STDIN_FILENO) < 0 || dup2 (nothing, STDOUT_FILENO) < 0 ||
      dup2 (child->words, STDERR_FILENO) < 0 || dup2 (child->socket, SOCKET) < 0)
    return FALSE;
#ifdef SYS_close_range
  /* On older kernels, this process's descriptors are closed by their close-on-exec flag. */
  syscall (SYS_close_range, SOCKET + 1, ~0u, 0);
#endif
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
  return TRUE;
}

static int
become_worker (void *data)
{
  Child *child = data;
  if (set_up_child (child))
    execve (child->path, child->arguments, child->environment);
  child->failed = errno;
  _exit (127);
}

static pid_t
start (Child *child, char *stack, int namespaces)
{
  const int flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
  child->failed = 0;
  /* Stacks grow down, on all supported processors. */
  return clone (become_worker, stack + STACK_SIZE, flags | namespaces, child);
}

/* As far as the system allows: root needs nothing else; other users need a user namespace. */
static pid_t
start_apart (Child *child, char *stack)
{
  const int apart = CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET;
  char name[] = "segue-worker", with_user[] = "user, pid, ipc, net", without[] = "pid, ipc, net";
  gboolean root = geteuid () == 0;
  char *const arguments[] = { name, root ? without : with_user, NULL };
  char *const plain[] = { name, NULL };
  child->arguments = arguments;
  pid_t pid = start (child, stack, root ? apart : apart | CLONE_NEWUSER);
  if (pid < 0 && errno != EAGAIN && errno != ENOMEM) {
    child->arguments = plain;
    pid = start (child, stack, 0);
  }
  return pid;
}

int
segue_worker_spawn (const char *path, int socket, int words, pid_t *pid)
{
  g_auto (GStrv) environment = segue_worker_environment (environ);
  Child child = { .path = path, .environment = environment, .socket = socket, .words = words };
  sigset_t all, before;
  char *stack =
    mmap (NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED)
    return errno;
  sigfillset (&all);
  pthread_sigmask (SIG_BLOCK, &all, &before);
  *pid = start_apart (&child, stack);
  int failed = *pid < 0 ? errno : child.failed;
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  munmap (stack, STACK_SIZE);
  return failed;
}
