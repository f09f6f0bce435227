/* Dropping root privileges, for a worker that root started. */
#include "sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534

static gboolean
has_capability (const struct __user_cap_data_struct *have, guint number)
{
  return have[number / 32].effective & (1u << number % 32);
}

/* The parent ends the worker by a signal, so it needs CAP_KILL, which it has if the worker has it. */
static gboolean
may_become_nobody (const struct __user_cap_data_struct *have)
{
  return has_capability (have, CAP_SETUID) && has_capability (have, CAP_SETGID) &&
         has_capability (have, CAP_KILL);
}

gboolean
identity_lock (gboolean reads, char **how)
{
  struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
  struct __user_cap_data_struct have[_LINUX_CAPABILITY_U32S_3] = { 0 },
                                none[G_N_ELEMENTS (have)] = { 0 };
  gboolean knows = syscall (SYS_capget, &head, have) == 0;
  if (geteuid () == 0 && !reads && knows && may_become_nobody (have) && setgroups (0, NULL) == 0 &&
      setresgid (NOBODY, NOBODY, NOBODY) == 0 && setresuid (NOBODY, NOBODY, NOBODY) == 0) {
    /* The kernel resets it when the user changes; a worker must end with its server. */
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    *how = g_strdup ("nobody");
    return TRUE;
  }
  gboolean done = syscall (SYS_capset, &head, none) == 0;
  *how = g_strdup (done ? "no capabilities" : g_strerror (errno));
  return done;
}
