/* The weights of a model: declared once, with name, shape, layout, initial values and part.
 *
 * The declarations determine their memory (all values in one arena, all gradients in another), what is frozen,
 * what an optimiser updates, and what is read from and written to model.safetensors. Values do not move until
 * the weights are freed. Used by one thread at a time.
 *
 * What is computed from the values (packed or normalised weights, copies in the precision of products) belongs to the
 * table, too. A caller that writes values calls segue_nn_weights_changed(); each pass begins with
 * segue_nn_weights_refresh(). In between, products use the values themselves, never what is out of date.
 *
 *   SegueNnWeights *weights = segue_nn_weights_new ();
 *   segue_nn_weights_add_linear (weights, &layer, HEAD, 0, n_labels, width, 0.02, "classifier");
 *   segue_nn_weights_allocate (weights, &error)
 *   segue_nn_weights_init (weights, threads, seed)
 *   segue_nn_linear_forward (threads, rows, width, n_labels, x, &layer, y);
 */
#pragma once

#include <segue/model.h>
#include <segue/nn/safetensors.h>
#include <segue/nn/weight.h>

G_BEGIN_DECLS

/** SegueNnLayout: the order of values in memory.
 * @SEGUE_NN_LAYOUT_PLAIN: as in the file, row-major
 * @SEGUE_NN_LAYOUT_CONV1D: [out, kernel, in] for [out, in, kernel], see conv1d.h
 * @SEGUE_NN_LAYOUT_GROUPED_CONV1D: see grouped-conv1d.h; in equals out */
typedef enum {
  SEGUE_NN_LAYOUT_PLAIN,
  SEGUE_NN_LAYOUT_CONV1D,
  SEGUE_NN_LAYOUT_GROUPED_CONV1D,
} SegueNnLayout;

/** SegueNnInit: the initial values.
 * @SEGUE_NN_INIT_CONSTANT: @a
 * @SEGUE_NN_INIT_NORMAL: N (@a, @b²)
 * @SEGUE_NN_INIT_UNIFORM: U [@a, @b)
 * @SEGUE_NN_INIT_MADE: written by @make; called after all tensors that were declared before are initialised */
typedef enum {
  SEGUE_NN_INIT_CONSTANT,
  SEGUE_NN_INIT_NORMAL,
  SEGUE_NN_INIT_UNIFORM,
  SEGUE_NN_INIT_MADE,
} SegueNnInit;

/** SegueNnMakeFunc: writes @values [n]. */
typedef void (*SegueNnMakeFunc) (gpointer layer, SegueNnThreads *threads, gsize n, float *values);

/** SegueNnWeightFlags: the classifier, whose rows are labels, is LABELS, weight and bias; HEAD is for layers before it
 * that a file without a classifier lacks, too (a projector of a published encoder), and is never needed with LABELS.
 * Everything else has neither: a file that lacks it is refused. In a model that only encodes (segue_nn_model_open()),
 * both are ignored when they are declared: their #SegueNnWeight stay zeroed.
 * @SEGUE_NN_WEIGHT_DECAY: weight decay applies: for weights whose neutral value is 0; not biases, not norms
 * @SEGUE_NN_WEIGHT_BUFFER: has no gradient and is not a weight: running statistics
 * @SEGUE_NN_WEIGHT_VARIANCE: a file with negative values is refused
 * @SEGUE_NN_WEIGHT_OPTIONAL: a file may lack it
 * @SEGUE_NN_WEIGHT_HEAD: part of the classifier: a file's values are used only if its whole layer (the name up to
 *   the last dot) is present in the declared shape
 * @SEGUE_NN_WEIGHT_LABELS: its rows are labels: likewise, and only if the file's labels are the model's; rows are
 *   reordered to match their labels
 * @SEGUE_NN_WEIGHT_ADJACENT: stored directly after the previous one, so that both can be used as one */
