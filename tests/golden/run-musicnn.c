/* run-musicnn FOLDER IN OUT: what musicnn makes of the tensor `samples` [batch, length] of IN, a safetensors file, or
 * of `frames` [batch, time, bands] (log10 (1 + log_factor · power)); `penultimate` and `tags` go to OUT. */
#include "musicnn.h"

#include <math.h>
#include <segue/error.h>
#include <segue/nn/safetensors.h>
#include <stdlib.h>

static float *
read_input (SegueSafetensors *file, gboolean *is_frames, MusicnnPass *pass, GError **error)
{
  const SegueTensorInfo *info = segue_safetensors_lookup (file, "frames");
  *is_frames = info != NULL;
  if (!info)
    info = segue_safetensors_lookup (file, "samples");
  if (!info || info->n_dims != (*is_frames ? 3 : 2)) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "there are no samples or frames");
    return NULL;
  }
  g_autofree float *values = g_new (float, info->n_elements);
  if (!segue_safetensors_read_f32 (file, info->name, info->n_dims, info->shape, values, error))
    return NULL;
  for (gsize i = 0; i < info->n_elements && *is_frames; i++)
    values[i] *= (float) G_LN10;
  pass->batch = (guint) info->shape[0];
  pass->length = info->shape[1];
  return g_steal_pointer (&values);
}

static gboolean
write_output (const Musicnn *model, const MusicnnPass *pass, const char *path, GError **error)
{
  g_autoptr (SegueSafetensorsWriter) writer = segue_safetensors_writer_new ();
  segue_safetensors_writer_add_f32 (
    writer, "penultimate", 2, (const gsize[]){ pass->batch, model->hidden }, pass->penultimate);
  segue_safetensors_writer_add_f32 (
    writer, "tags", 2, (const gsize[]){ pass->batch, model->base.n_labels }, pass->tags);
  return segue_safetensors_writer_write (writer, path, error);
}

static gboolean
run (char **paths, GError **error)
{
  g_autoptr (Musicnn) model = musicnn_load (paths[0], 2, SEGUE_MODEL_FLOAT32, error);
  g_autoptr (SegueSafetensors) file = model ? segue_safetensors_open (paths[1], error) : NULL;
  MusicnnPass pass = { 0 };
  gboolean is_frames;
  g_autofree float *values = file ? read_input (file, &is_frames, &pass, error) : NULL;
  if (!values)
    return FALSE;
  gsize bytes = is_frames ? musicnn_plan_frames (model, pass.batch, pass.length)
                          : musicnn_plan (model, pass.batch, pass.length);
  g_autofree float *penultimate = g_new (float, pass.batch * model->hidden);
  g_autofree float *tags = g_new (float, pass.batch * model->base.n_labels);
  pass.samples = values;
  pass.penultimate = penultimate;
  pass.tags = tags;
  pass.workspace = bytes != G_MAXSIZE ? aligned_alloc (64, bytes) : NULL;
  gboolean done = (is_frames ? musicnn_forward_frames : musicnn_forward) (model, &pass, error) &&
                  write_output (model, &pass, paths[2], error);
  free (pass.workspace);
  return done;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  if (argc != 4) {
    g_printerr ("usage: run-musicnn FOLDER IN OUT\n");
    return 64;
  }
  if (run (argv + 1, &error))
    return 0;
  g_printerr ("%s\n", error->message);
  return 1;
}
