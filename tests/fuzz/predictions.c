/* Predictions of an untrusted run: whatever the numbers, songs and segments within bounds, the same on each reading,
 * or an error. Their container is the target `stage-result`. */
#include "scratch.h"
#include "stage/dataset-private.h"
#include "standalone.h"
#include "table.h"

#include <string.h>

static const char *const names[] = { "Anna", "Ben", "Cora", "Zoe", "", NULL };

static const char *
take_name (guint8 number)
{
  return names[number % G_N_ELEMENTS (names)];
}

/* A song of @data: its labels and set, its size, the probability, then the rows; what is missing is 0. */
static SegueItem *
make_song (guint number, const guint8 **data, const guint8 *end)
{
  guint8 head[8] = { 0 };
  gsize n = MIN (sizeof head, (gsize) (end - *data));
  memcpy (head, *data, n);
  *data += n;
  guint n_segments = 1 + head[0] % 4, n_labels = 1 + head[1] % 4;
  double *rows;
  g_autofree char *id = g_strdup_printf ("song %u", number);
  SegueItem *item = segue_item_new_predictions (NULL, id, n_segments, n_labels, &rows, NULL);
  n = MIN (n_segments * (SEGUE_PREDICTION_LABELS + n_labels) * sizeof *rows, (gsize) (end - *data));
  memcpy (rows, *data, n);
  *data += n;
  if (take_name (head[2]))
    segue_item_set_string (item, SEGUE_META_LABEL, take_name (head[2]));
  if (take_name (head[3]))
    segue_item_set_string (item, SEGUE_META_PREDICTED, take_name (head[3]));
  if (head[4] < 3)
    segue_item_set_string (item, SEGUE_META_SET, segue_set_get_name (head[4]));
  segue_item_set_double (item, SEGUE_META_PROBABILITY, head[5] / 200.0);
  return item;
}

static void
check_row (gpointer data, guint segment, const double *row)
{
  const ReportTable *table = data;
  const ReportSegment *at = report_table_segment (table, segment);
  g_assert_true ((float) row[at->answer] >= at->confidence &&
                 (float) row[at->answer] <= at->confidence);
  for (guint c = 0; c < table->n_model; c++)
    g_assert_true (row[c] >= 0 && row[c] <= 1 && row[c] <= row[at->answer]);
}

static void
check_songs (const ReportTable *table)
{
  guint n = 0;
  for (guint i = 0; i < table->songs->len; i++) {
    const ReportSong *song = report_table_song (table, i);
    g_assert_cmpint (song->label, <, (int) table->labels->len);
    g_assert_cmpint (song->label, >=, REPORT_NO_LABEL);
    g_assert_cmpuint (song->answer, <, table->n_model);
    g_assert_true (song->confidence >= 0 && song->confidence <= 1);
    g_assert_cmpuint (song->first, ==, n);
    g_assert_cmpuint (song->n, >, 0);
    n += song->n;
  }
  g_assert_cmpuint (n, ==, table->segments->len);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) songs = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  g_autoptr (GPtrArray) labels = g_ptr_array_new ();
  for (guint i = 0; i < 3; i++)
    g_ptr_array_add (labels, (gpointer) names[i]);
  for (const guint8 *at = data; at < data + size;)
    g_ptr_array_add (songs, make_song (songs->len, &at, data + size));
  g_autoptr (SegueDataset) dataset =
    segue_dataset_new_from_items ((SegueItem *const *) songs->pdata, songs->len);
  g_autoptr (ReportTable) table = report_table_load (dataset, labels, NULL, &error);
  if (!table) {
    fuzz_check_error (error);
    return 0;
  }
  check_songs (table);
  g_assert_true (report_table_each (table, check_row, table, NULL, &error));
  return 0;
}
