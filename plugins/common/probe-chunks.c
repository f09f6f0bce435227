#include "probe-chunks.h"

#include <string.h>

/* clang-format off */
static const char *const known[] = {
  "fmt ", "data", "fact", "LIST", "INFO", "bext", "iXML", "axml", "chna", "ds64", "JUNK", "junk", "PAD ", "FLLR", "PEAK",
  "cue ", "plst", "smpl", "inst", "acid", "strc", "cart", "levl", "DISP", "minf", "elm1", "regn", "umid", "_PMX", "id3 ",
  "ID3 ", "afsp", "wavl", "slnt", "note", "labl", "adtl", "AFAn", "LGWV", "SAUR", "tlst", "cord", "r64m", "CDif", "bwfx",
  "COMM", "SSND", "FVER", "MARK", "INST", "MIDI", "AESD", "APPL", "COMT", "NAME", "AUTH", "(c) ", "ANNO", "CHAN", "basc",
  "trns", "SAXL",
};
/* clang-format on */

gboolean
probe_is_chunk (ProbeInput *input, guint64 offset)
{
  const guint8 *p = probe_peek (input, offset, 8);

  for (guint i = 0; p && i < G_N_ELEMENTS (known); i++)
    if (memcmp (p, known[i], 4) == 0)
      return TRUE;
  return FALSE;
}

gboolean
probe_is_name (const guint8 *p)
{
  for (guint i = 0; i < 4; i++)
    if (p[i] < 0x20 || p[i] > 0x7e)
      return FALSE;
  return TRUE;
}

gboolean
probe_read_chunk (ProbeInput *input, guint64 offset, gboolean big_endian, ProbeChunk *chunk)
{
  const guint8 *p = probe_peek (input, offset, 8);
  guint64 end;

  if (!p || !probe_is_name (p))
    return FALSE;
  memcpy (chunk->name, p, 4);
  chunk->name[4] = '\0';
  chunk->size = big_endian ? probe_be32 (p + 4) : probe_le32 (p + 4);
  chunk->start = offset + 8;
  end = chunk->start + chunk->size;
  chunk->next = end + (chunk->size & 1);
  if ((chunk->size & 1) && probe_is_chunk (input, end) && !probe_is_chunk (input, chunk->next))
    chunk->next = end;
  return TRUE;
}
