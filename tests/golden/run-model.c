/* run-model FOLDER INPUT OUTPUT [SAVED]: logits of the model in FOLDER for `samples` [batch, length] of INPUT as
 * `logits` of OUTPUT (both safetensors); and the model as saved by segue, into SAVED.
 * run-model --layers FOLDER INPUT OUTPUT: instead, without the model's head, `layers.0`, … [batch, frames, width]: what
 * it encodes.
 * For the interop checks, which compare with other implementations. */
#include "fixture.h"

#include <stdlib.h>

static gboolean
infer (HubertModel *model, guint batch, gsize length, const float *samples, float *logits,
       GError **error)
{
  gsize bytes = hubert_model_type.plan (model, batch, length, SEGUE_MODEL_INFER);
  void *workspace = NULL;
  if (bytes == G_MAXSIZE || posix_memalign (&workspace, 64, bytes) != 0) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE, "these samples can't be run");
    return FALSE;
  }
  SegueModelPass pass =
    SEGUE_INIT (SegueModelPass, .mode = SEGUE_MODEL_INFER, .batch = batch, .length = length,
                .input = samples, .workspace = workspace, .logits = logits);
  gboolean ok = hubert_model_type.forward (model, &pass, error);
  free (workspace);
  return ok;
}

static const SegueTensorInfo *
find_samples (SegueSafetensors *input, const char *path, GError **error)
{
  const SegueTensorInfo *info = segue_safetensors_lookup (input, "samples");
  if (info && info->n_dims == 2)
    return info;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "%s has no samples [batch, length]", path);
  return NULL;
}

static gboolean
run_layers (char **paths, GError **error)
{
  const SegueModelSpec spec = SEGUE_INIT (SegueModelSpec, .threads = 2, .headless = TRUE);
  g_autoptr (SegueSafetensors) input = segue_safetensors_open (paths[1], error);
  const SegueTensorInfo *info = input ? find_samples (input, paths[1], error) : NULL;
  HubertModel *model =
    info ? hubert_model_load (paths[0], &golden_as_the_folder, &spec, error) : NULL;
  if (!model)
    return FALSE;
  g_autofree float *samples = golden_read (input, "samples", NULL);
  g_autoptr (SegueSafetensorsWriter) writer = segue_safetensors_writer_new ();
  gsize batch = info->shape[0], length = info->shape[1];
  for (guint i = 0; i < hubert_count_encoder_layers (model); i++) {
    g_autofree char *name = g_strdup_printf ("layers.%u", i);
    const gsize shape[] = { batch, segue_nn_conv_encoder_get_frames (&model->encoder, length),
                            hubert_get_encoder_width (model, i) };
    segue_safetensors_writer_take_f32 (writer, name, 3, shape,
                                       golden_encode (model, i, (guint) batch, length, samples));
  }
  hubert_model_free (model);
  return segue_safetensors_writer_write (writer, paths[2], error);
}

static gboolean
run (char **paths, GError **error)
{
  const SegueModelSpec spec = SEGUE_INIT (SegueModelSpec, .threads = 2);
  g_autoptr (SegueSafetensors) input = segue_safetensors_open (paths[1], error);
  const SegueTensorInfo *info = input ? find_samples (input, paths[1], error) : NULL;
  if (!info)
    return FALSE;
  g_autofree float *samples = golden_read (input, "samples", NULL);
  HubertModel *model = hubert_model_load (paths[0], &golden_as_the_folder, &spec, error);
  if (!model)
    return FALSE;

  const gsize shape[] = { info->shape[0], model->base.n_labels };
  g_autofree float *logits = g_new0 (float, shape[0] * shape[1]);
  g_autoptr (SegueSafetensorsWriter) writer = segue_safetensors_writer_new ();
  segue_safetensors_writer_add_f32 (writer, "logits", 2, shape, logits);
  gboolean ok = infer (model, (guint) shape[0], info->shape[1], samples, logits, error) &&
                segue_safetensors_writer_write (writer, paths[2], error) &&
                (!paths[3] || hubert_model_save (model, paths[3], error));
  hubert_model_free (model);
  return ok;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  gboolean layers = argc == 5 && g_str_equal (argv[1], "--layers");
  if (argc < 4 || argc > 5) {
    g_printerr ("usage: run-model FOLDER INPUT OUTPUT [SAVED]\n"
                "       run-model --layers FOLDER INPUT OUTPUT\n");
    return 64;
  }
  if (layers ? run_layers (argv + 2, &error) : run (argv + 1, &error))
    return 0;
  g_printerr ("run-model: %s\n", error->message);
  return 1;
}
