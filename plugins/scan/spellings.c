#include "spellings.h"

#include "names.h"

#include <string.h>

/* Maximum number of warnings in one run; more mean a folder whose names are not labels. */
#define MAX_WARNINGS 12

/* (transfer full): a name without all parts that have several spellings; "": nothing left. */
static char *
strip (const char *label)
{
  g_autofree char *folded = name_fold (label);
  const char *start = g_str_has_prefix (folded, "the ") ? folded + strlen ("the ") : folded;
  g_autofree char *plain = g_utf8_normalize (start, -1, G_NORMALIZE_ALL);
  GString *rest = g_string_new (NULL);

  for (const char *at = plain; at && *at; at = g_utf8_next_char (at))
    if (g_unichar_isalnum (g_utf8_get_char (at)))
      g_string_append_unichar (rest, g_utf8_get_char (at));
  return g_string_free (rest, FALSE);
}

/* (transfer full): normalised name → original names: (element-type utf8 GHashTable). */
static GHashTable *
group (const GPtrArray *songs)
{
  GHashTable *groups =
    g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_hash_table_unref);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < songs->len; i++) {
    const char *label = segue_item_get_string (g_ptr_array_index (songs, i), SEGUE_META_LABEL);
    g_autofree char *rest = NULL;
    GHashTable *names;

    if (!label || !g_hash_table_add (seen, (gpointer) label) || !*(rest = strip (label)))
      continue;
    names = g_hash_table_lookup (groups, rest);
    if (!names) {
      names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
      g_hash_table_insert (groups, g_steal_pointer (&rest), names);
    }
    g_hash_table_add (names, g_strdup (label));
  }
  return groups;
}

void
spellings_warn (const GPtrArray *songs, SegueContext *context)
{
  g_autoptr (GHashTable) groups = group (songs);
  g_autoptr (GPtrArray) keys = names_sorted (groups);
  guint n_warnings = 0;

  for (guint i = 0; i < keys->len && n_warnings < MAX_WARNINGS; i++) {
    g_autoptr (GPtrArray) names =
      names_sorted (g_hash_table_lookup (groups, g_ptr_array_index (keys, i)));
    g_autoptr (GString) list = g_string_new (NULL);

    if (names->len < 2)
      continue;
    for (guint k = 0; k < names->len; k++)
      g_string_append_printf (list, "%s‘%s’", k ? ", " : "",
                              (const char *) g_ptr_array_index (names, k));
    segue_context_log (
      context, G_LOG_LEVEL_WARNING,
      "labels that may be the same, spelled in %u ways: %s; if they are, rename their folders",
      names->len, list->str);
    n_warnings++;
  }
}
