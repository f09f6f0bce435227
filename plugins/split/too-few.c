#include "too-few.h"

#include <segue/error.h>
#include <segue/item.h>

/* Maximum number of names in one line; the log contains the others. */
#define MAX_NAMES 12

/* How many groups each label has: [labels]. */
static guint *
count_groups (const Index *index)
{
  guint *counts = g_new0 (guint, index->labels.names->len + 1);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < index->of_song->len; i++) {
    const DealSong *song = &g_array_index (index->of_song, DealSong, i);

    counts[song->label] +=
      g_hash_table_add (seen, g_strdup_printf ("%u %u", song->label, song->group));
  }
  return counts;
}

/* "‘Abba’ has 2 songs, ‘Queen’ has 1 song and 3 more have too few". */
static char *
list_labels (const Index *index, const char *by, const gboolean *labels)
{
  g_autofree guint *counts = count_groups (index);
  GString *list = g_string_new (NULL);
  guint n = 0;

  for (guint l = 0; l < index->labels.names->len; l++)
    if (labels[l] && n++ < MAX_NAMES)
      g_string_append_printf (list, "%s‘%s’ has %u %s%s", list->len ? ", " : "",
                              index_get_label (index, l), counts[l], by, counts[l] == 1 ? "" : "s");
  if (n > MAX_NAMES)
    g_string_append_printf (list, " and %u more", n - MAX_NAMES);
  return g_string_free (list, FALSE);
}

static guint
count (const gboolean *labels, guint n_labels)
{
  guint n = 0;

  for (guint l = 0; l < n_labels; l++)
    n += labels[l] != FALSE;
  return n;
}

gboolean
too_few_fail (const Index *index, const char *by, const gboolean *labels, guint need,
              GError **error)
{
  g_autofree char *list = list_labels (index, by, labels);
  guint n = count (labels, index->labels.names->len);

  g_set_error (
    error, SEGUE_ERROR, SEGUE_ERROR_DATA,
    "%u label%s too few %ss to be in every set: %s; each needs at least %u" SEGUE_ADVICE (
      ": add songs, or exclude such labels with ", "too_few=leave_out"),
    n, n == 1 ? " has" : "s have", by, list, need);
  return FALSE;
}

static gboolean
check_any_left (const Index *index, const char *by, guint n_left, const char *list, guint need,
                GError **error)
{
  if (n_left >= 2)
    return TRUE;
  g_set_error (
    error, SEGUE_ERROR, SEGUE_ERROR_DATA,
    "%s of %u labels has enough %ss to be in every set (at least %u), and two are needed: %s%s",
    n_left == 1 ? "only one" : "none", index->labels.names->len, by, need, list,
    g_str_equal (by, SEGUE_META_SONG) ? "; add songs"
                                      : SEGUE_ADVICE ("; split by song instead with ", "by=song"));
  return FALSE;
}

gboolean
too_few_report (const Index *index, const char *by, const gboolean *labels, gboolean left_out,
                guint need, SegueContext *context, GError **error)
{
  guint n_labels = index->labels.names->len, n = count (labels, n_labels), n_songs = 0;
  g_autofree char *list = list_labels (index, by, labels);

  if (n == 0)
    return TRUE;
  if (left_out && !check_any_left (index, by, n_labels - n, list, need, error))
    return FALSE;
  for (guint i = 0; i < index->of_song->len; i++)
    n_songs += labels[g_array_index (index->of_song, DealSong, i).label] != FALSE;
  if (left_out)
    segue_context_count (context, "songs of labels with too few", n_songs);
  segue_context_log (context, G_LOG_LEVEL_WARNING,
                     "%u label%s with too few %ss for every set (at least %u) %s %s: %s", n,
                     n == 1 ? "" : "s", by, need, n == 1 ? "is" : "are",
                     left_out ? "excluded" : "trained on but not tested", list);
  for (guint l = 0; n > MAX_NAMES && l < n_labels; l++)
    if (labels[l])
      segue_context_log (context, G_LOG_LEVEL_DEBUG, "‘%s’ has too few %ss",
                         index_get_label (index, l), by);
  return TRUE;
}
