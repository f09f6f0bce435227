#include "run-files.h"

#include "base/beneath.h"

#include <string.h>
#include <unistd.h>

#define MAX_ALIAS 512

gboolean
run_part_is_plain (const char *part)
{
  return *part != '\0' && *part != '.' && !strchr (part, '/');
}

/* (nullable): the target of the alias @first: `stages/STAGE/@first`. */
static char *
read_alias (int run, const char *first)
{
  char target[MAX_ALIAS];
  gssize n = readlinkat (run, first, target, sizeof target);
  if (n <= 0 || n == sizeof target)
    return NULL;
  g_autofree char *text = g_strndup (target, (gsize) n);
  g_auto (GStrv) parts = g_strsplit (text, "/", 0);
  gboolean ours = g_strv_length (parts) == 3 && g_str_equal (parts[0], "stages") &&
                  run_part_is_plain (parts[1]) && g_str_equal (parts[2], first);
  return ours ? g_steal_pointer (&text) : NULL;
}

int
run_file_open (int run, const char *path)
{
  const char *rest = path + strcspn (path, "/");
  g_autofree char *first = g_strndup (path, (gsize) (rest - path));
  g_autofree char *alias = read_alias (run, first);
  g_autofree char *real = alias ? g_strconcat (alias, rest, NULL) : g_strdup (path);
  return segue_beneath_open_file (run, real);
}

gboolean
run_file_exists (int run, const char *path)
{
  int fd = run_file_open (run, path);
  if (fd >= 0)
    close (fd);
  return fd >= 0;
}
