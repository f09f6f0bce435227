/* What models consist of: declared weights in memory and in files, labels and heads, workspaces, config.json. */
#include <glib/gstdio.h>
#include <math.h>
#include <segue/error.h>
#include <segue/nn/arena.h>
#include <segue/nn/model.h>
#include <string.h>

enum { BODY, HEAD };

/* A body in two layouts, a running variance, a tensor that a file may lack, and a head. */
typedef struct {
  SegueNnModel base;
  SegueNnWeight conv;
  SegueNnAffine norm;
  SegueNnWeight first, second; /* adjacent */
  SegueNnWeight variance;
  SegueNnWeight optional;
  SegueNnAffine projector, head;
  float *derived;
  guint n_derivations;
} Model;

static const char *const labels[] = { "a", "b", "c", NULL };

static void
add (Model *model, SegueNnWeight *weight, SegueNnTensor tensor)
{
  tensor.struct_size = sizeof tensor;
  segue_nn_weights_add (model->base.weights, weight, &tensor);
}

static void
derive (gpointer layer, SegueNnThreads *threads)
{
  Model *model = layer;
  model->derived[0] = 2 * model->conv.w[0];
  model->n_derivations++;
}

static gboolean
declare (SegueNnModel *base, GError **error)
{
  Model *model = (Model *) base;
  add (model, &model->conv,
       (SegueNnTensor){ .name = "body.conv.weight",
                        .rank = 3,
                        .shape = { 4, 3, 5 },
                        .layout = SEGUE_NN_LAYOUT_CONV1D,
                        .init = SEGUE_NN_INIT_NORMAL,
                        .b = 0.5,
                        .part = BODY,
                        .flags = SEGUE_NN_WEIGHT_DECAY });
  segue_nn_weights_add_norm (base->weights, &model->norm, BODY, 4, "body.norm");
  add (model, &model->first,
       (SegueNnTensor){ .name = "first", .rank = 1, .shape = { 3 }, .a = 2, .part = BODY });
  add (model, &model->second,
       (SegueNnTensor){ .name = "second",
                        .rank = 1,
                        .shape = { 2 },
                        .a = 3,
                        .part = BODY,
                        .flags = SEGUE_NN_WEIGHT_ADJACENT });
  add (model, &model->variance,
       (SegueNnTensor){ .name = "variance",
                        .rank = 1,
                        .shape = { 4 },
                        .a = 1,
                        .part = BODY,
                        .flags = SEGUE_NN_WEIGHT_BUFFER | SEGUE_NN_WEIGHT_VARIANCE });
  add (model, &model->optional,
       (SegueNnTensor){ .name = "body.optional",
                        .rank = 1,
                        .shape = { 4 },
                        .a = 7,
                        .part = BODY,
                        .flags = SEGUE_NN_WEIGHT_OPTIONAL });
  segue_nn_weights_add_linear (base->weights, &model->projector, HEAD, SEGUE_NN_WEIGHT_HEAD, 2, 4,
                               0.1, "projector");
  segue_nn_weights_add_linear (base->weights, &model->head, HEAD, SEGUE_NN_WEIGHT_LABELS,
                               base->n_labels, 2, 0.1, "head");
  segue_nn_weights_add_derived (base->weights, &model->derived, 33);
  segue_nn_weights_derive (base->weights, derive, model);
  return TRUE;
}

static SegueModelSpec
spec_of (const char *const *wanted)
{
  return (SegueModelSpec) SEGUE_INIT (SegueModelSpec, .labels = wanted, .seed = 9, .threads = 2);
}

static Model *
model_new (void)
{
  g_autoptr (GError) error = NULL;
  const SegueModelSpec spec = spec_of (labels);
  Model *model = g_new0 (Model, 1);
  g_assert_true (segue_nn_model_open (&model->base, &spec, &error) &&
                 segue_nn_model_create (&model->base, &spec, declare, &error));
  g_assert_no_error (error);
  return model;
}

