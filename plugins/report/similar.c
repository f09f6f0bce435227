#include "similar.h"

#include "space.h"

#include <math.h>
#include <segue/error.h>
#include <segue/nn/gemm.h>

/* Segments of a song that are compared at once. */
#define BLOCK ((gsize) 16)

/* ---- Which songs ---- */

typedef struct {
  guint song, n_wrong;
  gboolean is_wrong;
} Candidate;

static int
compare_candidates (gconstpointer a, gconstpointer b)
{
  const Candidate *one = a, *other = b;
  if (one->is_wrong != other->is_wrong)
    return one->is_wrong ? -1 : 1;
  if (one->n_wrong != other->n_wrong)
    return one->n_wrong > other->n_wrong ? -1 : 1;
  return one->song < other->song ? -1 : one->song > other->song;
}

/* (transfer full): Candidate, mistakes first. */
static GArray *
choose_songs (const ReportTable *table, SegueSet set)
{
  GArray *chosen = g_array_new (FALSE, FALSE, sizeof (Candidate));
  for (guint i = 0; i < table->songs->len; i++) {
    const ReportSong *song = report_table_song (table, i);
    Candidate candidate = {
      .song = i, .is_wrong = song->label != REPORT_NO_LABEL && (guint) song->label != song->answer
    };
    if (song->set != (int) set)
      continue;
    for (guint s = 0; s < song->n; s++)
      candidate.n_wrong += report_table_is_wrong (table, song->first + s);
    g_array_append_val (chosen, candidate);
  }
  g_array_sort (chosen, compare_candidates);
  g_array_set_size (chosen, MIN (chosen->len, REPORT_MAX_EXPLAINED));
  return chosen;
}

/* ---- The search ---- */

/* @rows: [n, size], of length 1
 * @numbers: [songs of @vectors]: in the table; G_MAXUINT: not in it
 * @products: [BLOCK, n]
 * @sums, @nearest, @own, @other: [songs of @vectors]: the sum of the largest cosines of the segments, and the most
 *   similar pair */
typedef struct {
  const ReportTable *table;
  Vectors *vectors;
  SegueNnThreads *threads;
  SegueContext *context;
  gsize size;
  float *rows, *products;
  guint *numbers;
  double *sums;
  float *nearest;
  guint *own, *other;
} Search;

static void
search_clear (Search *search)
{
  g_clear_pointer (&search->vectors, vectors_free);
  g_clear_pointer (&search->threads, segue_nn_threads_free);
  g_free (search->rows);
  g_free (search->products);
  g_free (search->numbers);
  g_free (search->sums);
  g_free (search->nearest);
  g_free (search->own);
  g_free (search->other);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Search, search_clear)

static void
find_numbers (Search *search)
{
  g_autoptr (GHashTable) songs = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < search->table->songs->len; i++)
    g_hash_table_insert (songs, report_table_song (search->table, i)->id, GUINT_TO_POINTER (i + 1));
  for (guint i = 0; i < search->vectors->songs->len; i++) {
    const char *id = segue_item_get_song (vectors_song (search->vectors, i)->entry);
    /* 0 − 1: not in the table. */
    search->numbers[i] = GPOINTER_TO_UINT (g_hash_table_lookup (songs, id)) - 1;
  }
}

static gboolean
search_init (Search *search, GError **error)
{
  SegueContext *context = search->context;
  search->vectors = vectors_open (context, "vectors", error);
  search->threads = search->vectors
                      ? segue_nn_threads_new (segue_context_get_threads (context), NULL, error)
                      : NULL;
  g_autoptr (Space) space =
    search->threads ? space_fit (search->vectors, search->threads, context, error) : NULL;
  search->rows =
    space ? space_project (space, search->vectors, search->threads, context, error) : NULL;
  if (!search->rows)
    return FALSE;
  guint n_songs = search->vectors->songs->len;
  search->size = space->size;
  space_normalise (search->vectors->n, space->size, search->rows);
  search->products = g_try_new (float, BLOCK * search->vectors->n);
  search->numbers = g_new (guint, n_songs);
  search->sums = g_new (double, n_songs);
  search->nearest = g_new (float, n_songs);
  search->own = g_new (guint, n_songs);
  search->other = g_new (guint, n_songs);
  find_numbers (search);
  if (!search->products)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                 "not enough memory to compare %u segments", search->vectors->n);
  return search->products != NULL;
}

/* Adds what segment @row of the song that is explained has in common with song @i. */
static void
take_products (Search *search, guint i, guint row, const float *products)
{
  const VectorsSong *song = vectors_song (search->vectors, i);
  float best = -INFINITY;
  for (guint j = song->first; j < song->first + song->n; j++) {
    best = MAX (best, products[j]);
    if (products[j] <= search->nearest[i])
      continue;
    search->nearest[i] = products[j];
    search->own[i] = row;
    search->other[i] = j;
  }
  search->sums[i] += (double) best;
}

