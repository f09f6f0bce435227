/* Applies the layers in order. */
#include "sandbox.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static const char *namespaces; /* nullable */
static gboolean reads;

/* Paths that loading a library later needs to read, for stages that requested any reading. */
static const char *const system_paths[] = {
  "/usr",
  "/lib",
  "/lib32",
  "/lib64",
  "/nix/store",
  "/gnu/store",
  "/etc/ld.so.cache",
  "/etc/localtime",
  "/dev/null",
  "/dev/zero",
  "/dev/random",
  "/dev/urandom",
  "/proc/cpuinfo",
  "/proc/meminfo",
  "/sys/devices/system/cpu",
#ifdef SANDBOX_HAS_SANITIZER
  "/proc/self",
#endif
};

/* The C library checks the time zone file each time, unless TZ is set. */
static void
settle_time_zone (void)
{
  if (!g_getenv ("TZ"))
    g_setenv ("TZ", ":/etc/localtime", TRUE);
  tzset ();
}

void
sandbox_begin (const char *given)
{
  namespaces = given && *given ? given : NULL;
  /* One byte: no core dump is written, and no program that would receive one is started. */
  setrlimit (RLIMIT_CORE, &(struct rlimit){ 1, 1 });
  prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  settle_time_zone ();
}

/* The process's id in its parent's namespace; in its own namespace it is 1. */
static char *
find_number (void)
{
  char name[32];
  gssize n = readlink ("/proc/self", name, sizeof name - 1);
  return n > 0 ? g_strndup (name, (gsize) n) : g_strdup_printf ("%d", (int) getpid ());
}

typedef struct {
  GString *holds, *lacks;
} Report;

static void
add (Report *report, const char *layer, gboolean holds, char *how)
{
  GString *list = holds ? report->holds : report->lacks;
  g_string_append_printf (list, "%s%s (%s)", list->len > 0 ? ", " : "", layer, how);
  g_free (how);
}

void
sandbox_prepare (GPtrArray *readable)
{
#ifdef SANDBOX_HAS_SANITIZER
  reads = TRUE;
#else
  reads = readable->len > 0;
#endif
  for (guint i = 0; reads && i < G_N_ELEMENTS (system_paths); i++)
    g_ptr_array_add (readable, g_strdup (system_paths[i]));
  landlock_prepare (readable);
  calls_prepare (reads);
}

char *
sandbox_lock (guint64 memory)
{
  g_autoptr (GString) holds = g_string_new (NULL), lacks = g_string_new (NULL);
  Report report = { holds, lacks };
  g_autofree char *number = find_number ();
  gboolean own_users = namespaces && strstr (namespaces, "user"), done;
  char *how;
  add (&report, "namespaces", namespaces != NULL,
       g_strdup (namespaces ? namespaces : "not available on this system"));
  done = limits_lock (memory, own_users, &how);
  add (&report, "limits", done, how);
  done = identity_lock (reads, &how);
  add (&report, "rights", done, how);
  done = landlock_lock (&how);
  add (&report, "files", done, how);
  done = calls_lock (&how);
  add (&report, "calls", done, how);
  return g_strdup_printf ("process %s: sandbox active: %s%s%s", number, holds->str,
                          lacks->len > 0 ? "; not available: " : "", lacks->str);
}
