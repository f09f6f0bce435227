/* check () and negotiate (): the return value and the error of each have to match. */
#include "fixture.h"

#include <string.h>

typedef struct {
  int check;
  int negotiate;
} Config;

enum { RIGHT, REFUSE, FAIL_MUTELY, SUCCEED_WITH_ERROR };
static const char *const deeds[] = { "right", "refuse", "fail-mutely", "succeed-with-error", NULL };

static const SegueParam *const params[] = {
  SEGUE_PARAM (Config, check, SEGUE_PARAM_CHOICE, .def = "right", .choices = deeds,
               .doc = "What check () does."),
  SEGUE_PARAM (Config, negotiate, SEGUE_PARAM_CHOICE, .def = "right", .choices = deeds,
               .doc = "What negotiate () does."),
  NULL,
};

static gboolean
conclude (int deed, const char *words, GError **error)
{
  if (deed == REFUSE || deed == SUCCEED_WITH_ERROR)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE, "%s", words);
  return deed == RIGHT || deed == SUCCEED_WITH_ERROR;
}

static gboolean
mistaken_check (const void *config, GError **error)
{
  return conclude (((const Config *) config)->check, "no such tape", error);
}

static gboolean
mistaken_negotiate (const void *config, SegueNegotiation *negotiation, GError **error)
{
  return conclude (((const Config *) config)->negotiate, "no such rate", error);
}

static gboolean
mistaken_produce (gpointer instance, SegueContext *context, GError **error)
{
  return TRUE;
}

static const SeguePort *const outputs[] = { SEGUE_PORT ("files", SEGUE_KIND_FILE, "Files."), NULL };

static const SegueStageType mistaken = {
  SEGUE_STAGE_TYPE,
  .name = "mistaken",
  .summary = "Breaks rules",
  .doc = "For tests.",
  .result_version = 1,
  .mode = SEGUE_MODE_SOURCE,
  .outputs = outputs,
  .params = params,
  .config_size = sizeof (Config),
  .check = mistaken_check,
  .produce = mistaken_produce,
  .negotiate = mistaken_negotiate,
};

static const SegueStageType *const stages[] = { &mistaken, NULL };

static const SeguePlugin plugin =
  SEGUE_INIT (SeguePlugin, .abi_major = SEGUE_ABI_MAJOR, .abi_minor = SEGUE_ABI_MINOR,
              .name = "mistaken", .version = "1.0", .licence = "MIT", .stages = stages);

static gboolean
try_load (const char *parameters, GError **error)
{
  g_autoptr (SegueRegistry) registry = segue_registry_new ();
  segue_registry_add (registry, &plugin, NULL, error);
  g_assert_no_error (*error);
  g_autofree char *text =
    g_strdup_printf ("segue: 1\nstages:\n- { use: mistaken, with: { %s } }\n", parameters);
  g_autofree char *path = fixture_write ("mistaken.yaml", text);
  g_autoptr (SeguePipeline) pipeline = segue_pipeline_load (registry, path, NULL, error);
  fixture_remove (path);
  g_assert_true ((pipeline != NULL) == (!*error));
  return pipeline != NULL;
}

static void
assert_refused (const char *parameters, const char *pattern)
{
  GError *error = NULL;
  g_assert_false (try_load (parameters, &error));
  fixture_assert_message (&error, pattern);
}

static void
test_right (void)
{
  GError *error = NULL;
  g_assert_true (try_load ("", &error));
  g_assert_no_error (error);
}

static void
test_check (void)
{
  assert_refused ("check: refuse", "*mistaken.yaml:3:*: stage 'mistaken': no such tape");
  assert_refused ("check: fail-mutely", "*mistaken.yaml:3:*: stage 'mistaken': check () failed "
                                        "without setting an error: a bug in the plugin");
  assert_refused ("check: succeed-with-error", "*mistaken.yaml:3:*: stage 'mistaken': check () "
                                               "returned TRUE with an error set (no such tape): a "
                                               "bug in the plugin");
}

static void
test_negotiate (void)
{
  assert_refused ("negotiate: refuse", "*no such rate");
  assert_refused ("negotiate: fail-mutely", "*mistaken.yaml:3:*: stage 'mistaken': negotiate () "
                                            "failed without setting an error: a bug in the plugin");
  assert_refused ("negotiate: succeed-with-error",
                  "*mistaken.yaml:3:*: stage 'mistaken': negotiate () returned TRUE with an error "
                  "set (no such rate): a bug in the plugin");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/callbacks/right", test_right);
  g_test_add_func ("/callbacks/check", test_check);
  g_test_add_func ("/callbacks/negotiate", test_negotiate);
  return g_test_run ();
}
