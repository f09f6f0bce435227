/* A model folder whose predictions depend on the pitch of a song. */
#include "pitch.h"
#include "model/preparation.h"
#include "tiny-model.h"
#include "tiny-stages.h"

#include <segue/file.h>
#include <string.h>

void
pitch_set_up (Pitch *pitch, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  pitch->registry = segue_registry_new ();
  segue_registry_add (pitch->registry, tiny_plugin (), NULL, &error);
  g_assert_no_error (error);
  segue_registry_add (pitch->registry, tiny_stages (), NULL, &error);
  g_assert_no_error (error);
  pitch->folder = g_dir_make_tmp ("segue-predict-XXXXXX", &error);
  g_assert_no_error (error);
  pitch->model = g_build_filename (pitch->folder, "model", NULL);
}

void
pitch_tear_down (Pitch *pitch, gconstpointer data)
{
  segue_registry_free (pitch->registry);
  segue_file_remove_folder (pitch->folder, NULL);
  g_free (pitch->folder);
  g_free (pitch->model);
}

void
pitch_save_model (Pitch *pitch, const char *preparation, float slope)
{
  static const char *const labels[] = { "high", "low", NULL };
  const SegueModelSpec spec =
    SEGUE_INIT (SegueModelSpec, .labels = labels, .rate = 8000, .seed = 1, .threads = 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueModel) model =
    segue_model_new (segue_registry_find_model (pitch->registry, "tiny"), NULL, &spec, &error);
  g_assert_no_error (error);
  g_autoptr (GArray) tensors =
    segue_model_get_type (model)->list_tensors (segue_model_get_impl (model));
  float *weight = g_array_index (tensors, SegueModelTensor, 0).value;
  memset (weight, 0, 12 * sizeof (float));
  weight[0] = slope;
  g_array_index (tensors, SegueModelTensor, 1).value[0] = -5;
  g_autoptr (SeguePreparation) stages =
    preparation ? segue_preparation_new (preparation, NULL) : NULL;
  segue_model_save (model, pitch->model, stages, &error);
  g_assert_no_error (error);
}

char *
pitch_song (Pitch *pitch, const char *name, double hz, gsize n_samples)
{
  char *path = g_build_filename (pitch->folder, name, NULL);
  tiny_write_song (path, hz, n_samples);
  return path;
}

SeguePredictor *
pitch_new_predictor (Pitch *pitch)
{
  g_autoptr (GError) error = NULL;
  SeguePredictor *predictor =
    segue_predictor_new (pitch->registry, pitch->model, 1, SEGUE_MODEL_FLOAT32, &error);
  g_assert_no_error (error);
  g_assert_true (segue_predictor_wait (predictor, &error));
  return predictor;
}
