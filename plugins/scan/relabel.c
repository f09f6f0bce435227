#include "relabel.h"

#include <segue/csv.h>
#include <segue/error.h>
#include <stdlib.h>

/* Of songs; a row takes about 200 bytes in memory. */
#define MAX_ROWS 1000000

/* A row of the table; an empty line, and a first line that names the columns, is not a row. */
static gboolean
take_row (SegueCsv *csv, const GPtrArray *fields, gboolean is_first, GHashTable *labels,
          GError **error)
{
  const char *song = g_ptr_array_index (fields, 0);
  const char *label = fields->len > 1 ? g_ptr_array_index (fields, 1) : NULL;

  if (fields->len == 1 && *song == '\0')
    return TRUE;
  if (fields->len == 1)
    return segue_csv_fail (csv, error, "a row needs two columns: song,label");
  if (fields->len > 2)
    return segue_csv_fail (
      csv, error, "a row has more than two columns; put names that contain a comma in quotes");
  if (is_first && g_str_equal (song, "song"))
    return TRUE;
  if (g_hash_table_contains (labels, song))
    return segue_csv_fail (csv, error, "a song is listed in two rows");
  if (g_hash_table_size (labels) == MAX_ROWS)
    return segue_csv_fail (csv, error, "more than %d songs", MAX_ROWS);
  g_hash_table_insert (labels, g_strdup (song), g_utf8_normalize (label, -1, G_NORMALIZE_NFC));
  return TRUE;
}

GHashTable *
relabel_load (const char *path, GError **error)
{
  g_autoptr (GHashTable) labels = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GPtrArray) fields = g_ptr_array_new ();
  /* The table may be a link made by the user. */
  char *real = realpath (path, NULL);
  g_autoptr (SegueCsv) csv = segue_csv_open (real ? real : path, error);
  gboolean is_first = TRUE;

  free (real);
  if (!csv) {
    g_prefix_error (error, "the relabel table: ");
    return NULL;
  }
  for (;; is_first = FALSE) {
    if (!segue_csv_next (csv, fields, error))
      return NULL;
    if (fields->len == 0)
      return g_steal_pointer (&labels);
    if (!take_row (csv, fields, is_first, labels, error))
      return NULL;
  }
}
