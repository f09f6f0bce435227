/* Formats of items, their comparison (whether a given one may fit a wanted one), and descriptions of both. */
#include "graph/format.h"
#include "item/item-private.h"

#include <string.h>

/* The members that are one number, and their descriptions. */
static const struct {
  gsize offset;
  const char *before, *after, *same, *varies;
} numbers[] = {
  [SEGUE_FORMAT_RATE] = { offsetof (SegueFormat, rate), "a rate of ", " Hz",
                          "one rate for all items", "the rate that each file has" },
  [SEGUE_FORMAT_CHANNELS] = { offsetof (SegueFormat, channels), "", " channels",
                              "one number of channels for all items",
                              "as many channels as each file has" },
  [SEGUE_FORMAT_FRAMES] = { offsetof (SegueFormat, frames), "items of ", " samples",
                            "items of one length", "items that differ in length" },
};

static guint
number_of (const SegueFormat *format, SegueFormatPart part)
{
  guint number;
  memcpy (&number, (const char *) format + numbers[part].offset, sizeof number);
  return number;
}

void
segue_format_of (const SegueItem *item, SegueFormat *format)
{
  const SegueItemBody *body = item->body;
  *format =
    (SegueFormat) SEGUE_INIT (SegueFormat, .kind = body->kind, .rate = body->rate,
                              .channels = body->channels, .rank = body->rank, .dtype = body->dtype);
  if (body->kind == SEGUE_KIND_AUDIO && item->bytes)
    format->frames =
      (guint) MIN (g_bytes_get_size (item->bytes) / (sizeof (float) * body->channels), G_MAXINT);
  for (guint i = 0; i < body->rank; i++)
    format->shape[i] = (guint) MIN (body->shape[i], G_MAXINT);
}

static void
merge_number (guint *number, guint other)
{
  *number = *number == other ? other : 0;
}

void
segue_format_merge (SegueFormat *format, const SegueFormat *other)
{
  if (format->kind != other->kind)
    format->kind = SEGUE_KIND_ANY;
  merge_number (&format->rate, other->rate);
  merge_number (&format->channels, other->channels);
  merge_number (&format->frames, other->frames);
  if (format->rank != other->rank || format->dtype != other->dtype)
    format->rank = 0;
  for (guint i = 0; i < MIN (format->rank, SEGUE_MAX_RANK); i++)
    merge_number (&format->shape[i], other->shape[i]);
}

static gboolean
number_fits (guint given, guint wanted)
{
  if (given == 0 || wanted == 0 || wanted == SEGUE_FORMAT_VARIES)
    return TRUE;
  return wanted == SEGUE_FORMAT_SAME ? given != SEGUE_FORMAT_VARIES : given == wanted;
}

static gboolean
tensor_fits (const SegueFormat *given, const SegueFormat *wanted)
{
  if (given->rank == 0 || wanted->rank == 0)
    return TRUE;
  if (given->rank != wanted->rank || given->dtype != wanted->dtype)
    return FALSE;
  for (guint i = 0; i < MIN (wanted->rank, SEGUE_MAX_RANK); i++)
    if (!number_fits (given->shape[i], wanted->shape[i]))
      return FALSE;
  return TRUE;
}

SegueFormatPart
segue_format_compare (const SegueFormat *given, const SegueFormat *wanted)
{
  if (given->kind != SEGUE_KIND_ANY && wanted->kind != SEGUE_KIND_ANY &&
      given->kind != wanted->kind)
    return SEGUE_FORMAT_KIND;
  for (SegueFormatPart part = SEGUE_FORMAT_RATE; part <= SEGUE_FORMAT_FRAMES; part++)
    if (!number_fits (number_of (given, part), number_of (wanted, part)))
      return part;
  return tensor_fits (given, wanted) ? SEGUE_FORMAT_FITS : SEGUE_FORMAT_TENSOR;
}

gboolean
segue_format_equals (const SegueFormat *a, const SegueFormat *b, SegueFormatPart part)
{
  if (part == SEGUE_FORMAT_KIND)
    return a->kind == b->kind;
  if (part != SEGUE_FORMAT_TENSOR)
    return number_of (a, part) == number_of (b, part);
  return a->rank == b->rank && a->dtype == b->dtype &&
         memcmp (a->shape, b->shape, MIN (a->rank, SEGUE_MAX_RANK) * sizeof *a->shape) == 0;
}

static char *
describe_tensor (const SegueFormat *format)
{
  static const char *const dtypes[] = { [SEGUE_DTYPE_F32] = "float32",
                                        [SEGUE_DTYPE_BF16] = "bfloat16",
                                        [SEGUE_DTYPE_I32] = "int32",
                                        [SEGUE_DTYPE_U8] = "uint8",
                                        [SEGUE_DTYPE_F64] = "float64" };
  GString *out = g_string_new (NULL);
  g_string_append_printf (out, "%s tensors of shape [",
                          format->dtype < G_N_ELEMENTS (dtypes) ? dtypes[format->dtype]
                                                                : "unknown");
  for (guint i = 0; i < MIN (format->rank, SEGUE_MAX_RANK); i++) {
    guint size = format->shape[i];
    g_string_append (out, i > 0 ? ", " : "");
    if (size == 0)
      g_string_append_c (out, '?');
    else if (size == SEGUE_FORMAT_VARIES || size == SEGUE_FORMAT_SAME)
      g_string_append (out, size == SEGUE_FORMAT_SAME ? "the same" : "varies");
    else
      g_string_append_printf (out, "%u", size);
  }
  g_string_append_c (out, ']');
  return g_string_free (out, FALSE);
}

char *
segue_format_describe (const SegueFormat *format, SegueFormatPart part)
{
  if (part == SEGUE_FORMAT_TENSOR)
    return describe_tensor (format);
  if (part == SEGUE_FORMAT_KIND || part == SEGUE_FORMAT_FITS)
    return g_strdup_printf ("items of kind %s", segue_kind_to_string (format->kind));
  guint number = number_of (format, part);
  if (number == SEGUE_FORMAT_VARIES || number == SEGUE_FORMAT_SAME)
    return g_strdup (number == SEGUE_FORMAT_SAME ? numbers[part].same : numbers[part].varies);
  if (part == SEGUE_FORMAT_CHANNELS && number == 1)
    return g_strdup ("one channel");
  return g_strdup_printf ("%s%u%s", numbers[part].before, number, numbers[part].after);
}
