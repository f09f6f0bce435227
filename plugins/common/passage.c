#include "passage.h"

#include "memory-file.h"

#include <segue/error.h>
#include <string.h>

#define OGG_HEADER 27 /* bytes before a page's table of segments */
#define OGG_SERIAL 14
#define OGG_CRC    22
#define SERIAL     1

static int
format_of (PassageFormat format)
{
  return format == PASSAGE_OPUS ? SF_FORMAT_OGG | SF_FORMAT_OPUS
                                : SF_FORMAT_FLAC | SF_FORMAT_PCM_16;
}

static gboolean
can (PassageFormat format, guint rate, guint channels)
{
  const SF_INFO info = { .samplerate = (int) rate,
                         .channels = (int) channels,
                         .format = format_of (format) };
  static const guint opus_rates[] = { 8000, 12000, 16000, 24000, 48000 };
  gboolean known = format != PASSAGE_OPUS;
  for (guint i = 0; i < G_N_ELEMENTS (opus_rates); i++)
    known = known || opus_rates[i] == rate;
  return known && sf_format_check (&info);
}

gboolean
passage_can (PassageFormat format)
{
  return can (format, 48000, 1);
}

const char *
passage_suffix (PassageFormat format)
{
  return format == PASSAGE_OPUS ? "opus" : "flac";
}

static guint32
ogg_crc (const guint8 *page, gsize size)
{
  guint32 crc = 0;
  for (gsize i = 0; i < size; i++) {
    crc ^= (guint32) page[i] << 24;
    for (guint bit = 0; bit < 8; bit++)
      crc = crc & 0x80000000u ? crc << 1 ^ 0x04c11db7u : crc << 1;
  }
  return crc;
}

static void
put_u32 (guint8 *at, guint32 value)
{
  value = GUINT32_TO_LE (value);
  memcpy (at, &value, sizeof value);
}

/* libsndfile derives a stream's serial number from the clock; equal audio has to give equal bytes. */
static void
settle_serial (GByteArray *bytes)
{
  for (gsize at = 0; at + OGG_HEADER <= bytes->len;) {
    guint8 *page = bytes->data + at;
    gsize n_segments = page[OGG_HEADER - 1], size = OGG_HEADER + n_segments;
    if (memcmp (page, "OggS", 4) != 0 || at + size > bytes->len)
      return;
    for (gsize i = 0; i < n_segments; i++)
      size += page[OGG_HEADER + i];
    if (at + size > bytes->len)
      return;
    put_u32 (page + OGG_SERIAL, SERIAL);
    put_u32 (page + OGG_CRC, 0);
    put_u32 (page + OGG_CRC, ogg_crc (page, size));
    at += size;
  }
}

/* (transfer full): frames @first to @first + @n of @audio, in at most two channels. */
static float *
take_frames (const SegueItem *audio, gsize first, gsize n, guint *channels)
{
  gsize n_all;
  const float *frames = segue_item_get_frames (audio, &n_all);
  guint given = segue_item_get_channels (audio);
  *channels = given > 2 ? 1 : given;
  float *taken = g_try_new (float, n **channels + 1);
  for (gsize i = 0; taken && i < n; i++) {
    const float *frame = frames + (first + i) * given;
    float sum = 0;
    for (guint c = 0; c < given; c++) {
      sum += frame[c];
      if (given <= 2)
        taken[i * given + c] = frame[c];
    }
    if (given > 2)
      taken[i] = sum / (float) given;
  }
  return taken;
}

static gboolean
write_frames (MemoryFile *file, const float *frames, gsize n, guint rate, guint channels,
              PassageFormat format, GError **error)
{
  SF_INFO info = { .samplerate = (int) rate,
                   .channels = (int) channels,
                   .format = format_of (format) };
  SNDFILE *sound = memory_file_open (file, &info);
  gboolean ok = sound != NULL;
  if (ok) {
    sf_command (sound, SFC_SET_CLIPPING, NULL, SF_TRUE);
    ok = sf_writef_float (sound, frames, (sf_count_t) n) == (sf_count_t) n;
  }
  if (!ok)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED, "a clip can't be written: %s",
                 sf_strerror (sound));
  if (sound)
    sf_close (sound);
  return ok;
}

GBytes *
passage_encode (const SegueItem *audio, double begin, double start, double duration,
                PassageFormat format, const char **suffix, GError **error)
{
  guint rate = segue_item_get_rate (audio), channels;
  gsize n_frames;
  segue_item_get_frames (audio, &n_frames);
  double from = MAX (start - begin, 0) * rate, to = MAX (start + duration - begin, 0) * rate;
  gsize first = (gsize) MIN (from, (double) n_frames), end = (gsize) MIN (to, (double) n_frames);
  if (end <= first) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "the song has no audio at %.0f s", start);
    return NULL;
  }
  g_autofree float *frames = take_frames (audio, first, end - first, &channels);
  if (!frames) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE, "not enough memory for a clip");
    return NULL;
  }
  PassageFormat taken = can (format, rate, channels) ? format : PASSAGE_FLAC;
  g_auto (MemoryFile) file = { 0 };
  if (!write_frames (&file, frames, end - first, rate, channels, taken, error))
    return NULL;
  if (taken == PASSAGE_OPUS)
    settle_serial (file.bytes);
  *suffix = passage_suffix (taken);
  return memory_file_steal (&file);
}
