/* Plugins that were found, and what they provide. */
#include "registry.h"
#include "decoders.h"
#include "params.h"
#include <errno.h>
#include <gio/gio.h>
#include <gmodule.h>
#include <segue/file.h>
#include <string.h>

/* A search folder holds a folder per plugin; a build tree some more. */
#define MAX_FOLDER_DEPTH 6

typedef struct {
  const char *name;
  gconstpointer type; /* SegueStageType or SegueModelType, complete */
  const SeguePluginEntry *entry;
} Provided;

struct _SegueRegistry {
  GPtrArray *entries; /* SeguePluginEntry, in order of loading */
  GHashTable *stages; /* name → Provided */
  GHashTable *models; /* name → Provided */
  GHashTable
    *providers; /* type, as the plugin has it and completed → SeguePluginEntry (borrowed) */
  GHashTable *real_paths; /* set: shared objects that were looked at */
  SegueDecoders *decoders;
  GPtrArray *completed; /* copies of tables that were built against an older minor version */
  GError *shortage;     /* nullable: why the search could not be brought to its end */
};

static void
entry_free (SeguePluginEntry *entry)
{
  g_free ((char *) entry->path);
  g_free ((char *) entry->refusal);
  g_free (entry);
}

SegueRegistry *
segue_registry_new (void)
{
  SegueRegistry *registry = g_new0 (SegueRegistry, 1);
  registry->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) entry_free);
  registry->stages = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  registry->models = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  registry->providers = g_hash_table_new (NULL, NULL);
  registry->real_paths = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  registry->decoders = segue_decoders_new ();
  registry->completed = g_ptr_array_new_with_free_func (g_free);
  return registry;
}

void
segue_registry_free (SegueRegistry *registry)
{
  if (!registry)
    return;
  g_ptr_array_unref (registry->entries);
  g_hash_table_unref (registry->stages);
  g_hash_table_unref (registry->models);
  g_hash_table_unref (registry->providers);
  g_hash_table_unref (registry->real_paths);
  segue_decoders_free (registry->decoders);
  g_ptr_array_unref (registry->completed);
  g_clear_error (&registry->shortage);
  g_free (registry);
}

static const SeguePluginEntry *
add_entry (SegueRegistry *registry, const char *path, const SeguePlugin *plugin,
           const char *refusal)
{
  SeguePluginEntry *entry = g_new0 (SeguePluginEntry, 1);
  entry->path = g_strdup (path);
  entry->plugin = plugin;
  entry->refusal = g_strdup (refusal);
  g_ptr_array_add (registry->entries, entry);
  return entry;
}

/* A table that an older header described ends early: callbacks and fields past its end are zero.
 * All of the core then reads tables without looking at sizes. */
static gconstpointer
complete (SegueRegistry *registry, gconstpointer table, gsize full_size)
{
  gsize size = *(const gsize *) table;
  if (size >= full_size)
    return table;
  gpointer copy = g_malloc0 (full_size);
  memcpy (copy, table, size);
  *(gsize *) copy = full_size;
  g_ptr_array_add (registry->completed, copy);
  return copy;
}

static gconstpointer
complete_ports (SegueRegistry *registry, const SeguePort *const *ports)
{
  gsize n = 0;
  gboolean whole = TRUE;
  for (; ports && ports[n]; n++)
    whole = whole && ports[n]->struct_size >= sizeof (SeguePort);
  if (whole)
    return ports;
  gconstpointer *copy = g_new0 (gconstpointer, n + 1);
  for (gsize i = 0; i < n; i++)
    copy[i] = complete (registry, ports[i], sizeof (SeguePort));
  g_ptr_array_add (registry->completed, copy);
  return copy;
}

/* @type, or a copy of it in which nothing that the core reads is short. */
static gconstpointer
complete_stage (SegueRegistry *registry, const SegueStageType *type)
{
  const SegueStageType *whole = complete (registry, type, sizeof *type);
  SegueStageType view = *whole;
  view.inputs = complete_ports (registry, whole->inputs);
  view.outputs = complete_ports (registry, whole->outputs);
  if (view.inputs == whole->inputs && view.outputs == whole->outputs)
    return whole;
  SegueStageType *copy = g_memdup2 (&view, sizeof view);
  g_ptr_array_add (registry->completed, copy);
  return copy;
}

