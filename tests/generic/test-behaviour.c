/* Every stage type of every plugin that was built, run in the harness: empty input, cancellation,
 * and no leftovers. */
#include "samples.h"
#include <glib/gstdio.h>
#include <segue/testing.h>
#include <string.h>

#define RATE 16000

static SegueRegistry *registry;
static const char *some_model;

static SegueHarness *
open_stage (const SegueStageType *type)
{
  g_autofree char *config = segue_sample_config (type->params, NULL, NULL, some_model);
  g_autoptr (GError) error = NULL;
  SegueHarness *harness = segue_harness_try_new_in (registry, type->name, config, &error);
  if (!harness)
    g_error ("%s with %s: %s", type->name, config, error->message);
  /* Where a path is required, the sample uses a folder of this name, which exists and is empty. */
  g_autofree char *sample = g_build_filename (segue_harness_get_folder (harness), "sample", NULL);
  g_mkdir (sample, 0777);
  return harness;
}

/* Whatever the result, an error is readable, and not an internal one. */
static void
assert_sensible (const SegueStageType *type, gboolean ok, const GError *error)
{
  if (ok) {
    g_assert_no_error (error);
    return;
  }
  if (!error)
    g_error ("%s failed without an error", type->name);
  if (error->domain != SEGUE_ERROR || error->code == SEGUE_ERROR_INTERNAL)
    g_error ("%s: %s (%s, %d)", type->name, error->message, g_quark_to_string (error->domain),
             error->code);
  g_assert_cmpuint (strlen (error->message), >, 0);
}

static void
empty_inputs (SegueHarness *harness, const SegueStageType *type)
{
  for (const SeguePort *const *port = type->inputs; port && *port; port++)
    if (!((*port)->flags & SEGUE_PORT_OPTIONAL))
      segue_harness_set_input (harness, (*port)->name, NULL, 0);
}

static void
test_zero_items (gconstpointer data)
{
  const SegueStageType *type = data;
  g_autoptr (SegueHarness) harness = open_stage (type);
  if (type->mode == SEGUE_MODE_MAP)
    return; /* it only opens and closes */
  g_autoptr (GError) error = NULL;
  empty_inputs (harness, type);
  gboolean ok = segue_harness_run (harness, &error);
  assert_sensible (type, ok, error);
}

static void
test_cancelled (gconstpointer data)
{
  const SegueStageType *type = data;
  g_autoptr (SegueHarness) harness = open_stage (type);
  g_cancellable_cancel (segue_harness_get_cancellable (harness));
  g_autoptr (GError) error = NULL;
  gboolean ok;
  gint64 start = g_get_monotonic_time ();
  if (type->mode == SEGUE_MODE_MAP && type->inputs[0]->kind == SEGUE_KIND_FILE) {
    g_autoptr (SegueItem) file = segue_item_new_file ("gone.wav", "/nowhere/gone.wav");
    ok = segue_harness_try_push (harness, file, &error);
  } else if (type->mode == SEGUE_MODE_MAP) {
    g_autoptr (SegueItem) tone = segue_test_tone ("tone", 440, 2, RATE);
    ok = segue_harness_try_push (harness, tone, &error);
  } else {
    empty_inputs (harness, type);
    ok = segue_harness_run (harness, &error);
  }
  assert_sensible (type, ok, error);
  /* A cancelled run ends within 2 s, including a stage's cleanup. */
  g_assert_cmpint (g_get_monotonic_time () - start, <, 60 * G_USEC_PER_SEC);
}

static void
count_free (gpointer data)
{
  g_atomic_int_inc ((gint *) data);
}

/* A song of @frames zero samples whose buffer records when its last reference is dropped. */
static SegueItem *
watched_item (const SegueStageType *type, const float *samples, gsize frames, gint *freed)
{
  g_autoptr (GBytes) bytes =
    g_bytes_new_with_free_func (samples, frames * sizeof *samples, count_free, freed);
  if (type->inputs[0]->kind == SEGUE_KIND_TENSOR)
    return segue_item_new_tensor (SEGUE_KIND_TENSOR, NULL, "song", bytes, SEGUE_DTYPE_F32, 1,
                                  &frames);
  return segue_item_new_audio (NULL, "song", bytes, RATE, 1);
}

