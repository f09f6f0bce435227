/* The answer for one song, as memory (internal). */
#pragma once

#include <segue/predict.h>

/** segue_song_prediction_new: (transfer full): zeroed; the segments' probabilities lie one after the other,
 * the first one's are all of them.  %SEGUE_ERROR_DATA where it is too large to be held: how a song is cut,
 * and how many labels there are, may be a stranger's word. */
SegueSongPrediction *segue_song_prediction_new (guint n_segments, guint n_labels, GError **error);
