/* Memory that contains items. */
#include "item/stretch.h"

static int
compare_begin (gconstpointer a, gconstpointer b)
{
  const SegueStretch *first = a, *second = b;
  return first->begin < second->begin ? -1 : first->begin > second->begin;
}

static int
compare_first (gconstpointer a, gconstpointer b)
{
  const SegueStretch *first = a, *second = b;
  return first->first < second->first ? -1 : first->first > second->first;
}

static const guint8 *
bytes_of (const SegueItem *item, gsize *size)
{
  GBytes *bytes = segue_item_get_bytes (item);
  *size = 0;
  return bytes ? g_bytes_get_data (bytes, size) : NULL;
}

/* Merges overlapping slices. Live buffers never overlap each other, so these share one buffer. */
static void
merge (GArray *stretches)
{
  guint n = 0;
  g_array_sort (stretches, compare_begin);
  for (guint i = 0; i < stretches->len; i++) {
    const SegueStretch *next = &g_array_index (stretches, SegueStretch, i);
    SegueStretch *last = n > 0 ? &g_array_index (stretches, SegueStretch, n - 1) : NULL;
    if (last && next->begin < last->end) {
      last->end = MAX (last->end, next->end);
      last->first = MIN (last->first, next->first);
    } else {
      g_array_index (stretches, SegueStretch, n++) = *next;
    }
  }
  g_array_set_size (stretches, n);
}

/* GCompareDataFunc of indices. */
static int
compare_indices (gconstpointer a, gconstpointer b, gpointer data)
{
  const SegueStretch *stretches = data;
  return compare_begin (&stretches[*(const guint *) a], &stretches[*(const guint *) b]);
}

/* A song may be cut into hundreds of thousands of adjacent slices, each a separate stretch. */
static void
sort_by_address (GArray *stretches)
{
  SegueStretch *all = (SegueStretch *) (void *) stretches->data;
  g_autofree guint *indices = g_new (guint, stretches->len + 1);
  for (guint i = 0; i < stretches->len; i++)
    indices[i] = i;
  if (stretches->len > 1)
    g_qsort_with_data (indices, (gint) stretches->len, sizeof *indices, compare_indices, all);
  for (guint i = 0; i < stretches->len; i++)
    all[i].by_address = indices[i];
}

GArray *
segue_stretches_find (SegueItem *const *items, guint n_items, guint64 *total)
{
  GArray *stretches = g_array_new (FALSE, FALSE, sizeof (SegueStretch));
  for (guint i = 0; i < n_items; i++) {
    gsize size;
    const guint8 *begin = bytes_of (items[i], &size);
    SegueStretch stretch = { .begin = begin, .end = begin + size, .first = i };
    if (size > 0)
      g_array_append_val (stretches, stretch);
  }
  merge (stretches);
  g_array_sort (stretches, compare_first);
  *total = 0;
  for (guint i = 0; i < stretches->len; i++) {
    SegueStretch *stretch = &g_array_index (stretches, SegueStretch, i);
    stretch->offset = *total;
    *total += (guint64) (stretch->end - stretch->begin);
  }
  sort_by_address (stretches);
  return stretches;
}

const SegueStretch *
segue_stretches_get (GArray *stretches, const SegueItem *item)
{
  const SegueStretch *all = (const SegueStretch *) (const void *) stretches->data;
  gsize size;
  const guint8 *begin = bytes_of (item, &size);
  guint low = 0, high = size > 0 ? stretches->len : 0;
  while (low < high) {
    guint middle = low + (high - low) / 2;
    const SegueStretch *stretch = &all[all[middle].by_address];
    if (begin < stretch->begin)
      high = middle;
    else if (begin >= stretch->end)
      low = middle + 1;
    else
      return stretch;
  }
  return NULL;
}
