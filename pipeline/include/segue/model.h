/* Models, for model types, and for stages and hosts that use a model: architectures behind one interface, and their
 * folders.
 *
 * A model type is one static table, like a stage type. `train`, `evaluate` and `segue predict`
 * find it by name and never include its header. A model classifies rows of numbers of one length into
 * labels: samples of mono audio at its own rate, or vectors that an `embed` stage computed.
 *
 * A model owns its weights, their gradients and the threads that it computes with; the caller
 * owns everything whose size depends on a batch: input, workspace, logits. Nothing is allocated in
 * a step. A model is used by one thread at a time.
 *
 * Random numbers (initial weights, dropout, a model's own augmentation) are functions of a counter over
 * (seed, step, item, layer), never a stream: a single step can be repeated, bit for bit.
 *
 * A type may offer a space: coordinates in which items that sound alike are near each other, by Euclidean distance, with
 * a centre for each label. Songs far from all centres are unlike all labels (segue/calibration.h).
 *
 * A model folder has the Hugging Face layout (config.json with id2label, model.safetensors,
 * preprocessor_config.json) and additionally segue.json: the model type, and the stages that prepare a
 * song for it.
 */
#pragma once

#include <gio/gio.h>
#include <segue/combination.h>
#include <segue/dataset.h>
#include <segue/error.h>
#include <segue/param.h>
#include <segue/registry.h>
#include <segue/tensor.h>

G_BEGIN_DECLS

/**
 * SegueModelPrecision: number format of a model's matrix products; everything else, including its
 * weights, stays float32.
 * @SEGUE_MODEL_AUTO: the fastest for which this system has instructions and which loses no accuracy
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
/** SEGUE_MODEL_TRAINING_CHOICES: likewise, those that a model can be trained in. */
#define SEGUE_MODEL_TRAINING_CHOICES SEGUE_NAMES ("float32", "auto", "bfloat16")
/** segue_model_precision_names: %SEGUE_MODEL_PRECISION_CHOICES. */
SEGUE_API
const char *const *segue_model_precision_names (void);

/** SegueModelChoice: a parameter's model type (owned by the registry) and its parsed struct (owned). */
typedef struct _SegueModelChoice {
  const SegueModelType *type;
  gpointer config;
} SegueModelChoice;

/**
 * SegueModelSpec: the requirements on a new or loaded model.
 * @struct_size: set by SEGUE_INIT(); a type's callbacks get one of full size
 * @labels: %NULL-terminated; %NULL when loading: those of the folder (it is an error if it has
 *   none). If they differ from the folder's, the head is initialised again
 * @length: numbers in a row: samples of a training segment, or the size of a vector; 0: not known yet
 * @rate: sample rate of audio in Hz; 0: not known. A model that needs another rate fails with
 *   %SEGUE_ERROR_PIPELINE and names the rate
 * @seed: for weights that are initialised, not loaded
 * @threads: ≥ 1
 * @precision: one that the system doesn't support is refused with %SEGUE_ERROR_PIPELINE; a type that
 *   supports only float32 treats any value as float32
 * @blank: the model will only be described: a type need not fill in weights
 * @headless: the model will only encode (segue/encoder.h): @labels is %NULL, and a type with weights loads those below
 *   its head
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
  gboolean headless;
} SegueModelSpec;

/**
 * SegueModelInfo: properties of a model.
 * @struct_size: set by the caller with SEGUE_INIT(); a type's describe () gets one of full size, zeroed
 * @labels: (transfer none): in the order of its logits
 * @rate: required sample rate of its input in Hz; 0: its input is vectors
 * @min_length: minimum length of its input in samples; of vectors, their size
 * @coupled: whether items of a training batch influence each other (batch normalisation)
 * @precision: of its matrix products, never %SEGUE_MODEL_AUTO
 * @notice: (transfer none) (nullable): what its files do not specify and was assumed, for a warning
 * @n_axes: dimensions of its space; 0: it has none
 * @centres: (transfer none): [n_labels, n_axes], where its labels are in it; valid until the weights change
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
  guint n_axes;
  const float *centres;
} SegueModelInfo;

/**
 * SegueModelTensor: one named weight or buffer; in arrays whose element size gives the size of the struct.
 * @value and @gradient are float32, row-major, owned by the model and never move; @gradient is %NULL for tensors
 * that are not trained.
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
 * @struct_size: set by SEGUE_INIT(); a type's callbacks get one of full size
 * @input: [batch, length] samples or vectors
 * @items: [batch], TRAIN only: the item numbers for the random counters
 * @seed, @step: TRAIN only: likewise
 * @workspace: plan () bytes, 64-byte aligned; forward () stores in it what backward () needs
 * @logits: [batch, labels], written by forward ()
 * @points: (nullable): [batch, n_axes], INFER only: where items are in the model's space; written by forward () of a type
 *   that has one. Logits do not depend on whether they are requested
 */
