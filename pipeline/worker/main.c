/* segue-worker: one stage of a pipeline in a separate process.
 *
 * Started by libsegue, with one end of a socket as descriptor 3; it is not meant to be started
 * manually. See pipeline/core/isolate/. */
#include "isolate/worker-serve.h"
#include "notes.h"
#include "sandbox.h"

#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* Decoders allocate blocks of every size for every packet.  glibc keeps small ones in fastbins, and
 * consolidates these for each large allocation: 3 % of the time that a song takes. */
static void
set_up_memory (void)
{
#ifdef M_MXFAST
  mallopt (M_MXFAST, 0);
#endif
}

/* The first process of a namespace can't be killed by a signal that it sends itself, as abort () does. It
 * exits with the status that a shell would report. A fault recurs, and kills it. A sanitizer would inspect the
 * stack first, through a file that a worker can't open, and then never end. */
__attribute__ ((no_sanitize_address)) static void
on_fatal_signal (int number, siginfo_t *info, void *context)
{
  if (info->si_code <= 0)
    _exit (128 + number);
}

static void
catch_fatal_signals (void)
{
  static const int fatal[] = { SIGABRT, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGILL,
                               SIGSYS,  SIGTERM, SIGINT,  SIGHUP, SIGQUIT };
  struct sigaction action = { .sa_sigaction = on_fatal_signal,
                              .sa_flags = SA_SIGINFO | SA_RESETHAND | SA_NODEFER };
  for (guint i = 0; getpid () == 1 && i < G_N_ELEMENTS (fatal); i++) {
    struct sigaction now;
    /* A sanitizer has its own handlers. */
    if (sigaction (fatal[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL)
      sigaction (fatal[i], &action, NULL);
  }
}

static const SegueWorkerHooks hooks = { .prepare = sandbox_prepare,
                                        .lock = sandbox_lock,
                                        .take_notes = notes_take };

/* @argv: the namespaces that the parent created, comma-separated */
int
main (int argc, char **argv)
{
  int type;
  socklen_t size = sizeof type;
  if (getsockopt (SANDBOX_SOCKET, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
    fputs ("segue-worker: segue starts this program itself, to run isolated stages in separate "
           "processes\n",
           stderr);
    return 64;
  }
  /* Exceeding the file size limit becomes an error of the write, and is not the song's fault. */
  signal (SIGXFSZ, SIG_IGN);
  catch_fatal_signals ();
  set_up_memory ();
  /* The core reads what plugins print with GLib as UTF-8. */
  setlocale (LC_CTYPE, "C.UTF-8");
  notes_install ();
  sandbox_begin (argc > 1 ? argv[1] : NULL);
  int status = segue_worker_serve (SANDBOX_SOCKET, &hooks);
  /* Without cleanup: threads that a decoder left running may be anywhere. */
  _exit (status);
}
