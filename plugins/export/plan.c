#include "plan.h"

#include "names.h"

#include <string.h>

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Items without a set are for training. */
static SegueSet
set_of (const SegueItem *item)
{
  SegueSet set = segue_set_from_name (segue_item_get_string (item, SEGUE_META_SET));
  return set < SEGUE_N_SETS ? set : SEGUE_SET_TRAIN;
}

const char *
plan_get_label (const SegueItem *item)
{
  const char *label = segue_item_get_string (item, SEGUE_META_LABEL);

  return label ? label : "unlabelled";
}

/* `Mika/Life/Grace Kelly.mp3#0003` under the label Mika → `Life__Grace Kelly-0003`, without @numbered `Life__Grace Kelly` */
static char *
stem_of (const SegueItem *item, const char *label, gboolean numbered)
{
  const char *song = segue_item_get_song (item), *id = segue_item_get_id (item);
  const char *suffix = g_str_has_prefix (id, song) ? id + strlen (song) : "";
  const char *slash = strchr (song, '/');
  g_autofree char *first = slash ? g_strndup (song, (gsize) (slash - song)) : NULL;
  g_autofree char *folder = first ? g_utf8_normalize (first, -1, G_NORMALIZE_NFC) : NULL;
  g_autofree char *path = g_strdup (g_strcmp0 (folder, label) == 0 ? slash + 1 : song);
  char *dot = strrchr (path, '.');
  g_auto (GStrv) parts = NULL;
  g_autofree char *joined = NULL;

  if (dot && !strchr (dot, '/') && dot != path)
    *dot = '\0';
  parts = g_strsplit (path, "/", -1);
  joined = g_strjoinv ("__", parts);
  return numbered && *suffix == '#' ? g_strconcat (joined, "-", suffix + 1, NULL)
                                    : g_strdup (joined);
}

/* Labels and the names of their folders; (transfer full): one from the other. */
static GHashTable *
name_labels (SegueDataset *dataset, Plan *plan)
{
  GHashTable *folders = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (Names) names = names_new ();
  /* The file next to the folders: no label gets its name. */
  g_autofree char *taken = names_make (names, "", PLAN_METADATA);

  plan->labels = g_ptr_array_new_with_free_func (g_free);
  plan->folders = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < segue_dataset_get_length (dataset); i++) {
    const char *label = plan_get_label (segue_dataset_get_entry (dataset, i));

    if (!g_hash_table_contains (folders, label)) {
      g_ptr_array_add (plan->labels, g_strdup (label));
      g_hash_table_add (folders, g_ptr_array_index (plan->labels, plan->labels->len - 1));
    }
  }
  g_ptr_array_sort (plan->labels, compare_strings);
  for (guint i = 0; i < plan->labels->len; i++) {
    char *label = g_ptr_array_index (plan->labels, i), *folder = names_make (names, "", label);

    g_ptr_array_add (plan->folders, folder);
    g_hash_table_insert (folders, label, folder);
  }
  g_ptr_array_sort (plan->folders, compare_strings);
  return folders;
}

/* Text fields of any item that don't have their own column. */
static void
find_extra (SegueDataset *dataset, Plan *plan)
{
  static const char *const others[] = { SEGUE_META_SOURCE, SEGUE_META_SONG,     SEGUE_META_LABEL,
                                        SEGUE_META_SET,    "file_name",         "audio",
                                        SEGUE_META_START,  SEGUE_META_DURATION, NULL };
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < segue_dataset_get_length (dataset); i++) {
    g_autoptr (GVariant) metadata = segue_item_get_metadata (segue_dataset_get_entry (dataset, i));
    GVariantIter iter;
    GVariant *value;
    const char *key;

    g_variant_iter_init (&iter, metadata);
    while (g_variant_iter_loop (&iter, "{&sv}", &key, &value))
      if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING) && !g_strv_contains (others, key) &&
          !g_hash_table_contains (seen, key)) {
        g_ptr_array_add (plan->extra, g_strdup (key));
        g_hash_table_add (seen, g_ptr_array_index (plan->extra, plan->extra->len - 1));
      }
  }
  g_ptr_array_sort (plan->extra, compare_strings);
}

/* Whether item @i of @dataset goes into @file: vectors of a song share one. */
static gboolean
continues (SegueDataset *dataset, const PlanFile *file, guint i)
{
  SegueItem *item = segue_dataset_get_entry (dataset, i);
  SegueItem *first = segue_dataset_get_entry (dataset, file->first);
  return segue_item_get_kind (item) == SEGUE_KIND_TENSOR && set_of (item) == file->set &&
         g_str_equal (segue_item_get_song (item), segue_item_get_song (first)) &&
         g_str_equal (plan_get_label (item), plan_get_label (first));
}

static PlanFile
name_file (Names *names, GHashTable *folders, const SegueItem *item, guint i)
{
  gboolean is_audio = segue_item_get_kind (item) == SEGUE_KIND_AUDIO;
  const char *label = plan_get_label (item), *folder = g_hash_table_lookup (folders, label);
  SegueSet set = set_of (item);
  g_autofree char *stem = stem_of (item, label, is_audio);
  g_autofree char *name = names_make (names, folder, stem);
  return (PlanFile){ .path = g_strdup_printf ("data/%s/%s/%s.%s", segue_set_get_name (set), folder,
                                              name, is_audio ? "wav" : "npy"),
                     .first = i,
                     .set = set };
}

static void
plan_file_clear (gpointer data)
{
  PlanFile *file = data;
  g_free (file->path);
}

void
plan_init (Plan *plan, SegueDataset *dataset, gboolean metadata)
{
  g_autoptr (Names) names = names_new ();
  g_autoptr (GHashTable) folders = name_labels (dataset, plan);

  plan->files = g_array_new (FALSE, FALSE, sizeof (PlanFile));
  g_array_set_clear_func (plan->files, plan_file_clear);
  plan->all = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < segue_dataset_get_length (dataset); i++) {
    SegueItem *item = segue_dataset_get_entry (dataset, i);
    PlanFile *last =
      plan->files->len > 0 ? &g_array_index (plan->files, PlanFile, plan->files->len - 1) : NULL;

    if (!last || !continues (dataset, last, i)) {
      PlanFile file = name_file (names, folders, item, i);
      g_ptr_array_add (plan->all, g_strdup (file.path));
      g_array_append_val (plan->files, file);
      last = &g_array_index (plan->files, PlanFile, plan->files->len - 1);
    }
    last->n++;
    plan->counts[last->set]++;
  }
  plan->extra = g_ptr_array_new_with_free_func (g_free);
  if (metadata)
    find_extra (dataset, plan);
  for (guint s = 0; metadata && s < SEGUE_N_SETS; s++)
    if (plan->counts[s] > 0)
      g_ptr_array_add (plan->all,
                       g_strdup_printf ("data/%s/" PLAN_METADATA, segue_set_get_name (s)));
  g_ptr_array_add (plan->all, g_strdup ("README.md"));
}

void
plan_clear (Plan *plan)
{
  g_clear_pointer (&plan->files, g_array_unref);
  g_clear_pointer (&plan->labels, g_ptr_array_unref);
  g_clear_pointer (&plan->folders, g_ptr_array_unref);
  g_clear_pointer (&plan->extra, g_ptr_array_unref);
  g_clear_pointer (&plan->all, g_ptr_array_unref);
}
