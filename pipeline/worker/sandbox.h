/* What a worker gives up before it looks at anybody's file.
 *
 * Each layer is there where the platform has it: reading but system libraries (Landlock), the
 * network, new processes and writing (seccomp, through libseccomp), memory and file sizes (limits).
 * Where a layer is not there, the note says so, and the others hold. */
#pragma once

#include <glib.h>

/** sandbox_prepare: what holds from the first moment on. */
void sandbox_prepare (void);
/** sandbox_lock: #SegueWorkerLock; called by the thread that will do the work. */
char *sandbox_lock (GPtrArray *readable, guint64 memory);

/** landlock_lock: (nullable): %NULL: reading is limited to @readable, and writing denied; else why not. */
const char *landlock_lock (GPtrArray *readable);
/** deny_lock: (nullable): %NULL: system calls that a decoder does not need are denied; else why not. */
const char *deny_lock (void);
