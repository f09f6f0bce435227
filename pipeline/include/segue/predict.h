/* Naming the artist of a song: a model folder, its preparation, and the answers put together.
 *
 * A predictor holds a resident model.  It may be shared by threads: songs are prepared at the same
 * time, each by the calling thread; the model answers one song at a time.  It is read while the first
 * songs are prepared.
 */
#pragma once

#include <segue/model.h>

G_BEGIN_DECLS

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
 * @probabilities: [n_labels], the mean over the segments
 * @best: index of the most probable label (the first of equals)
 */
struct _SegueSongPrediction {
  guint n_labels;
  guint best;
  float *probabilities;
  guint n_segments;
  SegueSegmentPrediction *segments;
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
 * Called by the thread that predicts, while it holds the model: be quick.
 */
typedef void (*SegueHeardFunc) (const SegueSongPrediction *so_far, guint n_heard, gpointer data);

/** segue_predictor_listen: as segue_predictor_predict(), and @heard (nullable) is told of segments a
 * few at a time. */
SEGUE_API
SegueSongPrediction *segue_predictor_listen (SeguePredictor *predictor, const char *path,
                                             SegueHeardFunc heard, gpointer data,
                                             GCancellable *cancellable, GError **error);

/** segue_predictor_listen_fd: the same for a regular file that is open: nothing is opened by name.
 * @fd: stays the caller's; read from the start, by this call alone while it lasts
 * @name: what errors call it */
SEGUE_API
SegueSongPrediction *segue_predictor_listen_fd (SeguePredictor *predictor, int fd, const char *name,
                                                SegueHeardFunc heard, gpointer data,
                                                GCancellable *cancellable, GError **error);

/** segue_song_aggregate: mean of [n_segments, n_labels] probabilities into @probabilities
 * [n_labels]; returns the index of the largest. */
SEGUE_API
guint segue_song_aggregate (const float *segments, guint n_segments, guint n_labels,
                            float *probabilities);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SeguePredictor, segue_predictor_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueSongPrediction, segue_song_prediction_free)

G_END_DECLS
