/* The environment variables that a worker gets (internal). */
#pragma once

#include <glib.h>

/** segue_worker_environment: (transfer full): the variables that loading libraries and decoding
 * need, but no tokens, keys or other private variables.  $SEGUE_WORKER_ENV names more of them,
 * separated by commas.
 * @all: as environ */
GStrv segue_worker_environment (char **all);
