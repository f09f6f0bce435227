/* Reading safetensors files. */
#include "safetensors-private.h"

#include <errno.h>
#include <fcntl.h>
#include <segue/error.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK 65536 /* bytes that are converted at a time */

/* length bytes from offset; the length of the file was checked when it was opened. */
static gboolean
read_at (SegueSafetensors *file, guint64 offset, gsize length, void *out, GError **error)
{
  if (length == 0)
    return TRUE;
  if (file->fd < 0) {
    memcpy (out, (const guint8 *) g_bytes_get_data (file->bytes, NULL) + offset, length);
    return TRUE;
  }
  for (gsize done = 0; done < length;) {
    gssize n = pread (file->fd, (guint8 *) out + done, MIN (length - done, (gsize) 1 << 30),
                      (off_t) (offset + done));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "can't read", file->name);
    if (n == 0) {
      g_autofree char *shown = g_filename_display_name (file->name);
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_IO,
                   "‘%s’ was truncated while it was being read; download it again", shown);
      return FALSE;
    }
    done += (gsize) n;
  }
  return TRUE;
}

static gboolean
refuse (SegueSafetensors *file, const char *what, GError **error)
{
  g_autofree char *shown = g_filename_display_name (file->name);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
               "‘%s’ is not a valid safetensors file: %s; download it again", shown, what);
  return FALSE;
}

static gboolean
read_header (SegueSafetensors *file, guint64 file_length, GError **error)
{
  guint8 prefix[8];
  guint64 length = 0;
  if (file_length < sizeof prefix)
    return refuse (file, "it is too short", error);
  if (!read_at (file, 0, sizeof prefix, prefix, error))
    return FALSE;
  for (guint i = 0; i < sizeof prefix; i++)
    length |= (guint64) prefix[i] << (8 * i);
  if (length > SAFETENSORS_MAX_HEADER)
    return refuse (file, "its header is larger than 16 MiB", error);
  if (length > file_length - sizeof prefix)
    return refuse (file, "its header is truncated", error);

  g_autofree char *text = g_try_malloc (length + 1);
  if (!text) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                 "not enough memory for the header of ‘%s’", file->name);
    return FALSE;
  }
  guint64 data_start = sizeof prefix + length;
  return read_at (file, sizeof prefix, (gsize) length, text, error) &&
         nn_safetensors_parse (text, (gsize) length, data_start, file_length - data_start,
                               file->name, &file->header, error);
}

SegueSafetensors *
segue_safetensors_open (const char *path, GError **error)
{
  g_autoptr (SegueSafetensors) file = g_new0 (SegueSafetensors, 1);
  struct stat status;
  file->name = g_strdup (path);
  /* NONBLOCK: a pipe of that name must not block. */
  file->fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file->fd < 0 || fstat (file->fd, &status) != 0) {
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't open", path);
    return NULL;
  }
  if (!S_ISREG (status.st_mode)) {
    refuse (file, "it is not a regular file", error);
    return NULL;
  }
  if (!read_header (file, (guint64) status.st_size, error))
    return NULL;
  return g_steal_pointer (&file);
}

SegueSafetensors *
segue_safetensors_open_bytes (GBytes *bytes, const char *name, GError **error)
{
  g_autoptr (SegueSafetensors) file = g_new0 (SegueSafetensors, 1);
  file->name = g_strdup (name);
  file->fd = -1;
  file->bytes = g_bytes_ref (bytes);
  if (!read_header (file, g_bytes_get_size (bytes), error))
    return NULL;
  return g_steal_pointer (&file);
}

void
segue_safetensors_free (SegueSafetensors *file)
{
  if (!file)
    return;
  nn_safetensors_header_clear (&file->header);
  g_clear_pointer (&file->parts, g_ptr_array_unref);
  g_free (file->part_of);
  if (file->fd >= 0)
    close (file->fd);
  g_clear_pointer (&file->bytes, g_bytes_unref);
  g_free (file->name);
  g_free (file);
}

