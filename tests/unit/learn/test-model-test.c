/* The test of model types finds what is wrong with the tiny model when its callbacks break the contract. */
#include "tiny-model.h"

#include <math.h>
#include <segue/host/segue.h>
#include <segue/testing.h>
#include <string.h>

static const SegueModelType *
tiny (void)
{
  return tiny_plugin ()->models[0];
}

/* ---- Mistakes: each changes what the tiny model does ---- */

static gboolean
forward_coupled (gpointer model, SegueModelPass *pass, GError **error)
{
  if (!tiny ()->forward (model, pass, error))
    return FALSE;
  pass->logits[0] += 1e-6f * (float) pass->batch;
  return TRUE;
}

static gboolean
forward_remembering (gpointer model, SegueModelPass *pass, GError **error)
{
  static guint n;
  if (!tiny ()->forward (model, pass, error))
    return FALSE;
  pass->logits[0] += (float) ++n;
  return TRUE;
}

/* Reads its workspace before it writes it. */
static gboolean
forward_unset (gpointer model, SegueModelPass *pass, GError **error)
{
  guint8 before = *(const guint8 *) pass->workspace;
  if (!tiny ()->forward (model, pass, error))
    return FALSE;
  pass->logits[0] += before ? 1 : 0;
  return TRUE;
}

static gboolean
forward_beyond (gpointer model, SegueModelPass *pass, GError **error)
{
  gsize bytes = tiny ()->plan (model, pass->batch, pass->length, pass->mode);
  ((guint8 *) pass->workspace)[bytes] = 1;
  return tiny ()->forward (model, pass, error);
}

static gboolean
forward_into_input (gpointer model, SegueModelPass *pass, GError **error)
{
  ((float *) pass->input)[3] = 0.125f;
  return tiny ()->forward (model, pass, error);
}

/* In training only. */
static gboolean
forward_coupled_training (gpointer model, SegueModelPass *pass, GError **error)
{
  return (pass->mode == SEGUE_MODEL_TRAIN ? forward_coupled : tiny ()->forward) (model, pass,
                                                                                 error);
}

static GCancellable *watched;

static void
watch (gpointer model, GCancellable *cancellable)
{
  watched = cancellable;
}

static gboolean
forward_cancelled (gpointer model, SegueModelPass *pass, GError **error)
{
  if (!tiny ()->forward (model, pass, error))
    return FALSE;
  if (g_cancellable_is_cancelled (watched))
    pass->logits[0] = 0;
  return TRUE;
}

/* Gradients: one too large, one forgotten, one overwritten. */
static void
scale_gradient (gpointer model, guint tensor, gsize first, gsize end, float by)
{
  g_autoptr (GArray) tensors = tiny ()->list_tensors (model);
  const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, tensor);
  for (gsize i = first; i < MIN (end, t->n_elements); i++)
    t->gradient[i] *= by;
}

static gboolean
backward_doubled (gpointer model, SegueModelPass *pass, const float *d_logits, GError **error)
{
  gboolean ok = tiny ()->backward (model, pass, d_logits, error);
  return ok && tiny ()->backward (model, pass, d_logits, error);
}

static gboolean
backward_forgetting (gpointer model, SegueModelPass *pass, const float *d_logits, GError **error)
{
  gboolean ok = tiny ()->backward (model, pass, d_logits, error);
  scale_gradient (model, 0, 0, 9, 0);
  return ok;
}

static gboolean
backward_without_bias (gpointer model, SegueModelPass *pass, const float *d_logits, GError **error)
{
  gboolean ok = tiny ()->backward (model, pass, d_logits, error);
  scale_gradient (model, 1, 0, 3, 0);
  return ok;
}

static gboolean
backward_overwriting (gpointer model, SegueModelPass *pass, const float *d_logits, GError **error)
{
  scale_gradient (model, 0, 0, G_MAXSIZE, 0);
  return tiny ()->backward (model, pass, d_logits, error);
}

