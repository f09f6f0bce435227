/* Prediction of the artist of a song, for hosts: a model folder, its preparation, and aggregation of segments.
 *
 * A predictor contains a resident model. It may be shared by threads: songs are prepared concurrently,
 * each in the calling thread; the model classifies one song at a time. The model is loaded while the
 * first songs are prepared.
 *
 *   SegueAggregation aggregation;
 *   g_autofree char *folder = segue_predictor_find_model ("runs/artist/latest", &aggregation, &error);
 *   g_autoptr (SeguePredictor) predictor = segue_predictor_new (registry, folder, 4, SEGUE_MODEL_AUTO, &error);
 *   segue_predictor_set_aggregation (predictor, aggregation, NULL);
 *   segue_predictor_use_cache (predictor, NULL, &error);
 *   g_autoptr (SegueSongPrediction) song = segue_predictor_predict (predictor, "song.mp3", NULL, &error);
 */
#pragma once

#include <segue/aggregation.h>
#include <segue/calibration.h>
#include <segue/host/library.h>
#include <segue/model.h>

G_BEGIN_DECLS

typedef struct _SeguePredictor SeguePredictor;
typedef struct _SegueSongPrediction SegueSongPrediction;

/**
 * segue_predictor_new:
 *
 * Starts to load the model in @folder, and reads the preparation in its segue.json. It may contain only stage
 * types flagged %SEGUE_STAGE_PREPARE; others are refused, since an untrusted model must not cause files to be
 * written. For a Hugging Face folder without segue.json, songs are decoded at the rate in its
 * preprocessor_config.json and cut into segments of 10 s.
 */
SEGUE_API
SeguePredictor *segue_predictor_new (SegueRegistry *registry, const char *folder, guint threads,
                                     SegueModelPrecision precision, GError **error);
SEGUE_API
void segue_predictor_free (SeguePredictor *predictor);

/**
 * segue_predictor_find_model: (transfer full): the model's folder.
 * @given: the folder of a run or of a model, or ORG/NAME of one that was downloaded
 * @aggregation: (out) (optional): the aggregation that the model was evaluated with (segue/calibration.h); if it
 *   was not evaluated: the mean of probabilities
 *
 * Of a run, this is the model as `evaluate` completed it, else that of `train`. %SEGUE_ERROR_NO_INPUT if there is
 * no model, %SEGUE_ERROR_DATA if its calibration.json is invalid.
 */
SEGUE_API
char *segue_predictor_find_model (const char *given, SegueAggregation *aggregation, GError **error);

/** segue_predictor_set_aggregation: for songs that are predicted from now on; before the predictor is shared.
 * @threshold: (nullable): which songs are unsure; %NULL: that is not decided */
SEGUE_API
void segue_predictor_set_aggregation (SeguePredictor *predictor, SegueAggregation aggregation,
                                      const SegueThreshold *threshold);

/**
 * segue_predictor_relax: enables the prediction of songs that training would skip, if possible: songs
 * shorter than a segment or longer than the limit.
 * @damaged: also truncated and damaged files
 *
 * They are prepared with the `relaxed` values of the stages' parameters (segue/param.h), and their
 * predictions have a note. A long song takes much memory: do not use this for untrusted files. Before
 * the predictor is shared by threads, and before segue_predictor_use_cache().
 */
SEGUE_API
gboolean segue_predictor_relax (SeguePredictor *predictor, gboolean damaged, GError **error);

/**
 * segue_predictor_use_cache: caches segments' probabilities, so that a song is classified only once.
 * @folder: (nullable): as for runs, %NULL: the default location
 *
 * The key consists of the song's bytes, the model (its files, its type, the libraries it computes with,
 * precision) and its preparation; the aggregation is not part of it. The refusal of a song is cached
 * likewise, a timeout is not. Any number of processes may share a cache. Before the predictor is
 * shared by threads; on failure nothing is cached.
 */
SEGUE_API
gboolean segue_predictor_use_cache (SeguePredictor *predictor, const char *folder, GError **error);
/**
 * segue_predictor_use_library: with each prediction that is not cached, @n training songs of @library that sound most
 * like the song.
 * @library: of the model's run; must outlive the predictor, and be used for nothing else
 *
 * Before the predictor is shared by threads. %SEGUE_ERROR_PIPELINE if its songs were prepared in another way than those
 * of the model, %SEGUE_ERROR_DATA if it is damaged; on failure, predictions have no such songs.
 */