static gconstpointer
complete_model (SegueRegistry *registry, const SegueModelType *type)
{
  const SegueModelType *whole = complete (registry, type, sizeof *type);
  const SegueRecipe *recipe = complete (registry, whole->recipe, sizeof *recipe);
  if (recipe == whole->recipe)
    return whole;
  SegueModelType *copy = g_memdup2 (whole, sizeof *whole);
  copy->recipe = recipe;
  g_ptr_array_add (registry->completed, copy);
  return copy;
}

static gboolean
refuse_second (GHashTable *provided, const char *what, const char *name, GError **error)
{
  const Provided *first = g_hash_table_lookup (provided, name);
  if (!first)
    return TRUE;
  g_autofree char *path = g_filename_display_name (first->entry->path);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED,
               "%s '%s' comes from plugin '%s' already (%s); remove one of the two", what, name,
               first->entry->plugin->name, path);
  return FALSE;
}

static gboolean
refuse_names (SegueRegistry *registry, const SeguePlugin *plugin, GError **error)
{
  for (guint i = 0; i < registry->entries->len; i++) {
    const SeguePluginEntry *entry = g_ptr_array_index (registry->entries, i);
    if (entry->plugin && !strcmp (entry->plugin->name, plugin->name)) {
      g_autofree char *path = g_filename_display_name (entry->path);
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED,
                   "a plugin named '%s' is loaded already (%s); the first one found wins",
                   plugin->name, path);
      return FALSE;
    }
  }
  for (const SegueStageType *const *type = plugin->stages; type && *type; type++)
    if (!refuse_second (registry->stages, "stage type", (*type)->name, error))
      return FALSE;
  for (const SegueModelType *const *type = plugin->models; type && *type; type++)
    if (!refuse_second (registry->models, "model type", (*type)->name, error))
      return FALSE;
  return TRUE;
}

static void
provide (SegueRegistry *registry, GHashTable *provided, const char *name, gconstpointer original,
         gconstpointer whole, const SeguePluginEntry *entry)
{
  Provided *one = g_new0 (Provided, 1);
  one->name = name;
  one->type = whole;
  one->entry = entry;
  g_hash_table_insert (provided, (gpointer) name, one);
  g_hash_table_insert (registry->providers, (gpointer) original, (gpointer) entry);
  g_hash_table_insert (registry->providers, (gpointer) one->type, (gpointer) entry);
}

/* `decode` is as the decoder that is asked first. */
static void
add_decoder (SegueRegistry *registry, const char *name)
{
  const Provided *added = g_hash_table_lookup (registry->stages, name);
  const SegueStageType *decode = segue_decoders_add (registry->decoders, added->type);
  const SegueStageType *best =
    g_ptr_array_index (segue_decoders_of (registry->decoders, decode), 0);
  const SeguePluginEntry *entry = segue_registry_get_plugin_of (registry, best);
  Provided *provided = g_new0 (Provided, 1);
  *provided = (Provided){ decode->name, decode, entry };
  g_hash_table_replace (registry->stages, (gpointer) decode->name, provided);
  g_hash_table_insert (registry->providers, (gpointer) decode, (gpointer) entry);
}

GPtrArray *
segue_registry_list_decoders (SegueRegistry *registry)
{
  return segue_decoders_list (registry->decoders);
}

const char **
segue_registry_list_extensions (SegueRegistry *registry)
{
  return segue_decoders_list_extensions (registry->decoders);
}

GPtrArray *
segue_registry_decoders_of (SegueRegistry *registry, const SegueStageType *type)
{
  return segue_decoders_of (registry->decoders, type);
}

