/* Training and validation sets: the items of a dataset by set, with their labels. */
#pragma once

#include <segue/dataset.h>

/**
 * TrainSample: one item.
 * @index: in the dataset
 * @label: 0 … n_labels − 1; SEGUE_NN_IGNORE (validation only): a label that no training item has
 * @song: 0 … n_songs − 1, within its set
 * @key: identifies the item in random counters: derived from its id alone, so that neither its
 *   neighbours nor its position change the random numbers for it
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

/** train_sets_new: items without a set belong to `train`; those of other sets are ignored. */
TrainSets *train_sets_new (SegueDataset *dataset, GError **error);
void train_sets_free (TrainSets *sets);

/** train_sets_fill_weights: @weights [n_labels]: n / (n_labels × n of that label), so that every
 * label has the same weight. */
void train_sets_fill_weights (const TrainSets *sets, float *weights);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrainSets, train_sets_free)
