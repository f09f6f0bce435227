/* One file of a known content in the format safetensors: a header of JSON, then the numbers. The reader for any such
 * file is in libsegue-nn, which libsegue does not link. */
#include "host/library-vectors.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <segue/error.h>
#include <segue/json.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_HEADER (64 * 1024) /* of five tensors */
#define MAX_SIDE   ((gsize) 1 << 24)
#define LANES      8

static gboolean
refuse (const SegueLibraryVectors *vectors, const char *what, GError **error)
{
  g_autofree char *shown = g_filename_display_name (vectors->path);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
               "‘%s’ is damaged: %s; run the pipeline of the library again", shown, what);
  return FALSE;
}

static gboolean
read_at (const SegueLibraryVectors *vectors, guint64 offset, gsize length, void *out,
         GError **error)
{
  for (gsize done = 0; done < length;) {
    gssize n = pread (vectors->fd, (guint8 *) out + done, length - done, (off_t) (offset + done));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "can't read", vectors->path);
    if (n == 0)
      return refuse (vectors, "it is truncated", error);
    done += (gsize) n;
  }
  return TRUE;
}

/* ---- The header ---- */

typedef struct {
  const SegueLibraryVectors *vectors;
  json_t *root;
  guint64 data, end; /* offsets of the first number, and of the end of the file */
} Header;

static gboolean
read_header (SegueLibraryVectors *vectors, Header *header, GError **error)
{
  struct stat info;
  guint64 length;
  vectors->fd = open (vectors->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
  if (vectors->fd < 0 || fstat (vectors->fd, &info) != 0)
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't read",
                                       vectors->path);
  if (!S_ISREG (info.st_mode) || info.st_size < (off_t) sizeof length)
    return refuse (vectors, "it is no file of vectors", error);
  if (!read_at (vectors, 0, sizeof length, &length, error))
    return FALSE;
  length = GUINT64_FROM_LE (length);
  if (length > MAX_HEADER || length > (guint64) info.st_size - sizeof length)
    return refuse (vectors, "its header has a wrong size", error);
  g_autofree char *text = g_malloc (length);
  if (!read_at (vectors, sizeof length, length, text, error))
    return FALSE;
  header->data = sizeof length + length;
  header->end = (guint64) info.st_size;
  header->root =
    segue_json_parse (text, (gssize) length, vectors->path, SEGUE_JSON_WEIGHTS, NULL, error);
  return header->root != NULL;
}

static gsize
get_side (const json_t *shape, gsize i)
{
  const json_t *side = json_array_get (shape, i);
  json_int_t value = json_is_integer (side) ? json_integer_value (side) : 0;
  return value > 0 && value <= (json_int_t) MAX_SIDE ? (gsize) value : 0;
}

/* The tensor @name; @rows and @columns (1 for a vector): 0: to be read, else as it has to be. */
static gboolean
find_tensor (const Header *header, const char *name, const char *dtype, gsize item, guint rank,
             gsize *rows, gsize *columns, guint64 *offset, GError **error)
{
  const json_t *tensor = json_object_get (header->root, name);
  const json_t *shape = json_object_get (tensor, "shape");
  const json_t *offsets = json_object_get (tensor, "data_offsets");
  json_int_t begin = json_integer_value (json_array_get (offsets, 0));
  json_int_t end = json_integer_value (json_array_get (offsets, 1));
  gsize n = get_side (shape, 0), m = rank > 1 ? get_side (shape, 1) : 1;
  guint64 room = header->end - header->data;
  gboolean fits = g_strcmp0 (json_string_value (json_object_get (tensor, "dtype")), dtype) == 0 &&
                  json_array_size (shape) == rank && n > 0 && m > 0 && (*rows == 0 || n == *rows) &&
                  (*columns == 0 || m == *columns) && begin >= 0 && end >= begin &&
                  (guint64) end <= room && (guint64) (end - begin) == (guint64) n * m * item;
  if (!fits) {
    g_autofree char *what = g_strdup_printf ("‘%s’ is missing, or has another shape", name);
    return refuse (header->vectors, what, error);
  }
  *rows = n;
  *columns = m;
  *offset = header->data + (guint64) begin;
  return TRUE;
}

/* (transfer full) (nullable): float32; every number is finite. */
static float *
read_floats (const Header *header, const char *name, guint rank, gsize rows, gsize columns,
             GError **error)
{
  guint64 offset;
  if (!find_tensor (header, name, "F32", sizeof (float), rank, &rows, &columns, &offset, error))
    return NULL;
  g_autofree float *values = g_try_new (float, rows *columns);
  if (!values) {
    segue_set_error_from_errno (error, ENOMEM, SEGUE_ERROR_IO, "can't read", header->vectors->path);
    return NULL;
  }
  if (!read_at (header->vectors, offset, rows * columns * sizeof (float), values, error))
    return NULL;
  for (gsize i = 0; i < rows * columns; i++)
    if (!isfinite (values[i])) {
      refuse (header->vectors, "it has a number that is not finite", error);
      return NULL;
    }
  return g_steal_pointer (&values);
}

