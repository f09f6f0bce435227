/* Creation, loading and saving of a model of vectors. */
#include <segue/nn/vector-model.h>

gboolean
segue_nn_vector_model_create (SegueNnVectorModel *model, const SegueModelSpec *spec,
                              SegueNnDeclareFunc declare, GError **error)
{
  if (spec->length < 1 || spec->length > SEGUE_NN_MAX_VECTOR) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                 "vectors have 1..%" G_GSIZE_FORMAT " numbers, not %" G_GSIZE_FORMAT,
                 SEGUE_NN_MAX_VECTOR, spec->length);
    return FALSE;
  }
  model->size = spec->length;
  return segue_nn_model_open (&model->base, spec, error) &&
         segue_nn_model_create (&model->base, spec, declare, error);
}

json_t *
segue_nn_vector_model_read (SegueNnVectorModel *model, const char *folder, GError **error)
{
  g_autofree char *where = g_build_filename (folder, "config.json", NULL);
  g_autoptr (json_t) config = segue_nn_config_read (folder, "config.json", FALSE, error);
  if (!config || !segue_nn_config_get_size (config, where, "vector_size", 1, SEGUE_NN_MAX_VECTOR,
                                            &model->size, error))
    return NULL;
  if (model->size > 0)
    return g_steal_pointer (&config);
  segue_nn_config_refuse (error, where, "vector_size", "is missing");
  return NULL;
}

gboolean
segue_nn_vector_model_load (SegueNnVectorModel *model, const SegueModelSpec *spec,
                            const char *folder, const json_t *config, SegueNnDeclareFunc declare,
                            GError **error)
{
  if (spec->length > 0 && spec->length != model->size) {
    g_autofree char *shown = g_filename_display_name (folder);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                 "the model in ‘%s’ takes vectors of %" G_GSIZE_FORMAT
                 " numbers and gets %" G_GSIZE_FORMAT "; use the encoders that it was trained with",
                 shown, model->size, spec->length);
    return FALSE;
  }
  return segue_nn_model_open (&model->base, spec, error) &&
         segue_nn_model_load (&model->base, spec, folder, config, declare, error);
}

gboolean
segue_nn_vector_model_save (const SegueNnVectorModel *model, const char *folder, json_t *config,
                            GError **error)
{
  g_autoptr (json_t) owned = config;
  json_object_set_new (config, "vector_size", json_integer ((json_int_t) model->size));
  segue_nn_config_set_labels (config, (const char *const *) model->base.labels);
  return segue_nn_config_write (config, folder, "config.json", error) &&
         segue_nn_weights_save (model->base.weights, model->base.threads, folder, error);
}

void
segue_nn_vector_model_close (SegueNnVectorModel *model)
{
  segue_nn_model_close (&model->base);
}

void
segue_nn_vector_model_describe (gpointer data, SegueModelInfo *info)
{
  const SegueNnVectorModel *model = data;
  info->labels = (const char *const *) model->base.labels;
  info->n_labels = model->base.n_labels;
  info->min_length = model->size;
}
