/* Models: architectures behind one interface, and their folders.
 *
 * A model type is one static table, as a stage type is.  `train`, `evaluate` and `segue predict`
 * find it by name and never include its header.  A model classifies fixed-length segments of mono
 * audio at its own rate into labels.
 *
 * A model owns its weights and their gradients and the threads that it computes with; the caller
 * owns everything whose size depends on a batch: input, workspace, logits.  Nothing is allocated in
 * a step.  A model is used by one thread at a time.
 *
 * Random numbers (initial weights, dropout, a model's own augmentation) are counters over
 * (seed, step, item, layer), never a stream: a step can be repeated alone, bit for bit.
 *
 * The frozen prefix is the part of the forward pass that has no trained weight and draws no random
 * numbers before it (log-mel frames; a convolutional encoder that is not fine-tuned).  A trainer
 * may compute it once per item and feed its output in place of the samples from then on.
 *
 * A model folder has the Hugging Face layout (config.json with id2label, model.safetensors,
 * preprocessor_config.json) and segue.json beside it: the model type, and the stages that prepare a
 * song for it.
 */
#pragma once

#include <gio/gio.h>
#include <segue/context.h>
#include <segue/error.h>
#include <segue/param.h>

G_BEGIN_DECLS

/**
 * SegueModelPrecision: in what numbers a model's matrices are multiplied; everything else, its weights
 * among it, stays float32.
 * @SEGUE_MODEL_AUTO: the fastest that this machine has instructions for and that costs no accuracy
 * @SEGUE_MODEL_INT8: inference only
 */
typedef enum {
  SEGUE_MODEL_FLOAT32,
  SEGUE_MODEL_AUTO,
  SEGUE_MODEL_BFLOAT16,
  SEGUE_MODEL_INT8
} SegueModelPrecision;

/** SEGUE_MODEL_PRECISION_CHOICES: their names, then %NULL: for a parameter's choices. */
#define SEGUE_MODEL_PRECISION_CHOICES SEGUE_NAMES ("float32", "auto", "bfloat16", "int8")
/** SEGUE_MODEL_TRAINING_CHOICES: likewise: those that a model can be trained in. */
#define SEGUE_MODEL_TRAINING_CHOICES SEGUE_NAMES ("float32", "auto", "bfloat16")
/** segue_model_precision_names: %SEGUE_MODEL_PRECISION_CHOICES. */
SEGUE_API
const char *const *segue_model_precision_names (void);

/**
 * SegueModelSpec: what a new or loaded model is to become.
 * @struct_size: sizeof (SegueModelSpec); a type's callbacks get one of full size
 * @labels: %NULL-terminated; %NULL when loading: as the folder has them (it is an error if it has
 *   none).  Where they differ from the folder's, the head is initialised again
 * @length: (samples): of a training segment; 0: not known yet
 * @rate: Hz, of the items at hand; 0: not known.  A model that needs another rate refuses with
 *   %SEGUE_ERROR_PIPELINE and says which
 * @seed: for weights that are made, not loaded
 * @threads: ≥ 1
 * @precision: one that the machine doesn't have is refused with %SEGUE_ERROR_PIPELINE; a type that knows
 *   float32 only takes any for that
 * @blank: the model will only be described: a type need not fill in weights
 */
typedef struct {
  gsize struct_size;
  const char *const *labels;
  gsize length;
  guint rate;
  guint64 seed;
  guint threads;
  SegueModelPrecision precision;
  gboolean blank;
} SegueModelSpec;

/**
 * SegueModelInfo: what a model is.
 * @struct_size: sizeof (SegueModelInfo), set by the caller; a type's describe () gets one of full size, zeroed
 * @labels: (transfer none): in the order of its logits
 * @rate: Hz, that its input must have
 * @min_length: samples, below which it can't be run
 * @coupled: whether items of a training batch influence each other (batch normalisation)
 * @precision: that it multiplies in, never %SEGUE_MODEL_AUTO
 * @notice: (transfer none) (nullable): what its files leave open and was assumed, for a warning
 */
