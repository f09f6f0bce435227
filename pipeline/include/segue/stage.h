/* Stage types: what a plugin provides to pipelines. For every stage.
 *
 * A stage type is one static table. Its mode determines how the core runs it; a plugin creates no threads to schedule
 * work. The life of an instance: open (), any number of calls, close (), also after an error or cancellation.
 *
 * A callback returns %TRUE without an error, or %FALSE with one; anything else ends the run as a bug in the plugin.
 */
#pragma once

#include <segue/context.h>
#include <segue/error.h>
#include <segue/param.h>

G_BEGIN_DECLS

/* How the core runs a stage. Each worker has its own instances of MAP stages, and takes one song at a time through a chain. */
typedef enum {
  SEGUE_MODE_SOURCE,  /* produce () is called once and emits items */
  SEGUE_MODE_MAP,     /* process () gets an item, and emits what depends on it and the seed alone */
  SEGUE_MODE_SERIAL,  /* one instance sees all items of its first port, in order: segue/collect.h */
  SEGUE_MODE_COLLECT, /* collect () is called once, with finished datasets: segue/collect.h */
} SegueMode;

typedef enum {
  SEGUE_STAGE_LIVE = 1 << 0,    /* (MAP) one-to-one, keeps kind and id, runs when a reader reads */
  SEGUE_STAGE_PREPARE = 1 << 1, /* (MAP) pure, reads no labels: replayed on songs to predict */
  SEGUE_STAGE_SEEDED = 1 << 2,  /* uses segue_context_get_seed(), then part of its key */
  SEGUE_STAGE_ISOLATE = 1 << 3, /* (MAP) parses untrusted input: by default a separate process */
  SEGUE_STAGE_SHARED = 1 << 4,  /* (MAP) one instance, which all workers use at once */
} SegueStageFlags;

/* Of a port. A pipeline in which an input that depends on sets bypasses the stage that assigns them is refused. */
typedef enum {
  SEGUE_PORT_OPTIONAL = 1 << 0, /* (input) may stay unconnected */
  SEGUE_PORT_LIVE = 1 << 1,     /* (input) live stages are applied */
  SEGUE_PORT_SETS = 1 << 2,     /* (output) assigns items to sets; (input) depends on sets */
  SEGUE_PORT_SEVERAL = 1 << 3,  /* (COLLECT, input) takes several stages: `from: [ID, ID]` */
} SeguePortFlags;

/** SeguePort: an input or output. An input is connected to the nearest earlier stage that produces its kind, unless
 * `from:` names another; one of kind %SEGUE_KIND_SUMMARY to the run itself. */
typedef struct {
  gsize struct_size; /* set by SEGUE_PORT() */
  const char *name;  /* `[a-z][a-z0-9_-]*` */
  SegueKind kind;
  const char *doc; /* one sentence */
  guint flags;     /* SeguePortFlags */
} SeguePort;

/* A member of a %NULL-terminated array of ports:
 *   SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "Segments.", .flags = SEGUE_PORT_LIVE), */
#define SEGUE_PORT(port_name, port_kind, port_doc, ...)                                            \
  SEGUE_ROW (SeguePort, .name = port_name, .kind = port_kind, .doc = port_doc, __VA_ARGS__)

typedef struct _SegueStageType SegueStageType;
typedef struct _SegueDecodes SegueDecodes;
typedef struct _SegueNegotiation SegueNegotiation;

/**
 * SegueStageType: all callbacks but that of the mode are optional.
 * @struct_size: set by SEGUE_STAGE_TYPE
 * @name: `[a-z][a-z0-9-]*`, as in `use:`
 * @summary, @doc: one line without a full stop; a paragraph or more, Markdown
 * @result_version: increased whenever the output for equal input changes
 * @flags: #SegueStageFlags
 * @inputs, @outputs, @params: %NULL-terminated, or %NULL; @params describe a struct of @config_size bytes
 * @check: checks rules between parameters, run by `segue check`; the core adds the place to the error's message
 * @fingerprint: (transfer full) (nullable): what else the result depends on at run time: codec and library versions
 * @open: prepares for work, and creates an instance if the type has instances: @instance (out) is initially %NULL and
 *   may stay so. %FALSE with @error set on failure; close () is not called then
 * @close: frees an instance; not called if that is %NULL
 * @process: borrows @item, whose payload must not be written to. A MAP stage that emits nothing for an item fails,
 *   counts or logs it
 * @preview: (COLLECT, SERIAL) checks what follows from the songs' names alone: segue/collect.h
 * @decodes: (MAP) marks a decoder of songs: segue/decoder.h
 * @negotiate: states the formats of the outputs, given those of the inputs, or refuses them: segue/format.h
 * @preload: (MAP) for isolated stages: loads what most items need and open () does not load: segue/decoder.h
 */
struct _SegueStageType {
  gsize struct_size;
  const char *name;
  const char *summary;
  const char *doc;
  guint result_version;
  SegueMode mode;
  guint flags;
  const SeguePort *const *inputs;
  const SeguePort *const *outputs;
  const SegueParam *const *params;
  gsize config_size;

  gboolean (*check) (const void *config, GError **error);
  char *(*fingerprint) (const void *config);
  gboolean (*open) (SegueContext *context, gpointer *instance, GError **error);
  void (*close) (gpointer instance);

  gboolean (*produce) (gpointer instance, SegueContext *context, GError **error);
  gboolean (*process) (gpointer instance, SegueItem *item, SegueContext *context, GError **error);
  gboolean (*end_song) (gpointer instance, SegueContext *context, GError **error);
  gboolean (*finish) (gpointer instance, SegueContext *context, GError **error);
  gboolean (*collect) (gpointer instance, SegueContext *context, GError **error);
  gboolean (*preview) (SegueContext *context, GError **error);

  const SegueDecodes *decodes;
  gboolean (*negotiate) (const void *config, SegueNegotiation *negotiation, GError **error);
  void (*preload) (gpointer instance);
};

/* Begins each stage type: `static const SegueStageType trim = { SEGUE_STAGE_TYPE, .name = "trim", … };` */
#define SEGUE_STAGE_TYPE .struct_size = sizeof (SegueStageType)

G_END_DECLS
