/* The file of a song while it is received and classified: it has no name, and is removed when the
 * last process closes it, however that ends. */
#pragma once

#include "problem.h"

/** spool_open: a new file, in $TMPDIR; -1 with errno. */
int spool_open (void);
/** spool_append: the problem, or %PROBLEM_NONE. */
ProblemKind spool_append (int fd, const void *data, gsize length);
