/* The study: one pipeline, changed slightly between runs. */
#include "study.h"

#include <jansson.h>
#include <segue/file.h>
#include <string.h>

void
study_add_song (Study *study, const char *path, const char *content)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *file = g_build_filename (study->music, path, NULL);
  g_autofree char *folder = g_path_get_dirname (file);
  segue_file_make_folder (folder, &error);
  g_assert_no_error (error);
  segue_file_write (file, content, -1, &error);
  g_assert_no_error (error);
}

void
study_init (Study *study)
{
  g_autoptr (GError) error = NULL;
  memset (study, 0, sizeof *study);
  study->registry = segue_registry_new ();
  segue_registry_add (study->registry, fake_plugin (), NULL, &error);
  g_assert_no_error (error);
  segue_registry_add (study->registry, learn_plugin (), NULL, &error);
  g_assert_no_error (error);
  study->folder = g_dir_make_tmp ("segue-study-XXXXXX", &error);
  g_assert_no_error (error);
  study->music = g_build_filename (study->folder, "music", NULL);
  study->cache = g_build_filename (study->folder, "cache", NULL);
  study->runs = g_build_filename (study->folder, "runs", NULL);
  study->name = "study";
  study->learn = "learn";
  study->title = study->style = "plain";
  study->with = "";
  study->tail = "";
  study->seed = 7;
  study->workers = 2;
  study->length = 20;
  study->log = g_string_new (NULL);
  study->cached = g_string_new (NULL);
  study_add_song (study, "anna/one.song", "the first song");
  study_add_song (study, "anna/two.song", "the second song");
  study_add_song (study, "ben/three.song", "the third song");
  study_add_song (study, "ben/drop.song", "the fourth song");
  study_add_song (study, "ben/odd.song", "the fifth song");
  study_assert_work (g_atomic_int_get (&learn_sifted), g_atomic_int_get (&learn_trained),
                     g_atomic_int_get (&learn_judged), g_atomic_int_get (&learn_tabled));
}

void
study_clear (Study *study)
{
  g_autoptr (GError) error = NULL;
  segue_file_remove_folder (study->folder, &error);
  g_assert_no_error (error);
  segue_registry_free (study->registry);
  g_free (study->folder);
  g_free (study->music);
  g_free (study->cache);
  g_free (study->runs);
  g_string_free (study->log, TRUE);
  g_string_free (study->cached, TRUE);
}

static SeguePipeline *
load (Study *study, GError **error)
{
  g_autofree char *yaml = g_strdup_printf (
    "segue: 1\nname: %s\nseed: %" G_GUINT64_FORMAT "\nstages:\n"
    "  - { id: songs, use: learn-scan, with: { root: \"%s\", title: \"%s\", style: \"%s\" } }\n"
    "  - use: fake-decode\n"
    "  - { use: fake-segment, with: { length: %u } }\n"
    "  - use: fake-split\n"
    "  - use: learn-sift\n"
    "  - use: fake-live\n"
    "  - { id: %s, use: learn-train, with: { %s } }\n"
    "  - use: learn-judge\n"
    "  - use: learn-table\n%s",
    study->name, study->seed, study->music, study->title, study->style, study->length, study->learn,
    study->with, study->tail);
  g_autofree char *path = g_build_filename (study->folder, "study.yaml", NULL);
  g_assert_true (segue_file_write (path, yaml, -1, NULL));
  return segue_pipeline_load (study->registry, path, NULL, error);
}

gboolean
study_try_load (Study *study, GError **error)
{
  g_autoptr (SeguePipeline) pipeline = load (study, error);
  return pipeline != NULL;
}

/* SegueEventFunc. */
static gboolean
take_event (gpointer data, const SegueEvent *event)
{
  Study *study = data;
  if (event->type == SEGUE_EVENT_LOG)
    g_string_append_printf (study->log, "%s: %s\n", event->stage ? event->stage : "run",
                            event->text);
  else if (event->type == SEGUE_EVENT_FINISHED && event->n)
    g_string_append_printf (study->cached, "%s\n", event->stage);
  return TRUE;
}

gboolean
study_try_run (Study *study, GError **error)
{
  g_autoptr (SeguePipeline) pipeline = load (study, error);
  if (!pipeline)
    return FALSE;
  const SegueSink sink = { .take = take_event, .data = study };
  SegueRunOptions options =
    SEGUE_INIT (SegueRunOptions, .folder = study->runs, .cache = study->cache,
                .workers = study->workers, .sinks = &sink, .n_sinks = 1, .fresh = study->fresh);
  g_string_truncate (study->log, 0);
  g_string_truncate (study->cached, 0);
  return segue_pipeline_run (pipeline, &options, NULL, NULL, error);
}

