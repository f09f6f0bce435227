/* The weights of a model: declared once, with name, shape, layout, initial values and part.
 *
 * From the declarations follow their memory (all values in one arena, all gradients in another), what is frozen,
 * what an optimiser sees, what is read from and written to model.safetensors.  Values stay where they are until
 * the weights are freed.  Used by one thread at a time.
 *
 *   SegueNnWeights *weights = segue_nn_weights_new ();
 *   segue_nn_weights_add_linear (weights, &layer, HEAD, 0, n_labels, width, 0.02, "classifier");
 *   segue_nn_weights_allocate (weights, &error) && segue_nn_weights_init (weights, pool, seed, NULL, &error)
 *   segue_nn_linear_forward (pool, rows, width, n_labels, x, layer.weight.w, layer.bias.w, y);
 */
#pragma once

#include <segue/model.h>
#include <segue/nn/pool.h>
#include <segue/nn/safetensors.h>

G_BEGIN_DECLS

/** SegueNnWeight: @w: the values, as @layout has them, once there is memory; %NULL where none was declared.
 * @dw: their gradient; %NULL: not trained */
typedef struct {
  float *w;
  float *dw;
} SegueNnWeight;

typedef struct {
  SegueNnWeight weight;
  SegueNnWeight bias;
} SegueNnAffine;

/** SegueNnLayout: how values lie in memory.
 * @SEGUE_NN_LAYOUT_PLAIN: as in the file, row-major
 * @SEGUE_NN_LAYOUT_CONV1D: [out, kernel, in] for [out, in, kernel], see conv1d.h
 * @SEGUE_NN_LAYOUT_GROUPED_CONV1D: see grouped-conv1d.h; as many in as out */
typedef enum {
  SEGUE_NN_LAYOUT_PLAIN,
  SEGUE_NN_LAYOUT_CONV1D,
  SEGUE_NN_LAYOUT_GROUPED_CONV1D,
} SegueNnLayout;

/** SegueNnInit: what initial values are.
 * @SEGUE_NN_INIT_CONSTANT: @a
 * @SEGUE_NN_INIT_NORMAL: N (@a, @b²)
 * @SEGUE_NN_INIT_UNIFORM: U [@a, @b)
 * @SEGUE_NN_INIT_MADE: what @make writes; after all tensors that were declared before */
typedef enum {
  SEGUE_NN_INIT_CONSTANT,
  SEGUE_NN_INIT_NORMAL,
  SEGUE_NN_INIT_UNIFORM,
  SEGUE_NN_INIT_MADE,
} SegueNnInit;

/** SegueNnMakeFunc: writes @values [n].  %FALSE with @error. */
typedef gboolean (*SegueNnMakeFunc) (gpointer data, SegueNnPool *pool, gsize n, float *values,
                                     GError **error);

/** SegueNnWeightFlags:
 * @SEGUE_NN_WEIGHT_DECAY: weight decay applies: for what 0 is a natural place of; not biases, not norms
 * @SEGUE_NN_WEIGHT_BUFFER: has no gradient and is no weight: running statistics
 * @SEGUE_NN_WEIGHT_VARIANCE: a file with negative values is refused
 * @SEGUE_NN_WEIGHT_OPTIONAL: a file may lack it
 * @SEGUE_NN_WEIGHT_HEAD: of the classifier: a file's values count only where all of its layer (the name up to its
 *   last dot) is there in the shape declared
 * @SEGUE_NN_WEIGHT_LABELS: its rows are labels: likewise, and only where the file's labels are the model's; each row
 *   goes where its label is
 * @SEGUE_NN_WEIGHT_ADJACENT: lies behind the last one without a gap, so that both can be used as one */
typedef enum {
  SEGUE_NN_WEIGHT_DECAY = 1 << 0,
  SEGUE_NN_WEIGHT_BUFFER = 1 << 1,
  SEGUE_NN_WEIGHT_VARIANCE = 1 << 2,
  SEGUE_NN_WEIGHT_OPTIONAL = 1 << 3,
  SEGUE_NN_WEIGHT_HEAD = 1 << 4,
  SEGUE_NN_WEIGHT_LABELS = 1 << 5,
  SEGUE_NN_WEIGHT_ADJACENT = 1 << 6,
} SegueNnWeightFlags;

/** SegueNnTensor: one declaration; what is not said is 0.
 * @struct_size: sizeof (SegueNnTensor)
 * @name: in files; copied
 * @shape: [rank], of the file
 * @groups: of %SEGUE_NN_LAYOUT_GROUPED_CONV1D
 * @item: names its random numbers, with the seed, where @numbered; else its name does
 * @part: a number below 32 of the caller's: what can be frozen together */
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
  gboolean numbered;
  guint64 item;
  guint part;
  SegueNnWeightFlags flags;
} SegueNnTensor;

typedef struct _SegueNnWeights SegueNnWeights;

SEGUE_API SegueNnWeights *segue_nn_weights_new (void);
/* %NULL is accepted. */
SEGUE_API void segue_nn_weights_free (SegueNnWeights *weights);

/** segue_nn_weights_add: @weight: (nullable): filled in by segue_nn_weights_allocate(); stays where it is. */
SEGUE_API void segue_nn_weights_add (SegueNnWeights *weights, SegueNnWeight *weight,
                                     const SegueNnTensor *tensor);
/** segue_nn_weights_add_linear: @name.weight [out, in], N (0, @deviation²), with weight decay, and @name.bias [out],
 * which are 0. */
