/* An allow-list: workers get only these variables. */
#include "isolate/worker-environment.h"

#include <string.h>

static const char *const names[] = {
  /* where libraries and their data are */
  "LD_LIBRARY_PATH",
  "LD_PRELOAD",
  "LOCPATH",
  "LOCALE_ARCHIVE",
  "TZDIR",
  "HOME",
  "XDG_CACHE_HOME",
  "XDG_DATA_HOME",
  "XDG_DATA_DIRS",
  /* language and time */
  "LANG",
  "LANGUAGE",
  "TZ",
  /* GLib */
  "G_DEBUG",
  "G_ENABLE_DIAGNOSTIC",
  "G_FILENAME_ENCODING",
  "G_BROKEN_FILENAMES",
  "G_MESSAGES_DEBUG",
  "G_SLICE",
  /* the allocator and the sanitizers */
  "GLIBC_TUNABLES",
  "ASAN_OPTIONS",
  "LSAN_OPTIONS",
  "MSAN_OPTIONS",
  "TSAN_OPTIONS",
  "UBSAN_OPTIONS",
  /* segue */
  "SEGUE_BACKEND",
  NULL,
};

static const char *const prefixes[] = {
  "LC_", "GST_", "MALLOC_", "OMP_", "OPENBLAS_", "ORC_",
};

static gboolean
is_needed (const char *name, const char *const *more)
{
  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++)
    if (g_str_has_prefix (name, prefixes[i]))
      return TRUE;
  return g_strv_contains (names, name) || g_strv_contains (more, name);
}

GStrv
segue_worker_environment (char **all)
{
  const char *asked = g_environ_getenv (all, "SEGUE_WORKER_ENV");
  g_auto (GStrv) more = g_strsplit (asked ? asked : "", ",", -1);
  GPtrArray *kept = g_ptr_array_new ();
  for (; all && *all; all++) {
    const char *equals = strchr (*all, '=');
    g_autofree char *name = equals ? g_strndup (*all, (gsize) (equals - *all)) : NULL;
    if (name && is_needed (name, (const char *const *) more))
      g_ptr_array_add (kept, g_strdup (*all));
  }
  g_ptr_array_add (kept, NULL);
  return (GStrv) g_ptr_array_free (kept, FALSE);
}
