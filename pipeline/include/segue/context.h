/* The context: the interface of the core to a running stage.
 *
 * Every callback of a stage gets one.  It is valid until that callback returns and is used only in
 * the callback's thread, except for functions that are documented as callable from any thread.
 */
#pragma once

#include <gio/gio.h>
#include <segue/dataset.h>
#include <segue/item.h>

G_BEGIN_DECLS

typedef struct _SegueContext SegueContext;
typedef struct _SegueRegistry SegueRegistry;

/** segue_context_get_config: (transfer none): the stage's parsed configuration struct. */
SEGUE_API
const void *segue_context_get_config (SegueContext *context);
/** segue_context_get_stage_id: the id of the stage in its pipeline, for messages. */
SEGUE_API
const char *segue_context_get_stage_id (SegueContext *context);

/**
 * segue_context_get_seed: the seed for the current callback.  COLLECT, SERIAL and SOURCE: derived from the run's
 * seed, the stage's type and its `seed:`, if set.  MAP: from those and the item's id.  LIVE: from those and the
 * epoch.  The same work gets the same seed, whatever the other stages and the thread are; segue/random.h draws
 * numbers from it.  All but SOURCE stages need the flag %SEGUE_STAGE_SEEDED: otherwise the seed would not be part
 * of their keys.
 */
SEGUE_API
guint64 segue_context_get_seed (SegueContext *context);
/** segue_context_get_threads: the number of threads that a stage may use (COLLECT and SERIAL). */
SEGUE_API
guint segue_context_get_threads (SegueContext *context);
/** segue_context_get_cancellable: (transfer none): any thread; every long loop must check it. */
SEGUE_API
GCancellable *segue_context_get_cancellable (SegueContext *context);
/** segue_context_check_cancelled: %FALSE with %SEGUE_ERROR_CANCELLED once the run is cancelled. */
SEGUE_API
gboolean segue_context_check_cancelled (SegueContext *context, GError **error);
/**
 * segue_context_allow_read: (in open ()) lets process () read the file @path, or the folder @path and
 * everything below it.  An isolated stage can read only system libraries, the paths in its parameters
 * and its item; for other stages this does nothing.
 */
SEGUE_API
void segue_context_allow_read (SegueContext *context, const char *path);
/** segue_context_get_registry: (transfer none): to look up model types by name. */
SEGUE_API
SegueRegistry *segue_context_get_registry (SegueContext *context);

/**
 * segue_context_emit:
 * @item: (transfer full), even on failure
 *
 * Passes @item to the next stage and seals it.  Called in the callback's own thread.  %FALSE means that
 * a later stage failed, the run was cancelled, or @item breaks a rule: return %FALSE at once, with that
 * error.
 *
 * Refused, with stage and item named in the error: a kind that the type does not declare; an id that does not
 * derive from the input's, exists already, or has a suffix that is empty, contains a slash or is not printable;
 * audio without samples; a sample, or a number in the metadata that the stage sets, that is NaN or infinite;
 * audio cut out of the input whose %SEGUE_META_START is not the position of its first sample in the source; a
 * rate or number of channels that differs from the negotiated one (segue/format.h) or from other items of
 * the song.  %SEGUE_ERROR_DATA if the song may be the cause, else %SEGUE_ERROR_INTERNAL.
 */
SEGUE_API
gboolean segue_context_emit (SegueContext *context, SegueItem *item, GError **error);

/**
 * segue_context_emit_slice: emits the frames @start … @start + @n_frames − 1 of @song, without a copy.
 * @song: audio (borrowed) that has these frames
 * @suffix: (nullable): as in segue_item_new_audio()
 *
 * Sets %SEGUE_META_START, in seconds of the source, and %SEGUE_META_DURATION.  Otherwise as segue_context_emit().
 */
SEGUE_API
gboolean segue_context_emit_slice (SegueContext *context, SegueItem *song, const char *suffix,
                                   gsize start, gsize n_frames, GError **error);

/** segue_context_emit_dataset: (COLLECT) sets the stage's output to @dataset (transfer none), a view of
 * an input made by segue_dataset_annotate() or segue_dataset_select(). */
SEGUE_API
void segue_context_emit_dataset (SegueContext *context, SegueDataset *dataset);

/** segue_context_get_input: (COLLECT, SERIAL) (transfer none) (nullable): the dataset on @port;
 * %NULL if an optional port is not connected.  A name that is not an input of the type fails the stage with
 * %SEGUE_ERROR_INTERNAL; the dataset is then empty. */
SEGUE_API
SegueDataset *segue_context_get_input (SegueContext *context, const char *port);

/** segue_context_quarantine: (SOURCE, SERIAL, COLLECT) counts @id as an item that failed with @error; the run
 * continues.  MAP stages return the error instead. */
SEGUE_API
void segue_context_quarantine (SegueContext *context, const char *id, const GError *error);

/** segue_context_count: (any thread) adds @n to counter @name of the stage, which is shown in the run's summary:
 * `segue_context_count (ctx, "ignored files", 3)`. */
SEGUE_API
void segue_context_count (SegueContext *context, const char *name, gint64 n);

/** segue_context_get_output_folder: (transfer none): the stage's folder in the run, created on the
 * first call; for results that the user keeps.  %NULL with error. */
SEGUE_API
const char *segue_context_get_output_folder (SegueContext *context, GError **error);
/** segue_context_get_work_folder: (transfer none): a folder for scratch files and checkpoints that survives a
 * kill (a rerun of the same stage over the same input gets the same one) and is removed once the stage is
 * finished. */
SEGUE_API
const char *segue_context_get_work_folder (SegueContext *context, GError **error);

/**
 * segue_context_progress:
 * @done, @total: in the unit of segue_context_set_progress_unit(); @total 0: not known
 * @detail: (nullable): a few words, such as "epoch 3 of 12, loss 0.41"
 *
 * Any thread; cheap enough for every step (the command draws at most a few times a second).
 */
SEGUE_API
void segue_context_progress (SegueContext *context, guint64 done, guint64 total,
                             const char *detail);
/** segue_context_set_progress_unit: (any thread): the unit of the stage's progress from now on, in the
 * plural: "segments", "steps" ("bytes" are shown as a size); before the first call, progress is shown
 * without a unit.  A chain of MAP stages counts songs. */
SEGUE_API
void segue_context_set_progress_unit (SegueContext *context, const char *unit);
/** segue_context_log: (any thread): writes one line for the user to log.ndjson and to the screen, above the
 * progress bar. */
SEGUE_API
void segue_context_log (SegueContext *context, GLogLevelFlags level, const char *format, ...)
  G_GNUC_PRINTF (3, 4);
/** segue_context_scalar: (any thread): adds a point of a curve, such as ("train/loss", step, value), to log.ndjson
 * and the run's curves. */
SEGUE_API
void segue_context_scalar (SegueContext *context, const char *tag, guint64 step, double value);

G_END_DECLS
