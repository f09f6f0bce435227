/* What a stage may emit: one rule in a run, in a worker, in prediction and in the harness (internal). */
#pragma once

#include "stage/context-private.h"

/**
 * segue_emitted_check: @item: (nullable): not sealed yet, unless it is passed on
 *
 * %SEGUE_ERROR_DATA where the song may be to blame (a sample that is not finite, no sample at all) or
 * came from a process of its own; %SEGUE_ERROR_INTERNAL where the plugin is.  Names stage and item.
 */
gboolean segue_emitted_check (SegueContext *context, const SegueItem *item, GError **error);

/** segue_emitted_check_any: after a callback of a MAP stage that succeeded: an item that becomes nothing
 * has to be failed, counted or logged. */
gboolean segue_emitted_check_any (SegueContext *context, GError **error);

/** segue_emitted_check_output: after collect (), or a SERIAL stage that saw songs, succeeded. */
gboolean segue_emitted_check_output (SegueContext *context, GError **error);

/** segue_emitted_check_view: of segue_context_emit_dataset(). */
gboolean segue_emitted_check_view (SegueContext *context, SegueDataset *dataset, GError **error);

/** segue_emitted_look: what the payload of @item (borrowed) looks like, to see whether a stage writes
 * into it: its ends and every page of it; all of it in a harness. */
guint64 segue_emitted_look (SegueContext *context, const SegueItem *item);
/** segue_emitted_check_unchanged: whether it still @looked so. */
gboolean segue_emitted_check_unchanged (SegueContext *context, const SegueItem *item,
                                        guint64 looked, GError **error);
