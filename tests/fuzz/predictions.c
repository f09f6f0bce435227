/* Tables of predictions: whatever the bytes, songs and segments within bounds, the same on each
 * reading, or an error that names the line. */
#include "scratch.h"
#include "standalone.h"
#include "table.h"

#include <math.h>

static gboolean
check_row (gpointer data, guint segment, const float *row, GError **error)
{
  const ReportTable *table = data;
  const ReportSegment *at = report_table_segment (table, segment);
  g_assert_true (row[at->answer] >= at->confidence && row[at->answer] <= at->confidence);
  for (guint c = 0; c < table->n_model; c++)
    g_assert_true (row[c] >= 0 && row[c] < 1.01f);
  return TRUE;
}

static void
check_songs (const ReportTable *table)
{
  guint n = 0;
  g_assert_cmpuint (table->n_model, >, 0);
  g_assert_cmpuint (table->n_model, <=, table->labels->len);
  for (guint i = 0; i < table->songs->len; i++) {
    const ReportSong *song = report_table_song (table, i);
    g_assert_true (g_utf8_validate (song->id, -1, NULL) && *song->id);
    g_assert_cmpint (song->label, <, (int) table->labels->len);
    g_assert_cmpuint (song->answer, <, table->n_model);
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
  char path[256];
  g_snprintf (path, sizeof path, "%s/predictions.csv", fuzz_folder ());
  fuzz_put ("predictions.csv", data, size);
  g_autoptr (ReportTable) table =
    report_table_load (path, SEGUE_AGGREGATE_MEAN_LOGIT, NULL, &error);
  if (table == NULL) {
    fuzz_check_error (error);
    return 0;
  }
  check_songs (table);
  g_assert_true (report_table_each (table, check_row, table, NULL, &error));
  return 0;
}