/* Keeps other labels' order, or other weights. */
static gpointer
load_shifted (const char *folder, const void *config, const SegueModelSpec *spec, GError **error)
{
  gpointer model = tiny ()->load (folder, config, spec, error);
  if (model) {
    g_autoptr (GArray) tensors = tiny ()->list_tensors (model);
    g_array_index (tensors, SegueModelTensor, 0).value[0] += 1e-6f;
  }
  return model;
}

static GArray *
list_alike (gpointer model)
{
  GArray *tensors = tiny ()->list_tensors (model);
  g_array_index (tensors, SegueModelTensor, 1).name = "weight";
  return tensors;
}

static void
describe_auto (gpointer model, SegueModelInfo *info)
{
  tiny ()->describe (model, info);
  info->precision = SEGUE_MODEL_AUTO;
}

/* ---- Mistakes of a type that takes vectors ---- */

static guint threads_of_new;

static gpointer
create_noting_threads (const void *config, const SegueModelSpec *spec, GError **error)
{
  threads_of_new = spec->threads;
  return tiny_centroids.create (config, spec, error);
}

static void
add_to_first (gpointer model, float by)
{
  g_autoptr (GArray) tensors = tiny_centroids.list_tensors (model);
  g_array_index (tensors, SegueModelTensor, 0).value[0] += by;
}

/* As a sum in an order that depends on threads. */
static gboolean
fit_by_threads (gpointer model, const SegueModelFit *fit, GError **error)
{
  if (!tiny_centroids.fit (model, fit, error))
    return FALSE;
  add_to_first (model, 1e-6f * (float) threads_of_new);
  return TRUE;
}

static gboolean
fit_nothing (gpointer model, const SegueModelFit *fit, GError **error)
{
  return TRUE;
}

static gboolean
fit_into_rows (gpointer model, const SegueModelFit *fit, GError **error)
{
  ((float *) fit->rows)[3] = 0;
  return tiny_centroids.fit (model, fit, error);
}

static gboolean
fit_with_validation (gpointer model, const SegueModelFit *fit, GError **error)
{
  if (fit->n_validation > 0)
    return tiny_centroids.fit (model, fit, error);
  g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "no validation rows");
  return FALSE;
}

/* What is computed from the weights: a sum, kept until it is forgotten. */
static float kept_sum;
static gboolean is_kept;

static gpointer
create_forgetting (const void *config, const SegueModelSpec *spec, GError **error)
{
  is_kept = FALSE;
  return tiny_centroids.create (config, spec, error);
}

static float
sum_weights (gpointer model)
{
  g_autoptr (GArray) tensors = tiny_centroids.list_tensors (model);
  const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, 2);
  float sum = 0;
  for (gsize i = 0; i < t->n_elements; i++)
    sum += t->value[i];
  return sum;
}

static gboolean
forward_of_kept (gpointer model, SegueModelPass *pass, GError **error)
{
  if (!is_kept)
    kept_sum = sum_weights (model);
  is_kept = TRUE;
  for (guint i = 0; i < pass->batch * 3; i++)
    pass->logits[i] = kept_sum + pass->input[i / 3 * pass->length + i % 3];
  return TRUE;
}

static void
forget_kept (gpointer model)
{
  is_kept = FALSE;
}

static gboolean
fit_forgetting (gpointer model, const SegueModelFit *fit, GError **error)
{
  is_kept = FALSE;
  return tiny_centroids.fit (model, fit, error);
}

static gpointer
load_any_size (const char *folder, const void *config, const SegueModelSpec *spec, GError **error)
{
  SegueModelSpec any = *spec;
  any.length = 0;
  return tiny_centroids.load (folder, config, &any, error);
}

static gboolean
forward_points_coupled (gpointer model, SegueModelPass *pass, GError **error)
{
  if (!tiny_centroids.forward (model, pass, error))
    return FALSE;
  if (pass->points)
    pass->points[0] += 1e-6f * (float) pass->batch;
  return TRUE;
}