typedef enum {
  SEGUE_NN_WEIGHT_DECAY = 1 << 0,
  SEGUE_NN_WEIGHT_BUFFER = 1 << 1,
  SEGUE_NN_WEIGHT_VARIANCE = 1 << 2,
  SEGUE_NN_WEIGHT_OPTIONAL = 1 << 3,
  SEGUE_NN_WEIGHT_HEAD = 1 << 4,
  SEGUE_NN_WEIGHT_LABELS = 1 << 5,
  SEGUE_NN_WEIGHT_ADJACENT = 1 << 6,
} SegueNnWeightFlags;

/** SegueNnTensor: one declaration; unused members are 0.
 * @struct_size: sizeof (SegueNnTensor)
 * @name: in files; copied
 * @shape: [rank], of the file
 * @groups: of %SEGUE_NN_LAYOUT_GROUPED_CONV1D
 * @item: identifies its random numbers, with the seed, if @numbered; else its name does
 * @part: a number below 32, chosen by the caller: tensors of one part can be frozen together */
typedef struct {
  gsize struct_size;
  const char *name;
  guint rank;
  gsize shape[4];
  SegueNnLayout layout;
  gsize groups;
  SegueNnInit init;
  double a, b;
  SegueNnMakeFunc make;
  gpointer layer; /* its argument */
  gboolean numbered;
  guint64 item;
  guint part;
  SegueNnWeightFlags flags;
} SegueNnTensor;

typedef struct _SegueNnWeights SegueNnWeights;

SEGUE_API SegueNnWeights *segue_nn_weights_new (void);
/* %NULL is accepted. */
SEGUE_API void segue_nn_weights_free (SegueNnWeights *weights);

/** segue_nn_weights_add: @weight: (nullable): filled in by segue_nn_weights_allocate(); must not move. */
SEGUE_API void segue_nn_weights_add (SegueNnWeights *weights, SegueNnWeight *weight,
                                     const SegueNnTensor *tensor);
/** segue_nn_weights_add_linear: @name.weight [out, in], N (0, @deviation²), with weight decay, and @name.bias [out],
 * initialised to 0. */
SEGUE_API void segue_nn_weights_add_linear (SegueNnWeights *weights, SegueNnAffine *affine,
                                            guint part, SegueNnWeightFlags flags, gsize out,
                                            gsize in, double deviation, const char *name);
/** segue_nn_weights_add_norm: @name.weight [n], initialised to 1, and @name.bias [n], initialised to 0. */
SEGUE_API void segue_nn_weights_add_norm (SegueNnWeights *weights, SegueNnAffine *affine,
                                          guint part, gsize n, const char *name);
/** segue_nn_weights_add_derived: @n floats of memory beside the weights, for values that a layer derives from them:
 * *@place is set on allocation. */
SEGUE_API void segue_nn_weights_add_derived (SegueNnWeights *weights, float **place, gsize n);
/** SegueNnDeriveFunc: writes what @layer derives from its weights. */
typedef void (*SegueNnDeriveFunc) (gpointer layer, SegueNnThreads *threads);
/** segue_nn_weights_derive: segue_nn_weights_refresh() calls @derive after each change. @layer must not move. */
SEGUE_API void segue_nn_weights_derive (SegueNnWeights *weights, SegueNnDeriveFunc derive,
                                        gpointer layer);

/** segue_nn_weights_keep: declares that products use @weight, which must not move, as a matrix [@rows, @columns].
 * @keep: those of the forward; of a weight that is trained, %SEGUE_NN_KEEP_ANY is implied */
SEGUE_API void segue_nn_weights_keep (SegueNnWeights *weights, SegueNnWeight *weight, gsize rows,
                                      gsize columns, SegueNnKeep keep);
/** segue_nn_weights_changed: values were written: all that is computed from them is out of date. */
SEGUE_API void segue_nn_weights_changed (SegueNnWeights *weights);
/** segue_nn_weights_refresh: computes what is out of date, also after a change of @threads' precision. Returns at
 * once if nothing is. If memory runs out, the next segue_nn_threads_check() reports that. */
SEGUE_API void segue_nn_weights_refresh (SegueNnWeights *weights, SegueNnThreads *threads);

/** segue_nn_weights_freeze: tensors of @part get no gradient; before allocation. */
SEGUE_API void segue_nn_weights_freeze (SegueNnWeights *weights, guint part);
/** segue_nn_weights_freeze_one: likewise. */
SEGUE_API void segue_nn_weights_freeze_one (SegueNnWeights *weights, const SegueNnWeight *weight);

