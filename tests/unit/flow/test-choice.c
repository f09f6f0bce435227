/* `decode`: decoders that are tried in order, and which of their results are used. */
#include <segue/decoder.h>
#include <segue/host/segue.h>
#include <segue/testing.h>
#include <string.h>

typedef struct {
  gint64 rate;
} Config;

typedef struct {
  gint64 rate;
  gint64 extra;
} WideConfig;

static const SegueParam *const params[] = {
  SEGUE_PARAM (Config, rate, SEGUE_PARAM_INT, .def = "16000", .min = 1, .max = 192000,
               .doc = "Rate."),
  NULL,
};
static const SegueParam *const wide_params[] = {
  SEGUE_PARAM (WideConfig, rate, SEGUE_PARAM_INT, .def = "16000", .min = 1, .max = 192000,
               .doc = "Rate."),
  SEGUE_PARAM (WideConfig, extra, SEGUE_PARAM_INT, .def = "0", .min = 0, .max = 9, .doc = "More."),
  NULL,
};

static gboolean
emit (SegueItem *file, SegueContext *context, float value, GError **error)
{
  float *frames = g_new (float, 4);
  for (guint i = 0; i < 4; i++)
    frames[i] = value;
  g_autoptr (GBytes) bytes = g_bytes_new_take (frames, 4 * sizeof *frames);
  segue_context_count (context, "frames", 4);
  return segue_context_emit (context, segue_item_new_audio (file, NULL, bytes, 16000, 1), error);
}

static gboolean
is_named (SegueItem *file, const char *word)
{
  return strstr (segue_item_get_id (file), word) != NULL;
}

/* Reads "one"; no stage reads "damaged". */
static gboolean
process_first (gpointer instance, SegueItem *file, SegueContext *context, GError **error)
{
  if (is_named (file, "damaged"))
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "the file is damaged");
  else if (is_named (file, "one"))
    return emit (file, context, 0.125f, error);
  else {
    segue_context_count (context, "frames", 1000); /* of a failed try */
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_UNSUPPORTED, "the first can't read it");
  }
  return FALSE;
}

/* Begins, and fails after it has emitted. */
static gboolean
process_second (gpointer instance, SegueItem *file, SegueContext *context, GError **error)
{
  if (is_named (file, "two"))
    return emit (file, context, 0.25f, error);
  if (is_named (file, "three") && !emit (file, context, 0.75f, error))
    return FALSE;
  g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_UNSUPPORTED, "the second can't read it");
  return FALSE;
}

/* Reads everything but "zero", however bad it is. */
static gboolean
process_lax (gpointer instance, SegueItem *file, SegueContext *context, GError **error)
{
  if (!is_named (file, "zero"))
    return emit (file, context, 0.5f, error);
  g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_UNSUPPORTED, "the last can't read it");
  return FALSE;
}

static gboolean
open_never (SegueContext *context, gpointer *instance, GError **error)
{
  g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_FAILED, "its library is not there");
  return FALSE;
}

static const SeguePort *const inputs[] = { SEGUE_PORT ("songs", SEGUE_KIND_FILE, "Files."), NULL };
static const SeguePort *const outputs[] = { SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "Sound."),
                                            NULL };
static const char *const extensions[] = { "song", NULL };

#define DECODES(n)                                                                                 \
  static const SegueDecodes decodes_##n =                                                          \
    SEGUE_INIT (SegueDecodes, .rank = n, .extensions = extensions)
DECODES (10);
DECODES (20);
DECODES (30);
DECODES (40);

