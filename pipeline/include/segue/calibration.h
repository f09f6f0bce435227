/* How a model's predictions of songs are made, and how confident the correct ones are; the latter is used to reject
 * songs by artists that the model was not trained on. For stages that measure it, and hosts that use it.
 *
 * When a model is evaluated, its folder gets a file with the aggregation of segments that was used for songs, and
 * the confidence of each correct prediction for a validation song, for every aggregation:
 *
 *   calibration.json  { "segue": 1, "aggregation": "vote", "confidences": { "mean-probability": [0.31, …], … } }
 *
 * A song whose confidence is below the k-th smallest of n such values is rejected. Of correctly classified
 * songs, a fraction of k / (n + 1) is then rejected on average, whatever the model (split conformal prediction:
 * Papadopoulos et al., “Inductive confidence machines for regression”, 2002; Vovk et al., “Algorithmic learning
 * in a random world”, 2005). The smallest possible fraction for n songs is therefore 1 / (n + 1). How many
 * songs of unknown artists are rejected depends on the music: docs/results.md has measurements.
 */
#pragma once

#include <segue/aggregation.h>

G_BEGIN_DECLS

typedef struct _SegueCalibration SegueCalibration;

/** segue_calibration_new: (transfer full): without songs. One thread at a time.
 * @aggregation: that of the model's predictions of songs */
SEGUE_API
SegueCalibration *segue_calibration_new (SegueAggregation aggregation);
/** segue_calibration_free: accepts %NULL. */
SEGUE_API
void segue_calibration_free (SegueCalibration *calibration);

/** segue_calibration_add: adds a song with label @truth. @segments: [n_segments, n_labels] probabilities, at
 * least one segment; a wrong prediction is not counted. */
SEGUE_API
void segue_calibration_add (SegueCalibration *calibration, guint truth, const float *segments,
                            guint n_segments, guint n_labels);
/** segue_calibration_get_aggregation: that of the model's predictions of songs. */
SEGUE_API
SegueAggregation segue_calibration_get_aggregation (const SegueCalibration *calibration);
/** segue_calibration_count: the number of songs that were classified correctly. */
SEGUE_API
guint segue_calibration_count (const SegueCalibration *calibration, SegueAggregation aggregation);

/** SEGUE_CALIBRATION_MAX: maximum length of each stored list; of a longer one, this many values at evenly
 * spaced ranks are stored. */
#define SEGUE_CALIBRATION_MAX 1000

/** segue_calibration_write: writes calibration.json into @folder, which exists. */
SEGUE_API
gboolean segue_calibration_write (const SegueCalibration *calibration, const char *folder,
                                  GError **error);
/** segue_calibration_read: (transfer full) (nullable): the calibration of the model in @folder; %NULL without an
 * error if it has none: it was not evaluated. A file without an aggregation, as segue 1 wrote it, means the mean of
 * probabilities. %SEGUE_ERROR_DATA if the file is invalid. */
SEGUE_API
SegueCalibration *segue_calibration_read (const char *folder, GError **error);

/** segue_calibration_least_share: the smallest share that a threshold exists for: 1 / (songs + 1); 1: none. */
SEGUE_API
double segue_calibration_least_share (const SegueCalibration *calibration,
                                      SegueAggregation aggregation);
/**
 * segue_calibration_find_threshold:
 * @share: the fraction of correctly classified songs that may be rejected: 0 < @share < 1
 * @threshold: (out): a lower confidence means an unknown artist (rejected)
 *
 * %SEGUE_ERROR_DATA if there are too few songs: @share is below segue_calibration_least_share().
 */
SEGUE_API
gboolean segue_calibration_find_threshold (const SegueCalibration *calibration,
                                           SegueAggregation aggregation, double share,
                                           double *threshold, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueCalibration, segue_calibration_free)

G_END_DECLS
