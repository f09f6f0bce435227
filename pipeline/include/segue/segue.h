/* Hosting segue: plugins, pipelines and runs, for a command or a server.
 *
 * The library has no process-global state: no signal handlers, no chdir, no printing.  A host may
 * hold several registries, pipelines and runs at once.
 *
 *   g_autoptr (SegueRegistry) registry = segue_registry_new ();
 *   segue_registry_load_search_path (registry);
 *   g_autoptr (SeguePipeline) pipeline = segue_pipeline_load (registry, "artist.yaml", NULL, &error);
 *   segue_pipeline_run (pipeline, &options, &result, cancellable, &error);
 */
#pragma once

#include <segue/cache.h>
#include <segue/event.h>
#include <segue/plugin.h>
#include <segue/predict.h>

G_BEGIN_DECLS

/* ---- Plugins ---- */

SEGUE_API
SegueRegistry *segue_registry_new (void);
SEGUE_API
void segue_registry_free (SegueRegistry *registry);

/** segue_registry_load_search_path: $SEGUE_PLUGIN_PATH (colon-separated; searched with their
 * subfolders), the user's data folder, then the installed plugins.  What can't be loaded is kept in
 * the list with its reason; the first of two with one name wins. */
SEGUE_API
void segue_registry_load_search_path (SegueRegistry *registry);
/** segue_registry_load_file: one shared object. */
SEGUE_API
gboolean segue_registry_load_file (SegueRegistry *registry, const char *path, GError **error);
/** segue_registry_add: a plugin that is linked in (tests, hosts with stages of their own). */
SEGUE_API
gboolean segue_registry_add (SegueRegistry *registry, const SeguePlugin *plugin, const char *path,
                             GError **error);

SEGUE_API
const SegueStageType *segue_registry_find_stage (SegueRegistry *registry, const char *name);
SEGUE_API
const SegueModelType *segue_registry_find_model (SegueRegistry *registry, const char *name);

/** SeguePluginEntry: one shared object that was found; @plugin is %NULL where it was refused, and
 * @refusal says why. */
typedef struct {
  const char *path;
  const SeguePlugin *plugin;
  const char *refusal;
} SeguePluginEntry;

/** segue_registry_list: (transfer container): const #SeguePluginEntry pointers, sorted by path. */
SEGUE_API
GPtrArray *segue_registry_list (SegueRegistry *registry);
/** segue_registry_list_stages: (transfer container): const #SegueStageType pointers by name. */
SEGUE_API
GPtrArray *segue_registry_list_stages (SegueRegistry *registry);
/** segue_registry_list_models: (transfer container): const #SegueModelType pointers by name. */
SEGUE_API
GPtrArray *segue_registry_list_models (SegueRegistry *registry);
/** segue_registry_list_decoders: (transfer container): const #SegueStageType pointers, in the order in which
 * `decode` asks them; each has @decodes. */
SEGUE_API
GPtrArray *segue_registry_list_decoders (SegueRegistry *registry);
/** segue_registry_list_extensions: (transfer container): of the files in a folder that are taken for songs:
 * audio files, and what installed decoders read besides, videos aside.  %NULL-terminated, in lower case, some
 * more than once; good as long as the registry. */
SEGUE_API
const char **segue_registry_list_extensions (SegueRegistry *registry);
/** segue_registry_get_plugin_of: (nullable): the plugin that provides @stage_or_model_type. */
SEGUE_API
const SeguePluginEntry *segue_registry_get_plugin_of (SegueRegistry *registry,
                                                      const void *stage_or_model_type);

/* ---- Pipelines ---- */

typedef struct _SeguePipeline SeguePipeline;

/**
 * segue_pipeline_load:
 * @overrides: (nullable): %NULL-terminated `name=value`; a variable (`music=…`), `seed=7`, `name=…`,
 *   or a stage's parameter (`train.epochs=3`, `train.model.dropout=0`, `augment.ops.0.p=1`).  The
 *   value is YAML; where a parameter is text or a path, or a variable's default one value or none, it
 *   is text as it stands, so that a folder's name and a layout need no quotes.  Paths in it are relative to the current folder
 *
 * Reads, resolves and checks a pipeline: syntax, stage types, parameters, ports, formats.  The error's
 * message is `file:line:column: stage 'id': what`, with a suggestion for a near miss.
 */
