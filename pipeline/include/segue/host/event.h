/* Events, for hosts: what a run reports while it is in progress. */
#pragma once

#include <glib.h>
#include <segue/version.h>

G_BEGIN_DECLS

/** SegueDataLabel: number of songs of one label in each set.
 * @n_unset: songs in a pipeline without sets; @n_left_out: excluded songs, as the label has too few */
typedef struct {
  char *label; /* "": none */
  guint n_train, n_validation, n_test, n_unset, n_left_out;
} SegueDataLabel;

/**
 * SegueDataView: the data as produced by the sources, before anything is decoded. A song that turns out to
 * be damaged may change it.
 * @labels: (element-type SegueDataLabel): in byte order
 * @warnings: (element-type char *): "stage: warning", such as excluded labels
 * @n_songs: number of source items
 */
typedef struct {
  gsize struct_size;
  GArray *labels;
  GPtrArray *warnings;
  guint n_songs;
} SegueDataView;

/**
 * SegueEventType: and the fields of #SegueEvent that each type sets.
 * @SEGUE_EVENT_STARTED: a stage or chain begins: @done: its index, @total: their number
 * @SEGUE_EVENT_PROGRESS_UNIT: the unit of its progress from now on: @text: "songs", "steps"
 * @SEGUE_EVENT_PROGRESS: @done of @total (0: not known); @text: (nullable): "epoch 3 of 12, loss 0.41"
 * @SEGUE_EVENT_LOG: a line for the user: @level, @text
 * @SEGUE_EVENT_SCALAR: a point of the curve @text ("train/loss"): @n: its step, @value
 * @SEGUE_EVENT_COUNT: counter @text was increased by @n
 * @SEGUE_EVENT_ITEM_FAILED: item @text is quarantined: @error, which names it as ‘@text’
 * @SEGUE_EVENT_FINISHED: a stage or chain ends: @value: seconds; @n: 1: all of it was read from the cache
 * @SEGUE_EVENT_DATA: once, when the sources are done, before anything is decoded: @data
 */
typedef enum {
  SEGUE_EVENT_STARTED,
  SEGUE_EVENT_PROGRESS_UNIT,
  SEGUE_EVENT_PROGRESS,
  SEGUE_EVENT_LOG,
  SEGUE_EVENT_SCALAR,
  SEGUE_EVENT_COUNT,
  SEGUE_EVENT_ITEM_FAILED,
  SEGUE_EVENT_FINISHED,
  SEGUE_EVENT_DATA,
} SegueEventType;

/** SegueEvent: everything in it is valid until the sink returns.
 * @stage: (nullable): a stage's id, or a chain's name ("decode … segment"), which reports as one; %NULL: the run */
typedef struct {
  gsize struct_size;
  SegueEventType type;
  const char *stage;
  const char *text;
  guint64 done, total;
  gint64 n;
  double value;
  GLogLevelFlags level;
  const GError *error;
  const SegueDataView *data;
} SegueEvent;

/** SegueEventFunc: called from any thread, one call at a time. %FALSE cancels the run. */
typedef gboolean (*SegueEventFunc) (gpointer data, const SegueEvent *event);

/** SegueSink: a receiver of events. */
typedef struct {
  SegueEventFunc take;
  gpointer data;
} SegueSink;

G_END_DECLS
