/* Presets: pipelines that are installed and run by name. */
#include "base/suggest.h"
#include "params/params.h"
#include <segue/host/segue.h>
#include <stdio.h>
#include <string.h>

/* A summary is in the first lines of its file. */
#define HEAD_BYTES 4096

void
segue_preset_free (SeguePreset *preset)
{
  if (!preset)
    return;
  g_free (preset->name);
  g_free (preset->path);
  g_free (preset->summary);
  g_free (preset);
}

/* Lines for editors, such as "# yaml-language-server: $schema=…", are not part of a summary. */
static gboolean
is_modeline (const char *comment)
{
  return g_str_has_prefix (comment, "yaml-language-server:") || g_str_has_prefix (comment, "-*-") ||
         g_str_has_prefix (comment, "vim:");
}

static char *
read_summary (const char *path)
{
  g_autofree char *head = g_malloc0 (HEAD_BYTES + 1);
  FILE *file = fopen (path, "re");
  if (!file)
    return g_strdup ("");
  gsize length = fread (head, 1, HEAD_BYTES, file);
  fclose (file);
  head[length] = '\0';
  g_auto (GStrv) lines = g_strsplit (head, "\n", -1);
  for (guint i = 0; lines[i]; i++) {
    char *line = g_strstrip (lines[i]);
    if (line[0] != '#')
      continue;
    const char *comment = g_strchug (line + 1);
    if (*comment && !is_modeline (comment))
      return g_utf8_make_valid (comment, -1);
  }
  return g_strdup ("");
}

static void
list_folder (const char *folder, GPtrArray *presets)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *file;
  while (dir && (file = g_dir_read_name (dir))) {
    if (!g_str_has_suffix (file, ".yaml"))
      continue;
    g_autofree char *name = g_strndup (file, strlen (file) - strlen (".yaml"));
    gboolean known = !segue_name_is_valid (name, FALSE);
    for (guint i = 0; i < presets->len && !known; i++)
      known = !strcmp (((SeguePreset *) g_ptr_array_index (presets, i))->name, name);
    if (known)
      continue;
    SeguePreset *preset = g_new0 (SeguePreset, 1);
    preset->name = g_steal_pointer (&name);
    preset->path = g_build_filename (folder, file, NULL);
    preset->summary = read_summary (preset->path);
    g_ptr_array_add (presets, preset);
  }
}

static int
compare_presets (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(SeguePreset *const *) a)->name, (*(SeguePreset *const *) b)->name);
}

GPtrArray *
segue_preset_list (void)
{
  GPtrArray *presets = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_preset_free);
  const char *variable = g_getenv ("SEGUE_PRESET_PATH");
  g_auto (GStrv) folders = g_strsplit (variable ? variable : "", G_SEARCHPATH_SEPARATOR_S, -1);
  for (guint i = 0; folders[i]; i++)
    if (*folders[i])
      list_folder (folders[i], presets);
  g_autofree char *own = g_build_filename (g_get_user_data_dir (), "segue", "presets", NULL);
  list_folder (own, presets);
  list_folder (SEGUE_DATA_DIR G_DIR_SEPARATOR_S "presets", presets);
  g_ptr_array_sort (presets, compare_presets);
  return presets;
}

SeguePreset *
segue_preset_find (const char *name, GError **error)
{
  g_autoptr (GPtrArray) presets = segue_preset_list ();
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (guint i = 0; i < presets->len; i++) {
    SeguePreset *preset = g_ptr_array_index (presets, i);
    if (!strcmp (preset->name, name))
      return g_ptr_array_steal_index (presets, i);
    g_ptr_array_add (names, preset->name);
  }
  g_ptr_array_add (names, NULL);
  g_autofree char *near = segue_suggest (name, (const char *const *) names->pdata);
  g_autofree char *list = g_strjoinv (", ", (char **) names->pdata);
  g_autofree char *shown = g_utf8_make_valid (name, -1);
  if (near)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT, "no preset '%s'; did you mean '%s'?",
                 shown, near);
  else
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT, "no preset '%s'; there are: %s", shown,
                 *list ? list : "none ($SEGUE_PRESET_PATH names folders of them)");
  return NULL;
}
