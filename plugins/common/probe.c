#include "probe-private.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
refill (ProbeInput *input, guint64 offset)
{
  input->window_start = offset;
  input->window_length = 0;
  while (input->window_length < PROBE_WINDOW && offset + input->window_length < input->size) {
    gssize got =
      pread (input->fd, input->window + input->window_length, PROBE_WINDOW - input->window_length,
             (goffset) (offset + input->window_length));

    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      input->failed = errno;
    if (got <= 0)
      return;
    input->window_length += (gsize) got;
  }
}

const guint8 *
probe_peek (ProbeInput *input, guint64 offset, gsize n)
{
  if (input->failed || n > PROBE_PEEK || offset > input->size || n > input->size - offset)
    return NULL;
  if (offset < input->window_start || offset + n > input->window_start + input->window_length) {
    if (g_cancellable_is_cancelled (input->cancellable))
      return NULL;
    refill (input, offset - MIN (offset, PROBE_BEHIND));
  }
  if (input->failed || offset + n > input->window_start + input->window_length)
    return NULL;
  return input->window + (offset - input->window_start);
}

guint64
probe_skip_id3 (ProbeInput *input, guint64 offset)
{
  const guint8 *p;

  while ((p = probe_peek (input, offset, 10)) && memcmp (p, "ID3", 3) == 0 && p[3] != 0xff &&
         !((p[6] | p[7] | p[8] | p[9]) & 0x80)) {
    guint32 size =
      (guint32) p[6] << 21 | (guint32) p[7] << 14 | (guint32) p[8] << 7 | (guint32) p[9];

    offset += 10 + (guint64) size + (p[5] & 0x10 ? 10 : 0);
  }
  return offset;
}

void
probe_note (Probe *probe, double intact, const char *format, ...)
{
  va_list args;

  if (intact >= probe->intact)
    return;
  probe->intact = intact;
  g_free (probe->damage);
  va_start (args, format);
  probe->damage = g_strdup_vprintf (format, args);
  va_end (args);
}

/* STREAMINFO is the first block by the format's own rule: 20 bits of rate, 3 of channels, 5 of
 * depth, 36 of length, from byte 18 on. */
static void
probe_flac (ProbeInput *input, guint64 start, Probe *probe)
{
  const guint8 *p = probe_peek (input, start, 42);
  guint32 rate;
  guint64 samples;

  probe->container = "FLAC";
  if (!p || (p[4] & 0x7f) != 0)
    return;
  rate = (guint32) p[18] << 12 | (guint32) p[19] << 4 | p[20] >> 4;
  samples = (guint64) (p[21] & 0x0f) << 32 | probe_be32 (p + 22);
  if (rate && samples)
    probe->declared = (double) samples / rate;
}

static gboolean
declares_duration (const guint8 *p)
{
  static const guint8 ebml[] = { 0x1a, 0x45, 0xdf, 0xa3 };

  return memcmp (p + 4, "ftyp", 4) == 0 || memcmp (p + 4, "moov", 4) == 0 ||
         memcmp (p, ebml, sizeof ebml) == 0 || memcmp (p, "wvpk", 4) == 0 ||
         memcmp (p, "caff", 4) == 0;
}

void
probe_add_part (Probe *probe, guint64 start)
{
  g_array_append_val (probe->parts, start);
}

static gboolean
is_asf (const guint8 *p)
{
  static const guint8 magic[] = { 0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11 };

  return memcmp (p, magic, sizeof magic) == 0;
}

static void
probe_by_magic (ProbeInput *input, Probe *probe)
{
  guint64 start = probe_skip_id3 (input, 0);
  const guint8 *p = probe_peek (input, start, 12);

  probe_add_part (probe, start < input->size ? start : 0);
  if (!p)
    return;
  if (memcmp (p, "RIFF", 4) == 0 || memcmp (p, "RF64", 4) == 0 || memcmp (p, "BW64", 4) == 0)
    probe_riff (input, probe);
  else if (memcmp (p, "FORM", 4) == 0 && memcmp (p + 8, "AIF", 3) == 0)
    probe_aiff (input, probe);
  else if (memcmp (p, "OggS", 4) == 0)
    probe_ogg (input, probe);
  else if (memcmp (p, "fLaC", 4) == 0)
    probe_flac (input, start, probe);
  else if (is_asf (p))
    probe_asf (input, probe);
  else if (declares_duration (p))
    probe->trusts_decoder = TRUE;
  else
    probe_mpeg (input, start, probe);
}

gboolean
probe_file (int fd, Probe *probe, GCancellable *cancellable, GError **error)
{
  g_autofree ProbeInput *input = g_new0 (ProbeInput, 1);
  struct stat info;

  *probe = (Probe){ .declared = NAN, .intact = 1 };
  probe->parts = g_array_new (FALSE, FALSE, sizeof (guint64));
  if (fstat (fd, &info) != 0) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_IO, "can't be read: %s", g_strerror (errno));
    return FALSE;
  }
  input->fd = fd;
  input->size = (guint64) MAX (info.st_size, 0);
  input->cancellable = cancellable;
  probe_by_magic (input, probe);
  if (g_cancellable_is_cancelled (cancellable)) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "cancelled");
    return FALSE;
  }
  if (input->failed) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_IO, "can't be read: %s",
                 g_strerror (input->failed));
    return FALSE;
  }
  return TRUE;
}

void
probe_clear (Probe *probe)
{
  g_clear_pointer (&probe->damage, g_free);
  g_clear_pointer (&probe->parts, g_array_unref);
}
