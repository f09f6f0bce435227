/* Part of a song as a separate item, for stages that cut without copying. */
#pragma once

#include <segue/context.h>

/**
 * slice_emit: emits frames @start … @start + @n_frames of @song (borrowed), a slice of its buffer.
 * Its `start` and `duration` stay in the time of the original file.
 * @suffix: (nullable): as for segue_item_new_audio()
 */
gboolean slice_emit (SegueItem *song, const char *suffix, gsize start, gsize n_frames,
                     SegueContext *context, GError **error);
