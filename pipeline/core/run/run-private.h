/* A run: definitions that its parts share (internal).
 *
 *   run.c             from options to result
 *   steps.c           the steps of the run, and the inputs of each stage
 *   executor.c        which stage or chain comes next
 *   executor-chain.c  a chain and its songs
 *   executor-stage.c  a SOURCE, SERIAL or COLLECT stage, from the store if possible
 *   stage-files.c     files that a stage shares with others or leaves for finished runs
 *   plan.c            a dry run: what would be done
 *   preview.c         a preview of the data before anything is decoded
 *   run-host.c        the host functions that running stages call
 *   events.c          the run's events, to its sinks
 *   summary.c         summary.json: the results so far, for stages that read them
 *   run-record.c      run.json, timings.json
 *   run-lock.c        marks the run as active, for other processes */
#pragma once

#include "run/chain-songs.h"
#include "run/curves.h"
#include "run/journal.h"
#include "run/run-folder.h"
#include "run/run-lock.h"
#include "run/sinks.h"
#include "run/stage-key.h"
#include "run/stage-notes.h"
#include "stage/builder.h"
#include <segue/host/segue.h>

/** SegueStageRun: a stage and its state in this run. */
typedef struct {
  const SegueGraphStage *stage;
  SegueDataset **inputs;  /* per input port while it runs; NULL: not connected */
  SegueDataset **outputs; /* per output port until the last reader is done; NULL: not made yet */
  guint *n_outputs;       /* items per output port, for run.json */
  guint last_use;         /* index of the last stage that reads its output, or a view of it */
  guint step;             /* index of the step that it is in; SEGUE_NOT_CONNECTED: live */
  char *key;              /* nullable: of its result; NULL: not run, or not stored */
  SegueStageKey *parts;   /* nullable: what @key is made of */
  SegueStageNotes *notes; /* nullable: its events, while it runs and its result may be stored */
  char *output_folder;    /* nullable: not requested */
  int output_fd;          /* of that folder while the stage runs, to detect a replaced one; or -1 */
  SegueWorkFolder *work;  /* nullable: likewise */
  gboolean done;
  gboolean cached;         /* its result, or each song's of a chain, was in the store */
  char *why;               /* nullable: why not */
  gboolean damaged;        /* its record in the store is unusable */
  guint n_songs, n_cached; /* of a chain, in its first stage */
  SegueCounts *computed;   /* likewise: why songs had no result in the store */
} SegueStageRun;

/** SegueRunStep: what runs and is timed together: a stage, or a chain.
 * @stages: indices; @checked: of a chain: payloads of its results are known to be intact */
typedef struct {
  char *name;
  GArray *stages;
  double seconds;
  gboolean done, checked;
} SegueRunStep;

/** SegueQuarantined: an item that failed. */
typedef struct {
  char *stage, *id, *reason;
} SegueQuarantined;

typedef struct {
  SeguePipeline *pipeline;
  SegueScope scope;
  SegueKeyScope keys;
  GCancellable *cancellable; /* of the sinks */
  SegueStore *store;
  char *id, *folder;
  SegueRunLock lock_file;
  SegueJournal *journal;
  SegueStageRun *stages;
  guint n_stages;
  GArray *steps; /* SegueRunStep, in order */
  SegueCurves *curves;
  gboolean summarised; /* a stage has read the run's summary */
  gboolean fresh;      /* ignores results in the store, except those that this run made */
  GHashTable *made;    /* set: keys of those */

  SegueSinks sinks;

  GMutex lock;         /* for what any thread may access: */
  SegueCounts *counts; /* by index in the pipeline */
  GArray *quarantined; /* SegueQuarantined */
  GHashTable *songs;   /* ids of songs that entered chains */
  GHashTable *missed;  /* those of them that the store had no result for */
  guint n_sources;     /* source items */
} SegueRun;

extern const SegueStageHost segue_run_host;

/* From options to result, see run.c; @options: complete, whatever struct size the caller has. */
void segue_run_init (SegueRun *run, SeguePipeline *pipeline, const SegueRunOptions *options,
                     GCancellable *cancellable);
void segue_run_clear (SegueRun *run);
gboolean segue_run_open_store (SegueRun *run, const char *cache, GError **error);
/** segue_run_open_journal: log.ndjson in run->folder. */
gboolean segue_run_open_journal (SegueRun *run, GError **error);
/** segue_run_fill_result: @result: (nullable). */
void segue_run_fill_result (SegueRun *run, SegueRunResult *result);

guint segue_run_index_of (SegueRun *run, const SegueGraphStage *stage);

/** segue_run_open_sinks: before any event. */
void segue_run_open_sinks (SegueRun *run, const SegueRunOptions *options,
                           GCancellable *cancellable);
/** segue_run_add_sink: @data: borrowed until the run ends. */
void segue_run_add_sink (SegueRun *run, SegueEventFunc take, gpointer data);
/** segue_run_tell: to all sinks, in their order; any thread. @event: see SEGUE_EVENT() */
void segue_run_tell (SegueRun *run, const SegueEvent *event);
/** segue_run_log: %SEGUE_EVENT_LOG. */
void segue_run_log (SegueRun *run, const char *stage, GLogLevelFlags level, const char *format, ...)
  G_GNUC_PRINTF (4, 5);