static void
model_free (Model *model)
{
  segue_nn_model_close (&model->base);
  g_free (model);
}

typedef struct {
  char *folder;
} Folder;

static void
folder_set_up (Folder *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  f->folder = g_dir_make_tmp ("segue-model-XXXXXX", &error);
  g_assert_no_error (error);
}

static void
folder_tear_down (Folder *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->folder, "model.safetensors", NULL);
  g_unlink (path);
  g_assert_cmpint (g_rmdir (f->folder), ==, 0);
  g_free (f->folder);
}

/* What a folder has: the model's tensors, under names that @rename gives; NULL: left out. */
typedef char *(*Rename) (const char *name);

static void
save_as (const Folder *f, const Model *model, Rename rename, float *changed, float value)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) tensors = segue_nn_weights_list (model->base.weights);
  g_autoptr (SegueSafetensorsWriter) writer = segue_safetensors_writer_new ();
  g_autofree char *path = g_build_filename (f->folder, "model.safetensors", NULL);
  float kept = changed ? *changed : 0;
  if (changed)
    *changed = value;
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
    const SegueNnTensor *declared = segue_nn_weights_get_declared (model->base.weights, i);
    g_autofree char *name = rename ? rename (t->name) : g_strdup (t->name);
    float *as_filed = g_new (float, t->n_elements);
    segue_nn_weights_unpack (model->base.weights, model->base.threads, i, t->value, as_filed);
    if (name)
      segue_safetensors_writer_take_f32 (writer, name, declared->rank, declared->shape, as_filed);
    else
      g_free (as_filed);
  }
  segue_safetensors_writer_write (writer, path, &error);
  g_assert_no_error (error);
  if (changed)
    *changed = kept;
}

static Model *
load (const Folder *f, const char *const *wanted, const char *const *found, GError **error)
{
  static const char *const spellings[] = { ".conv.weight", ".conv.kernel", NULL };
  const SegueModelSpec spec = spec_of (wanted);
  Model *model = g_new0 (Model, 1);
  gboolean ok = segue_nn_model_open (&model->base, &spec, error) &&
                segue_nn_model_choose_labels (&model->base, &spec, g_strdupv ((char **) found),
                                              f->folder, error) &&
                declare (&model->base, error);
  g_autoptr (SegueSafetensors) file = ok ? segue_safetensors_open_folder (f->folder, error) : NULL;
  const SegueNnWeightsSource source =
    SEGUE_INIT (SegueNnWeightsSource, .file = file, .folder = f->folder, .prefix = "body.",
                .spellings = spellings);
  if (file && segue_nn_model_load_weights (&model->base, &spec, &source, error))
    return model;
  model_free (model);
  return NULL;
}

static void
assert_same (const Model *a, const Model *b, gsize to)
{
  const float *x = segue_nn_weights_get_values (a->base.weights);
  const float *y = segue_nn_weights_get_values (b->base.weights);
  g_assert_cmpmem (x, to * sizeof (float), y, to * sizeof (float));
}

static void
test_memory (void)
{
  Model *model = model_new (), *other = model_new ();
  g_autoptr (GArray) tensors = segue_nn_model_list_tensors (model);
  g_assert_cmpuint (tensors->len, ==, 11);
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
    gboolean adjacent = g_str_equal (t->name, "second");
    g_assert_true (adjacent || (guintptr) t->value % 64 == 0);
    g_assert_cmpint (!t->gradient, ==, g_str_equal (t->name, "variance"));
    g_assert_cmpint (t->decay, ==,
                     g_str_has_suffix (t->name, ".weight") && !strstr (t->name, "norm"));
  }
  /* As it lies in memory: [out, kernel, in]. */
  const SegueModelTensor *conv = &g_array_index (tensors, SegueModelTensor, 0);
  g_assert_cmpuint (conv->shape[1], ==, 5);
  g_assert_cmpuint (conv->shape[2], ==, 3);
  g_assert_true (model->second.w == model->first.w + 3);
  g_assert_true ((guintptr) model->derived % 64 == 0);
  g_assert_cmpfloat (model->norm.weight.w[3], ==, 1);
  g_assert_cmpfloat (model->second.w[1], ==, 3);
  g_assert_null (model->variance.dw);
  /* The same seed gives the same values. */
  assert_same (model, other, segue_nn_weights_get_size (model->base.weights));
  model_free (model);
  model_free (other);
}