SEGUE_API void segue_nn_weights_add_linear (SegueNnWeights *weights, SegueNnAffine *affine,
                                            guint part, SegueNnWeightFlags flags, gsize out,
                                            gsize in, double deviation, const char *name);
/** segue_nn_weights_add_norm: @name.weight [n], which are 1, and @name.bias [n], which are 0. */
SEGUE_API void segue_nn_weights_add_norm (SegueNnWeights *weights, SegueNnAffine *affine,
                                          guint part, gsize n, const char *name);
/** segue_nn_weights_add_derived: @n floats of memory beside the weights, for what a model makes of them:
 * *@place is set with them. */
SEGUE_API void segue_nn_weights_add_derived (SegueNnWeights *weights, float **place, gsize n);

/** segue_nn_weights_keep: @weight, as it is declared, is multiplied by as a matrix [@rows, @columns], where rows are
 * outputs: see segue_nn_pool_keep(). */
SEGUE_API void segue_nn_weights_keep (SegueNnWeights *weights, const SegueNnWeight *weight,
                                      gsize rows, gsize columns);
/** segue_nn_weights_keep_derived: likewise of what *@place will be; rows are no outputs. */
SEGUE_API void segue_nn_weights_keep_derived (SegueNnWeights *weights, float *const *place,
                                              gsize rows, gsize columns);
/** segue_nn_weights_changed: after each change of the values, once what is derived from them is: brings what is kept
 * up to date. */
SEGUE_API void segue_nn_weights_changed (SegueNnWeights *weights, SegueNnPool *pool);

/** segue_nn_weights_freeze: what is of @part has no gradient; before memory is given. */
SEGUE_API void segue_nn_weights_freeze (SegueNnWeights *weights, guint part);
/** segue_nn_weights_freeze_one: likewise. */
SEGUE_API void segue_nn_weights_freeze_one (SegueNnWeights *weights, const SegueNnWeight *weight);

/** segue_nn_weights_check_size: %SEGUE_ERROR_DATA for sizes that no model has: those in a config.json are a stranger's.
 * @what: that would have to be smaller: "hidden_size or conv_dim" */
SEGUE_API gboolean segue_nn_weights_check_size (const SegueNnWeights *weights, const char *what,
                                                GError **error);
/** segue_nn_weights_allocate: zeroed values and gradients.  %SEGUE_ERROR_RESOURCE without memory, and as
 * segue_nn_weights_check_size(). */
SEGUE_API gboolean segue_nn_weights_allocate (SegueNnWeights *weights, GError **error);
/** segue_nn_weights_init: initial values of all.
 * @data: for @make functions */
SEGUE_API gboolean segue_nn_weights_init (SegueNnWeights *weights, SegueNnPool *pool, guint64 seed,
                                          gpointer data, GError **error);
/** segue_nn_weights_list: (transfer full): #SegueModelTensor array, in the order of declaration, with the shapes that
 * values have in memory. */
SEGUE_API GArray *segue_nn_weights_list (const SegueNnWeights *weights);

/** segue_nn_weights_get_size: floats of all values, or of all gradients, with the gaps between them. */
SEGUE_API gsize segue_nn_weights_get_size (const SegueNnWeights *weights);
/** segue_nn_weights_get_values: (transfer none): all of them, once there is memory. */
SEGUE_API float *segue_nn_weights_get_values (const SegueNnWeights *weights);
/** segue_nn_weights_get_gradients: likewise; of what is not trained they stay 0. */
SEGUE_API float *segue_nn_weights_get_gradients (const SegueNnWeights *weights);

/* To compare with another implementation: tensor @i of segue_nn_weights_list() as it was declared, and its values
 * between the order of files and that of memory. */
SEGUE_API const SegueNnTensor *segue_nn_weights_get_declared (const SegueNnWeights *weights,
                                                              guint i);
SEGUE_API void segue_nn_weights_pack (const SegueNnWeights *weights, SegueNnPool *pool, guint i,
                                      const float *file, float *memory);
SEGUE_API void segue_nn_weights_unpack (const SegueNnWeights *weights, SegueNnPool *pool, guint i,
                                        const float *memory, float *file);

/**
 * SegueNnWeightsSource: a file that weights are read from.
 * @file: hostile
 * @folder: that it lies in, for messages
 * @prefix: (nullable): that names in the file may lack ("hubert.")
 * @spellings: (nullable): pairs of endings, today's and an older one, then %NULL
 * @rows: (nullable): [labels]: which of the file's @n_rows rows is each label's; %NULL: its labels are others
 * @needs_head: a file without all that is flagged HEAD or LABELS is refused
 * @seed, @data: for what has to be initialised
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
  gpointer data;
} SegueNnWeightsSource;

/** segue_nn_weights_has: whether the file has a tensor of that @name, under any spelling. */
SEGUE_API gboolean segue_nn_weights_has (const SegueNnWeightsSource *source, const char *name);
/** segue_nn_weights_load: checks the file against the declarations, then gives memory, then reads.  What is missing
 * and may be is initialised.  %SEGUE_ERROR_DATA where a tensor is missing, has another shape, or holds a value that is
 * not finite. */
SEGUE_API gboolean segue_nn_weights_load (SegueNnWeights *weights, SegueNnPool *pool,
                                          const SegueNnWeightsSource *source, GError **error);
/** segue_nn_weights_save: model.safetensors in @folder, replaced as a whole. */
SEGUE_API gboolean segue_nn_weights_save (const SegueNnWeights *weights, SegueNnPool *pool,
                                          const char *folder, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueNnWeights, segue_nn_weights_free)

G_END_DECLS
