/* What the list of runs says of each: read from files that may be a stranger's, and remembered for as
 * long as these files stay the same.  One thread at a time. */
#pragma once

#include <gio/gio.h>
#include <jansson.h>

typedef struct _RunMemory RunMemory;

RunMemory *run_memory_new (void);
void run_memory_free (RunMemory *memory);
/** run_memory_begin: a new list: what none of the calls up to run_memory_end() asks for is forgotten. */
void run_memory_begin (RunMemory *memory);
void run_memory_end (RunMemory *memory);
/** run_memory_describe: (transfer full): `state`, `started`, `seconds`, `test` of the run in the folder
 * @run (a handle), which is called @place. */
json_t *run_memory_describe (RunMemory *memory, int run, const char *place,
                             GCancellable *cancellable);
