/* A model's folder: config.json, preprocessor_config.json, model.safetensors. */
#include "mel-cnn.h"
#include "model-json.h"
#include "model-labels.h"

#include <segue/nn/elementwise.h>
#include <segue/nn/safetensors.h>

/* A second. */
#define MAX_FRAMES   1000
#define CONFIG       "config.json"
#define PREPROCESSOR "preprocessor_config.json"
#define WEIGHTS      "model.safetensors"
#define MODEL_TYPE   "segue-mel-cnn"

static const char *const scales[] = { "htk", "slaney" };
static const char *const standardisations[] = { "band", "segment" };
static const char *const pools[] = { "max", "mean" };

/* One of the @n @names under @key, which must be there. */
static gboolean
read_choice (const json_t *config, const char *where, const char *key, const char *const *names,
             guint n, guint *index, GError **error)
{
  const char *name = "";
  if (!model_json_get_string (config, where, key, &name, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (g_str_equal (names[i], name)) {
      *index = i;
      return TRUE;
    }
  return model_json_refuse (error, where, key, "must be ‘%s’ or ‘%s’", names[0], names[1]);
}

static gboolean
read_channels (const json_t *config, const char *where, MelCnnArchitecture *a, GError **error)
{
  const json_t *list = json_object_get (config, "channels");
  gsize n = json_array_size (list);
  if (n < 1 || n > MEL_CNN_MAX_BLOCKS)
    return model_json_refuse (error, where, "channels", "must be a list of 1…%d numbers",
                              MEL_CNN_MAX_BLOCKS);
  for (gsize i = 0; i < n; i++) {
    const json_t *channels = json_array_get (list, i);
    json_int_t value = json_is_integer (channels) ? json_integer_value (channels) : 0;
    if (value < 1 || value > MEL_CNN_MAX_CHANNELS)
      return model_json_refuse (error, where, "channels", "must hold whole numbers of 1…%d",
                                MEL_CNN_MAX_CHANNELS);
    a->channels[i] = (gsize) value;
  }
  a->n_blocks = (guint) n;
  if (a->frames.bands >> n == 0)
    return model_json_refuse (error, where, "channels",
                              "names more blocks than halve %" G_GSIZE_FORMAT " bands",
                              a->frames.bands);
  return TRUE;
}

/* Missing numbers stay 0, which the checks of segue_nn_log_mel_new () refuse. */
static gboolean
parse_architecture (const json_t *config, const char *where, MelCnnArchitecture *a, GError **error)
{
  SegueNnLogMelConfig *f = &a->frames;
  guint scale = 0, standardise = 0, pool = 0;
  *a = (MelCnnArchitecture){ 0 };
  if (!model_json_get_number (config, where, "sampling_rate", 1, 1e6, &f->rate, error) ||
      !model_json_get_size (config, where, "window_length", 2, SEGUE_NN_LOG_MEL_MAX_FFT, &f->window,
                            error) ||
      !model_json_get_size (config, where, "hop_length", 1, SEGUE_NN_LOG_MEL_MAX_FFT, &f->hop,
                            error) ||
      !model_json_get_size (config, where, "n_fft", 4, SEGUE_NN_LOG_MEL_MAX_FFT, &f->fft, error) ||
      !model_json_get_size (config, where, "num_mel_bins", 1, MEL_CNN_MAX_BANDS, &f->bands,
                            error) ||
      !model_json_get_number (config, where, "min_frequency", 0, 1e6, &f->low, error) ||
      !model_json_get_number (config, where, "max_frequency", 0, 1e6, &f->high, error) ||
      !model_json_get_number (config, where, "mel_floor", 1e-30, 1, &f->floor, error) ||
      !read_choice (config, where, "mel_scale", scales, 2, &scale, error) ||
      !read_choice (config, where, "standardise", standardisations, 2, &standardise, error) ||
      !read_choice (config, where, "pool", pools, 2, &pool, error) ||
      !read_channels (config, where, a, error))
    return FALSE;
  f->scale = scale == 0 ? SEGUE_NN_MEL_HTK : SEGUE_NN_MEL_SLANEY;
  a->standardise = standardise == 0 ? MEL_CNN_STANDARDISE_BAND : MEL_CNN_STANDARDISE_SEGMENT;
  a->pool = pool == 0 ? SEGUE_NN_POOL2D_MAX : SEGUE_NN_POOL2D_MEAN;
  if (f->rate != floor (f->rate))
    return model_json_refuse (error, where, "sampling_rate", "must be a whole number");
  /* As in training: memory and time grow with the number of frames. */
  if ((double) f->hop < floor (f->rate / MAX_FRAMES))
    return model_json_refuse (error, where, "hop_length", "gives more than %d frames a second",
                              MAX_FRAMES);
  return TRUE;
}

gboolean
mel_cnn_folder_read (const char *folder, guint rate, MelCnnArchitecture *architecture,
                     char ***labels, GError **error)
{
  g_autofree char *where = g_build_filename (folder, CONFIG, NULL);
  g_autoptr (json_t) config = model_json_read (folder, CONFIG, FALSE, error);
  GError *local = NULL;
  if (config == NULL || !parse_architecture (config, where, architecture, error))
    return FALSE;
  if (rate > 0 && rate != (guint) architecture->frames.rate) {
    g_autofree char *shown = g_filename_display_name (folder);
    g_set_error (
      error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
      "the model in ‘%s’ needs audio at %u Hz, this is at %u Hz; say `rate: %u` to `decode`", shown,
      (guint) architecture->frames.rate, rate, (guint) architecture->frames.rate);
    return FALSE;
  }
  *labels = model_labels_parse (config, where, &local);
  if (local == NULL)
    return TRUE;
  g_propagate_error (error, local);
  return FALSE;
}

/* One value that is no number would make every answer none. */
static gboolean
check_values (const MelCnn *model, const SegueModelTensor *t, const char *path, GError **error)
{
  gboolean good = segue_nn_all_finite (model->pool, t->n_elements, t->value);
  if (g_str_has_suffix (t->name, "running_var"))
    for (gsize i = 0; i < t->n_elements; i++)
      good = good && t->value[i] >= 0.0f;
  return good || model_json_refuse (error, path, t->name,
                                    "holds values that no training leaves; get the model again");
}

static gboolean
is_wanted (const SegueModelTensor *tensor, gboolean head)
{
  return head || !g_str_has_prefix (tensor->name, "head.");
}

/* Before anything as large as a config.json may ask for is made. */
static gboolean
check_tensors (const MelCnn *model, SegueSafetensors *file, const char *path, gboolean head,
               GError **error)
{
  for (guint i = 0; i < model->tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (model->tensors, SegueModelTensor, i);
    const SegueTensorInfo *info = segue_safetensors_lookup (file, t->name);
    if (is_wanted (t, head) && (info == NULL || info->n_elements != t->n_elements))
      return model_json_refuse (error, path, t->name,
                                "is missing or not of the size that config.json says");
  }
  return TRUE;
}

gboolean
mel_cnn_folder_read_weights (MelCnn *model, const char *folder, gboolean head, GError **error)
{
  g_autofree char *path = g_build_filename (folder, WEIGHTS, NULL);
  g_autoptr (SegueSafetensors) file = segue_safetensors_open_folder (folder, error);
  if (file == NULL)
    return FALSE;
  mel_cnn_weights_declare (model);
  if (!check_tensors (model, file, path, head, error) || !mel_cnn_weights_new (model, error))
    return FALSE;
  for (guint i = 0; i < model->tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (model->tensors, SegueModelTensor, i);
    if (!is_wanted (t, head))
      continue;
    if (!segue_safetensors_read_f32 (file, t->name, t->rank, t->shape, t->value, error) ||
        !check_values (model, t, path, error))
      return FALSE;
  }
  return TRUE;
}

static json_t *
format_config (const MelCnn *model)
{
  const MelCnnArchitecture *a = &model->architecture;
  const SegueNnLogMelConfig *f = &a->frames;
  json_t *channels = json_array ();
  for (guint i = 0; i < a->n_blocks; i++)
    json_array_append_new (channels, json_integer ((json_int_t) a->channels[i]));
  json_t *config =
    json_pack ("{s:s, s:[s], s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:s, s:s, s:s, s:o}",
               "model_type", MODEL_TYPE, "architectures", "SegueMelCnn", "sampling_rate",
               (json_int_t) f->rate, "window_length", (json_int_t) f->window, "hop_length",
               (json_int_t) f->hop, "n_fft", (json_int_t) f->fft, "num_mel_bins",
               (json_int_t) f->bands, "min_frequency", f->low, "max_frequency", f->high,
               "mel_floor", f->floor, "mel_scale", scales[f->scale == SEGUE_NN_MEL_SLANEY],
               "standardise", standardisations[a->standardise == MEL_CNN_STANDARDISE_SEGMENT],
               "pool", pools[a->pool == SEGUE_NN_POOL2D_MEAN], "channels", channels);
  model_labels_format ((const char *const *) model->labels, config);
  return config;
}

static gboolean
save_weights (const MelCnn *model, const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, WEIGHTS, NULL);
  g_autoptr (SegueSafetensorsWriter) writer = segue_safetensors_writer_new ();
  for (guint i = 0; i < model->tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (model->tensors, SegueModelTensor, i);
    segue_safetensors_writer_add_f32 (writer, t->name, t->rank, t->shape, t->value);
  }
  return segue_safetensors_writer_write (writer, path, error);
}

gboolean
mel_cnn_save (gpointer data, const char *folder, GError **error)
{
  const MelCnn *model = data;
  g_autoptr (json_t) config = format_config (model);
  g_autoptr (json_t) preprocessor =
    json_pack ("{s:s, s:I, s:i}", "feature_extractor_type", "SegueMelCnnFeatureExtractor",
               "sampling_rate", (json_int_t) model->architecture.frames.rate, "feature_size", 1);
  return model_json_write (config, folder, CONFIG, error) &&
         model_json_write (preprocessor, folder, PREPROCESSOR, error) &&
         save_weights (model, folder, error);
}
