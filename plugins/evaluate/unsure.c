/* The threshold is known only after the last song: until then, the measures of all songs are kept. */
#include "unsure.h"
#include "tally.h"

#include <segue/error.h>

typedef struct {
  SegueSet set;
  int truth;
  guint answer;
  double confidence, distance;
} Judged;

struct _EvaluateUnsure {
  SegueCalibration *calibration;
  gboolean measures; /* validation songs: the model brings no measures */
  GArray *songs;     /* Judged */
};

void
evaluate_unsure_free (EvaluateUnsure *unsure)
{
  if (!unsure)
    return;
  segue_calibration_free (unsure->calibration);
  g_array_unref (unsure->songs);
  g_free (unsure);
}

EvaluateUnsure *
evaluate_unsure_new (const char *folder, SegueAggregation aggregation, double share, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (SegueCalibration) brought = folder ? segue_calibration_read (folder, &local) : NULL;
  if (local) {
    g_propagate_error (error, g_steal_pointer (&local));
    return NULL;
  }
  EvaluateUnsure *unsure = g_new0 (EvaluateUnsure, 1);
  unsure->measures = !brought || segue_calibration_count (brought, aggregation) == 0;
  unsure->calibration =
    unsure->measures ? segue_calibration_new (aggregation) : g_steal_pointer (&brought);
  unsure->songs = g_array_new (FALSE, FALSE, sizeof (Judged));
  segue_calibration_set_aggregation (unsure->calibration, aggregation);
  segue_calibration_set_share (unsure->calibration, share);
  return unsure;
}

void
evaluate_unsure_add (EvaluateUnsure *unsure, const EvaluateSong *song)
{
  const Judged judged = { song->set, song->truth, song->answer, song->confidence, song->distance };
  g_array_append_val (unsure->songs, judged);
  if (unsure->measures && song->set == SEGUE_SET_VALIDATION && song->truth >= 0)
    segue_calibration_add (unsure->calibration, (guint) song->truth, song->segments,
                           song->n_segments, song->n_labels, song->distance);
}

void
evaluate_unsure_count (const EvaluateUnsure *unsure, EvaluateUnsureFigures *figures)
{
  SegueAggregation aggregation = segue_calibration_get_aggregation (unsure->calibration);
  *figures = (EvaluateUnsureFigures){ .measured = segue_calibration_count (unsure->calibration,
                                                                           aggregation) };
  figures->judges = segue_calibration_find_default (unsure->calibration, aggregation,
                                                    &figures->share, &figures->threshold);
  for (guint i = 0; figures->judges && i < unsure->songs->len; i++) {
    const Judged *song = &g_array_index (unsure->songs, Judged, i);
    if (!segue_threshold_is_unsure (&figures->threshold, song->confidence, song->distance))
      continue;
    if (song->truth == TALLY_NO_LABEL)
      figures->unlabelled[song->set]++;
    else if (song->truth == (int) song->answer)
      figures->right[song->set]++;
    else
      figures->wrong[song->set]++;
  }
}

gboolean
evaluate_unsure_write (const EvaluateUnsure *unsure, const char *folder, GError **error)
{
  return segue_calibration_write (unsure->calibration, folder, error);
}