/* What is derived is computed before a pass, once after each change. */
static void
test_changes (Folder *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  Model *model = model_new ();
  g_assert_cmpuint (model->n_derivations, ==, 0);
  for (guint i = 0; i < 4; i++) {
    if (i == 2) {
      model->conv.w[0] = 17;
      segue_nn_model_changed (model);
      segue_nn_model_changed (model);
    }
    segue_nn_model_begin (&model->base);
    g_assert_cmpuint (model->n_derivations, ==, i / 2 + 1);
    g_assert_cmpfloat (model->derived[0], ==, 2 * model->conv.w[0]);
    g_assert_true (segue_nn_model_end (&model->base, &error));
  }
  /* A loaded model needs no call. */
  save_as (f, model, NULL, NULL, 0);
  Model *again = load (f, labels, labels, &error);
  g_assert_no_error (error);
  segue_nn_model_begin (&again->base);
  g_assert_cmpfloat (again->derived[0], ==, 34);
  g_assert_true (segue_nn_model_end (&again->base, &error));
  model_free (model);
  model_free (again);
}

static void
test_frozen (void)
{
  g_autoptr (GError) error = NULL;
  const SegueModelSpec spec = spec_of (labels);
  Model *model = g_new0 (Model, 1);
  g_assert_true (segue_nn_model_open (&model->base, &spec, &error));
  segue_nn_model_set_labels (&model->base, labels);
  g_assert_true (declare (&model->base, &error));
  segue_nn_weights_freeze (model->base.weights, BODY);
  segue_nn_weights_freeze_one (model->base.weights, &model->projector.bias);
  g_assert_true (segue_nn_weights_allocate (model->base.weights, &error));
  g_assert_null (model->conv.dw);
  g_assert_null (model->norm.bias.dw);
  g_assert_null (model->projector.bias.dw);
  g_assert_nonnull (model->projector.weight.dw);
  g_assert_nonnull (model->head.bias.dw);
  model_free (model);
}

