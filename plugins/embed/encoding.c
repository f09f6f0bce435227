#include "encoding.h"
#include "pool.h"
#include "sound.h"

#include <segue/error.h>
#include <stdlib.h>

/* A pass needs a workspace. Those that no thread uses wait here, so that a song allocates nothing; a parallel
 * encoder has up to one for each worker, any other exactly one, and @lock is held during its pass. */
struct _Encoding {
  SegueModel *model;
  SegueEncoderInfo info;
  guint layer;
  Pool pool;
  gboolean random; /* weights that nothing was learnt with */
  GMutex lock;
  GPtrArray *idle; /* Workspace */
};

typedef struct {
  void *bytes;
  gsize size;
} Workspace;

static void
workspace_free (gpointer data)
{
  Workspace *workspace = data;
  free (workspace->bytes);
  g_free (workspace);
}

void
encoding_free (Encoding *encoding)
{
  if (!encoding)
    return;
  segue_model_free (encoding->model);
  g_ptr_array_unref (encoding->idle);
  g_mutex_clear (&encoding->lock);
  g_free (encoding);
}

static SegueModel *
load (const EncodingConfig *config, SegueRegistry *registry, const SegueModelSpec *spec,
      GError **error)
{
  if (!config->init)
    return segue_model_new (config->model.type, config->model.config, spec, error);
  g_autofree char *folder = segue_model_ref_resolve (config->init, error);
  return folder ? segue_model_load (registry, folder, config->model.type, config->model.config,
                                    spec, error)
                : NULL;
}

static gboolean
choose_layer (Encoding *encoding, const EncodingConfig *config, GError **error)
{
  encoding->info = (SegueEncoderInfo) SEGUE_INIT (SegueEncoderInfo);
  segue_encoder_describe (encoding->model, 0, &encoding->info);
  guint n_layers = encoding->info.n_layers;
  gint64 layer = config->layer == SEGUE_UNSET_INT ? encoding->info.layer : config->layer;
  if (layer >= n_layers) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                 "layer: '%s' has the layers 0..%u, got %" G_GINT64_FORMAT,
                 config->model.type->name, n_layers - 1, layer);
    return FALSE;
  }
  encoding->layer = (guint) layer;
  segue_encoder_describe (encoding->model, encoding->layer, &encoding->info);
  return TRUE;
}

Encoding *
encoding_new (const EncodingConfig *config, SegueRegistry *registry, guint threads, gboolean blank,
              GError **error)
{
  const SegueModelSpec spec = SEGUE_INIT (SegueModelSpec, .threads = threads,
                                          .precision = (SegueModelPrecision) config->precision,
                                          .blank = blank, .headless = TRUE);
  g_autoptr (Encoding) encoding = g_new0 (Encoding, 1);
  g_mutex_init (&encoding->lock);
  encoding->idle = g_ptr_array_new_with_free_func (workspace_free);
  encoding->pool = (Pool) config->pool;
  encoding->random = !config->init && config->model.type->load;
  encoding->model = load (config, registry, &spec, error);
  if (!encoding->model || !choose_layer (encoding, config, error))
    return NULL;
  return g_steal_pointer (&encoding);
}

guint
encoding_get_width (const Encoding *encoding)
{
  return pool_count_width (encoding->pool, encoding->info.width);
}

char *
encoding_get_notice (const Encoding *encoding)
{
  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  if (encoding->random)
    return g_strdup_printf ("'%s' has random weights; name the folder of a trained model as `init`",
                            segue_model_get_type (encoding->model)->name);
  segue_model_describe (encoding->model, &info);
  return g_strdup (info.notice);
}

