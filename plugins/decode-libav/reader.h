/* One file, or one link of a chained one, through libavformat and libavcodec: its first audio stream as float32 at
 * its native rate, without encoder delay and padding (MP3, AAC, Opus). */
#pragma once

#include "song.h"

typedef struct _Reader Reader;

typedef enum { READER_FRAMES, READER_END, READER_FAILED } ReaderResult;

/** ReaderBlock: the samples of channel c are every @stride-th from @planes[c] on, valid until the next
 * call. */
typedef struct {
  const float *const *planes;
  gsize stride;
  gsize n_frames;
  guint rate;
  guint channels;
} ReaderBlock;

/** reader_new: (transfer full): for @part of @song (borrowed, must outlive it); after libav_load().
 * Errors name the song. */
Reader *reader_new (Song *song, const ProbePart *part, GError **error);
/** reader_free: accepts %NULL. */
void reader_free (Reader *reader);

/** reader_get_duration: s, as the container declares it; NAN where it does not. */
double reader_get_duration (const Reader *reader);
/** reader_pull: undecodable parts in the middle are skipped, as players do: the completeness check
 * detects what is missing. */
ReaderResult reader_pull (Reader *reader, ReaderBlock *block, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Reader, reader_free)
