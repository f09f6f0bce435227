/* Naming the artist of a song: a model folder, its preparation, and the answers put together.
 *
 * A predictor holds a resident model.  It may be shared by threads: songs are prepared at the same
 * time, each by the calling thread; the model answers one song at a time.  It is read while the first
 * songs are prepared.
 *
 *   SegueAggregation aggregation;
 *   g_autofree char *folder = segue_predictor_find_model ("runs/artist/latest", &aggregation, &error);
 *   g_autoptr (SeguePredictor) predictor = segue_predictor_new (registry, folder, 4, SEGUE_MODEL_AUTO, &error);
 *   segue_predictor_set_aggregation (predictor, aggregation, 0);
 *   segue_predictor_use_cache (predictor, NULL, &error);
 *   g_autoptr (SegueSongPrediction) song = segue_predictor_predict (predictor, "song.mp3", NULL, &error);
 */
#pragma once

#include <segue/model.h>

G_BEGIN_DECLS

/* ---- From segments to a song ---- */

/**
 * SegueAggregation: how the probabilities p of n segments become the song's.  All add up to 1.
 * @SEGUE_AGGREGATE_MEAN_PROBABILITY: Σ p / n: the sum rule (Kittler et al., “On combining classifiers”,
 *   1998); one segment that is certain and wrong does little harm
 * @SEGUE_AGGREGATE_MEAN_LOGIT: softmax (Σ ln p / n), the normalised geometric mean: the product rule of
 *   the same paper, or logarithmic opinion pool (Genest and Zidek, 1986).  Right where segments err
 *   independently; a segment that rules a label out weighs much
 * @SEGUE_AGGREGATE_VOTE: the share of segments whose most probable label it is; of labels with as many votes the
 *   one with more mean probability is the answer
 * @SEGUE_AGGREGATE_CONFIDENCE_WEIGHTED: Σ w p / Σ w, w = 1 − H(p) / ln (number of labels): segments that
 *   know nothing (silence, applause: H(p) is their entropy) don't count.  The entropy rather than the largest
 *   probability, since it also tells two labels from many
 */
typedef enum {
  SEGUE_AGGREGATE_MEAN_PROBABILITY,
  SEGUE_AGGREGATE_MEAN_LOGIT,
  SEGUE_AGGREGATE_VOTE,
  SEGUE_AGGREGATE_CONFIDENCE_WEIGHTED,
  SEGUE_N_AGGREGATIONS
} SegueAggregation;

/** SEGUE_AGGREGATION_CHOICES: their names, then %NULL: for a parameter's choices. */
#define SEGUE_AGGREGATION_CHOICES                                                                  \
  SEGUE_NAMES ("mean-probability", "mean-logit", "vote", "confidence-weighted")
/** segue_aggregation_names: %SEGUE_AGGREGATION_CHOICES. */
SEGUE_API
const char *const *segue_aggregation_names (void);

/**
 * segue_song_aggregate:
 * @segments: [n_segments, n_labels], each row adds up to 1; at least one
 * @probabilities: (out) [n_labels]
 *
 * Returns the index of the answer: the first of the most probable.  Any thread.
 */
SEGUE_API
guint segue_song_aggregate (SegueAggregation aggregation, const float *segments, guint n_segments,
                            guint n_labels, float *probabilities);

/* ---- A resident model ---- */

typedef struct _SeguePredictor SeguePredictor;
typedef struct _SegueSongPrediction SegueSongPrediction;

/**
 * segue_predictor_new:
 *
 * Begins to load the model in @folder, and reads the preparation in its segue.json.  Only stage types flagged
 * %SEGUE_STAGE_PREPARE may stand there; others are refused, since a stranger's model must not make
 * us write files.  A Hugging Face folder without segue.json is prepared by decoding at its
 * preprocessor_config.json's rate and cutting segments of 10 s.
 */
SEGUE_API
SeguePredictor *segue_predictor_new (SegueRegistry *registry, const char *folder, guint threads,
                                     SegueModelPrecision precision, GError **error);
SEGUE_API
void segue_predictor_free (SeguePredictor *predictor);

/**
 * segue_predictor_find_model: (transfer full): the model's folder.
 * @given: the folder of a run or of a model, or ORG/NAME of one that was fetched
 * @aggregation: (out) (optional): what the run was evaluated with; of anything but a run: the mean of
 *   probabilities
 *
 * %SEGUE_ERROR_NO_INPUT where there is none.
 */
SEGUE_API
char *segue_predictor_find_model (const char *given, SegueAggregation *aggregation, GError **error);

/** segue_predictor_set_aggregation: of songs that are asked about from now on; before there are threads.
 * @threshold: a song whose answer is less probable is none of the labels, see segue/calibration.h; 0:
 *   each song is one of them */
