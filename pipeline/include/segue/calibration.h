/* Confidence of the model's correct predictions; used to reject songs by artists it was not trained on.
 *
 * After training, the model classifies the validation songs; the confidence of each correct prediction is
 * kept, for every way to aggregate segments.  Beside the model stands
 *
 *   calibration.json  { "segue": 1, "confidences": { "mean-probability": [0.31, …], … } }
 *
 * A song whose confidence is below the k-th least of n such values is rejected.  Of correctly classified songs,
 * k / (n + 1) are then lost on average, whatever the model (split conformal prediction: Papadopoulos et al.,
 * “Inductive confidence machines for regression”, 2002; Vovk et al., “Algorithmic learning in a random world”,
 * 2005).  So n songs allow a share of 1 / (n + 1) at least.  How many songs of unknown artists are rejected
 * depends on the music: docs/results.md has measurements.
 */
#pragma once

#include <segue/predict.h>

G_BEGIN_DECLS

typedef struct _SegueCalibration SegueCalibration;

/** segue_calibration_new: (transfer full): of no songs yet.  One thread at a time. */
SEGUE_API
SegueCalibration *segue_calibration_new (void);
/** segue_calibration_free: accepts %NULL. */
SEGUE_API
void segue_calibration_free (SegueCalibration *calibration);

/** segue_calibration_add: a song of label @truth.  @segments: [n_segments, n_labels] probabilities, at least
 * one segment; a wrong prediction does not count. */
SEGUE_API
void segue_calibration_add (SegueCalibration *calibration, guint truth, const float *segments,
                            guint n_segments, guint n_labels);
/** segue_calibration_count: songs that were classified correctly. */
SEGUE_API
guint segue_calibration_count (const SegueCalibration *calibration, SegueAggregation aggregation);

/** SEGUE_CALIBRATION_MAX: values that are kept of each list; of more, so many at equal ranks. */
#define SEGUE_CALIBRATION_MAX 1000

/** segue_calibration_write: calibration.json in @folder, which is there. */
SEGUE_API
gboolean segue_calibration_write (const SegueCalibration *calibration, const char *folder,
                                  GError **error);
/** segue_calibration_read: (transfer full) (nullable): of the model in @folder.  %NULL without an error:
 * it has none.  %SEGUE_ERROR_DATA where there is nonsense. */
SEGUE_API
SegueCalibration *segue_calibration_read (const char *folder, GError **error);

/** segue_calibration_least_share: the least share that there is a threshold for: 1 / (songs + 1); 1: none. */
SEGUE_API
double segue_calibration_least_share (const SegueCalibration *calibration,
                                      SegueAggregation aggregation);
/**
 * segue_calibration_find_threshold:
 * @share: of correctly classified songs that may be rejected: 0 < @share < 1
 * @threshold: (out): a lower confidence means none of the labels
 *
 * %SEGUE_ERROR_DATA where there are too few songs: @share is below segue_calibration_least_share().
 */
SEGUE_API
gboolean segue_calibration_find_threshold (const SegueCalibration *calibration,
                                           SegueAggregation aggregation, double share,
                                           double *threshold, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueCalibration, segue_calibration_free)

G_END_DECLS
