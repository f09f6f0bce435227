/* A model's folder: configuration, weights, life cycle. */
#include "musicnn.h"

#include <math.h>
#include <segue/error.h>

/* Bounds for files: far above any model, and no product of two overflows. */
#define MAX_FRAMES   ((gsize) 1024)
#define MAX_CHANNELS ((gsize) 8192)
#define MAX_RATE     ((gsize) 1000) /* frames per second: memory and time grow with them */

/* Outputs of a product that a kernel over one band is repeated for. */
#define USUAL_OUTPUTS ((gsize) 208)

void
musicnn_free (Musicnn *model)
{
  if (!model)
    return;
  g_clear_pointer (&model->log_mel, segue_nn_log_mel_free);
  segue_nn_model_close (&model->base);
  g_free (model);
}

guint
musicnn_get_rate (const Musicnn *model)
{
  return (guint) model->frames.rate;
}

gsize
musicnn_get_min_length (const Musicnn *model)
{
  return model->frames.window / 2 + 1; /* as many as can be reflected */
}

SegueNnConvMax
musicnn_get_conv (const Musicnn *model, const MusicnnBlock *block, gsize time)
{
  SegueNnConvMax conv = { .time = time,
                          .kernel = block->frames * block->bands,
                          .out = block->out,
                          .repeat = 1,
                          .bias = block->conv.bias.w,
                          .scale = block->scale,
                          .shift = block->shift };
  if (block->bands == 1) { /* frames of a band are consecutive */
    conv.repeat = MAX (USUAL_OUTPUTS / block->out, 1);
    conv.frame = 1;
    conv.positions = model->frames.bands;
  } else { /* the frames of a window are consecutive, for each band */
    conv.frame = model->frames.bands * block->frames;
    conv.positions = model->frames.bands - block->bands + 1;
    conv.step = block->frames;
  }
  return conv;
}

/* ---- Configuration ---- */

/* A member that must be there. */
static gboolean
get_size (const json_t *config, const char *where, const char *key, gsize max, gsize *value,
          GError **error)
{
  *value = 0;
  if (!segue_nn_config_get_size (config, where, key, 1, max, value, error))
    return FALSE;
  return *value > 0 || segue_nn_config_refuse (error, where, key, "is missing");
}

static gboolean
get_sizes (const json_t *config, const char *where, const char *key, gsize min, gsize max,
           gsize *values, guint *n, GError **error)
{
  *n = 0;
  if (!segue_nn_config_get_sizes (config, where, key, min, max, MUSICNN_MAX_BLOCKS, values, n,
                                  error))
    return FALSE;
  return *n > 0 || segue_nn_config_refuse (error, where, key, "is missing");
}

static gboolean
read_preprocessor (Musicnn *model, const char *folder, GError **error)
{
  static const char *const slaney[] = { "slaney", NULL };
  const char *name = "preprocessor_config.json";
  g_autoptr (json_t) config = segue_nn_config_read (folder, name, FALSE, error);
  g_autofree char *where = g_build_filename (folder, name, NULL);
  SegueNnLogMelConfig *f = &model->frames;
  gsize rate;
  guint scale = G_MAXUINT, norm = G_MAXUINT;
  model->log_factor = 0.0;
  if (!config || !get_size (config, where, "sampling_rate", 1000000, &rate, error) ||
      !get_size (config, where, "n_fft", SEGUE_NN_LOG_MEL_MAX_FFT, &f->fft, error) ||
      !get_size (config, where, "hop_length", SEGUE_NN_LOG_MEL_MAX_FFT, &f->hop, error) ||
      !get_size (config, where, "num_mel_bins", SEGUE_NN_LOG_MEL_MAX_BANDS, &f->bands, error) ||
      !segue_nn_config_get_number (config, where, "min_frequency", 0, 1e6, &f->low, error) ||
      !segue_nn_config_get_number (config, where, "max_frequency", 0, 1e6, &f->high, error) ||
      !segue_nn_config_get_choice (config, where, "mel_scale", slaney, &scale, error) ||
      !segue_nn_config_get_choice (config, where, "mel_norm", slaney, &norm, error) ||
      !segue_nn_config_get_number (config, where, "log_factor", 1e-6, 1e9, &model->log_factor,
                                   error))
    return FALSE;
  if (scale == G_MAXUINT || norm == G_MAXUINT || !(model->log_factor > 0.0))
    return segue_nn_config_refuse (error, where,
                                   scale == G_MAXUINT  ? "mel_scale"
                                   : norm == G_MAXUINT ? "mel_norm"
                                                       : "log_factor",
                                   "is missing");
  if (f->hop < rate / MAX_RATE)
    return segue_nn_config_refuse (error, where, "hop_length",
                                   "gives more than %" G_GSIZE_FORMAT " frames a second", MAX_RATE);
  f->rate = (double) rate;
  f->window = f->fft;
  f->floor = 1.0;
  f->scale = SEGUE_NN_MEL_SLANEY;
  f->equal_area = f->centred = TRUE;
  double unscaled = (double) f->window / 4.0; /* |X| of a window that isn't scaled */
  f->gain = model->log_factor * unscaled * unscaled;
  model->log_mel = segue_nn_log_mel_new (f, model->base.threads, error);
  if (!model->log_mel)
    g_prefix_error (error, "‘%s’: ", where);
  return model->log_mel != NULL;
}

