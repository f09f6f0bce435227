/* How sure a model is of songs that it names rightly: by that, songs of nobody that it knows are told.
 *
 * A trainer asks its finished model about songs that it did not train on, and keeps how probable each
 * right answer was, for every way of putting segments together.  Beside the model stands
 *
 *   calibration.json  { "segue": 1, "confidences": { "mean-probability": [0.31, …], … } }
 *
 * A song whose answer is less probable than the k-th least of n such values is taken for none of the
 * labels.  Of songs like those, k / (n + 1) are then lost on average, whatever the model (split conformal
 * prediction: Papadopoulos et al., “Inductive confidence machines for regression”, 2002; Vovk et al.,
 * “Algorithmic learning in a random world”, 2005).  How many strangers are told no such rule says: it is measured.
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
 * one segment; where the answer is wrong, it does not count. */
SEGUE_API
void segue_calibration_add (SegueCalibration *calibration, guint truth, const float *segments,
                            guint n_segments, guint n_labels);
/** segue_calibration_count: songs that were named rightly. */
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

/**
 * segue_calibration_find_threshold:
 * @share: of songs that are named rightly, how many may be lost: 0 < @share < 1
 * @threshold: (out): what is less probable is none of the labels
 *
 * %SEGUE_ERROR_DATA where there are too few songs to tell: less than 1 / @share − 1.
 */
SEGUE_API
gboolean segue_calibration_find_threshold (const SegueCalibration *calibration,
                                           SegueAggregation aggregation, double share,
                                           double *threshold, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueCalibration, segue_calibration_free)

G_END_DECLS
