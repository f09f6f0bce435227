/* The formats of items, models and predictions: whether they fit. */
#pragma once

#include <segue/format.h>
#include <segue/stage.h>

/** evaluate_negotiate: the stage's negotiate (). */
gboolean evaluate_negotiate (const void *config, SegueNegotiation *negotiation, GError **error);
/** combine_negotiate: likewise. */
gboolean combine_negotiate (const void *config, SegueNegotiation *negotiation, GError **error);