SEGUE_API
void segue_predictor_set_aggregation (SeguePredictor *predictor, SegueAggregation aggregation,
                                      double threshold);

/**
 * segue_predictor_relax: songs that training would leave out are predicted all the same where that can
 * be: shorter ones than a segment, longer ones than its limit.
 * @damaged: truncated and damaged files, too
 *
 * They are prepared with the `relaxed` values of the stages' parameters (segue/param.h), and their
 * predictions have a note.  A long song takes memory: not for what strangers send.  Before there are
 * threads, and before segue_predictor_use_cache().
 */
SEGUE_API
gboolean segue_predictor_relax (SeguePredictor *predictor, gboolean damaged, GError **error);

/**
 * segue_predictor_use_cache: segments' probabilities are kept, and a song is asked about only once.
 * @folder: (nullable): as for runs, %NULL: the usual place
 *
 * They are found again by the song's bytes, by what the model is (its files, its type, the
 * libraries it computes with, precision) and by its preparation; how segments are put together is no
 * part of it.  That a song can't be used is kept likewise, that one took too long is not.  Any
 * number of processes may share a cache.  Before there are threads; on failure nothing is kept.
 */
SEGUE_API
gboolean segue_predictor_use_cache (SeguePredictor *predictor, const char *folder, GError **error);
/** segue_predictor_get_warning: (transfer full) (nullable): the first reason why something could not be kept or
 * read back, which costs time only; else that songs are decoded by another decoder than in training; any
 * thread. */
SEGUE_API
char *segue_predictor_get_warning (SeguePredictor *predictor);

/** segue_predictor_wait: until the model is there; any thread, any number of times.  %FALSE, with the
 * reason: it can't be loaded, and every prediction fails with that error. */
SEGUE_API
gboolean segue_predictor_wait (SeguePredictor *predictor, GError **error);
/** segue_predictor_get_labels: (transfer none): %NULL-terminated, in the order of probabilities; once
 * segue_predictor_wait() has returned %TRUE. */
SEGUE_API
const char *const *segue_predictor_get_labels (SeguePredictor *predictor);

/** SegueSegmentPrediction: @start and @duration in s of the song; @probabilities [labels]. */
typedef struct {
  double start;
  double duration;
  float *probabilities;
} SegueSegmentPrediction;

/**
 * SegueSongPrediction: the answer for one song.
 * @probabilities: [n_labels], as the segments' are put together
 * @best: index of the answer, see segue_song_aggregate()
 * @none: the answer is less probable than the predictor's threshold: it may be none of the labels
 * @cached: nothing was computed for it
 * @note: (nullable): the song is none that training would have used, and why: it was prepared as
 *   segue_predictor_relax() says, and its confidence means less.  Names the song, as errors do
 */
struct _SegueSongPrediction {
  guint n_labels;
  guint best;
  float *probabilities;
  guint n_segments;
  SegueSegmentPrediction *segments;
  gboolean none;
  gboolean cached;
  char *note;
};

SEGUE_API
void segue_song_prediction_free (SegueSongPrediction *prediction);

/** segue_predictor_predict: (transfer full): any thread.  %SEGUE_ERROR_DATA where the file is not a song that can be
 * used, with the reason.  Errors name it, as @path. */
SEGUE_API
SegueSongPrediction *segue_predictor_predict (SeguePredictor *predictor, const char *path,
                                              GCancellable *cancellable, GError **error);

/**
 * SegueHeardFunc: segments of a song have been answered.
 * @so_far: the first @n_heard of its segments have probabilities; those of the song are not known yet.
 *   Borrowed for the call.
 *
 * Called by the thread that predicts, while it holds the model: be quick.  An answer from the cache is
 * told of at once.
 */
typedef void (*SegueHeardFunc) (const SegueSongPrediction *so_far, guint n_heard, gpointer data);

/** segue_predictor_listen: as segue_predictor_predict(), and @heard (nullable) is told of segments a
 * few at a time. */
SEGUE_API
SegueSongPrediction *segue_predictor_listen (SeguePredictor *predictor, const char *path,
                                             SegueHeardFunc heard, gpointer data,
                                             GCancellable *cancellable, GError **error);

/** segue_predictor_listen_fd: the same for a regular file that is open: nothing is opened by name, and
 * nothing about it is kept.
 * @fd: stays the caller's; read from the start, by this call alone while it lasts
 * @name: what errors call it */
SEGUE_API
SegueSongPrediction *segue_predictor_listen_fd (SeguePredictor *predictor, int fd, const char *name,
                                                SegueHeardFunc heard, gpointer data,
                                                GCancellable *cancellable, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SeguePredictor, segue_predictor_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueSongPrediction, segue_song_prediction_free)

G_END_DECLS