static gboolean
forward_points_by_threads (gpointer model, SegueModelPass *pass, GError **error)
{
  if (!tiny_centroids.forward (model, pass, error))
    return FALSE;
  for (gsize i = 0; pass->points && i < pass->batch * pass->length; i++)
    pass->points[i] += 1e-6f * (float) threads_of_new;
  return TRUE;
}

static gboolean
forward_points_unset (gpointer model, SegueModelPass *pass, GError **error)
{
  float *points = pass->points;
  pass->points = NULL;
  gboolean ok = tiny_centroids.forward (model, pass, error);
  pass->points = points;
  return ok;
}

static gboolean
forward_points_beyond (gpointer model, SegueModelPass *pass, GError **error)
{
  if (pass->points)
    pass->points[pass->batch * pass->length] = 1;
  return tiny_centroids.forward (model, pass, error);
}

static gboolean
forward_points_infinite (gpointer model, SegueModelPass *pass, GError **error)
{
  gboolean ok = tiny_centroids.forward (model, pass, error);
  if (pass->points)
    pass->points[1] = INFINITY;
  return ok;
}

static gboolean
forward_points_into_logits (gpointer model, SegueModelPass *pass, GError **error)
{
  gboolean ok = tiny_centroids.forward (model, pass, error);
  pass->logits[0] += pass->points ? 1e-3f : 0;
  return ok;
}

static void
describe_far_centre (gpointer model, SegueModelInfo *info)
{
  static float centres[3 * 24];
  tiny_centroids.describe (model, info);
  centres[2 * 24] = INFINITY;
  info->centres = centres;
}

static void
describe_no_centres (gpointer model, SegueModelInfo *info)
{
  tiny_centroids.describe (model, info);
  info->centres = NULL;
}

static gboolean
try_type (const SegueModelType *type, GError **error)
{
  const SegueModelType *const models[] = { type, NULL };
  const SeguePlugin plugin =
    SEGUE_INIT (SeguePlugin, .abi_major = SEGUE_ABI_MAJOR, .abi_minor = SEGUE_ABI_MINOR,
                .name = "other", .version = "1.0", .licence = "MIT", .models = models);
  g_autoptr (SegueRegistry) registry = segue_registry_new ();
  return segue_registry_add (registry, &plugin, NULL, error) &&
         segue_test_try_model (registry, type->name, "{}", error);
}

#define MISTAKE(field, function, words)                                                            \
  {                                                                                                \
    G_STRUCT_OFFSET (SegueModelType, field), (void (*) (void)) function, words                     \
  }

static void
test_mistakes (void)
{
  static const struct {
    gsize offset;
    void (*callback) (void);
    const char *words;
  } mistakes[] = {
    MISTAKE (forward, forward_coupled, "other logits than alone"),
    MISTAKE (forward, forward_remembering, "the same inference twice"),
    MISTAKE (forward, forward_unset, "what is in the workspace before it"),
    MISTAKE (forward, forward_beyond, "beyond the workspace that plan () requests"),
    MISTAKE (forward, forward_into_input, "writes to its input"),
    MISTAKE (forward, forward_coupled_training, "describe () does not set `coupled`"),
    MISTAKE (forward, forward_cancelled, "a cancelled pass has wrong logits and no error"),
    MISTAKE (backward, backward_doubled, "backward () of tensor 'weight' gives a derivative"),
    MISTAKE (backward, backward_forgetting, "of tensor 'weight'"),
    MISTAKE (backward, backward_without_bias, "of tensor 'bias'"),
    MISTAKE (backward, backward_overwriting, "does not add to the gradient of tensor 'weight'"),
    MISTAKE (load, load_shifted, "save () and load () must keep every bit"),
    MISTAKE (list_tensors, list_alike, "two tensors are named 'weight'"),
    MISTAKE (describe, describe_auto, "gives the precision AUTO"),
  };
  for (guint i = 0; i < G_N_ELEMENTS (mistakes); i++) {
    SegueModelType type = *tiny ();
    g_autoptr (GError) error = NULL;
    memcpy ((char *) &type + mistakes[i].offset, &mistakes[i].callback, sizeof (void (*) (void)));
    if (!type.set_cancellable)
      type.set_cancellable = watch;
    g_assert_false (try_type (&type, &error));
    g_test_message ("%s", error->message);
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL);
    if (!strstr (error->message, mistakes[i].words))
      g_error ("‘%s’ does not contain ‘%s’", error->message, mistakes[i].words);
  }
}

