/* Cross-validation: one model per fold, and the measures of the songs that it predicts.
 *
 * The model of a fold is trained on fewer songs than the model itself, so songs are farther from it: by 8 to 24 % with ten
 * artists. Validation songs are unknown to both: distances of a fold are multiplied by the ratio of theirs. */
#include "calibrate.h"
#include "folds.h"

#include <segue/error.h>

/* ---- The model of a fold ---- */

static void
swap_rows (TrainMatrix *rows, gsize length, gsize one, gsize other)
{
  float *a = rows->values + one * length, *b = rows->values + other * length;
  gint32 label = rows->labels[one];
  guint32 song = rows->songs[one], copy = rows->copies[one];
  for (gsize j = 0; j < length; j++) {
    float value = a[j];
    a[j] = b[j];
    b[j] = value;
  }
  rows->labels[one] = rows->labels[other];
  rows->labels[other] = label;
  rows->songs[one] = rows->songs[other];
  rows->songs[other] = song;
  rows->copies[one] = rows->copies[other];
  rows->copies[other] = copy;
}

/* Moves the rows of @fold to the end, in place: all rows may take half of the memory. Returns how many others there are. */
static gsize
set_apart (TrainMatrix *rows, gsize length, const int *folds, int fold)
{
  gsize first = 0, end = rows->n;
  while (first < end) {
    if (folds[rows->songs[first]] != fold)
      first++;
    else if (folds[rows->songs[end - 1]] == fold)
      end--;
    else
      swap_rows (rows, length, first++, --end);
  }
  return first;
}

static SegueModel *
fit_others (TrainJob *job, const TrainMatrix *train, gsize n, const TrainMatrix *validation,
            GError **error)
{
  const TrainConfig *config = segue_context_get_config (job->context);
  const SegueModelSpec spec =
    SEGUE_INIT (SegueModelSpec, .labels = (const char *const *) job->sets->labels,
                .length = job->length, .rate = job->rate, .seed = job->settings.seed,
                .threads = segue_context_get_threads (job->context),
                .precision = (SegueModelPrecision) config->precision);
  g_autoptr (SegueModel) model =
    train_make_model (segue_context_get_registry (job->context), config, &spec, error);
  if (!model)
    return NULL;
  segue_model_set_cancellable (model, segue_context_get_cancellable (job->context));
  return train_fit_rows (model, job->length, train, n, validation, error) ? g_steal_pointer (&model)
                                                                          : NULL;
}

/* ---- Songs ---- */

/* @clean: (element-type guint): the samples of @source that are no copies, song by song */
typedef struct {
  const TrainSource *source;
  GArray *clean;
  SegueReader *reader;
} Songs;

/* A song as a model predicts it. */
typedef struct {
  gint32 label;
  guint n_segments, n_labels;
  const float *probabilities; /* [n_segments, n_labels] */
  double distance;            /* NaN: the model has no space */
} Measured;

typedef void (*MeasuredFunc) (const Measured *song, gpointer data);

static int
compare_songs (gconstpointer a, gconstpointer b, gpointer data)
{
  const TrainSample *samples = data;
  guint i = *(const guint *) a, j = *(const guint *) b;
  if (samples[i].song != samples[j].song)
    return samples[i].song < samples[j].song ? -1 : 1;
  return i < j ? -1 : i > j;
}

static void
songs_init (Songs *songs, const TrainSource *source)
{
  const TrainSet *set = source->set;
  *songs = (Songs){ source, g_array_new (FALSE, FALSE, sizeof (guint)),
                    segue_reader_new (source->dataset, 0) };
  for (guint i = 0; i < set->n; i++) {
    SegueItem *entry = segue_dataset_get_entry (source->dataset, set->samples[i].index);
    if (segue_item_get_int (entry, SEGUE_META_COPY, 0) == 0)
      g_array_append_val (songs->clean, i);
  }
  g_array_sort_with_data (songs->clean, compare_songs, set->samples);
}

