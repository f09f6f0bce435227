/* Stage types: what a plugin provides to pipelines.
 *
 * A stage type is one static table.  Its mode says how the core runs it; a plugin creates no
 * threads to schedule work (a stage may compute with up to segue_context_get_threads() threads).
 *
 * SOURCE   produce () is called once and emits items.
 * MAP      process () gets one item and emits any number.  There is one instance per worker, each
 *          used by one thread at a time; a worker carries one song through a whole chain of MAP
 *          stages before it takes the next.  What an item becomes may depend on nothing but the
 *          item, the configuration and the seed.
 * SERIAL   one instance sees the ordered stream on its first port: process () for each item,
 *          end_song () after the last item of each song, finish () after the last song.  Its other
 *          ports are read through segue_context_get_input ().
 * COLLECT  collect () is called once, when all inputs are finished datasets.
 *
 * A callback that returns %TRUE has set no error, one that returns %FALSE has set one; anything else ends the
 * run as a bug in the plugin.
 *
 * The life of an instance: open (), any number of calls, close ().  close () is called for every open () that succeeded,
 * also after an error or a cancel.
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
 * @SEGUE_STAGE_PREPARE: (MAP) pure, writes nothing, reads no labels: may travel in a model folder
 *   and be replayed on a stranger's song
 * @SEGUE_STAGE_SEEDED: uses segue_context_get_seed(); the seed is then part of its key
 * @SEGUE_STAGE_ISOLATE: (MAP) parses hostile input: runs in a process of its own by default
 * @SEGUE_STAGE_ACCOUNT: (SERIAL, COLLECT) reads segue_context_get_account(); what it says is then
 *   part of its key
 */
typedef enum {
  SEGUE_STAGE_LIVE = 1 << 0,
  SEGUE_STAGE_PREPARE = 1 << 1,
  SEGUE_STAGE_SEEDED = 1 << 2,
  SEGUE_STAGE_ISOLATE = 1 << 3,
  SEGUE_STAGE_ACCOUNT = 1 << 4,
} SegueStageFlags;

/**
 * SeguePortFlags:
 * @SEGUE_PORT_OPTIONAL: (input) may stay unconnected
 * @SEGUE_PORT_LIVE: (input) wants live stages applied
 * @SEGUE_PORT_SETS: (output) puts items into sets; (input) depends on them: a pipeline that goes past
 *   the stage that makes them is refused
 */
typedef enum {
  SEGUE_PORT_OPTIONAL = 1 << 0,
  SEGUE_PORT_LIVE = 1 << 1,
  SEGUE_PORT_SETS = 1 << 2,
} SeguePortFlags;

/**
 * SeguePort: an input or output.  An input takes the nearest earlier stage that produces its kind, unless `from:` says
 * otherwise.
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
 * SegueDecodes: that a stage type decodes songs: `use: decode` asks all that are installed, from the highest
 * rank down, until one can read the song at hand.  A file that a stage type can't read (a format that it
 * does not know, a codec that it lacks) it refuses with %SEGUE_ERROR_UNSUPPORTED; any other error is the
 * song's, and no other decoder is asked.
 *
 * Such a type is a MAP of one file to one audio item, flagged %SEGUE_STAGE_PREPARE, and takes the parameters
 * that `decode` has; where it knows one of those that are given not, it is not asked.
 *
 * @struct_size: sizeof (SegueDecodes)
 * @rank: of those that are installed here: `decode-libav` 300, `decode-gstreamer` 200, `decode-sndfile` 100
 * @extensions: %NULL-terminated: of names of files that it reads, lower case: "mp3"
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
 * @result_version: bumped whenever the output for equal input changes
 * @flags: #SegueStageFlags
 * @params: %NULL-terminated rows over a struct of @config_size bytes
 * @check: (optional): rules between parameters, run by `segue check`; the error's message is given
 *   its place in the file by the core
 * @fingerprint: (optional): (transfer full): what else the result depends on at run time: codec and library versions
 * @open: (optional): prepares for work, and makes an instance where the type has any: @instance (out) is %NULL before,
 *   and may stay so.  %FALSE with @error set on failure; close () is not called then
 * @close: (optional): frees an instance; it is not called where that is %NULL
 * @process: (MAP, SERIAL): borrows @item, whose payload is not to be written to.  A MAP stage that emits
 *   nothing for an item fails, counts or logs it
 * @preview: (COLLECT, SERIAL) (optional): called without an instance, once the sources are done and before
 *   any song is decoded.  segue_context_get_input () gives what each input would hold if every song could be
 *   used: one entry a song, with the metadata of its source.  %FALSE with @error where the run would fail for that;
 *   what later stages would see of it may be emitted as a view (segue_context_emit_dataset ()).  Warnings are
 *   shown as known before; nothing else is kept.  It is not called where a stage stands before that may choose
 *   songs or change their metadata: a MAP stage that is neither PREPARE nor LIVE, a COLLECT or SERIAL stage
 *   without preview ()
 * @decodes: (MAP) (optional): that it is a decoder of songs
 * @negotiate: (optional): fills in the formats of the outputs from those of the inputs, or refuses with
 *   segue_negotiation_refuse (): see segue/format.h.  Without it nothing is known of the outputs.  Runs
 *   whenever a pipeline is loaded: quick, and reads no songs
 * @preload: (MAP) (optional): loads what most items need and open () left for later, such as codecs.  An
 *   isolated stage has a process for each song, forked from one in which open () and preload () were
 *   called: what they loaded, songs need not load.  Called while the first song is at work; elsewhere
 *   not at all.  Must not leave threads behind
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
