/* A part of an open file, for libavformat: read with pread(), never by a path.
 *
 * libavformat does not distinguish the end of a file from a temporary read error: the first is
 * recorded as a failure of the song, the second must not be. So an input records what failed.
 */
#pragma once

#include "libav.h"
#include "song.h"

typedef struct _Input Input;

/** input_new: (transfer full): @part of @song (both borrowed, must outlive it); %NULL where there is no memory. */
Input *input_new (Song *song, const ProbePart *part);
/** input_free: accepts %NULL. */
void input_free (Input *input);

/** input_get_io: (transfer none). */
AVIOContext *input_get_io (Input *input);
/** input_failed: %TRUE with @error where reading failed, the song timed out or the user cancelled:
 * however libavformat reports it. */
gboolean input_failed (Input *input, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Input, input_free)
