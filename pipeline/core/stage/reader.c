/* Readers: payloads into memory one item at a time, live stages applied. */
#include "item/item-private.h"
#include "stage/chain.h"
#include "stage/dataset-private.h"

struct _SegueReader {
  SegueDataset *dataset;
  SegueChain *live; /* NULL: the dataset is clean */
};

SegueReader *
segue_reader_new (SegueDataset *dataset, guint epoch)
{
  SegueReader *reader = g_new0 (SegueReader, 1);
  reader->dataset = segue_dataset_ref (dataset);
  const SegueGraphStage *const *stages = NULL;
  guint n_stages = 0;
  const SegueScope *scope = segue_dataset_get_live (dataset, &stages, &n_stages);
  if (scope)
    reader->live = segue_chain_new (scope, stages, n_stages);
  segue_reader_set_epoch (reader, epoch);
  return reader;
}

void
segue_reader_free (SegueReader *reader)
{
  if (!reader)
    return;
  segue_chain_free (reader->live);
  segue_dataset_unref (reader->dataset);
  g_free (reader);
}

void
segue_reader_set_epoch (SegueReader *reader, guint epoch)
{
  if (reader->live)
    segue_chain_set_epoch (reader->live, epoch);
}

/* Each live stage emits one item, of the same id and kind: its link checks that. */
static SegueItem *
apply_live (SegueReader *reader, SegueItem *item, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) output = segue_chain_carry (reader->live, &item, 1, cancellable, error);
  return output ? segue_item_ref (g_ptr_array_index (output, 0)) : NULL;
}

SegueItem *
segue_reader_get (SegueReader *reader, guint index, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (index < segue_dataset_get_length (reader->dataset), NULL);
  if (cancellable && g_cancellable_is_cancelled (cancellable)) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
    return NULL;
  }
  g_autoptr (SegueItem) item =
    segue_item_load (segue_dataset_get_entry (reader->dataset, index), error);
  if (!item || !reader->live)
    return g_steal_pointer (&item);
  return apply_live (reader, item, cancellable, error);
}
