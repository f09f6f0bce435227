/* The form of an item: extracted, checked, serialized, read back, and joined with the item's origin. */
#include "item/item-form.h"

#include <segue/dataset.h>
#include <string.h>

gboolean
segue_shape_bytes (guint dtype, guint rank, const gsize *shape, gsize *bytes)
{
  gsize total = segue_dtype_size (dtype);
  if (rank > SEGUE_MAX_RANK || total == 0)
    return FALSE;
  for (guint i = 0; i < rank; i++)
    if (shape[i] > G_MAXSSIZE || !g_size_checked_mul (&total, total, shape[i]) ||
        total > G_MAXSSIZE)
      return FALSE;
  *bytes = total;
  return TRUE;
}

static gboolean
wrong (const char **why, const char *what)
{
  *why = what;
  return FALSE;
}

static gboolean
check_audio (const SegueItemForm *form, const char **why)
{
  if (form->rate == 0)
    return wrong (why, "audio without a sample rate");
  if (form->channels == 0 || form->channels > SEGUE_MAX_CHANNELS)
    return wrong (why, "audio with no channel, or more than 65535");
  if (form->length % (sizeof (float) * form->channels) != 0)
    return wrong (why, "audio that ends in the middle of a frame");
  if (form->dtype != SEGUE_DTYPE_F32 || form->rank != 0)
    return wrong (why, "audio with the shape of a tensor");
  return TRUE;
}

static gboolean
check_tensor (const SegueItemForm *form, const char **why)
{
  gsize bytes;
  if (form->rate != 0 || form->channels != 0)
    return wrong (why, "a tensor with a sample rate or channels");
  if (form->dtype > SEGUE_DTYPE_F64)
    return wrong (why, "a tensor with elements of an unknown type");
  if (!segue_shape_bytes (form->dtype, form->rank, form->shape, &bytes) || bytes != form->length)
    return wrong (why, "a tensor whose shape does not match its number of bytes");
  return TRUE;
}

static gboolean
check_predictions (const SegueItemForm *form, const char **why)
{
  if (form->dtype != SEGUE_DTYPE_F64 || form->rank != 2)
    return wrong (why, "predictions that are not a float64 tensor of two dimensions");
  if (form->shape[0] == 0 || form->shape[0] > G_MAXUINT ||
      form->shape[1] <= SEGUE_PREDICTION_LABELS || form->shape[1] > G_MAXUINT)
    return wrong (why, "predictions without segments or without labels");
  return check_tensor (form, why);
}

static gboolean
check_sizes (const SegueItemForm *form, const char **why)
{
  if (form->length > G_MAXSSIZE)
    return wrong (why, "more bytes than fit into memory");
  switch (form->kind) {
  case SEGUE_KIND_AUDIO:
    return check_audio (form, why);
  case SEGUE_KIND_TENSOR:
    return check_tensor (form, why);
  case SEGUE_KIND_PREDICTIONS:
    return check_predictions (form, why);
  case SEGUE_KIND_FILE:
  case SEGUE_KIND_MODEL:
  case SEGUE_KIND_METRICS:
    return form->length == 0 || wrong (why, "a file or folder with a payload");
  default:
    return wrong (why, "an unknown kind of item");
  }
}

/* Metadata that only the core may set must not be among an item's. */
static gboolean
check_delta (GVariant *delta, const char **why)
{
  g_autoptr (GVariant) song = g_variant_lookup_value (delta, SEGUE_META_SONG, NULL);
  return (!song && segue_metadata_is_valid (delta)) || wrong (why, "metadata of an unknown type");
}

gboolean
segue_item_form_check (const SegueItemForm *form, guint64 n_bytes, const char **why)
{
  if (form->origin < -1 || form->origin > G_MAXINT32)
    return wrong (why, "an item with an invalid origin");
  if (form->origin < 0 ? *form->suffix == '\0' : *form->suffix != '\0' && *form->suffix != '#')
    return wrong (why, "an id that does not match its origin");
  if (form->offset > n_bytes || form->length > n_bytes - form->offset)
    return wrong (why, "an item outside the payload");
  return check_delta (form->delta, why) && check_sizes (form, why);
}

