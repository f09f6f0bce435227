#include "table.h"

#include <math.h>
#include <segue/csv.h>
#include <segue/error.h>
#include <string.h>

static const char *const columns[] = { "set",       "song",  "source",  "label",
                                       "predicted", "start", "duration" };
enum { SET, SONG, SOURCE, LABEL, PREDICTED, START, DURATION, N_COLUMNS };

/* With segments of ten seconds: 460 days; 40 bytes each. */
#define MAX_SEGMENTS (4u * 1000 * 1000)
/* Probabilities of one song kept in memory at a time: 256 MB. */
#define MAX_ROWS (64u * 1024 * 1024)
/* No audio lasts longer, and a double can represent a microsecond at this size. */
#define MAX_SECONDS (1e6)
/* Rows between checks for cancellation. */
#define ROWS 256

static void
clear_song (gpointer data)
{
  ReportSong *song = data;
  g_free (song->id);
  g_free (song->source);
}

static ReportTable *
table_new (const char *path)
{
  ReportTable *table = g_new0 (ReportTable, 1);
  table->path = g_strdup (path);
  table->labels = g_ptr_array_new_with_free_func (g_free);
  table->songs = g_array_new (FALSE, TRUE, sizeof (ReportSong));
  g_array_set_clear_func (table->songs, clear_song);
  table->segments = g_array_new (FALSE, FALSE, sizeof (ReportSegment));
  return table;
}

void
report_table_free (ReportTable *table)
{
  if (table == NULL)
    return;
  g_free (table->path);
  g_ptr_array_unref (table->labels);
  g_array_unref (table->songs);
  g_array_unref (table->segments);
  g_free (table);
}

const char *
report_table_label (const ReportTable *table, guint label)
{
  return g_ptr_array_index (table->labels, label);
}

const ReportSong *
report_table_song (const ReportTable *table, guint song)
{
  return &g_array_index (table->songs, ReportSong, song);
}

const ReportSegment *
report_table_segment (const ReportTable *table, guint segment)
{
  return &g_array_index (table->segments, ReportSegment, segment);
}

gboolean
report_table_is_wrong (const ReportTable *table, guint segment)
{
  const ReportSegment *at = report_table_segment (table, segment);
  int label = report_table_song (table, at->song)->label;
  return label != REPORT_NO_LABEL && (guint) label != at->answer;
}

/* ---- Rows ---- */

/* A table that is being read. */
typedef struct {
  SegueCsv *csv;
  GPtrArray *fields;
  float *row; /* [n_labels] */
  guint n_labels, n_rows;
} Rows;

static void
rows_clear (Rows *rows)
{
  g_clear_pointer (&rows->csv, segue_csv_free);
  g_clear_pointer (&rows->fields, g_ptr_array_unref);
  g_clear_pointer (&rows->row, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Rows, rows_clear)

static const char *
field (const Rows *rows, guint column)
{
  return g_ptr_array_index (rows->fields, column);
}

static gboolean
rows_open (Rows *rows, const char *path, GError **error)
{
  rows->csv = segue_csv_open (path, error);
  rows->fields = g_ptr_array_new ();
  if (rows->csv == NULL || !segue_csv_next (rows->csv, rows->fields, error))
    return FALSE;
  for (guint i = 0; i < N_COLUMNS; i++)
    if (rows->fields->len <= i || !g_str_equal (field (rows, i), columns[i]))
      return segue_csv_fail (rows->csv, error,
                             "column %u is not ‘%s’: this is not a table that `evaluate` wrote",
                             i + 1, columns[i]);
  rows->n_labels = rows->fields->len - N_COLUMNS;
  if (rows->n_labels == 0)
    return segue_csv_fail (rows->csv, error, "no column contains the probability of a label");
  rows->row = g_new0 (float, rows->n_labels);
  return TRUE;
}

static gboolean
read_number (const Rows *rows, guint column, double max, double *value, GError **error)
{
  const char *text = field (rows, column);
  char *end = NULL;
  *value = g_ascii_strtod (text, &end);
  if (end != text && *end == '\0' && *value >= 0 && *value <= max)
    return TRUE;
  return segue_csv_fail (rows->csv, error, "column %u is ‘%.40s’, not a number from 0 to %g",
                         column + 1, text, max);
}

/* The next row and its probabilities; @fields is empty at the end. */
static gboolean
rows_next (Rows *rows, GCancellable *cancellable, GError **error)
{
  if (rows->n_rows % ROWS == 0 && g_cancellable_is_cancelled (cancellable)) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
    return FALSE;
  }
  if (!segue_csv_next (rows->csv, rows->fields, error))
    return FALSE;
  if (rows->fields->len == 0)
    return TRUE;
  if (rows->fields->len != N_COLUMNS + rows->n_labels)
    return segue_csv_fail (rows->csv, error, "%u columns, but the first line has %u",
                           rows->fields->len, N_COLUMNS + rows->n_labels);
  for (guint i = 0; i < rows->n_labels; i++) {
    double value;
    if (!read_number (rows, N_COLUMNS + i, 1.001, &value, error))
      return FALSE;
    rows->row[i] = (float) value;
  }
  rows->n_rows++;
  return TRUE;
}

