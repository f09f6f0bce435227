/* Running one stage that is not part of a chain (internal).
 *
 * The caller sets up the context (scope, stage, cancellable, emit); these functions make the calls
 * in order, with close () after every open () that succeeded. */
/* SEGUE_API marks what libsegue-testing calls; none of it is installed. */
#pragma once

#include "stage/dataset-private.h"

/** segue_stage_produce: SOURCE: open, produce, close. */
SEGUE_API
gboolean segue_stage_produce (SegueContext *context, GError **error);
/** segue_stage_open: calls the type's open (), if any; @instance is %NULL after a failure. */
gboolean segue_stage_open (SegueContext *context, gpointer *instance, GError **error);
/** segue_stage_collect: COLLECT: open, collect, close. */
SEGUE_API
gboolean segue_stage_collect (SegueContext *context, GError **error);

/** SegueSerial: a running SERIAL stage. */
typedef struct {
  SegueContext *context;
  gpointer instance;
  gboolean opened;
  guint n_items; /* received */
  char *song;    /* the current one */
} SegueSerial;

/** segue_serial_push: opens with the first item; end_song () if @item begins another song. */
SEGUE_API
gboolean segue_serial_push (SegueSerial *serial, SegueItem *item, GError **error);
/** segue_serial_finish: end_song () for the last song, finish (). */
SEGUE_API
gboolean segue_serial_finish (SegueSerial *serial, GError **error);
SEGUE_API
void segue_serial_clear (SegueSerial *serial);
/** segue_stage_stream: SERIAL: all of @dataset, from open to close. */
SEGUE_API
gboolean segue_stage_stream (SegueContext *context, SegueDataset *dataset, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegueSerial, segue_serial_clear)
