/* A run: what its parts share (internal).
 *
 *   run.c             from options to result
 *   executor.c        which stage or chain comes next, and what it reads
 *   executor-chain.c  a chain and its songs
 *   run-host.c        what stages ask for while they run
 *   run-report.c      run.json, timings.json */
#pragma once

#include "builder.h"
#include "journal.h"
#include "run-folder.h"
#include "songs.h"
#include <segue/segue.h>

/** SegueStageRun: a stage and what is known of it in this run. */
typedef struct {
  const SegueGraphStage *stage;
  SegueDataset **inputs;  /* per input port while it runs; NULL: not connected */
  SegueDataset **outputs; /* per output port until the last reader is done; NULL: not there yet */
  guint *n_outputs;       /* items per output port, for the report */
  guint last_use;         /* index of the last stage that reads an output */
  char *key;              /* nullable: not run */
  char *output_folder;    /* nullable: not asked for */
  SegueWorkFolder *work;  /* nullable: likewise */
  gboolean done;
  guint n_songs, n_cached; /* of a chain, on its first stage */
  SegueCounts *anew;       /* likewise: why songs had no result in the store */
} SegueStageRun;

/** SegueUnit: what is run at once and timed: a stage, or a chain. */
typedef struct {
  char *name;
  double seconds;
} SegueUnit;

/** SegueQuarantined: an item that failed. */
typedef struct {
  char *stage, *id, *reason;
} SegueQuarantined;

typedef struct {
  SeguePipeline *pipeline;
  SegueScope scope;
  GCancellable *cancellable;
  SegueStore *store;
  char *id, *folder;
  SegueJournal *journal;
  SegueStageRun *stages;
  guint n_stages;
  GArray *units; /* SegueUnit, finished ones */
  guint n_units;

  SegueObserver observer; /* NULL where the host gave none */
  GMutex observer_lock;

  GMutex lock;         /* for what any thread may touch: */
  SegueCounts *counts; /* by index in the pipeline */
  GArray *quarantined; /* SegueQuarantined */
  GHashTable *songs;   /* ids of songs that went into chains */
  GHashTable *missed;  /* those of them that the store had no result for */
  guint n_sources;     /* source items */
} SegueRun;

extern const SegueStageHost segue_run_host;

guint segue_run_index_of (SegueRun *run, const SegueGraphStage *stage);
/** segue_run_quarantine: counts, remembers and reports a failure; @stage: its id. */
void segue_run_quarantine (SegueRun *run, const char *stage, const char *id, const GError *error);
void segue_run_log (SegueRun *run, const char *stage, GLogLevelFlags level, const char *format, ...)
  G_GNUC_PRINTF (4, 5);
void segue_run_progress (SegueRun *run, const char *unit, guint64 done, guint64 total,
                         const char *detail);
/** segue_run_progress_unit: what the progress of @unit counts from now on: @counted. */
void segue_run_progress_unit (SegueRun *run, const char *unit, const char *counted);
void segue_run_started (SegueRun *run, const char *unit);
void segue_run_finished (SegueRun *run, const char *unit, double seconds);
/** segue_run_check_failures: whether the run may go on after those that there were. */
gboolean segue_run_check_failures (SegueRun *run, GError **error);

/** segue_run_connect_inputs: what a stage reads; ports that did not ask for live items get clean
 * ones. */
void segue_run_connect_inputs (SegueRun *run, SegueStageRun *at);
/** segue_run_set_output: @dataset: (transfer full). */
void segue_run_set_output (SegueStageRun *at, guint port, SegueDataset *dataset);
/** segue_executor_run: all stages, in order. */
gboolean segue_executor_run (SegueRun *run, GError **error);
/** segue_executor_run_chain: @chain: indices of its stages; @name: for people. */
gboolean segue_executor_run_chain (SegueRun *run, GArray *chain, const char *name, GError **error);

/** segue_run_report: run.json; @state: "running", "finished", "failed" or "stopped". */
gboolean segue_run_report (SegueRun *run, const char *state, const GError *failure, GError **error);
/** segue_run_report_timings: timings.json. */
gboolean segue_run_report_timings (SegueRun *run, GDateTime *started, double seconds,
                                   GError **error);
