/* Hosts, such as a command or a server: plugins, pipelines, runs, and all other headers of segue/host/.
 *
 * The library has no process-global state: no signal handlers, no chdir, no printing. A host may
 * use several registries, pipelines and runs at the same time. Messages are UTF-8: a host that prints them
 * with g_print () calls setlocale (LC_CTYPE, "") first, else quotes become `?`.
 *
 *   g_autoptr (SegueRegistry) registry = segue_registry_new ();
 *   segue_registry_load_search_path (registry);
 *   g_autoptr (SeguePipeline) pipeline = segue_pipeline_load (registry, "artist.yaml", NULL, &error);
 *   segue_pipeline_run (pipeline, &options, &result, cancellable, &error);
 */
#pragma once

#include <segue/error.h>
#include <segue/host/cache.h>
#include <segue/host/event.h>
#include <segue/host/predict.h>
#include <segue/registry.h>

G_BEGIN_DECLS

/** segue_error_exit_code: the exit status (sysexits) of a command that fails with @error. */
SEGUE_API
int segue_error_exit_code (const GError *error);

/* ---- Plugins ---- */

SEGUE_API
SegueRegistry *segue_registry_new (void);
SEGUE_API
void segue_registry_free (SegueRegistry *registry);

/** segue_registry_load_search_path: $SEGUE_PLUGIN_PATH (colon-separated; searched with their
 * subfolders), the user's data folder, then the installed plugins. A file that can't be loaded is kept
 * in the list with the reason; of two with the same name the first is used. */
SEGUE_API
void segue_registry_load_search_path (SegueRegistry *registry);
/** segue_registry_load_file: loads one shared object. */
SEGUE_API
gboolean segue_registry_load_file (SegueRegistry *registry, const char *path, GError **error);
/** segue_registry_add: adds a plugin that is linked in (tests, hosts with their own stages). */
SEGUE_API
gboolean segue_registry_add (SegueRegistry *registry, const SeguePlugin *plugin, const char *path,
                             GError **error);

/** SeguePluginEntry: one shared object that was found; @plugin is %NULL if it was refused, and
 * @refusal is the reason. */
typedef struct {
  const char *path;
  const SeguePlugin *plugin;
  const char *refusal;
} SeguePluginEntry;

/** segue_registry_list: (transfer container): const #SeguePluginEntry pointers, sorted by path. */
SEGUE_API
GPtrArray *segue_registry_list (SegueRegistry *registry);
/** segue_registry_get_plugin_of: (nullable): the plugin that provides @stage_or_model_type. */
SEGUE_API
const SeguePluginEntry *segue_registry_get_plugin_of (SegueRegistry *registry,
                                                      const void *stage_or_model_type);

/* ---- Pipelines ---- */

typedef struct _SeguePipeline SeguePipeline;

/**
 * segue_pipeline_load:
 * @overrides: (nullable): %NULL-terminated `name=value`; a variable (`music=…`), `seed=7`, `name=…`,
 *   or a stage's parameter (`train.epochs=3`, `train.model.dropout=0`, `augment.ops.0.p=1`). The
 *   value is YAML; for a parameter that is text or a path, and for a variable whose default is a single
 *   value or missing, it is literal text, so that a folder's name and a layout need no quotes. Paths in it
 *   are relative to the current directory
 *
 * Reads, resolves and checks a pipeline: syntax, stage types, parameters, ports, formats. The error's
 * message is `file:line:column: stage 'id': what`, with a suggestion for a misspelt name.
 */
SEGUE_API
SeguePipeline *segue_pipeline_load (SegueRegistry *registry, const char *path,
                                    const char *const *overrides, GError **error);
/** segue_pipeline_find_problems: (transfer full) (element-type GError): everything that segue_pipeline_load()
 * would refuse: all invalid keys, parameters and stages, each with its place; empty: nothing. Connections
 * between stages are checked only if every stage is valid. */
SEGUE_API
GPtrArray *segue_pipeline_find_problems (SegueRegistry *registry, const char *path,
                                         const char *const *overrides);
SEGUE_API
void segue_pipeline_free (SeguePipeline *pipeline);
SEGUE_API
const char *segue_pipeline_get_name (SeguePipeline *pipeline);
/** segue_pipeline_get_warnings: (transfer none): warnings about what is allowed, but probably not intended:
 * lines with their places; %NULL-terminated. */
SEGUE_API
const char *const *segue_pipeline_get_warnings (SeguePipeline *pipeline);
/** segue_pipeline_get_first_variable: (nullable): the variable that `segue run PIPELINE FOLDER` sets. */
SEGUE_API
const char *segue_pipeline_get_first_variable (SeguePipeline *pipeline);
/** segue_pipeline_peek_first_variable: (transfer full) (nullable): the same for the file at @path, which
 * may be invalid in every other respect: a variable without a value has to be set before the file can
 * be loaded. %NULL without @error if it has no variables.
 * @has_value: (out) (optional): whether the file specifies a value for it */
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
 * installed ones; sorted by name; of two with the same name the first is used. */
SEGUE_API
GPtrArray *segue_preset_list (void);
/** segue_preset_find: (transfer full): the error for a misspelt name has a suggestion. */
SEGUE_API
SeguePreset *segue_preset_find (const char *name, GError **error);

/* ---- Documentation generated from the tables ---- */

