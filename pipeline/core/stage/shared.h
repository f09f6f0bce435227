/* One instance of a MAP stage for all chains of a scope: SEGUE_STAGE_SHARED (internal). */
#pragma once

#include "stage/scope.h"

/* SEGUE_API marks what libsegue-testing calls; none of it is installed. */
/** segue_shared_new: (transfer full): no instances yet. Any thread may use it. */
SEGUE_API
SegueShared *segue_shared_new (void);
/** segue_shared_free: all links that use it are closed. */
SEGUE_API
void segue_shared_free (SegueShared *shared);

/** segue_shared_carrier: runs the stage in this process, in the instance of the scope's #SegueShared. The first link
 * that opens makes it, the last one that closes frees it. */
extern const SegueCarrier segue_shared_carrier;
