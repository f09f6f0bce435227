/* The cache, for hosts: its contents, its size limit, the order in which entries are removed, and verification.
 *
 * A cache contains only data that can be recomputed, except for the checkpoints of unfinished work.
 * Any number of processes may use one at the same time. `@folder` is %NULL for the default location:
 * `$SEGUE_CACHE`, else `$XDG_CACHE_HOME/segue`.
 */
#pragma once

#include <gio/gio.h>
#include <segue/error.h>

G_BEGIN_DECLS

/**
 * SegueCachePart:
 * @SEGUE_CACHE_RECORDS: output of chains of stages for songs, and predictions of models for songs
 * @SEGUE_CACHE_RESULTS: output of other stages
 * @SEGUE_CACHE_STATE: hashes of source files, and the state of chains when they last ran
 * @SEGUE_CACHE_WORK: checkpoints and scratch files of unfinished work
 * @SEGUE_CACHE_OTHER: leftovers of runs that were killed, and files that libraries keep here
 */
typedef enum {
  SEGUE_CACHE_RECORDS,
  SEGUE_CACHE_RESULTS,
  SEGUE_CACHE_STATE,
  SEGUE_CACHE_WORK,
  SEGUE_CACHE_OTHER,
  SEGUE_CACHE_N_PARTS
} SegueCachePart;

/** segue_cache_part_to_string: "records", … */
SEGUE_API
const char *segue_cache_part_to_string (SegueCachePart part);

/** SegueCacheProgress: @done of @total bytes or entries; called in the thread of the caller. */
typedef void (*SegueCacheProgress) (gpointer data, guint64 done, guint64 total);

/* ---- Contents ---- */

/** SegueCacheTally: @bytes: on the disk; @oldest, @newest: when an entry was last used, in s since
 * 1970; 0 if there is no entry. */
typedef struct {
  guint64 n, bytes;
  gint64 oldest, newest;
} SegueCacheTally;

/** SegueCacheWork: @about: (nullable): stage and pipeline; @used: time of last use, s since 1970. */
typedef struct {
  char *name, *about;
  guint64 bytes;
  gint64 used;
  gboolean in_use;
} SegueCacheWork;

/**
 * SegueCacheInfo:
 * @limit: maximum size in bytes that runs allow
 * @limit_is_set: @limit was set by $SEGUE_CACHE_SIZE, not derived from the size of the disk
 * @disk_free, @disk_size: of the file system, in bytes
 * @n_users: number of runs that are using the cache now
 * @work: #SegueCacheWork array
 */
typedef struct {
  char *folder;
  SegueCacheTally parts[SEGUE_CACHE_N_PARTS];
  guint64 bytes, limit, disk_free, disk_size;
  gboolean limit_is_set;
  guint n_users;
  GPtrArray *work;
} SegueCacheInfo;

/** segue_cache_info: (transfer full): changes nothing; a missing folder counts as an empty cache. */
SEGUE_API
SegueCacheInfo *segue_cache_info (const char *folder, GCancellable *cancellable, GError **error);
SEGUE_API
void segue_cache_info_free (SegueCacheInfo *info);

/** segue_cache_parse_size: "50G": a whole number, optionally with a suffix K, M, G or T (powers of 1000).
 * %SEGUE_ERROR_USAGE for anything else. */
SEGUE_API
gboolean segue_cache_parse_size (const char *text, guint64 *bytes, GError **error);

/* ---- Removal ---- */

/** SEGUE_CACHE_WORK_DAYS: a checkpoint that was not used for this many days is removed. */
#define SEGUE_CACHE_WORK_DAYS 30

/**
 * SegueCacheGcOptions:
 * @limit: (nullable): maximum size after the call in bytes; %NULL: see #SegueCacheInfo
 * @older: remove records, results and hashes that were not used for this many days, whatever the limit
 *   is; 0: none
 * @room: remove at least this many bytes, whatever the limit is
 * @all: remove everything, including checkpoints of unfinished work
 * @check_files: remove hashes of files that no longer exist
 * @dry_run: only report what would be removed
 * @progress: (nullable): counts entries
 *
 * Entries used since the oldest active run started are never removed; while any run is active, neither are
 * checkpoints. Leftovers of killed runs and checkpoints older than %SEGUE_CACHE_WORK_DAYS are removed first,
 * then records and results, the least recently used first, then remembered hashes.
 */
typedef struct {
  gsize struct_size;
  const guint64 *limit;
  guint older;
  guint64 room;
  gboolean all, check_files, dry_run;
  SegueCacheProgress progress;
  gpointer data;
} SegueCacheGcOptions;

/** SegueCacheFreed: @parts: what was removed (oldest and newest are not filled in); @bytes: the total of it;
 * @left: bytes that remain; @in_use: how many of these running work may need; @limit: the limit that was
 * applied. */
typedef struct {
  gsize struct_size;
  guint64 n, bytes, left, in_use, limit;
  SegueCacheTally parts[SEGUE_CACHE_N_PARTS];
} SegueCacheFreed;

/** segue_cache_gc: @options, @cancellable: nullable. Entries removed before an error or cancellation stay
 * removed. Runs that start in the meantime wait, for milliseconds at a time. */
SEGUE_API
gboolean segue_cache_gc (const char *folder, const SegueCacheGcOptions *options,
                         SegueCacheFreed *freed, GCancellable *cancellable, GError **error);

/* ---- Verification ---- */

/**
 * SegueCacheVerifyOptions:
 * @repair: remove damaged entries; they are recomputed when needed
 * @damaged: (nullable): called for each damaged entry, with its path in the cache
 * @progress: (nullable): counts bytes
 */
typedef struct {
  gsize struct_size;
  gboolean repair;
  void (*damaged) (gpointer data, const char *path, const char *reason);
  SegueCacheProgress progress;
  gpointer data;
} SegueCacheVerifyOptions;

typedef struct {
  gsize struct_size;
  guint64 n, bytes, n_damaged, n_removed;
} SegueCacheVerified;

/** segue_cache_verify: reads every record and result and verifies its checksums. Damage is not an
 * error. */
SEGUE_API
gboolean segue_cache_verify (const char *folder, const SegueCacheVerifyOptions *options,
                             SegueCacheVerified *verified, GCancellable *cancellable,
                             GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueCacheInfo, segue_cache_info_free)

G_END_DECLS
