/* A model type that is tested: models of it, and passes with checks of their memory (internal). */
#pragma once

#include "guarded.h"

#include <segue/model.h>

/**
 * ModelCase:
 * @config: parsed, or %NULL: the defaults
 * @vectors: whether items are vectors, not audio
 * @length: samples of an item, or the size of a vector
 * @precision: of its models
 */
typedef struct {
  SegueRegistry *registry;
  const SegueModelType *type;
  gpointer config;
  gboolean vectors;
  gsize length;
  SegueModelPrecision precision;
} ModelCase;

#define MODEL_CASE_LABELS SEGUE_NAMES ("a", "b", "c")
#define MODEL_CASE_N      3 /* labels, and items of the largest batch */
#define MODEL_CASE_SEED   42

/** model_case_refuse: sets "model type 'x': …", %SEGUE_ERROR_INTERNAL; returns %FALSE. */
gboolean model_case_refuse (const ModelCase *c, GError **error, const char *format, ...)
  G_GNUC_PRINTF (3, 4);
/** model_case_new_model: (transfer full): always of the same seed. */
SegueModel *model_case_new_model (const ModelCase *c, guint threads, GError **error);
/** model_case_new_fitted: likewise, fitted if its type has fit (): as it predicts, or before the first step. */
SegueModel *model_case_new_fitted (const ModelCase *c, guint threads, GError **error);
/** model_case_fit: @model's type has fit (). @validation: whether there is a validation set */
gboolean model_case_fit (const ModelCase *c, SegueModel *model, gboolean validation,
                         GError **error);
/** model_case_fill_row: @row [n]: item number @item, each with a sound of its own. */
void model_case_fill_row (guint item, gsize n, float *row);

/** model_case_clear_gradients: @tensors: of segue_model_list_tensors(). */
void model_case_clear_gradients (const GArray *tensors);

/** CasePass: a pass, and its memory, with guards around the workspace and after logits and points. */
typedef struct {
  const ModelCase *c;
  SegueModel *model;
  SegueModelPass pass;
  gsize bytes; /* of the workspace */
  gsize n_input, n_logits, n_points;
  Guarded workspace;
  float *input, *whole; /* as the model gets it; and as it was */
  float *logits;
  float *points; /* NULL: not requested, or the model has no space */
  guint64 *items;
} CasePass;

/** case_pass_open: for items from number @first on. @garbage: the byte that the workspace is full of before the pass */
gboolean case_pass_open (CasePass *p, const ModelCase *c, SegueModel *model, SegueModelMode mode,
                         guint first, guint batch, guint8 garbage, GError **error);
/** case_pass_forward: checks also what the pass may not write to. */
gboolean case_pass_forward (CasePass *p, GError **error);
gboolean case_pass_backward (CasePass *p, const float *d_logits, GError **error);
void case_pass_clear (CasePass *p);

/** model_case_infer: (transfer full): the logits of an inference. */
float *model_case_infer (const ModelCase *c, SegueModel *model, guint first, guint batch,
                         guint8 garbage, GError **error);
/** model_case_locate: (transfer full): the points of an inference of a model that has a space, [batch, n_axes]; also
 * whether the logits are those of a pass without points, and centres and points are finite. */
float *model_case_locate (const ModelCase *c, SegueModel *model, guint first, guint batch,
                          guint8 garbage, GError **error);

/* The parts of the test. */
gboolean model_case_check_description (const ModelCase *c, GError **error);
gboolean model_case_check_inference (const ModelCase *c, GError **error);
/** model_case_check_space: of a model that has one. */
gboolean model_case_check_space (const ModelCase *c, GError **error);
gboolean model_case_check_training (const ModelCase *c, GError **error);
gboolean model_case_check_fit (const ModelCase *c, GError **error);
gboolean model_case_check_gradients (const ModelCase *c, GError **error);
gboolean model_case_check_folder (const ModelCase *c, GError **error);
/** model_case_check_encoder: of a type that has one; also if it is no classifier. */
gboolean model_case_check_encoder (const ModelCase *c, GError **error);
gboolean model_case_check_cancelling (const ModelCase *c, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CasePass, case_pass_clear)
