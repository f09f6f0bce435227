#include "confusion.h"

#include <math.h>

static int
compare_places (gconstpointer a, gconstpointer b)
{
  const ReportPair *one = a, *other = b;
  if (one->truth != other->truth)
    return one->truth < other->truth ? -1 : 1;
  return one->answer < other->answer ? -1 : one->answer > other->answer;
}

/* The predictions of one song: runs of equal pairs are added up by merge(). */
static void
add_song (ReportConfusion *confusion, const ReportTable *table, const ReportSong *song)
{
  g_autoptr (GArray) answers = g_array_new (FALSE, FALSE, sizeof (ReportPair));
  for (guint i = song->first; i < song->first + song->n; i++) {
    guint answer = report_table_segment (table, i)->answer, j = 0;
    while (j < answers->len && g_array_index (answers, ReportPair, j).answer != answer)
      j++;
    if (j == answers->len) {
      const ReportPair pair = { (guint) song->label, answer, 0, 1 };
      g_array_append_val (answers, pair);
    }
    g_array_index (answers, ReportPair, j).n++;
  }
  g_array_append_vals (confusion->pairs, answers->data, answers->len);
  confusion->totals[song->label] += song->n;
}

static void
merge (GArray *pairs)
{
  guint kept = 0;
  g_array_sort (pairs, compare_places);
  for (guint i = 0; i < pairs->len; i++) {
    const ReportPair *pair = &g_array_index (pairs, ReportPair, i);
    ReportPair *last = kept > 0 ? &g_array_index (pairs, ReportPair, kept - 1) : NULL;
    if (last && compare_places (last, pair) == 0) {
      last->n += pair->n;
      last->songs += pair->songs;
    } else {
      g_array_index (pairs, ReportPair, kept++) = *pair;
    }
  }
  g_array_set_size (pairs, kept);
}

ReportConfusion *
report_confusion_count (const ReportTable *table, SegueSet set)
{
  ReportConfusion *confusion = g_new0 (ReportConfusion, 1);
  confusion->pairs = g_array_new (FALSE, FALSE, sizeof (ReportPair));
  confusion->n_labels = table->labels->len;
  confusion->totals = g_new0 (guint, confusion->n_labels);
  for (guint i = 0; i < table->songs->len; i++) {
    const ReportSong *song = report_table_song (table, i);
    if (song->set == (int) set && song->label != REPORT_NO_LABEL)
      add_song (confusion, table, song);
  }
  merge (confusion->pairs);
  return confusion;
}

void
report_confusion_free (ReportConfusion *confusion)
{
  if (!confusion)
    return;
  g_array_unref (confusion->pairs);
  g_free (confusion->totals);
  g_free (confusion);
}

guint
report_confusion_get (const ReportConfusion *confusion, guint truth, guint answer)
{
  const ReportPair wanted = { .truth = truth, .answer = answer };
  guint at = 0;
  return g_array_binary_search (confusion->pairs, &wanted, compare_places, &at)
           ? g_array_index (confusion->pairs, ReportPair, at).n
           : 0;
}

static int
compare_counts (gconstpointer a, gconstpointer b)
{
  const ReportPair *one = a, *other = b;
  if (one->n != other->n)
    return one->n > other->n ? -1 : 1;
  return compare_places (a, b);
}

GArray *
report_confusion_worst (const ReportConfusion *confusion)
{
  GArray *worst = g_array_new (FALSE, FALSE, sizeof (ReportPair));
  for (guint i = 0; i < confusion->pairs->len; i++) {
    const ReportPair *pair = &g_array_index (confusion->pairs, ReportPair, i);
    if (pair->truth != pair->answer)
      g_array_append_val (worst, *pair);
  }
  g_array_sort (worst, compare_counts);
  return worst;
}

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  guint one = *(const guint *) a, other = *(const guint *) b;
  return one < other ? -1 : one > other;
}

GArray *
report_confusion_choose (const ReportConfusion *confusion, guint max)
{
  g_autoptr (GArray) errors = g_array_new (FALSE, TRUE, sizeof (ReportPair));
  GArray *chosen = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autofree gboolean *occurs = g_new0 (gboolean, confusion->n_labels);
  g_array_set_size (errors, confusion->n_labels);
  for (guint c = 0; c < confusion->n_labels; c++)
    g_array_index (errors, ReportPair, c).truth = c;
  for (guint i = 0; i < confusion->pairs->len; i++) {
    const ReportPair *pair = &g_array_index (confusion->pairs, ReportPair, i);
    occurs[pair->truth] = occurs[pair->answer] = TRUE;
    if (pair->truth == pair->answer)
      continue;
    g_array_index (errors, ReportPair, pair->truth).n += pair->n;
    g_array_index (errors, ReportPair, pair->answer).n += pair->n;
  }
  g_array_sort (errors, compare_counts);
  for (guint i = 0; i < errors->len && chosen->len < max; i++) {
    guint label = g_array_index (errors, ReportPair, i).truth;
    if (occurs[label])
      g_array_append_val (chosen, label);
  }
  g_array_sort (chosen, compare_numbers);
  return chosen;
}

void
report_calibration_count (ReportCalibration *calibration, const ReportTable *table, SegueSet set)
{
  *calibration = (ReportCalibration){ .error = NAN };
  for (guint i = 0; i < table->segments->len; i++) {
    const ReportSegment *segment = report_table_segment (table, i);
    const ReportSong *song = report_table_song (table, segment->song);
    if (song->set != (int) set || song->label == REPORT_NO_LABEL)
      continue;
    guint bin = MIN ((guint) (segment->confidence * REPORT_BINS), REPORT_BINS - 1);
    calibration->bins[bin].n++;
    calibration->bins[bin].right += !report_table_is_wrong (table, i);
    calibration->bins[bin].confidence += (double) segment->confidence;
    calibration->n++;
  }
  double distance = 0;
  for (guint b = 0; b < REPORT_BINS; b++)
    distance += fabs (calibration->bins[b].right - calibration->bins[b].confidence);
  if (calibration->n > 0)
    calibration->error = distance / calibration->n;
}
