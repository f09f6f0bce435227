/* Descriptions of runs for the list: read from files that may be untrusted, and cached as long as
 * these files do not change. One thread at a time. */
#pragma once

#include <gio/gio.h>
#include <jansson.h>

typedef struct _RunMemory RunMemory;

RunMemory *run_memory_new (void);
void run_memory_free (RunMemory *memory);
/** run_memory_begin: begins a new list: entries that no call up to run_memory_end() uses are
 * dropped. */
void run_memory_begin (RunMemory *memory);
void run_memory_end (RunMemory *memory);
/** run_memory_describe: (transfer full): `state`, `started`, `seconds`, `test` of the run in the
 * folder @run (a descriptor), with the name @place. */
json_t *run_memory_describe (RunMemory *memory, int run, const char *place,
                             GCancellable *cancellable);
