/* What a model takes of an item, checked. */
#include <segue/model.h>

SegueKind
segue_model_type_takes (const SegueModelType *type)
{
  return type->takes ? type->takes : SEGUE_KIND_AUDIO;
}

static const float *refuse (GError **error, const SegueItem *item, const char *format, ...)
  G_GNUC_PRINTF (3, 4);

static const float *
refuse (GError **error, const SegueItem *item, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’ %s", segue_item_get_id (item), what);
  return NULL;
}

static const float *
read_vector (const SegueModelInfo *info, SegueItem *item, gsize *length, GError **error)
{
  guint rank = 0;
  if (segue_item_get_kind (item) != SEGUE_KIND_TENSOR)
    return refuse (error, item, "is not a vector; the model takes those of an `embed` stage");
  const gsize *shape = segue_item_get_shape (item, &rank);
  if (rank != 1 || segue_item_get_dtype (item) != SEGUE_DTYPE_F32)
    return refuse (error, item, "is a tensor of %u dimensions, the model takes vectors of float32",
                   rank);
  if (shape[0] != info->min_length)
    return refuse (error, item,
                   "has %" G_GSIZE_FORMAT " numbers, the model takes vectors of %" G_GSIZE_FORMAT,
                   shape[0], info->min_length);
  *length = shape[0];
  return g_bytes_get_data (segue_item_get_bytes (item), NULL);
}

const float *
segue_model_read_row (const SegueModelInfo *info, SegueItem *item, gsize *length, GError **error)
{
  if (info->rate == 0)
    return read_vector (info, item, length, error);
  if (segue_item_get_kind (item) != SEGUE_KIND_AUDIO)
    return refuse (error, item, "is not audio");
  if (segue_item_get_channels (item) != 1)
    return refuse (error, item, "has %u channels, the model takes one",
                   segue_item_get_channels (item));
  if (segue_item_get_rate (item) != info->rate)
    return refuse (error, item, "is sampled at %u Hz, the model takes %u Hz",
                   segue_item_get_rate (item), info->rate);
  const float *frames = segue_item_get_frames (item, length);
  if (*length < MAX (info->min_length, 1))
    return refuse (error, item,
                   "has %" G_GSIZE_FORMAT " samples, the model needs at least %" G_GSIZE_FORMAT,
                   *length, info->min_length);
  return frames;
}
