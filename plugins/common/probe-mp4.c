/* MP4, M4A, QuickTime: nested boxes. The duration of the first audio track, since video may last longer and audio
 * may begin later: from its table of times, or that of its fragments, minus the parts that its edit list omits. */
#include "probe-private.h"

#include <string.h>

#define MAX_BOXES (1u << 20) /* per file; hours in fragments have some thousand */
#define MAX_DEPTH 8          /* nesting of a track's boxes; sample tables are at depth three */

typedef struct {
  char type[5];
  guint64 start, end; /* of its content */
  gboolean is_cut;    /* the file ends before it does */
  guint64 promised;   /* bytes from @start on */
} Box;

typedef struct {
  guint32 id;
  gboolean is_sound;
  guint32 timescale;
  guint64 duration;  /* from its header */
  guint64 times;     /* from the table of times */
  guint64 fragments; /* from moof boxes */
  guint64 edits;     /* in @movie_timescale */
  guint64 skipped;   /* at the start, from the edit list */
  gboolean is_encrypted;
} Track;

typedef struct {
  ProbeInput *input;
  guint32 movie_timescale;
  guint32 default_duration; /* of a sample in fragments */
  Track track;              /* the first audio track */
  gboolean has_track, has_movie;
  guint n_boxes;
} Movie;

static gboolean
next_box (Movie *movie, guint64 *at, guint64 end, Box *box)
{
  const guint8 *p = *at + 8 <= end ? probe_peek (movie->input, *at, 8) : NULL;
  guint64 size, head = 8;

  if (!p || movie->n_boxes++ >= MAX_BOXES)
    return FALSE;
  memcpy (box->type, p + 4, 4);
  box->type[4] = '\0';
  size = probe_be32 (p);
  if (size == 0)
    size = end - *at;
  if (size == 1) {
    if (!(p = probe_peek (movie->input, *at + 8, 8)))
      return FALSE;
    size = probe_be64 (p);
    head = 16;
  }
  if (size < head)
    return FALSE;
  box->is_cut = size > end - *at;
  box->promised = size - head;
  box->start = MIN (*at + head, end);
  box->end = box->is_cut ? end : *at + size;
  *at = box->end;
  return TRUE;
}

/* Versions 0 and 1, whose numbers have four or eight bytes. */
static guint64
read_wide (const guint8 *p, gboolean is_wide)
{
  return is_wide ? probe_be64 (p) : probe_be32 (p);
}

/* mvhd and mdhd: time scale and duration after two dates. */
static void
read_times (Movie *movie, const Box *box, guint32 *timescale, guint64 *duration)
{
  const guint8 *p = probe_peek (movie->input, box->start, 32);
  gboolean is_wide = p && p[0] == 1;

  if (!p || box->end - box->start < 20)
    return;
  *timescale = probe_be32 (p + (is_wide ? 20 : 12));
  *duration = read_wide (p + (is_wide ? 24 : 16), is_wide);
  if (*duration == (is_wide ? G_MAXUINT64 : G_MAXUINT32)) /* not known */
    *duration = 0;
}

static void
read_edits (Movie *movie, const Box *box, Track *track)
{
  const guint8 *p = probe_peek (movie->input, box->start, 8);
  gboolean is_wide = p && p[0] == 1, is_first = TRUE;
  guint step = is_wide ? 20 : 12, n = p ? probe_be32 (p + 4) : 0;
  guint64 at = box->start + 8;

  for (; n > 0 && at + step <= box->end && (p = probe_peek (movie->input, at, step));
       n--, at += step) {
    guint64 from = read_wide (p + (is_wide ? 8 : 4), is_wide);

    if (from == (is_wide ? G_MAXUINT64 : G_MAXUINT32)) /* silence before the audio */
      continue;
    if (is_first)
      track->skipped = from;
    is_first = FALSE;
    track->edits += MIN (read_wide (p, is_wide), G_MAXINT64 / 4);
  }
}

static void
read_sample_times (Movie *movie, const Box *box, Track *track)
{
  const guint8 *p = probe_peek (movie->input, box->start, 8);
  guint n = p ? probe_be32 (p + 4) : 0;

  for (guint64 at = box->start + 8; n > 0 && at + 8 <= box->end && track->times < G_MAXINT64 / 4;
       n--, at += 8) {
    if (!(p = probe_peek (movie->input, at, 8)))
      return;
    track->times += (guint64) probe_be32 (p) * probe_be32 (p + 4);
  }
}

static gboolean
holds_boxes (const Box *box)
{
  static const char *const types[] = { "mdia", "minf", "stbl", "edts" };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (g_str_equal (box->type, types[i]))
      return TRUE;
  return FALSE;
}

static void
read_track_box (Movie *movie, const Box *box, Track *track, guint depth)
{
  const guint8 *p;
  guint64 at = box->start;
  Box child;

  if (g_str_equal (box->type, "tkhd") && (p = probe_peek (movie->input, box->start, 24))) {
    track->id = probe_be32 (p + (p[0] == 1 ? 20 : 12));
  } else if (g_str_equal (box->type, "hdlr") && (p = probe_peek (movie->input, box->start, 12))) {
    track->is_sound = track->is_sound || memcmp (p + 8, "soun", 4) == 0;
  } else if (g_str_equal (box->type, "mdhd")) {
    read_times (movie, box, &track->timescale, &track->duration);
  } else if (g_str_equal (box->type, "elst")) {
    read_edits (movie, box, track);
  } else if (g_str_equal (box->type, "stts")) {
    read_sample_times (movie, box, track);
  } else if (g_str_equal (box->type, "stsd") && (p = probe_peek (movie->input, box->start, 16))) {
    track->is_encrypted = memcmp (p + 12, "drms", 4) == 0 || memcmp (p + 12, "enca", 4) == 0;
  } else if (holds_boxes (box) && depth < MAX_DEPTH) {
    while (next_box (movie, &at, box->end, &child))
      read_track_box (movie, &child, track, depth + 1);
  }
}

