/* The finished model's predictions for validation songs. */
#include "calibrate.h"
#include "validate.h"

#include <segue/nn/cross-entropy.h>

/* The current song. @rows: float [segments, n_labels]. */
typedef struct {
  SegueCalibration *calibration;
  guint n_labels;
  GArray *rows;
  guint song;
  gint32 label;
} Songs;

static void
end_song (Songs *songs)
{
  guint n_segments = songs->rows->len / songs->n_labels;
  if (n_segments > 0 && songs->label != SEGUE_NN_IGNORE)
    segue_calibration_add (songs->calibration, (guint) songs->label,
                           (const float *) (const void *) songs->rows->data, n_segments,
                           songs->n_labels);
  g_array_set_size (songs->rows, 0);
}

static void
add_segment (const TrainSample *sample, const double *row, double loss, gpointer data)
{
  Songs *songs = data;
  if (sample->song != songs->song)
    end_song (songs);
  songs->song = sample->song;
  songs->label = sample->label;
  for (guint c = 0; c < songs->n_labels; c++) {
    float probability = (float) row[c];
    g_array_append_val (songs->rows, probability);
  }
}

SegueCalibration *
train_calibrate (TrainJob *job, GError **error)
{
  g_autoptr (SegueCalibration) calibration = segue_calibration_new ();
  g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, sizeof (float));
  Songs songs = { .calibration = calibration, .n_labels = job->info.n_labels, .rows = rows };
  if (job->sets->validation.n > 0 && !train_validate_each (job, add_segment, &songs, error))
    return NULL;
  end_song (&songs);
  return g_steal_pointer (&calibration);
}
