/* Writing safetensors files. */
#include "safetensors-private.h"

#include <segue/error.h>
#include <segue/file.h>
#include <segue/json.h>
#include <string.h>

#if G_BYTE_ORDER != G_LITTLE_ENDIAN
#error "tensors are written as they lie in memory, which must be little-endian"
#endif

typedef struct {
  SegueTensorInfo info; /* owns its name */
  gconstpointer data;
  float *owned; /* data, if the writer owns it */
} Entry;

struct _SegueSafetensorsWriter {
  GPtrArray *entries;
  GHashTable *names; /* of entries, borrowed from them */
  json_t *metadata;
};

static void
entry_free (gpointer data)
{
  Entry *entry = data;
  g_free ((char *) entry->info.name);
  g_free (entry->owned);
  g_free (entry);
}

SegueSafetensorsWriter *
segue_safetensors_writer_new (void)
{
  SegueSafetensorsWriter *writer = g_new0 (SegueSafetensorsWriter, 1);
  writer->entries = g_ptr_array_new_with_free_func (entry_free);
  writer->names = g_hash_table_new (g_str_hash, g_str_equal);
  writer->metadata = json_object ();
  segue_safetensors_writer_set_metadata (writer, "format", "pt");
  return writer;
}

void
segue_safetensors_writer_free (SegueSafetensorsWriter *writer)
{
  if (!writer)
    return;
  json_decref (writer->metadata);
  g_hash_table_unref (writer->names);
  g_ptr_array_unref (writer->entries);
  g_free (writer);
}

void
segue_safetensors_writer_set_metadata (SegueSafetensorsWriter *writer, const char *key,
                                       const char *value)
{
  g_return_if_fail (g_utf8_validate (key, -1, NULL) && g_utf8_validate (value, -1, NULL));
  json_object_set_new (writer->metadata, key, json_string (value));
}

static Entry *
add (SegueSafetensorsWriter *writer, const char *name, SegueSafetensorsDtype dtype, guint n_dims,
     const gsize *shape, gconstpointer data)
{
  Entry *entry = g_new0 (Entry, 1);
  g_assert (n_dims <= SEGUE_SAFETENSORS_MAX_DIMENSIONS);
  g_assert (g_utf8_validate (name, -1, NULL) && !g_str_equal (name, SAFETENSORS_METADATA));
  entry->info = (SegueTensorInfo){ .name = g_strdup (name), .dtype = dtype, .n_dims = n_dims };
  for (guint i = 0; i < n_dims; i++)
    entry->info.shape[i] = shape[i];
  gboolean fits =
    nn_safetensors_size (dtype, n_dims, shape, &entry->info.n_elements, &entry->info.n_bytes);
  g_assert (fits);
  entry->data = data;
  gboolean is_new = g_hash_table_add (writer->names, (char *) entry->info.name);
  g_assert (is_new);
  g_ptr_array_add (writer->entries, entry);
  return entry;
}

void
segue_safetensors_writer_add (SegueSafetensorsWriter *writer, const char *name,
                              SegueSafetensorsDtype dtype, guint n_dims, const gsize *shape,
                              gconstpointer data)
{
  add (writer, name, dtype, n_dims, shape, data);
}

void
segue_safetensors_writer_add_f32 (SegueSafetensorsWriter *writer, const char *name, guint n_dims,
                                  const gsize *shape, const float *data)
{
  add (writer, name, SEGUE_SAFETENSORS_F32, n_dims, shape, data);
}

void
segue_safetensors_writer_take_f32 (SegueSafetensorsWriter *writer, const char *name, guint n_dims,
                                   const gsize *shape, float *data)
{
  add (writer, name, SEGUE_SAFETENSORS_F32, n_dims, shape, data)->owned = data;
}

/* Wider types first: with the header's padding that aligns every tensor to its own size. */
static gint
by_size_and_name (gconstpointer a, gconstpointer b)
{
  const Entry *x = *(Entry *const *) a, *y = *(Entry *const *) b;
  gsize size_x = segue_safetensors_dtype_get_size (x->info.dtype);
  gsize size_y = segue_safetensors_dtype_get_size (y->info.dtype);
  if (size_x != size_y)
    return size_x > size_y ? -1 : 1;
  return strcmp (x->info.name, y->info.name);
}

static json_t *
describe (const SegueTensorInfo *info, gsize begin)
{
  json_t *entry = json_object (), *shape = json_array (), *offsets = json_array ();
  for (guint i = 0; i < info->n_dims; i++)
    json_array_append_new (shape, json_integer ((json_int_t) info->shape[i]));
  json_array_append_new (offsets, json_integer ((json_int_t) begin));
  json_array_append_new (offsets, json_integer ((json_int_t) (begin + info->n_bytes)));
  json_object_set_new (entry, "dtype",
                       json_string (segue_safetensors_dtype_get_name (info->dtype)));
  json_object_set_new (entry, "shape", shape);
  json_object_set_new (entry, "data_offsets", offsets);
  return entry;
}

/* The JSON text, padded with spaces to a multiple of 8 bytes. */
static GString *
make_header (SegueSafetensorsWriter *writer)
{
  json_t *root = json_object (), *metadata = json_object ();
  gsize begin = 0;
  const char *key;
  json_t *value;
  g_autoptr (GList) keys = NULL;

  json_object_foreach (writer->metadata, key, value) keys =
    g_list_insert_sorted (keys, (gpointer) key, (GCompareFunc) strcmp);
  for (GList *l = keys; l; l = l->next)
    json_object_set (metadata, l->data, json_object_get (writer->metadata, l->data));
  json_object_set_new (root, SAFETENSORS_METADATA, metadata);
  for (guint i = 0; i < writer->entries->len; i++) {
    const Entry *entry = writer->entries->pdata[i];
    json_object_set_new (root, entry->info.name, describe (&entry->info, begin));
    begin += entry->info.n_bytes;
  }

  g_autofree char *text = segue_json_print (root, JSON_COMPACT);
  GString *header = g_string_new (text);
  while (header->len % 8 != 0)
    g_string_append_c (header, ' ');
  return header;
}

static gboolean
write_all (SegueSafetensorsWriter *writer, SegueFileWriter *file, const GString *header,
           GError **error)
{
  guint64 length = GUINT64_TO_LE ((guint64) header->len);
  if (!segue_file_writer_write (file, &length, sizeof length, error) ||
      !segue_file_writer_write (file, header->str, header->len, error))
    return FALSE;
  for (guint i = 0; i < writer->entries->len; i++) {
    const Entry *entry = writer->entries->pdata[i];
    if (!segue_file_writer_write (file, entry->data, entry->info.n_bytes, error))
      return FALSE;
  }
  return segue_file_writer_commit (file, error);
}

gboolean
segue_safetensors_writer_write (SegueSafetensorsWriter *writer, const char *path, GError **error)
{
  g_ptr_array_sort (writer->entries, by_size_and_name);
  g_autoptr (SegueFileWriter) file = segue_file_writer_new (path, error);
  if (!file)
    return FALSE;
  GString *header = make_header (writer);
  gboolean ok = write_all (writer, file, header, error);
  g_string_free (header, TRUE);
  return ok;
}