SEGUE_API
gboolean segue_predictor_use_library (SeguePredictor *predictor, SegueLibrary *library, guint n,
                                      GError **error);
/** segue_predictor_get_warning: (transfer full) (nullable): the first reason why a cache entry could not be
 * written or read, which costs only time; else a warning that songs are decoded by another decoder than in
 * training; any thread. */
SEGUE_API
char *segue_predictor_get_warning (SeguePredictor *predictor);

/** segue_predictor_wait: waits until the model is loaded; any thread, any number of times. %FALSE, with
 * the reason: it can't be loaded, and every prediction fails with that error. */
SEGUE_API
gboolean segue_predictor_wait (SeguePredictor *predictor, GError **error);
/** segue_predictor_get_labels: (transfer none): %NULL-terminated, in the order of probabilities; after
 * segue_predictor_wait() has returned %TRUE. */
SEGUE_API
const char *const *segue_predictor_get_labels (SeguePredictor *predictor);

/** SegueSegmentPrediction: @start and @duration in s of the song; @probabilities [labels]. */
typedef struct {
  double start;
  double duration;
  float *probabilities;
} SegueSegmentPrediction;

/** SegueCertainty: whether a song is like the songs of its label, by the predictor's threshold.
 * @SEGUE_UNSURE: its artist may be unknown to the model: show it with the two most probable labels */
typedef enum { SEGUE_CERTAINTY_UNKNOWN, SEGUE_SURE, SEGUE_UNSURE } SegueCertainty;

/**
 * SegueSongPrediction: the prediction for one song.
 * @probabilities: [n_labels], aggregated from those of the segments
 * @best: index of the predicted label, see segue_song_aggregate()
 * @distance: segue_model_measure_distance(); NaN: the model has no space
 * @certainty: %SEGUE_CERTAINTY_UNKNOWN without a threshold
 * @cached: nothing was computed for it
 * @note: (nullable): why training would have skipped the song: it was prepared as described at
 *   segue_predictor_relax(), and its confidence is less reliable. Names the song, as errors do
 * @similar: (nullable): training songs that sound most like it: see segue_predictor_use_library()
 */
struct _SegueSongPrediction {
  guint n_labels;
  guint best;
  float *probabilities;
  guint n_segments;
  SegueSegmentPrediction *segments;
  double distance;
  SegueCertainty certainty;
  gboolean cached;
  char *note;
  SegueLibraryAnswer *similar;
};

SEGUE_API
void segue_song_prediction_free (SegueSongPrediction *prediction);

/** segue_predictor_predict: (transfer full): any thread. %SEGUE_ERROR_DATA, with the reason, if the file is not a
 * usable song. Errors name it as @path. */
SEGUE_API
SegueSongPrediction *segue_predictor_predict (SeguePredictor *predictor, const char *path,
                                              GCancellable *cancellable, GError **error);

/**
 * SeguePredictedFunc: called when segments of a song have been classified.
 * @so_far: the first @n_predicted of its segments have probabilities; those of the song are not known yet.
 *   Borrowed for the call.
 *
 * Called in the thread that predicts, while it has locked the model: return quickly. A cached prediction is
 * reported in one call.
 */
typedef void (*SeguePredictedFunc) (const SegueSongPrediction *so_far, guint n_predicted,
                                    gpointer data);

/** segue_predictor_predict_full: as segue_predictor_predict(), and @predicted (nullable) is called after every few
 * segments. */
SEGUE_API
SegueSongPrediction *segue_predictor_predict_full (SeguePredictor *predictor, const char *path,
                                                   SeguePredictedFunc predicted, gpointer data,
                                                   GCancellable *cancellable, GError **error);

/** segue_predictor_predict_fd: the same for an open regular file: nothing is opened by name, and nothing
 * is cached.
 * @fd: owned by the caller; read from the start; must not be used elsewhere during the call
 * @name: its name in errors */
SEGUE_API
SegueSongPrediction *segue_predictor_predict_fd (SeguePredictor *predictor, int fd,
                                                 const char *name, SeguePredictedFunc predicted,
                                                 gpointer data, GCancellable *cancellable,
                                                 GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SeguePredictor, segue_predictor_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueSongPrediction, segue_song_prediction_free)

G_END_DECLS
