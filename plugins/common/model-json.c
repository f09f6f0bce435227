#include "model-json.h"

#include <errno.h>
#include <fcntl.h>
#include <segue/error.h>
#include <segue/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* A config.json with ten thousand labels has 300 kB. */
#define MAX_BYTES ((gsize) 8 * 1024 * 1024)

static gboolean
read_all (int fd, const char *path, GByteArray *text, GError **error)
{
  struct stat st;
  if (fstat (fd, &st) < 0)
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "cannot read", path);
  if (!S_ISREG (st.st_mode) || (guint64) st.st_size > MAX_BYTES)
    return model_json_refuse (error, path, NULL, "is not a plain file of at most %u MiB",
                              (guint) (MAX_BYTES >> 20));

  guint8 buffer[16384];
  while (text->len <= MAX_BYTES) {
    gssize n = read (fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "cannot read", path);
    if (n == 0)
      return TRUE;
    g_byte_array_append (text, buffer, (guint) n);
  }
  return model_json_refuse (error, path, NULL, "grew while it was read");
}

json_t *
model_json_read (const char *folder, const char *name, gboolean optional, GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  /* O_NONBLOCK: a FIFO in a stranger's folder must not hang us. */
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0 && errno == ENOENT && optional)
    return NULL;
  if (fd < 0) {
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "cannot read", path);
    return NULL;
  }
  g_autoptr (GByteArray) text = g_byte_array_new ();
  gboolean ok = read_all (fd, path, text, error);
  close (fd);
  if (!ok)
    return NULL;

  json_error_t where;
  g_autoptr (json_t) root = json_loadb (text->len > 0 ? (const char *) text->data : "", text->len,
                                        JSON_REJECT_DUPLICATES, &where);
  if (root == NULL) {
    g_autofree char *reason = g_utf8_make_valid (where.text, -1); /* it quotes the file */
    model_json_refuse (error, path, NULL, "is not JSON: line %d: %s", where.line, reason);
    return NULL;
  }
  if (!json_is_object (root)) {
    model_json_refuse (error, path, NULL, "does not hold a JSON object");
    return NULL;
  }
  return g_steal_pointer (&root);
}

gboolean
model_json_write (const json_t *object, const char *folder, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  char *text = json_dumps (object, JSON_INDENT (2) | JSON_SORT_KEYS | JSON_REAL_PRECISION (15));
  g_autofree char *line = g_strconcat (text, "\n", NULL);
  free (text);
  return segue_file_write (path, line, -1, error);
}

gboolean
model_json_refuse (GError **error, const char *where, const char *key, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_autofree char *shown = g_filename_display_name (where);
  if (key != NULL)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’: %s %s", shown, key, what);
  else
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’ %s", shown, what);
  return FALSE;
}

/* (nullable): a null is as good as a missing member. */
static const json_t *
member (const json_t *object, const char *key)
{
  const json_t *value = json_object_get (object, key);
  return json_is_null (value) ? NULL : value;
}

gboolean
model_json_get_size (const json_t *object, const char *where, const char *key, gsize min, gsize max,
                     gsize *value, GError **error)
{
  const json_t *found = member (object, key);
  if (found == NULL)
    return TRUE;
  if (!json_is_integer (found) || json_integer_value (found) < (json_int_t) min ||
      json_integer_value (found) > (json_int_t) max)
    return model_json_refuse (error, where, key,
                              "must be a whole number of %" G_GSIZE_FORMAT "…%" G_GSIZE_FORMAT, min,
                              max);
  *value = (gsize) json_integer_value (found);
  return TRUE;
}

gboolean
model_json_get_number (const json_t *object, const char *where, const char *key, double min,
                       double max, double *value, GError **error)
{
  const json_t *found = member (object, key);
  if (found == NULL)
    return TRUE;
  double number = json_number_value (found);
  if (!json_is_number (found) || !(number >= min && number <= max))
    return model_json_refuse (error, where, key, "must be a number of %g…%g", min, max);
  *value = number;
  return TRUE;
}

gboolean
model_json_get_bool (const json_t *object, const char *where, const char *key, gboolean *value,
                     GError **error)
{
  const json_t *found = member (object, key);
  if (found == NULL)
    return TRUE;
  if (!json_is_boolean (found))
    return model_json_refuse (error, where, key, "must be true or false");
  *value = json_is_true (found);
  return TRUE;
}

gboolean
model_json_get_string (const json_t *object, const char *where, const char *key, const char **value,
                       GError **error)
{
  const json_t *found = member (object, key);
  if (found == NULL)
    return TRUE;
  if (!json_is_string (found))
    return model_json_refuse (error, where, key, "must be text");
  *value = json_string_value (found);
  return TRUE;
}
