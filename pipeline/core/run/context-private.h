/* The context from the core's side (internal). */
/* SEGUE_API marks what libsegue-testing calls; none of it is installed. */
#pragma once

#include "counts.h"
#include "graph.h"
#include <segue/context.h>

/**
 * SegueStageHost: what the executor, the harness or a predictor does for its stages.  Any may be
 * NULL.  Called from any thread where segue/context.h says so.
 */
typedef struct {
  SegueDataset *(*get_input) (gpointer data, const SegueGraphStage *stage, const char *port);
  void (*quarantine) (gpointer data, const SegueGraphStage *stage, const char *id,
                      const GError *error);
  void (*count) (gpointer data, const SegueGraphStage *stage, const char *name, gint64 n);
  /* @work: the work folder, else the output folder; made on the first call; transfer none */
  const char *(*get_folder) (gpointer data, const SegueGraphStage *stage, gboolean work,
                             GError **error);
  void (*progress) (gpointer data, const SegueGraphStage *stage, guint64 done, guint64 total,
                    const char *detail);
  void (*progress_unit) (gpointer data, const SegueGraphStage *stage, const char *unit);
  void (*log) (gpointer data, const SegueGraphStage *stage, GLogLevelFlags level,
               const char *message);
  void (*scalar) (gpointer data, const SegueGraphStage *stage, const char *tag, guint64 step,
                  double value);
  const char *(*get_account) (gpointer data, const SegueGraphStage *stage);
  void (*allow_read) (gpointer data, const SegueGraphStage *stage, const char *path);
} SegueStageHost;

/** SegueScope: what all stages of a run share; outlives everything made with it. */
typedef struct {
  SegueRegistry *registry;
  guint64 seed;
  guint threads; /* of a COLLECT or SERIAL stage; chains that work side by side */
  const SegueStageHost *host;
  gpointer host_data;
  gboolean is_worker; /* this process is that of one song */
  gboolean thorough;  /* a harness: inputs come from a test, and checks may take their time */
} SegueScope;

/** SegueEmitFunc: takes @item (transfer full), which was checked and sealed. */
typedef gboolean (*SegueEmitFunc) (gpointer data, SegueItem *item, GError **error);

struct _SegueContext {
  const SegueScope *scope;
  const SegueGraphStage *stage;
  GCancellable *cancellable;
  gint64 epoch;           /* LIVE; else -1 */
  const SegueItem *input; /* MAP: the item at hand */
  SegueEmitFunc emit;     /* NULL: nothing may be emitted now */
  gpointer emit_data;
  GThread *thread;   /* nullable: the callback's, the only one that may emit */
  GHashTable *names; /* nullable: ids of what was emitted, each of which may be there once */
  guint n_emitted;   /* since the callback began */
  gint n_reasons;    /* atomic: counters and lines of log since then: why something was left out */
  guint rate, channels;  /* of the audio that was emitted of the song at hand; 0: none was */
  SegueCounts *counts;   /* nullable: takes what is counted, in place of the host */
  guint index;           /* of the stage in @counts */
  SegueDataset *output;  /* COLLECT: segue_context_emit_dataset() */
  SegueDataset *nothing; /* what a port that is none gives */
  GError *failure;       /* of an emit(), even where the stage went on regardless */
};

/** segue_context_clear: frees what a context on the stack has come to own. */
SEGUE_API
void segue_context_clear (SegueContext *context);
/** segue_context_begin: a callback is about to be called in this thread. */
void segue_context_begin (SegueContext *context);
/** segue_context_conclude: a callback returned @ok with @error (not %NULL) set or not: turns a swallowed
 * failure of an emit, a failure without an error, and a success with one, into an error.  Forgets the
 * failure. */
gboolean segue_context_conclude (SegueContext *context, gboolean ok, GError **error);
/** segue_context_set_bug: @error: "stage 'cut' (type 'trim', plugin trim 1.0) …", of @code: what a plugin
 * did that none may. */
void segue_context_set_bug (SegueContext *context, SegueErrorCode code, GError **error,
                            const char *format, ...) G_GNUC_PRINTF (4, 5);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegueContext, segue_context_clear)
