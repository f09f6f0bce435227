/* A stage of a chain that runs in separate processes (internal).
 *
 * Each song has a new process: a process that a file has taken over sees no other song. The next
 * process opens its stage while the current song is processed, so that this costs no time. A
 * process that crashes, hangs or sends invalid messages fails the current item; a crash is retried
 * once in another process, since only a failure that repeats is the item's fault.
 *
 * A LIVE stage sees single segments, millions of them: it keeps its process, and its output is
 * never stored. */
/* SEGUE_API marks what libsegue-testing calls; none of it is installed. */
#pragma once

#include "stage/scope.h"

/** segue_isolated_carrier: runs stages whose plugins have a file that another process can load. It
 * starts the first process when it is opened, and does not wait for it: the first item reports
 * errors of the stage's open (). */
SEGUE_API
const SegueCarrier *segue_isolated_carrier (void);
