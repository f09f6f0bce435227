#include "samples.h"

#include <segue/error.h>

/* @n samples from @input, to every @step-th place of @output. */
typedef void (*Convert) (float *output, gsize step, const void *input, gsize n);

#define CONVERT(name, type, value)                                                                 \
  static void name (float *output, gsize step, const void *input, gsize n)                         \
  {                                                                                                \
    const type *x = input;                                                                         \
                                                                                                   \
    for (gsize i = 0; i < n; i++)                                                                  \
      output[i * step] = (float) (value);                                                          \
  }

CONVERT (from_u8, guint8, (x[i] - 128) * 0x1p-7f)
CONVERT (from_s16, gint16, x[i] * 0x1p-15f)
CONVERT (from_s32, gint32, (float) x[i] * 0x1p-31f)
CONVERT (from_s64, gint64, (float) x[i] * 0x1p-63f)
CONVERT (from_float, float, x[i])
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
  case AV_SAMPLE_FMT_FLT:
  case AV_SAMPLE_FMT_FLTP:
    return from_float;
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
  g_free (self->frames);
  self->frames = n <= G_MAXSIZE / sizeof (float) ? g_try_malloc (n * sizeof (float)) : NULL;
  self->capacity = self->frames ? n : 0;
  if (!self->frames)
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE, "no memory for decoded audio");
  return self->frames != NULL;
}

const float *
samples_convert (Samples *self, const AVFrame *frame, GError **error)
{
  enum AVSampleFormat format = (enum AVSampleFormat) frame->format;
  gsize channels = (gsize) frame->ch_layout.nb_channels, n = (gsize) frame->nb_samples;
  Convert convert = find_convert (format);

  if (!convert) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "can't be decoded: samples of an unknown type (%d)", frame->format);
    return NULL;
  }
  if (format == AV_SAMPLE_FMT_FLT || (format == AV_SAMPLE_FMT_FLTP && channels == 1))
    return (const float *) (gconstpointer) frame->extended_data[0];
  if (!reserve (self, n * channels, error))
    return NULL;
  if (!libav.av_sample_fmt_is_planar (format))
    convert (self->frames, 1, frame->extended_data[0], n * channels);
  else
    for (gsize c = 0; c < channels; c++)
      convert (self->frames + c, channels, frame->extended_data[c], n);
  return self->frames;
}

void
samples_clear (Samples *self)
{
  g_free (self->frames);
  *self = (Samples){ 0 };
}