SEGUE_API
SeguePipeline *segue_pipeline_load (SegueRegistry *registry, const char *path,
                                    const char *const *overrides, GError **error);
/** segue_pipeline_find_problems: (transfer full) (element-type GError): what segue_pipeline_load() would
 * refuse: all keys, parameters and stages that are wrong, each with its place; empty: nothing.  How
 * stages fit together is looked at once each of them is right. */
SEGUE_API
GPtrArray *segue_pipeline_find_problems (SegueRegistry *registry, const char *path,
                                         const char *const *overrides);
SEGUE_API
void segue_pipeline_free (SeguePipeline *pipeline);
SEGUE_API
const char *segue_pipeline_get_name (SeguePipeline *pipeline);
/** segue_pipeline_get_warnings: (transfer none): what is allowed, but hardly meant: lines with their
 * places; %NULL-terminated. */
SEGUE_API
const char *const *segue_pipeline_get_warnings (SeguePipeline *pipeline);
/** segue_pipeline_get_first_variable: (nullable): the one that `segue run PIPELINE FOLDER` sets. */
SEGUE_API
const char *segue_pipeline_get_first_variable (SeguePipeline *pipeline);
/** segue_pipeline_peek_first_variable: (transfer full) (nullable): the same of the file at @path, which
 * may be wrong in every other respect: a variable without a value has to be set before the file can
 * be loaded.  %NULL without @error where it has no variables.
 * @has_value: (out) (optional): whether the file gives it one */
SEGUE_API
char *segue_pipeline_peek_first_variable (const char *path, gboolean *has_value, GError **error);
/** segue_pipeline_describe: (transfer full): JSON text of the pipeline as resolved. */
SEGUE_API
char *segue_pipeline_describe (SeguePipeline *pipeline);

/** SeguePreset: (strings owned). @summary: the first comment line of its file. */
typedef struct {
  char *name;
  char *path;
  char *summary;
} SeguePreset;

SEGUE_API
void segue_preset_free (SeguePreset *preset);
/** segue_preset_list: (transfer full): from $SEGUE_PRESET_PATH, the user's data folder, then the
 * installed ones; by name, the first of two with one name wins. */
SEGUE_API
GPtrArray *segue_preset_list (void);
/** segue_preset_find: (transfer full): with a suggestion in the error for a near miss. */
SEGUE_API
SeguePreset *segue_preset_find (const char *name, GError **error);

/* ---- Documentation drawn from the tables ---- */

/** segue_inspect_type: (transfer full): of a stage type or model type, as text for a terminal of
 * @columns; %NULL with a suggestion. */
SEGUE_API
char *segue_inspect_type (SegueRegistry *registry, const char *name, guint columns, GError **error);
/** segue_inspect_json: (transfer full): the same, or of all types where @name is %NULL, as JSON. */
SEGUE_API
char *segue_inspect_json (SegueRegistry *registry, const char *name, GError **error);
/** segue_schema_pipeline: (transfer full): JSON Schema (draft 2020-12) of pipeline files. */
SEGUE_API
char *segue_schema_pipeline (SegueRegistry *registry);
/** segue_docs_stages: (transfer full): docs/stages.md. */
SEGUE_API
char *segue_docs_stages (SegueRegistry *registry);

/* ---- Runs ---- */

/**
 * SegueRunOptions:
 * @folder: where run folders go ("runs")
 * @cache: (nullable): the stage cache; %NULL: $SEGUE_CACHE, else $XDG_CACHE_HOME/segue
 * @workers: songs at once; also threads of a COLLECT or SERIAL stage; 0: one per processor
 * @fresh: nothing is taken from the cache; what is made replaces what it holds
 * @sinks: (nullable): @n_sinks of them; borrowed until the run ends
 */
