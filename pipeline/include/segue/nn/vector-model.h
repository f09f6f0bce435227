/* The common part of models that take vectors: their size, and create (), load (), save () and describe ().
 *
 *   typedef struct {
 *     SegueNnVectorModel vectors;
 *     SegueNnAffine classifier;
 *   } Model;
 */
#pragma once

#include <segue/nn/model.h>

G_BEGIN_DECLS

/** SEGUE_NN_MAX_VECTOR: the largest size of a vector. */
#define SEGUE_NN_MAX_VECTOR ((gsize) 1 << 20)

/** SegueNnVectorModel: zeroed before it is created or loaded.
 * @size: numbers in a vector */
typedef struct {
  SegueNnModel base;
  gsize size;
} SegueNnVectorModel;

/** segue_nn_vector_model_create: with the size and labels of @spec; @declare declares the weights. */
SEGUE_API gboolean segue_nn_vector_model_create (SegueNnVectorModel *model,
                                                 const SegueModelSpec *spec,
                                                 SegueNnDeclareFunc declare, GError **error);
/** segue_nn_vector_model_read: (transfer full): config.json of @folder (untrusted); sets the size. */
SEGUE_API json_t *segue_nn_vector_model_read (SegueNnVectorModel *model, const char *folder,
                                              GError **error);
/** segue_nn_vector_model_load: with the labels of @spec or @config; @declare declares the weights, which are read.
 * %SEGUE_ERROR_PIPELINE if vectors of @spec have another size. */
SEGUE_API gboolean segue_nn_vector_model_load (SegueNnVectorModel *model,
                                               const SegueModelSpec *spec, const char *folder,
                                               const json_t *config, SegueNnDeclareFunc declare,
                                               GError **error);
/** segue_nn_vector_model_save: writes @config (transfer full), completed with size and labels, and the weights. */
SEGUE_API gboolean segue_nn_vector_model_save (const SegueNnVectorModel *model, const char *folder,
                                               json_t *config, GError **error);
SEGUE_API void segue_nn_vector_model_close (SegueNnVectorModel *model);

/* A callback of SegueModelType. @model: a #SegueNnVectorModel */
SEGUE_API void segue_nn_vector_model_describe (gpointer model, SegueModelInfo *info);

G_END_DECLS
