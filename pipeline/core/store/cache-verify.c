/* Reads everything once, and reports what differs from what was written. */
#include "base/beneath.h"
#include "store/cache-walk.h"
#include "store/record.h"
#include "store/result.h"
#include "store/shard.h"
#include "store/users.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  SegueCacheVerifyOptions options;
  GCancellable *cancellable;
  int cache;
  const char *folder;
  guint64 total;
  SegueCacheVerified *verified;
} Verify;

/* Records and results are stored at <part>/ab/cdef…. */
static char *
key_of (const SegueCacheEntry *entry)
{
  g_auto (GStrv) parts = g_strsplit (entry->path, "/", 3);
  return g_strv_length (parts) == 3 ? segue_shard_key (parts[1], parts[2]) : NULL;
}

static gboolean
check_content (Verify *verify, const SegueCacheEntry *entry, GError **error)
{
  g_autofree char *key = key_of (entry);
  g_autofree char *path = g_build_filename (verify->folder, entry->path, NULL);
  if (entry->part == SEGUE_CACHE_RESULTS)
    return segue_result_verify (path, key, verify->cancellable, error);
  g_autoptr (SegueRecord) record = segue_record_read (path, key, TRUE, verify->cancellable, error);
  return record != NULL;
}

/* TRUE: damaged, and @why; any other failure is an @error. */
static gboolean
is_damaged (Verify *verify, const SegueCacheEntry *entry, char **why, GError **error)
{
  g_autoptr (GError) local = NULL;
  if (entry->odd)
    *why = g_strdup_printf ("not a %s", entry->folder ? "folder" : "file");
  else if (check_content (verify, entry, &local))
    return FALSE;
  else if (g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_DATA) ||
           g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_IO))
    *why = g_strdup (local->message);
  else if (g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT)) {
    /* An entry removed in the meantime is not damage; an unreadable one is. */
    g_autofree char *path = g_build_filename (verify->folder, entry->path, NULL);
    if (!g_file_test (path, entry->folder ? G_FILE_TEST_IS_DIR : G_FILE_TEST_IS_REGULAR))
      return FALSE;
    *why = g_strdup (local->message);
  } else {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  return TRUE;
}

/* Removes only what was checked, and nothing that a run looked up: that run recomputes it. */
static gboolean
repair (Verify *verify, const SegueCacheEntry *seen, GError **error)
{
  const char *name;
  SegueCacheEntry entry = *seen;
  int gate = segue_users_close_gate (verify->cache, verify->cancellable, error);
  if (gate < 0)
    return FALSE;
  SegueLiveUsers live = segue_users_list (verify->cache, TRUE);
  int parent = segue_beneath_open_parent (verify->cache, seen->path, &name);
  gboolean ok = TRUE;
  if (parent >= 0 && segue_cache_measure (parent, name, &entry) && entry.inode == seen->inode &&
      entry.used < live.since) {
    ok = segue_beneath_remove (parent, name, seen->path, error);
    verify->verified->n_removed += ok;
  }
  if (parent >= 0)
    close (parent);
  close (gate);
  return ok;
}

static gboolean
check_entry (Verify *verify, const SegueCacheEntry *entry, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *why = NULL;
  gboolean damaged = is_damaged (verify, entry, &why, &local);
  if (local) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  verify->verified->n++;
  verify->verified->bytes += entry->bytes;
  if (verify->options.progress)
    verify->options.progress (verify->options.data, verify->verified->bytes, verify->total);
  if (!damaged)
    return TRUE;
  verify->verified->n_damaged++;
  if (verify->options.damaged)
    verify->options.damaged (verify->options.data, entry->path, why);
  return !verify->options.repair || repair (verify, entry, error);
}

static gboolean
is_checked (const SegueCacheEntry *entry)
{
  return !entry->left && (entry->part == SEGUE_CACHE_RECORDS || entry->part == SEGUE_CACHE_RESULTS);
}

static gboolean
check_all (Verify *verify, GError **error)
{
  g_autoptr (SegueCacheWalk) walk = segue_cache_walk (verify->cache, verify->cancellable, error);
  if (!walk)
    return FALSE;
  GArray *entries = segue_cache_walk_get_entries (walk);
  for (guint i = 0; i < entries->len; i++) {
    const SegueCacheEntry *entry = &g_array_index (entries, SegueCacheEntry, i);
    verify->total += is_checked (entry) ? entry->bytes : 0;
  }
  for (guint i = 0; i < entries->len; i++) {
    const SegueCacheEntry *entry = &g_array_index (entries, SegueCacheEntry, i);
    if (g_cancellable_is_cancelled (verify->cancellable)) {
      g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
      return FALSE;
    }
    if (is_checked (entry) && !check_entry (verify, entry, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
segue_cache_verify (const char *folder, const SegueCacheVerifyOptions *options,
                    SegueCacheVerified *verified, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *path = NULL;
  SegueCacheVerified whole = { .struct_size = verified ? verified->struct_size : 0 };
  Verify verify = { .cancellable = cancellable, .verified = &whole };
  if (options)
    memcpy (&verify.options, options, MIN (options->struct_size, sizeof verify.options));
  verify.cache = segue_cache_open (folder, &path, &local);
  verify.folder = path;
  gboolean ok = !local && (verify.cache < 0 || check_all (&verify, &local));
  if (verify.cache >= 0)
    close (verify.cache);
  if (verified)
    memcpy (verified, &whole, MIN (whole.struct_size, sizeof whole));
  if (!ok)
    g_propagate_error (error, g_steal_pointer (&local));
  return ok;
}
