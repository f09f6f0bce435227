/* Who is trained on and who is tried on: the items of a dataset by set, with their labels. */
#pragma once

#include <segue/dataset.h>

/**
 * TrainSample: one item.
 * @index: in the dataset
 * @label: 0 … n_labels − 1; SEGUE_NN_IGNORE (validation only): a label that no training item has
 * @song: 0 … n_songs − 1, within its set
 * @key: what random counters know the item by: from its id alone, so that neither its neighbours
 *   nor its place change what is drawn for it
 */
typedef struct {
  guint index;
  gint32 label;
  guint song;
  guint64 key;
} TrainSample;

typedef struct {
  TrainSample *samples;
  guint n;
  guint n_songs;
} TrainSet;

/** TrainSets: @labels: of the training items, sorted by code point: the order of the logits. */
typedef struct {
  GStrv labels;
  guint n_labels;
  TrainSet train;
  TrainSet validation;
  guint n_unknown; /* validation items whose label no training item has */
} TrainSets;

/** train_sets_new: items without a set belong to `train`; those of other sets are left alone. */
TrainSets *train_sets_new (SegueDataset *dataset, GError **error);
void train_sets_free (TrainSets *sets);

/** train_sets_fill_weights: @weights [n_labels]: n / (n_labels × n of that label), so that every
 * label counts the same. */
void train_sets_fill_weights (const TrainSets *sets, float *weights);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrainSets, train_sets_free)
