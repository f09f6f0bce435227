/* Datasets, for COLLECT and SERIAL stages: finished streams of items, re-readable by index; and the sets that songs are
 * assigned to.
 *
 * A dataset is an index (ids, kinds, metadata: in memory, small) over payloads (on disk, or in the
 * files themselves). It is immutable and may be shared by threads. A reader loads payloads into
 * memory one item at a time, so that any number of epochs over any number of songs runs in constant
 * memory; a reader belongs to one thread.
 *
 * Items are ordered by id, whatever the number of workers that made them.
 *
 * Live stages (on-the-fly augmentation) belong to a dataset and run when a reader reads, seeded by
 * run, stage, epoch and item: the same epoch always reads the same data. A port without the flag
 * %SEGUE_PORT_LIVE gets the dataset without them.
 */
#pragma once

#include <gio/gio.h>
#include <segue/item.h>

G_BEGIN_DECLS

/** SegueSet: what a song is used for. @SEGUE_N_SETS: none of the sets. */
typedef enum { SEGUE_SET_TRAIN, SEGUE_SET_VALIDATION, SEGUE_SET_TEST, SEGUE_N_SETS } SegueSet;

/** SEGUE_SET_CHOICES: their names, then %NULL: for a parameter's choices. */
#define SEGUE_SET_CHOICES SEGUE_NAMES ("train", "validation", "test")
/** segue_set_get_name: the name of any set except %SEGUE_N_SETS. */
SEGUE_API
const char *segue_set_get_name (SegueSet set);
/** segue_set_from_name: %SEGUE_N_SETS if @name (nullable) is not the name of a set. */
SEGUE_API
SegueSet segue_set_from_name (const char *name);

typedef struct _SegueDataset SegueDataset;
typedef struct _SegueReader SegueReader;

SEGUE_API
SegueDataset *segue_dataset_ref (SegueDataset *dataset);
SEGUE_API
void segue_dataset_unref (SegueDataset *dataset);

SEGUE_API
guint segue_dataset_get_length (SegueDataset *dataset);
/** segue_dataset_get_entry: (transfer none): item @index without its payload. */
SEGUE_API
SegueItem *segue_dataset_get_entry (SegueDataset *dataset, guint index);

/** segue_item_has_payload: %FALSE for the entries of an index, which contain metadata only. */
SEGUE_API
gboolean segue_item_has_payload (const SegueItem *item);

/** segue_item_get_metadata: (transfer full): all metadata as a sorted `a{sv}` (types s, d, x). */
SEGUE_API GVariant *segue_item_get_metadata (const SegueItem *item);
/** segue_item_set_metadata: sets every key of @metadata, an `a{sv}` with types s, d and x. */
SEGUE_API void segue_item_set_metadata (SegueItem *item, GVariant *metadata);

/** segue_dataset_select: (transfer full): the items whose string metadata @key equals @value. */
SEGUE_API
SegueDataset *segue_dataset_select (SegueDataset *dataset, const char *key, const char *value);

/**
 * segue_dataset_annotate: (transfer full):
 * @values: one string per item, in order; %NULL excludes an item
 *
 * The same payloads with string metadata @key added (or replaced) per item.
 */
SEGUE_API
SegueDataset *segue_dataset_annotate (SegueDataset *dataset, const char *key,
                                      const char *const *values);

/** segue_dataset_get_labels: (transfer full): the labels that occur, sorted by code point. */
SEGUE_API
GStrv segue_dataset_get_labels (SegueDataset *dataset);

/** segue_dataset_is_live: whether live stages change what a reader reads. */
SEGUE_API
gboolean segue_dataset_is_live (SegueDataset *dataset);

/** SeguePreparation: the MAP stages flagged %SEGUE_STAGE_PREPARE that turned a file into the items of a dataset, as
 * JSON text `[{"use": …, "result_version": …, "with": {canonical parameters}}, …]` (for `decode` with the "decoder"
 * that was tried first), and the files and models that their parameters name. A model folder contains both, so that
 * prediction prepares a song exactly as training did. */
typedef struct _SeguePreparation SeguePreparation;
/** segue_preparation_get_stages: (transfer none): the text; "[]" for %NULL. Files are `./preparation/0`, … in it. */
SEGUE_API
const char *segue_preparation_get_stages (const SeguePreparation *preparation);
/** segue_preparation_save_files: copies the files to @folder/preparation, for a folder other than a model's that
 * contains the text. @preparation: (nullable). */
SEGUE_API
gboolean segue_preparation_save_files (const SeguePreparation *preparation, const char *folder,
                                       GError **error);

/** segue_dataset_get_preparation: (transfer none) (nullable). */
SEGUE_API
SeguePreparation *segue_dataset_get_preparation (SegueDataset *dataset);

/** segue_reader_new: a reader of @dataset in @epoch (0 is the first). */
SEGUE_API
SegueReader *segue_reader_new (SegueDataset *dataset, guint epoch);
/** segue_reader_set_epoch: applies from the next read on. */
SEGUE_API
void segue_reader_set_epoch (SegueReader *reader, guint epoch);
/** segue_reader_get: (transfer full): item @index with its payload, live stages applied. */
SEGUE_API
SegueItem *segue_reader_get (SegueReader *reader, guint index, GCancellable *cancellable,
                             GError **error);
SEGUE_API
void segue_reader_free (SegueReader *reader);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueDataset, segue_dataset_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueReader, segue_reader_free)

G_END_DECLS
