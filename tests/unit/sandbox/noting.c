/* Part of a copy of segue-worker for tests, in which an unlisted system call raises SIGSYS: it is reported on
 * stderr, once per process, and fails with EPERM, as in the worker itself. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <ucontext.h>
#include <unistd.h>

#define MOST_CALLS 1024

static atomic_bool noted[MOST_CALLS];

static void
fail (ucontext_t *context)
{
#if defined(__x86_64__)
  context->uc_mcontext.gregs[REG_RAX] = -EPERM;
#elif defined(__aarch64__)
  context->uc_mcontext.regs[0] = (unsigned long long) -EPERM;
#else
#error "where does this processor keep what a call returns?"
#endif
}

/* "denied call 257" */
static void
note (int number)
{
  char text[] = "denied call 0000\n";
  for (size_t at = sizeof text - 3; at > sizeof text - 7; at--, number /= 10)
    text[at] = (char) ('0' + number % 10);
  (void) !write (STDERR_FILENO, text, sizeof text - 1);
}

static void
on_denied (int signal_number, siginfo_t *info, void *context)
{
  int number = info->si_syscall;
  fail (context);
  if (number >= 0 && number < MOST_CALLS && !atomic_exchange (&noted[number], 1))
    note (number);
}

__attribute__ ((constructor)) static void
begin (void)
{
  struct sigaction action = { .sa_sigaction = on_denied,
                              .sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART };
  sigaction (SIGSYS, &action, NULL);
}