typedef struct {
  gsize struct_size;
  SegueModelMode mode;
  guint batch;
  gsize length;
  const float *input;
  const guint64 *items;
  guint64 seed;
  guint64 step;
  void *workspace;
  float *logits;
  float *points;
} SegueModelPass;

/**
 * SegueModelFit: all training rows at once, for types with fit ().
 * @struct_size: set by SEGUE_INIT(); a type's fit () gets one of full size
 * @length: numbers in a row
 * @n, @rows, @labels, @songs: the training set: [n, length], finite; [n] 0 … labels − 1, each label at least once; [n] the
 *   number of the song that a row belongs to
 * @n_validation, @validation_rows, @validation_labels: the validation set, if there is one; a label may be −1: one that no
 *   training row has
 * @copies: (nullable): [n] SEGUE_META_COPY of each row: 0: no augmented copy
 */
typedef struct {
  gsize struct_size;
  gsize length;
  gsize n;
  const float *rows;
  const gint32 *labels;
  const guint32 *songs;
  gsize n_validation;
  const float *validation_rows;
  const gint32 *validation_labels;
  const guint32 *copies;
} SegueModelFit;

/**
 * SegueSchedule: how the learning rate decreases after a warm-up in which it rises from 0.
 * @SEGUE_SCHEDULE_LINEAR: linearly to 0: transformers' get_linear_schedule_with_warmup
 * @SEGUE_SCHEDULE_COSINE: half a cosine wave to 0: get_cosine_schedule_with_warmup
 * @SEGUE_SCHEDULE_ONE_CYCLE: torch's OneCycleLR, anneal_strategy "cos", cycle_momentum False
 * @SEGUE_SCHEDULE_CONSTANT: no decrease
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
/** segue_schedule_get_name: "linear", …; "unknown" for an invalid value. */
SEGUE_API
const char *segue_schedule_get_name (SegueSchedule schedule);

/** SegueRecipe: the training defaults of a type, for settings that the pipeline does not specify.
 * @struct_size: set by SEGUE_INIT() */
typedef struct {
  gsize struct_size;
  guint epochs;
  guint batch;
  double learning_rate;
  double weight_decay;
  double warmup; /* fraction of all steps, 0…1 */
  double label_smoothing;
  double gradient_clip; /* L2 norm; 0: none */
  SegueSchedule schedule;
} SegueRecipe;

typedef struct _SegueEncoder SegueEncoder;

/**
 * SegueModelType: required are @name, @summary, @recipe and all callbacks that are not marked (optional).
 * segue_test_model() (segue/testing.h) tests a type for what is stated here.
 * @struct_size: set by SEGUE_MODEL_TYPE
 * @name: `[a-z][a-z0-9-]*`
 * @doc: (optional): shown by `segue inspect`
 * @result_version: raised when a change of the code changes results
 * @params, @config_size: (optional): its parameters, and the size of the struct that they fill in
 * @config_types: (optional): %NULL-terminated `model_type` values of a config.json that this type reads; without it, a
 *   folder is recognised only by its segue.json
 * @create: returns a new model with random weights, a function of the spec's seed; %NULL with @error
 * @load: loads a model from @folder, which is untrusted. @config: as the pipeline specifies it, or the defaults; the
 *   folder determines the architecture, the pipeline the rest (dropout, frozen parts)
 * @save: writes config.json, whose `model_type` is one of @config_types, model.safetensors and, for
 *   transformers, preprocessor_config.json into @folder, which exists; each is written to a temporary file, synced and
 *   renamed. segue_model_save() checks the first two, and writes segue.json. A loaded model has every bit of the saved
 *   one
 * @describe: fills in @info; borrowed members stay valid as long as the model
 * @list_tensors: (transfer full): #SegueModelTensor array, in a fixed order
 * @changed: (optional): values of tensors were changed from outside (an optimiser's step, a checkpoint):
 *   recompute packed or normalised weights; without it, they are computed in each pass
 * @plan: bytes of workspace for a pass; %G_MAXSIZE if the sizes are not possible. A pass reads and writes no byte more,
 *   and does not depend on what the workspace contains before it
 * @forward: writes logits, and points. In INFER, those of an item are the same in every bit alone and in any batch, with
 *   any number of threads; in TRAIN, a step depends only on weights, inputs, seed, step and items, and an item on the rest of its
 *   batch only if the model is coupled
 * @backward: @d_logits [batch, labels]; gradients accumulate. After a TRAIN forward of the same pass. (optional) in a
 *   type with fit ()
 * @fingerprint: (optional): (transfer full): what else its results depend on at run time: libraries, kernels chosen
 *   for this processor; of all models of the type, whose configuration is in their folders. A type that uses
 *   libsegue-nn sets segue_nn_fingerprint() (segue/nn/backend.h): without it, cached results of another version or
 *   processor are used
 * @set_cancellable: (optional): from now on passes may be abandoned once @cancellable (borrowed,
 *   %NULL: never) is cancelled, and then fail with %SEGUE_ERROR_CANCELLED: a large batch takes
 *   too long to wait for. The caller must undo other changes of a pass (running statistics)
 * @encoder: (optional): see segue/encoder.h. A type that has one and no @recipe only encodes: it is no classifier
 * @takes: %SEGUE_KIND_TENSOR: vectors of float32, one per item. 0: mono audio
 * @fit: (optional, types that take vectors): computes, before the first step, what depends on all training rows, such as
 *   their means; in a type without backward (), the whole model, in closed form. The same bits for any number of threads
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

  gsize (*plan) (gpointer model, guint batch, gsize length, SegueModelMode mode);
  gboolean (*forward) (gpointer model, SegueModelPass *pass, GError **error);
  gboolean (*backward) (gpointer model, SegueModelPass *pass, const float *d_logits,
                        GError **error);

  char *(*fingerprint) (void);
  void (*set_cancellable) (gpointer model, GCancellable *cancellable);
  const SegueEncoder *encoder;
  SegueKind takes;
  gboolean (*fit) (gpointer model, const SegueModelFit *fit, GError **error);
};

/* Begins each model type: `static const SegueModelType mean_mlp = { SEGUE_MODEL_TYPE, .name = "mean-mlp", … };` */
#define SEGUE_MODEL_TYPE .struct_size = sizeof (SegueModelType)

