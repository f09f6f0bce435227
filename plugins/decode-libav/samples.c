#include "samples.h"

#include <segue/error.h>

typedef void (*Convert) (float *output, const void *input, gsize n);

#define CONVERT(name, type, value)                                                                 \
  static void name (float *output, const void *input, gsize n)                                     \
  {                                                                                                \
    const type *x = input;                                                                         \
                                                                                                   \
    for (gsize i = 0; i < n; i++)                                                                  \
      output[i] = (float) (value);                                                                 \
  }

CONVERT (from_u8, guint8, (x[i] - 128) * 0x1p-7f)
CONVERT (from_s16, gint16, x[i] * 0x1p-15f)
CONVERT (from_s32, gint32, (float) x[i] * 0x1p-31f)
CONVERT (from_s64, gint64, (float) x[i] * 0x1p-63f)
CONVERT (from_double, double, x[i])

static Convert
find_convert (enum AVSampleFormat format)
{
  switch (format) {
  case AV_SAMPLE_FMT_U8:
  case AV_SAMPLE_FMT_U8P:
    return from_u8;
  case AV_SAMPLE_FMT_S16:
  case AV_SAMPLE_FMT_S16P:
    return from_s16;
  case AV_SAMPLE_FMT_S32:
  case AV_SAMPLE_FMT_S32P:
    return from_s32;
  case AV_SAMPLE_FMT_S64:
  case AV_SAMPLE_FMT_S64P:
    return from_s64;
  case AV_SAMPLE_FMT_DBL:
  case AV_SAMPLE_FMT_DBLP:
    return from_double;
  default:
    return NULL;
  }
}

static gboolean
reserve (Samples *self, gsize n, GError **error)
{
  if (n <= self->capacity)
    return TRUE;
  g_free (self->converted);
  self->converted = n <= G_MAXSIZE / sizeof (float) ? g_try_malloc (n * sizeof (float)) : NULL;
  self->capacity = self->converted ? n : 0;
  if (!self->converted)
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                         "not enough memory for the decoded audio");
  return self->converted != NULL;
}

/* @n_planes of @n samples each. */
static gboolean
convert_planes (Samples *self, const AVFrame *frame, guint n_planes, gsize n, GError **error)
{
  Convert convert = find_convert ((enum AVSampleFormat) frame->format);

  if (!convert) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_UNSUPPORTED,
                 "can't be decoded: samples of an unknown type (%d)", frame->format);
    return FALSE;
  }
  if (!reserve (self, n * n_planes, error))
    return FALSE;
  for (guint p = 0; p < n_planes; p++) {
    convert (self->converted + p * n, frame->extended_data[p], n);
    self->planes[p] = self->converted + p * n;
  }
  return TRUE;
}

gboolean
samples_convert (Samples *self, const AVFrame *frame, GError **error)
{
  enum AVSampleFormat format = (enum AVSampleFormat) frame->format;
  guint channels = (guint) frame->ch_layout.nb_channels;
  gboolean is_planar = libav.av_sample_fmt_is_planar (format);
  guint n_planes = is_planar ? channels : 1;

  if (channels < 1 || channels > RESAMPLER_MAX_CHANNELS) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_UNSUPPORTED, "declares %d channels",
                 frame->ch_layout.nb_channels);
    return FALSE;
  }
  if (format == AV_SAMPLE_FMT_FLT || format == AV_SAMPLE_FMT_FLTP)
    for (guint p = 0; p < n_planes; p++)
      self->planes[p] = (const float *) (gconstpointer) frame->extended_data[p];
  else if (!convert_planes (self, frame, n_planes,
                            (gsize) frame->nb_samples * (is_planar ? 1 : channels), error))
    return FALSE;
  self->stride = is_planar ? 1 : channels;
  for (guint c = n_planes; c < channels; c++)
    self->planes[c] = self->planes[0] + c;
  return TRUE;
}

void
samples_clear (Samples *self)
{
  g_free (self->converted);
  *self = (Samples){ 0 };
}
