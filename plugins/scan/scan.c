/* scan: a music folder as songs with labels. */
#include "exclude.h"
#include "ignored.h"
#include "labels.h"
#include "layout.h"
#include "names.h"
#include "relabel.h"
#include "spellings.h"
#include "twins.h"
#include "walk.h"

#include <segue/plugin.h>
#include <segue/registry.h>
#include <string.h>

typedef struct {
  char *root;
  char *layout;
  char *label;
  gboolean any_depth;
  gint64 min_songs;
  GArray *labels;
  GArray *skip_labels;
  GArray *exclude;
  char *relabel;
  GArray *extensions;
} ScanConfig;

static const SegueParam *const params[] = {
  SEGUE_PARAM (ScanConfig, root, SEGUE_PARAM_INPUT_PATH, .doc = "The music folder."),
  SEGUE_PARAM (ScanConfig, layout, SEGUE_PARAM_STRING, .def = "\"{artist}/{album}/{title}\"",
               .doc = "What the levels below the root mean: fields in braces, text between them "
                      "(`{artist}/{year} - {album}/{title}`). Each field becomes metadata."),
  SEGUE_PARAM (ScanConfig, label, SEGUE_PARAM_STRING, .def = "artist",
               .doc = "Which field is the label; empty: songs get none."),
  SEGUE_PARAM (ScanConfig, any_depth, SEGUE_PARAM_BOOL, .def = "false",
               .doc = "Also use songs at another depth than the layout's: surplus folders are "
                      "joined to the last one (`Life/CD 1`), missing fields stay unset. Otherwise "
                      "such songs are skipped, with the reason."),
  SEGUE_PARAM (ScanConfig, min_songs, SEGUE_PARAM_INT, .def = "1", .min = 1, .max = 1000000,
               .doc = "Exclude labels that have fewer songs."),
  SEGUE_PARAM (ScanConfig, labels, SEGUE_PARAM_LIST, .def = "[]", .max_items = 100000,
               .element = SEGUE_ELEMENT (SEGUE_PARAM_STRING),
               .doc = "Use only these labels; empty: all."),
  SEGUE_PARAM (
    ScanConfig, skip_labels, SEGUE_PARAM_LIST, .def = "[]", .max_items = 100000,
    .element = SEGUE_ELEMENT (SEGUE_PARAM_STRING),
    .doc = "Exclude these labels, in upper or lower case: folders of compilations name no artist."),
  SEGUE_PARAM (ScanConfig, exclude, SEGUE_PARAM_LIST, .def = "[]", .max_items = 10000,
               .element = SEGUE_ELEMENT (SEGUE_PARAM_STRING),
               .doc = "Files and folders to skip: patterns with `*` and `?`, in upper or lower "
                      "case. A pattern without a slash is matched against every name on the path "
                      "(`*live*`), one with a slash against the whole path below the root."),
  SEGUE_PARAM (ScanConfig, relabel, SEGUE_PARAM_INPUT_PATH, .flags = SEGUE_PARAM_OPTIONAL,
               .doc = "CSV file with the columns `song` (path below the root) and `label`: labels "
                      "that override the folder's. An empty label excludes the song."),
  SEGUE_PARAM (
    ScanConfig, extensions, SEGUE_PARAM_LIST, .flags = SEGUE_PARAM_OPTIONAL,
    .element = SEGUE_ELEMENT (SEGUE_PARAM_STRING),
    .doc =
      "File extensions of songs, in upper or lower case. All other files are ignored and counted "
      "by extension. Empty: the audio formats of the installed decoders; not videos."),
  NULL,
};

static gboolean
check (const void *data, GError **error)
{
  const ScanConfig *config = data;
  g_autoptr (Layout) layout = layout_parse (config->layout, error);
  g_autofree char *fields = NULL;

  if (!layout)
    return FALSE;
  if (*config->label == '\0' || layout_has_field (layout, config->label))
    return TRUE;
  fields = layout_list_fields (layout);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
               "label ‘%s’ is not a field of layout %s, which has %s", config->label,
               config->layout,
               *fields ? fields : "none; write fields in braces: \"{artist}/{title}\"");
  return FALSE;
}

static void
set_field (const char *name, const char *value, gpointer item)
{
  segue_item_set_string (item, name, value);
}

/* NULL and @reason: the path does not fit the layout. */
static SegueItem *
make_song (const ScanConfig *config, const Layout *layout, const char *path, char **reason)
{
  g_autofree char *id = name_to_text (path);
  g_autofree char *absolute = g_build_filename (config->root, path, NULL);
  /* It has to be text for JSON, and convertible back to the bytes for players. */
  g_autofree char *source = g_uri_escape_string (absolute, "/ !#$&'()*+,:;=?@[]", TRUE);
  g_autoptr (SegueItem) item = segue_item_new_file (id, absolute);

  if (!layout_match (layout, path, config->any_depth, set_field, item, reason))
    return NULL;
  segue_item_set_string (item, SEGUE_META_SOURCE, source);
  if (*config->label) {
    const char *label = segue_item_get_string (item, config->label);

    if (label)
      segue_item_set_string (item, SEGUE_META_LABEL, label);
  }
  return g_steal_pointer (&item);
}