typedef struct {
  gsize struct_size;
  const char *const *labels;
  guint n_labels;
  guint rate;
  gsize min_length;
  gboolean coupled;
  SegueModelPrecision precision;
  const char *notice;
} SegueModelInfo;

/**
 * SegueModelTensor: one named weight or buffer; in arrays whose element size says how far the struct goes.  @value and @gradient are float32, row-major, owned
 * by the model and stay where they are; @gradient is %NULL for what is not trained.
 * @decay: whether weight decay applies (not to biases and norms)
 */
typedef struct {
  const char *name;
  guint rank;
  gsize shape[SEGUE_MAX_RANK];
  gsize n_elements;
  float *value;
  float *gradient;
  gboolean decay;
} SegueModelTensor;

typedef enum { SEGUE_MODEL_INFER, SEGUE_MODEL_TRAIN } SegueModelMode;

/**
 * SegueModelPass: one pass over a batch.
 * @struct_size: sizeof (SegueModelPass)
 * @input: [batch, length] samples; or [batch, prefix_size (length)] with @from_prefix
 * @items: [batch], TRAIN only: identifies each item to the random counters
 * @seed, @step: TRAIN only: likewise
 * @workspace: plan () bytes, 64-byte aligned; forward () leaves in it what backward () needs
 * @logits: [batch, labels], written by forward ()
 */
typedef struct {
  gsize struct_size;
  SegueModelMode mode;
  guint batch;
  gsize length;
  const float *input;
  gboolean from_prefix;
  const guint64 *items;
  guint64 seed;
  guint64 step;
  void *workspace;
  float *logits;
} SegueModelPass;

/**
 * SegueSchedule: how the learning rate falls after a warm-up in which it rises from 0.
 * @SEGUE_SCHEDULE_LINEAR: to 0: transformers' get_linear_schedule_with_warmup
 * @SEGUE_SCHEDULE_COSINE: half a wave to 0: get_cosine_schedule_with_warmup
 * @SEGUE_SCHEDULE_ONE_CYCLE: torch's OneCycleLR, anneal_strategy "cos", cycle_momentum False
 * @SEGUE_SCHEDULE_CONSTANT: not at all
 */
typedef enum {
  SEGUE_SCHEDULE_LINEAR,
  SEGUE_SCHEDULE_COSINE,
  SEGUE_SCHEDULE_ONE_CYCLE,
  SEGUE_SCHEDULE_CONSTANT,
  SEGUE_N_SCHEDULES
} SegueSchedule;

/** SEGUE_SCHEDULE_CHOICES: their names, then %NULL: for a parameter's choices. */
#define SEGUE_SCHEDULE_CHOICES SEGUE_NAMES ("linear", "cosine", "one-cycle", "constant")
/** segue_schedule_get_name: "linear", …; "unknown" for what is none. */
SEGUE_API
const char *segue_schedule_get_name (SegueSchedule schedule);

/** SegueRecipe: how this type is trained where the pipeline does not say otherwise.
 * @struct_size: sizeof (SegueRecipe); fields past it read as zero */
typedef struct {
  gsize struct_size;
  guint epochs;
  guint batch;
  double learning_rate;
  double weight_decay;
  double warmup; /* share of all steps, 0…1 */
  double label_smoothing;
  double gradient_clip; /* L2 norm; 0: none */
  SegueSchedule schedule;
} SegueRecipe;