static void
set_blocks (Musicnn *model, gsize frames, const gsize *timbre, gsize timbre_out, const gsize *tempo,
            gsize tempo_out, gsize middle_frames, gsize middle_out)
{
  model->front = model->n_timbre * timbre_out + model->n_tempo * tempo_out;
  for (guint i = 0; i < model->n_timbre; i++)
    model->timbre[i] =
      (MusicnnBlock){ .in = 1, .out = timbre_out, .frames = frames, .bands = timbre[i] };
  for (guint i = 0; i < model->n_tempo; i++)
    model->tempo[i] = (MusicnnBlock){ .in = 1, .out = tempo_out, .frames = tempo[i], .bands = 1 };
  for (guint i = 0; i < model->n_middle; i++)
    model->middle[i] = (MusicnnBlock){ .in = i == 0 ? model->front : middle_out,
                                       .out = middle_out,
                                       .frames = middle_frames,
                                       .bands = 1 };
}

static gboolean
read_config (Musicnn *model, const json_t *config, const char *where, GError **error)
{
  const char *type = NULL;
  gsize timbre[MUSICNN_MAX_BLOCKS], tempo[MUSICNN_MAX_BLOCKS], layers;
  gsize frames, timbre_out, tempo_out, middle_frames, middle_out, bands = model->frames.bands;
  model->eps = 0.0;
  if (!segue_nn_config_get_string (config, where, "model_type", &type, error))
    return FALSE;
  if (g_strcmp0 (type, "musicnn") != 0)
    return segue_nn_config_refuse (error, where, "model_type", "is ‘%s’, not musicnn",
                                   type ? type : "");
  if (!get_size (config, where, "timbre_frames", MAX_FRAMES, &frames, error) ||
      !get_sizes (config, where, "timbre_bands", 2, bands, timbre, &model->n_timbre, error) ||
      !get_size (config, where, "timbre_channels", MAX_CHANNELS, &timbre_out, error) ||
      !get_sizes (config, where, "tempo_frames", 1, MAX_FRAMES, tempo, &model->n_tempo, error) ||
      !get_size (config, where, "tempo_channels", MAX_CHANNELS, &tempo_out, error) ||
      !get_size (config, where, "middle_frames", MAX_FRAMES, &middle_frames, error) ||
      !get_size (config, where, "middle_layers", MUSICNN_MAX_BLOCKS, &layers, error) ||
      !get_size (config, where, "middle_channels", MAX_CHANNELS, &middle_out, error) ||
      !get_size (config, where, "hidden_size", MAX_CHANNELS, &model->hidden, error) ||
      !segue_nn_config_get_number (config, where, "norm_eps", 1e-12, 1, &model->eps, error))
    return FALSE;
  if (!(model->eps > 0.0))
    return segue_nn_config_refuse (error, where, "norm_eps", "is missing");
  model->n_middle = (guint) layers;
  set_blocks (model, frames, timbre, timbre_out, tempo, tempo_out, middle_frames, middle_out);
  return TRUE;
}

/* ---- Weights ---- */

static void
declare (Musicnn *model, SegueNnWeight *weight, const char *name, const char *member, guint rank,
         const gsize *shape, SegueNnLayout layout, SegueNnWeightFlags flags)
{
  g_autofree char *full = g_strconcat (name, ".", member, NULL);
  SegueNnTensor tensor =
    SEGUE_INIT (SegueNnTensor, .name = full, .rank = rank, .layout = layout, .flags = flags);
  for (guint i = 0; i < rank; i++)
    tensor.shape[i] = shape[i];
  segue_nn_weights_add (model->base.weights, weight, &tensor);
}

static void
declare_norm (Musicnn *model, SegueNnAffine *norm, SegueNnWeight *mean, SegueNnWeight *variance,
              gsize n, const char *name)
{
  declare (model, &norm->weight, name, "weight", 1, &n, SEGUE_NN_LAYOUT_PLAIN, 0);
  declare (model, &norm->bias, name, "bias", 1, &n, SEGUE_NN_LAYOUT_PLAIN, 0);
  declare (model, mean, name, "running_mean", 1, &n, SEGUE_NN_LAYOUT_PLAIN, SEGUE_NN_WEIGHT_BUFFER);
  declare (model, variance, name, "running_var", 1, &n, SEGUE_NN_LAYOUT_PLAIN,
           SEGUE_NN_WEIGHT_BUFFER | SEGUE_NN_WEIGHT_VARIANCE);
}