#define DECODER(type, n, ...)                                                                      \
  static const SegueStageType type =                                                               \
    SEGUE_INIT (SegueStageType, .name = #type, .summary = "A decoder", .result_version = 1,        \
                .mode = SEGUE_MODE_MAP, .flags = SEGUE_STAGE_PREPARE, .inputs = inputs,            \
                .outputs = outputs, .decodes = &decodes_##n, __VA_ARGS__)
DECODER (first, 30, .params = wide_params, .config_size = sizeof (WideConfig),
         .process = process_first);
DECODER (second, 20, .params = params, .config_size = sizeof (Config), .process = process_second);
DECODER (lax, 10, .params = wide_params, .config_size = sizeof (WideConfig),
         .process = process_lax);
DECODER (broken, 40, .params = wide_params, .config_size = sizeof (WideConfig), .open = open_never,
         .process = process_lax);

static const SegueStageType *const three[] = { &lax, &first, &second, NULL };
static const SegueStageType *const four[] = { &lax, &broken, &first, &second, NULL };

#define PLUGIN(list)                                                                               \
  SEGUE_INIT (SeguePlugin, .abi_major = SEGUE_ABI_MAJOR, .abi_minor = SEGUE_ABI_MINOR,             \
              .name = #list, .version = "1", .licence = "MIT", .stages = list)
static const SeguePlugin plugin_of_three = PLUGIN (three);
static const SeguePlugin plugin_of_four = PLUGIN (four);

static void
assert_decoded (SegueHarness *harness, const char *name, float value)
{
  g_autoptr (SegueItem) file = segue_item_new_file (name, "/dev/null");
  gsize n;
  segue_harness_push (harness, file);
  g_autoptr (SegueItem) item = segue_harness_pull (harness);
  g_assert_nonnull (item);
  g_assert_cmpfloat (segue_item_get_frames (item, &n)[0], ==, value);
  g_assert_cmpuint (n, ==, 4);
  g_assert_null (segue_harness_pull (harness));
}

static void
assert_refused (SegueHarness *harness, const char *name, int code, const char *why)
{
  g_autoptr (SegueItem) file = segue_item_new_file (name, "/dev/null");
  g_autoptr (GError) error = NULL;
  g_assert_false (segue_harness_try_push (harness, file, &error));
  g_assert_error (error, SEGUE_ERROR, code);
  g_assert_nonnull (strstr (error->message, why));
  g_assert_null (segue_harness_pull (harness));
}

/* In order of rank; the next one only where the previous one can't read the song. */
static void
test_order (void)
{
  g_autoptr (SegueHarness) harness = segue_harness_new (&plugin_of_three, "decode", "{}");
  assert_decoded (harness, "one", 0.125f);
  assert_decoded (harness, "two", 0.25f);
  /* Output of the second before it failed is not part of the result. */
  assert_decoded (harness, "three", 0.5f);
  assert_decoded (harness, "one and two", 0.125f);
  g_assert_cmpint (segue_harness_get_count (harness, "decoded by first"), ==, 2);
  g_assert_cmpint (segue_harness_get_count (harness, "decoded by second"), ==, 1);
  g_assert_cmpint (segue_harness_get_count (harness, "decoded by lax"), ==, 1);
  g_assert_cmpint (segue_harness_get_count (harness, "frames"), ==, 16);
}

/* A damaged song is not tried with further decoders until a tolerant one accepts it. */
static void
test_damaged (void)
{
  g_autoptr (SegueHarness) harness = segue_harness_new (&plugin_of_three, "decode", "{}");
  assert_refused (harness, "damaged", SEGUE_ERROR_DATA, "is damaged");
  g_assert_cmpint (segue_harness_get_count (harness, "decoded by lax"), ==, 0);
  assert_refused (harness, "zero", SEGUE_ERROR_UNSUPPORTED, "the first can't read it");
  assert_decoded (harness, "one", 0.125f);
}

/* A decoder that does not start here is skipped, with a message. */
static void
test_broken (void)
{
  g_autoptr (SegueHarness) harness = segue_harness_new (&plugin_of_four, "decode", "{}");
  assert_decoded (harness, "one", 0.125f);
  const GPtrArray *log = segue_harness_get_log (harness);
  g_assert_cmpuint (log->len, ==, 1);
  g_assert_nonnull (strstr (g_ptr_array_index (log, 0), "broken can't be used here"));
  g_assert_nonnull (strstr (g_ptr_array_index (log, 0), "its library is not there"));
}

/* A decoder that does not have a given parameter is not tried. */
static void
test_parameters (void)
{
  g_autoptr (SegueHarness) harness = segue_harness_new (&plugin_of_three, "decode", "{ extra: 3 }");
  g_autoptr (GError) error = NULL;
  assert_decoded (harness, "two", 0.5f);
  g_assert_null (segue_harness_try_new (&plugin_of_three, "decode", "{ nonsense: 3 }", &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
}

static void
test_registry (void)
{
  g_autoptr (SegueRegistry) registry = segue_registry_new ();
  g_autoptr (GError) error = NULL;
  g_assert_null (segue_registry_find_stage (registry, "decode"));
  g_assert_true (segue_registry_add (registry, &plugin_of_three, NULL, &error));
  g_assert_no_error (error);
  g_autoptr (GPtrArray) decoders = segue_registry_list_decoders (registry);
  g_assert_cmpuint (decoders->len, ==, 3);
  g_assert_true (g_ptr_array_index (decoders, 0) == &first);
  g_assert_true (g_ptr_array_index (decoders, 2) == &lax);
  const SegueStageType *decode = segue_registry_find_stage (registry, "decode");
  g_assert_cmpstr (decode->name, ==, "decode");
  g_assert_true (decode->params == wide_params);
  g_autofree char *page = segue_inspect_type (registry, "decode", 80, &error);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (page, "1. first"));
  g_assert_nonnull (strstr (page, "3. lax"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/choice/order", test_order);
  g_test_add_func ("/choice/damaged", test_damaged);
  g_test_add_func ("/choice/broken", test_broken);
  g_test_add_func ("/choice/parameters", test_parameters);
  g_test_add_func ("/choice/registry", test_registry);
  return g_test_run ();
}
