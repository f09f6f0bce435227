/* A link of a chain: one running MAP stage (internal).
 *
 * Each call of the stage is checked against the rules here, whichever carrier runs it. */
#pragma once

#include "stage/context-private.h"

typedef struct {
  SegueContext context;
  const SegueCarrier *carrier;
  gpointer instance; /* the carrier's */
  gboolean opened;
} SegueLink;

/** segue_link_init: opens nothing.
 * @scope, @stage: borrowed for the link's lifetime
 * @index: of the stage in its chain, for counters */
void segue_link_init (SegueLink *link, const SegueScope *scope, const SegueGraphStage *stage,
                      guint index);
/** segue_link_clear: closes it. */
void segue_link_clear (SegueLink *link);
/** segue_link_open: now, rather than with the first item; no error if it is open already. */
gboolean segue_link_open (SegueLink *link, GError **error);
/** segue_link_renew: after an item that failed: discards any state that it left. */
void segue_link_renew (SegueLink *link);
/** segue_link_preload: the link must be open: loads now what songs will need. */
void segue_link_preload (SegueLink *link);

void segue_link_begin_song (SegueLink *link, GCancellable *cancellable);
/** segue_link_begin_copy: of a live stage: the next item may be one that it has seen, in another epoch. */
void segue_link_begin_copy (SegueLink *link, guint epoch);
/** segue_link_process: the link must be open: passes the output for @item to @emit, in order. */
gboolean segue_link_process (SegueLink *link, SegueItem *item, SegueEmitFunc emit,
                             gpointer emit_data, GError **error);
/** segue_link_end_song: discards the state that has seen the song. */
void segue_link_end_song (SegueLink *link);