/* Sizes that a config.json may claim: no product overflows, nothing is allocated. */
static void
test_impossible_sizes (void)
{
  static const gsize shapes[][2] = { { G_MAXSIZE, 2 },
                                     { (gsize) 1 << 32, (gsize) 1 << 32 },
                                     { (gsize) 1 << 31, 3 },
                                     { G_MAXSIZE / 2, 1 } };
  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (SegueNnWeights) weights = segue_nn_weights_new ();
    SegueNnAffine layer;
    segue_nn_weights_add_linear (weights, &layer, 0, 0, shapes[i][0], shapes[i][1], 1, "layer");
    g_assert_false (segue_nn_weights_check_size (weights, "layer", &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
    g_assert_nonnull (strstr (error->message, "make layer smaller"));
    g_assert_false (segue_nn_weights_allocate (weights, NULL));
  }
}

static char *
old_spelling (const char *name)
{
  if (g_str_equal (name, "body.optional"))
    return NULL;
  if (g_str_equal (name, "body.conv.weight"))
    return g_strdup ("conv.kernel");
  return g_strdup (g_str_has_prefix (name, "body.") ? name + strlen ("body.") : name);
}

static void
test_spellings (Folder *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  Model *model = model_new ();
  model->conv.w[7] = 0.25f;
  model->optional.w[0] = 5; /* not in the file: made again */
  save_as (f, model, old_spelling, NULL, 0);
  Model *again = load (f, labels, labels, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (again->optional.w[0], ==, 7);
  g_assert_cmpfloat (again->conv.w[7], ==, 0.25f);
  again->optional.w[0] = 5;
  assert_same (model, again, segue_nn_weights_get_size (model->base.weights));
  /* What is written has today's names. */
  segue_nn_weights_save (again->base.weights, again->base.threads, f->folder, &error);
  g_assert_no_error (error);
  g_autoptr (SegueSafetensors) file = segue_safetensors_open_folder (f->folder, &error);
  g_assert_nonnull (segue_safetensors_lookup (file, "body.conv.weight"));
  g_assert_null (segue_safetensors_lookup (file, "conv.kernel"));
  model_free (model);
  model_free (again);
}

/* The head follows its labels; the body is always the file's. */
static void
test_heads (Folder *f, gconstpointer data)
{
  static const char *const reordered[] = { "c", "a", "b", NULL };
  static const char *const others[] = { "a", "b", "x", "y", NULL };
  static const guint rows[] = { 2, 0, 1 };
  g_autoptr (GError) error = NULL;
  Model *model = model_new ();
  for (guint i = 0; i < 6; i++)
    model->head.weight.w[i] = (float) i;
  model->head.bias.w[2] = 9;
  model->projector.weight.w[1] = 4;
  save_as (f, model, NULL, NULL, 0);

  Model *same = load (f, reordered, labels, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpfloat (same->head.weight.w[2 * i + 1], ==, (float) (2 * rows[i] + 1));
  g_assert_cmpfloat (same->head.bias.w[0], ==, 9);
  model_free (same);

  Model *other = load (f, others, labels, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (other->projector.weight.w[1], ==, 4);
  g_assert_cmpfloat (other->head.bias.w[2], ==, 0);
  g_assert_cmpfloat (fabsf (other->head.weight.w[7]), <, 1);
  model_free (other);

  /* Without labels of its own it is used as it is. */
  Model *as_it_is = load (f, NULL, labels, &error);
  g_assert_no_error (error);
  assert_same (model, as_it_is, segue_nn_weights_get_size (model->base.weights));
  model_free (as_it_is);
  model_free (model);
}

static char *
without_bias (const char *name)
{
  return g_str_equal (name, "head.bias") ? NULL : g_strdup (name);
}

/* Half a head is none: made again for training, refused for prediction. */
static void
test_half_a_head (Folder *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  Model *model = model_new ();
  model->head.weight.w[3] = 50;
  save_as (f, model, without_bias, NULL, 0);
  Model *trained = load (f, labels, labels, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (fabsf (trained->head.weight.w[3]), <, 1);
  g_assert_null (load (f, NULL, labels, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_clear_error (&error);
  g_assert_null (load (f, NULL, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "id2label"));
  model_free (model);
  model_free (trained);
}

static char *
without_norm (const char *name)
{
  return g_str_equal (name, "body.norm.bias") ? NULL : g_strdup (name);
}

static char *
swapped (const char *name)
{
  return g_strdup (g_str_equal (name, "first")    ? "second"
                   : g_str_equal (name, "second") ? "first"
                                                  : name);
}

static void
refuse (Folder *f, const char *what)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (load (f, labels, labels, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  if (!strstr (error->message, what))
    g_error ("‘%s’ does not say ‘%s’", error->message, what);
}

static void
test_refused (Folder *f, gconstpointer data)
{
  Model *model = model_new ();
  save_as (f, model, without_norm, NULL, 0);
  refuse (f, "body.norm.bias is missing");
  save_as (f, model, swapped, NULL, 0);
  refuse (f, "has shape [2], but config.json specifies [3]");
  save_as (f, model, NULL, &model->conv.w[2], NAN);
  refuse (f, "body.conv.weight has values");
  save_as (f, model, NULL, &model->head.bias.w[0], INFINITY);
  refuse (f, "head.bias has values");
  save_as (f, model, NULL, &model->variance.w[0], -1);
  refuse (f, "variance has values");
  model_free (model);
}

static void
test_arena (void)
{
  static guint8 block[4096] __attribute__ ((aligned (64)));
  SegueNnArena measured = { NULL }, used = { block };
  for (guint i = 0; i < 2; i++) {
    SegueNnArena *arena = i == 0 ? &measured : &used;
    float *first = segue_nn_arena_floats (arena, 3, 5, 1, 1);
    void *second = segue_nn_arena_bytes (arena, 1);
    g_assert_true (i == 0 ? !first && !second : (void *) first == block && second == block + 64);
    g_assert_nonnull (i == 0 ? block : segue_nn_arena_bytes (arena, 0));
    g_assert_cmpuint (segue_nn_arena_get_size (arena), ==, 128);
  }
  /* One impossible size spoils all that follows. */
  static const gsize sizes[][4] = { { G_MAXSIZE, 2, 1, 1 },
                                    { 1, 1, G_MAXSIZE / 8 + 1, 1 },
                                    { (gsize) 1 << 40, 1 << 20, 1 << 10, 1 } };
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    SegueNnArena arena = { NULL };
    segue_nn_arena_floats (&arena, sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3]);
    segue_nn_arena_floats (&arena, 1, 1, 1, 1);
    g_assert_cmpuint (segue_nn_arena_get_size (&arena), ==, G_MAXSIZE);
  }
}

static void
test_config (void)
{
  static const char *const names[] = { "one", "two", NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) config =
    json_pack ("{s:s, s:[iii], s:[], s:n, s:i, s:[i,f]}", "choice", "two", "sizes", 1, 2, 3,
               "empty", "null", "number", 5, "mixed", 1, 2.5);
  guint index = 7, n = 7;
  gsize sizes[4];
  g_assert_true (segue_nn_config_get_choice (config, "c.json", "choice", names, &index, &error));
  g_assert_cmpuint (index, ==, 1);
  g_assert_true (segue_nn_config_get_choice (config, "c.json", "null", names, &index, &error));
  g_assert_true (segue_nn_config_get_choice (config, "c.json", "missing", names, &index, &error));
  g_assert_cmpuint (index, ==, 1);
  g_assert_true (segue_nn_config_get_sizes (config, "c.json", "sizes", 1, 3, 4, sizes, &n, &error));
  g_assert_cmpuint (n, ==, 3);
  g_assert_cmpuint (sizes[2], ==, 3);
  g_assert_no_error (error);
  const struct {
    const char *key;
    gsize max;
    guint most;
  } wrong[] = {
    { "sizes", 2, 4 }, { "sizes", 3, 2 }, { "empty", 3, 4 }, { "number", 3, 4 }, { "mixed", 3, 4 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_assert_false (segue_nn_config_get_sizes (config, "c.json", wrong[i].key, 1, wrong[i].max,
                                               wrong[i].most, sizes, &n, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
    g_assert_nonnull (strstr (error->message, "‘c.json’: "));
    g_clear_error (&error);
  }
  g_assert_false (segue_nn_config_get_choice (config, "c.json", "number", names, &index, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_clear_error (&error);
  static const char *const bad[] = { "three", NULL };
  g_assert_false (segue_nn_config_get_choice (config, "c.json", "choice", bad, &index, &error));
  g_assert_nonnull (strstr (error->message, "must be ‘three’"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/memory", test_memory);
  g_test_add_func ("/model/frozen", test_frozen);
  g_test_add_func ("/model/impossible-sizes", test_impossible_sizes);
  g_test_add_func ("/model/arena", test_arena);
  g_test_add_func ("/model/config", test_config);
#define ADD(path, function)                                                                        \
  g_test_add (path, Folder, NULL, folder_set_up, function, folder_tear_down)
  ADD ("/model/changes", test_changes);
  ADD ("/model/spellings", test_spellings);
  ADD ("/model/heads", test_heads);
  ADD ("/model/half-a-head", test_half_a_head);
  ADD ("/model/refused", test_refused);
  return g_test_run ();
}
