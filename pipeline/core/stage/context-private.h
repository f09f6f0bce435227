/* The context from the core's side (internal). */
/* SEGUE_API marks what libsegue-testing calls; none of it is installed. */
#pragma once

#include "item/counts.h"
#include "stage/scope.h"

#include <segue/collect.h>

/** SegueEmitFunc: takes @item (transfer full), which is checked and sealed. */
typedef gboolean (*SegueEmitFunc) (gpointer data, SegueItem *item, GError **error);

struct _SegueContext {
  const SegueScope *scope;
  const SegueGraphStage *stage;
  GCancellable *cancellable;
  gint64 epoch;           /* LIVE; else -1 */
  const SegueItem *input; /* MAP: the current item */
  SegueEmitFunc emit;     /* NULL: emitting is not allowed now */
  gpointer emit_data;
  GThread *thread;       /* nullable: the callback's, the only one that may emit */
  GHashTable *names;     /* nullable: ids of emitted items, to find duplicates */
  guint n_emitted;       /* since the callback began */
  gint n_reasons;        /* atomic: counters and log lines since then: reasons for skipped items */
  guint rate, channels;  /* of the audio emitted for the current song; 0: none yet */
  SegueCounts *counts;   /* nullable: receives counters, in place of the host */
  guint index;           /* of the stage in @counts */
  SegueDataset *output;  /* COLLECT: segue_context_emit_dataset() */
  SegueDataset *nothing; /* dataset returned for an invalid port */
  GError *failure;       /* of an emit(), even if the stage ignored it */
};

/** segue_context_clear: frees what a context on the stack owns. */
SEGUE_API
void segue_context_clear (SegueContext *context);
/** segue_context_begin: this thread is about to call a callback. */
void segue_context_begin (SegueContext *context);
/** segue_context_conclude: a callback returned @ok with @error (not %NULL) set or not: turns an
 * ignored failure of an emit, a failure without an error, and a success with one, into an error.
 * Clears the failure. */
gboolean segue_context_conclude (SegueContext *context, gboolean ok, GError **error);
/** segue_context_fail: the current callback fails with @error, even if the stage ignores it. */
void segue_context_fail (SegueContext *context, const GError *error);
/** segue_context_set_bug: @error: "stage 'cut' (type 'trim', plugin trim 1.0) …", with @code: for a
 * plugin that broke a rule. */
void segue_context_set_bug (SegueContext *context, SegueErrorCode code, GError **error,
                            const char *format, ...) G_GNUC_PRINTF (4, 5);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegueContext, segue_context_clear)
