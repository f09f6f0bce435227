/* Creation, loading and saving of a model over log-mel frames. */
#include <segue/nn/mel-front.h>

#define RATE 16000 /* Hz, if the rate of items is not known */
#define NAME "frames"

gboolean
segue_nn_mel_model_create (SegueNnMelModel *model, const SegueNnMelParams *params,
                           const SegueModelSpec *spec, SegueNnDeclareFunc declare, GError **error)
{
  guint rate = spec->rate > 0 ? spec->rate : RATE;
  return segue_nn_mel_front_set (&model->front, params, rate, error) &&
         segue_nn_model_open (&model->base, spec, error) &&
         segue_nn_mel_front_open (&model->front, &model->base, NAME, error) &&
         segue_nn_model_create (&model->base, spec, declare, error);
}

json_t *
segue_nn_mel_model_read (SegueNnMelModel *model, const char *folder, GError **error)
{
  g_autofree char *where = g_build_filename (folder, "config.json", NULL);
  g_autoptr (json_t) config = segue_nn_config_read (folder, "config.json", FALSE, error);
  if (!config || !segue_nn_mel_front_read (&model->front, config, where, error))
    return NULL;
  return g_steal_pointer (&config);
}

gboolean
segue_nn_mel_model_load (SegueNnMelModel *model, const SegueNnMelParams *params,
                         const SegueModelSpec *spec, const char *folder, const json_t *config,
                         SegueNnDeclareFunc declare, GError **error)
{
  if (!segue_nn_model_check_rate (spec, (guint) model->front.frames.rate, error) ||
      !segue_nn_model_open (&model->base, spec, error))
    return FALSE;
  if (!segue_nn_mel_front_open (&model->front, &model->base, NAME, error)) {
    g_autofree char *shown = g_filename_display_name (folder);
    g_prefix_error (error, "‘%s/config.json’: ", shown);
    return FALSE;
  }
  segue_nn_mel_front_set_training (&model->front, params);
  return segue_nn_model_load (&model->base, spec, folder, config, declare, error);
}

gboolean
segue_nn_mel_model_save (const SegueNnMelModel *model, const char *folder, json_t *config,
                         GError **error)
{
  g_autoptr (json_t) owned = config;
  g_autoptr (json_t) preprocessor =
    json_pack ("{s:s, s:I, s:i}", "feature_extractor_type", "SegueMelFeatureExtractor",
               "sampling_rate", (json_int_t) model->front.frames.rate, "feature_size", 1);
  segue_nn_mel_front_write (&model->front, config);
  segue_nn_config_set_labels (config, (const char *const *) model->base.labels);
  return segue_nn_config_write (config, folder, "config.json", error) &&
         segue_nn_config_write (preprocessor, folder, "preprocessor_config.json", error) &&
         segue_nn_weights_save (model->base.weights, model->base.threads, folder, error);
}

void
segue_nn_mel_model_close (SegueNnMelModel *model)
{
  segue_nn_mel_front_close (&model->front);
  segue_nn_model_close (&model->base);
}

void
segue_nn_mel_model_describe (gpointer data, SegueModelInfo *info)
{
  const SegueNnMelModel *model = data;
  info->labels = (const char *const *) model->base.labels;
  info->n_labels = model->base.n_labels;
  info->rate = (guint) model->front.frames.rate;
  info->min_length = segue_nn_mel_front_get_min_length (&model->front);
  info->coupled = TRUE; /* through the statistics of a batch */
}