static gboolean
compare (Search *search, const VectorsSong *song, GError **error)
{
  gsize n_all = search->vectors->n, size = search->size;
  for (guint i = 0; i < search->vectors->songs->len; i++) {
    search->sums[i] = 0;
    search->nearest[i] = -INFINITY;
  }
  for (gsize first = 0, n; first < song->n; first += n) {
    n = MIN (BLOCK, song->n - first);
    segue_nn_threads_watch (search->threads, segue_context_get_cancellable (search->context));
    segue_nn_gemm (search->threads, FALSE, TRUE, n, n_all, size, 1.0F,
                   search->rows + (song->first + first) * size, size, search->rows, size, 0.0F,
                   search->products, n_all);
    if (!segue_nn_threads_check (search->threads, error))
      return FALSE;
    for (gsize k = 0; k < n; k++)
      for (guint i = 0; i < search->vectors->songs->len; i++)
        take_products (search, i, song->first + (guint) (first + k), search->products + k * n_all);
  }
  return TRUE;
}

/* The segment of table song @number at the time of row @row; G_MAXUINT: it has none. */
static guint
find_segment (const Search *search, guint number, guint row)
{
  const ReportSong *song = report_table_song (search->table, number);
  double start = segue_item_get_double (segue_dataset_get_entry (search->vectors->dataset, row),
                                        SEGUE_META_START, 0);
  for (guint s = song->first; s < song->first + song->n; s++)
    if (fabs (report_table_segment (search->table, s)->start - start) < 1e-6)
      return s;
  return G_MAXUINT;
}

/* The most similar first; of equal ones the first of the table. */
static void
insert (ReportExplained *explained, ReportTwin twin)
{
  if (explained->n == REPORT_SIMILAR &&
      !(twin.similarity > explained->twins[explained->n - 1].similarity))
    return;
  guint at = explained->n < REPORT_SIMILAR ? explained->n++ : explained->n - 1;
  for (; at > 0 && twin.similarity > explained->twins[at - 1].similarity; at--)
    explained->twins[at] = explained->twins[at - 1];
  explained->twins[at] = twin;
}

static void
choose_twins (const Search *search, const VectorsSong *song, ReportExplained *explained)
{
  for (guint i = 0; i < search->vectors->songs->len; i++) {
    guint number = search->numbers[i];
    if (number == G_MAXUINT || number == explained->song ||
        report_table_song (search->table, number)->set != SEGUE_SET_TRAIN)
      continue;
    const ReportTwin twin = { .song = number,
                              .similarity = search->sums[i] / song->n,
                              .own = find_segment (search, explained->song, search->own[i]),
                              .segment = find_segment (search, number, search->other[i]) };
    insert (explained, twin);
  }
}

static gboolean
explain (Search *search, const GArray *chosen, GArray *all, GError **error)
{
  g_autoptr (GHashTable) places = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < search->vectors->songs->len; i++)
    g_hash_table_insert (places, GUINT_TO_POINTER (search->numbers[i]), GUINT_TO_POINTER (i + 1));
  for (guint i = 0; i < chosen->len; i++) {
    ReportExplained explained = { .song = g_array_index (chosen, Candidate, i).song };
    guint place =
      GPOINTER_TO_UINT (g_hash_table_lookup (places, GUINT_TO_POINTER (explained.song)));
    if (place == 0)
      continue;
    const VectorsSong *song = vectors_song (search->vectors, place - 1);
    if (!compare (search, song, error))
      return FALSE;
    choose_twins (search, song, &explained);
    if (explained.n > 0)
      g_array_append_val (all, explained);
  }
  return TRUE;
}

GArray *
report_similar_find (const ReportTable *table, SegueSet set, SegueContext *context, GError **error)
{
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (ReportExplained));
  SegueDataset *input = segue_context_get_input (context, "vectors");
  if (!input || segue_dataset_get_length (input) == 0)
    return g_steal_pointer (&all);
  g_autoptr (GError) local = NULL;
  g_autoptr (GArray) chosen = choose_songs (table, set);
  g_auto (Search) search = { .table = table, .context = context };
  if (search_init (&search, &local) && explain (&search, chosen, all, &local))
    return g_steal_pointer (&all);
  if (!segue_error_is_about_item (local)) {
    g_propagate_error (error, g_steal_pointer (&local));
    return NULL;
  }
  segue_context_log (context, G_LOG_LEVEL_WARNING, "the report lists no similar songs: %s",
                     local->message);
  return g_steal_pointer (&all);
}
