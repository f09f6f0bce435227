/* A model's life: made from parameters or loaded from a folder, saved, freed. */
#include "folder.h"

#include "architecture.h"
#include "model-json.h"
#include "model-labels.h"
#include "weights-io.h"

#include <segue/nn/weight-norm.h>
#include <string.h>

#define CONFIG       "config.json"
#define PREPROCESSOR "preprocessor_config.json"
#define PROCESSOR    "processor_config.json"

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HubertModel, hubert_model_free)

void
hubert_model_free (HubertModel *model)
{
  if (model == NULL)
    return;
  hubert_weights_clear (&model->weights);
  g_clear_pointer (&model->pool, segue_nn_pool_free);
  g_clear_pointer (&model->config, json_decref);
  g_clear_pointer (&model->preprocessor_config, json_decref);
  g_strfreev (model->labels);
  g_free (model->positional);
  g_free (model->positional_norm);
  g_free (model);
}

/* Everything that does not need weights.  @config is taken. */
static HubertModel *
model_shell (json_t *config, const char *where, const HubertParams *params,
             const SegueModelSpec *spec, GError **error)
{
  g_autoptr (HubertModel) model = g_new0 (HubertModel, 1);
  model->config = config;
  model->freeze = (HubertFreeze) params->freeze;
  hubert_params_override (params, config);
  if (!hubert_architecture_parse (config, where, &model->architecture, error) ||
      !hubert_training_parse (config, where, &model->training, error))
    return NULL;
  model->pool = segue_nn_pool_new (spec->threads, NULL, error);
  if (model->pool == NULL || !hubert_model_set_precision (model, spec->precision, error))
    return NULL;
  return g_steal_pointer (&model);
}

/* What the items at hand must be like. */
static gboolean
check_spec (const HubertModel *model, const SegueModelSpec *spec, GError **error)
{
  gsize min_length = hubert_architecture_min_length (&model->architecture);
  if (spec->rate != 0 && spec->rate != model->preprocessor.rate) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                 "the model takes audio of %u Hz and gets %u Hz" SEGUE_ADVICE (
                   "; decode to that with ", "decode:rate=%u"),
                 model->preprocessor.rate, spec->rate, model->preprocessor.rate);
    return FALSE;
  }
  if (spec->length != 0 && spec->length < min_length) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                 "the model needs segments of at least %" G_GSIZE_FORMAT
                 " samples and gets %" G_GSIZE_FORMAT "; make `length` of segment larger",
                 min_length, spec->length);
    return FALSE;
  }
  return TRUE;
}

/* Memory for weights and for what is derived from them. */
static gboolean
allocate (HubertModel *model, GError **error)
{
  const HubertArchitecture *a = &model->architecture;
  gsize n = a->hidden * (a->hidden / a->positional_groups) * a->positional_kernel;
  model->positional = g_try_new (float, n);
  model->positional_norm = g_try_new (float, a->positional_kernel);
  if (model->positional == NULL || model->positional_norm == NULL) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                         "no memory for the model's positional convolution");
    return FALSE;
  }
  return hubert_weights_allocate (&model->weights, model->freeze, model->training.augment, error);
}

void
hubert_model_changed (HubertModel *model)
{
  const HubertArchitecture *a = &model->architecture;
  gsize group = a->hidden / a->positional_groups;
  segue_nn_weight_norm_forward (model->pool, a->positional_groups, a->positional_kernel,
                                group * group, model->weights.positional_v.w,
                                model->weights.positional_g.w, model->positional,
                                model->positional_norm);
  hubert_model_keep_weights (model);
}

static void
set_labels (HubertModel *model, char **labels)
{
  model->labels = labels;
  model->n_labels = g_strv_length (labels);
}