/** segue_run_repeat: repeats the events that @at reported when @result was made. */
void segue_run_repeat (SegueRun *run, SegueStageRun *at, const SegueResult *result);
/** segue_run_check_failures: whether the run may continue after its failures so far. */
gboolean segue_run_check_failures (SegueRun *run, GError **error);

/** segue_run_find_steps: finds the stages that run together; once, first of all. */
void segue_run_find_steps (SegueRun *run);
/** segue_run_is_chain: whether @step is a chain of MAP stages. */
gboolean segue_run_is_chain (SegueRun *run, const SegueRunStep *step);
/** segue_run_connect_inputs: sets a stage's inputs; ports that do not accept live items get clean
 * ones. %FALSE: some of them are missing. */
gboolean segue_run_connect_inputs (SegueRun *run, SegueStageRun *at);
/** segue_run_release_inputs: @at reads no input any more. */
void segue_run_release_inputs (SegueStageRun *at);
/** segue_run_attach_live: a live stage's output is a view of its input. */
gboolean segue_run_attach_live (SegueRun *run, SegueStageRun *at);
/** segue_run_set_output: @dataset: (transfer full). */
void segue_run_set_output (SegueStageRun *at, guint port, SegueDataset *dataset);
/** segue_run_find_output: the output port for items of @kind. */
guint segue_run_find_output (const SegueGraphStage *stage, SegueKind kind);

/** segue_executor_run: all steps, in order. */
gboolean segue_executor_run (SegueRun *run, GError **error);
/** segue_executor_run_chain: with @mode LOOK, songs without a result are only counted, and there is
 * an output only if all have one. */
gboolean segue_executor_run_chain (SegueRun *run, SegueRunStep *step, SegueChainSongMode mode,
                                   GError **error);
/** segue_executor_check_chain: checks payloads of a chain that has run, and recomputes damaged
 * ones. */
gboolean segue_executor_check_chain (SegueRun *run, SegueRunStep *step, GError **error);
/** segue_executor_probe_chain: @complete: whether all of its songs have results. */
gboolean segue_executor_probe_chain (SegueRun *run, SegueRunStep *step, gboolean *complete,
                                     GError **error);
/** segue_executor_check_inputs: before a stage reads its inputs' payloads: checks those that came
 * from the store unchecked, and recomputes damaged ones. */
gboolean segue_executor_check_inputs (SegueRun *run, SegueStageRun *at, GError **error);
/** segue_executor_run_stage: SOURCE, SERIAL or COLLECT. */
gboolean segue_executor_run_stage (SegueRun *run, SegueStageRun *at, GError **error);
/** segue_executor_find_parts: sets at->parts; inputs are connected. */
gboolean segue_executor_find_parts (SegueRun *run, SegueStageRun *at, GError **error);
/** segue_executor_look_up_stage: SERIAL or COLLECT, inputs connected: whether its result is in the
 * store; then its outputs are set, with folders located in the store. Otherwise at->why contains
 * the reason, unless there is an error. */
gboolean segue_executor_look_up_stage (SegueRun *run, SegueStageRun *at, GError **error);

/** segue_run_find_twins: (transfer full) (element-type utf8 filename): by SHA-256, the files of the models that
 * @at reads: see segue_tree_copy(). @in_store: those in the store, else those in the run's folder */
GHashTable *segue_run_find_twins (SegueRun *run, const SegueStageRun *at, gboolean in_store);
/** segue_run_save_predictions: leaves the predictions that @at has emitted in its output folder, for
 * segue_finished_run_apply(): see saved-items.h. */
gboolean segue_run_save_predictions (SegueRun *run, SegueStageRun *at, GError **error);

/** segue_run_connect_summary: where @at reads the run's summary: writes summary.json, of the stages before it, and
 * connects the input to it. */
gboolean segue_run_connect_summary (SegueRun *run, SegueStageRun *at, GError **error);
/** segue_run_leave_summary: at the end of the run: writes summary.json unless a stage has read it. */
gboolean segue_run_leave_summary (SegueRun *run, GError **error);

/** segue_run_write_record: run.json; @state: "running", "finished", "failed" or "stopped". */
gboolean segue_run_write_record (SegueRun *run, const char *state, const GError *failure,
                                 GError **error);
/** segue_run_write_counters: member `counters`: the counters of @stage; with the lock held. */
void segue_run_write_counters (SegueJson *json, SegueRun *run, guint stage);
/** segue_run_write_quarantined: member `quarantined`, by id, whichever worker found them first; with the lock held. */
void segue_run_write_quarantined (SegueJson *json, SegueRun *run);
/** segue_run_write_timings: timings.json. */
gboolean segue_run_write_timings (SegueRun *run, GDateTime *started, double seconds,
                                  GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegueRun, segue_run_clear)
