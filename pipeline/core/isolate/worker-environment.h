/* What a worker gets of this process's environment (internal). */
#pragma once

#include <glib.h>

/** segue_worker_environment: (transfer full): the variables that loading libraries and decoding need;
 * tokens, keys and whatever else people keep in their environment stay here.  $SEGUE_WORKER_ENV names
 * more of them, with commas.
 * @all: as environ */
GStrv segue_worker_environment (char **all);
