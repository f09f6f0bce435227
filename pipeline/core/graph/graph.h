/* The graph that a pipeline describes, resolved and checked (internal).
 *
 * Built from YAML by pipeline.c, run by the executor. Stages are in file order; an input always
 * refers to an earlier stage, so file order is an order of execution. */
#pragma once

#include "yaml/node.h"
#include <segue/format.h>
#include <segue/host/segue.h>

#define SEGUE_NOT_CONNECTED G_MAXUINT

typedef struct {
  const SeguePort *port; /* of the stage's type */
  guint producer;      /* index into stages, or SEGUE_NOT_CONNECTED; a SUMMARY comes from the run */
  guint producer_port; /* index into the producer's outputs */
  SegueKind kind;      /* resolved: never ANY when connected */
} SegueGraphInput;

typedef struct {
  char *id;
  const SegueStageType *type;
  gpointer config;   /* parsed, of type->config_size bytes */
  char *canonical;   /* segue_params_canonical() of it */
  gint64 seed;       /* `seed:`, or SEGUE_UNSET_INT */
  gboolean cache;    /* `cache: true`: keep this MAP stage's output too */
  guint copies;      /* (MAP) of each item, augmented by the live stages before it */
  gboolean isolate;  /* (MAP) in a separate process */
  double time_limit; /* s, for one item, where it is isolated */
  SegueGraphInput
    *inputs; /* one per input port of the type; those of a port of several, in a row */
  guint n_inputs;
  SegueKind *outputs;   /* resolved kinds, one per output port */
  SegueFormat *formats; /* likewise, and one extra */
  guint n_outputs;
  GPtrArray
    *decoders; /* (nullable) of `decode`: SegueGraphStage, in the order in which they are tried */
  const SegueNode *node; /* its position, for messages; owned by the pipeline */
  gboolean faulty; /* while an invalid pipeline is loaded: do not derive further errors from it */
} SegueGraphStage;

/* Default time limit of an isolated stage for one item, in s. */
#define SEGUE_TIME_LIMIT 300

/* A pipeline of more stages than this was not written by a person. */
#define SEGUE_MAX_STAGES 256

struct _SeguePipeline {
  SegueRegistry *registry; /* borrowed */
  char *path;
  char *name;
  guint64 seed;
  gboolean fail_on_error; /* on_error: fail */
  guint max_failures;     /* G_MAXUINT: no limit */
  char *first_variable;
  GHashTable *variables; /* name → SegueNode (borrowed from the root or an override), as resolved */
  GPtrArray *stages;     /* SegueGraphStage */
  GPtrArray *warnings;   /* char *, NULL at the end */
  SegueNode *root;
};

/** segue_graph_find_bug: (transfer full) (nullable): a message about the bug where a @callback returned an @ok that
 * disagrees with @failure (nullable). */
char *segue_graph_find_bug (const char *callback, gboolean ok, const GError *failure);
/** segue_graph_stage_new: a stage outside any file (harness, predictor): @with is a map node or NULL. */
SEGUE_API
SegueGraphStage *segue_graph_stage_new (SegueRegistry *registry, const SegueStageType *type,
                                        const char *id, const SegueNode *with, const char *folder,
                                        GError **error);
/** segue_graph_stage_new_at: likewise; errors without their own position point at @at, which must
 * outlive the stage.
 * @problems: (nullable): as in SegueParamScope */
SegueGraphStage *segue_graph_stage_new_at (SegueRegistry *registry, const SegueStageType *type,
                                           const char *id, const SegueNode *with,
                                           const char *folder, const SegueNode *at,
                                           GPtrArray *problems, GError **error);
/** segue_graph_stage_new_in_model: a stage of the preparation in model @folder, which is untrusted: what its parameters
 * name must be in the folder @files. */
SegueGraphStage *segue_graph_stage_new_in_model (SegueRegistry *registry,
                                                 const SegueStageType *type, const SegueNode *with,
                                                 const char *folder, const char *files,
                                                 GError **error);
/** segue_graph_stage_new_faulty: a stage with wrong parameters, used only for its ports. */
SEGUE_API
SegueGraphStage *segue_graph_stage_new_faulty (const SegueStageType *type, const char *id,
                                               const SegueNode *at);
SEGUE_API
void segue_graph_stage_free (SegueGraphStage *stage);

/** segue_graph_stage_widen: gives the port of input @first, which has one, @n ≥ 1 of them: @first and those after it. */
void segue_graph_stage_widen (SegueGraphStage *stage, guint first, guint n);
/** segue_graph_stage_find_input: index of the @nth input (from 0) of @port; @n_inputs: there is none. */
SEGUE_API
guint segue_graph_stage_find_input (const SegueGraphStage *stage, const char *port, guint nth);

/** segue_graph_stage_resolve_outputs: an output of kind ANY gets the kind of the first ANY input that is connected;
 * %FALSE: there is none. */
SEGUE_API
gboolean segue_graph_stage_resolve_outputs (SegueGraphStage *stage);
/** segue_graph_stage_negotiate: finds the output formats of @stage, whose inputs are connected to outputs of @stages,
 * and checks its input formats. */
SEGUE_API
gboolean segue_graph_stage_negotiate (SegueGraphStage *stage, GPtrArray *stages,
                                      SegueRegistry *registry, GError **error);

/** segue_graph_stage_isolate: sets whether it and its decoders run in a separate process, and the time
 * limit for an item, in s. */
void segue_graph_stage_isolate (SegueGraphStage *stage, gboolean isolate, double time_limit);

/** segue_stage_type_makes_copies: whether it stores its output and takes augmented items, such as `embed`. */
gboolean segue_stage_type_makes_copies (const SegueStageType *type);

/** segue_graph_stage_first_decoder: (nullable): of `decode`: the name of the one that is tried first. */
const char *segue_graph_stage_first_decoder (const SegueGraphStage *stage);

/** segue_graph_find_warnings: adds (char *) lines to @warnings: items that no stage takes, and stages whose changes to
 * songs a model is trained on, but `segue predict` would not make. */
void segue_graph_find_warnings (GPtrArray *stages, GPtrArray *warnings);

/** segue_kind_is_items: of a song or its parts, not of a whole run. */
static inline gboolean
segue_kind_is_items (SegueKind kind)
{
  return kind == SEGUE_KIND_FILE || kind == SEGUE_KIND_AUDIO || kind == SEGUE_KIND_TENSOR;
}

/** segue_mode_to_string: "source", "map", "serial", "collect". */
const char *segue_mode_to_string (SegueMode mode);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueGraphStage, segue_graph_stage_free)