static void
quarantine (SegueContext *context, const char *path, const char *reason)
{
  g_autofree char *id = name_to_text (path);
  g_autoptr (GError) error =
    g_error_new (SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’ %s", *id ? id : ".", reason);

  segue_context_quarantine (context, *id ? id : ".", error);
}

static void
quarantine_unlabelled (const ScanConfig *config, SegueContext *context, const char *path)
{
  gboolean vowel = strchr ("aeiou", *config->label) != NULL;
  g_autofree char *reason =
    g_strdup_printf ("is not inside %s %s folder", vowel ? "an" : "a", config->label);

  quarantine (context, path, reason);
}

/* FALSE: the table skips the song. */
static gboolean
relabel (GHashTable *table, SegueItem *item, guint *n_used)
{
  const char *label = table ? g_hash_table_lookup (table, segue_item_get_id (item)) : NULL;

  if (!label)
    return TRUE;
  (*n_used)++;
  if (!*label)
    return FALSE;
  segue_item_set_string (item, SEGUE_META_LABEL, label);
  return TRUE;
}

static GPtrArray *
make_songs (const ScanConfig *config, const Walk *walk, GHashTable *table, SegueContext *context,
            GError **error)
{
  g_autoptr (Layout) layout = layout_parse (config->layout, error);
  g_autoptr (GPtrArray) songs = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  guint n_used = 0;

  if (!layout)
    return NULL;
  for (guint i = 0; i < walk->files->len; i++) {
    const char *path = g_ptr_array_index (walk->files, i);
    g_autofree char *reason = NULL;
    g_autoptr (SegueItem) song = make_song (config, layout, path, &reason);

    if (!song)
      quarantine (context, path, reason);
    else if (!relabel (table, song, &n_used))
      segue_context_count (context, "songs left out by relabel", 1);
    else if (*config->label && !segue_item_get_string (song, SEGUE_META_LABEL))
      quarantine_unlabelled (config, context, path);
    else
      g_ptr_array_add (songs, g_steal_pointer (&song));
  }
  if (table && n_used < g_hash_table_size (table))
    segue_context_log (
      context, G_LOG_LEVEL_WARNING,
      "%u rows of the relabel table name songs that do not exist: ids are paths below the root",
      g_hash_table_size (table) - n_used);
  return g_steal_pointer (&songs);
}

/* (transfer container): those of @songs that are used. Labels are counted without copies. */
static GPtrArray *
choose_songs (const ScanConfig *config, GPtrArray *songs, SegueContext *context, GError **error)
{
  g_autoptr (GArray) none = g_array_new (FALSE, FALSE, sizeof (char *));
  const LabelRules wanted = { config->labels, config->skip_labels, 1 };
  const LabelRules enough = { none, none, (guint) config->min_songs };
  g_autoptr (GPtrArray) labelled = labels_choose (&wanted, songs, context, error), single = NULL;

  if (labelled)
    spellings_warn (labelled, context);
  single = labelled ? twins_sort_out (labelled, context, error) : NULL;
  return single ? labels_choose (&enough, single, context, error) : NULL;
}

static gboolean
emit_songs (GPtrArray *songs, SegueContext *context, GError **error)
{
  segue_context_set_progress_unit (context, "songs");
  for (guint i = 0; i < songs->len; i++) {
    if (!segue_context_emit (context, segue_item_ref (g_ptr_array_index (songs, i)), error))
      return FALSE;
    segue_context_progress (context, i + 1, songs->len, NULL);
  }
  return TRUE;
}

/* How many songs would have a label if any depth were allowed. */
static guint
count_at_any_depth (const ScanConfig *config, const Walk *walk)
{
  g_autoptr (Layout) layout = layout_parse (config->layout, NULL);
  ScanConfig loose = *config;
  guint n = 0;

  loose.any_depth = TRUE;
  for (guint i = 0; i < walk->files->len; i++) {
    g_autofree char *reason = NULL;
    g_autoptr (SegueItem) song =
      make_song (&loose, layout, g_ptr_array_index (walk->files, i), &reason);

    n += song && (!*config->label || segue_item_get_string (song, SEGUE_META_LABEL));
  }
  return n;
}

static gboolean
nothing_fits (const ScanConfig *config, const Walk *walk, const char *root, GError **error)
{
  guint n = config->any_depth ? 0 : count_at_any_depth (config, walk);

  if (n > 0)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
                 "none of the %u songs below ‘%s’ is at the depth of the layout %s" SEGUE_ADVICE (
                   "; to use %u of them at any depth, add ", "any_depth=true"),
                 walk->files->len, root, config->layout, n);
  else
    g_set_error (
      error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
      "none of the %u songs below ‘%s’ fits the layout %s: specify another folder or layout",
      walk->files->len, root, config->layout);
  return FALSE;
}

