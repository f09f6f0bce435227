/* Formats of tensors through a pipeline: unsupported formats are refused when it is loaded, with the stages'
 * names. */
#include "fixture.h"
#include "graph/graph.h"

typedef struct {
  gint64 rows, columns; /* 0: not known; -1: varies */
  int dtype;
  gboolean known;
} NumbersConfig;

static const char *const dtypes[] = { "float32", "bfloat16", "int32", "uint8", NULL };

static const SegueParam *const numbers_params[] = {
  SEGUE_PARAM (NumbersConfig, rows, SEGUE_PARAM_INT, .def = "0", .min = -1, .max = 1000),
  SEGUE_PARAM (NumbersConfig, columns, SEGUE_PARAM_INT, .def = "64", .min = -1, .max = 1000),
  SEGUE_PARAM (NumbersConfig, dtype, SEGUE_PARAM_CHOICE, .def = "float32", .choices = dtypes),
  SEGUE_PARAM (NumbersConfig, known, SEGUE_PARAM_BOOL, .def = "true"),
  NULL,
};

static guint
dimension (gint64 n)
{
  return n < 0 ? SEGUE_FORMAT_VARIES : (guint) n;
}

static gboolean
numbers_negotiate (const void *data, SegueNegotiation *negotiation, GError **error)
{
  const NumbersConfig *config = data;
  SegueFormat *format = segue_negotiation_get_output (negotiation, "numbers");
  if (!config->known)
    return TRUE;
  format->rank = 2;
  format->dtype = (SegueDtype) config->dtype;
  format->shape[0] = dimension (config->rows);
  format->shape[1] = dimension (config->columns);
  return TRUE;
}

static gboolean
keep_negotiate (const void *config, SegueNegotiation *negotiation, GError **error)
{
  segue_negotiation_pass (negotiation, "items", "items");
  return TRUE;
}

/* Of ports that it does not have. */
static gboolean
typo_negotiate (const void *config, SegueNegotiation *negotiation, GError **error)
{
  segue_negotiation_pass (negotiation, "numbers", "nmubers");
  return TRUE;
}

static gboolean
matrix_negotiate (const void *config, SegueNegotiation *negotiation, GError **error)
{
  static const SegueFormat rows =
    SEGUE_INIT (SegueFormat, .rank = 2, .dtype = SEGUE_DTYPE_F32, .shape = { SEGUE_FORMAT_SAME });
  static const SegueFormat columns =
    SEGUE_INIT (SegueFormat, .rank = 2, .dtype = SEGUE_DTYPE_F32, .shape = { 0, 128 });
  return segue_negotiation_require (negotiation, "numbers", &rows, NULL, error) &&
         segue_negotiation_require (negotiation, "numbers", &columns, "columns: 128", error);
}

static gboolean
picky_negotiate (const void *config, SegueNegotiation *negotiation, GError **error)
{
  static const SegueFormat wanted = SEGUE_INIT (SegueFormat, .kind = SEGUE_KIND_TENSOR);
  return segue_negotiation_require (negotiation, "items", &wanted, NULL, error);
}

/* As from a plugin built when a format ended with its frames. */
static gboolean
old_negotiate (const void *config, SegueNegotiation *negotiation, GError **error)
{
  SegueFormat wanted = { .struct_size = G_STRUCT_OFFSET (SegueFormat, rank), .rank = 5 };
  return segue_negotiation_require (negotiation, "numbers", &wanted, NULL, error);
}

static gboolean
nothing (gpointer instance, SegueContext *context, GError **error)
{
  return TRUE;
}

static gboolean
nothing_of (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  return TRUE;
}

static const SeguePort *const numbers_port[] = { SEGUE_PORT ("numbers", SEGUE_KIND_TENSOR, ""),
                                                 NULL };
static const SeguePort *const any_port[] = { SEGUE_PORT ("items", SEGUE_KIND_ANY, ""), NULL };

#define TYPE(type_name, type_mode, ...)                                                            \
  SEGUE_INIT (SegueStageType, .name = type_name, .summary = "For tests", .result_version = 1,      \
              .mode = type_mode, __VA_ARGS__)
static const SegueStageType numbers =
  TYPE ("numbers", SEGUE_MODE_SOURCE, .outputs = numbers_port, .params = numbers_params,
        .config_size = sizeof (NumbersConfig), .produce = nothing, .negotiate = numbers_negotiate);