void
study_run (Study *study)
{
  g_autoptr (GError) error = NULL;
  study_try_run (study, &error);
  g_assert_no_error (error);
}

char *
study_plan (Study *study)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SeguePipeline) pipeline = load (study, &error);
  g_assert_no_error (error);
  SegueRunOptions options =
    SEGUE_INIT (SegueRunOptions, .folder = study->runs, .cache = study->cache,
                .workers = study->workers, .fresh = study->fresh);
  g_autoptr (GPtrArray) plan = segue_pipeline_plan (pipeline, &options, NULL, NULL, &error);
  g_assert_no_error (error);
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < plan->len; i++) {
    const SeguePlanStep *step = g_ptr_array_index (plan, i);
    if (step->source)
      continue;
    if (step->known)
      g_string_append_printf (text, "%s: %u cached, %u computed", step->name, step->n_cached,
                              step->n_computed);
    else
      g_string_append_printf (text, "%s: later", step->name);
    for (guint j = 0; j < step->reasons->len; j++)
      g_string_append_printf (text, ", %s",
                              ((SeguePlanReason *) g_ptr_array_index (step->reasons, j))->why);
    g_string_append_c (text, '\n');
  }
  return g_string_free (text, FALSE);
}

static char *
latest (Study *study)
{
  return g_build_filename (study->runs, study->name, "latest", NULL);
}

char *
study_read (Study *study, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = latest (study);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  char *text = NULL;
  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

static void
list_below (const char *root, const char *below, GPtrArray *files)
{
  g_autofree char *path = g_build_filename (root, below, NULL);
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  const char *name;
  while (folder && (name = g_dir_read_name (folder))) {
    g_autofree char *entry = *below ? g_build_filename (below, name, NULL) : g_strdup (name);
    g_autofree char *whole = g_build_filename (root, entry, NULL);
    if (g_file_test (whole, G_FILE_TEST_IS_DIR))
      list_below (root, entry, files);
    else
      g_ptr_array_add (files, g_steal_pointer (&entry));
  }
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

GPtrArray *
study_list (const char *folder)
{
  GPtrArray *files = g_ptr_array_new_with_free_func (g_free);
  list_below (folder, "", files);
  g_ptr_array_sort (files, compare_names);
  return files;
}

char *
study_digest (Study *study)
{
  g_autofree char *run = latest (study);
  g_autofree char *folder = g_build_filename (run, "stages", NULL);
  g_autoptr (GPtrArray) files = study_list (folder);
  g_autoptr (GString) text = g_string_new (NULL);
  g_assert_cmpuint (files->len, >=, 5);
  for (guint i = 0; i < files->len; i++) {
    g_autofree char *path = g_build_filename (folder, files->pdata[i], NULL);
    g_autofree char *content = NULL;
    gsize size;
    g_assert_true (g_file_get_contents (path, &content, &size, NULL));
    g_autofree char *digest =
      g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) content, size);
    g_string_append_printf (text, "%s %s\n", (const char *) files->pdata[i], digest);
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static guint
take (gint *counter)
{
  gint n = g_atomic_int_get (counter);
  g_atomic_int_add (counter, -n);
  return (guint) n;
}

void
study_assert_work (guint sifted, guint trained, guint judged, guint tabled)
{
  g_assert_cmpuint (take (&learn_sifted), ==, sifted);
  g_assert_cmpuint (take (&learn_trained), ==, trained);
  g_assert_cmpuint (take (&learn_judged), ==, judged);
  g_assert_cmpuint (take (&learn_tabled), ==, tabled);
}

void
study_assert_why (Study *study, const char *id, const char *why)
{
  g_autofree char *text = study_read (study, "run.json");
  json_t *report = json_loads (text, 0, NULL);
  const char *found = NULL;
  size_t i;
  json_t *stage;
  g_assert_nonnull (report);
  json_array_foreach (json_object_get (report, "stages"), i, stage)
  {
    if (g_strcmp0 (json_string_value (json_object_get (stage, "id")), id) == 0) {
      g_assert_true (json_is_boolean (json_object_get (stage, "cached")));
      g_assert_true (json_is_true (json_object_get (stage, "cached")) == (!why));
      found = json_string_value (json_object_get (stage, "why"));
    }
  }
  g_assert_cmpstr (found, ==, why);
  json_decref (report);
}
