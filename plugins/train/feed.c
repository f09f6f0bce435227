/* Reads batches ahead in separate threads into two buffers. */
#include "feed.h"

#include <segue/error.h>
#include <string.h>

#define N_BUFFERS 2

/* @first, @n: positions; @taken, @done: rows that a thread has begun, has finished. */
typedef struct {
  float *rows;
  guint first, n, taken, done;
} Buffer;

/* Batch number b of a pass is in buffer b % N_BUFFERS. Batches released … planned − 1 are in the buffers; the
 * consumer has number given − 1 where given > released. */
struct _TrainFeed {
  GMutex lock;
  GCond changed;
  GPtrArray *threads; /* GThread */
  GCancellable *cancellable;
  Buffer buffers[N_BUFFERS];

  TrainPass pass;
  guint position; /* of the next batch to plan */
  guint released, given, planned;
  guint active; /* rows being read */
  gboolean quit;
  GError *failure; /* of the row at failed_at, the first of those that failed */
  guint failed_at;
};

/* The data of one reading thread. */
typedef struct {
  SegueDataset *dataset; /* of reader, borrowed */
  SegueReader *reader;
  guint epoch;
} Worker;

static gboolean
read_item (TrainFeed *feed, Worker *worker, const TrainPass *pass, guint sample, float *row,
           GError **error)
{
  const TrainSource *source = pass->source;
  if (worker->dataset != source->dataset) {
    g_clear_pointer (&worker->reader, segue_reader_free);
    worker->reader = segue_reader_new (source->dataset, pass->epoch);
    worker->dataset = source->dataset;
    worker->epoch = pass->epoch;
  }
  if (worker->epoch != pass->epoch)
    segue_reader_set_epoch (worker->reader, pass->epoch);
  worker->epoch = pass->epoch;

  g_autoptr (SegueItem) item =
    segue_reader_get (worker->reader, source->set->samples[sample].index, feed->cancellable, error);
  gsize length;
  const float *values = item ? segue_model_read_row (source->info, item, &length, error) : NULL;
  if (!values)
    return FALSE;
  if (length != source->width) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "‘%s’ is %.3f s long, ‘%s’ %.3f s: cut all to one length with a `segment` stage",
                 segue_item_get_id (item), (double) length / source->info->rate, source->like,
                 (double) source->width / source->info->rate);
    return FALSE;
  }
  memcpy (row, values, source->width * sizeof (float));
  return TRUE;
}

static gboolean
read_row (TrainFeed *feed, Worker *worker, const TrainPass *pass, guint position, float *row,
          GError **error)
{
  guint sample = pass->order ? pass->order[position] : position;
  if (g_cancellable_is_cancelled (feed->cancellable)) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "interrupted");
    return FALSE;
  }
  return read_item (feed, worker, pass, sample, row, error);
}

/* (locked) The oldest batch with rows that no thread has begun; NULL: none. */
static Buffer *
find_work (TrainFeed *feed)
{
  if (feed->failure)
    return NULL;
  for (guint b = feed->released; b < feed->planned; b++) {
    Buffer *buffer = &feed->buffers[b % N_BUFFERS];
    if (buffer->taken < buffer->n)
      return buffer;
  }
  return NULL;
}

static gpointer
worker_main (gpointer data)
{
  TrainFeed *feed = data;
  Worker worker = { NULL, NULL, 0 };

  g_mutex_lock (&feed->lock);
  while (!feed->quit) {
    Buffer *buffer = find_work (feed);
    if (!buffer) {
      g_cond_wait (&feed->changed, &feed->lock);
      continue;
    }
    const TrainPass pass = feed->pass;
    guint row = buffer->taken++, position = buffer->first + row;
    feed->active++;
    g_mutex_unlock (&feed->lock);

    GError *error = NULL;
    read_row (feed, &worker, &pass, position, buffer->rows + row * pass.source->width, &error);

    g_mutex_lock (&feed->lock);
    feed->active--;
    buffer->done++;
    if (error && (!feed->failure || position < feed->failed_at)) {
      g_clear_error (&feed->failure);
      feed->failure = error;
      feed->failed_at = position;
    } else {
      g_clear_error (&error);
    }
    g_cond_broadcast (&feed->changed);
  }
  g_mutex_unlock (&feed->lock);
  g_clear_pointer (&worker.reader, segue_reader_free);
  return NULL;
}

