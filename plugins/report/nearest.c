#include "nearest.h"

#include <math.h>
#include <segue/error.h>

typedef struct {
  const ReportTable *table;
  const GArray *wanted;
  GHashTable *numbers; /* segment → its index in @wanted, + 1 */
  GHashTable *chains;  /* label + 1 → the last index in @wanted with that label, + 1 */
  guint *next;         /* [wanted]: the one before with the same label, + 1 */
  float *rows;         /* [wanted, n_model] */
  double *distances;   /* [wanted], squared */
  GArray *nearest;
} Search;

static void
keep_row (gpointer data, guint segment, const double *row)
{
  Search *search = data;
  guint number =
    GPOINTER_TO_UINT (g_hash_table_lookup (search->numbers, GUINT_TO_POINTER (segment)));
  guint n = search->table->n_model;
  for (guint c = 0; number > 0 && c < n; c++)
    search->rows[(gsize) (number - 1) * n + c] = (float) row[c];
}

static double
square_distance (const float *a, const double *b, guint n, double limit)
{
  double sum = 0;
  for (guint c = 0; c < n && sum < limit; c++)
    sum += (double) (a[c] - (float) b[c]) * (double) (a[c] - (float) b[c]);
  return sum;
}

static void
compare_row (gpointer data, guint segment, const double *row)
{
  Search *search = data;
  guint song = report_table_segment (search->table, segment)->song, n = search->table->n_model;
  const ReportSong *of = report_table_song (search->table, song);
  if (of->set != SEGUE_SET_TRAIN || of->label == REPORT_NO_LABEL)
    return;
  guint number =
    GPOINTER_TO_UINT (g_hash_table_lookup (search->chains, GINT_TO_POINTER (of->label + 1)));
  for (; number > 0; number = search->next[number - 1]) {
    guint i = number - 1, wanted = g_array_index (search->wanted, guint, i);
    if (report_table_segment (search->table, wanted)->song == song)
      continue;
    double distance = square_distance (search->rows + (gsize) i * n, row, n, search->distances[i]);
    if (distance < search->distances[i]) {
      search->distances[i] = distance;
      g_array_index (search->nearest, guint, i) = segment;
    }
  }
}

static void
chain_labels (Search *search)
{
  for (guint i = 0; i < search->wanted->len; i++) {
    guint segment = g_array_index (search->wanted, guint, i), none = REPORT_NO_SEGMENT;
    const ReportSong *song =
      report_table_song (search->table, report_table_segment (search->table, segment)->song);
    gpointer label = GINT_TO_POINTER (song->label + 1);
    search->next[i] = GPOINTER_TO_UINT (g_hash_table_lookup (search->chains, label));
    search->distances[i] = INFINITY;
    g_hash_table_insert (search->chains, label, GUINT_TO_POINTER (i + 1));
    g_hash_table_insert (search->numbers, GUINT_TO_POINTER (segment), GUINT_TO_POINTER (i + 1));
    g_array_append_val (search->nearest, none);
  }
}

static void
search_clear (Search *search)
{
  g_hash_table_unref (search->numbers);
  g_hash_table_unref (search->chains);
  g_free (search->next);
  g_free (search->rows);
  g_free (search->distances);
  g_clear_pointer (&search->nearest, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Search, search_clear)

GArray *
report_nearest_find (const ReportTable *table, const GArray *wanted, GCancellable *cancellable,
                     GError **error)
{
  g_auto (Search) search = { .table = table,
                             .wanted = wanted,
                             .numbers = g_hash_table_new (NULL, NULL),
                             .chains = g_hash_table_new (NULL, NULL),
                             .next = g_new0 (guint, wanted->len + 1),
                             .rows = g_try_new0 (float, (gsize) wanted->len * table->n_model + 1),
                             .distances = g_new0 (double, wanted->len + 1),
                             .nearest = g_array_new (FALSE, FALSE, sizeof (guint)) };
  if (!search.rows) {
    g_set_error (
      error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
      "not enough memory for the probabilities of %u segments over %u labels; reduce ‘clips’",
      wanted->len, table->n_model);
    return NULL;
  }
  chain_labels (&search);
  if (wanted->len > 0 && (!report_table_each (table, keep_row, &search, cancellable, error) ||
                          !report_table_each (table, compare_row, &search, cancellable, error)))
    return NULL;
  return g_steal_pointer (&search.nearest);
}
