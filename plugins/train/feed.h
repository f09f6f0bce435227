/* Reads batches ahead: while the model computes on one, the next is being read (and augmented).
 *
 * Two buffers, allocated once. The feed's own threads read rows into their place in a batch, so its content does
 * not depend on which thread reads which row when.
 *
 *   train_feed_start (feed, &pass);
 *   while ((rows = train_feed_next (feed, &first, &n, &error)) != NULL)
 *     …rows [n, width] are the items order[first] … order[first + n − 1]…
 */
#pragma once

#include "sets.h"

#include <segue/model.h>

/**
 * TrainSource: the source of the rows of a set.
 * @width: floats in a row
 * @info: of the model that takes the items
 * @like: id of the item that @width and @rate were taken from, for messages
 */
typedef struct {
  SegueDataset *dataset;
  const TrainSet *set;
  gsize width;
  const SegueModelInfo *info;
  const char *like;
} TrainSource;

/**
 * TrainPass: one pass over a set.
 * @order: (nullable): [set->n]; %NULL: in stored order
 * @first: position to start at
 * @part, @batch: batches have at most @part items and never cross a multiple of @batch positions
 * @epoch: for live stages
 */
typedef struct {
  const TrainSource *source;
  const guint32 *order;
  guint first;
  guint part;
  guint batch;
  guint epoch;
} TrainPass;

typedef struct _TrainFeed TrainFeed;

/** train_feed_new: @floats: of the largest batch. */
TrainFeed *train_feed_new (gsize floats, guint n_threads, GCancellable *cancellable,
                           GError **error);
/** train_feed_free: waits for a read in progress. */
void train_feed_free (TrainFeed *feed);

/** train_feed_start: begins @pass (copied; the data that it points to must stay valid); a pass in progress is
 * dropped. */
void train_feed_start (TrainFeed *feed, const TrainPass *pass);
/** train_feed_next: (transfer none) (nullable): the next batch, valid until the next call; %NULL without @error at
 * the end of the pass. */
const float *train_feed_next (TrainFeed *feed, guint *first, guint *n, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrainFeed, train_feed_free)
