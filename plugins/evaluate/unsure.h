/* Which songs are shown as unsure: the calibration of the model, and how many songs of each set are. */
#pragma once

#include <segue/calibration.h>
#include <segue/dataset.h>

typedef struct _EvaluateUnsure EvaluateUnsure;

/**
 * EvaluateUnsureFigures: how songs are judged.
 * @judges: there is a threshold
 * @share: of correct predictions that it is expected to show as unsure
 * @measured: songs that it was chosen from
 * @right, @wrong, @unlabelled: songs of each set that are unsure, by whether their prediction is right
 */
typedef struct {
  gboolean judges;
  double share;
  SegueThreshold threshold;
  guint measured;
  guint64 right[SEGUE_N_SETS], wrong[SEGUE_N_SETS], unlabelled[SEGUE_N_SETS];
} EvaluateUnsureFigures;

/**
 * evaluate_unsure_new: (transfer full): with the calibration that the model in @folder brings. Without one, validation songs
 * are measured.
 * @folder: (nullable)
 * @aggregation: of segments
 * @share: of correct predictions that may be unsure; 0: no song is
 *
 * %SEGUE_ERROR_DATA if the model's calibration.json is invalid.
 */
EvaluateUnsure *evaluate_unsure_new (const char *folder, SegueAggregation aggregation, double share,
                                     GError **error);
void evaluate_unsure_free (EvaluateUnsure *unsure);

/** EvaluateSong: a predicted song.
 * @truth: index of its label; negative: TALLY_NO_LABEL, TALLY_UNKNOWN
 * @confidence: the probability of @answer
 * @segments: [n_segments, n_labels] probabilities
 * @distance: NaN: the model has no space */
typedef struct {
  SegueSet set;
  int truth;
  guint answer;
  double confidence, distance;
  const float *segments;
  guint n_segments, n_labels;
} EvaluateSong;

void evaluate_unsure_add (EvaluateUnsure *unsure, const EvaluateSong *song);

/** evaluate_unsure_count: after the last song. */
void evaluate_unsure_count (const EvaluateUnsure *unsure, EvaluateUnsureFigures *figures);
/** evaluate_unsure_write: calibration.json of the model in @folder. */
gboolean evaluate_unsure_write (const EvaluateUnsure *unsure, const char *folder, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EvaluateUnsure, evaluate_unsure_free)
