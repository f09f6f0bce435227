/* What an item's sizes may be: the one rule for what plugins emit, workers send and the store keeps. */
#include "item-private.h"

gboolean
segue_shape_bytes (SegueDtype dtype, guint rank, const guint64 *shape, gsize *bytes)
{
  gsize total = segue_dtype_size (dtype);
  if (rank > SEGUE_MAX_RANK || total == 0)
    return FALSE;
  for (guint i = 0; i < rank; i++)
    if (shape[i] > G_MAXSSIZE || !g_size_checked_mul (&total, total, (gsize) shape[i]) ||
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
check_audio (const SegueItemShape *item, const char **why)
{
  if (item->rate == 0)
    return wrong (why, "audio without a sample rate");
  if (item->channels == 0 || item->channels > SEGUE_MAX_CHANNELS)
    return wrong (why, "audio with no channel, or more than 65535");
  if (item->n_bytes % (sizeof (float) * item->channels) != 0)
    return wrong (why, "audio that ends in the middle of a frame");
  if (item->dtype != SEGUE_DTYPE_F32 || item->rank != 0)
    return wrong (why, "audio with the shape of a tensor");
  return TRUE;
}

static gboolean
check_tensor (const SegueItemShape *item, const char **why)
{
  gsize bytes;
  if (item->rate != 0 || item->channels != 0)
    return wrong (why, "a tensor with a sample rate or channels");
  if (item->dtype > SEGUE_DTYPE_U8)
    return wrong (why, "a tensor with elements of an unknown type");
  if (item->rank > SEGUE_MAX_RANK)
    return wrong (why, "a tensor with too many dimensions");
  if (!segue_shape_bytes (item->dtype, (guint) item->rank, item->shape, &bytes) ||
      bytes != item->n_bytes)
    return wrong (why, "a tensor whose shape is not that of its bytes");
  return TRUE;
}

gboolean
segue_item_shape_check (const SegueItemShape *item, const char **why)
{
  if (item->n_bytes > G_MAXSSIZE)
    return wrong (why, "more bytes than memory can hold");
  switch (item->kind) {
  case SEGUE_KIND_AUDIO:
    return check_audio (item, why);
  case SEGUE_KIND_TENSOR:
  case SEGUE_KIND_PREDICTIONS:
    return check_tensor (item, why);
  case SEGUE_KIND_FILE:
  case SEGUE_KIND_MODEL:
  case SEGUE_KIND_METRICS:
    return item->n_bytes == 0 || wrong (why, "a file or folder with bytes of its own");
  default:
    return wrong (why, "an unknown kind of item");
  }
}

gboolean
segue_item_check_shape (const SegueItem *item, const char **why)
{
  const SegueItemBody *body = item->body;
  guint64 shape[SEGUE_MAX_RANK];
  for (guint i = 0; i < MIN (body->rank, SEGUE_MAX_RANK); i++)
    shape[i] = body->shape[i];
  SegueItemShape sizes = {
    .kind = body->kind,
    .rate = body->rate,
    .channels = body->channels,
    .dtype = body->dtype,
    .rank = body->rank,
    .shape = shape,
    .n_bytes = item->bytes ? g_bytes_get_size (item->bytes) : body->extent.length,
  };
  return segue_item_shape_check (&sizes, why);
}