static void
declare_block (Musicnn *model, MusicnnBlock *block, const char *kind, guint i)
{
  gboolean is_middle = g_str_equal (kind, "middle");
  const gsize shape[] = { block->out, block->in, block->frames, block->bands };
  g_autofree char *conv = g_strdup_printf ("%s.%u.conv", kind, i);
  g_autofree char *norm = g_strdup_printf ("%s.%u.norm", kind, i);
  SegueNnWeights *weights = model->base.weights;
  declare (model, &block->conv.weight, conv, "weight", is_middle ? 3 : 4, shape,
           is_middle ? SEGUE_NN_LAYOUT_CONV1D : SEGUE_NN_LAYOUT_PLAIN, 0);
  declare (model, &block->conv.bias, conv, "bias", 1, &block->out, SEGUE_NN_LAYOUT_PLAIN, 0);
  declare_norm (model, &block->norm, &block->mean, &block->variance, block->out, norm);
  segue_nn_weights_add_derived (weights, &block->scale, block->out);
  segue_nn_weights_add_derived (weights, &block->shift, block->out);
  if (is_middle) {
    segue_nn_weights_keep (weights, &block->conv.weight, block->out, block->frames * block->in,
                           SEGUE_NN_KEEP_OUTPUTS);
    return;
  }
  SegueNnConvMax c = musicnn_get_conv (model, block, 1);
  segue_nn_weights_add_derived (weights, &block->kernel, segue_nn_conv_max_packed_size (&c));
}

static void
declare_linear (Musicnn *model, SegueNnAffine *affine, gsize out, gsize in, const char *name)
{
  declare (model, &affine->weight, name, "weight", 2, (const gsize[]){ out, in },
           SEGUE_NN_LAYOUT_PLAIN, 0);
  declare (model, &affine->bias, name, "bias", 1, &out, SEGUE_NN_LAYOUT_PLAIN, 0);
}

static gboolean
declare_all (SegueNnModel *base, GError **error)
{
  Musicnn *model = (Musicnn *) base;
  gsize pooled = 2 * (model->front + model->n_middle * model->middle[0].out);
  for (guint i = 0; i < model->n_timbre; i++)
    declare_block (model, &model->timbre[i], "timbre", i);
  for (guint i = 0; i < model->n_tempo; i++)
    declare_block (model, &model->tempo[i], "tempo", i);
  for (guint i = 0; i < model->n_middle; i++)
    declare_block (model, &model->middle[i], "middle", i);
  declare_norm (model, &model->input.norm, &model->input.mean, &model->input.variance, 1, "norm");
  declare_norm (model, &model->pooled.norm, &model->pooled.mean, &model->pooled.variance, pooled,
                "pooled.norm");
  declare_linear (model, &model->dense, model->hidden, pooled, "penultimate");
  declare_norm (model, &model->penultimate.norm, &model->penultimate.mean,
                &model->penultimate.variance, model->hidden, "penultimate.norm");
  declare_linear (model, &model->tags, base->n_labels, model->hidden, "tags");
  segue_nn_weights_add_derived (base->weights, &model->dense_kernel, model->hidden * pooled);
  segue_nn_weights_add_derived (base->weights, &model->dense_bias, model->hidden);
  segue_nn_weights_add_derived (base->weights, &model->hidden_scale, model->hidden);
  segue_nn_weights_add_derived (base->weights, &model->hidden_shift, model->hidden);
  segue_nn_weights_derive (base->weights, musicnn_fold, model);
  segue_nn_weights_freeze (base->weights, 0); /* no gradients */
  return TRUE;
}

/* The front, 95 % of the arithmetic, is float32 in every precision; fewer bits elsewhere have no measured gain. */
static gboolean
set_precision (Musicnn *model, SegueModelPrecision precision, GError **error)
{
  if (precision == SEGUE_MODEL_AUTO)
    precision = SEGUE_MODEL_FLOAT32;
  if (precision != SEGUE_MODEL_INT8)
    return segue_nn_model_set_precision (&model->base, precision, error);
  g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                       "musicnn does not support int8; choose float32 or bfloat16");
  return FALSE;
}

Musicnn *
musicnn_load (const char *folder, guint threads, SegueModelPrecision precision, GError **error)
{
  const SegueModelSpec spec = SEGUE_INIT (SegueModelSpec, .threads = threads);
  g_autoptr (Musicnn) model = g_new0 (Musicnn, 1);
  g_autoptr (json_t) config = segue_nn_config_read (folder, "config.json", FALSE, error);
  g_autofree char *where = g_build_filename (folder, "config.json", NULL);
  if (!config || !segue_nn_model_open (&model->base, &spec, error) ||
      !set_precision (model, precision, error) || !read_preprocessor (model, folder, error) ||
      !read_config (model, config, where, error) ||
      !segue_nn_model_load (&model->base, &spec, folder, config, declare_all, error))
    return NULL;
  segue_nn_weights_refresh (model->base.weights, model->base.threads);
  if (!segue_nn_threads_check (model->base.threads, error))
    return NULL;
  return g_steal_pointer (&model);
}
