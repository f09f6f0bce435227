#include "fixture.h"
#include "isolate/isolated-stage.h"

#include <errno.h>
#include <segue/file.h>
#include <string.h>
#include <sys/wait.h>

guint
isolate_count_handles (void)
{
  g_autoptr (GDir) folder = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;
  while (g_dir_read_name (folder))
    n++;
  return n;
}

static void
take_event (gpointer data, const SegueGraphStage *stage, const SegueEvent *event)
{
  IsolateFixture *fixture = data;
  if (event->type == SEGUE_EVENT_LOG)
    g_string_append_printf (fixture->log, "%s: %s\n", event->stage, event->text);
}

static const SegueStageHost host = { .event = take_event };

void
isolate_fixture_init (IsolateFixture *fixture, const char *const *types, const char *config,
                      gboolean isolate, double time_limit)
{
  g_autoptr (GError) error = NULL;
  memset (fixture, 0, sizeof *fixture);
  fixture->isolate = isolate;
  fixture->registry = segue_registry_new ();
  segue_registry_load_file (fixture->registry, g_getenv ("MISBEHAVE"), &error);
  g_assert_no_error (error);
  fixture->log = g_string_new (NULL);
  fixture->scope = (SegueScope){ .registry = fixture->registry,
                                 .seed = 7,
                                 .threads = 1,
                                 .isolated = segue_isolated_carrier (),
                                 .host = &host,
                                 .host_data = fixture };
  fixture->stages = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_graph_stage_free);
  for (; *types; types++) {
    g_autoptr (SegueNode) with = config ? segue_node_parse (config, -1, "config", &error) : NULL;
    g_assert_no_error (error);
    SegueGraphStage *stage = segue_graph_stage_new (
      fixture->registry, segue_registry_find_stage (fixture->registry, *types), *types, with, "/",
      &error);
    g_assert_no_error (error);
    stage->node = NULL;
    stage->isolate = isolate;
    stage->time_limit = time_limit;
    stage->seed = 3;
    g_ptr_array_add (fixture->stages, stage);
    config = NULL;
  }
  fixture->chain = segue_chain_new (
    &fixture->scope, (const SegueGraphStage *const *) fixture->stages->pdata, fixture->stages->len);
  fixture->cancellable = g_cancellable_new ();
  fixture->folder = g_dir_make_tmp ("segue-isolate-XXXXXX", &error);
  g_assert_no_error (error);
}

void
isolate_fixture_clear (IsolateFixture *fixture)
{
  segue_chain_free (fixture->chain);
  /* No zombie, and no running process. */
  if (fixture->isolate) {
    g_assert_cmpint (waitpid (-1, NULL, WNOHANG), ==, -1);
    g_assert_cmpint (errno, ==, ECHILD);
  }
  g_ptr_array_unref (fixture->stages);
  segue_registry_free (fixture->registry);
  g_clear_pointer (&fixture->reads, segue_reads_unref);
  g_clear_pointer (&fixture->counts, segue_counts_free);
  g_string_free (fixture->log, TRUE);
  g_object_unref (fixture->cancellable);
  segue_file_remove_folder (fixture->folder, NULL);
  g_free (fixture->folder);
}

GPtrArray *
isolate_fixture_carry (IsolateFixture *fixture, const char *deed, GError **error)
{
  g_autofree char *path = g_build_filename (fixture->folder, "deed", NULL);
  g_assert_true (g_file_set_contents (path, deed, -1, NULL));
  g_autoptr (SegueItem) file = segue_item_new_file ("a/song", path);
  segue_item_set_string (file, SEGUE_META_LABEL, "Queen");
  segue_item_set_string (file, "title", "One");
  g_clear_pointer (&fixture->reads, segue_reads_unref);
  g_clear_pointer (&fixture->counts, segue_counts_free);
  fixture->reads = segue_reads_new ();
  fixture->counts = segue_counts_new ();
  segue_chain_set_counts (fixture->chain, fixture->counts);
  g_autoptr (SegueItem) input = segue_item_copy_as_input (file, fixture->reads, 0);
  return segue_chain_carry (fixture->chain, &input, 1, fixture->cancellable, error);
}

GError *
isolate_fixture_refuse (IsolateFixture *fixture, const char *deed)
{
  GError *error = NULL;
  g_autoptr (GPtrArray) output = isolate_fixture_carry (fixture, deed, &error);
  g_assert_null (output);
  g_assert_nonnull (error);
  g_test_message ("%s: %s", deed, error->message);
  g_assert_cmpint (error->domain, ==, SEGUE_ERROR);
  return error;
}