typedef struct {
  gsize struct_size;
  const char *folder;
  const char *cache;
  guint workers;
  gboolean fresh;
  const SegueSink *sinks;
  guint n_sinks;
} SegueRunOptions;

/** SegueRunResult: strings owned; set as far as the run got, also on failure.
 * @struct_size: sizeof (SegueRunResult), set by the caller */
typedef struct {
  gsize struct_size;
  char *folder;      /* runs/<name>/<id>; NULL: it could not be made */
  guint n_songs;     /* source items */
  guint n_cached;    /* of them, taken whole from the cache */
  guint n_failed;    /* quarantined */
  guint64 n_ignored; /* files that are not audio */
} SegueRunResult;

SEGUE_API
void segue_run_result_clear (SegueRunResult *result);

/** segue_pipeline_run: runs all of it.  Everything finished is kept on failure. */
SEGUE_API
gboolean segue_pipeline_run (SeguePipeline *pipeline, const SegueRunOptions *options,
                             SegueRunResult *result, GCancellable *cancellable, GError **error);

/** segue_run_is_at_work: whether a process works on the run in @folder, a handle of runs/<name>/<id>.
 * A run whose run.json says "running" while none does was killed.  Any thread; hostile folders. */
SEGUE_API
gboolean segue_run_is_at_work (int folder);

/**
 * SeguePlanUnit: what a run would do with a stage, or with the stages of a chain.
 * @name: as #SegueEvent has it
 * @chain: it takes songs one by one: @n_cached and @n_computed count them; otherwise one of them is 1
 * @source: it looks at the world each time, and did: @n_computed counts what it found
 * @known: %FALSE: what it reads is not there yet, so neither is known
 * @reasons: #SeguePlanReason array: why what is not in the cache would be made
 */
typedef struct {
  char *name;
  gboolean chain, source, known;
  guint n_cached, n_computed;
  GPtrArray *reasons;
} SeguePlanUnit;

/** SeguePlanReason: @n: how many songs of a chain; else 1. */
typedef struct {
  char *why;
  guint n;
} SeguePlanReason;

/**
 * segue_pipeline_plan: (transfer full) (element-type SeguePlanUnit):
 * @options: as for segue_pipeline_run(); no folder is made
 * @result: (nullable): counts of songs as they would be, as far as that is known
 *
 * What segue_pipeline_run() would take from the cache, what it would make, and why.  Sources look
 * (and report to the sinks); songs that the cache has not seen are hashed, which it
 * remembers; nothing else is written.
 */
SEGUE_API
GPtrArray *segue_pipeline_plan (SeguePipeline *pipeline, const SegueRunOptions *options,
                                SegueRunResult *result, GCancellable *cancellable, GError **error);

/**
 * segue_pipeline_survey: looks at the data alone: sources look, and what can be known of the data before anything is
 * decoded is checked and reported (%SEGUE_EVENT_DATA).
 * @options: as for segue_pipeline_plan()
 * @result: (nullable): counts of songs as they would be
 */
SEGUE_API
gboolean segue_pipeline_survey (SeguePipeline *pipeline, const SegueRunOptions *options,
                                SegueRunResult *result, GCancellable *cancellable, GError **error);

/**
 * segue_run_revisit:
 * @folder: of a finished run (bytes; a link to one will do), hostile
 * @use: a COLLECT stage type whose required ports are of kind METRICS
 * @with: (nullable): its parameters, as YAML
 * @output: a folder that is there and empty; after a failure what is in it is of no use
 * @options: workers, and the sinks for progress and log lines; the rest is not looked at
 *
 * Carries out the stage as if the run's pipeline ended with it: its ports of kind METRICS get what the
 * run left, the others stay unconnected; the account is drawn from run.json and log.ndjson.  Neither
 * the run's folder nor a cache is written to.
 */
SEGUE_API
gboolean segue_run_revisit (SegueRegistry *registry, const char *folder, const char *use,
                            const char *with, const char *output, const SegueRunOptions *options,
                            GCancellable *cancellable, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueRegistry, segue_registry_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SeguePipeline, segue_pipeline_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SeguePreset, segue_preset_free)

G_END_DECLS
