#include "browser.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX       "segue-serve-"
#define SUFFIX       ".html"
#define READ_SECONDS 60

struct _Browser {
  char *path;
  gint64 until;
};

/* Removes files of killed servers: their token may be one that is still in use. */
static void
sweep (const char *folder)
{
  g_autoptr (GDir) names = g_dir_open (folder, 0, NULL);
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  const char *name;
  while (names && (name = g_dir_read_name (names))) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    struct stat info;
    if (strlen (name) == strlen (PREFIX "XXXXXX" SUFFIX) && g_str_has_prefix (name, PREFIX) &&
        g_str_has_suffix (name, SUFFIX) && lstat (path, &info) == 0 && S_ISREG (info.st_mode) &&
        info.st_uid == geteuid () && now > info.st_mtim.tv_sec + READ_SECONDS)
      (void) g_unlink (path);
  }
}

/* (transfer full) (nullable) */
static char *
write_redirect (const char *url)
{
  char *path = g_build_filename (g_get_user_runtime_dir (), PREFIX "XXXXXX" SUFFIX, NULL);
  int fd = g_mkstemp_full (path, O_WRONLY | O_CLOEXEC, 0600);
  g_autofree char *text =
    g_strdup_printf ("<!doctype html><meta charset=\"utf-8\"><title>segue</title>"
                     "<meta name=\"referrer\" content=\"no-referrer\">"
                     "<meta http-equiv=\"refresh\" content=\"0;url=%s\">\n",
                     url);
  gboolean ok = fd >= 0 && write (fd, text, strlen (text)) == (gssize) strlen (text);
  if (fd >= 0 && close (fd) == 0 && ok)
    return path;
  if (fd >= 0)
    (void) g_unlink (path);
  g_free (path);
  return NULL;
}

Browser *
browser_open (const char *url)
{
  Browser *browser = g_new0 (Browser, 1);
  sweep (g_get_user_runtime_dir ());
  browser->path = write_redirect (url);
  browser->until = g_get_monotonic_time () + READ_SECONDS * G_TIME_SPAN_SECOND;
  const char *argv[] = { "xdg-open", browser->path, NULL };
  if (browser->path &&
      g_spawn_async (NULL, (char **) argv, NULL,
                     G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                     NULL, NULL, NULL, NULL))
    return browser;
  browser_close (browser);
  return NULL;
}

static void
remove_file (Browser *browser)
{
  if (browser->path)
    (void) g_unlink (browser->path);
  g_clear_pointer (&browser->path, g_free);
}

void
browser_tick (Browser *browser)
{
  if (browser && browser->path && g_get_monotonic_time () > browser->until)
    remove_file (browser);
}

void
browser_close (Browser *browser)
{
  if (!browser)
    return;
  remove_file (browser);
  g_free (browser);
}
