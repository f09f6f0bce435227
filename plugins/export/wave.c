#include "wave.h"

#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <string.h>

/* libsndfile's view of a growing byte array. */
typedef struct {
  GByteArray *bytes;
  sf_count_t at;
} Memory;

static sf_count_t
get_length (void *data)
{
  return ((Memory *) data)->bytes->len;
}

static sf_count_t
seek (sf_count_t offset, int whence, void *data)
{
  Memory *self = data;

  if (whence == SEEK_CUR)
    offset += self->at;
  else if (whence == SEEK_END)
    offset += self->bytes->len;
  self->at = CLAMP (offset, 0, (sf_count_t) self->bytes->len);
  return self->at;
}

static sf_count_t
read_bytes (void *target, sf_count_t count, void *data)
{
  Memory *self = data;
  sf_count_t n = MIN (count, (sf_count_t) self->bytes->len - self->at);

  memcpy (target, self->bytes->data + self->at, (gsize) n);
  self->at += n;
  return n;
}

static sf_count_t
write_bytes (const void *source, sf_count_t count, void *data)
{
  Memory *self = data;
  sf_count_t end = self->at + count;

  if (end > (sf_count_t) self->bytes->len)
    g_byte_array_set_size (self->bytes, (guint) end);
  memcpy (self->bytes->data + self->at, source, (gsize) count);
  self->at = end;
  return count;
}

static sf_count_t
tell (void *data)
{
  return ((Memory *) data)->at;
}

static gsize
count_clipped (const float *samples, gsize n)
{
  gsize clipped = 0;

  for (gsize i = 0; i < n; i++)
    clipped += fabsf (samples[i]) > 1;
  return clipped;
}

static gboolean
fail (const SegueItem *audio, const char *why, GError **error)
{
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’ can't be written as WAV: %s",
               segue_item_get_id (audio), why);
  return FALSE;
}

static gboolean
encode (const SegueItem *audio, WaveEncoding encoding, Memory *memory, GError **error)
{
  static SF_VIRTUAL_IO io = { get_length, seek, read_bytes, write_bytes, tell };
  SF_INFO info = { .samplerate = (int) segue_item_get_rate (audio),
                   .channels = (int) segue_item_get_channels (audio),
                   .format = SF_FORMAT_WAV |
                             (encoding == WAVE_FLOAT ? SF_FORMAT_FLOAT : SF_FORMAT_PCM_16) };
  SNDFILE *file = sf_open_virtual (&io, SFM_WRITE, &info, memory);
  gsize n_frames;
  const float *frames = segue_item_get_frames (audio, &n_frames);
  gboolean ok;

  if (!file)
    return fail (audio, sf_strerror (NULL), error);
  sf_command (file, SFC_SET_CLIPPING, NULL, SF_TRUE);
  /* It would hold the time of day. */
  sf_command (file, SFC_SET_ADD_PEAK_CHUNK, NULL, SF_FALSE);
  ok = sf_writef_float (file, frames, (sf_count_t) n_frames) == (sf_count_t) n_frames ||
       fail (audio, sf_strerror (file), error);
  sf_close (file);
  return ok;
}

GBytes *
wave_encode (const SegueItem *audio, WaveEncoding encoding, gsize *n_clipped, GError **error)
{
  Memory memory = { g_byte_array_new (), 0 };
  gsize n_frames, n;
  const float *frames = segue_item_get_frames (audio, &n_frames);

  n = n_frames * segue_item_get_channels (audio);
  /* Sizes in a WAV file, and in a GByteArray, have 32 bits. */
  if (n > (G_MAXUINT32 - 4096) / sizeof (float)) {
    fail (audio, "it is longer than the format allows; cut it into segments", error);
    g_byte_array_unref (memory.bytes);
    return NULL;
  }
  *n_clipped = encoding == WAVE_PCM_16 ? count_clipped (frames, n) : 0;
  if (!encode (audio, encoding, &memory, error)) {
    g_byte_array_unref (memory.bytes);
    return NULL;
  }
  return g_byte_array_free_to_bytes (memory.bytes);
}
