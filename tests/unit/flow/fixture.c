/* The fixture: pipelines of fake stages in a temporary folder, and their results. */
#include "fake.h"

#include <segue/file.h>
#include <string.h>
#include <sys/resource.h>

void
flow_fixture_init (FlowFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  memset (fixture, 0, sizeof *fixture);
  fixture->registry = segue_registry_new ();
  segue_registry_add (fixture->registry, fake_plugin (), NULL, &error);
  g_assert_no_error (error);
  fixture->folder = g_dir_make_tmp ("segue-flow-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->music = g_build_filename (fixture->folder, "music", NULL);
  fixture->cache = g_build_filename (fixture->folder, "cache", NULL);
  fixture->runs = g_build_filename (fixture->folder, "runs", NULL);
  fixture->cancellable = g_cancellable_new ();
  fixture->failures = g_string_new (NULL);
  fixture->log = g_string_new (NULL);
  fixture->units = g_string_new (NULL);
  fixture->data = g_string_new (NULL);
}

static void
on_progress (FlowFixture *fixture, guint64 done, guint64 total)
{
  g_assert_cmpuint (done, <=, total);
  fixture->progress_calls++;
  fixture->songs_done = done;
  if (fixture->cancel_after > 0 && done >= fixture->cancel_after)
    g_cancellable_cancel (fixture->cancellable);
}

static void
on_data (FlowFixture *fixture, const SegueDataView *view)
{
  for (guint i = 0; i < view->labels->len; i++) {
    const SegueDataLabel *row = &g_array_index (view->labels, SegueDataLabel, i);
    g_string_append_printf (fixture->data, "%s: %u %u %u %u %u\n", row->label, row->n_train,
                            row->n_validation, row->n_test, row->n_unset, row->n_left_out);
  }
  for (guint i = 0; i < view->warnings->len; i++)
    g_string_append_printf (fixture->data, "%s\n", (char *) g_ptr_array_index (view->warnings, i));
}

/* SegueEventFunc. */
static gboolean
take_event (gpointer data, const SegueEvent *event)
{
  FlowFixture *fixture = data;
  g_assert_cmpuint (event->struct_size, ==, sizeof *event);
  if (event->type == SEGUE_EVENT_PROGRESS)
    on_progress (fixture, event->done, event->total);
  else if (event->type == SEGUE_EVENT_PROGRESS_UNIT)
    g_string_append_printf (fixture->units, "%s: %s\n", event->stage, event->text);
  else if (event->type == SEGUE_EVENT_LOG)
    g_string_append_printf (fixture->log, "%s\n", event->text);
  else if (event->type == SEGUE_EVENT_ITEM_FAILED)
    g_string_append_printf (fixture->failures, "%s %s: %s\n", event->stage, event->text,
                            event->error->message);
  else if (event->type == SEGUE_EVENT_DATA)
    on_data (fixture, event->data);
  return fixture->stop_after == 0 || event->type != SEGUE_EVENT_PROGRESS ||
         event->done < fixture->stop_after;
}

void
flow_fixture_clear (FlowFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  segue_file_remove_folder (fixture->folder, &error);
  g_assert_no_error (error);
  segue_registry_free (fixture->registry);
  g_free (fixture->folder);
  g_free (fixture->music);
  g_free (fixture->cache);
  g_free (fixture->runs);
  g_free (fixture->last_run);
  g_object_unref (fixture->cancellable);
  g_string_free (fixture->failures, TRUE);
  g_string_free (fixture->log, TRUE);
  g_string_free (fixture->units, TRUE);
  g_string_free (fixture->data, TRUE);
}

void
flow_fixture_write (FlowFixture *fixture, const char *path, const char *content)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *file = g_build_filename (fixture->music, path, NULL);
  g_autofree char *folder = g_path_get_dirname (file);
  segue_file_make_folder (folder, &error);
  g_assert_no_error (error);
  segue_file_write (file, content, -1, &error);
  g_assert_no_error (error);
}

void
flow_fixture_write_songs (FlowFixture *fixture)
{
  flow_fixture_write (fixture, "anna/one.song", "the first song");
  flow_fixture_write (fixture, "anna/two.song", "the second song");
  flow_fixture_write (fixture, "ben/three.song", "the third song");
}

gboolean
flow_fixture_try_run (FlowFixture *fixture, const char *settings, const char *text, guint workers,
                      SegueRunResult *result, GError **error)
{
  g_autofree char *yaml =
    g_strdup_printf ("segue: 1\nname: flow\n%s\nstages:\n"
                     "  - { id: songs, use: fake-scan, with: { root: \"%s\" } }\n%s",
                     settings, fixture->music, text);
  g_autofree char *path = g_build_filename (fixture->folder, "flow.yaml", NULL);
  g_autoptr (GError) local = NULL;
  segue_file_write (path, yaml, -1, &local);
  g_assert_no_error (local);
  g_autoptr (SeguePipeline) pipeline = segue_pipeline_load (fixture->registry, path, NULL, &local);
  g_assert_no_error (local);
  g_string_truncate (fixture->failures, 0);
  g_string_truncate (fixture->log, 0);
  g_string_truncate (fixture->units, 0);
  g_string_truncate (fixture->data, 0);
  const SegueSink sink = { .take = take_event, .data = fixture };
  SegueRunOptions options =
    SEGUE_INIT (SegueRunOptions, .folder = fixture->runs, .cache = fixture->cache,
                .workers = workers, .sinks = &sink, .n_sinks = 1);
  SegueRunResult own = SEGUE_INIT (SegueRunResult);
  struct rlimit before, few;
  getrlimit (RLIMIT_NOFILE, &before);
  few = before;
  few.rlim_cur = fixture->max_handles > 0 ? fixture->max_handles : before.rlim_cur;
  setrlimit (RLIMIT_NOFILE, &few);
  gboolean ok =
    segue_pipeline_run (pipeline, &options, result ? result : &own, fixture->cancellable, error);
  setrlimit (RLIMIT_NOFILE, &before);
  g_free (fixture->last_run);
  fixture->last_run = g_strdup (result ? result->folder : own.folder);
  segue_run_result_clear (&own);
  return ok;
}

void
flow_fixture_run (FlowFixture *fixture, const char *text, guint workers, SegueRunResult *result)
{
  g_autoptr (GError) error = NULL;
  flow_fixture_try_run (fixture, "seed: 7", text, workers, result, &error);
  g_assert_no_error (error);
}

char *
flow_fixture_read (FlowFixture *fixture, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (fixture->last_run, name, NULL);
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
flow_fixture_list_records (FlowFixture *fixture)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *root = g_build_filename (fixture->cache, "records", NULL);
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
flow_fixture_count_records (FlowFixture *fixture)
{
  g_autoptr (GPtrArray) paths = flow_fixture_list_records (fixture);
  return paths->len;
}

void
flow_fixture_forget_results (FlowFixture *fixture)
{
  g_autofree char *path = g_build_filename (fixture->cache, "results", NULL);
  g_autoptr (GError) error = NULL;
  segue_file_remove_folder (path, &error);
  g_assert_no_error (error);
}
