/* Collects what a stage emits into a dataset (internal).
 *
 * Small payloads stay in memory; large ones go into an unnamed spool file, which the system removes
 * with the last dataset that reads from it, however the process ends. */
#pragma once

#include "stage/dataset-private.h"

typedef struct _SegueBuilder SegueBuilder;

/** segue_builder_new: @folder: where a spool file is created if one is needed; must exist. */
SegueBuilder *segue_builder_new (const char *folder);
void segue_builder_free (SegueBuilder *builder);
/** segue_builder_add: @item is sealed and borrowed. */
gboolean segue_builder_add (SegueBuilder *builder, SegueItem *item, GError **error);
guint segue_builder_get_length (SegueBuilder *builder);
/** segue_builder_finish: (transfer full): empties @builder; items keep their origin, see
 * segue_dataset_as_output(). %SEGUE_ERROR_INTERNAL if two items have the same id. */
SegueDataset *segue_builder_finish (SegueBuilder *builder, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueBuilder, segue_builder_free)
