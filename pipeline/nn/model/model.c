#include "weights-private.h"

#include <segue/nn/model.h>

#include <segue/error.h>

gboolean
segue_nn_model_open (SegueNnModel *model, const SegueModelSpec *spec, GError **error)
{
  model->weights = segue_nn_weights_new ();
  if (spec->headless)
    nn_weights_set_headless (model->weights);
  model->threads = segue_nn_threads_new (MAX (spec->threads, 1), NULL, error);
  return model->threads != NULL;
}

void
segue_nn_model_close (SegueNnModel *model)
{
  segue_nn_weights_free (model->weights);
  g_clear_pointer (&model->threads, segue_nn_threads_free);
  g_strfreev (model->labels);
  g_strfreev (model->found);
}

gboolean
segue_nn_model_set_precision (SegueNnModel *model, SegueModelPrecision precision, GError **error)
{
  g_autoptr (GError) local = NULL;
  if (segue_nn_threads_set_precision (model->threads, precision, &local)) {
    model->precision = segue_nn_threads_get_precision (model->threads);
    return TRUE;
  }
  /* An error of the pipeline's text, not of a file. */
  if (g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_DATA))
    local->code = SEGUE_ERROR_PIPELINE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

void
segue_nn_model_set_labels (SegueNnModel *model, const char *const *labels)
{
  model->labels = g_strdupv ((char **) labels);
  model->n_labels = labels ? g_strv_length (model->labels) : 0;
}

gboolean
segue_nn_model_check_rate (const SegueModelSpec *spec, guint rate, GError **error)
{
  if (spec->rate == 0 || spec->rate == rate)
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
               "the model takes audio of %u Hz and gets %u Hz" SEGUE_ADVICE (
                 "; decode to that with ", "decode:rate=%u"),
               rate, spec->rate, rate);
  return FALSE;
}

gboolean
segue_nn_model_check_length (const SegueModelSpec *spec, gsize min_length, GError **error)
{
  if (spec->length == 0 || spec->length >= min_length)
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
               "the model needs segments of at least %" G_GSIZE_FORMAT
               " samples and gets %" G_GSIZE_FORMAT "; make `length` of segment larger",
               min_length, spec->length);
  return FALSE;
}

gboolean
segue_nn_model_choose_labels (SegueNnModel *model, const SegueModelSpec *spec, char **found,
                              const char *folder, GError **error)
{
  model->found = found;
  if (spec->headless)
    return TRUE;
  if (!spec->labels && !found)
    return segue_nn_config_refuse (error, folder, NULL,
                                   "has no labels (id2label in config.json); train a classifier "
                                   "from it first");
  segue_nn_model_set_labels (model, spec->labels ? spec->labels : (const char *const *) found);
  return TRUE;
}

/* The index of each of the model's labels in the folder's; %NULL if they are not the same labels. */
static guint *
match_labels (const SegueNnModel *model)
{
  guint n = model->n_labels;
  if (!model->found || g_strv_length (model->found) != n)
    return NULL;
  g_autoptr (GHashTable) places = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < n; i++)
    g_hash_table_insert (places, model->found[i], GUINT_TO_POINTER (i));
  g_autofree guint *rows = g_new (guint, n);
  for (guint i = 0; i < n; i++) {
    gpointer place;
    if (!g_hash_table_lookup_extended (places, model->labels[i], NULL, &place))
      return NULL;
    rows[i] = GPOINTER_TO_UINT (place);
  }
  return g_steal_pointer (&rows);
}

gboolean
segue_nn_model_load_weights (SegueNnModel *model, const SegueModelSpec *spec,
                             const SegueNnWeightsSource *source, GError **error)
{
  g_autofree guint *rows = match_labels (model);
  SegueNnWeightsSource with_labels = *source;
  with_labels.rows = rows;
  with_labels.n_rows = model->found ? g_strv_length (model->found) : 0;
  with_labels.seed = spec->seed;
  with_labels.needs_head = !spec->labels && !spec->headless;
  return segue_nn_weights_load (model->weights, model->threads, &with_labels, error);
}

gboolean
segue_nn_model_create (SegueNnModel *model, const SegueModelSpec *spec, SegueNnDeclareFunc declare,
                       GError **error)
{
  segue_nn_model_set_labels (model, spec->labels);
  if (!declare (model, error) || !segue_nn_weights_allocate (model->weights, error))
    return FALSE;
  if (!spec->blank)
    segue_nn_weights_init (model->weights, model->threads, spec->seed);
  return TRUE;
}

gboolean
segue_nn_model_load (SegueNnModel *model, const SegueModelSpec *spec, const char *folder,
                     const json_t *config, SegueNnDeclareFunc declare, GError **error)
{
  g_autofree char *where = g_build_filename (folder, "config.json", NULL);
  g_autoptr (GError) local = NULL;
  char **found = segue_nn_config_get_labels (config, where, &local);
  if (local) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  if (!segue_nn_model_choose_labels (model, spec, found, folder, error))
    return FALSE;
  if (!declare (model, error)) {
    g_prefix_error (error, "‘%s’: ", where);
    return FALSE;
  }
  g_autoptr (SegueSafetensors) file = segue_safetensors_open_folder (folder, error);
  const SegueNnWeightsSource source =
    SEGUE_INIT (SegueNnWeightsSource, .file = file, .folder = folder);
  return file && segue_nn_model_load_weights (model, spec, &source, error);
}

GArray *
segue_nn_model_list_tensors (gpointer model)
{
  return segue_nn_weights_list (((SegueNnModel *) model)->weights);
}

void
segue_nn_model_begin (SegueNnModel *model)
{
  segue_nn_weights_refresh (model->weights, model->threads);
  segue_nn_threads_watch (model->threads, model->cancellable);
}

gboolean
segue_nn_model_end (SegueNnModel *model, GError **error)
{
  return segue_nn_threads_check (model->threads, error);
}

void
segue_nn_model_changed (gpointer model)
{
  segue_nn_weights_changed (((SegueNnModel *) model)->weights);
}

void
segue_nn_model_set_cancellable (gpointer model, GCancellable *cancellable)
{
  ((SegueNnModel *) model)->cancellable = cancellable;
}
