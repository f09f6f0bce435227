/* Matroska and WebM: nested elements. The duration of the first audio track, from the times of its first and last
 * block, since video may last longer and audio may begin later. */
#include "probe-private.h"

#include <string.h>

#define MAX_ELEMENTS (1u << 24) /* per file: a film has some hundred thousand */
#define UNKNOWN      G_MAXUINT64
#define TYPE_AUDIO   2

enum {
  ID_EBML = 0x1a45dfa3,
  ID_SEGMENT = 0x18538067,
  ID_INFO = 0x1549a966,
  ID_SCALE = 0x2ad7b1,
  ID_TRACKS = 0x1654ae6b,
  ID_TRACK = 0xae,
  ID_NUMBER = 0xd7,
  ID_TYPE = 0x83,
  ID_CLUSTER = 0x1f43b675,
  ID_TIME = 0xe7,
  ID_SIMPLE_BLOCK = 0xa3,
  ID_BLOCK_GROUP = 0xa0,
  ID_BLOCK = 0xa1,
};

typedef struct {
  guint32 id;
  guint64 start, size; /* of its content; %UNKNOWN: up to an element of a higher level */
} Element;

typedef struct {
  ProbeInput *input;
  guint n_elements;
  guint64 scale; /* ns of a unit of time */
  guint64 track; /* number of the first audio track; 0: none yet */
  gboolean has_tracks;
  guint64 cluster; /* time */
  gboolean has_blocks;
  gint64 first, last;
} Matroska;

/* A number whose first set bit gives its size in bytes; 0 bytes: none. */
static guint
read_number (ProbeInput *input, guint64 at, gboolean keeps_mark, guint64 *value)
{
  const guint8 *p = probe_peek (input, at, 1);
  guint n = 1;
  gboolean is_unknown;

  if (!p || !p[0])
    return 0;
  while (!(p[0] & 0x80 >> (n - 1)))
    n++;
  if (!(p = probe_peek (input, at, n)))
    return 0;
  *value = keeps_mark ? p[0] : p[0] & (0xffu >> n);
  is_unknown = (p[0] & (0xffu >> n)) == (0xffu >> n);
  for (guint i = 1; i < n; i++) {
    is_unknown = is_unknown && p[i] == 0xff;
    *value = *value << 8 | p[i];
  }
  if (is_unknown && !keeps_mark)
    *value = UNKNOWN;
  return n;
}

static gboolean
read_element (Matroska *self, guint64 at, Element *element)
{
  guint64 id, size;
  guint n = read_number (self->input, at, TRUE, &id), m;

  if (n < 1 || n > 4 || self->n_elements++ >= MAX_ELEMENTS)
    return FALSE;
  if ((m = read_number (self->input, at + n, FALSE, &size)) == 0)
    return FALSE;
  *element = (Element){ (guint32) id, at + n + m, size };
  return TRUE;
}

static guint64
read_unsigned (Matroska *self, const Element *element)
{
  const guint8 *p = element->size >= 1 && element->size <= 8
                      ? probe_peek (self->input, element->start, element->size)
                      : NULL;
  guint64 value = 0;

  for (guint i = 0; p && i < element->size; i++)
    value = value << 8 | p[i];
  return value;
}

/* A block begins with the number of its track and its own time. */
static void
read_block (Matroska *self, const Element *element)
{
  guint64 track;
  guint n = read_number (self->input, element->start, FALSE, &track);
  const guint8 *p = n > 0 ? probe_peek (self->input, element->start + n, 2) : NULL;
  gint64 time;

  if (!p || track != self->track || !self->track)
    return;
  time = (gint64) MIN (self->cluster, G_MAXINT64 / 2) + (gint16) probe_be16 (p);
  self->first = self->has_blocks ? MIN (self->first, time) : time;
  self->last = self->has_blocks ? MAX (self->last, time) : time;
  self->has_blocks = TRUE;
}

/* One track of the list. */
static void
read_track (Matroska *self, const Element *track, guint64 end)
{
  guint64 number = 0, type = 0;
  Element child;

  for (guint64 at = track->start; at < end && read_element (self, at, &child);) {
    if (child.id == ID_NUMBER)
      number = read_unsigned (self, &child);
    else if (child.id == ID_TYPE)
      type = read_unsigned (self, &child);
    if (child.size > end - MIN (child.start, end))
      break;
    at = child.start + child.size;
  }
  self->has_tracks = TRUE;
  if (type == TYPE_AUDIO && !self->track)
    self->track = number;
}

/* Whether to read its content instead of skipping it. */
static gboolean
is_entered (guint32 id)
{
  return id == ID_SEGMENT || id == ID_INFO || id == ID_TRACKS || id == ID_CLUSTER ||
         id == ID_BLOCK_GROUP;
}

static void
read_leaf (Matroska *self, const Element *element, guint64 end)
{
  if (element->id == ID_SCALE)
    self->scale = read_unsigned (self, element);
  else if (element->id == ID_TRACK)
    read_track (self, element, MIN (element->start + element->size, end));
  else if (element->id == ID_TIME)
    self->cluster = read_unsigned (self, element);
  else if (element->id == ID_SIMPLE_BLOCK || element->id == ID_BLOCK)
    read_block (self, element);
}

void
probe_matroska (ProbeInput *input, guint64 start, Probe *probe)
{
  Matroska self = { .input = input, .scale = 1000000 };
  guint64 end = input->size, at = start;
  Element element;

  probe->container = "Matroska";
  while (at < end && !g_cancellable_is_cancelled (input->cancellable) &&
         read_element (&self, at, &element)) {
    guint64 there = end - MIN (element.start, end);

    if (element.id == ID_SEGMENT && element.size != UNKNOWN) {
      probe_compare (probe, element.start, end, element.size);
      end = element.start + MIN (element.size, there);
    }
    if (is_entered (element.id)) {
      at = element.start;
      continue;
    }
    if (element.size > there) {
      probe->remark = g_strdup ("ends within a block: it may be truncated");
      break;
    }
    read_leaf (&self, &element, end);
    at = element.start + element.size;
  }
  if (self.has_tracks && !self.track)
    probe_refuse (probe, "contains no audio stream");
  if (self.has_blocks && self.last > self.first)
    probe->declared = (double) (self.last - self.first) * (double) self.scale / 1e9;
}
