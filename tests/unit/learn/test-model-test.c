/* The test of model types finds what is wrong with the tiny model when its callbacks break the contract. */
#include "tiny-model.h"

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
  gsize bytes = tiny ()->plan (model, pass->batch, pass->length, pass->mode, pass->from_prefix);
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

static gboolean
forward_of_prefix (gpointer model, SegueModelPass *pass, GError **error)
{
  if (!tiny ()->forward (model, pass, error))
    return FALSE;
  pass->logits[1] += pass->from_prefix ? 1e-6f : 0;
  return TRUE;
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
    MISTAKE (forward, forward_of_prefix, "from the output of prefix ()"),
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
test_right (void)
{
  segue_test_model (tiny_plugin (), "tiny", "{}");
  segue_test_model (tiny_plugin (), "tiny", "{ dropout: 0.5, frozen: false }");
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
  g_test_add_func ("/model-test/usage", test_usage);
  return g_test_run ();
}