static void
assert_found (const SegueModelType *type, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (try_type (type, &error));
  g_test_message ("%s", error->message);
  if (!strstr (error->message, words))
    g_error ("‘%s’ does not contain ‘%s’", error->message, words);
}

static void
test_vector_mistakes (void)
{
  SegueModelType type = tiny_centroids;
  type.create = create_noting_threads;
  type.fit = fit_by_threads;
  assert_found (&type, "fit () computes other values of tensor 'mean' with 3 threads");

  type = tiny_centroids;
  type.fit = fit_nothing;
  assert_found (&type, "fit () does not change the logits");
  type.fit = fit_into_rows;
  assert_found (&type, "fit () writes to its rows");
  type.fit = fit_with_validation;
  assert_found (&type, "no validation rows");

  type = tiny_centroids;
  type.load = load_any_size;
  assert_found (&type, "load () accepts vectors of another size");

  /* What is kept must be forgotten: after fit (), and after changed (). */
  type = tiny_centroids;
  type.create = create_forgetting;
  type.describe = tiny_scaled.describe;
  type.forward = forward_of_kept;
  type.changed = forget_kept;
  assert_found (&type, "fit () does not change the logits");
  type.backward = tiny_scaled.backward;
  assert_found (&type, "what is computed from weights must follow fit ()");
  type.backward = NULL;
  type.fit = fit_forgetting;
  type.changed = NULL;
  assert_found (&type, "what is computed from weights must follow changed ()");
}

static void
test_space_mistakes (void)
{
  SegueModelType type = tiny_centroids;
  type.forward = forward_points_coupled;
  assert_found (&type, "has another point than alone");
  type.create = create_noting_threads;
  type.forward = forward_points_by_threads;
  assert_found (&type, "other points with 3 threads than with one");

  type = tiny_centroids;
  type.forward = forward_points_unset;
  assert_found (&type, "leaves coordinate 0 of a batch of 3 unset");
  type.forward = forward_points_beyond;
  assert_found (&type, "writes after the points");
  type.forward = forward_points_infinite;
  assert_found (&type, "leaves coordinate 1 of a batch of 3 not finite");
  type.forward = forward_points_into_logits;
  assert_found (&type, "other logits than one without");

  type = tiny_centroids;
  type.describe = describe_far_centre;
  assert_found (&type, "the centre of label 2 is not finite");
  type.describe = describe_no_centres;
  assert_found (&type, "with axes and without centres");
}

static void
test_right (void)
{
  segue_test_model (tiny_plugin (), "tiny-centroids", "{}");
  segue_test_model (tiny_plugin (), "tiny-scaled", "{}");
  segue_test_model (tiny_plugin (), "tiny", "{}");
  segue_test_model (tiny_plugin (), "tiny", "{ dropout: 0.5 }");
}

static void
test_usage (void)
{
  g_autoptr (SegueRegistry) registry = segue_registry_new ();
  g_autoptr (GError) error = NULL;
  g_assert_false (segue_test_try_model (registry, "tiny", "{}", &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model-test/right", test_right);
  g_test_add_func ("/model-test/mistakes", test_mistakes);
  g_test_add_func ("/model-test/vector-mistakes", test_vector_mistakes);
  g_test_add_func ("/model-test/space-mistakes", test_space_mistakes);
  g_test_add_func ("/model-test/usage", test_usage);
  return g_test_run ();
}
