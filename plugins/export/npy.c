#include "npy.h"

#include <segue/error.h>
#include <string.h>

/* Header and data begin at a multiple of it. */
#define ALIGNMENT 64
/* Magic string, version 1.0, and two bytes for the length of what follows. */
#define PREAMBLE 10

gboolean
npy_supports (SegueDtype dtype)
{
  return dtype == SEGUE_DTYPE_F32 || dtype == SEGUE_DTYPE_F64 || dtype == SEGUE_DTYPE_I32 ||
         dtype == SEGUE_DTYPE_U8;
}

static const char *
describe (SegueDtype dtype)
{
  gboolean little = G_BYTE_ORDER == G_LITTLE_ENDIAN;
  switch (dtype) {
  case SEGUE_DTYPE_F32:
    return little ? "<f4" : ">f4";
  case SEGUE_DTYPE_F64:
    return little ? "<f8" : ">f8";
  case SEGUE_DTYPE_I32:
    return little ? "<i4" : ">i4";
  default:
    return "|u1";
  }
}

static gboolean
equal_formats (const SegueItem *a, const SegueItem *b)
{
  guint rank, other;
  const gsize *shape = segue_item_get_shape (a, &rank), *with = segue_item_get_shape (b, &other);
  return segue_item_get_dtype (a) == segue_item_get_dtype (b) && rank == other &&
         memcmp (shape, with, rank * sizeof *shape) == 0;
}

/* A Python dictionary, filled with spaces up to the data. */
static void
append_header (GString *out, const SegueItem *item, guint n)
{
  guint rank;
  const gsize *shape = segue_item_get_shape (item, &rank);
  g_autoptr (GString) header = g_string_new (NULL);
  g_string_append_printf (header, "{'descr': '%s', 'fortran_order': False, 'shape': (%u,",
                          describe (segue_item_get_dtype (item)), n);
  for (guint d = 0; d < rank; d++)
    g_string_append_printf (header, "%s%" G_GSIZE_FORMAT, d > 0 ? ", " : " ", shape[d]);
  g_string_append (header, "), }");
  while ((PREAMBLE + header->len + 1) % ALIGNMENT != 0)
    g_string_append_c (header, ' ');
  g_string_append_c (header, '\n');
  const char preamble[PREAMBLE] = {
    '\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0, (char) (header->len & 0xff), (char) (header->len >> 8)
  };
  g_string_append_len (out, preamble, PREAMBLE);
  g_string_append_len (out, header->str, (gssize) header->len);
}

GBytes *
npy_encode (SegueItem *const *tensors, guint n, GError **error)
{
  GString *out = g_string_new (NULL);
  append_header (out, tensors[0], n);
  for (guint i = 0; i < n; i++) {
    gsize size;
    const char *data = g_bytes_get_data (segue_item_get_bytes (tensors[i]), &size);
    if (!equal_formats (tensors[i], tensors[0])) {
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                   "‘%s’ and ‘%s’ differ in shape, and the vectors of a song are one array",
                   segue_item_get_id (tensors[0]), segue_item_get_id (tensors[i]));
      g_string_free (out, TRUE);
      return NULL;
    }
    g_string_append_len (out, data, (gssize) size);
  }
  return g_string_free_to_bytes (out);
}
