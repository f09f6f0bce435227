/* Events: what a run tells its host while it goes on. */
#pragma once

#include <glib.h>
#include <segue/version.h>

G_BEGIN_DECLS

/** SegueDataLabel: songs of one label by the set that they go to.
 * @n_unset: in a pipeline that makes no sets; @n_left_out: the label has too few songs */
typedef struct {
  char *label; /* "": none */
  guint n_train, n_validation, n_test, n_unset, n_left_out;
} SegueDataLabel;

/**
 * SegueDataView: the data as the sources give it, before anything is decoded.  A song that turns out to
 * be damaged may change it.
 * @labels: (element-type SegueDataLabel): in the order of their bytes
 * @warnings: (element-type char *): "stage: what will be said", such as labels that are left out
 * @n_songs: source items
 */
typedef struct {
  gsize struct_size;
  GArray *labels;
  GPtrArray *warnings;
  guint n_songs;
} SegueDataView;

/**
 * SegueEventType: and the fields of #SegueEvent that it sets.
 * @SEGUE_EVENT_STARTED: a stage or chain begins: @done: its index, @total: how many there are
 * @SEGUE_EVENT_PROGRESS_UNIT: what its progress counts from now on: @text: "songs", "steps"
 * @SEGUE_EVENT_PROGRESS: @done of @total (0: not known); @text: (nullable): "epoch 3 of 12, loss 0.41"
 * @SEGUE_EVENT_LOG: a line for people: @level, @text
 * @SEGUE_EVENT_SCALAR: a point of the curve @text ("train/loss"): @n: its step, @value
 * @SEGUE_EVENT_COUNT: counter @text has grown by @n
 * @SEGUE_EVENT_ITEM_FAILED: item @text is quarantined: @error, which names it, as ‘@text’
 * @SEGUE_EVENT_FINISHED: a stage or chain ends: @value: seconds; @n: 1: all of it came from the cache
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

/** SegueEvent: everything in it is good until the sink returns.
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

/** SegueEventFunc: called from any thread, one call at a time.  %FALSE: the run is to stop, as if it were
 * cancelled. */
typedef gboolean (*SegueEventFunc) (gpointer data, const SegueEvent *event);

/** SegueSink: where events go. */
typedef struct {
  SegueEventFunc take;
  gpointer data;
} SegueSink;

G_END_DECLS
