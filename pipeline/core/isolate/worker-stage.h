/* The one stage of a worker process (internal). */
#pragma once

#include "isolate/message.h"
#include "params/params.h"
#include "stage/chain.h"

typedef struct {
  int socket; /* borrowed: where the stage's events go; a fork has another */
  SegueRegistry *registry;
  SegueNode *params;
  SegueGraphStage *stage;
  SegueScope scope;
  SegueChain *chain;
  guint64 memory;      /* bytes that a worker may use */
  gboolean be_server;  /* fork workers, rather than process items */
  GPtrArray *readable; /* char: files and folders that the stage announced that it reads */
} SegueWorkerStage;

/** segue_worker_stage_open: as @message specifies; the caller clears @stage in any case. */
gboolean segue_worker_stage_open (SegueWorkerStage *stage, SegueMessage *message, GError **error);
void segue_worker_stage_clear (SegueWorkerStage *stage);

/** segue_worker_stage_report: sends @event to the core: a log line, a point of a curve, or
 * progress. */
void segue_worker_stage_report (SegueWorkerStage *stage, const SegueEvent *event);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegueWorkerStage, segue_worker_stage_clear)
