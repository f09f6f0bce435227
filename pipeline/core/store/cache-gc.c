/* Which entries are removed, in which order, and how runs stay safe.
 *
 * Candidates are chosen from a walk without a lock. Each entry is then checked again, and removed, with
 * the gate closed (see users.h), in batches, so that runs wait only for milliseconds. */
#include "base/beneath.h"
#include "store/cache-limit.h"
#include "store/cache-walk.h"
#include "store/contents.h"
#include "store/users.h"

#include <errno.h>
#include <fcntl.h>
#include <segue/file.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NS     G_GINT64_CONSTANT (1000000000)
#define DAY_NS (86400 * NS)
#define BATCH  64 /* entries removed before the gate is opened for runs */
#define LEFT_NS                                                                                    \
  (3600 * NS) /* time to be renamed, for temporary files of writers that have no users file */
#define MAX_FILES (1000 * 1000) /* source files whose hashes are cached */

/* Lower is removed first; RANK_MAY entries only while the cache is too large. */
typedef enum { RANK_MUST, RANK_MAY, RANK_MAY_LAST } Rank;

typedef struct {
  SegueCacheEntry *entry;
  Rank rank;
  gint64 used;
} Candidate;

typedef struct {
  SegueCacheGcOptions options;
  GCancellable *cancellable;
  const char *folder;
  int cache, gate; /* handles; -1: the gate is open */
  guint in_batch;
  gint64 now;
  SegueLiveUsers live;
  GArray *candidates;
  SegueCacheFreed *freed;
  guint64 target; /* bytes that may remain */
} Gc;

/* A stamp more than a day in the future comes from a wrong clock. */
static gint64
age_stamp (const Gc *gc, const SegueCacheEntry *entry)
{
  return entry->used > gc->now + DAY_NS ? 0 : entry->used;
}

static gboolean
is_expired (const Gc *gc, const SegueCacheEntry *entry)
{
  return gc->options.older > 0 && age_stamp (gc, entry) < gc->now - gc->options.older * DAY_NS;
}

static gboolean
is_forgettable (const Gc *gc, const SegueCacheEntry *entry)
{
  if (!gc->options.check_files || !g_str_has_prefix (entry->path, "files/"))
    return FALSE;
  g_autofree char *memory = g_build_filename (gc->folder, entry->path, NULL);
  return segue_contents_is_gone (memory);
}

/* FALSE: it is kept. */
static gboolean
rank_entry (const Gc *gc, const SegueCacheEntry *entry, Rank *rank)
{
  *rank = RANK_MUST;
  if (entry->left)
    return TRUE;
  switch (entry->part) {
  case SEGUE_CACHE_RECORDS:
  case SEGUE_CACHE_RESULTS:
    *rank = gc->options.all || is_expired (gc, entry) ? RANK_MUST : RANK_MAY;
    return TRUE;
  case SEGUE_CACHE_STATE:
    *rank = gc->options.all || is_expired (gc, entry) || is_forgettable (gc, entry) ? RANK_MUST
                                                                                    : RANK_MAY_LAST;
    return TRUE;
  case SEGUE_CACHE_WORK:
    return gc->options.all || age_stamp (gc, entry) < gc->now - SEGUE_CACHE_WORK_DAYS * DAY_NS;
  case SEGUE_CACHE_OTHER:
  default:
    return gc->options.all;
  }
}

static int
compare_candidates (gconstpointer a, gconstpointer b)
{
  const Candidate *x = a, *y = b;
  if (x->rank != y->rank)
    return x->rank < y->rank ? -1 : 1;
  return x->used < y->used ? -1 : x->used > y->used;
}

