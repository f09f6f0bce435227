#include "framework.h"

#include <gst/gst.h>
#include <gst/pbutils/pbutils.h>
#include <segue/error.h>
#include <string.h>
#include <sys/resource.h>

/* (transfer full): the name of GStreamer's plugin registry. Plugins that could not be loaded are listed there as
 * blocked until their files change, so a registry made under a tight limit of memory or open files (ulimit -v,
 * ulimit -n) is used only for runs under the same limits. */
static char *
name_registry (void)
{
  static const struct {
    int resource;
    rlim_t enough;
  } needs[] = { { RLIMIT_AS, RLIM_INFINITY }, { RLIMIT_NOFILE, 64 } };
  g_autoptr (GString) name = g_string_new ("gstreamer-registry");
  struct rlimit limit;

  for (guint i = 0; i < G_N_ELEMENTS (needs); i++)
    if (getrlimit (needs[i].resource, &limit) == 0 && limit.rlim_cur < needs[i].enough)
      g_string_append_printf (name, "-%" G_GUINT64_FORMAT, (guint64) limit.rlim_cur);
  g_string_append (name, ".bin");
  return g_string_free (g_steal_pointer (&name), FALSE);
}

/* GStreamer can be configured only through the environment. It is set once, before any of GStreamer's threads
 * exist; under isolation the process has no other threads either. */
static void
choose_registry (void)
{
  g_autofree char *folder = g_build_filename (g_get_user_cache_dir (), "segue", NULL);
  g_autofree char *name = name_registry (), *path = g_build_filename (folder, name, NULL);

  if (g_getenv ("GST_REGISTRY") || g_getenv ("GST_REGISTRY_1_0"))
    return;
  if (g_mkdir_with_parents (folder, 0755) == 0)
    g_setenv ("GST_REGISTRY", path, TRUE);
}

/* A folder of plugins that could not be listed, for example for lack of memory, appears empty to GStreamer. */
static void
look_twice (void)
{
  g_autoptr (GstElementFactory) basic = gst_element_factory_find ("decodebin");

  if (!basic)
    gst_update_registry ();
}

/* Synthesisers (modules, chiptunes, MIDI) are not decoders of recordings, and some of them hang on a duration
 * query.  decodebin uses no element without a rank. */
static void
leave_out_players (void)
{
  static const char *const plugins[] = { "fluidsynthmidi", "gme",    "mikmod",  "modplug",
                                         "openmpt",        "siddec", "wildmidi" };

  for (guint i = 0; i < G_N_ELEMENTS (plugins); i++) {
    GList *features = gst_registry_get_feature_list_by_plugin (gst_registry_get (), plugins[i]);

    for (GList *l = features; l; l = l->next)
      gst_plugin_feature_set_rank (l->data, GST_RANK_NONE);
    gst_plugin_feature_list_free (features);
  }
}

/* %NULL or the reason for the failure; lives as long as the process. */
static gpointer
init_once (gpointer unused)
{
  GError *error = NULL;

  choose_registry ();
  if (!gst_init_check (NULL, NULL, &error))
    return error ? error : g_error_new (SEGUE_ERROR, SEGUE_ERROR_FAILED, "no reason given");
  look_twice ();
  leave_out_players ();
  gst_pb_utils_init ();
  return NULL;
}

gboolean
framework_init (GError **error)
{
  static GOnce once = G_ONCE_INIT;
  const GError *failure = g_once (&once, init_once, NULL);

  if (failure)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED,
                 "GStreamer does not start: %s; check that it is installed completely",
                 failure->message);
  return !failure;
}

void
framework_allow (SegueContext *context)
{
  g_autoptr (GHashTable) folders = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GList *plugins = gst_registry_get_plugin_list (gst_registry_get ());
  GHashTableIter iter;
  gpointer folder;

  for (GList *l = plugins; l; l = l->next) {
    const char *path = gst_plugin_get_filename (l->data);

    if (path)
      g_hash_table_add (folders, g_path_get_dirname (path));
  }
  gst_plugin_list_free (plugins);
  g_hash_table_iter_init (&iter, folders);
  while (g_hash_table_iter_next (&iter, &folder, NULL))
    segue_context_allow_read (context, folder);
}

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static void
add_plugins (GHashTable *seen, GPtrArray *names, GstElementFactoryListType type)
{
  GList *factories = gst_element_factory_list_get_elements (type, GST_RANK_MARGINAL);

  for (GList *l = factories; l; l = l->next) {
    g_autoptr (GstPlugin) plugin = gst_plugin_feature_get_plugin (l->data);
    g_autofree char *name = NULL;

    if (!plugin)
      continue;
    name = g_strdup_printf ("%s %s", gst_plugin_get_name (plugin), gst_plugin_get_version (plugin));
    if (g_hash_table_contains (seen, name))
      continue;
    g_ptr_array_add (names, name);
    g_hash_table_add (seen, g_steal_pointer (&name));
  }
  gst_plugin_feature_list_free (factories);
}

char *
framework_describe (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *core = gst_version_string (), *plugins = NULL;

  add_plugins (seen, names,
               GST_ELEMENT_FACTORY_TYPE_DECODER | GST_ELEMENT_FACTORY_TYPE_MEDIA_AUDIO);
  add_plugins (seen, names, GST_ELEMENT_FACTORY_TYPE_DEMUXER | GST_ELEMENT_FACTORY_TYPE_PARSER);
  g_ptr_array_sort (names, compare_strings);
  g_ptr_array_add (names, NULL);
  plugins = g_strjoinv (", ", (char **) names->pdata);
  return g_strdup_printf ("%s (%s)", core, plugins);
}
