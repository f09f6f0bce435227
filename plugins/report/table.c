#include "table.h"

#include <math.h>
#include <segue/calibration.h>
#include <segue/error.h>
#include <segue/tensor.h>

/* With segments of ten seconds: 460 days; 40 bytes each. */
#define MAX_SEGMENTS (4u * 1000 * 1000)
/* No audio lasts longer, and a double can represent a microsecond at this size. */
#define MAX_SECONDS (1e6)

static void
clear_song (gpointer data)
{
  ReportSong *song = data;
  g_free (song->id);
  g_free (song->source);
}

static ReportTable *
table_new (SegueDataset *predictions)
{
  ReportTable *table = g_new0 (ReportTable, 1);
  table->predictions = segue_dataset_ref (predictions);
  table->labels = g_ptr_array_new_with_free_func (g_free);
  table->songs = g_array_new (FALSE, TRUE, sizeof (ReportSong));
  g_array_set_clear_func (table->songs, clear_song);
  table->segments = g_array_new (FALSE, FALSE, sizeof (ReportSegment));
  return table;
}

void
report_table_free (ReportTable *table)
{
  if (!table)
    return;
  segue_dataset_unref (table->predictions);
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

/* ---- Reading ---- */

static gboolean refuse (const SegueItem *item, GError **error, const char *format, ...)
  G_GNUC_PRINTF (3, 4);

static gboolean
refuse (const SegueItem *item, GError **error, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "the predictions for ‘%.80s’ %s",
               segue_item_get_id (item), what);
  return FALSE;
}

/* The rows of @item; %NULL with @error: not for @n_labels labels, or with invalid values. */
static const double *
get_rows (const SegueItem *item, guint n_labels, guint *n_segments, GError **error)
{
  guint n;
  const double *rows = segue_item_get_predictions (item, n_segments, &n, error);
  if (!rows || n == n_labels)
    return rows;
  refuse (item, error, "have %u labels, and metrics.json has %u: they are not from the same run", n,
          n_labels);
  return NULL;
}

typedef struct {
  ReportTable *table;
  GHashTable *labels; /* name → index + 1 */
} Loader;

