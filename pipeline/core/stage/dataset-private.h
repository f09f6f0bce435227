/* Datasets from the core's side (internal). */
/* SEGUE_API marks what libsegue-testing calls; none of it is installed. */
#pragma once

#include "item/metadata.h"
#include "stage/scope.h"
#include <segue/dataset.h>

/** segue_dataset_new:
 * @entries: (transfer full) (element-type SegueItem): sealed; sorted here
 * @preparation: (nullable) */
SegueDataset *segue_dataset_new (GPtrArray *entries, SeguePreparation *preparation);

/** segue_dataset_new_from_items: (transfer full): over @items (transfer none) that have their
 * payloads. */
SEGUE_API
SegueDataset *segue_dataset_new_from_items (SegueItem *const *items, guint n_items);

/** segue_dataset_with_live: (transfer full): @dataset with one more live stage; @scope and @stage
 * are borrowed for its lifetime. */
SEGUE_API
SegueDataset *segue_dataset_with_live (SegueDataset *dataset, const SegueScope *scope,
                                       const SegueGraphStage *stage);
/** segue_dataset_without_live: (transfer full): for a port without SEGUE_PORT_LIVE. */
SegueDataset *segue_dataset_without_live (SegueDataset *dataset);
/** segue_dataset_without_copies: (transfer full): likewise, and without stored copies: as if nothing was augmented. */
SegueDataset *segue_dataset_without_copies (SegueDataset *dataset);
/** segue_dataset_set_preparation: only on a dataset that is not shared yet. */
void segue_dataset_set_preparation (SegueDataset *dataset, SeguePreparation *preparation);

/**
 * segue_dataset_as_input: (transfer full): @dataset as a SERIAL or COLLECT stage sees it: reads of
 * its metadata are recorded in @reads, also through views and live stages; its items' origins count
 * from @first.
 * @port: which of the stage's inputs it is; also set in its views
 */
SegueDataset *segue_dataset_as_input (SegueDataset *dataset, SegueReads *reads, guint port,
                                      guint first);
/** segue_dataset_as_output: (transfer full): a stage's output as the next stages see it: reads are
 * no longer recorded, and no metadata is marked as own. */
SegueDataset *segue_dataset_as_output (SegueDataset *dataset);
/** segue_dataset_with_entries: (transfer full): a view of @dataset with @entries (transfer full),
 * sorted. */
SegueDataset *segue_dataset_with_entries (SegueDataset *dataset, GPtrArray *entries);
/** segue_dataset_get_port: SEGUE_NOT_CONNECTED: not a view of an input. */
guint segue_dataset_get_port (SegueDataset *dataset);

/** segue_dataset_get_song_end: the index after the last item of the song that begins at @first. */
guint segue_dataset_get_song_end (SegueDataset *dataset, guint first);
/** segue_dataset_count_songs: number of different source items. */
guint segue_dataset_count_songs (SegueDataset *dataset);

/* For readers. */
const SegueScope *segue_dataset_get_live (SegueDataset *dataset,
                                          const SegueGraphStage *const **stages, guint *n_stages);