static gboolean
add_plugin (SegueRegistry *registry, const SeguePlugin *given, const char *path, GError **error)
{
  if (!segue_plugin_check (given, error))
    return FALSE;
  const SeguePlugin *plugin = complete (registry, given, sizeof *plugin);
  if (!refuse_names (registry, plugin, error))
    return FALSE;
  const SeguePluginEntry *entry = add_entry (registry, path, plugin, NULL);
  for (const SegueStageType *const *type = plugin->stages; type && *type; type++)
    provide (registry, registry->stages, (*type)->name, *type, complete_stage (registry, *type),
             entry);
  for (const SegueStageType *const *type = plugin->stages; type && *type; type++)
    if (segue_registry_find_stage (registry, (*type)->name)->decodes)
      add_decoder (registry, (*type)->name);
  for (const SegueModelType *const *type = plugin->models; type && *type; type++)
    provide (registry, registry->models, (*type)->name, *type, complete_model (registry, *type),
             entry);
  return TRUE;
}

/* What could not be added stays in the list with its reason. */
static gboolean
keep_refusal (SegueRegistry *registry, const char *path, GError *failure, GError **error)
{
  add_entry (registry, path, NULL, failure->message);
  g_autofree char *shown = g_filename_display_name (path);
  if (!registry->shortage && g_error_matches (failure, SEGUE_ERROR, SEGUE_ERROR_RESOURCE))
    registry->shortage =
      g_error_new (SEGUE_ERROR, SEGUE_ERROR_RESOURCE, "plugin ‘%s’: %s", shown, failure->message);
  g_propagate_prefixed_error (error, failure, "%s: ", shown);
  return FALSE;
}

gboolean
segue_registry_add (SegueRegistry *registry, const SeguePlugin *plugin, const char *path,
                    GError **error)
{
  GError *failure = NULL;
  const char *shown = path ? path : "(linked in)";
  if (add_plugin (registry, plugin, shown, &failure))
    return TRUE;
  return keep_refusal (registry, shown, failure, error);
}

/* The loader has only words for what it lacks; 0: nothing. */
static int
find_shortage (const char *reason)
{
  static const int lacks[] = { EMFILE, ENFILE, ENOMEM };
  for (guint i = 0; i < G_N_ELEMENTS (lacks); i++)
    if (strstr (reason, g_strerror (lacks[i])))
      return lacks[i];
  return strstr (reason, "failed to map segment") || strstr (reason, "out of memory") ? ENOMEM : 0;
}

/* The loader's own words say what is missing, but not why: the plugin is of another interface. */
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
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED,
                 "built for plugin interface %s, this segue has %d.%d; build it again with this "
                 "version's headers",
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
  /* Bound at once, so that a missing library is a reason given here and not a crash later. */
  GModule *module = g_module_open (path, G_MODULE_BIND_LOCAL);
  if (!module) {
    const char *reason = g_module_error ();
    /* It often begins with the path, which stands beside every refusal anyway. */
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
  /* Code and tables of a plugin are pointed at from everywhere: it stays, even where refused. */
  g_module_make_resident (module);
  gpointer symbol = NULL;
  if (!g_module_symbol (module, SEGUE_PLUGIN_SYMBOL, &symbol) || !symbol) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED,
                 "no segue plugin: it has no symbol " SEGUE_PLUGIN_SYMBOL
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
  if (real && !g_hash_table_add (registry->real_paths, g_strdup (real))) {
    free (real);
    return TRUE; /* two search folders lead to it */
  }
  free (real);
  GError *failure = NULL;
  const SeguePlugin *plugin = open_module (absolute, &failure);
  if (plugin && add_plugin (registry, plugin, absolute, &failure))
    return TRUE;
  return keep_refusal (registry, absolute, failure, error);
}

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* Collects shared objects below @folder.  Links to folders are not followed: they could go round. */
static void
find_modules (SegueRegistry *registry, const char *folder, guint depth, GPtrArray *paths)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = segue_file_list_folder (folder, &error);
  /* Not there, or not ours to read: then there is nothing for us. */
  if (!names && !registry->shortage && !g_error_matches (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT))
    registry->shortage = g_steal_pointer (&error);
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