static void
read_movie (Movie *movie, const Box *movie_box)
{
  guint64 at = movie_box->start, child_at, unused;
  Box box, child;
  const guint8 *p;

  movie->has_movie = TRUE;
  while (next_box (movie, &at, movie_box->end, &box)) {
    Track track = { 0 };

    if (g_str_equal (box.type, "mvhd"))
      read_times (movie, &box, &movie->movie_timescale, &unused);
    child_at = box.start;
    if (g_str_equal (box.type, "trak"))
      while (next_box (movie, &child_at, box.end, &child))
        read_track_box (movie, &child, &track, 0);
    if (track.is_sound && !movie->has_track) {
      movie->track = track;
      movie->has_track = TRUE;
    }
  }
  for (at = movie_box->start; next_box (movie, &at, movie_box->end, &box);) {
    child_at = box.start;
    if (g_str_equal (box.type, "mvex"))
      while (next_box (movie, &child_at, box.end, &child))
        if (g_str_equal (child.type, "trex") && (p = probe_peek (movie->input, child.start, 16)) &&
            probe_be32 (p + 4) == movie->track.id)
          movie->default_duration = probe_be32 (p + 12);
  }
}

/* tfhd: the track, and the duration of each of its samples here. */
static gboolean
read_fragment_header (Movie *movie, const Box *box, guint32 *duration)
{
  const guint8 *p = probe_peek (movie->input, box->start, 20);
  guint32 flags;
  guint at = 8;

  if (!p || probe_be32 (p + 4) != movie->track.id)
    return FALSE;
  flags = probe_be32 (p);
  at += (flags & 1 ? 8 : 0) + (flags & 2 ? 4 : 0);
  if (flags & 8 && at + 4 <= 20)
    *duration = probe_be32 (p + at);
  return TRUE;
}

static void
read_run (Movie *movie, const Box *box, guint32 duration)
{
  const guint8 *p = probe_peek (movie->input, box->start, 8);
  guint32 flags = p ? probe_be32 (p) : 0, n = p ? probe_be32 (p + 4) : 0;
  guint64 at = box->start + 8 + (flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0);
  guint step = (flags & 0x100 ? 4 : 0) + (flags & 0x200 ? 4 : 0) + (flags & 0x400 ? 4 : 0) +
               (flags & 0x800 ? 4 : 0);

  if (!(flags & 0x100)) {
    movie->track.fragments += (guint64) n * duration;
    return;
  }
  for (; n > 0 && at + step <= box->end && (p = probe_peek (movie->input, at, 4)); n--, at += step)
    movie->track.fragments += probe_be32 (p);
}

static void
read_fragment (Movie *movie, const Box *fragment)
{
  guint64 at = fragment->start;
  Box box, child;

  while (next_box (movie, &at, fragment->end, &box)) {
    guint32 duration = movie->default_duration;
    gboolean is_ours = FALSE;

    if (!g_str_equal (box.type, "traf"))
      continue;
    for (guint64 child_at = box.start; next_box (movie, &child_at, box.end, &child);)
      if (g_str_equal (child.type, "tfhd"))
        is_ours = read_fragment_header (movie, &child, &duration);
      else if (is_ours && g_str_equal (child.type, "trun") &&
               movie->track.fragments < G_MAXINT64 / 4)
        read_run (movie, &child, duration);
  }
}

static void
declare (const Movie *movie, Probe *probe)
{
  const Track *track = &movie->track;
  guint64 length = track->fragments + (track->times ? track->times : track->duration);
  double seconds;

  if (!track->timescale || !length)
    return;
  /* A table of times may include time at the end that the header does not count. */
  if (!track->fragments && track->duration)
    length = MIN (length, track->duration);
  length -= MIN (length, track->skipped);
  seconds = (double) length / track->timescale;
  if (track->edits && movie->movie_timescale && !track->fragments)
    seconds = MIN (seconds, (double) track->edits / movie->movie_timescale);
  probe->declared = seconds;
}

void
probe_mp4 (ProbeInput *input, guint64 start, Probe *probe)
{
  Movie movie = { .input = input };
  guint64 at = start;
  Box box;

  probe->container = "MP4";
  while (next_box (&movie, &at, input->size, &box) &&
         !g_cancellable_is_cancelled (input->cancellable)) {
    if (g_str_equal (box.type, "moov"))
      read_movie (&movie, &box);
    else if (g_str_equal (box.type, "moof"))
      read_fragment (&movie, &box);
    if (box.is_cut && (g_str_equal (box.type, "mdat") || g_str_equal (box.type, "moov")))
      probe_compare (probe, box.start, input->size, box.promised);
  }
  if (input->failed)
    return;
  if (!movie.has_movie)
    probe_refuse (
      probe,
      "is damaged: its index (moov) is missing, as in an unfinished download; get a complete copy");
  else if (!movie.has_track)
    probe_refuse (probe, "contains no audio stream");
  else if (movie.track.is_encrypted)
    probe_refuse (probe, "is encrypted (DRM)");
  declare (&movie, probe);
}