static void
choose (Gc *gc, GArray *entries)
{
  guint n_files = 0;
  gc->candidates = g_array_new (FALSE, FALSE, sizeof (Candidate));
  for (guint i = 0; i < entries->len; i++) {
    SegueCacheEntry *entry = &g_array_index (entries, SegueCacheEntry, i);
    Candidate candidate = { .entry = entry, .used = age_stamp (gc, entry) };
    gc->freed->left += entry->bytes;
    if (!rank_entry (gc, entry, &candidate.rank))
      continue;
    n_files += entry->part == SEGUE_CACHE_STATE && candidate.rank == RANK_MAY_LAST;
    g_array_append_val (gc->candidates, candidate);
  }
  g_array_sort (gc->candidates, compare_candidates);
  /* Where there are too many, the oldest are first in the last rank. */
  for (guint i = 0; n_files > MAX_FILES && i < gc->candidates->len; i++) {
    Candidate *candidate = &g_array_index (gc->candidates, Candidate, i);
    if (candidate->rank != RANK_MAY_LAST)
      continue;
    candidate->rank = RANK_MUST;
    n_files--;
  }
}

static void
open_gate (Gc *gc)
{
  if (gc->gate >= 0)
    close (gc->gate);
  gc->gate = -1;
}

static gboolean
close_gate (Gc *gc, GError **error)
{
  if (gc->gate >= 0 && gc->in_batch++ < BATCH)
    return TRUE;
  open_gate (gc);
  gc->gate = segue_users_close_gate (gc->cache, gc->cancellable, error);
  if (gc->gate < 0)
    return FALSE;
  gc->in_batch = 0;
  gc->live = segue_users_list (gc->cache, !gc->options.dry_run);
  return TRUE;
}

/* With the gate closed: whether a run may need @entry in its current state. */
static gboolean
is_needed (const Gc *gc, const SegueCacheEntry *entry)
{
  if (entry->used >= gc->live.since)
    return TRUE;
  /* It is unknown which work a run will resume. */
  if (entry->part == SEGUE_CACHE_WORK && !entry->left)
    return gc->live.n > 0;
  return entry->left && entry->part == SEGUE_CACHE_OTHER && !gc->options.all &&
         entry->used > gc->now - LEFT_NS;
}

/* In a shared cache, segue may lack permission to remove some entries. */
static gboolean
is_not_ours (int err)
{
  return err == EACCES || err == EPERM;
}

/* Renames a folder so that no process finds it, before its files are removed. */
static gboolean
remove_folder (int parent, const char *name, const char *path, gboolean *gone, GError **error)
{
  g_autofree char *away =
    g_strdup_printf (SEGUE_FILE_TEMPORARY "%08x%08x", g_random_int (), g_random_int ());
  *gone = renameat (parent, name, parent, away) == 0;
  if (!*gone)
    return errno == ENOENT || is_not_ours (errno) ||
           segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "can't remove", path);
  return segue_beneath_remove (parent, away, path, error);
}

static gboolean
remove_work (int parent, const char *name, const char *path, gboolean *gone, GError **error)
{
  int lock;
  *gone = !segue_cache_is_locked (parent, name, &lock);
  gboolean ok = !*gone || segue_beneath_remove (parent, name, path, error);
  if (lock >= 0)
    close (lock);
  return ok;
}

static gboolean
remove_at (Gc *gc, int parent, const char *name, const SegueCacheEntry *entry, gboolean *gone,
           GError **error)
{
  *gone = TRUE;
  if (gc->options.dry_run)
    return TRUE;
  if (entry->part == SEGUE_CACHE_WORK && !entry->left)
    return remove_work (parent, name, entry->path, gone, error);
  if (entry->folder && !entry->left)
    return remove_folder (parent, name, entry->path, gone, error);
  if (unlinkat (parent, name, 0) == 0 || errno == ENOENT)
    return TRUE;
  /* A folder in the place of a file is left to users, or to `verify`. */
  if ((errno == EISDIR && !entry->left) || is_not_ours (errno))
    *gone = FALSE;
  else if (errno == EISDIR)
    return segue_beneath_remove (parent, name, entry->path, error);
  else
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "can't remove", entry->path);
  return TRUE;
}