/* A model and its type. */
typedef struct _SegueModel SegueModel;

/** segue_model_new: @config may be %NULL for the defaults. */
SEGUE_API
SegueModel *segue_model_new (const SegueModelType *type, const void *config,
                             const SegueModelSpec *spec, GError **error);
/**
 * segue_model_load:
 * @type: (nullable): %NULL: determined from segue.json, else from config.json's `model_type`
 * @config: (nullable): of @type
 * @spec: (nullable): %NULL: as the folder specifies, one thread
 *
 * Everything in @folder is untrusted until checked; nothing outside it is read.
 */
SEGUE_API
SegueModel *segue_model_load (SegueRegistry *registry, const char *folder,
                              const SegueModelType *type, const void *config,
                              const SegueModelSpec *spec, GError **error);
/** segue_model_save: @preparation: (nullable): of the dataset that it was trained on; written into segue.json, with the
 * files that it needs beside it. @folder is created if it does not exist. */
SEGUE_API
gboolean segue_model_save (SegueModel *model, const char *folder, SeguePreparation *preparation,
                           GError **error);
/**
 * segue_model_copy: copies model folder @from, with the files of its preparation, into @to, which is created if it does
 * not exist; that of a combined model, with its members. Other subfolders are not copied.
 *
 * Files of another stage of the same run become hard links; copies of others share their data if the file system
 * can. Files of @to may be replaced (segue/file.h), but must not be written to.
 */
SEGUE_API
gboolean segue_model_copy (const char *from, const char *to, GError **error);
/**
 * segue_model_combine: writes the folder of a combined model: copies of model folders, as segue_model_copy() makes them, and
 * how their predictions become one. `segue predict` prepares a song for each member as its own folder says.
 * @folders: [n_members]: 2 … %SEGUE_MAX_MEMBERS models, none of which is a combined one
 * @labels: %NULL-terminated: those of each member
 * @to: created if it does not exist
 */
SEGUE_API
gboolean segue_model_combine (const SegueCombination *combination, const char *const *folders,
                              const char *const *labels, const char *to, GError **error);
SEGUE_API
void segue_model_free (SegueModel *model);

SEGUE_API
const SegueModelType *segue_model_get_type (SegueModel *model);
/** segue_model_get_impl: (transfer none): the argument of the type's callbacks. */
SEGUE_API
gpointer segue_model_get_impl (SegueModel *model);
SEGUE_API
void segue_model_describe (SegueModel *model, SegueModelInfo *info);

/** segue_model_list_tensors: (transfer full): #SegueModelTensor array, as the type lists them, with elements of full
 * size; %NULL with %SEGUE_ERROR_INTERNAL if they do not conform to #SegueModelTensor. */
SEGUE_API
GArray *segue_model_list_tensors (SegueModel *model, GError **error);

/** segue_model_type_takes: the kind of items that models of @type take: audio or tensor. */
SEGUE_API
SegueKind segue_model_type_takes (const SegueModelType *type);
/**
 * segue_model_read_row: (transfer none): what a model takes of @item: the samples of mono audio at its rate, or the
 * numbers of a vector. Any thread.
 * @info: of the model
 * @length: (out): how many
 *
 * %SEGUE_ERROR_DATA if @item is of another kind, rate, size, or is too short.
 */
