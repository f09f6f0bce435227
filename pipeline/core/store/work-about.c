/* A line of text in a work folder. */
#include "store/work-about.h"

#include <segue/file.h>

#define NAME     ".about"
#define MAX_LINE 4096

void
segue_work_about_write (const char *path, const char *about)
{
  g_autofree char *file = g_build_filename (path, NAME, NULL);
  g_autofree char *line = g_strconcat (about, "\n", NULL);
  segue_file_write (file, line, -1, NULL);
}

char *
segue_work_about_read (const char *path)
{
  g_autofree char *file = g_build_filename (path, NAME, NULL);
  g_autofree char *text = segue_file_read (file, MAX_LINE, NULL, NULL);
  return text ? g_utf8_make_valid (g_strchomp (text), -1) : NULL;
}