HubertModel *
hubert_model_create (const HubertParams *params, const SegueModelSpec *spec, GError **error)
{
  static const char *const where = "parameters of distilhubert";
  g_autoptr (GError) local = NULL;
  g_autoptr (HubertModel) model =
    model_shell (hubert_params_new_config (params), where, params, spec, &local);
  if (model == NULL) {
    /* Of a pipeline's text, not of a file. */
    if (g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_DATA))
      local->code = SEGUE_ERROR_PIPELINE;
    g_propagate_error (error, g_steal_pointer (&local));
    return NULL;
  }
  model->preprocessor = (HubertPreprocessor){ 16000, params->do_normalize > 0 };
  set_labels (model, g_strdupv ((char **) spec->labels));
  if (!check_spec (model, spec, error) ||
      !hubert_weights_declare (&model->weights, &model->architecture, model->n_labels,
                               hubert_training_has_mask_embedding (&model->training), error) ||
      !allocate (model, error))
    return NULL;
  if (spec->blank)
    return g_steal_pointer (&model);
  for (guint i = 0; i < model->weights.tensors->len; i++)
    if (!hubert_weights_init (&model->weights, &model->architecture, i, spec->seed, model->pool,
                              error))
      return NULL;
  hubert_model_changed (model);
  return g_steal_pointer (&model);
}

/* As transformers looks: what is nested in processor_config.json, then preprocessor_config.json; a
 * processor_config.json may be one itself.  Having none is no error. */
static gboolean
read_preprocessor (HubertModel *model, const char *folder, char **where, GError **error)
{
  GError *local = NULL;
  g_autoptr (json_t) processor = model_json_read (folder, PROCESSOR, TRUE, &local);
  json_t *nested = json_object_get (processor, "feature_extractor");
  *where = g_build_filename (folder, PROCESSOR, NULL);
  if (local == NULL && json_is_object (nested)) {
    model->preprocessor_config = json_incref (nested);
  } else if (local == NULL) {
    g_autofree char *usual = g_build_filename (folder, PREPROCESSOR, NULL);
    model->preprocessor_config = model_json_read (folder, PREPROCESSOR, TRUE, &local);
    if (model->preprocessor_config != NULL || processor == NULL) {
      g_free (*where);
      *where = g_steal_pointer (&usual);
    } else {
      model->preprocessor_config = json_incref (processor);
    }
  }
  if (local != NULL)
    g_propagate_error (error, local);
  return local == NULL;
}

static gboolean
load_preprocessor (HubertModel *model, const char *folder, const HubertParams *params,
                   GError **error)
{
  g_autofree char *where = NULL;
  if (!read_preprocessor (model, folder, &where, error) ||
      !hubert_preprocessor_parse (model->preprocessor_config, where, &model->preprocessor, error))
    return FALSE;
  model->assumes_normalise =
    params->do_normalize < 0 &&
    !json_is_boolean (json_object_get (model->preprocessor_config, "do_normalize"));
  if (params->do_normalize >= 0)
    model->preprocessor.normalise = params->do_normalize > 0;
  return TRUE;
}

/* Where each of @wanted stands in @found; %NULL where they are not the same labels. */
static guint *
match_labels (char **wanted, char **found)
{
  guint n = g_strv_length (wanted);
  if (found == NULL || g_strv_length (found) != n)
    return NULL;
  g_autoptr (GHashTable) places = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < n; i++)
    g_hash_table_insert (places, found[i], GUINT_TO_POINTER (i));
  g_autofree guint *rows = g_new (guint, n);
  for (guint i = 0; i < n; i++) {
    gpointer place;
    if (!g_hash_table_lookup_extended (places, wanted[i], NULL, &place))
      return NULL;
    rows[i] = GPOINTER_TO_UINT (place);
  }
  return g_steal_pointer (&rows);
}

/* The labels that the model is to have: the pipeline's, else the folder's. */
static gboolean
choose_labels (HubertModel *model, const SegueModelSpec *spec, char **found, const char *folder,
               GError **error)
{
  char **labels = spec->labels != NULL ? (char **) spec->labels : found;
  if (labels == NULL)
    return model_json_refuse (error, folder, NULL,
                              "has no labels (id2label in config.json); train a classifier from it "
                              "first");
  set_labels (model, g_strdupv (labels));
  return TRUE;
}