/* ---- The table ---- */

typedef struct {
  ReportTable *table;
  Rows *rows;
  GHashTable *labels; /* name → index + 1 */
  GHashTable *songs;  /* ids */
  SegueAggregation aggregation;
  GArray *answers;      /* float [segments, n_model] of the current song */
  float *probabilities; /* [n_model] of that song */
} Loader;

static void
loader_clear (Loader *loader)
{
  g_clear_pointer (&loader->table, report_table_free);
  g_clear_pointer (&loader->labels, g_hash_table_unref);
  g_clear_pointer (&loader->songs, g_hash_table_unref);
  g_clear_pointer (&loader->answers, g_array_unref);
  g_clear_pointer (&loader->probabilities, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Loader, loader_clear)

static guint
add_label (Loader *loader, const char *name)
{
  char *copy = g_strdup (name);
  g_ptr_array_add (loader->table->labels, copy);
  g_hash_table_insert (loader->labels, copy, GUINT_TO_POINTER (loader->table->labels->len));
  return loader->table->labels->len - 1;
}

static gboolean
read_labels (Loader *loader, GError **error)
{
  for (guint i = 0; i < loader->rows->n_labels; i++) {
    const char *name = field (loader->rows, N_COLUMNS + i);
    if (!g_str_has_prefix (name, "p:"))
      return segue_csv_fail (loader->rows->csv, error, "column %u is ‘%.40s’, not ‘p:’ and a label",
                             N_COLUMNS + i + 1, name);
    if (g_hash_table_contains (loader->labels, name + 2))
      return segue_csv_fail (loader->rows->csv, error, "two columns are for the label ‘%.40s’",
                             name + 2);
    add_label (loader, name + 2);
  }
  loader->table->n_model = loader->rows->n_labels;
  loader->answers = g_array_new (FALSE, FALSE, sizeof (float));
  loader->probabilities = g_new0 (float, loader->rows->n_labels);
  return TRUE;
}

static int
find_label (Loader *loader, const char *name)
{
  guint number = GPOINTER_TO_UINT (g_hash_table_lookup (loader->labels, name));
  if (*name == '\0')
    return REPORT_NO_LABEL;
  return number > 0 ? (int) number - 1 : (int) add_label (loader, name);
}

static int
find_set (const char *name)
{
  /* Songs without a set are for training. */
  if (*name == '\0')
    return SEGUE_SET_TRAIN;
  SegueSet set = segue_set_from_name (name);
  return set < SEGUE_N_SETS ? (int) set : -1;
}

static void
end_song (Loader *loader)
{
  guint n = loader->table->songs->len;
  if (n == 0)
    return;
  ReportSong *song = &g_array_index (loader->table->songs, ReportSong, n - 1);
  song->answer =
    segue_song_aggregate (loader->aggregation, (const float *) (gpointer) loader->answers->data,
                          song->n, loader->table->n_model, loader->probabilities);
  song->confidence = loader->probabilities[song->answer];
  g_array_set_size (loader->answers, 0);
}

static gboolean
begin_song (Loader *loader, GError **error)
{
  const Rows *rows = loader->rows;
  const char *id = field (rows, SONG);
  if (*id == '\0')
    return segue_csv_fail (rows->csv, error, "a segment without a song");
  if (g_hash_table_contains (loader->songs, id))
    return segue_csv_fail (rows->csv, error, "the rows of ‘%.80s’ are not consecutive", id);
  end_song (loader);
  const ReportSong song = { .id = g_strdup (id),
                            .source = g_strdup (field (rows, SOURCE)),
                            .set = find_set (field (rows, SET)),
                            .label = find_label (loader, field (rows, LABEL)),
                            .first = loader->table->segments->len };
  g_hash_table_add (loader->songs, song.id);
  g_array_append_val (loader->table->songs, song);
  return TRUE;
}

static gboolean
add_segment (Loader *loader, GError **error)
{
  const Rows *rows = loader->rows;
  ReportTable *table = loader->table;
  guint n = table->songs->len;
  ReportSong *song = n > 0 ? &g_array_index (table->songs, ReportSong, n - 1) : NULL;
  ReportSegment segment = { 0 };
  if (song == NULL || !g_str_equal (song->id, field (rows, SONG))) {
    if (!begin_song (loader, error))
      return FALSE;
    song = &g_array_index (table->songs, ReportSong, table->songs->len - 1);
  }
  if (song->set != find_set (field (rows, SET)) ||
      song->label != find_label (loader, field (rows, LABEL)))
    return segue_csv_fail (rows->csv, error, "‘%.80s’ has two sets or labels", song->id);
  int answer = find_label (loader, field (rows, PREDICTED));
  if (answer < 0 || (guint) answer >= table->n_model)
    return segue_csv_fail (rows->csv, error, "predicted is ‘%.40s’, which has no column",
                           field (rows, PREDICTED));
  if (table->segments->len >= MAX_SEGMENTS)
    return segue_csv_fail (rows->csv, error, "more than %u segments are too many for one page",
                           MAX_SEGMENTS);
  if (!read_number (rows, START, MAX_SECONDS, &segment.start, error) ||
      !read_number (rows, DURATION, MAX_SECONDS, &segment.duration, error))
    return FALSE;
  segment.song = table->songs->len - 1;
  segment.answer = (guint) answer;
  segment.confidence = rows->row[answer];
  gboolean known = song->label >= 0 && (guint) song->label < table->n_model;
  segment.truth = known ? rows->row[song->label] : NAN;
  if (loader->answers->len + table->n_model > MAX_ROWS)
    return segue_csv_fail (rows->csv, error, "‘%.80s’ has more probabilities than can be stored",
                           song->id);
  g_array_append_vals (loader->answers, rows->row, table->n_model);
  song->n++;
  g_array_append_val (table->segments, segment);
  return TRUE;
}

ReportTable *
report_table_load (const char *path, SegueAggregation aggregation, GCancellable *cancellable,
                   GError **error)
{
  g_auto (Rows) rows = { 0 };
  g_auto (Loader) loader = { .table = table_new (path), .rows = &rows, .aggregation = aggregation };
  loader.labels = g_hash_table_new (g_str_hash, g_str_equal);
  loader.songs = g_hash_table_new (g_str_hash, g_str_equal);
  if (!rows_open (&rows, path, error) || !read_labels (&loader, error))
    return NULL;
  for (;;) {
    if (!rows_next (&rows, cancellable, error))
      return NULL;
    if (rows.fields->len == 0)
      break;
    if (!add_segment (&loader, error))
      return NULL;
  }
  end_song (&loader);
  if (loader.table->segments->len > 0)
    return g_steal_pointer (&loader.table);
  segue_csv_fail (rows.csv, error, "the table has no rows");
  return NULL;
}

gboolean
report_table_each (const ReportTable *table, ReportRowFunc function, gpointer data,
                   GCancellable *cancellable, GError **error)
{
  g_auto (Rows) rows = { 0 };
  if (!rows_open (&rows, table->path, error))
    return FALSE;
  for (guint i = 0;; i++) {
    if (!rows_next (&rows, cancellable, error))
      return FALSE;
    gboolean ended = rows.fields->len == 0;
    if (rows.n_labels != table->n_model || ended != (i >= table->segments->len))
      return segue_csv_fail (rows.csv, error, "the table changed while it was read; run again");
    if (ended)
      return TRUE;
    if (!function (data, i, rows.row, error))
      return FALSE;
  }
}
