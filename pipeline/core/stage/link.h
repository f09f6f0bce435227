/* A link of a chain: one MAP stage at work (internal).
 *
 * Each call of the stage is held to the rules here, whoever carries it out. */
#pragma once

#include "stage/context-private.h"

typedef struct {
  SegueContext context;
  const SegueCarrier *carrier;
  gpointer instance; /* the carrier's */
  gboolean opened;
} SegueLink;

/** segue_link_init: opens nothing.
 * @scope, @stage: borrowed for the link's life
 * @index: of the stage in its chain, for counters */
void segue_link_init (SegueLink *link, const SegueScope *scope, const SegueGraphStage *stage,
                      guint index);
/** segue_link_clear: closes it. */
void segue_link_clear (SegueLink *link);
/** segue_link_open: now, rather than with the first item; fine where it is. */
gboolean segue_link_open (SegueLink *link, GError **error);
/** segue_link_renew: after an item that failed: whatever it left behind goes. */
void segue_link_renew (SegueLink *link);
/** segue_link_preload: of one that is open: what songs will need is loaded now. */
void segue_link_preload (SegueLink *link);

void segue_link_begin_song (SegueLink *link, GCancellable *cancellable);
/** segue_link_process: of one that is open: what @item becomes goes to @emit, one after the other. */
gboolean segue_link_process (SegueLink *link, SegueItem *item, SegueEmitFunc emit,
                             gpointer emit_data, GError **error);
/** segue_link_end_song: what has seen the song goes. */
void segue_link_end_song (SegueLink *link);
