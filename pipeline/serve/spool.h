/* Where a song lies while it arrives and is heard: a file without a name, which goes with the last
 * process that has it open, however that ends. */
#pragma once

#include "problem.h"

/** spool_open: a new one, in $TMPDIR; -1 with errno. */
int spool_open (void);
/** spool_append: what is wrong, or %PROBLEM_NONE. */
ProblemKind spool_append (int fd, const void *data, gsize length);