static void
loader_clear (Loader *loader)
{
  g_clear_pointer (&loader->table, report_table_free);
  g_clear_pointer (&loader->labels, g_hash_table_unref);
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

/* -1: not known. */
static int
find_label (const Loader *loader, const char *name)
{
  return name ? GPOINTER_TO_INT (g_hash_table_lookup (loader->labels, name)) - 1 : -1;
}

static int
get_set (const SegueItem *item)
{
  const char *name = segue_item_get_string (item, SEGUE_META_SET);
  /* Songs without a set are for training. */
  SegueSet set = name ? segue_set_from_name (name) : SEGUE_SET_TRAIN;
  return set < SEGUE_N_SETS ? (int) set : -1;
}

static int
get_label (Loader *loader, const SegueItem *item)
{
  const char *name = segue_item_get_string (item, SEGUE_META_LABEL);
  if (!name || *name == '\0')
    return REPORT_NO_LABEL;
  int label = find_label (loader, name);
  return label >= 0 ? label : (int) add_label (loader, name);
}

static gboolean
add_segment (ReportTable *table, const SegueItem *item, const ReportSong *song, const double *row,
             GError **error)
{
  const double *probabilities = row + SEGUE_PREDICTION_LABELS;
  ReportSegment segment = { .song = table->songs->len,
                            .start = row[SEGUE_PREDICTION_START],
                            .duration = row[SEGUE_PREDICTION_DURATION],
                            .truth = NAN };
  if (segment.start > MAX_SECONDS || segment.duration > MAX_SECONDS)
    return refuse (item, error, "have a segment at %g s that lasts %g s", segment.start,
                   segment.duration);
  segment.answer = segue_argmax_f64 (probabilities, table->n_model);
  segment.confidence = (float) probabilities[segment.answer];
  if (song->label >= 0 && (guint) song->label < table->n_model)
    segment.truth = (float) probabilities[song->label];
  g_array_append_val (table->segments, segment);
  return TRUE;
}

static gboolean
add_song (Loader *loader, const SegueItem *item, GError **error)
{
  ReportTable *table = loader->table;
  const char *source = segue_item_get_string (item, SEGUE_META_SOURCE);
  const char *predicted = segue_item_get_string (item, SEGUE_META_PREDICTED);
  int answer = find_label (loader, predicted);
  double confidence = segue_item_get_double (item, SEGUE_META_PROBABILITY, NAN);
  guint n_segments;
  const double *rows = get_rows (item, table->n_model, &n_segments, error);
  if (!rows)
    return FALSE;
  if (answer < 0 || (guint) answer >= table->n_model || !(confidence >= 0 && confidence <= 1))
    return refuse (item, error, "name ‘%.40s’ with probability %g, which is no label of the model",
                   predicted ? predicted : "", confidence);
  if (n_segments > MAX_SEGMENTS - table->segments->len)
    return refuse (item, error, "are too many: more than %u segments do not fit in one page",
                   MAX_SEGMENTS);
  ReportSong song = { .set = get_set (item),
                      .label = get_label (loader, item),
                      .answer = (guint) answer,
                      .confidence = (float) confidence,
                      .distance = segue_item_get_double (item, SEGUE_META_DISTANCE, NAN),
                      .first = table->segments->len,
                      .n = n_segments };
  for (guint s = 0; s < n_segments; s++)
    if (!add_segment (table, item, &song,
                      rows + (gsize) s * (SEGUE_PREDICTION_LABELS + table->n_model), error))
      return FALSE;
  song.id = g_strdup (segue_item_get_song (item));
  song.source = g_strdup (source ? source : "");
  g_array_append_val (table->songs, song);
  return TRUE;
}

static gboolean
check_cancelled (GCancellable *cancellable, GError **error)
{
  if (!g_cancellable_is_cancelled (cancellable))
    return TRUE;
  g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
  return FALSE;
}

ReportTable *
report_table_load (SegueDataset *predictions, const GPtrArray *labels, GCancellable *cancellable,
                   GError **error)
{
  g_auto (Loader) loader = { .table = table_new (predictions),
                             .labels = g_hash_table_new (g_str_hash, g_str_equal) };
  g_autoptr (SegueReader) reader = segue_reader_new (predictions, 0);
  for (guint c = 0; c < labels->len; c++)
    add_label (&loader, g_ptr_array_index (labels, c));
  loader.table->n_model = labels->len;
  for (guint i = 0; i < segue_dataset_get_length (predictions); i++) {
    g_autoptr (SegueItem) item = check_cancelled (cancellable, error)
                                   ? segue_reader_get (reader, i, cancellable, error)
                                   : NULL;
    if (!item || !add_song (&loader, item, error))
      return NULL;
  }
  return g_steal_pointer (&loader.table);
}

gboolean
report_table_each (const ReportTable *table, ReportRowFunc function, gpointer data,
                   GCancellable *cancellable, GError **error)
{
  g_autoptr (SegueReader) reader = segue_reader_new (table->predictions, 0);
  for (guint i = 0; i < table->songs->len; i++) {
    const ReportSong *song = report_table_song (table, i);
    g_autoptr (SegueItem) item = check_cancelled (cancellable, error)
                                   ? segue_reader_get (reader, i, cancellable, error)
                                   : NULL;
    guint n_segments;
    const double *rows = item ? get_rows (item, table->n_model, &n_segments, error) : NULL;
    if (!rows)
      return FALSE;
    for (guint s = 0; s < song->n; s++)
      function (data, song->first + s,
                rows + (gsize) s * (SEGUE_PREDICTION_LABELS + table->n_model) +
                  SEGUE_PREDICTION_LABELS);
  }
  return TRUE;
}
