/* The one stage of a worker process (internal). */
#pragma once

#include "isolate/message.h"
#include "params/params.h"
#include "stage/chain.h"

typedef struct {
  int socket; /* borrowed: where what the stage reports goes; a fork has another */
  SegueRegistry *registry;
  SegueNode *params;
  SegueGraphStage *stage;
  SegueScope scope;
  SegueChain *chain;
  guint64 memory;      /* that a worker may have */
  gboolean be_server;  /* to fork workers, rather than to work */
  GPtrArray *readable; /* char: files and folders that the stage said that it will read */
} SegueWorkerStage;

/** segue_worker_stage_open: as @message asks for; @stage is cleared in any case. */
gboolean segue_worker_stage_open (SegueWorkerStage *stage, SegueMessage *message, GError **error);
void segue_worker_stage_clear (SegueWorkerStage *stage);

/** segue_worker_stage_report: passes @event on to the core: a line of log, a point of a curve, or progress. */
void segue_worker_stage_report (SegueWorkerStage *stage, const SegueEvent *event);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegueWorkerStage, segue_worker_stage_clear)