TrainFeed *
train_feed_new (gsize floats, guint n_threads, GCancellable *cancellable, GError **error)
{
  g_autoptr (TrainFeed) feed = g_new0 (TrainFeed, 1);
  g_mutex_init (&feed->lock);
  g_cond_init (&feed->changed);
  feed->threads = g_ptr_array_new ();
  feed->cancellable = cancellable;
  for (guint b = 0; b < N_BUFFERS; b++) {
    feed->buffers[b].rows = g_try_new (float, floats);
    if (!feed->buffers[b].rows) {
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                   "not enough memory for a batch of %" G_GSIZE_FORMAT " MiB; reduce `batch`",
                   floats / (1024 * 1024 / sizeof (float)));
      return NULL;
    }
  }
  for (guint t = 0; t < n_threads; t++) {
    g_autoptr (GError) local = NULL;
    GThread *thread = g_thread_try_new ("train-feed", worker_main, feed, &local);
    if (!thread) {
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                   "can't start a thread: %s; close other programs, or raise the limit (ulimit "
                   "-u), and run again",
                   local->message);
      return NULL;
    }
    g_ptr_array_add (feed->threads, thread);
  }
  return g_steal_pointer (&feed);
}

void
train_feed_free (TrainFeed *feed)
{
  if (!feed)
    return;
  g_mutex_lock (&feed->lock);
  feed->quit = TRUE;
  g_cond_broadcast (&feed->changed);
  g_mutex_unlock (&feed->lock);
  for (guint t = 0; t < feed->threads->len; t++)
    g_thread_join (g_ptr_array_index (feed->threads, t));
  g_ptr_array_unref (feed->threads);

  for (guint b = 0; b < N_BUFFERS; b++)
    g_free (feed->buffers[b].rows);
  g_clear_error (&feed->failure);
  g_cond_clear (&feed->changed);
  g_mutex_clear (&feed->lock);
  g_free (feed);
}

/* (locked) Plans batches into the buffers that are free. */
static void
plan_ahead (TrainFeed *feed)
{
  const TrainPass *pass = &feed->pass;
  while (feed->planned - feed->released < N_BUFFERS && feed->position < pass->source->set->n) {
    guint to_border = pass->batch - feed->position % pass->batch;
    guint n = MIN (MIN (pass->part, to_border), pass->source->set->n - feed->position);
    Buffer *buffer = &feed->buffers[feed->planned++ % N_BUFFERS];
    buffer->first = feed->position;
    buffer->n = n;
    buffer->taken = buffer->done = 0;
    feed->position += n;
  }
  g_cond_broadcast (&feed->changed);
}

void
train_feed_start (TrainFeed *feed, const TrainPass *pass)
{
  g_mutex_lock (&feed->lock);
  feed->released = feed->given = feed->planned = 0;
  while (feed->active > 0)
    g_cond_wait (&feed->changed, &feed->lock);
  g_clear_error (&feed->failure);
  feed->pass = *pass;
  feed->position = pass->first;
  plan_ahead (feed);
  g_mutex_unlock (&feed->lock);
}

const float *
train_feed_next (TrainFeed *feed, guint *first, guint *n, GError **error)
{
  const float *rows = NULL;
  g_mutex_lock (&feed->lock);
  feed->released = feed->given;
  plan_ahead (feed);
  if (feed->given < feed->planned) {
    Buffer *buffer = &feed->buffers[feed->given % N_BUFFERS];
    while (buffer->done < buffer->n && !feed->failure)
      g_cond_wait (&feed->changed, &feed->lock);
    /* Rows are begun in order: when none is being read any more, the failure is the first in the pass. */
    while (feed->failure && feed->active > 0)
      g_cond_wait (&feed->changed, &feed->lock);
    if (feed->failure) {
      g_propagate_error (error, g_error_copy (feed->failure));
    } else {
      *first = buffer->first;
      *n = buffer->n;
      rows = buffer->rows;
      feed->given++;
    }
  }
  g_mutex_unlock (&feed->lock);
  return rows;
}
