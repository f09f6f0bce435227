/* Songs of the training set in folds, for cross-validation. */
#pragma once

#include "sets.h"

#define TRAIN_N_FOLDS 5

/** TRAIN_NO_FOLD: of a song that is never held out: without it, a label would have nothing to be trained on. */
#define TRAIN_NO_FOLD (-1)

/** train_folds_new: (transfer full): [set->n_songs] folds. Songs of one group or recording are in one fold, and the groups
 * of each label are spread over all of them.
 * @seed: of the order in which groups are assigned */
int *train_folds_new (SegueDataset *dataset, const TrainSet *set, guint n_labels, guint64 seed);
