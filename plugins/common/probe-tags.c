/* Tags around the audio: ID3, APE and Lyrics3, in any order and number. They are not part of any stream, so they
 * are not damage. */
#include "probe-private.h"

#include <string.h>

/* Of a Lyrics3 1.00 block, which does not contain its length. */
#define MAX_LYRICS 5100u

static guint32
read_syncsafe (const guint8 *p)
{
  return (guint32) p[0] << 21 | (guint32) p[1] << 14 | (guint32) p[2] << 7 | (guint32) p[3];
}

/* "ID3", or the same at the end of a tag: "3DI". */
static gboolean
is_id3 (const guint8 *p, const char *magic)
{
  return p && memcmp (p, magic, 3) == 0 && p[3] != 0xff && !((p[6] | p[7] | p[8] | p[9]) & 0x80);
}

guint64
probe_skip_id3 (ProbeInput *input, guint64 offset)
{
  const guint8 *p;

  while (is_id3 (p = probe_peek (input, offset, 10), "ID3"))
    offset += 10 + (guint64) read_syncsafe (p + 6) + (p[5] & 0x10 ? 10 : 0);
  return offset;
}

/* At the start of a file an APE tag has a header of 32 bytes, which its size does not count. */
static guint64
skip_ape (ProbeInput *input, guint64 offset)
{
  const guint8 *p = probe_peek (input, offset, 32);

  return p && memcmp (p, "APETAGEX", 8) == 0 ? offset + 32 + probe_le32 (p + 12) : offset;
}

guint64
probe_skip_tags (ProbeInput *input, guint64 offset)
{
  guint64 before;

  do {
    before = offset;
    offset = skip_ape (input, probe_skip_id3 (input, offset));
  } while (offset > before && offset < input->size);
  return offset;
}

/* Lyrics3 1.00: text between two words; its start has to be searched for. */
static guint64
lyrics1_size (ProbeInput *input, guint64 end)
{
  guint64 from = end - MIN (end, MAX_LYRICS);
  const guint8 *p = probe_peek (input, from, (gsize) (end - from)), *begin;

  begin = p ? memmem (p, (gsize) (end - from), "LYRICSBEGIN", 11) : NULL;
  return begin ? end - from - (guint64) (begin - p) : 0;
}

/* Six digits and "LYRICS200": the size of all before them. */
static guint64
lyrics2_size (const guint8 *p)
{
  guint64 size = 0;

  for (guint i = 0; i < 6 && g_ascii_isdigit (p[i]); i++)
    size = size * 10 + (guint64) (p[i] - '0');
  return size + 15;
}

/* Bytes of the tag that ends at @end; 0: no tag. */
static guint64
tag_size (ProbeInput *input, guint64 end)
{
  const guint8 *p;

  if (end >= 128 && (p = probe_peek (input, end - 128, 3)) && memcmp (p, "TAG", 3) == 0)
    return 128;
  if (end >= 227 && (p = probe_peek (input, end - 227, 4)) && memcmp (p, "TAG+", 4) == 0)
    return 227;
  if (end >= 10 && is_id3 (p = probe_peek (input, end - 10, 10), "3DI"))
    return 20 + (guint64) read_syncsafe (p + 6);
  if (end >= 32 && (p = probe_peek (input, end - 32, 32)) && memcmp (p, "APETAGEX", 8) == 0)
    return (guint64) probe_le32 (p + 12) + (p[23] & 0x80 ? 32 : 0);
  if (end >= 15 && (p = probe_peek (input, end - 15, 15)) && memcmp (p + 6, "LYRICS200", 9) == 0)
    return lyrics2_size (p);
  if (end >= 9 && (p = probe_peek (input, end - 9, 9)) && memcmp (p, "LYRICSEND", 9) == 0)
    return lyrics1_size (input, end);
  return 0;
}

guint64
probe_end_of_sound (ProbeInput *input, guint64 start)
{
  guint64 end = input->size, size;

  while (end > start && (size = tag_size (input, end)) > 0 && size <= end - start)
    end -= size;
  return end;
}