gboolean
encoding_check_length (const Encoding *encoding, guint64 frames, guint rate, GError **error)
{
  guint64 length = (frames * encoding->info.rate + rate / 2) / rate;
  const char *name = segue_model_get_type (encoding->model)->name;
  double seconds = (double) frames / rate;
  if (segue_encoder_count_frames (encoding->model, length) == 0) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                 "segments of %.3f s are too short for '%s'", seconds, name);
    return FALSE;
  }
  if (segue_encoder_plan (encoding->model, 1, length, encoding->layer) <= SEGUE_MODEL_MAX_SEGMENT)
    return TRUE;
  g_autofree char *most = g_format_size_full (SEGUE_MODEL_MAX_SEGMENT, G_FORMAT_SIZE_IEC_UNITS);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
               "segments of %.3f s are too long for this '%s' model: it would take more than %s of "
               "memory for each; use shorter segments",
               seconds, name, most);
  return FALSE;
}

/* Also waits for the model, unless it is parallel. */
static Workspace *
take_workspace (Encoding *encoding)
{
  g_mutex_lock (&encoding->lock);
  Workspace *workspace = encoding->idle->len > 0
                           ? g_ptr_array_steal_index (encoding->idle, encoding->idle->len - 1)
                           : g_new0 (Workspace, 1);
  if (encoding->info.parallel)
    g_mutex_unlock (&encoding->lock);
  return workspace;
}

static void
give_workspace (Encoding *encoding, Workspace *workspace)
{
  if (encoding->info.parallel)
    g_mutex_lock (&encoding->lock);
  g_ptr_array_add (encoding->idle, workspace);
  g_mutex_unlock (&encoding->lock);
}

static gboolean
grow_workspace (Encoding *encoding, Workspace *workspace, gsize size, GError **error)
{
  if (size <= workspace->size)
    return TRUE;
  g_clear_pointer (&workspace->bytes, free);
  workspace->bytes = segue_model_new_workspace (encoding->model, size, error);
  workspace->size = workspace->bytes ? size : 0;
  return workspace->bytes != NULL;
}

static gboolean
encode (Encoding *encoding, SegueEncoderPass *pass, GCancellable *cancellable, GError **error)
{
  gsize size = segue_encoder_plan (encoding->model, 1, pass->length, encoding->layer);
  Workspace *workspace = take_workspace (encoding);
  gboolean ok = size == 0 || grow_workspace (encoding, workspace, size, error);
  if (!encoding->info.parallel)
    segue_model_set_cancellable (encoding->model, cancellable);
  pass->workspace = workspace->bytes;
  ok = ok && segue_encoder_encode (encoding->model, pass, error);
  if (!encoding->info.parallel)
    segue_model_set_cancellable (encoding->model, NULL);
  give_workspace (encoding, workspace);
  return ok;
}

gboolean
encoding_compute (Encoding *encoding, SegueItem *audio, GCancellable *cancellable, GArray *output,
                  GError **error)
{
  const SegueEncoderInfo *info = &encoding->info;
  g_autoptr (GBytes) sound = sound_convert (audio, info->rate, info->channels, error);
  if (!sound)
    return FALSE;
  gsize length = g_bytes_get_size (sound) / (info->channels * sizeof (float));
  gsize n_frames = segue_encoder_count_frames (encoding->model, length);
  if (n_frames == 0) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’: %.3f s are too short for '%s'",
                 segue_item_get_id (audio), (double) length / info->rate,
                 segue_model_get_type (encoding->model)->name);
    return FALSE;
  }
  g_autofree float *frames = g_try_malloc_n (n_frames * info->width, sizeof (float));
  if (!frames) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE, "‘%s’: not enough memory for its frames",
                 segue_item_get_id (audio));
    return FALSE;
  }
  SegueEncoderPass pass =
    SEGUE_INIT (SegueEncoderPass, .batch = 1, .length = length, .layer = encoding->layer,
                .input = g_bytes_get_data (sound, NULL), .output = frames);
  if (!encode (encoding, &pass, cancellable, error))
    return FALSE;
  pool_frames (encoding->pool, frames, n_frames, info->width, output);
  return TRUE;
}
