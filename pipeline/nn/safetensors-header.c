/* Reading of the untrusted JSON header of a safetensors file. */
#include "safetensors-private.h"

#include <segue/error.h>
#include <segue/json.h>
#include <stdlib.h>
#include <string.h>

/* The place of a check, for messages. */
typedef struct {
  const char *file;
  const char *tensor; /* NULL before there is one */
  GError **error;
} Where;

G_GNUC_PRINTF (2, 3)
static gboolean
refuse (const Where *where, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *what = g_strdup_vprintf (format, args);
  va_end (args);
  g_autofree char *file = g_filename_display_name (where->file);
  g_autofree char *tensor = where->tensor ? g_strescape (where->tensor, NULL) : NULL;
  g_set_error (where->error, SEGUE_ERROR, SEGUE_ERROR_DATA,
               "‘%s’ is not a valid safetensors file:%s%s%s %s; download it again", file,
               tensor ? " tensor ‘" : "", tensor ? tensor : "", tensor ? "’:" : "", what);
  return FALSE;
}

static gboolean
parse_size (json_t *value, guint64 *size)
{
  if (!json_is_integer (value) || json_integer_value (value) < 0)
    return FALSE;
  *size = (guint64) json_integer_value (value);
  return TRUE;
}

static gboolean
parse_shape (json_t *shape, SegueTensorInfo *info, const Where *where)
{
  if (!json_is_array (shape))
    return refuse (where, "it has no shape");
  if (json_array_size (shape) > SEGUE_SAFETENSORS_MAX_DIMENSIONS)
    return refuse (where, "it has %zu dimensions, at most %d are read", json_array_size (shape),
                   SEGUE_SAFETENSORS_MAX_DIMENSIONS);
  info->n_dims = (guint) json_array_size (shape);
  for (guint i = 0; i < info->n_dims; i++) {
    guint64 size;
    if (!parse_size (json_array_get (shape, i), &size) || size > G_MAXSIZE)
      return refuse (where, "dimension %u of its shape is not a size", i);
    info->shape[i] = (gsize) size;
  }
  return TRUE;
}

static gboolean
parse_dtype (json_t *dtype, SegueTensorInfo *info, const Where *where)
{
  if (!json_is_string (dtype))
    return refuse (where, "it has no dtype");
  info->dtype = nn_safetensors_dtype_from_name (json_string_value (dtype));
  return TRUE;
}

/* Offsets relative to the data; their consistency is checked when all are known. */
static gboolean
parse_offsets (json_t *offsets, SegueTensorInfo *info, guint64 data_length, const Where *where)
{
  guint64 begin, end;
  if (!json_is_array (offsets) || json_array_size (offsets) != 2 ||
      !parse_size (json_array_get (offsets, 0), &begin) ||
      !parse_size (json_array_get (offsets, 1), &end))
    return refuse (where, "its data_offsets are not two sizes");
  if (begin > end || end > data_length)
    return refuse (where, "its data_offsets are outside the file");
  if (!nn_safetensors_size (info->dtype, info->n_dims, info->shape, &info->n_elements,
                            &info->n_bytes))
    return refuse (where, "its shape is too large");
  if (info->dtype == SEGUE_SAFETENSORS_OTHER)
    info->n_bytes = end - begin;
  if (info->n_bytes != end - begin)
    return refuse (where, "its shape needs %zu bytes but its data_offsets span %" G_GUINT64_FORMAT,
                   info->n_bytes, end - begin);
  info->offset = begin;
  return TRUE;
}

static gboolean
parse_tensor (const char *name, json_t *entry, guint64 data_length, SegueTensorInfo *info,
              Where *where)
{
  where->tensor = name;
  if (!json_is_object (entry))
    return refuse (where, "its entry is not an object");
  if (!parse_dtype (json_object_get (entry, "dtype"), info, where) ||
      !parse_shape (json_object_get (entry, "shape"), info, where) ||
      !parse_offsets (json_object_get (entry, "data_offsets"), info, data_length, where))
    return FALSE;
  info->name = g_strdup (name);
  where->tensor = NULL;
  return TRUE;
}

