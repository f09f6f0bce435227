/* model.safetensors.index.json: { "weight_map": { tensor: file, … }, … } */
#include <segue/error.h>
#include <segue/json.h>
#include <segue/model.h>
#include <string.h>

#define SUFFIX ".safetensors"

/* Whether it is the name of a file in the index's folder, on any system. */
static gboolean
is_name (const char *name)
{
  for (const char *at = name; at && *at; at++)
    if (!g_ascii_isprint (*at))
      return FALSE;
  return name && *name && *name != '.' && strlen (name) <= 255 && !strpbrk (name, "/\\:") &&
         g_str_has_suffix (name, SUFFIX);
}

static GStrv
refuse (const char *index, const char *what, GError **error)
{
  g_autofree char *shown = g_filename_display_name (index);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’ %s; download the model again", shown,
               what);
  return NULL;
}

GStrv
segue_model_list_shards (const char *index, GError **error)
{
  json_t *root = segue_json_read (index, SEGUE_JSON_SETTINGS, SEGUE_JSON_FOLLOW_LINK, NULL, error);
  if (!root)
    return NULL;
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gboolean ok = json_is_object (json_object_get (root, "weight_map"));
  const char *tensor;
  json_t *file;
  json_object_foreach (json_object_get (root, "weight_map"), tensor, file)
  {
    ok = ok && is_name (json_string_value (file));
    if (ok)
      g_hash_table_add (names, g_strdup (json_string_value (file)));
  }
  json_decref (root);
  guint n = g_hash_table_size (names);
  if (!ok || n == 0)
    return refuse (index, "does not map tensors to files in the same folder", error);
  if (n > SEGUE_MODEL_MAX_SHARDS)
    return refuse (index, "names more than 128 files", error);
  g_autoptr (GList) sorted = g_list_sort (g_hash_table_get_keys (names), (GCompareFunc) strcmp);
  GStrv list = g_new0 (char *, n + 1);
  guint i = 0;
  for (GList *at = sorted; at; at = at->next)
    list[i++] = g_strdup (at->data);
  return list;
}