static gboolean
nothing_found (const ScanConfig *config, const Walk *walk, guint n_songs, GError **error)
{
  g_autofree char *root = g_filename_display_name (config->root);

  if (walk->files->len > 0 && n_songs == 0)
    return nothing_fits (config, walk, root, error);
  if (walk->files->len == 0)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
                 "‘%s’ contains no songs (%" G_GUINT64_FORMAT
                 " other files): specify the folder that is laid out as %s",
                 root, walk->n_ignored, config->layout);
  else
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
                 "none of the %u songs below ‘%s’ is left after ‘labels’, ‘skip_labels’ and "
                 "‘min_songs’",
                 n_songs, root);
  return FALSE;
}

/* (transfer full): the extensions of songs: those in the parameters, else all usual ones. */
static GArray *
find_extensions (const ScanConfig *config, SegueContext *context)
{
  if (config->extensions->len > 0)
    return g_array_ref (config->extensions);
  g_autofree const char **usual =
    segue_registry_list_extensions (segue_context_get_registry (context));
  GArray *extensions = g_array_new (FALSE, FALSE, sizeof (const char *));
  return g_array_append_vals (extensions, usual, g_strv_length ((char **) usual));
}

static gboolean
produce (gpointer instance, SegueContext *context, GError **error)
{
  const ScanConfig *config = segue_context_get_config (context);
  g_autoptr (GHashTable) table = config->relabel ? relabel_load (config->relabel, error) : NULL;
  g_auto (Exclude) exclude = { 0 };
  g_autoptr (Walk) walk = NULL;
  g_autoptr (GArray) extensions = find_extensions (config, context);
  g_autoptr (GPtrArray) songs = NULL, chosen = NULL;

  if (config->relabel && !table)
    return FALSE;
  exclude_init (&exclude, config->exclude);
  walk = walk_folder (config->root, extensions, exclude_match, &exclude,
                      segue_context_get_cancellable (context), error);
  if (!walk)
    return FALSE;
  for (guint i = 0; i < walk->problems->len; i++) {
    const WalkProblem *problem = g_ptr_array_index (walk->problems, i);

    quarantine (context, problem->path, problem->reason);
  }
  segue_context_count (context, "ignored files", (gint64) walk->n_ignored);
  ignored_log (walk->ignored, context);
  if (exclude.n_excluded)
    segue_context_count (context, "excluded files and folders", (gint64) exclude.n_excluded);
  songs = make_songs (config, walk, table, context, error);
  chosen = songs ? choose_songs (config, songs, context, error) : NULL;
  if (!chosen || !emit_songs (chosen, context, error))
    return FALSE;
  return chosen->len > 0 || nothing_found (config, walk, songs->len, error);
}

static const SeguePort *const outputs[] = {
  SEGUE_PORT ("songs", SEGUE_KIND_FILE, "One file per song."), NULL
};

static const SegueStageType scan = {
  SEGUE_STAGE_TYPE,
  .name = "scan",
  .summary = "Finds the songs of a music folder and reads their labels from its layout",
  .doc = "Walks `root` and emits every file with an audio file's extension, sorted by the bytes of "
         "its path. The path below the root is parsed by `layout`; the field named by `label` "
         "becomes the song's label. Fields are converted to Unicode NFC, so that a name written "
         "by macOS and the same name from another system are one artist.\n\nFiles that are not "
         "audio are ignored and counted; files that systems create in folders (`._song.mp3`, "
         "`@eaDir`, `#recycle`) are ignored without a count. Songs and folders that can't be used "
         "(a dangling link, a folder that can't be read, a named pipe, a song outside the layout) "
         "are skipped, with the reason. Links are followed; a song or folder that can be reached "
         "twice counts once, and so does a recording that is stored in several files with the same "
         "label (the same bytes, or the same except for their tags). Where such files have "
         "several labels, a warning names them, and `split` keeps them in one set.",
  .result_version = 1,
  .mode = SEGUE_MODE_SOURCE,
  .outputs = outputs,
  .params = params,
  .config_size = sizeof (ScanConfig),
  .check = check,
  .produce = produce,
};

static const SegueStageType *const stages[] = { &scan, NULL };

SEGUE_PLUGIN (.name = "scan", .version = "1.0", .licence = "MIT", .stages = stages)