static void
describe_sizes (const SegueItem *item, SegueItemForm *form)
{
  const SegueItemBody *body = item->body;
  form->kind = body->kind;
  form->rate = body->rate;
  form->channels = body->channels;
  form->dtype = body->dtype;
  form->rank = body->rank;
  memcpy (form->shape, segue_item_get_shape (item, NULL), body->rank * sizeof *form->shape);
  form->length = item->bytes ? g_bytes_get_size (item->bytes) : body->extent.length;
}

gboolean
segue_item_check_sizes (const SegueItem *item, const char **why)
{
  SegueItemForm form = { 0 };
  describe_sizes (item, &form);
  return check_sizes (&form, why);
}

gboolean
segue_item_form_of (const SegueItem *item, const SegueItem *origin, SegueItemForm *form)
{
  gsize known = origin ? strlen (origin->body->id) : 0;
  gboolean derives = !origin || strncmp (item->body->id, origin->body->id, known) == 0;
  *form = (SegueItemForm){ .suffix = g_strdup (item->body->id + (derives ? known : 0)),
                           .delta = segue_metadata_to_variant (item->metadata, TRUE),
                           .origin = origin ? (gint64) item->origin : -1 };
  describe_sizes (item, form);
  return derives && (!origin || *form->suffix == '\0' || *form->suffix == '#');
}

void
segue_item_form_clear (SegueItemForm *form)
{
  g_clear_pointer (&form->suffix, g_free);
  g_clear_pointer (&form->delta, g_variant_unref);
}

GVariant *
segue_item_form_to_variant (const SegueItemForm *form)
{
  guint64 shape[SEGUE_MAX_RANK];
  for (guint i = 0; i < form->rank; i++)
    shape[i] = form->shape[i];
  GVariant *sizes =
    g_variant_new_fixed_array (G_VARIANT_TYPE_UINT64, shape, form->rank, sizeof *shape);
  return g_variant_new ("(sy@a{sv}uuy@atxtt)", form->suffix, (guchar) form->kind, form->delta,
                        form->rate, form->channels, (guchar) form->dtype, sizes, form->origin,
                        form->offset, form->length);
}

gboolean
segue_item_form_from_variant (GVariant *variant, SegueItemForm *form, const char **why)
{
  guchar kind, dtype;
  gsize rank;
  g_autoptr (GVariant) sizes = NULL;
  *form = (SegueItemForm){ 0 };
  g_variant_get (variant, "(sy@a{sv}uuy@atxtt)", &form->suffix, &kind, &form->delta, &form->rate,
                 &form->channels, &dtype, &sizes, &form->origin, &form->offset, &form->length);
  const guint64 *shape = g_variant_get_fixed_array (sizes, &rank, sizeof *shape);
  form->kind = kind;
  form->dtype = dtype;
  if (rank > SEGUE_MAX_RANK)
    return wrong (why, "a tensor with too many dimensions");
  form->rank = (guint) rank;
  for (guint i = 0; i < form->rank; i++)
    form->shape[i] = (gsize) MIN (shape[i], G_MAXSSIZE);
  return TRUE;
}

SegueItem *
segue_item_form_join (const SegueItemForm *form, const SegueItem *origin)
{
  const char *id = !origin ? form->suffix : *form->suffix ? form->suffix + 1 : NULL;
  SegueItem *item = segue_item_derive (form->kind, origin, id);
  segue_item_set_metadata (item, form->delta);
  item->body->rate = form->rate;
  item->body->channels = form->channels;
  item->body->dtype = form->dtype;
  segue_item_set_shape (item, form->rank, form->shape);
  return item;
}

SegueExtent
segue_item_form_locate (const SegueItemForm *form, SegueStorage *storage)
{
  return (SegueExtent){ .storage = form->length > 0 ? storage : NULL,
                        .offset = form->offset,
                        .length = (gsize) form->length };
}
