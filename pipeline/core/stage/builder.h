/* Collects what a stage emits into a dataset (internal).
 *
 * Small payloads stay in memory; large ones go into a spool file without a name, which is gone with
 * the last dataset that reads from it, however the process ends. */
#pragma once

#include "stage/dataset-private.h"

typedef struct _SegueBuilder SegueBuilder;

/** segue_builder_new: @folder: where a spool is made if there is need for one; exists. */
SegueBuilder *segue_builder_new (const char *folder);
void segue_builder_free (SegueBuilder *builder);
/** segue_builder_add: @item is sealed and borrowed. */
gboolean segue_builder_add (SegueBuilder *builder, SegueItem *item, GError **error);
guint segue_builder_get_length (SegueBuilder *builder);
/** segue_builder_finish: (transfer full): empties @builder; items still know what they derive from:
 * see segue_dataset_as_output(). %SEGUE_ERROR_INTERNAL where two items
 * have one id. */
SegueDataset *segue_builder_finish (SegueBuilder *builder, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueBuilder, segue_builder_free)
