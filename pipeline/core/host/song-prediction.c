/* The prediction for one song: allocate and free. */
#include "host/song-prediction.h"

#include <math.h>

/* Per song: 1 GiB. A thousand labels for one segment per second of a day are less. */
#define MAX_ANSWERS ((gsize) 256 * 1024 * 1024)

SegueSongPrediction *
segue_song_prediction_new (guint n_segments, guint n_labels, GError **error)
{
  gsize n = (gsize) n_segments * n_labels;
  float *rows = n <= MAX_ANSWERS ? g_try_new0 (float, n) : NULL;
  if (!rows) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "%u segments with probabilities of %u labels each are too many; use a model that "
                 "cuts songs into fewer segments",
                 n_segments, n_labels);
    return NULL;
  }
  SegueSongPrediction *prediction = g_new0 (SegueSongPrediction, 1);
  prediction->n_labels = n_labels;
  prediction->distance = NAN;
  prediction->n_segments = n_segments;
  prediction->probabilities = g_new0 (float, n_labels);
  prediction->segments = g_new0 (SegueSegmentPrediction, n_segments);
  for (guint i = 0; i < n_segments; i++)
    prediction->segments[i].probabilities = rows + (gsize) i * n_labels;
  return prediction;
}

void
segue_song_prediction_free (SegueSongPrediction *prediction)
{
  if (!prediction)
    return;
  if (prediction->n_segments > 0)
    g_free (prediction->segments[0].probabilities);
  g_free (prediction->segments);
  g_free (prediction->probabilities);
  g_free (prediction->note);
  segue_library_answer_free (prediction->similar);
  g_free (prediction);
}
