/* The store: records by key, shared by all runs that use one cache (internal).
 *
 *   <cache>/records/ab/cdef…   results of chains, see record.h, and predictions, see prediction-cache.h
 *   <cache>/results/ab/cdef…/  results of other stages, see result.h
 *   <cache>/files/ab/cdef…     hashes of source files, see contents.h
 *   <cache>/units/…            the last state of a pipeline's chains and stages, see step-state.h
 *   <cache>/work/<key>/        scratch and checkpoints of stages that are not finished
 *   <cache>/users/…            the processes that use it, see users.h
 *
 * Records are written completely and renamed into place: any number of processes may share a cache.
 * The mtime of a record or result is when it was last used: the least recently used is removed first. */
#pragma once

#include "store/record.h"
#include "store/result.h"
#include <segue/host/cache.h>

typedef struct _SegueStore SegueStore;

/** segue_store_open: @folder: (nullable): $SEGUE_CACHE, else $XDG_CACHE_HOME/segue. One per run;
 * any thread. */
SegueStore *segue_store_open (const char *folder, GError **error);
void segue_store_free (SegueStore *store);
/** segue_store_find_folder: (transfer full): the one that segue_store_open() uses. */
char *segue_store_find_folder (const char *folder);
/** segue_store_get_warning: (nullable): a warning about the folder for users: that others may write to it. */
const char *segue_store_get_warning (SegueStore *store);
const char *segue_store_get_folder (SegueStore *store);
/** segue_store_get_contents_folder: for segue_contents_key(). */
const char *segue_store_get_contents_folder (SegueStore *store);
/** segue_store_get_path: (transfer full): where the record of @key is stored. */
char *segue_store_get_path (SegueStore *store, const char *key);

/**
 * segue_store_use: whether there is a file at @path in the cache (`results/ab/cdef…/result`).
 *
 * It is stamped with the time, and neither it nor the folder of its key is removed while the store is
 * open: to be called before it is read. %FALSE with an error: the environment. Where another process
 * does not release a lock, the result is %FALSE.
 */
gboolean segue_store_use (SegueStore *store, const char *path, GError **error);
/** segue_store_use_written: segue_store_use() for a file that was just written, which always exists. */
void segue_store_use_written (SegueStore *store, const char *path);
/**
 * segue_store_read: (transfer full) (nullable):
 * @problem: (out) (nullable): (transfer full): where a record exists but can't be used: the reason
 *
 * %NULL without an error: there is none that can be used. %NULL with an error: the environment
 * (memory, file handles) is exhausted.
 * @verify: also check the payload, once for each store
 */
SegueRecord *segue_store_read (SegueStore *store, const char *key, gboolean verify, char **problem,
                               GError **error);
/** segue_store_forget: the record of @key will not be requested again: frees the notes that avoid stamping
 * and checking it twice. The record stays. */
void segue_store_forget (SegueStore *store, const char *key);
/** segue_store_write: under content->key. Where the disk is full, the least recently used is removed. */
gboolean segue_store_write (SegueStore *store, const SegueRecordContent *content, GError **error);

/** segue_store_get_result_path: (transfer full): where the result of @key is stored: a folder. */
char *segue_store_get_result_path (SegueStore *store, const char *key);
/** segue_store_read_result: like segue_store_read(); its files are checked when they are copied. */
SegueResult *segue_store_read_result (SegueStore *store, const char *key, char **problem,
                                      GError **error);
/** segue_store_write_result: under result->key; see segue_result_write(). */
gboolean segue_store_write_result (SegueStore *store, SegueResult *result, GPtrArray *payloads,
                                   const char *files_folder, GHashTable *twins, gboolean replace,
                                   GCancellable *cancellable, GError **error);
/** segue_store_write_reads: the names of metadata that results of base key @key depend on. */
gboolean segue_store_write_reads (SegueStore *store, const char *key, const char *const *names,
                                  GError **error);

/** segue_store_note_written: the store has grown. */
void segue_store_note_written (SegueStore *store);
/** segue_store_has_room: whether @bytes are free on the cache's disk. */
gboolean segue_store_has_room (SegueStore *store, guint64 bytes);
/** segue_store_make_room: frees @bytes on the cache's disk by removing the least recently used entries;
 * %SEGUE_ERROR_IO where that is not enough. @what: their purpose, in words */
gboolean segue_store_make_room (SegueStore *store, guint64 bytes, const char *what, GError **error);
/** segue_store_tidy: where @store was written to, reduces the cache to its limit by removing entries
 * that were not used while it was open. @freed: (out): what was removed, also on error */
gboolean segue_store_tidy (SegueStore *store, SegueCacheFreed *freed, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueStore, segue_store_free)
