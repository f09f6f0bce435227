#include "wave.h"

#include <errno.h>
#include <math.h>
#include <segue/error.h>
#include <sndfile.h>
#include <stdio.h>
#include <string.h>

/* A header takes a hundred bytes. */
#define MAX_HEADER 4096

/* A file in memory for libsndfile. */
typedef struct {
  guint8 *bytes;
  sf_count_t length, capacity, at;
} Memory;

static sf_count_t
get_length (void *data)
{
  return ((Memory *) data)->length;
}

static sf_count_t
seek (sf_count_t offset, int whence, void *data)
{
  Memory *self = data;

  if (whence == SEEK_CUR)
    offset += self->at;
  else if (whence == SEEK_END)
    offset += self->length;
  self->at = CLAMP (offset, 0, self->length);
  return self->at;
}

static sf_count_t
read_bytes (void *target, sf_count_t count, void *data)
{
  Memory *self = data;
  sf_count_t n = MIN (count, self->length - self->at);

  memcpy (target, self->bytes + self->at, (gsize) n);
  self->at += n;
  return n;
}

static sf_count_t
write_bytes (const void *source, sf_count_t count, void *data)
{
  Memory *self = data;
  sf_count_t n = MIN (count, self->capacity - self->at);

  memcpy (self->bytes + self->at, source, (gsize) n);
  self->at += n;
  self->length = MAX (self->length, self->at);
  return n;
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
  /* It would contain the time of day. */
  sf_command (file, SFC_SET_ADD_PEAK_CHUNK, NULL, SF_FALSE);
  ok = sf_writef_float (file, frames, (sf_count_t) n_frames) == (sf_count_t) n_frames ||
       fail (audio, sf_strerror (file), error);
  sf_close (file);
  return ok;
}

static gsize
sample_size (WaveEncoding encoding)
{
  return encoding == WAVE_FLOAT ? sizeof (float) : sizeof (gint16);
}

gboolean
wave_is_too_long (guint64 n_frames, guint channels, WaveEncoding encoding)
{
  guint64 room = (G_MAXUINT32 - MAX_HEADER) / sample_size (encoding);

  return channels > 0 && n_frames > room / channels;
}

GBytes *
wave_encode (const SegueItem *audio, WaveEncoding encoding, gsize *n_clipped, GError **error)
{
  gsize n_frames, n;
  const float *frames = segue_item_get_frames (audio, &n_frames);
  g_autofree guint8 *bytes = NULL;
  Memory memory = { 0 };

  n = n_frames * segue_item_get_channels (audio);
  if (wave_is_too_long (n_frames, segue_item_get_channels (audio), encoding)) {
    fail (audio, "it is longer than the format allows; cut it into segments", error);
    return NULL;
  }
  memory.capacity = (sf_count_t) (n * sample_size (encoding) + MAX_HEADER);
  memory.bytes = bytes = g_try_malloc ((gsize) memory.capacity);
  if (!bytes) {
    segue_set_error_from_errno (error, ENOMEM, SEGUE_ERROR_IO, "can't write as WAV",
                                segue_item_get_id (audio));
    return NULL;
  }
  *n_clipped = encoding == WAVE_PCM_16 ? count_clipped (frames, n) : 0;
  if (!encode (audio, encoding, &memory, error))
    return NULL;
  return g_bytes_new_take (g_steal_pointer (&bytes), (gsize) memory.length);
}
