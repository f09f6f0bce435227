/* The cache: what it holds, how large it may grow, what goes first, whether it is whole.
 *
 * A cache only ever holds what can be computed again, but for the checkpoints of work that is not
 * finished.  Any number of processes may use one at a time.  `@folder` is %NULL for the usual place:
 * `$SEGUE_CACHE`, else `$XDG_CACHE_HOME/segue`.
 */
#pragma once

#include <gio/gio.h>
#include <segue/error.h>

G_BEGIN_DECLS

/**
 * SegueCachePart:
 * @SEGUE_CACHE_RECORDS: what chains of stages made of songs, and what models said of them
 * @SEGUE_CACHE_RESULTS: what other stages made
 * @SEGUE_CACHE_MEMORY: hashes of source files, and what chains were when they last ran
 * @SEGUE_CACHE_WORK: checkpoints and scratch files of work that is not finished
 * @SEGUE_CACHE_OTHER: leftovers of runs that were killed, and what libraries keep here
 */
typedef enum {
  SEGUE_CACHE_RECORDS,
  SEGUE_CACHE_RESULTS,
  SEGUE_CACHE_MEMORY,
  SEGUE_CACHE_WORK,
  SEGUE_CACHE_OTHER,
  SEGUE_CACHE_N_PARTS
} SegueCachePart;

/** segue_cache_part_to_string: "records", … */
SEGUE_API
const char *segue_cache_part_to_string (SegueCachePart part);

/** SegueCacheProgress: @done of @total bytes or entries; in the thread of the call. */
typedef void (*SegueCacheProgress) (gpointer data, guint64 done, guint64 total);

/* ---- What it holds ---- */

/** SegueCacheTally: @bytes: on the disk; @oldest, @newest: when an entry was last used, in s since
 * 1970; 0 where there is none. */
typedef struct {
  guint64 n, bytes;
  gint64 oldest, newest;
} SegueCacheTally;

/** SegueCacheWork: @about: (nullable): which stage of which pipeline; @used: s since 1970. */
typedef struct {
  char *name, *about;
  guint64 bytes;
  gint64 used;
  gboolean in_use;
} SegueCacheWork;

/**
 * SegueCacheInfo:
 * @limit: bytes that runs let it grow to
 * @limit_is_set: by $SEGUE_CACHE_SIZE, rather than by the size of the disk
 * @disk_free, @disk_size: of the file system
 * @n_users: runs that are using it now
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

/** segue_cache_info: (transfer full): changes nothing; a folder that is not there is an empty cache. */
SEGUE_API
SegueCacheInfo *segue_cache_info (const char *folder, GCancellable *cancellable, GError **error);
SEGUE_API
void segue_cache_info_free (SegueCacheInfo *info);

/** segue_cache_parse_size: "50G": a whole number with K, M, G or T (powers of 1000) or without.
 * %SEGUE_ERROR_USAGE for anything else. */
SEGUE_API
gboolean segue_cache_parse_size (const char *text, guint64 *bytes, GError **error);

/* ---- What goes ---- */

/** SEGUE_CACHE_WORK_DAYS: a checkpoint that nobody has touched for so long goes. */
#define SEGUE_CACHE_WORK_DAYS 30

/**
 * SegueCacheGcOptions:
 * @limit: (nullable): bytes that may stay; %NULL: see #SegueCacheInfo
 * @older: what was not used for so many days goes whatever its size; 0: nothing
 * @room: remove at least so many bytes, whatever the limit is
 * @all: everything, checkpoints of unfinished work, too
 * @check_files: forget hashes of files that are gone
 * @dry_run: only say what would go
 * @progress: (nullable): in entries
 *
 * Entries used since the oldest active run started are never removed; while any run is active, neither are
 * checkpoints.  Leftovers of killed runs and checkpoints of %SEGUE_CACHE_WORK_DAYS are removed first, then
 * records and results, the least recently used first, then remembered hashes.
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

/** SegueCacheFreed: @parts: what went (oldest and newest are not filled in); @bytes: of all of it;
 * @left: bytes that stay; @in_use: bytes of these that running work may need; @limit: as it was
 * applied. */
typedef struct {
  gsize struct_size;
  guint64 n, bytes, left, in_use, limit;
  SegueCacheTally parts[SEGUE_CACHE_N_PARTS];
} SegueCacheFreed;

/** segue_cache_gc: @options, @cancellable: nullable.  What is removed before an error or a cancel stays
 * removed.  Runs that begin in the meantime wait, for milliseconds at a time. */
SEGUE_API
gboolean segue_cache_gc (const char *folder, const SegueCacheGcOptions *options,
                         SegueCacheFreed *freed, GCancellable *cancellable, GError **error);

/* ---- Whether it is whole ---- */

/**
 * SegueCacheVerifyOptions:
 * @repair: remove what is damaged: it is recomputed when it is needed
 * @damaged: (nullable): called for each, with its path in the cache
 * @progress: (nullable): in bytes
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

/** segue_cache_verify: reads every record and result and holds it against its checksums.  Damage is no
 * error. */
SEGUE_API
gboolean segue_cache_verify (const char *folder, const SegueCacheVerifyOptions *options,
                             SegueCacheVerified *verified, GCancellable *cancellable,
                             GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueCacheInfo, segue_cache_info_free)

G_END_DECLS
