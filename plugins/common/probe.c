#include "probe-private.h"

#include <errno.h>
#include <segue/file.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How far a stream is searched for in a file that begins with other data. */
#define GARBAGE_RANGE (128 * 1024)

static gssize
read_at (int fd, guint8 *buffer, gsize size, guint64 offset)
{
  gssize n;

  do
    n = pread (fd, buffer, size, (goffset) offset);
  while (n < 0 && errno == EINTR);
  return n;
}

static void
refill (ProbeInput *input, guint64 offset)
{
  input->window_start = offset;
  input->window_length = 0;
  while (input->window_length < PROBE_WINDOW && offset + input->window_length < input->size) {
    gssize got = read_at (input->fd, input->window + input->window_length,
                          PROBE_WINDOW - input->window_length, offset + input->window_length);

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

void
probe_note (Probe *probe, double intact, const char *format, ...)
{
  va_list args;

  if (intact >= probe->intact)
    return;
  probe->intact = MAX (intact, 0);
  g_free (probe->damage);
  va_start (args, format);
  probe->damage = g_strdup_vprintf (format, args);
  va_end (args);
}

void
probe_refuse (Probe *probe, const char *format, ...)
{
  va_list args;

  if (probe->refusal)
    return;
  va_start (args, format);
  probe->refusal = g_strdup_vprintf (format, args);
  va_end (args);
}

void
probe_compare (Probe *probe, guint64 start, guint64 end, guint64 promised)
{
  guint64 there = start < end ? MIN (promised, end - start) : 0;

  if (promised > there)
    probe_note (probe, (double) there / (double) promised,
                "its header states %" G_GUINT64_FORMAT
                " bytes of audio, but only %" G_GUINT64_FORMAT " are present",
                promised, there);
}

gboolean
probe_is_made_up (guint64 size)
{
  return (size >= 0x7fff0000 && size <= 0x80010000) || (size >= 0xfffe0000 && size <= 0xffffffff);
}

gboolean
probe_is_zero (ProbeInput *input, guint64 offset, guint64 end)
{
  const guint8 *p;

  for (; offset < end && (p = probe_peek (input, offset, 1)); offset++)
    if (*p)
      return FALSE;
  return TRUE;
}

void
probe_add_part (Probe *probe, guint64 start, guint64 end, GBytes *header)
{
  ProbePart part = { start, end, header };

  if (probe->parts->len > 0) {
    ProbePart *before = &g_array_index (probe->parts, ProbePart, probe->parts->len - 1);

    before->end = MIN (before->end, start);
  }
  g_array_append_val (probe->parts, part);
}

const ProbePart *
probe_get_part (const Probe *probe, guint i)
{
  return i < probe->parts->len ? &g_array_index (probe->parts, ProbePart, i) : NULL;
}

guint64
probe_part_size (const ProbePart *part)
{
  return part->end - part->start + (part->header ? g_bytes_get_size (part->header) : 0);
}

gssize
probe_part_read (const ProbePart *part, int fd, void *buffer, gsize size, guint64 offset)
{
  gsize header_size = 0;
  const guint8 *header = part->header ? g_bytes_get_data (part->header, &header_size) : NULL;
  guint64 length = probe_part_size (part);

  if (offset >= length)
    return 0;
  if (offset < header_size) {
    size = MIN (size, header_size - offset);
    memcpy (buffer, header + offset, size);
    return (gssize) size;
  }
  return read_at (fd, buffer, MIN (size, length - offset), part->start + offset - header_size);
}

static gboolean
is_asf (const guint8 *p)
{
  static const guint8 magic[] = { 0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11 };

  return memcmp (p, magic, sizeof magic) == 0;
}

static gboolean
is_mp4 (const guint8 *p)
{
  static const char *const boxes[] = { "ftyp", "moov", "mdat", "wide", "skip", "free", "pnot" };

  for (guint i = 0; i < G_N_ELEMENTS (boxes); i++)
    if (memcmp (p + 4, boxes[i], 4) == 0)
      return TRUE;
  return FALSE;
}

/* Formats that begin with a magic of at least four bytes; %FALSE: none of them. */
static gboolean
probe_by_magic (ProbeInput *input, guint64 start, Probe *probe)
{
  static const guint8 ebml[] = { 0x1a, 0x45, 0xdf, 0xa3 };
  const guint8 *p = probe_peek (input, start, 12);

  if (!p)
    return FALSE;
  if (memcmp (p, "RIFF", 4) == 0 || memcmp (p, "RIFX", 4) == 0 || memcmp (p, "RF64", 4) == 0 ||
      memcmp (p, "BW64", 4) == 0)
    probe_riff (input, start, probe);
  else if (memcmp (p, "FORM", 4) == 0 && memcmp (p + 8, "AIF", 3) == 0)
    probe_aiff (input, start, probe);
  else if (memcmp (p, "OggS", 4) == 0)
    probe_ogg (input, start, probe_end_of_sound (input, start), probe);
  else if (memcmp (p, "fLaC", 4) == 0)
    probe_flac (input, start, probe_end_of_sound (input, start), probe);
  else if (memcmp (p, "riff\x2e\x91\xcf\x11", 8) == 0)
    probe_w64 (input, start, probe);
  else if (memcmp (p, ".snd", 4) == 0)
    probe_au (input, start, probe);
  else if (memcmp (p, "caff", 4) == 0)
    probe_caf (input, start, probe);
  else if (is_asf (p))
    probe_asf (input, start, probe);
  else if (is_mp4 (p))
    probe_mp4 (input, start, probe);
  else if (memcmp (p, ebml, sizeof ebml) == 0)
    probe_matroska (input, start, probe);
  else if (memcmp (p, "wvpk", 4) == 0)
    probe->trusts_decoder = TRUE;
  else
    return FALSE;
  return TRUE;
}

/* Magics that are long enough not to occur by chance in other data. */
static gboolean
begins_stream (const guint8 *p)
{
  static const struct {
    guint offset, length;
    const char *bytes;
  } magics[] = {
    { 0, 6, "OggS\0\2" },
    { 0, 8, "fLaC\0\0\0\x22" },
    { 0, 8, "fLaC\x80\0\0\x22" },
    { 8, 4, "WAVE" },
    { 8, 4, "AIFF" },
    { 8, 4, "AIFC" },
    { 0, 8, "caff\0\1\0\0" },
    { 0, 8, "riff\x2e\x91\xcf\x11" },
  };

  if (is_asf (p) || (memcmp (p, "wvpk", 4) == 0 && p[9] == 4) ||
      (memcmp (p, "\0\0\0", 3) == 0 && memcmp (p + 4, "ftyp", 4) == 0) ||
      (memcmp (p, "\x1a\x45\xdf\xa3", 4) == 0 && (p[4] >= 0x80 || p[4] == 1)))
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (magics); i++)
    if (memcmp (p + magics[i].offset, magics[i].bytes, magics[i].length) == 0)
      return TRUE;
  return FALSE;
}

/* The offset of a stream after bytes that don't belong to it; 0: there is none. */
static guint64
probe_stream_behind (ProbeInput *input, guint64 start, Probe *probe)
{
  guint64 limit = MIN (input->size, start + GARBAGE_RANGE);
  const guint8 *p;

  for (guint64 at = start + 1; at < limit && (p = probe_peek (input, at, 12)); at++)
    if (begins_stream (p) && probe_by_magic (input, at, probe))
      return at;
  return 0;
}

static void
recognise (ProbeInput *input, Probe *probe)
{
  gsize n = (gsize) MIN (input->size, SEGUE_RECOGNISE_LENGTH);
  const guint8 *p = probe_peek (input, 0, n);
  const char *what = p ? segue_file_recognise (p, n) : NULL;

  if (what)
    probe_refuse (probe, "is %s", what);
}

/* Never written: a hole in a disk image, a download that was only started. */
static gboolean
begins_with_zeros (ProbeInput *input)
{
  gsize n = (gsize) MIN (input->size, SEGUE_RECOGNISE_LENGTH);
  const guint8 *p = probe_peek (input, 0, n);

  return p && n > 1 && p[0] == 0 && memcmp (p, p + 1, n - 1) == 0;
}

static gboolean
probe_frames (ProbeInput *input, guint64 start, gboolean is_exact, Probe *probe)
{
  guint64 end = probe_end_of_sound (input, start < input->size ? start : 0);

  return probe_adts (input, start, end, is_exact, probe) ||
         probe_ac3 (input, start, end, is_exact, probe) ||
         probe_dts (input, start, end, is_exact, probe) ||
         probe_mpeg (input, start, end, is_exact, probe);
}

/* Frames also occur by chance in other audio data, so they are searched for last. */
static void
probe_all (ProbeInput *input, Probe *probe)
{
  guint64 start = probe_skip_tags (input, 0), found;

  recognise (input, probe);
  if (!probe->refusal && !probe_by_magic (input, start, probe) &&
      !probe_frames (input, start, TRUE, probe)) {
    found = probe_stream_behind (input, start < input->size ? start : 0, probe);
    if (found)
      start = found;
    else
      probe_frames (input, start, FALSE, probe);
  }
  if (!probe->container && begins_with_zeros (input))
    probe_refuse (
      probe,
      "begins with zeros instead of audio: it was never written completely; get another copy");
  if (probe->parts->len == 0)
    probe_add_part (probe, start < input->size ? start : 0, input->size, NULL);
}

/* Nothing after the end, whatever a header states. */
static void
bound_parts (Probe *probe, guint64 size)
{
  for (guint i = 0; i < probe->parts->len; i++) {
    ProbePart *part = &g_array_index (probe->parts, ProbePart, i);

    part->end = MIN (part->end, size);
    part->start = MIN (part->start, part->end);
  }
}

static void
clear_part (gpointer part)
{
  g_clear_pointer (&((ProbePart *) part)->header, g_bytes_unref);
}

gboolean
probe_file (int fd, Probe *probe, GCancellable *cancellable, GError **error)
{
  g_autofree ProbeInput *input = g_new0 (ProbeInput, 1);
  struct stat info;

  *probe = (Probe){ .declared = NAN, .intact = 1 };
  probe->parts = g_array_new (FALSE, FALSE, sizeof (ProbePart));
  g_array_set_clear_func (probe->parts, clear_part);
  if (fstat (fd, &info) != 0) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_IO, "can't be read: %s", g_strerror (errno));
    return FALSE;
  }
  input->fd = fd;
  input->size = (guint64) MAX (info.st_size, 0);
  input->cancellable = cancellable;
  probe_all (input, probe);
  bound_parts (probe, input->size);
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
  g_clear_pointer (&probe->refusal, g_free);
  g_clear_pointer (&probe->remark, g_free);
  g_clear_pointer (&probe->parts, g_array_unref);
}