/**
 * SegueModelType:
 * @config_types: %NULL-terminated `model_type` values of a config.json that this type reads
 * @create: a new model with random weights; %NULL with @error
 * @load: a model from @folder.  @config: as the pipeline gives it, or %NULL; what the folder says
 *   about the architecture wins, the rest (dropout, what is frozen) is the pipeline's
 * @save: writes config.json, model.safetensors and preprocessor_config.json into @folder, which
 *   exists; each is written to a temporary file, synced and renamed
 * @list_tensors: (transfer full): #SegueModelTensor array, in a fixed order
 * @changed: (optional): values of tensors were changed from outside (an optimiser's step, a checkpoint): derive
 *   packed or normalised weights again
 * @prefix_size: floats per item after the frozen prefix; 0: there is none
 * @prefix: [batch, length] → [batch, prefix_size]; uses @workspace as planned for INFER
 * @plan: bytes of workspace for a pass; %G_MAXSIZE where the sizes are not possible
 * @backward: @d_logits [batch, labels]; gradients accumulate.  After a TRAIN forward of the same pass
 * @fingerprint: (optional): (transfer full): what else its results depend on at run time: libraries,
 *   kernels chosen for this processor
 * @set_cancellable: (optional): from now on passes may be left unfinished once @cancellable (borrowed,
 *   %NULL: never) is cancelled, and fail with %SEGUE_ERROR_CANCELLED then: a large batch takes
 *   longer than people wait.  What else a pass changes (running statistics) is the caller's to undo
 */
struct _SegueModelType {
  gsize struct_size;
  const char *name;
  const char *summary;
  const char *doc;
  guint result_version;
  const SegueParam *const *params;
  gsize config_size;
  const SegueRecipe *recipe;
  const char *const *config_types;

  gpointer (*create) (const void *config, const SegueModelSpec *spec, GError **error);
  gpointer (*load) (const char *folder, const void *config, const SegueModelSpec *spec,
                    GError **error);
  gboolean (*save) (gpointer model, const char *folder, GError **error);
  void (*free) (gpointer model);

  void (*describe) (gpointer model, SegueModelInfo *info);
  GArray *(*list_tensors) (gpointer model);
  void (*changed) (gpointer model);

  gsize (*prefix_size) (gpointer model, gsize length);
  gboolean (*prefix) (gpointer model, guint batch, gsize length, const float *input,
                      void *workspace, float *output, GError **error);
  gsize (*plan) (gpointer model, guint batch, gsize length, SegueModelMode mode,
                 gboolean from_prefix);
  gboolean (*forward) (gpointer model, SegueModelPass *pass, GError **error);
  gboolean (*backward) (gpointer model, SegueModelPass *pass, const float *d_logits,
                        GError **error);

  char *(*fingerprint) (void);
  void (*set_cancellable) (gpointer model, GCancellable *cancellable);
};

/* A model and the type that it is of. */
typedef struct _SegueModel SegueModel;

/** segue_model_new: @config may be %NULL for all defaults. */
SEGUE_API
SegueModel *segue_model_new (const SegueModelType *type, const void *config,
                             const SegueModelSpec *spec, GError **error);
/**
 * segue_model_load:
 * @type: (nullable): found from segue.json, else from config.json's `model_type`
 * @config: (nullable): of @type
 * @spec: (nullable): %NULL: as the folder says, one thread
 *
 * Everything in @folder is hostile until checked; nothing outside it is read.
 */
SEGUE_API
SegueModel *segue_model_load (SegueRegistry *registry, const char *folder,
                              const SegueModelType *type, const void *config,
                              const SegueModelSpec *spec, GError **error);
/** segue_model_save: @preparation: (nullable): JSON text of segue_dataset_get_preparation(); written
 * into segue.json.  @folder is made where it is not there. */
SEGUE_API
gboolean segue_model_save (SegueModel *model, const char *folder, const char *preparation,
                           GError **error);
SEGUE_API
void segue_model_free (SegueModel *model);

SEGUE_API
const SegueModelType *segue_model_get_type (SegueModel *model);
/** segue_model_get_impl: (transfer none): what the type's callbacks take. */
SEGUE_API
gpointer segue_model_get_impl (SegueModel *model);
SEGUE_API
void segue_model_describe (SegueModel *model, SegueModelInfo *info);

/** segue_model_list_tensors: (transfer full): #SegueModelTensor array, as the type lists them and whole; %NULL with
 * %SEGUE_ERROR_INTERNAL where they are not what #SegueModelTensor says. */