static const SegueStageType keep =
  TYPE ("keep", SEGUE_MODE_MAP, .inputs = any_port, .outputs = any_port, .process = nothing_of,
        .negotiate = keep_negotiate);
static const SegueStageType silent = TYPE ("silent", SEGUE_MODE_MAP, .inputs = numbers_port,
                                           .outputs = numbers_port, .process = nothing_of);
static const SegueStageType typo =
  TYPE ("typo", SEGUE_MODE_MAP, .inputs = numbers_port, .outputs = numbers_port,
        .process = nothing_of, .negotiate = typo_negotiate);
static const SegueStageType matrix = TYPE ("matrix", SEGUE_MODE_COLLECT, .inputs = numbers_port,
                                           .collect = nothing, .negotiate = matrix_negotiate);
static const SegueStageType picky = TYPE ("picky", SEGUE_MODE_COLLECT, .inputs = any_port,
                                          .collect = nothing, .negotiate = picky_negotiate);
static const SegueStageType old = TYPE ("old", SEGUE_MODE_COLLECT, .inputs = numbers_port,
                                        .collect = nothing, .negotiate = old_negotiate);
static const SegueStageType *const stages[] = { &numbers, &keep, &silent, &matrix,
                                                &picky,   &old,  &typo,   NULL };
static const SeguePlugin plugin =
  SEGUE_INIT (SeguePlugin, .abi_major = SEGUE_ABI_MAJOR, .abi_minor = SEGUE_ABI_MINOR,
              .name = "tensors", .version = "1", .licence = "MIT", .stages = stages);

#define TAKES "stage 'matrix': its input 'numbers' takes float32 tensors of shape "

static void
test_tensors (void)
{
  static const struct {
    const char *stages, *says; /* NULL: right */
  } cases[] = {
    { "  - { use: numbers, with: { columns: 128 } }\n  - use: matrix\n", NULL },
    { "  - { use: numbers, with: { columns: 0 } }\n  - use: matrix\n", NULL },
    { "  - { use: numbers, with: { known: false } }\n  - use: matrix\n", NULL },
    { "  - { use: numbers, with: { rows: 3 } }\n  - use: silent\n  - use: matrix\n", NULL },
    { "  - use: numbers\n  - use: old\n", NULL },
    { "  - use: numbers\n  - use: picky\n", NULL },
    { "  - use: numbers\n  - use: matrix\n",
      "*p.yaml:4:5: " TAKES "[?, 128], and stage 'numbers' gives float32 tensors of shape [?, 64]; "
      "write `with: { columns: 128 }` at stage 'numbers'" },
    { "  - { id: n, use: numbers, with: { dtype: int32, columns: 128, rows: 2 } }\n  - use: keep\n"
      "  - use: matrix\n",
      "*p.yaml:5:5: " TAKES "[the same, ?], and stage 'n' gives int32 tensors of shape [2, 128]; "
      "put a stage that converts it after 'n', or name another with from:" },
    { "  - { use: numbers, with: { columns: 128, rows: -1 } }\n  - use: matrix\n",
      "*" TAKES "[the same, ?], and stage 'numbers' gives float32 tensors of shape [varies, 128]; "
      "put *" },
    { "  - use: numbers\n  - use: typo\n",
      "*p.yaml:4:5: stage 'typo': negotiate () uses a port 'nmubers', which 'typo' does not have: a "
      "bug in the plugin" },
    { "  - { id: source, use: source }\n  - use: decode\n  - use: picky\n",
      "*p.yaml:5:5: stage 'picky': its input 'items' takes items of kind tensor, and stage "
      "'decode' "
      "gives items of kind audio; put a stage that converts it after 'decode', or name another "
      "with from:" },
  };
  g_autoptr (SegueRegistry) registry = fixture_registry ();
  g_autoptr (GError) error = NULL;
  segue_registry_add (registry, &plugin, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = g_strconcat ("segue: 1\nstages:\n", cases[i].stages, NULL);
    g_autofree char *path = fixture_write ("p.yaml", text);
    g_autoptr (SeguePipeline) pipeline = segue_pipeline_load (registry, path, NULL, &error);
    fixture_remove (path);
    g_test_message ("%s", error ? error->message : "right");
    g_assert_true ((pipeline != NULL) == (!cases[i].says));
    if (cases[i].says)
      fixture_assert_message (&error, cases[i].says);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/formats/tensors", test_tensors);
  return g_test_run ();
}
