/* What is before the tested stage: a stage that has the test's items, for negotiation (internal). */
#pragma once

#include "graph/graph.h"

typedef struct _SegueBefore SegueBefore;

/** segue_before_new: nothing is connected to @stage (borrowed) yet. */
SegueBefore *segue_before_new (SegueGraphStage *stage);
void segue_before_free (SegueBefore *before);
/** segue_before_get_stages: (transfer none) (element-type SegueGraphStage): a pipeline of both stages. */
GPtrArray *segue_before_get_stages (SegueBefore *before);

/** segue_before_connect: @items go to input @port. @more: in addition to those that are there. */
void segue_before_connect (SegueBefore *before, guint port, SegueItem *const *items, guint n_items,
                           gboolean more);
/** segue_before_forget_length: of the items on input @port. */
void segue_before_forget_length (SegueBefore *before, guint port);
/** segue_before_negotiate: as `segue check` does: what is emitted from now on is compared with the result. */
gboolean segue_before_negotiate (SegueBefore *before, SegueRegistry *registry, GError **error);
