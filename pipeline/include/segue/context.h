/* The context: the interface of the core to a running stage. For every stage; segue/collect.h continues it for COLLECT
 * and SERIAL stages.
 *
 * Every callback of a stage gets one. It is valid until that callback returns and is used only in the callback's
 * thread, except for functions that are documented as callable from any thread.
 */
#pragma once

#include <gio/gio.h>
#include <segue/item.h>

G_BEGIN_DECLS

typedef struct _SegueContext SegueContext;

/** segue_context_get_config: (transfer none): the stage's parsed configuration struct. */
SEGUE_API const void *segue_context_get_config (SegueContext *context);
/** segue_context_get_stage_id: the id of the stage in its pipeline, for messages. */
SEGUE_API const char *segue_context_get_stage_id (SegueContext *context);
/**
 * segue_context_get_seed: the seed for the current callback: segue/random.h draws numbers from it. COLLECT, SERIAL and
 * SOURCE: derived from the run's seed, the stage's type and its `seed:`, if set. MAP: from those and the item's id.
 * LIVE: from those and the epoch. The same work gets the same seed, whatever the other stages and the thread are. All
 * but SOURCE stages need the flag %SEGUE_STAGE_SEEDED: otherwise the seed would not be part of their keys.
 */
SEGUE_API guint64 segue_context_get_seed (SegueContext *context);
/** segue_context_get_cancellable: (transfer none): any thread; every long loop must check it. */
SEGUE_API GCancellable *segue_context_get_cancellable (SegueContext *context);
/** segue_context_check_cancelled: %FALSE with %SEGUE_ERROR_CANCELLED once the run is cancelled. */
SEGUE_API gboolean segue_context_check_cancelled (SegueContext *context, GError **error);
/** segue_context_allow_read: (in open ()) lets process () read the file @path, or the folder @path and everything below
 * it. An isolated stage can read only system libraries, the paths in its parameters and its item; for other stages
 * this does nothing. */
SEGUE_API void segue_context_allow_read (SegueContext *context, const char *path);

/**
 * segue_context_emit: passes @item to the next stage and seals it.
 * @item: (transfer full), even on failure; a MAP stage may emit a reference to its own input, unchanged
 *
 * %FALSE means that a later stage failed, the run was cancelled, or @item breaks a rule: return %FALSE at once, with
 * that error. Refused, with stage and item named in the error: a kind that the type does not declare; an id that does
 * not derive from the input's, exists already, or has a suffix that is empty, contains a slash or is not printable;
 * audio without samples; a sample, or a number in the metadata that the stage sets, that is NaN or infinite; audio cut
 * out of the input whose %SEGUE_META_START is not the position of its first sample in the source; a rate or number of
 * channels that differs from the negotiated one (segue/format.h) or from other items of the song. %SEGUE_ERROR_DATA if
 * the song may be the cause, else %SEGUE_ERROR_INTERNAL.
 */
SEGUE_API gboolean segue_context_emit (SegueContext *context, SegueItem *item, GError **error);
/**
 * segue_context_emit_slice: emits the frames @start … @start + @n_frames − 1 of @song, without a copy.
 * @song: (borrowed): anything but audio that has these frames is refused with %SEGUE_ERROR_INTERNAL
 * @suffix: (nullable): as in segue_item_new_audio()
 *
 * Sets %SEGUE_META_START, in seconds of the source, and %SEGUE_META_DURATION. Otherwise as segue_context_emit().
 */
SEGUE_API gboolean segue_context_emit_slice (SegueContext *context, SegueItem *song,
                                             const char *suffix, gsize start, gsize n_frames,
                                             GError **error);

/** segue_context_count: (any thread) adds @n to the stage's counter @name, a phrase in the plural ("silent segments"). The
 * counters are in run.json, summary.json and the report, and on the screen after the run. */
SEGUE_API void segue_context_count (SegueContext *context, const char *name, gint64 n);
/** segue_context_log: (any thread) writes one line for the user to log.ndjson and to the screen. */
SEGUE_API void segue_context_log (SegueContext *context, GLogLevelFlags level, const char *format,
                                  ...) G_GNUC_PRINTF (3, 4);
/** segue_context_quarantine: (SOURCE, SERIAL, COLLECT) counts @id as an item that failed with @error; the run continues.
 * MAP stages return the error instead. */
SEGUE_API void segue_context_quarantine (SegueContext *context, const char *id,
                                         const GError *error);
/** segue_context_progress: (any thread) cheap enough for every step; a chain of MAP stages counts songs by itself.
 * @done, @total: in the unit of segue_context_set_progress_unit(); @total 0: not known
 * @detail: (nullable): a few words, such as "epoch 3 of 12, loss 0.41" */
SEGUE_API void segue_context_progress (SegueContext *context, guint64 done, guint64 total,
                                       const char *detail);
/** segue_context_set_progress_unit: (any thread) the unit of the stage's progress from now on, in the plural:
 * "segments", "steps" ("bytes" are shown as a size); initially none. */
SEGUE_API void segue_context_set_progress_unit (SegueContext *context, const char *unit);

G_END_DECLS
