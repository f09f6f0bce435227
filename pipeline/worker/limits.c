/* Resource limits of the process and of its user. */
#include "sandbox.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Libraries reserve much more address space than they use. */
#define MORE_ADDRESSES ((guint64) 8 << 30)
#define MOST_FILES     256
/* GStreamer uses about a dozen. */
#define MOST_THREADS 512
/* For the user nobody, which may have other processes. */
#define MOST_OF_NOBODY 4096

static void
set_limit (int resource, rlim_t limit)
{
  struct rlimit now;
  if (getrlimit (resource, &now) != 0)
    return;
  limit = MIN (limit, now.rlim_max);
  setrlimit (resource, &(struct rlimit){ limit, limit });
}

/* Since Linux 5.14 processes are counted in each user namespace. */
static gboolean
counts_by_namespace (void)
{
  struct utsname system;
  int major = 0, minor = 0;
  return uname (&system) == 0 && sscanf (system.release, "%d.%d", &major, &minor) == 2 &&
         (major > 5 || (major == 5 && minor >= 14));
}

gboolean
limits_lock (guint64 memory, gboolean own_users, char **how)
{
#ifndef SANDBOX_HAS_SANITIZER
  set_limit (RLIMIT_DATA, memory);
  set_limit (RLIMIT_AS, memory + MORE_ADDRESSES);
#endif
  set_limit (RLIMIT_FSIZE, memory);
  set_limit (RLIMIT_NOFILE, MOST_FILES);
  set_limit (RLIMIT_MEMLOCK, 0);
  if (geteuid () == 0)
    set_limit (RLIMIT_NPROC, MOST_OF_NOBODY);
  else if (own_users && counts_by_namespace ())
    set_limit (RLIMIT_NPROC, MOST_THREADS);
  *how = g_strdup_printf ("%" G_GUINT64_FORMAT " MiB", memory >> 20);
  return TRUE;
}
