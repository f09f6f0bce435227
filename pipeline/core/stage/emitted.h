/* Checks of what a stage emits, for runs, workers, prediction and the harness (internal). */
#pragma once

#include "stage/context-private.h"

/**
 * segue_emitted_check: @item: (nullable): not sealed yet, unless it is passed on
 *
 * %SEGUE_ERROR_DATA if the song may be the cause (a sample that is not finite, no sample at all) or
 * the item came from a separate process; %SEGUE_ERROR_INTERNAL if the plugin is. The message names
 * stage and item.
 */
gboolean segue_emitted_check (SegueContext *context, const SegueItem *item, GError **error);

/** segue_emitted_check_slice: of segue_context_emit_slice(): @song is audio in memory and has these frames. */
gboolean segue_emitted_check_slice (SegueContext *context, const SegueItem *song, gsize start,
                                    gsize n_frames, GError **error);

/** segue_emitted_check_any: after a callback of a MAP stage that succeeded: an item without output
 * has to be failed, counted or logged. */
gboolean segue_emitted_check_any (SegueContext *context, GError **error);

/** segue_emitted_check_output: after collect (), or a SERIAL stage that saw songs, succeeded. */
gboolean segue_emitted_check_output (SegueContext *context, GError **error);

/** segue_emitted_check_view: of segue_context_emit_dataset(). */
gboolean segue_emitted_check_view (SegueContext *context, SegueDataset *dataset, GError **error);

/** segue_emitted_check_reads: @key: (nullable): metadata of @item that the stage read, and may not read. */
gboolean segue_emitted_check_reads (SegueContext *context, const SegueItem *item, const char *key,
                                    GError **error);

/** segue_emitted_look: a checksum of the payload of @item (borrowed), to detect a stage that writes
 * into it: over its ends and a sample of every page; over all of it in a harness. */
guint64 segue_emitted_look (SegueContext *context, const SegueItem *item);
/** segue_emitted_check_unchanged: whether the checksum still is @looked. */
gboolean segue_emitted_check_unchanged (SegueContext *context, const SegueItem *item,
                                        guint64 looked, GError **error);