const SegueStageType *
segue_registry_find_stage (SegueRegistry *registry, const char *name)
{
  const Provided *provided = g_hash_table_lookup (registry->stages, name);
  return provided ? provided->type : NULL;
}

const SegueModelType *
segue_registry_find_model (SegueRegistry *registry, const char *name)
{
  const Provided *provided = g_hash_table_lookup (registry->models, name);
  return provided ? provided->type : NULL;
}

static int
compare_entries (gconstpointer a, gconstpointer b)
{
  const SeguePluginEntry *const *one = a, *const *other = b;
  return strcmp ((*one)->path, (*other)->path);
}

GPtrArray *
segue_registry_list (SegueRegistry *registry)
{
  GPtrArray *list = g_ptr_array_sized_new (registry->entries->len);
  g_ptr_array_extend (list, registry->entries, NULL, NULL);
  g_ptr_array_sort (list, compare_entries);
  return list;
}

static GPtrArray *
sorted_names (GHashTable *provided)
{
  GPtrArray *names = g_ptr_array_new ();
  if (provided) {
    g_autofree gpointer *keys = g_hash_table_get_keys_as_array (provided, NULL);
    for (guint i = 0; keys[i]; i++)
      g_ptr_array_add (names, keys[i]);
  }
  g_ptr_array_sort (names, compare_strings);
  g_ptr_array_add (names, NULL);
  return names;
}

GPtrArray *
segue_registry_stage_names (SegueRegistry *registry)
{
  return sorted_names (registry ? registry->stages : NULL);
}

GPtrArray *
segue_registry_model_names (SegueRegistry *registry)
{
  return sorted_names (registry ? registry->models : NULL);
}

static GPtrArray *
sorted_types (GHashTable *provided)
{
  GPtrArray *names = sorted_names (provided);
  g_ptr_array_set_size (names, (int) names->len - 1);
  for (guint i = 0; i < names->len; i++) {
    const Provided *one = g_hash_table_lookup (provided, g_ptr_array_index (names, i));
    g_ptr_array_index (names, i) = (gpointer) one->type;
  }
  return names;
}

GPtrArray *
segue_registry_list_stages (SegueRegistry *registry)
{
  return sorted_types (registry->stages);
}

GPtrArray *
segue_registry_list_models (SegueRegistry *registry)
{
  return sorted_types (registry->models);
}

const SeguePluginEntry *
segue_registry_get_plugin_of (SegueRegistry *registry, const void *stage_or_model_type)
{
  return g_hash_table_lookup (registry->providers, stage_or_model_type);
}

/* Whether @path is what a plugin @name would be called: segue-NAME.so, libNAME.so, NAME.so. */
static gboolean
is_named (const char *path, const char *name)
{
  g_autofree char *base = g_path_get_basename (path);
  char *dot = strrchr (base, '.');
  if (dot)
    *dot = '\0';
  const char *stem = g_str_has_prefix (base, "segue-") ? base + strlen ("segue-")
                     : g_str_has_prefix (base, "lib")  ? base + strlen ("lib")
                                                       : base;
  return !strcmp (stem, name) || !strcmp (base, name);
}

char *
segue_registry_refusal_of (SegueRegistry *registry, const char *name)
{
  g_autoptr (GPtrArray) plugins = segue_registry_list (registry);
  for (guint i = 0; i < plugins->len; i++) {
    const SeguePluginEntry *entry = g_ptr_array_index (plugins, i);
    if (entry->refusal && is_named (entry->path, name)) {
      g_autofree char *shown = g_filename_display_name (entry->path);
      return g_strdup_printf ("%s was refused: %s", shown, entry->refusal);
    }
  }
  return NULL;
}

gboolean
segue_registry_check_whole (SegueRegistry *registry, GError **error)
{
  if (registry && registry->shortage)
    g_propagate_error (error, g_error_copy (registry->shortage));
  return !registry || !registry->shortage;
}
