#include <segue/nn/config.h>

#include <segue/error.h>
#include <segue/file.h>
#include <segue/json.h>

json_t *
segue_nn_config_read (const char *folder, const char *name, gboolean optional, GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  return segue_json_read (path, SEGUE_JSON_SETTINGS,
                          SEGUE_JSON_FOLLOW_LINK | (optional ? SEGUE_JSON_OPTIONAL : 0), NULL,
                          error);
}

gboolean
segue_nn_config_write (const json_t *object, const char *folder, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *text = segue_json_print (
    json_incref ((json_t *) object), JSON_INDENT (2) | JSON_SORT_KEYS | JSON_REAL_PRECISION (15));
  g_autofree char *line = g_strconcat (text, "\n", NULL);
  return segue_file_write (path, line, -1, error);
}

gboolean
segue_nn_config_refuse (GError **error, const char *where, const char *key, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_autofree char *shown = g_filename_display_name (where);
  if (key)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’: %s %s", shown, key, what);
  else
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’ %s", shown, what);
  return FALSE;
}

/* (nullable): null is treated as a missing member. */
static const json_t *
member (const json_t *object, const char *key)
{
  const json_t *value = json_object_get (object, key);
  return json_is_null (value) ? NULL : value;
}

gboolean
segue_nn_config_get_size (const json_t *object, const char *where, const char *key, gsize min,
                          gsize max, gsize *value, GError **error)
{
  const json_t *found = member (object, key);
  if (!found)
    return TRUE;
  if (!json_is_integer (found) || json_integer_value (found) < (json_int_t) min ||
      json_integer_value (found) > (json_int_t) max)
    return segue_nn_config_refuse (error, where, key,
                                   "must be a whole number of %" G_GSIZE_FORMAT "…%" G_GSIZE_FORMAT,
                                   min, max);
  *value = (gsize) json_integer_value (found);
  return TRUE;
}

gboolean
segue_nn_config_get_number (const json_t *object, const char *where, const char *key, double min,
                            double max, double *value, GError **error)
{
  const json_t *found = member (object, key);
  if (!found)
    return TRUE;
  double number = json_number_value (found);
  if (!json_is_number (found) || !(number >= min && number <= max))
    return segue_nn_config_refuse (error, where, key, "must be a number of %g…%g", min, max);
  *value = number;
  return TRUE;
}

gboolean
segue_nn_config_get_bool (const json_t *object, const char *where, const char *key, gboolean *value,
                          GError **error)
{
  const json_t *found = member (object, key);
  if (!found)
    return TRUE;
  if (!json_is_boolean (found))
    return segue_nn_config_refuse (error, where, key, "must be true or false");
  *value = json_is_true (found);
  return TRUE;
}

gboolean
segue_nn_config_get_string (const json_t *object, const char *where, const char *key,
                            const char **value, GError **error)
{
  const json_t *found = member (object, key);
  if (!found)
    return TRUE;
  if (!json_is_string (found))
    return segue_nn_config_refuse (error, where, key, "must be text");
  *value = json_string_value (found);
  return TRUE;
}

gboolean
segue_nn_config_get_choice (const json_t *object, const char *where, const char *key,
                            const char *const *names, guint *index, GError **error)
{
  const char *name = NULL;
  if (!segue_nn_config_get_string (object, where, key, &name, error))
    return FALSE;
  for (guint i = 0; name && names[i]; i++)
    if (g_str_equal (names[i], name)) {
      *index = i;
      return TRUE;
    }
  g_autofree char *list = g_strjoinv ("’ or ‘", (char **) names);
  return !name || segue_nn_config_refuse (error, where, key, "must be ‘%s’", list);
}

gboolean
segue_nn_config_get_activation (const json_t *object, const char *where, const char *key,
                                SegueNnActivation *activation, GError **error)
{
  const char *name = NULL;
  if (!segue_nn_config_get_string (object, where, key, &name, error))
    return FALSE;
  return !name || segue_nn_activation_from_name (name, activation) ||
         segue_nn_config_refuse (error, where, key, "names ‘%s’, which is not supported", name);
}

gboolean
segue_nn_config_get_sizes (const json_t *object, const char *where, const char *key, gsize min,
                           gsize max, guint max_n, gsize *values, guint *n, GError **error)
{
  const json_t *list = member (object, key);
  gsize length = json_array_size (list);
  if (!list)
    return TRUE;
  if (!json_is_array (list) || length < 1 || length > max_n)
    return segue_nn_config_refuse (error, where, key, "must be a list of 1…%u numbers", max_n);
  for (gsize i = 0; i < length; i++) {
    const json_t *value = json_array_get (list, i);
    if (!json_is_integer (value) || json_integer_value (value) < (json_int_t) min ||
        json_integer_value (value) > (json_int_t) max)
      return segue_nn_config_refuse (
        error, where, key, "must contain whole numbers of %" G_GSIZE_FORMAT "…%" G_GSIZE_FORMAT,
        min, max);
    values[i] = (gsize) json_integer_value (value);
  }
  *n = (guint) length;
  return TRUE;
}
