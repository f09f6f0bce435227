/* How a model's predictions of songs are made, and how far its known songs are from unknown ones: songs that are unlike
 * those of all labels are shown as unsure. For stages that measure it, and hosts that use it.
 *
 * The measure of a song is the distance to its labels in the model's space, if it has one (segue/model.h), else the
 * confidence: the probability of the predicted label. It is measured for songs that the model was not trained on and
 * that are predicted correctly: those that `train` holds out in a cross-validation of a model that is fitted in one step,
 * else validation songs, which `evaluate` predicts. The model's folder gets a file with the aggregation of segments that
 * is used for songs, the share of correct predictions that may be shown as unsure, and the measures, for every
 * aggregation, from the strangest song to the most familiar one:
 *
 *   calibration.json  { "segue": 1, "aggregation": "vote", "share": 0.1,
 *                       "confidences": { "mean-probability": [0.31, …], … },
 *                       "distances": { "mean-probability": [7.02, …], … } }
 *
 * A song stranger than the k-th strangest of n is unsure. Of correctly classified songs, a fraction of k / (n + 1) is
 * then unsure on average, whatever the model (split conformal prediction: Papadopoulos et al., “Inductive confidence
 * machines for regression”, 2002; Vovk et al., “Algorithmic learning in a random world”, 2005; with cross-validation:
 * Vovk, “Cross-conformal predictors”, 2015). The smallest possible fraction for n songs is therefore 1 / (n + 1). How
 * many songs of unknown artists are unsure depends on the music: docs/results.md has measurements.
 */
#pragma once

#include <segue/aggregation.h>

G_BEGIN_DECLS

/** SegueMeasure: what is compared with a threshold.
 * @SEGUE_MEASURE_CONFIDENCE: the probability of the predicted label: strange songs have a low one
 * @SEGUE_MEASURE_DISTANCE: segue_model_measure_distance(): strange songs have a high one */
typedef enum { SEGUE_MEASURE_CONFIDENCE, SEGUE_MEASURE_DISTANCE, SEGUE_N_MEASURES } SegueMeasure;

/* Metadata of a predictions item: a double, the distance of the song; missing if the model has no space. */
#define SEGUE_META_DISTANCE "distance"

/** segue_measure_get_name: "confidence", "distance". */
SEGUE_API
const char *segue_measure_get_name (SegueMeasure measure);

/** SegueThreshold: zeroed: no song is unsure. */
typedef struct {
  SegueMeasure measure;
  double limit;
} SegueThreshold;

/** segue_threshold_is_unsure: whether a song is stranger than the limit.
 * @confidence: of its predicted label
 * @distance: NaN: its model has no space */
SEGUE_API
gboolean segue_threshold_is_unsure (const SegueThreshold *threshold, double confidence,
                                    double distance);

typedef struct _SegueCalibration SegueCalibration;

/** SEGUE_CALIBRATION_SHARE: the default share of correct predictions that may be shown as unsure. */
#define SEGUE_CALIBRATION_SHARE 0.1

/** segue_calibration_new: (transfer full): without songs, with the default share. One thread at a time.
 * @aggregation: that of the model's predictions of songs */
SEGUE_API
SegueCalibration *segue_calibration_new (SegueAggregation aggregation);
/** segue_calibration_free: accepts %NULL. */
SEGUE_API
void segue_calibration_free (SegueCalibration *calibration);

/** segue_calibration_add: adds a song with label @truth; a wrong prediction is not counted.
 * @segments: [n_segments, n_labels] probabilities, at least one segment
 * @distance: of the song; NaN: the model has no space */
SEGUE_API
void segue_calibration_add (SegueCalibration *calibration, guint truth, const float *segments,
                            guint n_segments, guint n_labels, double distance);
SEGUE_API
void segue_calibration_set_aggregation (SegueCalibration *calibration,
                                        SegueAggregation aggregation);
/** segue_calibration_get_aggregation: that of the model's predictions of songs. */
SEGUE_API
SegueAggregation segue_calibration_get_aggregation (const SegueCalibration *calibration);
/** segue_calibration_set_share: the share of correct predictions that may be shown as unsure: 0 ≤ @share < 1; 0: no
 * song is. */
SEGUE_API
void segue_calibration_set_share (SegueCalibration *calibration, double share);
SEGUE_API
double segue_calibration_get_share (const SegueCalibration *calibration);
/** segue_calibration_get_measure: the distance if there are distances, else the confidence. */
SEGUE_API
SegueMeasure segue_calibration_get_measure (const SegueCalibration *calibration,
                                            SegueAggregation aggregation);
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
/** segue_calibration_read: (transfer full) (nullable): the calibration of the model in @folder, which is untrusted;
 * %NULL without an error if it has none. A file without an aggregation, as segue 1 wrote it, means the mean of
 * probabilities; one without a share the default. %SEGUE_ERROR_DATA if the file is invalid. */
SEGUE_API
SegueCalibration *segue_calibration_read (const char *folder, GError **error);

/** segue_calibration_least_share: the smallest share that a threshold exists for: 1 / (songs + 1); 1: none. */
SEGUE_API
double segue_calibration_least_share (const SegueCalibration *calibration,
                                      SegueAggregation aggregation);
/**
 * segue_calibration_find_threshold:
 * @share: the fraction of correctly classified songs that may be unsure: 0 < @share < 1
 * @threshold: (out)
 *
 * %SEGUE_ERROR_DATA if there are too few songs: @share is below segue_calibration_least_share().
 */
SEGUE_API
gboolean segue_calibration_find_threshold (const SegueCalibration *calibration,
                                           SegueAggregation aggregation, double share,
                                           SegueThreshold *threshold, GError **error);
/**
 * segue_calibration_find_default: the threshold for the calibration's own share.
 * @share: (out): the share that it has: if there are too few songs, the smallest possible one, up to twice the
 *   calibration's
 * @threshold: (out): zeroed with %FALSE: no song is unsure, because there are even fewer songs, or the share is 0
 */
SEGUE_API
gboolean segue_calibration_find_default (const SegueCalibration *calibration,
                                         SegueAggregation aggregation, double *share,
                                         SegueThreshold *threshold);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueCalibration, segue_calibration_free)

G_END_DECLS
