/* A model's life cycle: made from parameters or loaded from a folder, saved, freed. */
#include "folder.h"

#define CONFIG       "config.json"
#define PREPROCESSOR "preprocessor_config.json"
#define PROCESSOR    "processor_config.json"

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HubertModel, hubert_model_free)

void
hubert_model_free (gpointer data)
{
  HubertModel *model = data;
  if (!model)
    return;
  segue_nn_model_close (&model->base);
  g_clear_pointer (&model->config, json_decref);
  g_clear_pointer (&model->preprocessor_config, json_decref);
  g_free (model->layers);
  g_free (model);
}

/* Everything that does not need weights. Takes @config. */
static HubertModel *
model_shell (json_t *config, const char *where, const HubertParams *params,
             const SegueModelSpec *spec, GError **error)
{
  g_autoptr (HubertModel) model = g_new0 (HubertModel, 1);
  model->config = config;
  model->freeze = (HubertFreeze) params->freeze;
  hubert_params_override (params, config);
  if (!hubert_config_read (model, config, where, error) ||
      !segue_nn_model_open (&model->base, spec, error) ||
      !segue_nn_model_set_precision (&model->base, spec->precision, error))
    return NULL;
  return g_steal_pointer (&model);
}

/* Requirements for the items. */
static gboolean
check_spec (const HubertModel *model, const SegueModelSpec *spec, GError **error)
{
  return segue_nn_model_check_rate (spec, model->rate, error) &&
         segue_nn_model_check_length (spec, segue_nn_conv_encoder_get_min_length (&model->encoder),
                                      error);
}

static gboolean
declare_new (SegueNnModel *base, GError **error)
{
  HubertModel *model = (HubertModel *) base;
  return hubert_declare (model, segue_nn_spec_augment_has_embedding (&model->masks), error);
}

gpointer
hubert_model_create (const void *data, const SegueModelSpec *spec, GError **error)
{
  static const char *const where = "parameters of distilhubert";
  const HubertParams *params = data;
  g_autoptr (GError) local = NULL;
  g_autoptr (HubertModel) model =
    model_shell (hubert_params_new_config (params), where, params, spec, &local);
  if (!model) {
    /* Of a pipeline's text, not of a file. */
    if (g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_DATA))
      local->code = SEGUE_ERROR_PIPELINE;
    g_propagate_error (error, g_steal_pointer (&local));
    return NULL;
  }
  model->rate = 16000;
  model->encoder.standardise = params->do_normalize > 0;
  if (!check_spec (model, spec, error) ||
      !segue_nn_model_create (&model->base, spec, declare_new, error))
    return NULL;
  return g_steal_pointer (&model);
}

/* In transformers' order: nested in processor_config.json, then preprocessor_config.json; a processor_config.json
 * may itself be one. It is not an error to have none. */
static gboolean
read_preprocessor (HubertModel *model, const char *folder, char **where, GError **error)
{
  GError *local = NULL;
  g_autoptr (json_t) processor = segue_nn_config_read (folder, PROCESSOR, TRUE, &local);
  json_t *nested = json_object_get (processor, "feature_extractor");
  *where = g_build_filename (folder, PROCESSOR, NULL);
  if (!local && json_is_object (nested)) {
    model->preprocessor_config = json_incref (nested);
  } else if (!local) {
    g_autofree char *usual = g_build_filename (folder, PREPROCESSOR, NULL);
    model->preprocessor_config = segue_nn_config_read (folder, PREPROCESSOR, TRUE, &local);
    if (model->preprocessor_config || !processor) {
      g_free (*where);
      *where = g_steal_pointer (&usual);
    } else {
      model->preprocessor_config = json_incref (processor);
    }
  }
  if (local)
    g_propagate_error (error, local);
  return !local;
}

static gboolean
load_preprocessor (HubertModel *model, const char *folder, const HubertParams *params,
                   GError **error)
{
  g_autofree char *where = NULL;
  if (!read_preprocessor (model, folder, &where, error) ||
      !hubert_preprocessor_read (model, model->preprocessor_config, where, error))
    return FALSE;
  model->assumes_normalise =
    params->do_normalize < 0 &&
    !json_is_boolean (json_object_get (model->preprocessor_config, "do_normalize"));
  if (params->do_normalize >= 0)
    model->encoder.standardise = params->do_normalize > 0;
  return TRUE;
}

