#include "input.h"

#include <errno.h>

#define BUFFER (64 * 1024)

struct _Input {
  Song *song;
  AVIOContext *io;
  const ProbePart *part;
  gint64 size, at; /* of the part; @at may be past the end */
  int failed;      /* errno */
  GError *stopped; /* by the timeout or the user */
};

static int
input_read (void *data, guint8 *buffer, int size)
{
  Input *self = data;
  gint64 there = self->size - self->at;
  gssize n;

  if (self->stopped || !song_check_clock (self->song, &self->stopped))
    return AVERROR_EXIT;
  if (there <= 0 || size <= 0)
    return AVERROR_EOF;
  n = probe_part_read (self->part, song_get_fd (self->song), buffer, (gsize) MIN (size, there),
                       (guint64) self->at);
  if (n < 0) {
    self->failed = errno;
    return AVERROR (errno);
  }
  self->at += n;
  return n == 0 ? AVERROR_EOF : (int) n;
}

static gint64
input_seek (void *data, gint64 offset, int whence)
{
  Input *self = data;
  gint64 from;

  switch (whence & ~AVSEEK_FORCE) {
  case AVSEEK_SIZE:
    return self->size;
  case SEEK_SET:
    from = 0;
    break;
  case SEEK_CUR:
    from = self->at;
    break;
  case SEEK_END:
    from = self->size;
    break;
  default:
    return AVERROR (EINVAL);
  }
  if (offset < -from || offset > G_MAXINT64 / 2 - from)
    return AVERROR (EINVAL);
  return self->at = from + offset;
}

Input *
input_new (Song *song, const ProbePart *part)
{
  g_autoptr (Input) self = g_new0 (Input, 1);
  guint8 *buffer = libav.av_malloc (BUFFER);

  self->song = song;
  self->part = part;
  self->size = (gint64) probe_part_size (part);
  if (buffer)
    self->io = libav.avio_alloc_context (buffer, BUFFER, 0, self, input_read, NULL, input_seek);
  if (!self->io) {
    libav.av_free (buffer);
    return NULL;
  }
  return g_steal_pointer (&self);
}

void
input_free (Input *self)
{
  if (!self)
    return;
  /* The buffer may have been replaced by now, and must be freed here in any case. */
  if (self->io)
    libav.av_free (self->io->buffer);
  libav.avio_context_free (&self->io);
  g_clear_error (&self->stopped);
  g_free (self);
}

AVIOContext *
input_get_io (Input *self)
{
  return self->io;
}

gboolean
input_failed (Input *self, GError **error)
{
  if (self->stopped)
    g_propagate_error (error, g_error_copy (self->stopped));
  else if (self->failed)
    song_read_error (self->song, error, self->failed);
  return self->stopped || self->failed;
}