/* With the gate closed. */
static gboolean
remove_entry (Gc *gc, const SegueCacheEntry *seen, GError **error)
{
  const char *name;
  SegueCacheEntry entry = *seen;
  gboolean gone = FALSE;
  int parent = segue_beneath_open_parent (gc->cache, seen->path, &name);
  if (parent < 0)
    return TRUE;
  gboolean ok = TRUE;
  if (segue_cache_measure (parent, name, &entry)) {
    if (is_needed (gc, &entry))
      gc->freed->in_use += entry.bytes;
    /* One that was used in the meantime is no longer the oldest. */
    else if (entry.inode == seen->inode && entry.used == seen->used)
      ok = remove_at (gc, parent, name, &entry, &gone, error);
  }
  close (parent);
  if (!ok || !gone)
    return ok;
  gc->freed->parts[seen->left ? SEGUE_CACHE_OTHER : seen->part].n++;
  gc->freed->parts[seen->left ? SEGUE_CACHE_OTHER : seen->part].bytes += entry.bytes;
  gc->freed->n++;
  gc->freed->bytes += entry.bytes;
  gc->freed->left -= MIN (gc->freed->left, entry.bytes);
  return TRUE;
}

static gboolean
remove_candidates (Gc *gc, GError **error)
{
  for (guint i = 0; i < gc->candidates->len; i++) {
    const Candidate *candidate = &g_array_index (gc->candidates, Candidate, i);
    if (candidate->rank != RANK_MUST && gc->freed->left <= gc->target)
      break;
    if (g_cancellable_is_cancelled (gc->cancellable)) {
      g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
      return FALSE;
    }
    if (!close_gate (gc, error) || !remove_entry (gc, candidate->entry, error))
      return FALSE;
    if (gc->options.progress)
      gc->options.progress (gc->options.data, i + 1, gc->candidates->len);
  }
  return TRUE;
}

static gboolean
find_target (Gc *gc, guint64 bytes, GError **error)
{
  if (gc->options.limit)
    gc->freed->limit = *gc->options.limit;
  else if (!segue_cache_limit (gc->folder, bytes, &gc->freed->limit, NULL, error))
    return FALSE;
  gc->target = MIN (gc->freed->limit, bytes - MIN (bytes, gc->options.room));
  return TRUE;
}

static gboolean
collect (Gc *gc, GError **error)
{
  g_autoptr (SegueCacheWalk) walk = segue_cache_walk (gc->cache, gc->cancellable, error);
  if (!walk)
    return FALSE;
  gc->now = g_get_real_time () * 1000;
  choose (gc, segue_cache_walk_get_entries (walk));
  /* Also where there is nothing to remove: this removes the users files of killed runs. */
  gboolean ok = find_target (gc, gc->freed->left, error) && close_gate (gc, error) &&
                remove_candidates (gc, error);
  open_gate (gc);
  g_array_unref (gc->candidates);
  return ok;
}

gboolean
segue_cache_gc (const char *folder, const SegueCacheGcOptions *options, SegueCacheFreed *freed,
                GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *path = NULL;
  SegueCacheFreed whole = { .struct_size = freed ? freed->struct_size : 0 };
  Gc gc = { .cancellable = cancellable, .gate = -1, .freed = &whole };
  if (options)
    memcpy (&gc.options, options, MIN (options->struct_size, sizeof gc.options));
  gc.cache = segue_cache_open (folder, &path, &local);
  gc.folder = path;
  gboolean ok = !local && (gc.cache < 0 || collect (&gc, &local));
  if (gc.cache >= 0)
    close (gc.cache);
  if (freed)
    memcpy (freed, &whole, MIN (whole.struct_size, sizeof whole));
  if (!ok)
    g_propagate_error (error, g_steal_pointer (&local));
  return ok;
}
