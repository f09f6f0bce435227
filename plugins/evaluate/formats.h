/* The formats of the items and of the model that are evaluated: whether they fit. */
#pragma once

#include <segue/format.h>
#include <segue/stage.h>

/** evaluate_negotiate: the stage's negotiate (). */
gboolean evaluate_negotiate (const void *config, SegueNegotiation *negotiation, GError **error);
