/* Plugins that were added, and their types: registry-load.c finds them. */
#include "registry/registry.h"
#include "params/params.h"
#include "registry/decoders.h"
#include <segue/encoder.h>
#include <string.h>

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
    *providers; /* types, as in the plugin and as completed → SeguePluginEntry (borrowed) */
  GHashTable *refused;    /* name of a type of a refused plugin → index of its entry + 1 */
  GPtrArray *folders;     /* that were searched, in order */
  GHashTable *real_paths; /* set: shared objects that were tried */
  SegueDecoders *decoders;
  GPtrArray *completed; /* copies of tables that were built against an older minor version */
  GError *shortage;     /* nullable: why the search could not be completed */
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
  registry->refused = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  registry->folders = g_ptr_array_new_with_free_func (g_free);
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
  g_hash_table_unref (registry->refused);
  g_ptr_array_unref (registry->folders);
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

/* A table from an older header is shorter: callbacks and fields past its end become zero. The core
 * then reads tables without checking sizes. */
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

/* @type, or a copy of it in which every table that the core reads is complete. */
static gconstpointer
complete_stage (SegueRegistry *registry, const SegueStageType *type)
{
  const SegueStageType *whole = complete (registry, type, sizeof *type);
  SegueStageType view = *whole;
  view.inputs = complete_ports (registry, whole->inputs);
  view.outputs = complete_ports (registry, whole->outputs);
  if (whole->decodes)
    view.decodes = complete (registry, whole->decodes, sizeof *whole->decodes);
  if (view.inputs == whole->inputs && view.outputs == whole->outputs &&
      view.decodes == whole->decodes)
    return whole;
  SegueStageType *copy = g_memdup2 (&view, sizeof view);
  g_ptr_array_add (registry->completed, copy);
  return copy;
}

static gconstpointer
complete_model (SegueRegistry *registry, const SegueModelType *type)
{
  const SegueModelType *whole = complete (registry, type, sizeof *type);
  const SegueRecipe *recipe =
    whole->recipe ? complete (registry, whole->recipe, sizeof *recipe) : NULL;
  const SegueEncoder *encoder =
    whole->encoder ? complete (registry, whole->encoder, sizeof *encoder) : NULL;
  if (recipe == whole->recipe && encoder == whole->encoder)
    return whole;
  SegueModelType *copy = g_memdup2 (whole, sizeof *whole);
  copy->recipe = recipe;
  copy->encoder = encoder;
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
               "%s '%s' is already provided by plugin '%s' (%s); remove one of the two", what, name,
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
                   "a plugin named '%s' is already loaded (%s); only the first one found is used",
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

/* `decode` belongs to the plugin of the decoder that is tried first. */
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

void
segue_registry_note_shortage (SegueRegistry *registry, GError *shortage)
{
  if (registry->shortage)
    g_error_free (shortage);
  else
    registry->shortage = shortage;
}

gboolean
segue_registry_note_file (SegueRegistry *registry, const char *real_path)
{
  return g_hash_table_add (registry->real_paths, g_strdup (real_path));
}

gboolean
segue_registry_refuse (SegueRegistry *registry, const char *path, GError *failure, GError **error)
{
  add_entry (registry, path, NULL, failure->message);
  g_autofree char *shown = g_filename_display_name (path);
  if (g_error_matches (failure, SEGUE_ERROR, SEGUE_ERROR_RESOURCE))
    segue_registry_note_shortage (
      registry,
      g_error_new (SEGUE_ERROR, SEGUE_ERROR_RESOURCE, "plugin ‘%s’: %s", shown, failure->message));
  g_propagate_prefixed_error (error, failure, "%s: ", shown);
  return FALSE;
}

/* The plugin that was refused last has these @types (nullable), if their names can be read. */
static void
note_refused (SegueRegistry *registry, gconstpointer const *types)
{
  for (guint i = 0; types && types[i]; i++) {
    const char *name = segue_type_get_name (types[i]);
    if (name && !g_hash_table_contains (registry->refused, name))
      g_hash_table_insert (registry->refused, g_strdup (name),
                           GUINT_TO_POINTER (registry->entries->len));
  }
}

gboolean
segue_registry_add (SegueRegistry *registry, const SeguePlugin *plugin, const char *path,
                    GError **error)
{
  GError *failure = NULL;
  const char *shown = path ? path : "(linked in)";
  if (add_plugin (registry, plugin, shown, &failure))
    return TRUE;
  segue_registry_refuse (registry, shown, failure, error);
  SeguePlugin view;
  if (segue_plugin_read (plugin, &view)) {
    note_refused (registry, (gconstpointer const *) view.stages);
    note_refused (registry, (gconstpointer const *) view.models);
  }
  return FALSE;
}

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
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

static char *
find_refusal (gpointer data, const char *name)
{
  return segue_registry_refusal_of (data, name);
}

static char *
explain_missing_model (gpointer data, const char *name)
{
  return segue_registry_explain_missing (data, name);
}

static const SegueModelType *
find_model (gpointer data, const char *name)
{
  return segue_registry_find_model (data, name);
}

static GPtrArray *
list_models (gpointer data, GError **error)
{
  return segue_registry_check_whole (data, error) ? segue_registry_model_names (data) : NULL;
}

SegueModelTypes
segue_registry_model_types (SegueRegistry *registry)
{
  SegueModelTypes types = { .find = find_model,
                            .list = list_models,
                            .refusal = find_refusal,
                            .explain = explain_missing_model,
                            .data = registry };
  return registry ? types : (SegueModelTypes){ 0 };
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

/* Whether @path is a file name for a plugin @name: segue-NAME.so, libNAME.so, NAME.so. */
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
  guint place = GPOINTER_TO_UINT (g_hash_table_lookup (registry->refused, name));
  const SeguePluginEntry *refused =
    place > 0 ? g_ptr_array_index (registry->entries, place - 1) : NULL;
  for (guint i = 0; i < plugins->len; i++) {
    const SeguePluginEntry *entry = g_ptr_array_index (plugins, i);
    if (entry == refused || (!refused && entry->refusal && is_named (entry->path, name))) {
      g_autofree char *shown = g_filename_display_name (entry->path);
      return g_strdup_printf ("%s was refused: %s", shown, entry->refusal);
    }
  }
  return NULL;
}

void
segue_registry_note_folder (SegueRegistry *registry, const char *folder)
{
  g_ptr_array_add (registry->folders, g_filename_display_name (folder));
}

char *
segue_registry_explain_missing (SegueRegistry *registry, const char *name)
{
  char *refusal = segue_registry_refusal_of (registry, name);
  if (refusal)
    return refusal;
  GString *text = g_string_new ("no plugin");
  for (guint i = 0; i < registry->folders->len; i++)
    g_string_append_printf (text, "%s%s",
                            i == 0                            ? " in "
                            : i + 1 == registry->folders->len ? " or "
                                                              : ", ",
                            (const char *) g_ptr_array_index (registry->folders, i));
  return g_string_free (g_string_append (text, " provides it"), FALSE);
}

gboolean
segue_registry_check_whole (SegueRegistry *registry, GError **error)
{
  if (registry && registry->shortage)
    g_propagate_error (error, g_error_copy (registry->shortage));
  return !registry || !registry->shortage;
}
