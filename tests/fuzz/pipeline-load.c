/* Pipeline files: whatever the bytes, a pipeline or a readable error.
 *
 * The first byte is the number of following lines that are overrides (one `name=value` per line);
 * the rest is the file. */
#include "fixture.h"
#include "graph/graph.h"
#include "scratch.h"
#include "standalone.h"
#include <segue/host/segue.h>
#include <string.h>

#define MAX_OVERRIDES 4

/* Removes the next line from @text. */
static char *
take_line (const char **text, gsize *size)
{
  const char *end = memchr (*text, '\n', *size);
  gsize length = end ? (gsize) (end - *text) : *size;
  char *line = g_strndup (*text, length);
  gsize used = MIN (length + 1, *size);
  *text += used;
  *size -= used;
  return line;
}

static void
load (SegueRegistry *registry, const char *path, const char *const *overrides)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SeguePipeline) pipeline = segue_pipeline_load (registry, path, overrides, &error);
  if (!pipeline) {
    g_assert_nonnull (error);
    g_assert_true (error->domain == SEGUE_ERROR);
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
    g_assert_null (strchr (error->message, '\n'));
    return;
  }
  g_assert_no_error (error);
  g_autofree char *described = segue_pipeline_describe (pipeline);
  g_assert_true (g_utf8_validate (described, -1, NULL));
  /* A pipeline serialised for another process reads back the same. */
  for (guint i = 0; i < pipeline->stages->len; i++) {
    const SegueGraphStage *stage = g_ptr_array_index (pipeline->stages, i);
    g_autoptr (SegueNode) again = segue_node_parse (stage->canonical, -1, "canonical", &error);
    g_assert_no_error (error);
    g_autoptr (SegueGraphStage) copy =
      segue_graph_stage_new (registry, stage->type, stage->id, again, NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (copy->canonical, ==, stage->canonical);
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  guint n_overrides = data[0] % (MAX_OVERRIDES + 1);
  const char *text = (const char *) data + 1;
  gsize left = size - 1;
  char *overrides[MAX_OVERRIDES + 1] = { NULL };
  for (guint i = 0; i < n_overrides; i++)
    overrides[i] = take_line (&text, &left);
  static SegueRegistry *registry;
  if (!registry)
    registry = fixture_registry ();
  load (registry, fuzz_path (text, left), (const char *const *) overrides);
  for (guint i = 0; i < n_overrides; i++)
    g_free (overrides[i]);
  return 0;
}
