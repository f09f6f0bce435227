/* A stage of a chain, carried out by processes of its own (internal).
 *
 * Each song has a fresh process: one that a file has taken over sees no other song.  The next one
 * opens its stage while the song at hand is worked on, so that this costs no time.  A process that
 * crashes, hangs or talks nonsense costs the item at hand; a crash is tried once more in another
 * process, since only what happens twice is the item's fault.
 *
 * A LIVE stage sees single segments, millions of them: it keeps its process, and what its process
 * makes is never stored. */
/* SEGUE_API marks what libsegue-testing calls; none of it is installed. */
#pragma once

#include "stage/scope.h"

/** segue_isolated_carrier: carries out stages whose plugins have a file that another process can load.  It
 * starts the first process when it is opened, and does not wait for it: what the stage's open () has to say is
 * said by the first item. */
SEGUE_API
const SegueCarrier *segue_isolated_carrier (void);
