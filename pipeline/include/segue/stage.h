/* Stage types: what a plugin provides to pipelines.
 *
 * A stage type is one static table.  Its mode determines how the core runs it; a plugin creates no
 * threads to schedule work (a stage may compute with up to segue_context_get_threads() threads).
 *
 * SOURCE   produce () is called once and emits items.
 * MAP      process () gets one item and emits any number.  There is one instance per worker, each
 *          used by one thread at a time; a worker processes one song with a whole chain of MAP
 *          stages before it starts the next.  The output for an item may depend only on the item, the
 *          configuration and the seed.
 * SERIAL   one instance sees the ordered stream on its first port: process () for each item,
 *          end_song () after the last item of each song, finish () after the last song.  Its other
 *          ports are read through segue_context_get_input ().
 * COLLECT  collect () is called once, when all inputs are finished datasets.
 *
 * A callback that returns %TRUE must not set an error, one that returns %FALSE must set one; anything else ends
 * the run as a bug in the plugin.
 *
 * The life of an instance: open (), any number of calls, close ().  close () is called for every open () that
 * succeeded, also after an error or cancellation.
 */
#pragma once

#include <segue/context.h>
#include <segue/error.h>
#include <segue/format.h>
#include <segue/param.h>

G_BEGIN_DECLS

typedef enum {
  SEGUE_MODE_SOURCE,
  SEGUE_MODE_MAP,
  SEGUE_MODE_SERIAL,
  SEGUE_MODE_COLLECT,
} SegueMode;

/**
 * SegueStageFlags:
 * @SEGUE_STAGE_LIVE: (MAP) one-to-one, keeps kind and id, runs when a reader reads
 * @SEGUE_STAGE_PREPARE: (MAP) pure, writes nothing, reads no labels: may be stored in a model folder
 *   and be applied to an untrusted song
 * @SEGUE_STAGE_SEEDED: uses segue_context_get_seed(); the seed is then part of its key
 * @SEGUE_STAGE_ISOLATE: (MAP) parses untrusted input: runs in a separate process by default
 */
typedef enum {
  SEGUE_STAGE_LIVE = 1 << 0,
  SEGUE_STAGE_PREPARE = 1 << 1,
  SEGUE_STAGE_SEEDED = 1 << 2,
  SEGUE_STAGE_ISOLATE = 1 << 3,
} SegueStageFlags;

/**
 * SeguePortFlags:
 * @SEGUE_PORT_OPTIONAL: (input) may stay unconnected
 * @SEGUE_PORT_LIVE: (input) live stages are applied
 * @SEGUE_PORT_SETS: (output) assigns items to sets; (input) depends on sets: a pipeline in which this input
 *   bypasses the stage that assigns them is refused
 */
typedef enum {
  SEGUE_PORT_OPTIONAL = 1 << 0,
  SEGUE_PORT_LIVE = 1 << 1,
  SEGUE_PORT_SETS = 1 << 2,
} SeguePortFlags;

/**
 * SeguePort: an input or output.  An input is connected to the nearest earlier stage that produces its kind, unless
 * `from:` names another.  An input of kind %SEGUE_KIND_SUMMARY is connected to the run itself: one of a COLLECT stage,
 * or of a SERIAL stage after its first.
 * @struct_size: set by SEGUE_PORT(); fields past it read as zero
 * @name: `[a-z][a-z0-9_-]*`
 * @doc: one sentence
 * @flags: #SeguePortFlags
 */
typedef struct {
  gsize struct_size;
  const char *name;
  SegueKind kind;
  const char *doc;
  guint flags;
} SeguePort;

/* A member of a %NULL-terminated array of ports:
 *
 *   static const SeguePort *const inputs[] = {
 *     SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "Segments.", .flags = SEGUE_PORT_LIVE),
 *     NULL,
 *   };
 */
#define SEGUE_PORT(port_name, port_kind, port_doc, ...)                                            \
  SEGUE_ROW (SeguePort, .name = port_name, .kind = port_kind, .doc = port_doc, __VA_ARGS__)

/**
 * SegueDecodes: marks a stage type that decodes songs: `use: decode` tries all that are installed, from the
 * highest rank down, until one can read the song.  A decoder refuses a file that it can't read (an unknown
 * format, a missing codec) with %SEGUE_ERROR_UNSUPPORTED; any other error is caused by the song, and no other
 * decoder is tried.
 *
 * Such a type is a MAP of one file to one audio item, flagged %SEGUE_STAGE_PREPARE, and takes the parameters
 * that `decode` has; if a pipeline sets one that it does not have, it is not tried.
 *
 * @struct_size: sizeof (SegueDecodes)
 * @rank: the decoders of segue: `decode-libav` 300, `decode-gstreamer` 200, `decode-sndfile` 100
 * @extensions: %NULL-terminated: extensions of files that it reads, in lower case: "mp3"
 */
typedef struct {
  gsize struct_size;
  guint rank;
  const char *const *extensions;
} SegueDecodes;

typedef struct _SegueStageType SegueStageType;

/**
 * SegueStageType:
 * @struct_size: sizeof (SegueStageType); fields past it read as zero, so that the struct may grow at its end
 * @name: `[a-z][a-z0-9-]*`, as in `use:`
 * @summary: one line without a full stop
 * @doc: a paragraph or more, Markdown
 * @result_version: increased whenever the output for equal input changes
 * @flags: #SegueStageFlags
 * @params: %NULL-terminated rows over a struct of @config_size bytes
 * @check: (optional): checks rules between parameters, run by `segue check`; the core adds the place in
 *   the file to the error's message
 * @fingerprint: (optional): (transfer full): what else the result depends on at run time: codec and library versions
 * @open: (optional): prepares for work, and creates an instance if the type has instances: @instance (out) is
 *   initially %NULL and may stay so.  %FALSE with @error set on failure; close () is not called then
 * @close: (optional): frees an instance; not called if that is %NULL
 * @process: (MAP, SERIAL): borrows @item, whose payload must not be written to.  A MAP stage that emits
 *   nothing for an item fails, counts or logs it
 * @preview: (COLLECT, SERIAL) (optional): called without an instance, once the sources are done and before
 *   any song is decoded.  segue_context_get_input () returns what each input would contain if every song were
 *   usable: one entry per song, with the metadata of its source.  %FALSE with @error if the run would fail for
 *   that reason; the view of it that later stages would get may be emitted (segue_context_emit_dataset ()).
 *   Warnings are shown before the run; nothing else is kept.  Not called if an earlier stage may select songs or
 *   change their metadata: a MAP stage that is neither PREPARE nor LIVE, a COLLECT or SERIAL stage without
 *   preview ()
 * @decodes: (MAP) (optional): marks a decoder of songs
 * @negotiate: (optional): fills in the formats of the outputs from those of the inputs, or refuses with
 *   segue_negotiation_refuse (): see segue/format.h.  Without it nothing is known of the outputs.  Runs
 *   whenever a pipeline is loaded: must be quick, and must not read songs
 * @preload: (MAP) (optional): loads what most items need and open () does not load, such as codecs.  An
 *   isolated stage has a process for each song, forked from one in which open () and preload () were
 *   called, so that songs need not load it again.  Called while the first song is processed, and only for
 *   isolated stages.  Must not leave threads running
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

G_END_DECLS