static gboolean
read_starts (SegueLibraryVectors *vectors, const Header *header, GError **error)
{
  gsize n = vectors->n, one = 1;
  guint64 offset;
  if (!find_tensor (header, "starts", "F64", sizeof (double), 1, &n, &one, &offset, error))
    return FALSE;
  vectors->starts = g_try_new (double, n);
  if (!vectors->starts)
    return segue_set_error_from_errno (error, ENOMEM, SEGUE_ERROR_IO, "can't read", vectors->path);
  if (!read_at (vectors, offset, n * sizeof (double), vectors->starts, error))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    if (!(vectors->starts[i] >= 0.0 && vectors->starts[i] < 1e7))
      return refuse (vectors, "a segment starts at no time", error);
  return TRUE;
}

static gboolean
read_tensors (SegueLibraryVectors *vectors, const Header *header, GError **error)
{
  gsize one = 1;
  guint64 unused;
  if (!find_tensor (header, "vectors", "F32", sizeof (float), 2, &vectors->n, &vectors->size,
                    &vectors->offset, error) ||
      !find_tensor (header, "mean", "F32", sizeof (float), 1, &vectors->width, &one, &unused,
                    error))
    return FALSE;
  vectors->mean = read_floats (header, "mean", 1, vectors->width, 1, error);
  vectors->deviation =
    vectors->mean ? read_floats (header, "deviation", 1, vectors->width, 1, error) : NULL;
  vectors->projection =
    vectors->deviation ? read_floats (header, "projection", 2, vectors->size, vectors->width, error)
                       : NULL;
  for (gsize j = 0; vectors->projection && j < vectors->width; j++)
    if (!(vectors->deviation[j] > 0.0F))
      return refuse (vectors, "a deviation is not positive", error);
  return vectors->projection && read_starts (vectors, header, error);
}

gboolean
segue_library_vectors_open (SegueLibraryVectors *vectors, const char *path, gsize n, GError **error)
{
  Header header = { .vectors = vectors };
  vectors->fd = -1;
  vectors->path = g_strdup (path);
  vectors->n = n;
  gboolean ok = read_header (vectors, &header, error) && read_tensors (vectors, &header, error);
  json_decref (header.root);
  return ok;
}

void
segue_library_vectors_clear (SegueLibraryVectors *vectors)
{
  /* Without a path it was never opened. */
  if (vectors->path && vectors->fd >= 0)
    close (vectors->fd);
  g_clear_pointer (&vectors->path, g_free);
  g_clear_pointer (&vectors->mean, g_free);
  g_clear_pointer (&vectors->deviation, g_free);
  g_clear_pointer (&vectors->projection, g_free);
  g_clear_pointer (&vectors->starts, g_free);
}

/* ---- Rows ---- */

gboolean
segue_library_vectors_read (const SegueLibraryVectors *vectors, gsize first, gsize n, float *out,
                            GError **error)
{
  gsize row = vectors->size * sizeof (float);
  return read_at (vectors, vectors->offset + (guint64) first * row, n * row, out, error);
}

/* In lanes, which the compiler computes at once. */
float
segue_library_dot (gsize n, const float *a, const float *b)
{
  float sums[LANES] = { 0 }, sum = 0.0F;
  gsize i = 0;
  for (; i + LANES <= n; i += LANES)
    for (gsize l = 0; l < LANES; l++)
      sums[l] += a[i + l] * b[i + l];
  for (; i < n; i++)
    sum += a[i] * b[i];
  for (gsize l = 0; l < LANES; l++)
    sum += sums[l];
  return sum;
}

void
segue_library_vectors_project (const SegueLibraryVectors *vectors, const float *x, float *z)
{
  g_autofree float *standard = g_new (float, vectors->width);
  double square = 0.0;
  for (gsize j = 0; j < vectors->width; j++)
    standard[j] = (x[j] - vectors->mean[j]) / vectors->deviation[j];
  for (gsize k = 0; k < vectors->size; k++) {
    z[k] = segue_library_dot (vectors->width, vectors->projection + k * vectors->width, standard);
    square += (double) z[k] * (double) z[k];
  }
  for (gsize k = 0; k < vectors->size && square > 0.0; k++)
    z[k] = (float) ((double) z[k] / sqrt (square));
}
