#include "page.h"

#include <math.h>
#include <segue/file.h>
#include <segue/json.h>
#include <string.h>

#define RESOURCES "/segue/library/"
/* Coordinates in data.js are whole numbers from 0 to 2 · UNITS. */
#define UNITS 5000.0
#define CHUNK (256 * 1024)

/* ---- Labels, the most frequent first ---- */

typedef struct {
  const char *name;
  guint n;
} Label;

static int
compare_labels (gconstpointer a, gconstpointer b)
{
  const Label *one = a, *other = b;
  if (one->n != other->n)
    return one->n > other->n ? -1 : 1;
  return strcmp (one->name, other->name);
}

/* (transfer full): #Label; @numbers: (out) (transfer full): name → number in it + 1. */
static GArray *
count_labels (const GArray *places, GHashTable **numbers)
{
  GArray *labels = g_array_new (FALSE, FALSE, sizeof (Label));
  *numbers = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < places->len; i++) {
    const char *name = g_array_index (places, Place, i).label;
    guint number = name ? GPOINTER_TO_UINT (g_hash_table_lookup (*numbers, name)) : 0;
    if (name && number == 0) {
      const Label label = { name, 0 };
      g_array_append_val (labels, label);
      g_hash_table_insert (*numbers, (gpointer) name, GUINT_TO_POINTER (number = labels->len));
    }
    if (name)
      g_array_index (labels, Label, number - 1).n++;
  }
  g_array_sort (labels, compare_labels);
  for (guint i = 0; i < labels->len; i++)
    g_hash_table_insert (*numbers, (gpointer) g_array_index (labels, Label, i).name,
                         GUINT_TO_POINTER (i + 1));
  return labels;
}

/* ---- data.js ---- */

/* The title, or else the name of the file. */
static const char *
title_of (const SegueItem *entry)
{
  const char *title = segue_item_get_string (entry, "title"), *id = segue_item_get_song (entry);
  const char *slash = strrchr (id, '/');
  return title ? title : slash ? slash + 1 : id;
}

/* [title, album, label, x, y, start, sound or null, reason or null, [similar, …]] */
static json_t *
describe_place (const Place *place, GHashTable *numbers)
{
  const SegueItem *entry = place->song->entry;
  const char *album = segue_item_get_string (entry, "album");
  int label = place->label ? GPOINTER_TO_INT (g_hash_table_lookup (numbers, place->label)) - 1 : -1;
  json_t *similar = json_array ();
  for (guint i = 0; i < place->n_similar; i++)
    json_array_append_new (similar, json_integer (place->similar[i]));
  return json_pack ("[s, s, i, i, i, i, s?, s?, o]", title_of (entry), album ? album : "", label,
                    (int) lround (UNITS * (1.0 + place->x)),
                    (int) lround (UNITS * (1.0 + place->y)), (int) place->start, place->sound,
                    place->why, similar);
}

static gboolean
append_json (SegueFileWriter *writer, GString *text, json_t *value, const char *after,
             GError **error)
{
  g_autofree char *row = segue_json_print (value, JSON_COMPACT | JSON_ENSURE_ASCII);
  g_string_append_printf (text, "%s%s", row, after);
  if (text->len < CHUNK)
    return TRUE;
  gboolean ok = segue_file_writer_write (writer, text->str, text->len, error);
  g_string_truncate (text, 0);
  return ok;
}

static gboolean
write_data (const GArray *places, const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "data.js", NULL);
  g_autoptr (GHashTable) numbers = NULL;
  g_autoptr (GArray) labels = count_labels (places, &numbers);
  g_autoptr (GString) text = g_string_new ("window.segueMap={\"labels\":[\n");
  g_autoptr (SegueFileWriter) writer = segue_file_writer_new (path, error);
  gboolean ok = writer != NULL;
  for (guint i = 0; ok && i < labels->len; i++)
    ok = append_json (writer, text,
                      json_pack ("[s, i]", g_array_index (labels, Label, i).name,
                                 (int) g_array_index (labels, Label, i).n),
                      i + 1 < labels->len ? ",\n" : "\n", error);
  g_string_append (text, "],\"songs\":[\n");
  for (guint i = 0; ok && i < places->len; i++)
    ok = append_json (writer, text, describe_place (&g_array_index (places, Place, i), numbers),
                      i + 1 < places->len ? ",\n" : "\n", error);
  g_string_append (text, "]};\n");
  return ok && segue_file_writer_write (writer, text->str, text->len, error) &&
         segue_file_writer_commit (writer, error);
}

gboolean
page_write (const GArray *places, const char *folder, GError **error)
{
  /* The page itself is written last: where it exists, all files that it names exist. */
  static const char *const names[] = { "map.css", "map.js", "index.html" };
  if (!write_data (places, folder, error))
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *resource = g_strconcat (RESOURCES, names[i], NULL);
    g_autofree char *path = g_build_filename (folder, names[i], NULL);
    g_autoptr (GBytes) own =
      g_resources_lookup_data (resource, G_RESOURCE_LOOKUP_FLAGS_NONE, error);
    if (!own || !segue_file_write (path, g_bytes_get_data (own, NULL),
                                   (gssize) g_bytes_get_size (own), error))
      return FALSE;
  }
  return TRUE;
}
