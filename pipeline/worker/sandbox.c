/* The layers, one after the other. */
#include "sandbox.h"

#include <link.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* A sanitizer reserves terabytes of addresses. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif

/* What loading a library, telling the time or counting processors needs to read. */
static const char *const system_paths[] = {
  "/usr",
  "/lib",
  "/lib32",
  "/lib64",
  "/nix/store",
  "/gnu/store",
  "/etc/ld.so.cache",
  "/etc/ld.so.preload",
  "/etc/localtime",
  "/etc/passwd",
  "/etc/nsswitch.conf",
  "/dev/null",
  "/dev/zero",
  "/dev/random",
  "/dev/urandom",
  "/proc/self",
  "/proc/cpuinfo",
  "/proc/meminfo",
  "/proc/stat",
  "/sys/devices/system/cpu",
};

static void
set_limit (int resource, rlim_t limit)
{
  struct rlimit now;
  if (getrlimit (resource, &now) != 0)
    return;
  limit = MIN (limit, now.rlim_max);
  setrlimit (resource, &(struct rlimit){ limit, limit });
}

void
sandbox_prepare (void)
{
  set_limit (RLIMIT_CORE, 0);
  prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  /* To write to a terminal from the background must not stop the process. */
  signal (SIGTTOU, SIG_IGN);
}

/* Wherever libraries came from, their neighbours may be needed, too. */
static int
note_library (struct dl_phdr_info *info, size_t size, gpointer readable)
{
  if (info->dlpi_name && g_path_is_absolute (info->dlpi_name))
    g_ptr_array_add (readable, g_path_get_dirname (info->dlpi_name));
  return 0;
}

char *
sandbox_lock (GPtrArray *readable, guint64 memory)
{
  for (guint i = 0; i < G_N_ELEMENTS (system_paths); i++)
    g_ptr_array_add (readable, g_strdup (system_paths[i]));
  dl_iterate_phdr (note_library, readable);
#ifndef HAS_SANITIZER
  set_limit (RLIMIT_AS, memory);
#endif
  set_limit (RLIMIT_FSIZE, memory);
  const char *no_landlock = landlock_lock (readable);
  const char *no_deny = deny_lock ();
  return g_strdup_printf ("process %d: files %s%s; network and new processes %s%s", (int) getpid (),
                          no_landlock ? "not locked away: " : "locked away",
                          no_landlock ? no_landlock : "", no_deny ? "not denied: " : "denied",
                          no_deny ? no_deny : "");
}
