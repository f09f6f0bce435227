/* The contents of a cache. */
#include "base/beneath.h"
#include "store/cache-limit.h"
#include "store/cache-walk.h"
#include "store/users.h"
#include "store/work-about.h"

#include <string.h>
#include <unistd.h>

#define NS 1000000000

const char *
segue_cache_part_to_string (SegueCachePart part)
{
  static const char *const names[] = {
    [SEGUE_CACHE_RECORDS] = "records", [SEGUE_CACHE_RESULTS] = "results",
    [SEGUE_CACHE_STATE] = "state",     [SEGUE_CACHE_WORK] = "work",
    [SEGUE_CACHE_OTHER] = "other",
  };
  G_STATIC_ASSERT (G_N_ELEMENTS (names) == SEGUE_CACHE_N_PARTS);
  return (guint) part < SEGUE_CACHE_N_PARTS ? names[part] : "unknown";
}

static void
free_work (gpointer data)
{
  SegueCacheWork *work = data;
  g_free (work->name);
  g_free (work->about);
  g_free (work);
}

void
segue_cache_info_free (SegueCacheInfo *info)
{
  if (!info)
    return;
  g_free (info->folder);
  g_ptr_array_unref (info->work);
  g_free (info);
}

static void
add_work (SegueCacheInfo *info, int cache, const SegueCacheEntry *entry)
{
  const char *name;
  int parent = segue_beneath_open_parent (cache, entry->path, &name);
  if (parent < 0)
    return;
  g_autofree char *path = g_build_filename (info->folder, entry->path, NULL);
  SegueCacheWork *work = g_new (SegueCacheWork, 1);
  *work = (SegueCacheWork){ .name = g_strdup (name),
                            .about = segue_work_about_read (path),
                            .bytes = entry->bytes,
                            .used = entry->used / NS,
                            .in_use = segue_cache_is_locked (parent, name, NULL) };
  g_ptr_array_add (info->work, work);
  close (parent);
}

static void
add_entry (SegueCacheInfo *info, int cache, const SegueCacheEntry *entry)
{
  SegueCacheTally *tally = &info->parts[entry->left ? SEGUE_CACHE_OTHER : entry->part];
  gint64 used = entry->used / NS;
  tally->oldest = tally->n == 0 ? used : MIN (tally->oldest, used);
  tally->newest = MAX (tally->newest, used);
  tally->n++;
  tally->bytes += entry->bytes;
  info->bytes += entry->bytes;
  if (entry->part == SEGUE_CACHE_WORK && !entry->left && !entry->odd)
    add_work (info, cache, entry);
}

static gboolean
look (SegueCacheInfo *info, int cache, GCancellable *cancellable, GError **error)
{
  g_autoptr (SegueCacheWalk) walk = segue_cache_walk (cache, cancellable, error);
  if (!walk)
    return FALSE;
  GArray *entries = segue_cache_walk_get_entries (walk);
  for (guint i = 0; i < entries->len; i++)
    add_entry (info, cache, &g_array_index (entries, SegueCacheEntry, i));
  info->n_users = segue_users_list (cache, FALSE).n;
  return TRUE;
}

SegueCacheInfo *
segue_cache_info (const char *folder, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (SegueCacheInfo) info = g_new0 (SegueCacheInfo, 1);
  info->work = g_ptr_array_new_with_free_func (free_work);
  int cache = segue_cache_open (folder, &info->folder, &local);
  gboolean ok = !local && (cache < 0 || look (info, cache, cancellable, &local));
  if (cache >= 0)
    close (cache);
  if (!ok) {
    g_propagate_error (error, g_steal_pointer (&local));
    return NULL;
  }
  /* A cache that does not exist yet will be on the disk of its parent folder. */
  g_autofree char *there = g_strdup (info->folder);
  SegueDisk disk = { 0 };
  while (!segue_disk_look (there, &disk) && strcmp (there, "/") != 0) {
    g_autofree char *below = there;
    there = g_path_get_dirname (below);
  }
  info->disk_free = disk.free;
  info->disk_size = disk.size;
  if (!segue_cache_limit (there, info->bytes, &info->limit, &info->limit_is_set, error))
    return NULL;
  return g_steal_pointer (&info);
}