/* (transfer full) (nullable): transformers' names for classes that config.json does not name: it omits two. */
static GStrv
default_labels (SegueSafetensors *file)
{
  const SegueTensorInfo *bias = segue_safetensors_lookup (file, "classifier.bias");
  if (!bias || bias->n_dims != 1 || bias->n_elements < 1 || bias->n_elements > SEGUE_NN_MAX_LABELS)
    return NULL;
  GStrv labels = g_new0 (char *, bias->n_elements + 1);
  for (gsize i = 0; i < bias->n_elements; i++)
    labels[i] = g_strdup_printf ("LABEL_%" G_GSIZE_FORMAT, i);
  return labels;
}

/* A file may contain a bare base model (names without the prefix) or a classifier, and name the weight normalisation
 * of the positional convolution as older torch did. Files are written with the newest names. */
static gboolean
load_weights (HubertModel *model, const char *folder, const SegueModelSpec *spec, GError **error)
{
  static const char *const spellings[] = { "parametrizations.weight.original0", "weight_g",
                                           "parametrizations.weight.original1", "weight_v", NULL };
  g_autofree char *where = g_build_filename (folder, CONFIG, NULL);
  g_autoptr (GError) local = NULL;
  g_auto (GStrv) found = segue_nn_config_get_labels (model->config, where, &local);
  if (local) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  g_autoptr (SegueSafetensors) file = segue_safetensors_open_folder (folder, error);
  if (!file)
    return FALSE;
  if (!found)
    found = default_labels (file);
  if (!segue_nn_model_choose_labels (&model->base, spec, g_steal_pointer (&found), folder, error))
    return FALSE;
  const SegueNnWeightsSource source =
    SEGUE_INIT (SegueNnWeightsSource, .file = file, .folder = folder, .prefix = "hubert.",
                .spellings = spellings);
  gboolean mask_embedding = segue_nn_spec_augment_has_embedding (&model->masks) ||
                            segue_nn_weights_has (&source, "hubert.masked_spec_embed");
  return hubert_declare (model, mask_embedding, error) &&
         segue_nn_model_load_weights (&model->base, spec, &source, error);
}

gpointer
hubert_model_load (const char *folder, const void *data, const SegueModelSpec *spec, GError **error)
{
  const HubertParams *params = data;
  g_autofree char *where = g_build_filename (folder, CONFIG, NULL);
  json_t *config = segue_nn_config_read (folder, CONFIG, FALSE, error);
  if (!config)
    return NULL;
  g_autoptr (HubertModel) model = model_shell (config, where, params, spec, error);
  if (!model || !load_preprocessor (model, folder, params, error) ||
      !check_spec (model, spec, error) || !load_weights (model, folder, spec, error))
    return NULL;
  return g_steal_pointer (&model);
}

gboolean
hubert_model_save (gpointer data, const char *folder, GError **error)
{
  HubertModel *model = data;
  g_autoptr (json_t) config = json_deep_copy (model->config);
  g_autoptr (json_t) preprocessor = hubert_preprocessor_write (model);
  segue_nn_config_set_labels (config, (const char *const *) model->base.labels);
  json_object_set_new (config, "architectures",
                       json_pack ("[s]", "HubertForSequenceClassification"));
  /* It names Python code to run, by the author of the model that this one is derived from. */
  json_object_del (config, "auto_map");
  /* The same under the names in old and new versions of transformers. */
  json_object_set_new (config, "torch_dtype", json_string ("float32"));
  json_object_set_new (config, "dtype", json_string ("float32"));
  return segue_nn_weights_save (model->base.weights, model->base.threads, folder, error) &&
         segue_nn_config_write (preprocessor, folder, PREPROCESSOR, error) &&
         segue_nn_config_write (config, folder, CONFIG, error);
}