SEGUE_API
GArray *segue_model_list_tensors (SegueModel *model, GError **error);

/** segue_model_prefix, segue_model_forward, segue_model_backward: the callbacks of @model's type, held to their word:
 * one that returns %FALSE without an error, or %TRUE with one, fails with %SEGUE_ERROR_INTERNAL. */
SEGUE_API
gboolean segue_model_prefix (SegueModel *model, guint batch, gsize length, const float *input,
                             void *workspace, float *output, GError **error);
SEGUE_API
gboolean segue_model_forward (SegueModel *model, SegueModelPass *pass, GError **error);
SEGUE_API
gboolean segue_model_backward (SegueModel *model, SegueModelPass *pass, const float *d_logits,
                               GError **error);

/** segue_model_changed: values of @model's tensors were changed from outside. */
SEGUE_API
void segue_model_changed (SegueModel *model);

/** SEGUE_MODEL_MAX_SEGMENT: bytes of workspace that inference of one segment may take: as much as a decoded song. */
#define SEGUE_MODEL_MAX_SEGMENT ((gsize) 2 * 1024 * 1024 * 1024)
/** segue_model_check_length: whether segments of @length samples are long enough for @model, and need no more than
 * %SEGUE_MODEL_MAX_SEGMENT each.  %SEGUE_ERROR_PIPELINE. */
SEGUE_API
gboolean segue_model_check_length (SegueModel *model, gsize length, GError **error);
/** segue_model_check_workspace: whether @bytes are at most half of what the machine has.  %SEGUE_ERROR_RESOURCE. */
SEGUE_API
gboolean segue_model_check_workspace (SegueModel *model, gsize bytes, GError **error);

/** segue_model_set_cancellable: passes of @model may be cut short by @cancellable (borrowed, nullable), where its type
 * knows how. */
SEGUE_API
void segue_model_set_cancellable (SegueModel *model, GCancellable *cancellable);

/** segue_model_new_workspace: (transfer full): @bytes for passes of @model, aligned to cache lines, in large pages
 * where the system has them; free () frees it.  %SEGUE_ERROR_RESOURCE where there is no memory, and for more than
 * half of what the machine has, since a model, and with it what it asks for, may be somebody else's. */
SEGUE_API
void *segue_model_new_workspace (SegueModel *model, gsize bytes, GError **error);

/**
 * segue_model_predict:
 * @items: audio items (mono, the model's rate, all of one length)
 * @probabilities: (out) [n, labels], softmax of the logits
 *
 * Inference in batches of the model's choosing; batch size does not change results.  Buffers are
 * kept in @model between calls.
 */
SEGUE_API
gboolean segue_model_predict (SegueModel *model, SegueItem *const *items, guint n,
                              float *probabilities, GCancellable *cancellable, GError **error);

/**
 * segue_model_ref_resolve: (transfer full):
 *
 * The folder that @ref (a path, ORG/NAME or ORG/NAME@REVISION) stands for: the folder itself, or
 * the snapshot in the Hugging Face cache ($HF_HUB_CACHE, $HUGGINGFACE_HUB_CACHE, $HF_HOME/hub,
 * $XDG_CACHE_HOME/huggingface/hub, ~/.cache/huggingface/hub).  %SEGUE_ERROR_NO_INPUT otherwise,
 * with the command that fetches it.
 */
SEGUE_API
char *segue_model_ref_resolve (const char *ref, GError **error);

/** SEGUE_MODEL_MAX_SHARDS: files that weights may be cut into. */
#define SEGUE_MODEL_MAX_SHARDS 128
/** segue_model_list_shards: (transfer full): the files that @index, the model.safetensors.index.json of a
 * stranger, places tensors in, each once, in order: plain names that end with `.safetensors`, no paths.
 * %SEGUE_ERROR_DATA. */
SEGUE_API
GStrv segue_model_list_shards (const char *index, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueModel, segue_model_free)

G_END_DECLS