SEGUE_API
const float *segue_model_read_row (const SegueModelInfo *info, SegueItem *item, gsize *length,
                                   GError **error);

/** segue_model_forward, segue_model_backward, segue_model_fit: call the callbacks of @model's type and
 * check them: one that returns %FALSE without an error, or %TRUE with one, fails with %SEGUE_ERROR_INTERNAL. */
SEGUE_API
gboolean segue_model_forward (SegueModel *model, SegueModelPass *pass, GError **error);
SEGUE_API
gboolean segue_model_backward (SegueModel *model, SegueModelPass *pass, const float *d_logits,
                               GError **error);

SEGUE_API
gboolean segue_model_fit (SegueModel *model, const SegueModelFit *fit, GError **error);

/** segue_model_changed: values of @model's tensors were changed from outside. */
SEGUE_API
void segue_model_changed (SegueModel *model);

/** SEGUE_MODEL_MAX_SEGMENT: limit of the workspace for inference of one segment, in bytes: as for a decoded song. */
#define SEGUE_MODEL_MAX_SEGMENT ((gsize) 2 * 1024 * 1024 * 1024)
/** segue_model_check_length: whether segments of @length samples are long enough for @model, or vectors of @length have
 * its size, and need no more than %SEGUE_MODEL_MAX_SEGMENT each. %SEGUE_ERROR_PIPELINE. */
SEGUE_API
gboolean segue_model_check_length (SegueModel *model, gsize length, GError **error);
/** segue_model_check_workspace: whether @bytes are at most half of the system's memory. %SEGUE_ERROR_RESOURCE. */
SEGUE_API
gboolean segue_model_check_workspace (SegueModel *model, gsize bytes, GError **error);

/** segue_model_set_cancellable: lets @cancellable (borrowed, nullable) abort passes of @model, if its type supports
 * that. */
SEGUE_API
void segue_model_set_cancellable (SegueModel *model, GCancellable *cancellable);

/** segue_model_new_workspace: (transfer full): @bytes for passes of @model, aligned to cache lines, in large pages
 * if the system has them; free it with free (). %SEGUE_ERROR_RESOURCE if memory runs out, or for more than half
 * of the system's memory, since a model, and therefore the size that it requests, may be untrusted. */
SEGUE_API
void *segue_model_new_workspace (SegueModel *model, gsize bytes, GError **error);

/**
 * segue_model_predict:
 * @items: mono audio at the model's rate, all of one length, or vectors
 * @probabilities: (out) [n, labels], softmax of the logits
 * @points: (out) (nullable) [n, n_axes], where the items are in the model's space, if it has one
 *
 * Inference in batches whose size segue chooses; batch size does not change results. Buffers are
 * kept in @model between calls.
 */
SEGUE_API
gboolean segue_model_predict (SegueModel *model, SegueItem *const *items, guint n,
                              float *probabilities, float *points, GCancellable *cancellable,
                              GError **error);

/** segue_model_measure_distance: how far a song is from all labels: the mean over its segments of the distance from a
 * segment's point to the nearest centre. NaN if the model has no space. Any thread.
 * @info: of the model
 * @points: [n, n_axes]: of the segments, at least one */
SEGUE_API
double segue_model_measure_distance (const SegueModelInfo *info, const float *points, gsize n);

/**
 * segue_model_ref_resolve: (transfer full):
 *
 * The folder that @ref (a path, NAME, ORG/NAME or ORG/NAME@REVISION) refers to: the folder itself; an
 * installed model ($XDG_DATA_HOME/segue/models/NAME, ~/.local/share/segue/models/NAME); or the
 * snapshot in the Hugging Face cache ($HF_HUB_CACHE, $HUGGINGFACE_HUB_CACHE, $HF_HOME/hub,
 * $XDG_CACHE_HOME/huggingface/hub, ~/.cache/huggingface/hub). %SEGUE_ERROR_NO_INPUT otherwise,
 * with the command that downloads it.
 */
SEGUE_API
char *segue_model_ref_resolve (const char *ref, GError **error);

/** SEGUE_MODEL_MAX_SHARDS: the maximum number of files that weights may be split into. */
#define SEGUE_MODEL_MAX_SHARDS 128
/** segue_model_list_shards: (transfer full): the files of the tensors in @index, an untrusted
 * model.safetensors.index.json, each once, in order: plain names that end with `.safetensors`, no paths.
 * %SEGUE_ERROR_DATA. */
SEGUE_API
GStrv segue_model_list_shards (const char *index, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueModel, segue_model_free)

G_END_DECLS
