/* Counters of stages: a few names each, so a list is enough. */
#include "item/counts.h"

#include <string.h>

struct _SegueCounts {
  GMutex lock;
  GArray *list; /* SegueCount, sorted */
};

static void
clear_count (gpointer data)
{
  g_free (((SegueCount *) data)->name);
}

static GArray *
new_list (void)
{
  GArray *list = g_array_new (FALSE, FALSE, sizeof (SegueCount));
  g_array_set_clear_func (list, clear_count);
  return list;
}

SegueCounts *
segue_counts_new (void)
{
  SegueCounts *counts = g_new0 (SegueCounts, 1);
  g_mutex_init (&counts->lock);
  counts->list = new_list ();
  return counts;
}

void
segue_counts_free (SegueCounts *counts)
{
  if (!counts)
    return;
  g_array_unref (counts->list);
  g_mutex_clear (&counts->lock);
  g_free (counts);
}

void
segue_counts_add (SegueCounts *counts, guint stage, const char *name, gint64 n)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&counts->lock);
  guint at = 0;
  for (; at < counts->list->len; at++) {
    SegueCount *count = &g_array_index (counts->list, SegueCount, at);
    int order =
      count->stage != stage ? (count->stage < stage ? -1 : 1) : strcmp (count->name, name);
    if (order == 0) {
      count->n += n;
      return;
    }
    if (order > 0)
      break;
  }
  SegueCount count = { .stage = stage, .name = g_strdup (name), .n = n };
  g_array_insert_val (counts->list, at, count);
}

GArray *
segue_counts_list (SegueCounts *counts)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&counts->lock);
  GArray *list = new_list ();
  for (guint i = 0; i < counts->list->len; i++) {
    SegueCount count = g_array_index (counts->list, SegueCount, i);
    count.name = g_strdup (count.name);
    g_array_append_val (list, count);
  }
  return list;
}

gint64
segue_counts_get (SegueCounts *counts, const char *name)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&counts->lock);
  gint64 sum = 0;
  for (guint i = 0; i < counts->list->len; i++) {
    const SegueCount *count = &g_array_index (counts->list, SegueCount, i);
    if (g_str_equal (count->name, name))
      sum += count->n;
  }
  return sum;
}