/** segue_nn_weights_check_size: %SEGUE_ERROR_DATA for implausible sizes: those in a config.json are untrusted.
 * @what: the settings that are too large: "hidden_size or conv_dim" */
SEGUE_API gboolean segue_nn_weights_check_size (const SegueNnWeights *weights, const char *what,
                                                GError **error);
/** segue_nn_weights_allocate: zeroed values and gradients. %SEGUE_ERROR_RESOURCE if memory runs out, and errors of
 * segue_nn_weights_check_size(). */
SEGUE_API gboolean segue_nn_weights_allocate (SegueNnWeights *weights, GError **error);
/** segue_nn_weights_init: sets the initial values of all tensors. */
SEGUE_API void segue_nn_weights_init (SegueNnWeights *weights, SegueNnThreads *threads,
                                      guint64 seed);
/** segue_nn_weights_list: (transfer full): #SegueModelTensor array, in the order of declaration, with the shapes in
 * memory. */
SEGUE_API GArray *segue_nn_weights_list (const SegueNnWeights *weights);

/** segue_nn_weights_get_size: number of floats of all values, or of all gradients, with the gaps between them. */
SEGUE_API gsize segue_nn_weights_get_size (const SegueNnWeights *weights);
/** segue_nn_weights_get_values: (transfer none): all of them, after allocation. */
SEGUE_API float *segue_nn_weights_get_values (const SegueNnWeights *weights);
/** segue_nn_weights_get_gradients: likewise; those of tensors that are not trained stay 0. */
SEGUE_API float *segue_nn_weights_get_gradients (const SegueNnWeights *weights);

/* To compare with another implementation: the declaration of tensor @i of segue_nn_weights_list(), and conversion of
 * its values between the order of files and that of memory. */
SEGUE_API const SegueNnTensor *segue_nn_weights_get_declared (const SegueNnWeights *weights,
                                                              guint i);
SEGUE_API void segue_nn_weights_pack (const SegueNnWeights *weights, SegueNnThreads *threads,
                                      guint i, const float *file, float *memory);
SEGUE_API void segue_nn_weights_unpack (const SegueNnWeights *weights, SegueNnThreads *threads,
                                        guint i, const float *memory, float *file);

/**
 * SegueNnWeightsSource: a file that weights are read from.
 * @file: untrusted
 * @folder: its folder, for messages
 * @prefix: (nullable): a prefix that names in the file may lack ("hubert.")
 * @spellings: (nullable): pairs of name endings, the current and an older one, then %NULL
 * @rows: (nullable): [labels]: for each label, its row among the file's @n_rows rows; %NULL: the labels differ
 * @needs_head: a file that lacks a tensor flagged HEAD or LABELS is refused
 * @seed: for tensors that have to be initialised
 */
typedef struct {
  gsize struct_size;
  SegueSafetensors *file;
  const char *folder;
  const char *prefix;
  const char *const *spellings;
  const guint *rows;
  gsize n_rows;
  gboolean needs_head;
  guint64 seed;
} SegueNnWeightsSource;

/** segue_nn_weights_has: whether the file has a tensor called @name, in any spelling. */
SEGUE_API gboolean segue_nn_weights_has (const SegueNnWeightsSource *source, const char *name);
/** segue_nn_weights_load: checks the file against the declarations, then allocates memory, then reads. Tensors that
 * may be missing and are missing are initialised. %SEGUE_ERROR_DATA if a tensor is missing, has another shape, or
 * contains a value that is not finite. */
SEGUE_API gboolean segue_nn_weights_load (SegueNnWeights *weights, SegueNnThreads *threads,
                                          const SegueNnWeightsSource *source, GError **error);
/** segue_nn_weights_save: writes model.safetensors in @folder, replaced as a whole. */
SEGUE_API gboolean segue_nn_weights_save (const SegueNnWeights *weights, SegueNnThreads *threads,
                                          const char *folder, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueNnWeights, segue_nn_weights_free)

G_END_DECLS