static gboolean
parse_metadata (json_t *metadata, GHashTable *table, const Where *where)
{
  const char *key;
  json_t *value;
  if (!json_is_object (metadata))
    return refuse (where, "its " SAFETENSORS_METADATA " is not an object");
  json_object_foreach (metadata, key, value)
  {
    if (!json_is_string (value))
      return refuse (where, "its " SAFETENSORS_METADATA " is not all strings");
    g_hash_table_insert (table, g_strdup (key), g_strdup (json_string_value (value)));
  }
  return TRUE;
}

static int
by_offset (const void *a, const void *b)
{
  const SegueTensorInfo *x = a, *y = b;
  if (x->offset != y->offset)
    return x->offset < y->offset ? -1 : 1;
  return (x->n_bytes > y->n_bytes) - (x->n_bytes < y->n_bytes);
}

static int
by_name (const void *a, const void *b)
{
  return strcmp (((const SegueTensorInfo *) a)->name, ((const SegueTensorInfo *) b)->name);
}

/* Each tensor begins where the one before it ends, from 0 to the end of the file. */
static gboolean
check_layout (NnSafetensorsHeader *header, guint64 data_length, Where *where)
{
  guint64 end = 0;
  if (header->n_tensors > 0)
    qsort (header->tensors, header->n_tensors, sizeof *header->tensors, by_offset);
  for (gsize i = 0; i < header->n_tensors; i++) {
    const SegueTensorInfo *info = &header->tensors[i];
    where->tensor = info->name;
    if (info->offset != end)
      return refuse (where, info->offset < end ? "its data overlaps another's"
                                               : "there is a gap before its data");
    end += info->n_bytes;
  }
  where->tensor = NULL;
  if (end != data_length)
    return refuse (where, "%" G_GUINT64_FORMAT " bytes follow the last tensor", data_length - end);
  return TRUE;
}

static gboolean
parse_entries (json_t *root, guint64 data_length, NnSafetensorsHeader *header, Where *where)
{
  const char *key;
  json_t *value;
  json_object_foreach (root, key, value)
  {
    if (g_str_equal (key, SAFETENSORS_METADATA)) {
      if (!parse_metadata (value, header->metadata, where))
        return FALSE;
    } else {
      if (!parse_tensor (key, value, data_length, &header->tensors[header->n_tensors], where))
        return FALSE;
      header->n_tensors++;
    }
  }
  return check_layout (header, data_length, where);
}

gboolean
nn_safetensors_parse (const char *text, gsize length, guint64 data_start, guint64 data_length,
                      const char *name, NnSafetensorsHeader *header, GError **error)
{
  Where where = { .file = name, .error = error };

  if (length == 0 || text[0] != '{')
    return refuse (&where, "its header does not begin with ‘{’");
  g_autofree char *place = g_strconcat (name, ": header", NULL);
  json_t *root = segue_json_parse (text, (gssize) length, place, SEGUE_JSON_WEIGHTS, NULL, error);
  if (!root)
    return FALSE;

  *header = (NnSafetensorsHeader){
    .tensors = g_new0 (SegueTensorInfo, json_object_size (root)),
    .metadata = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free),
  };
  gboolean ok = parse_entries (root, data_length, header, &where);
  json_decref (root);
  if (!ok) {
    nn_safetensors_header_clear (header);
    return FALSE;
  }
  if (header->n_tensors > 0)
    qsort (header->tensors, header->n_tensors, sizeof *header->tensors, by_name);
  for (gsize i = 0; i < header->n_tensors; i++)
    header->tensors[i].offset += data_start;
  return TRUE;
}

void
nn_safetensors_header_clear (NnSafetensorsHeader *header)
{
  for (gsize i = 0; i < header->n_tensors; i++)
    g_free ((char *) header->tensors[i].name);
  g_clear_pointer (&header->tensors, g_free);
  g_clear_pointer (&header->metadata, g_hash_table_unref);
  header->n_tensors = 0;
}
