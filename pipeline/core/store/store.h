/* The store: records by key, shared by all runs on one cache (internal).
 *
 *   <cache>/records/ab/cdef…   results of chains, see record.h
 *   <cache>/files/ab/cdef…     hashes of source files, see contents.h
 *   <cache>/chains/…           what a pipeline's chain last was, see chain-memory.h
 *   <cache>/work/<key>/        scratch and checkpoints of stages that are not finished
 *
 * Records are written whole and renamed into place: any number of processes may share a cache. */
#pragma once

#include "record.h"

typedef struct _SegueStore SegueStore;

/** segue_store_open: @folder: (nullable): $SEGUE_CACHE, else $XDG_CACHE_HOME/segue.  One for a run;
 * any thread. */
SegueStore *segue_store_open (const char *folder, GError **error);
void segue_store_free (SegueStore *store);
const char *segue_store_get_folder (SegueStore *store);
/** segue_store_get_contents_folder: for segue_contents_key(). */
const char *segue_store_get_contents_folder (SegueStore *store);
/** segue_store_get_path: (transfer full): where the record of @key lies. */
char *segue_store_get_path (SegueStore *store, const char *key);

/**
 * segue_store_read: (transfer full) (nullable):
 * @problem: (out) (nullable): (transfer full): where a record is there but can't be used: why
 *
 * %NULL without an error: there is none that can be used.  %NULL with an error: the environment
 * (memory, file handles) is at its end.  The payload is checked once for each store.
 */
SegueRecord *segue_store_read (SegueStore *store, const char *key, char **problem, GError **error);
/** segue_store_write: under content->key. */
gboolean segue_store_write (SegueStore *store, const SegueRecordContent *content, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueStore, segue_store_free)
