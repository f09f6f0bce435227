/* The bench: pipelines of fake stages in a temporary folder, and their results. */
#include "fake.h"

#include <segue/file.h>
#include <string.h>
#include <sys/resource.h>

void
bench_init (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  memset (bench, 0, sizeof *bench);
  bench->registry = segue_registry_new ();
  segue_registry_add (bench->registry, fake_plugin (), NULL, &error);
  g_assert_no_error (error);
  bench->folder = g_dir_make_tmp ("segue-flow-XXXXXX", &error);
  g_assert_no_error (error);
  bench->music = g_build_filename (bench->folder, "music", NULL);
  bench->cache = g_build_filename (bench->folder, "cache", NULL);
  bench->runs = g_build_filename (bench->folder, "runs", NULL);
  bench->cancellable = g_cancellable_new ();
  bench->failures = g_string_new (NULL);
  bench->log = g_string_new (NULL);
  bench->units = g_string_new (NULL);
  bench->data = g_string_new (NULL);
}

static void
on_progress (Bench *bench, guint64 done, guint64 total)
{
  g_assert_cmpuint (done, <=, total);
  bench->progress_calls++;
  bench->songs_done = done;
  if (bench->cancel_after > 0 && done >= bench->cancel_after)
    g_cancellable_cancel (bench->cancellable);
}

static void
on_data (Bench *bench, const SegueDataView *view)
{
  for (guint i = 0; i < view->labels->len; i++) {
    const SegueDataLabel *row = &g_array_index (view->labels, SegueDataLabel, i);
    g_string_append_printf (bench->data, "%s: %u %u %u %u %u\n", row->label, row->n_train,
                            row->n_validation, row->n_test, row->n_unset, row->n_left_out);
  }
  for (guint i = 0; i < view->warnings->len; i++)
    g_string_append_printf (bench->data, "%s\n", (char *) g_ptr_array_index (view->warnings, i));
}

/* SegueEventFunc. */
static gboolean
take_event (gpointer data, const SegueEvent *event)
{
  Bench *bench = data;
  g_assert_cmpuint (event->struct_size, ==, sizeof *event);
  if (event->type == SEGUE_EVENT_PROGRESS)
    on_progress (bench, event->done, event->total);
  else if (event->type == SEGUE_EVENT_PROGRESS_UNIT)
    g_string_append_printf (bench->units, "%s: %s\n", event->stage, event->text);
  else if (event->type == SEGUE_EVENT_LOG)
    g_string_append_printf (bench->log, "%s\n", event->text);
  else if (event->type == SEGUE_EVENT_ITEM_FAILED)
    g_string_append_printf (bench->failures, "%s %s: %s\n", event->stage, event->text,
                            event->error->message);
  else if (event->type == SEGUE_EVENT_DATA)
    on_data (bench, event->data);
  return bench->stop_after == 0 || event->type != SEGUE_EVENT_PROGRESS ||
         event->done < bench->stop_after;
}

void
bench_clear (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  segue_file_remove_folder (bench->folder, &error);
  g_assert_no_error (error);
  segue_registry_free (bench->registry);
  g_free (bench->folder);
  g_free (bench->music);
  g_free (bench->cache);
  g_free (bench->runs);
  g_free (bench->last_run);
  g_object_unref (bench->cancellable);
  g_string_free (bench->failures, TRUE);
  g_string_free (bench->log, TRUE);
  g_string_free (bench->units, TRUE);
  g_string_free (bench->data, TRUE);
}

void
bench_write (Bench *bench, const char *path, const char *content)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *file = g_build_filename (bench->music, path, NULL);
  g_autofree char *folder = g_path_get_dirname (file);
  segue_file_make_folder (folder, &error);
  g_assert_no_error (error);
  segue_file_write (file, content, -1, &error);
  g_assert_no_error (error);
}

void
bench_write_songs (Bench *bench)
{
  bench_write (bench, "anna/one.song", "the first song");
  bench_write (bench, "anna/two.song", "the second song");
  bench_write (bench, "ben/three.song", "the third song");
}

gboolean
bench_try_run (Bench *bench, const char *settings, const char *text, guint workers,
               SegueRunResult *result, GError **error)
{
  g_autofree char *yaml =
    g_strdup_printf ("segue: 1\nname: flow\n%s\nstages:\n"
                     "  - { id: songs, use: fake-scan, with: { root: \"%s\" } }\n%s",
                     settings, bench->music, text);
  g_autofree char *path = g_build_filename (bench->folder, "flow.yaml", NULL);
  g_autoptr (GError) local = NULL;
  segue_file_write (path, yaml, -1, &local);
  g_assert_no_error (local);
  g_autoptr (SeguePipeline) pipeline = segue_pipeline_load (bench->registry, path, NULL, &local);
  g_assert_no_error (local);
  g_string_truncate (bench->failures, 0);
  g_string_truncate (bench->log, 0);
  g_string_truncate (bench->units, 0);
  g_string_truncate (bench->data, 0);
  const SegueSink sink = { .take = take_event, .data = bench };
  SegueRunOptions options = { .struct_size = sizeof options,
                              .folder = bench->runs,
                              .cache = bench->cache,
                              .workers = workers,
                              .sinks = &sink,
                              .n_sinks = 1 };
  SegueRunResult own = { .struct_size = sizeof own };
  struct rlimit before, few;
  getrlimit (RLIMIT_NOFILE, &before);
  few = before;
  few.rlim_cur = bench->max_handles > 0 ? bench->max_handles : before.rlim_cur;
  setrlimit (RLIMIT_NOFILE, &few);
  gboolean ok =
    segue_pipeline_run (pipeline, &options, result ? result : &own, bench->cancellable, error);
  setrlimit (RLIMIT_NOFILE, &before);
  g_free (bench->last_run);
  bench->last_run = g_strdup (result ? result->folder : own.folder);
  segue_run_result_clear (&own);
  return ok;
}

void
bench_run (Bench *bench, const char *text, guint workers, SegueRunResult *result)
{
  g_autoptr (GError) error = NULL;
  bench_try_run (bench, "seed: 7", text, workers, result, &error);
  g_assert_no_error (error);
}

char *
bench_read (Bench *bench, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (bench->last_run, name, NULL);
  char *text = NULL;
  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

static int
compare_paths (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

GPtrArray *
bench_list_records (Bench *bench)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *root = g_build_filename (bench->cache, "records", NULL);
  g_autoptr (GDir) folders = g_dir_open (root, 0, NULL);
  const char *folder;
  while (folders && (folder = g_dir_read_name (folders))) {
    g_autofree char *path = g_build_filename (root, folder, NULL);
    g_autoptr (GDir) files = g_dir_open (path, 0, NULL);
    const char *file;
    while ((file = g_dir_read_name (files)))
      g_ptr_array_add (paths, g_build_filename (path, file, NULL));
  }
  g_ptr_array_sort (paths, compare_paths);
  return paths;
}

guint
bench_count_records (Bench *bench)
{
  g_autoptr (GPtrArray) paths = bench_list_records (bench);
  return paths->len;
}

void
bench_forget_results (Bench *bench)
{
  g_autofree char *path = g_build_filename (bench->cache, "results", NULL);
  g_autoptr (GError) error = NULL;
  segue_file_remove_folder (path, &error);
  g_assert_no_error (error);
}
