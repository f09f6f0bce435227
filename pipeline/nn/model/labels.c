/* id2label of config.json: the labels in the order of the logits. */
#include <segue/nn/config.h>

char **
segue_nn_config_get_labels (const json_t *config, const char *where, GError **error)
{
  const json_t *map = json_object_get (config, "id2label");
  if (!map || json_is_null (map))
    return NULL;
  gsize n = json_object_size (map);
  if (!json_is_object (map) || n < 1 || n > SEGUE_NN_MAX_LABELS) {
    segue_nn_config_refuse (error, where, "id2label",
                            "must map 1…%" G_GSIZE_FORMAT " numbers to text", SEGUE_NN_MAX_LABELS);
    return NULL;
  }

  g_auto (GStrv) labels = g_new0 (char *, n + 1);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  for (gsize i = 0; i < n; i++) {
    char key[24];
    g_snprintf (key, sizeof key, "%" G_GSIZE_FORMAT, i);
    const char *label = json_string_value (json_object_get (map, key));
    if (!label || *label == '\0') {
      segue_nn_config_refuse (error, where, "id2label",
                              "has no text for \"%s\"; its keys must be 0…%" G_GSIZE_FORMAT, key,
                              n - 1);
      return NULL;
    }
    labels[i] = g_strdup (label);
    if (!g_hash_table_add (seen, labels[i])) {
      segue_nn_config_refuse (error, where, "id2label", "has ‘%s’ twice", label);
      return NULL;
    }
  }
  return g_steal_pointer (&labels);
}

void
segue_nn_config_set_labels (json_t *config, const char *const *labels)
{
  json_t *id2label = json_object (), *label2id = json_object ();
  for (guint i = 0; labels[i]; i++) {
    char key[24];
    g_snprintf (key, sizeof key, "%u", i);
    json_object_set_new (id2label, key, json_string (labels[i]));
    json_object_set_new (label2id, labels[i], json_integer (i));
  }
  json_object_set_new (config, "id2label", id2label);
  json_object_set_new (config, "label2id", label2id);
  json_object_del (config, "num_labels");
  json_object_del (config, "_num_labels");
}
