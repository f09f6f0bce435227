/* What all models of libsegue-nn are made of: threads, labels, weights, and callbacks of a #SegueModelType that need
 * nothing else.
 *
 * A model's own struct begins with a SegueNnModel; so pointers to it are pointers to the model.
 *
 *   typedef struct {
 *     SegueNnModel base;
 *     SegueNnAffine classifier;
 *   } Model;
 *
 *   create (): sets sizes from parameters, segue_nn_model_open (), segue_nn_model_create ()
 *   load ():   sets sizes from config.json, segue_nn_model_open (), segue_nn_model_load ()
 *   save ():   writes config.json, segue_nn_weights_save ()
 *   free ():   segue_nn_model_close ()
 */
#pragma once

#include <segue/nn/config.h>
#include <segue/nn/weights.h>

G_BEGIN_DECLS

/** SegueNnModel: zeroed before segue_nn_model_open().
 * @cancellable: (nullable): borrowed: of passes
 * @found: (nullable): the folder's labels, where they are not the model's */
typedef struct {
  SegueNnPool *pool;
  SegueNnWeights *weights;
  GCancellable *cancellable;
  SegueModelPrecision precision;
  char **labels;
  guint n_labels;
  char **found;
} SegueNnModel;

/** segue_nn_model_open: threads, and an empty table of weights. */
SEGUE_API gboolean segue_nn_model_open (SegueNnModel *model, const SegueModelSpec *spec,
                                        GError **error);
/** segue_nn_model_close: frees all that is in it; the model is the caller's. */
SEGUE_API void segue_nn_model_close (SegueNnModel *model);

/** segue_nn_model_set_precision: AUTO is the fastest that is here and costs no accuracy.  %SEGUE_ERROR_PIPELINE where
 * the machine doesn't have it. */
SEGUE_API gboolean segue_nn_model_set_precision (SegueNnModel *model, SegueModelPrecision precision,
                                                 GError **error);
SEGUE_API void segue_nn_model_set_labels (SegueNnModel *model, const char *const *labels);

/** segue_nn_model_check_rate: that items are of @rate Hz; %SEGUE_ERROR_PIPELINE says what to set. */
SEGUE_API gboolean segue_nn_model_check_rate (const SegueModelSpec *spec, guint rate,
                                              GError **error);
/** segue_nn_model_check_length: that segments have at least @min_length samples; likewise. */
SEGUE_API gboolean segue_nn_model_check_length (const SegueModelSpec *spec, gsize min_length,
                                                GError **error);

/** segue_nn_model_choose_labels: those of @spec, else @found (transfer full) (nullable), the folder's.
 * %SEGUE_ERROR_DATA where there are neither. */
SEGUE_API gboolean segue_nn_model_choose_labels (SegueNnModel *model, const SegueModelSpec *spec,
                                                 char **found, const char *folder, GError **error);
/** segue_nn_model_load_weights: segue_nn_weights_load() with the head that fits the labels: the folder's own, row by
 * row, where they are the same labels in whatever order; else initialised.  A model that is used as it is
 * (@spec has no labels) must have one.
 * @source: all but rows, number of rows and seed */
SEGUE_API gboolean segue_nn_model_load_weights (SegueNnModel *model, const SegueModelSpec *spec,
                                                const SegueNnWeightsSource *source, GError **error);

/** SegueNnDeclareFunc: declares all weights of a model that knows its sizes and labels. */
typedef gboolean (*SegueNnDeclareFunc) (SegueNnModel *model, GError **error);

/** segue_nn_model_create: labels of @spec; weights declared, allocated, initialised. */
SEGUE_API gboolean segue_nn_model_create (SegueNnModel *model, const SegueModelSpec *spec,
                                          SegueNnDeclareFunc declare, GError **error);
/** segue_nn_model_load: labels of @spec or @config, the config.json of @folder; weights declared and read. */
SEGUE_API gboolean segue_nn_model_load (SegueNnModel *model, const SegueModelSpec *spec,
                                        const char *folder, const json_t *config,
                                        SegueNnDeclareFunc declare, GError **error);

/* Callbacks of SegueModelType.  @model: a #SegueNnModel */
SEGUE_API GArray *segue_nn_model_list_tensors (gpointer model);
SEGUE_API void segue_nn_model_set_cancellable (gpointer model, GCancellable *cancellable);

G_END_DECLS