/* A model that is to be used as it is must have a classifier. */
static gboolean
check_head (const SegueModelSpec *spec, const HubertHead *head, const char *folder, GError **error)
{
  if (spec->labels != NULL || (head->projector && head->classifier))
    return TRUE;
  return model_json_refuse (
    error, folder, NULL,
    "has labels but no classifier for them (projector and classifier of the "
    "sizes in config.json); train one from it first");
}

/* (transfer full) (nullable): as transformers calls classes that config.json does not name: it leaves two
 * out. */
static GStrv
default_labels (SegueSafetensors *file)
{
  const SegueTensorInfo *bias = segue_safetensors_lookup (file, "classifier.bias");
  if (bias == NULL || bias->n_dims != 1 || bias->n_elements < 1 ||
      bias->n_elements > MODEL_LABELS_MAX)
    return NULL;
  GStrv labels = g_new0 (char *, bias->n_elements + 1);
  for (gsize i = 0; i < bias->n_elements; i++)
    labels[i] = g_strdup_printf ("LABEL_%" G_GSIZE_FORMAT, i);
  return labels;
}

static gboolean
load_weights (HubertModel *model, const char *folder, const SegueModelSpec *spec, GError **error)
{
  g_autofree char *where = g_build_filename (folder, CONFIG, NULL);
  g_autoptr (GError) local = NULL;
  g_auto (GStrv) found = model_labels_parse (model->config, where, &local);
  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  g_autoptr (SegueSafetensors) file = segue_safetensors_open_folder (folder, error);
  if (file == NULL)
    return FALSE;
  if (found == NULL)
    found = default_labels (file);
  if (!choose_labels (model, spec, found, folder, error))
    return FALSE;
  gsize n_found = found != NULL ? g_strv_length (found) : 0;
  HubertHead head = hubert_weights_look_at_head (file, &model->architecture, n_found);
  g_autofree guint *rows = match_labels (model->labels, found);

  gboolean mask_embedding = hubert_training_has_mask_embedding (&model->training) ||
                            hubert_weights_has (file, "hubert.masked_spec_embed");
  return hubert_weights_declare (&model->weights, &model->architecture, model->n_labels,
                                 mask_embedding, error) &&
         hubert_weights_check (&model->weights, file, folder, error) &&
         check_head (spec, &head, folder, error) && allocate (model, error) &&
         hubert_weights_load (&model->weights, &model->architecture, file, &head, rows, n_found,
                              spec->seed, model->pool, error);
}

HubertModel *
hubert_model_load (const char *folder, const HubertParams *params, const SegueModelSpec *spec,
                   GError **error)
{
  g_autofree char *where = g_build_filename (folder, CONFIG, NULL);
  json_t *config = model_json_read (folder, CONFIG, FALSE, error);
  if (config == NULL)
    return NULL;
  g_autoptr (HubertModel) model = model_shell (config, where, params, spec, error);
  if (model == NULL || !load_preprocessor (model, folder, params, error) ||
      !check_spec (model, spec, error) || !load_weights (model, folder, spec, error))
    return NULL;
  hubert_model_changed (model);
  return g_steal_pointer (&model);
}

gboolean
hubert_model_save (HubertModel *model, const char *folder, GError **error)
{
  g_autoptr (json_t) config = json_deep_copy (model->config);
  g_autoptr (json_t) preprocessor =
    hubert_preprocessor_format (&model->preprocessor, model->preprocessor_config);
  model_labels_format ((const char *const *) model->labels, config);
  json_object_set_new (config, "architectures",
                       json_pack ("[s]", "HubertForSequenceClassification"));
  /* It names Python to run, of whoever made the model that this one comes from. */
  json_object_del (config, "auto_map");
  /* The same under the names of old and of new transformers. */
  json_object_set_new (config, "torch_dtype", json_string ("float32"));
  json_object_set_new (config, "dtype", json_string ("float32"));
  return hubert_weights_save (model, folder, error) &&
         model_json_write (preprocessor, folder, PREPROCESSOR, error) &&
         model_json_write (config, folder, CONFIG, error);
}