static void
songs_clear (Songs *songs)
{
  g_clear_pointer (&songs->clean, g_array_unref);
  g_clear_pointer (&songs->reader, segue_reader_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Songs, songs_clear)

/* @samples [n]: of one song */
static gboolean
measure_song (const Songs *songs, SegueModel *model, const guint *samples, guint n,
              MeasuredFunc func, gpointer data, GCancellable *cancellable, GError **error)
{
  const TrainSample *all = songs->source->set->samples;
  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  for (guint i = 0; i < n; i++) {
    SegueItem *item = segue_reader_get (songs->reader, all[samples[i]].index, cancellable, error);
    if (!item)
      return FALSE;
    g_ptr_array_add (items, item);
  }
  segue_model_describe (model, &info);
  g_autofree float *probabilities = g_new (float, (gsize) n *info.n_labels);
  g_autofree float *points = info.n_axes > 0 ? g_new (float, (gsize) n *info.n_axes) : NULL;
  if (!segue_model_predict (model, (SegueItem **) items->pdata, n, probabilities, points,
                            cancellable, error))
    return FALSE;
  const Measured song = { all[samples[0]].label, n, info.n_labels, probabilities,
                          segue_model_measure_distance (&info, points, n) };
  func (&song, data);
  return TRUE;
}

/* @folds: (nullable): only the songs of @fold */
static gboolean
measure_songs (TrainJob *job, const Songs *songs, SegueModel *model, const int *folds, int fold,
               MeasuredFunc func, gpointer data, GError **error)
{
  const TrainSample *all = songs->source->set->samples;
  GCancellable *cancellable = segue_context_get_cancellable (job->context);
  for (guint first = 0, end; first < songs->clean->len; first = end) {
    const guint *samples = &g_array_index (songs->clean, guint, first);
    guint song = all[*samples].song;
    for (end = first + 1; end < songs->clean->len; end++)
      if (all[g_array_index (songs->clean, guint, end)].song != song)
        break;
    if ((!folds || folds[song] == fold) &&
        !measure_song (songs, model, samples, end - first, func, data, cancellable, error))
      return FALSE;
  }
  return TRUE;
}

/* ---- Folds ---- */

/* @total: of the distances of validation songs from the model that is trained on all songs; NaN: it has no space
 * @scale: what distances from the model of the current fold are multiplied by */
typedef struct {
  TrainJob *job;
  Songs train, validation;
  int *folds;
  double total, scale;
} Calibrator;

static void
calibrator_clear (Calibrator *self)
{
  songs_clear (&self->train);
  songs_clear (&self->validation);
  g_free (self->folds);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Calibrator, calibrator_clear)

static void
add_distance (const Measured *song, gpointer total)
{
  if (song->label >= 0)
    *(double *) total += song->distance;
}

static void
add_to_calibration (const Measured *song, gpointer data)
{
  const Calibrator *self = data;
  segue_calibration_add (self->job->calibration, (guint) song->label, song->probabilities,
                         song->n_segments, song->n_labels, self->scale * song->distance);
}

static gboolean
run_fold (Calibrator *self, TrainMatrix *train, const TrainMatrix *validation, int fold,
          GError **error)
{
  TrainJob *job = self->job;
  gsize n = set_apart (train, job->length, self->folds, fold);
  if (n == train->n)
    return TRUE;
  double total = 0;
  g_autoptr (SegueModel) model = fit_others (job, train, n, validation, error);
  if (!model ||
      !measure_songs (job, &self->validation, model, NULL, 0, add_distance, &total, error))
    return FALSE;
  self->scale = total > 0 && self->total > 0 ? self->total / total : 1;
  return measure_songs (job, &self->train, model, self->folds, fold, add_to_calibration, self,
                        error);
}

static gboolean
run_folds (Calibrator *self, TrainMatrix *train, const TrainMatrix *validation, GError **error)
{
  TrainJob *job = self->job;
  segue_context_set_progress_unit (job->context, "folds");
  if (!measure_songs (job, &self->validation, job->model, NULL, 0, add_distance, &self->total,
                      error))
    return FALSE;
  for (int f = 0; f < TRAIN_N_FOLDS; f++) {
    segue_context_progress (job->context, (guint64) f, TRAIN_N_FOLDS, "cross-validation");
    if (!segue_context_check_cancelled (job->context, error) ||
        !run_fold (self, train, validation, f, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
train_calibrate (TrainJob *job, TrainMatrix *train, const TrainMatrix *validation, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_auto (Calibrator) self = { .job = job };
  songs_init (&self.train, &job->train);
  songs_init (&self.validation, &job->validation);
  self.folds = train_folds_new (job->train.dataset, &job->sets->train, job->sets->n_labels,
                                job->settings.seed);
  job->calibration = segue_calibration_new (SEGUE_AGGREGATE_MEAN_PROBABILITY);
  if (run_folds (&self, train, validation, &local))
    return TRUE;
  g_clear_pointer (&job->calibration, segue_calibration_free);
  /* The songs of a fold may be all that makes labels different. */
  if (g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_DATA)) {
    segue_context_log (job->context, G_LOG_LEVEL_INFO, "no song will be shown as unsure: %s",
                       local->message);
    return TRUE;
  }
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}
