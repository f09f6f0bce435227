/* The store: records by key, shared by all runs on one cache (internal).
 *
 *   <cache>/records/ab/cdef…   results of chains, see record.h, and answers, see answers.h
 *   <cache>/results/ab/cdef…/  results of other stages, see result.h
 *   <cache>/files/ab/cdef…     hashes of source files, see contents.h
 *   <cache>/units/…            what a pipeline's chains and stages last were, see unit-memory.h
 *   <cache>/work/<key>/        scratch and checkpoints of stages that are not finished
 *   <cache>/users/…            who is using it, see users.h
 *
 * Records are written whole and renamed into place: any number of processes may share a cache.  The
 * mtime of a record or result is when it was last used: what was not for longest goes first. */
#pragma once

#include "store/record.h"
#include "store/result.h"
#include <segue/cache.h>

typedef struct _SegueStore SegueStore;

/** segue_store_open: @folder: (nullable): $SEGUE_CACHE, else $XDG_CACHE_HOME/segue.  One for a run;
 * any thread. */
SegueStore *segue_store_open (const char *folder, GError **error);
void segue_store_free (SegueStore *store);
/** segue_store_find_folder: (transfer full): the one that segue_store_open() takes. */
char *segue_store_find_folder (const char *folder);
/** segue_store_get_warning: (nullable): what people should know of the folder: that others may write to it. */
const char *segue_store_get_warning (SegueStore *store);
const char *segue_store_get_folder (SegueStore *store);
/** segue_store_get_contents_folder: for segue_contents_key(). */
const char *segue_store_get_contents_folder (SegueStore *store);
/** segue_store_get_path: (transfer full): where the record of @key lies. */
char *segue_store_get_path (SegueStore *store, const char *key);

/**
 * segue_store_use: whether there is a file at @path in the cache (`results/ab/cdef…/header`).
 *
 * It is stamped with the time, and nobody removes it, nor the folder of a key that it lies in, while the
 * store is open: to be called before it is read.  %FALSE with an error: the environment.  Where another
 * process does not let go of a lock, nothing is there.
 */
gboolean segue_store_use (SegueStore *store, const char *path, GError **error);
/** segue_store_use_written: segue_store_use() for what was just written, which is there in any case. */
void segue_store_use_written (SegueStore *store, const char *path);
/**
 * segue_store_read: (transfer full) (nullable):
 * @problem: (out) (nullable): (transfer full): where a record is there but can't be used: why
 *
 * %NULL without an error: there is none that can be used.  %NULL with an error: the environment
 * (memory, file handles) is at its end.
 * @verify: the payload is checked, too, once for each store
 */
SegueRecord *segue_store_read (SegueStore *store, const char *key, gboolean verify, char **problem,
                               GError **error);
/** segue_store_forget: nobody will ask for the record of @key again: what is remembered of it, so that it
 * need not be stamped and checked twice, goes.  The record stays. */
void segue_store_forget (SegueStore *store, const char *key);
/** segue_store_write: under content->key.  Where the disk is full, what was not used for longest goes. */
gboolean segue_store_write (SegueStore *store, const SegueRecordContent *content, GError **error);

/** segue_store_get_result_path: (transfer full): where the result of @key lies: a folder. */
char *segue_store_get_result_path (SegueStore *store, const char *key);
/** segue_store_read_result: as segue_store_read(); its files are checked when they are copied. */
SegueResult *segue_store_read_result (SegueStore *store, const char *key, char **problem,
                                      GError **error);
/** segue_store_write_result: under result->key; see segue_result_write(). */
gboolean segue_store_write_result (SegueStore *store, SegueResult *result, GPtrArray *payloads,
                                   const char *files_folder, gboolean replace,
                                   GCancellable *cancellable, GError **error);
/** segue_store_write_reads: the names of metadata that results of base key @key depend on. */
gboolean segue_store_write_reads (SegueStore *store, const char *key, const char *const *names,
                                  GError **error);

/** segue_store_note_written: the store has become larger. */
void segue_store_note_written (SegueStore *store);
/** segue_store_has_room: whether @bytes are free on the cache's disk. */
gboolean segue_store_has_room (SegueStore *store, guint64 bytes);
/** segue_store_make_room: that @bytes are free on the cache's disk, at the cost of what was not used
 * for longest; %SEGUE_ERROR_IO where that does not do.  @what: that they are needed for, in words */
gboolean segue_store_make_room (SegueStore *store, guint64 bytes, const char *what, GError **error);
/** segue_store_tidy: where @store was written to, brings the cache down to its limit, at the cost of
 * what was not used while it was open.  @freed: (out): what went, also on error */
gboolean segue_store_tidy (SegueStore *store, SegueCacheFreed *freed, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueStore, segue_store_free)
