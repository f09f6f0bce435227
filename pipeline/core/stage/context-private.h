/* The context from the core's side (internal). */
/* SEGUE_API marks what libsegue-testing calls; none of it is installed. */
#pragma once

#include "item/counts.h"
#include "stage/scope.h"

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
/** segue_context_fail: @error comes out of the callback at hand, even where the stage goes on regardless. */
void segue_context_fail (SegueContext *context, const GError *error);
/** segue_context_set_bug: @error: "stage 'cut' (type 'trim', plugin trim 1.0) …", of @code: what a plugin
 * did that none may. */
void segue_context_set_bug (SegueContext *context, SegueErrorCode code, GError **error,
                            const char *format, ...) G_GNUC_PRINTF (4, 5);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegueContext, segue_context_clear)
