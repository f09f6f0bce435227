/* WAVE and AIFF: chunks; the header says how much sample data there should be. */
#include "probe-private.h"

#include <string.h>

#define MAX_CHUNKS 4096

typedef struct {
  guint32 rate;
  guint32 bytes_per_frame; /* 0: not plain PCM */
  guint64 ds64_size;       /* RF64: of the data chunk */
} Format;

static void
compare (ProbeInput *input, Probe *probe, guint64 start, guint64 promised)
{
  guint64 there = start < input->size ? MIN (promised, input->size - start) : 0;

  if (promised > there)
    probe_note (probe, (double) there / (double) promised,
                "its header promises %" G_GUINT64_FORMAT
                " bytes of sound, but only %" G_GUINT64_FORMAT " are there",
                promised, there);
}

/* @p: (nullable): the file ends here. */
static void
read_fmt (const guint8 *p, Format *format)
{
  guint tag;

  if (!p)
    return;
  tag = (guint) p[0] | (guint) p[1] << 8;
  format->rate = probe_le32 (p + 4);
  /* PCM, float, A-law, µ-law and the extensible form of them. */
  if (tag == 1 || tag == 3 || tag == 6 || tag == 7 || tag == 0xfffe)
    format->bytes_per_frame = (guint32) p[12] | (guint32) p[13] << 8;
}

static void
read_ds64 (const guint8 *p, Format *format)
{
  if (p)
    format->ds64_size = probe_le64 (p + 8);
}

static void
read_data (ProbeInput *input, Probe *probe, const Format *format, guint64 start, guint64 size)
{
  if (size == 0xffffffff)
    size = format->ds64_size;
  /* 0 and all ones: written by a stream that did not know its length. */
  if (size == 0)
    return;
  compare (input, probe, start, size);
  if (format->bytes_per_frame && format->rate)
    probe->declared = (double) (size / format->bytes_per_frame) / format->rate;
}

void
probe_riff (ProbeInput *input, Probe *probe)
{
  Format format = { 0 };
  guint64 at = 12;
  const guint8 *p = probe_peek (input, 0, 12);

  if (!p || memcmp (p + 8, "WAVE", 4) != 0) {
    probe->trusts_decoder = p != NULL; /* AVI and the like */
    return;
  }
  probe->container = "WAVE";
  for (guint i = 0; i < MAX_CHUNKS && (p = probe_peek (input, at, 8)); i++) {
    guint64 size = probe_le32 (p + 4);
    gboolean is_data = memcmp (p, "data", 4) == 0;

    if (is_data) {
      read_data (input, probe, &format, at + 8, size);
      return;
    }
    if (memcmp (p, "fmt ", 4) == 0 && size >= 16)
      read_fmt (probe_peek (input, at + 8, 16), &format);
    else if (memcmp (p, "ds64", 4) == 0 && size >= 24)
      read_ds64 (probe_peek (input, at + 8, 24), &format);
    at += 8 + size + (size & 1);
  }
}

void
probe_aiff (ProbeInput *input, Probe *probe)
{
  guint64 at = 12;
  const guint8 *p;

  probe->container = "AIFF";
  for (guint i = 0; i < MAX_CHUNKS && (p = probe_peek (input, at, 8)); i++) {
    guint64 size = probe_be32 (p + 4);

    if (memcmp (p, "SSND", 4) == 0) {
      compare (input, probe, at + 8, size);
      return;
    }
    at += 8 + size + (size & 1);
  }
}
