/* The common base of all models of libsegue-nn: threads, labels, weights, and those callbacks of a #SegueModelType
 * that need nothing else.
 *
 * A model's own struct begins with a SegueNnModel, so that a pointer to it is also a pointer to the model.
 *
 *   typedef struct {
 *     SegueNnModel base;
 *     SegueNnAffine classifier;
 *   } Model;
 *
 *   create (): sets sizes from parameters, segue_nn_model_open (), segue_nn_model_create ()
 *   load ():   sets sizes from config.json, segue_nn_model_open (), segue_nn_model_load ()
 *   save ():   writes config.json, segue_nn_weights_save ()
 *   forward (), backward (): segue_nn_model_begin (), operations, segue_nn_model_end ()
 *   free ():   segue_nn_model_close ()
 *
 * A model type also sets .list_tensors, .changed and .set_cancellable to the functions at the end of this header, and
 * .fingerprint to segue_nn_fingerprint() (backend.h).
 */
#pragma once

#include <segue/nn/config.h>
#include <segue/nn/weights.h>

G_BEGIN_DECLS

/** SegueNnModel: zeroed before segue_nn_model_open().
 * @cancellable: (nullable): borrowed: for passes
 * @labels, @n_labels: %NULL, 0 in a model that only encodes
 * @found: (nullable): the folder's labels */
typedef struct {
  SegueNnThreads *threads;
  SegueNnWeights *weights;
  GCancellable *cancellable;
  SegueModelPrecision precision;
  char **labels;
  guint n_labels;
  char **found;
} SegueNnModel;

/** segue_nn_model_open: creates the threads, and an empty table of weights. If @spec is headless, the model only encodes:
 * it needs no labels, and the weights of its head are neither declared nor needed (#SegueNnWeightFlags). */
SEGUE_API gboolean segue_nn_model_open (SegueNnModel *model, const SegueModelSpec *spec,
                                        GError **error);
/** segue_nn_model_close: frees its contents, not the struct itself. */
SEGUE_API void segue_nn_model_close (SegueNnModel *model);

/** segue_nn_model_set_precision: AUTO is the fastest available precision that loses no accuracy.
 * %SEGUE_ERROR_PIPELINE if the system doesn't support @precision. */
SEGUE_API gboolean segue_nn_model_set_precision (SegueNnModel *model, SegueModelPrecision precision,
                                                 GError **error);
/** segue_nn_model_set_labels: @labels: (nullable) */
SEGUE_API void segue_nn_model_set_labels (SegueNnModel *model, const char *const *labels);

/** segue_nn_model_check_rate: checks that items have @rate Hz; %SEGUE_ERROR_PIPELINE names the setting to change. */
SEGUE_API gboolean segue_nn_model_check_rate (const SegueModelSpec *spec, guint rate,
                                              GError **error);
/** segue_nn_model_check_length: checks that segments have at least @min_length samples; likewise. */
SEGUE_API gboolean segue_nn_model_check_length (const SegueModelSpec *spec, gsize min_length,
                                                GError **error);

/** segue_nn_model_choose_labels: those of @spec, else @found (transfer full) (nullable), the folder's.
 * %SEGUE_ERROR_DATA if there are neither, unless @spec is headless. */
SEGUE_API gboolean segue_nn_model_choose_labels (SegueNnModel *model, const SegueModelSpec *spec,
                                                 char **found, const char *folder, GError **error);
/** segue_nn_model_load_weights: segue_nn_weights_load() with the head that matches the labels: the folder's, row by
 * row, if the labels are the same in any order; else initialised. A model that is used unchanged (@spec has no
 * labels) must have a head.
 * @source: all but rows, number of rows and seed */
SEGUE_API gboolean segue_nn_model_load_weights (SegueNnModel *model, const SegueModelSpec *spec,
                                                const SegueNnWeightsSource *source, GError **error);

/** SegueNnDeclareFunc: declares all weights of a model whose sizes and labels are set. */
typedef gboolean (*SegueNnDeclareFunc) (SegueNnModel *model, GError **error);

/** segue_nn_model_create: labels of @spec; weights declared, allocated, and initialised unless @spec is blank. */
SEGUE_API gboolean segue_nn_model_create (SegueNnModel *model, const SegueModelSpec *spec,
                                          SegueNnDeclareFunc declare, GError **error);
/** segue_nn_model_load: labels of @spec or @config, the config.json of @folder; weights declared and read. */
SEGUE_API gboolean segue_nn_model_load (SegueNnModel *model, const SegueModelSpec *spec,
                                        const char *folder, const json_t *config,
                                        SegueNnDeclareFunc declare, GError **error);

/** segue_nn_model_begin: begins a pass: refreshes what is computed from the weights, and watches the model's
 * cancellable. Until segue_nn_model_end() results may be incomplete. */
SEGUE_API void segue_nn_model_begin (SegueNnModel *model);
/** segue_nn_model_end: %FALSE if the results of the pass are invalid; see segue_nn_threads_check(). */
SEGUE_API gboolean segue_nn_model_end (SegueNnModel *model, GError **error);

/* Callbacks of SegueModelType. @model: a #SegueNnModel */
SEGUE_API GArray *segue_nn_model_list_tensors (gpointer model);
SEGUE_API void segue_nn_model_changed (gpointer model);
SEGUE_API void segue_nn_model_set_cancellable (gpointer model, GCancellable *cancellable);

G_END_DECLS
