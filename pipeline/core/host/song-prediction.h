/* Memory for the prediction for one song (internal). */
#pragma once

#include <segue/host/predict.h>

/** segue_song_prediction_new: (transfer full): zeroed; the segments' probabilities are contiguous,
 * so those of the first point to all of them. %SEGUE_ERROR_DATA if it is too large for memory: how
 * a song is cut, and the number of labels, may come from an untrusted file. */
SegueSongPrediction *segue_song_prediction_new (guint n_segments, guint n_labels, GError **error);
