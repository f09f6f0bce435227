/* segue-worker: one stage of a pipeline in a process of its own.
 *
 * Started by libsegue, with one end of a socket as descriptor 3; nothing else in it is of use by
 * hand.  See pipeline/core/isolate/. */
#include "notes.h"
#include "sandbox.h"
#include "worker-serve.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKET 3

/* Decoders ask for blocks of every size for every packet.  The small ones that glibc keeps apart, to have
 * them at hand, are joined again each time a large one is wanted: 3 % of the time that a song takes. */
static void
set_up_memory (void)
{
#ifdef M_MXFAST
  mallopt (M_MXFAST, 0);
#endif
}

int
main (void)
{
  int type;
  socklen_t size = sizeof type;
  if (getsockopt (SOCKET, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
    fputs ("segue-worker: started by segue itself, for stages that run in a process of their own\n",
           stderr);
    return 64;
  }
  /* A limit of file sizes is an error of the write, and no song's fault. */
  signal (SIGXFSZ, SIG_IGN);
  set_up_memory ();
  notes_install ();
  sandbox_prepare ();
  int status = segue_worker_serve (SOCKET, sandbox_lock, notes_take);
  /* At once: threads that a decoder left behind may be anywhere. */
  _exit (status);
}