static void
test_references (gconstpointer data)
{
  const SegueStageType *type = data;
  gboolean takes_sound =
    type->mode == SEGUE_MODE_MAP &&
    (type->inputs[0]->kind == SEGUE_KIND_AUDIO || type->inputs[0]->kind == SEGUE_KIND_TENSOR ||
     type->inputs[0]->kind == SEGUE_KIND_ANY);
  if (!takes_sound) {
    g_test_skip ("takes no sound");
    return;
  }
  static const gsize lengths[] = { 30 * RATE, RATE, 1, 0 }; /* long, short, and almost empty */
  g_autofree float *samples = g_new0 (float, lengths[0]);
  for (gsize i = 0; i < lengths[0]; i++)
    samples[i] = (float) ((i * 7919) % 1000) / 1000 - 0.5f;
  for (guint k = 0; k < G_N_ELEMENTS (lengths); k++) {
    gint freed = 0;
    SegueHarness *harness = open_stage (type);
    g_autoptr (GError) error = NULL;
    SegueItem *item = watched_item (type, samples, lengths[k], &freed);
    gboolean ok = segue_harness_try_push (harness, item, &error);
    assert_sensible (type, ok, error);
    for (SegueItem *out; (out = segue_harness_pull (harness));) {
      g_assert_true (segue_item_has_payload (out));
      segue_item_unref (out);
    }
    g_assert_cmpint (freed, ==, 0);
    segue_item_unref (item);
    segue_harness_free (harness);
    if (freed != 1)
      g_error ("%s: the song's buffer was freed %d times", type->name, freed);
  }
}

/* The same item twice through one instance, and once through another, gives the same bytes. */
static void
test_repeatable (gconstpointer data)
{
  const SegueStageType *type = data;
  if (type->mode != SEGUE_MODE_MAP || type->inputs[0]->kind == SEGUE_KIND_FILE ||
      type->inputs[0]->kind == SEGUE_KIND_TENSOR) {
    g_test_skip ("takes no sound");
    return;
  }
  GPtrArray *outputs[3];
  g_autoptr (SegueHarness) one = open_stage (type);
  g_autoptr (SegueHarness) other = open_stage (type);
  SegueHarness *harnesses[] = { one, one, other };
  g_autoptr (SegueItem) tone = segue_test_tone ("tone", 440, 25, RATE);
  for (guint k = 0; k < 3; k++) {
    outputs[k] = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
    g_autoptr (GError) error = NULL;
    gboolean ok = segue_harness_try_push (harnesses[k], tone, &error);
    assert_sensible (type, ok, error);
    for (SegueItem *out; (out = segue_harness_pull (harnesses[k]));)
      g_ptr_array_add (outputs[k], out);
    g_assert_cmpuint (outputs[k]->len, ==, outputs[0]->len);
    for (guint i = 0; i < outputs[k]->len; i++) {
      const SegueItem *a = g_ptr_array_index (outputs[0], i),
                      *b = g_ptr_array_index (outputs[k], i);
      g_assert_cmpstr (segue_item_get_id (a), ==, segue_item_get_id (b));
      g_assert_true (g_bytes_equal (segue_item_get_bytes (a), segue_item_get_bytes (b)));
    }
  }
  for (guint k = 0; k < 3; k++)
    g_ptr_array_unref (outputs[k]);
}

static void
add_tests (const SegueStageType *type)
{
  static const struct {
    const char *name;
    GTestDataFunc function;
  } tests[] = { { "zero-items", test_zero_items },
                { "cancelled", test_cancelled },
                { "references", test_references },
                { "repeatable", test_repeatable } };
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++) {
    g_autofree char *path = g_strdup_printf ("/generic/%s/%s", type->name, tests[i].name);
    g_test_add_data_func (path, type, tests[i].function);
  }
}

/* One that both `embed` and `train` take. Of several, the last: distilhubert, the first, takes minutes under sanitizers. */
static const char *
find_model (const GPtrArray *models)
{
  const char *name = NULL;
  for (guint i = 0; i < models->len; i++) {
    const SegueModelType *type = g_ptr_array_index (models, i);
    if (!name || (type->encoder && type->recipe))
      name = type->name;
  }
  return name;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  registry = segue_registry_new ();
  segue_registry_load_search_path (registry);
  GPtrArray *stages = segue_registry_list_stages (registry);
  GPtrArray *models = segue_registry_list_models (registry);
  for (guint i = 0; i < stages->len; i++)
    add_tests (g_ptr_array_index (stages, i));
  some_model = find_model (models);
  int status = g_test_run ();
  g_ptr_array_unref (stages);
  g_ptr_array_unref (models);
  segue_registry_free (registry);
  return status;
}