const SegueTensorInfo *
segue_safetensors_list (SegueSafetensors *file, gsize *n_tensors)
{
  *n_tensors = file->header.n_tensors;
  return file->header.tensors;
}

static int
compare_name (const void *name, const void *info)
{
  return strcmp (name, ((const SegueTensorInfo *) info)->name);
}

const SegueTensorInfo *
segue_safetensors_lookup (SegueSafetensors *file, const char *name)
{
  if (file->header.n_tensors == 0)
    return NULL;
  return bsearch (name, file->header.tensors, file->header.n_tensors, sizeof (SegueTensorInfo),
                  compare_name);
}

const char *
segue_safetensors_get_metadata (SegueSafetensors *file, const char *key)
{
  return g_hash_table_lookup (file->header.metadata, key);
}

/* The file that contains the bytes of @tensor. */
static SegueSafetensors *
part_of (SegueSafetensors *file, const SegueTensorInfo *tensor)
{
  if (!file->parts)
    return file;
  return g_ptr_array_index (file->parts, file->part_of[tensor - file->header.tensors]);
}

gboolean
segue_safetensors_read (SegueSafetensors *file, const SegueTensorInfo *tensor, gpointer out,
                        GError **error)
{
  return read_at (part_of (file, tensor), tensor->offset, tensor->n_bytes, out, error);
}

static char *
describe_shape (guint n_dims, const gsize *shape)
{
  GString *text = g_string_new ("[");
  for (guint i = 0; i < n_dims; i++)
    g_string_append_printf (text, "%s%zu", i > 0 ? ", " : "", shape[i]);
  return g_string_free (g_string_append_c (text, ']'), FALSE);
}

/* The tensor, if it exists and has the expected shape and type. */
static const SegueTensorInfo *
expect (SegueSafetensors *file, const char *name, guint n_dims, const gsize *shape, GError **error)
{
  const SegueTensorInfo *info = segue_safetensors_lookup (file, name);
  g_autofree char *shown = g_filename_display_name (file->name);
  if (!info) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’ has no tensor ‘%s’", shown, name);
    return NULL;
  }
  if (!nn_safetensors_is_float (info->dtype)) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "‘%s’: tensor ‘%s’ is %s, but F32, F16, BF16 or F64 is needed", shown, name,
                 segue_safetensors_dtype_get_name (info->dtype));
    return NULL;
  }
  if (info->n_dims != n_dims ||
      (n_dims > 0 && memcmp (info->shape, shape, n_dims * sizeof *shape) != 0)) {
    g_autofree char *is = describe_shape (info->n_dims, info->shape);
    g_autofree char *should = describe_shape (n_dims, shape);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "‘%s’: tensor ‘%s’ is %s, but the model's configuration needs %s", shown, name, is,
                 should);
    return NULL;
  }
  return info;
}

gboolean
segue_safetensors_read_f32 (SegueSafetensors *file, const char *name, guint n_dims,
                            const gsize *shape, float *out, GError **error)
{
  const SegueTensorInfo *info = expect (file, name, n_dims, shape, error);
  if (!info)
    return FALSE;
  file = part_of (file, info);
  if (info->dtype == SEGUE_SAFETENSORS_F32 && G_BYTE_ORDER == G_LITTLE_ENDIAN)
    return read_at (file, info->offset, info->n_bytes, out, error);

  guint8 chunk[CHUNK];
  gsize size = segue_safetensors_dtype_get_size (info->dtype);
  for (gsize done = 0; done < info->n_elements;) {
    gsize n = MIN (CHUNK / size, info->n_elements - done);
    if (!read_at (file, info->offset + done * size, n * size, chunk, error))
      return FALSE;
    nn_safetensors_to_f32 (info->dtype, n, chunk, out + done);
    done += n;
  }
  return TRUE;
}
