/* Shared objects of the search path: finding, opening and querying them, and messages for failures. */
#include "base/calling.h"
#include "registry/registry.h"
#include <errno.h>
#include <gmodule.h>
#include <segue/file.h>
#include <stdlib.h>
#include <string.h>

/* SEGUE_PLUGIN_SYMBOL as mangled by a C++ compiler for a function that is not extern "C". */
#define MANGLED_SYMBOL "_Z18segue_plugin_queryv"

/* A search folder contains a folder per plugin; a build tree is a few levels deeper. */
#define MAX_FOLDER_DEPTH 6

/* The loader reports exhausted resources only in its message; 0: none. */
static int
find_shortage (const char *reason)
{
  static const int lacks[] = { EMFILE, ENFILE, ENOMEM };
  for (guint i = 0; i < G_N_ELEMENTS (lacks); i++)
    if (strstr (reason, g_strerror (lacks[i])))
      return lacks[i];
  return strstr (reason, "failed to map segment") || strstr (reason, "out of memory") ? ENOMEM : 0;
}

/* The loader's message names what is missing, but not why: the plugin has another interface. */
static gboolean
explain_version (const char *reason, GError **error)
{
  g_autoptr (GRegex) library =
    g_regex_new ("libsegue(-nn)?\\.so\\.([0-9]+): cannot open", G_REGEX_OPTIMIZE, 0, NULL);
  g_autoptr (GRegex) symbol =
    g_regex_new ("version `SEGUE_([0-9.]+)' not found", G_REGEX_OPTIMIZE, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  if (g_regex_match (library, reason, 0, &match)) {
    g_autofree char *major = g_match_info_fetch (match, 2);
    if (atoi (major) == SEGUE_ABI_MAJOR)
      return FALSE;
    g_set_error (
      error, SEGUE_ERROR, SEGUE_ERROR_FAILED,
      "built for plugin interface %s, this segue has %d.%d; rebuild it with this version's headers",
      major, SEGUE_ABI_MAJOR, SEGUE_ABI_MINOR);
    return TRUE;
  }
  g_clear_pointer (&match, g_match_info_unref);
  if (!g_regex_match (symbol, reason, 0, &match))
    return FALSE;
  g_autofree char *version = g_match_info_fetch (match, 1);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED,
               "needs plugin interface %s, this segue has %d.%d; install a newer segue", version,
               SEGUE_ABI_MAJOR, SEGUE_ABI_MINOR);
  return TRUE;
}

static const SeguePlugin *
open_module (const char *path, GError **error)
{
  /* Bound immediately, so that a missing library is an error here and not a crash later. */
  GModule *module = g_module_open (path, G_MODULE_BIND_LOCAL);
  if (!module) {
    const char *reason = g_module_error ();
    /* It often begins with the path, which is shown with every refusal anyway. */
    if (reason && g_str_has_prefix (reason, path))
      reason += strlen (path) + strspn (reason + strlen (path), ": ");
    int lack = reason ? find_shortage (reason) : 0;
    if (lack != 0)
      segue_set_error_from_errno (error, lack, SEGUE_ERROR_RESOURCE, "can't load", path);
    else if (!reason || !explain_version (reason, error))
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED, "can't be loaded: %s",
                   reason && *reason ? reason : "no reason given");
    return NULL;
  }
  /* Code and tables of a plugin are referenced from everywhere: it stays loaded, even where refused. */
  g_module_make_resident (module);
  gpointer symbol = NULL;
  if (!g_module_symbol (module, SEGUE_PLUGIN_SYMBOL, &symbol) || !symbol) {
    if (g_module_symbol (module, MANGLED_SYMBOL, &symbol))
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED,
                   SEGUE_PLUGIN_SYMBOL
                   " () has a C++ name; declare it extern \"C\", as SEGUE_PLUGIN (…) does");
    else
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED,
                   "not a segue plugin: it has no symbol " SEGUE_PLUGIN_SYMBOL
                   "; a plugin ends with SEGUE_PLUGIN (…)");
    return NULL;
  }
  const SeguePlugin *(*query) (void) = (const SeguePlugin *(*) (void) ) symbol;
  const SeguePlugin *plugin = query ();
  if (!plugin)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED,
                 SEGUE_PLUGIN_SYMBOL " () returned nothing; use SEGUE_PLUGIN (…)");
  return plugin;
}

gboolean
segue_registry_load_file (SegueRegistry *registry, const char *path, GError **error)
{
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  char *real = realpath (absolute, NULL);
  gboolean known = real && !segue_registry_note_file (registry, real);
  free (real);
  if (known)
    return TRUE; /* it is reachable from two search folders */
  GError *failure = NULL;
  const SegueCalling outer = segue_calling_begin ("plugin", absolute, FALSE);
  const SeguePlugin *plugin = open_module (absolute, &failure);
  gboolean ok = plugin ? segue_registry_add (registry, plugin, absolute, error)
                       : segue_registry_refuse (registry, absolute, failure, error);
  segue_calling_end (outer);
  return ok;
}

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* Collects shared objects below @folder. Links to folders are not followed: they could be cycles. */
static void
find_modules (SegueRegistry *registry, const char *folder, guint depth, GPtrArray *paths)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = segue_file_list_folder (folder, &error);
  /* A folder that is missing or not readable counts as empty. */
  if (!names && !g_error_matches (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT))
    segue_registry_note_shortage (registry, g_steal_pointer (&error));
  for (guint i = 0; names && names[i]; i++) {
    if (names[i][0] == '.')
      continue;
    g_autofree char *path = g_build_filename (folder, names[i], NULL);
    gboolean is_folder = g_file_test (path, G_FILE_TEST_IS_DIR);
    if (is_folder && depth > 0 && !g_file_test (path, G_FILE_TEST_IS_SYMLINK))
      find_modules (registry, path, depth - 1, paths);
    else if (!is_folder && g_str_has_suffix (names[i], "." G_MODULE_SUFFIX))
      g_ptr_array_add (paths, g_steal_pointer (&path));
  }
}

void
segue_registry_load_folder (SegueRegistry *registry, const char *folder)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  segue_registry_note_folder (registry, folder);
  find_modules (registry, folder, MAX_FOLDER_DEPTH, paths);
  g_ptr_array_sort (paths, compare_strings);
  for (guint i = 0; i < paths->len; i++)
    segue_registry_load_file (registry, g_ptr_array_index (paths, i), NULL);
}

void
segue_registry_load_search_path (SegueRegistry *registry)
{
  const char *variable = g_getenv ("SEGUE_PLUGIN_PATH");
  g_auto (GStrv) folders = g_strsplit (variable ? variable : "", G_SEARCHPATH_SEPARATOR_S, -1);
  for (guint i = 0; folders[i]; i++)
    if (*folders[i])
      segue_registry_load_folder (registry, folders[i]);
  g_autofree char *versioned = g_strdup_printf ("plugins-%d", SEGUE_ABI_MAJOR);
  g_autofree char *own = g_build_filename (g_get_user_data_dir (), "segue", versioned, NULL);
  segue_registry_load_folder (registry, own);
  segue_registry_load_folder (registry, SEGUE_PLUGIN_DIR);
}