/** segue_inspect_type: (transfer full): documentation of a stage type or model type, as text for a terminal
 * of @columns; %NULL with a suggestion in the error. */
SEGUE_API
char *segue_inspect_type (SegueRegistry *registry, const char *name, guint columns, GError **error);
/** segue_inspect_json: (transfer full): the same as JSON; of all types if @name is %NULL. */
SEGUE_API
char *segue_inspect_json (SegueRegistry *registry, const char *name, GError **error);
/** segue_schema_pipeline: (transfer full): JSON Schema (draft 2020-12) of pipeline files. */
SEGUE_API
char *segue_schema_pipeline (SegueRegistry *registry);
/** segue_docs_stages: (transfer full): the text of docs/stages.md. */
SEGUE_API
char *segue_docs_stages (SegueRegistry *registry);

/* ---- Runs ---- */

/**
 * SegueRunOptions:
 * @folder: the parent of run folders ("runs")
 * @cache: (nullable): the stage cache; %NULL: $SEGUE_CACHE, else $XDG_CACHE_HOME/segue
 * @workers: number of concurrent songs; also threads of a COLLECT or SERIAL stage; 0: one per processor
 * @fresh: nothing is read from the cache; new results replace its entries
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

/** SegueRunResult: strings owned; set as far as the run progressed, also on failure.
 * @struct_size: sizeof (SegueRunResult), set by the caller */
typedef struct {
  gsize struct_size;
  char *folder;      /* runs/<name>/<id>; NULL: it could not be created */
  guint n_songs;     /* source items */
  guint n_cached;    /* of them, read completely from the cache */
  guint n_failed;    /* quarantined */
  guint64 n_ignored; /* files that are not audio */
} SegueRunResult;

SEGUE_API
void segue_run_result_clear (SegueRunResult *result);

/** segue_pipeline_run: runs the whole pipeline. Finished results stay cached on failure. */
SEGUE_API
gboolean segue_pipeline_run (SeguePipeline *pipeline, const SegueRunOptions *options,
                             SegueRunResult *result, GCancellable *cancellable, GError **error);

/** segue_run_is_at_work: whether a process is working on the run in @folder, an open descriptor of
 * runs/<name>/<id>.  A run whose run.json contains "running" without such a process was killed. Any
 * thread; accepts untrusted folders. */
SEGUE_API
gboolean segue_run_is_at_work (int folder);

/**
 * SeguePlanStep: what a run would do for a stage, or for the stages of a chain.
 * @name: as in #SegueEvent
 * @chain: it processes songs one by one: @n_cached and @n_computed count songs; otherwise one of them is 1
 * @source: it runs every time, also for a plan: @n_computed counts the items found
 * @known: %FALSE: its input does not exist yet, so @n_cached and @n_computed are unknown
 * @reasons: #SeguePlanReason array: why results that are not in the cache would be computed
 */
typedef struct {
  char *name;
  gboolean chain, source, known;
  guint n_cached, n_computed;
  GPtrArray *reasons;
} SeguePlanStep;

/** SeguePlanReason: @n: the number of songs of a chain; else 1. */
typedef struct {
  char *why;
  guint n;
} SeguePlanReason;

/**
 * segue_pipeline_plan: (transfer full) (element-type SeguePlanStep):
 * @options: as for segue_pipeline_run(); no folder is created
 * @result: (nullable): the expected counts of songs, as far as they are known
 *
 * What segue_pipeline_run() would read from the cache, what it would compute, and why. Sources run
 * (and report to the sinks); songs that are new to the cache are hashed, and their hashes are stored in
 * it; nothing else is written.
 */
SEGUE_API
GPtrArray *segue_pipeline_plan (SeguePipeline *pipeline, const SegueRunOptions *options,
                                SegueRunResult *result, GCancellable *cancellable, GError **error);

/**
 * segue_pipeline_survey: checks the data alone: sources run, and everything that is known of the data before
 * decoding is checked and reported (%SEGUE_EVENT_DATA).
 * @options: as for segue_pipeline_plan()
 * @result: (nullable): the expected counts of songs
 */
SEGUE_API
gboolean segue_pipeline_survey (SeguePipeline *pipeline, const SegueRunOptions *options,
                                SegueRunResult *result, GCancellable *cancellable, GError **error);

/**
 * segue_finished_run_apply: applies a stage to a finished run.
 * @folder: of the run (bytes; may be a link to one), untrusted
 * @use: a COLLECT stage type whose required ports are of kind METRICS, PREDICTIONS or SUMMARY
 * @with: (nullable): its parameters, as YAML
 * @output: an existing, empty folder; after a failure its contents are useless
 * @options: workers, and the sinks for progress and log lines; the rest is ignored
 *
 * Runs the stage as if the run's pipeline ended with it: its ports of kind METRICS, PREDICTIONS and SUMMARY get the
 * run's metrics.json, predictions and summary.json, the others stay unconnected. Neither the run's folder nor a
 * cache is written to. %SEGUE_ERROR_NO_INPUT: not the folder of a run, or a run without one of these files.
 */
SEGUE_API
gboolean segue_finished_run_apply (SegueRegistry *registry, const char *folder, const char *use,
                                   const char *with, const char *output,
                                   const SegueRunOptions *options, GCancellable *cancellable,
                                   GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueRegistry, segue_registry_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SeguePipeline, segue_pipeline_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SeguePreset, segue_preset_free)

G_END_DECLS
