/* Items in a run's folder, for stages that run over the finished run (internal).
 *
 * They are stored in the form of a result of the store (store/result.h), so that what is read from a run is
 * checked as what is read from a cache: it may come from someone else. */
#pragma once

#include "stage/dataset-private.h"

/** segue_saved_items_write: writes the items of @dataset, which have bytes, with all of their metadata into the
 * folder @path, which is replaced. */
gboolean segue_saved_items_write (const char *path, SegueDataset *dataset,
                                  GCancellable *cancellable, GError **error);
/** segue_saved_items_read: (transfer full): @path is untrusted. The items are source items; values of their bytes
 * are not checked.
 *
 * %SEGUE_ERROR_NO_INPUT: there is no such folder; %SEGUE_ERROR_DATA: it does not contain items of @kind alone. */
SegueDataset *segue_saved_items_read (const char *path, SegueKind kind, GError **error);
