/* What running stages share: their host and their carriers (internal). */
#pragma once

#include "graph/graph.h"
#include "store/store.h"
#include <segue/collect.h>
#include <segue/context.h>
#include <segue/host/event.h>

/**
 * SegueStageHost: what the executor, the harness or a predictor does for its stages. Any may be
 * %NULL. Called from any thread where segue/context.h allows it.
 */
typedef struct {
  /* @nth: from 0, of a port that takes several */
  SegueDataset *(*get_input) (gpointer data, const SegueGraphStage *stage, const char *port,
                              guint nth);
  /* @work: the work folder, else the output folder; created by the first call; transfer none */
  const char *(*get_folder) (gpointer data, const SegueGraphStage *stage, gboolean work,
                             GError **error);
  /* where the run caches results: for what stages make of songs; transfer none */
  SegueStore *(*get_store) (gpointer data);
  void (*allow_read) (gpointer data, const SegueGraphStage *stage, const char *path);
  /* PROGRESS_UNIT, PROGRESS, LOG, SCALAR, COUNT or ITEM_FAILED, of @stage */
  void (*event) (gpointer data, const SegueGraphStage *stage, const SegueEvent *event);
} SegueStageHost;

/* SEGUE_EVENT: SEGUE_EVENT (LOG, stage->id, .level = …, .text = …). */
#define SEGUE_EVENT(type_, stage_, ...)                                                            \
  (&(SegueEvent) SEGUE_INIT (SegueEvent, .type = SEGUE_EVENT_##type_, .stage = (stage_),           \
                             __VA_ARGS__))

/**
 * SegueCarrier: what runs a MAP stage: its plugin in this process, a separate process, or decoders
 * that are tried in order.
 * @takes: (nullable): whether it can run @stage at all
 * @open: @self: (out): %NULL if it has no state
 * @process: emits the output for @item into @context
 * @preload: (nullable): loads what songs will need
 * @end_song: (nullable): no more items of the current song will follow
 * @lasts: can be reused after an item that failed; others are closed and reopened
 */
typedef struct {
  gboolean (*takes) (SegueRegistry *registry, const SegueGraphStage *stage);
  gboolean (*open) (SegueContext *context, gpointer *self, GError **error);
  gboolean (*process) (gpointer self, SegueItem *item, SegueContext *context, GError **error);
  void (*preload) (gpointer self, SegueContext *context);
  void (*end_song) (gpointer self, SegueContext *context);
  void (*close) (gpointer self, SegueContext *context);
  gboolean lasts;
} SegueCarrier;

/** SegueShared: instances of stages that all chains share: see stage/shared.h. */
typedef struct _SegueShared SegueShared;

/** SegueScope: what all stages of a run share; outlives everything made with it.
 * @isolated: (nullable): runs stages that have to be isolated, see segue_isolated_carrier(); %NULL:
 *   they run in this process, like all others
 * @shared: (nullable): owned by the scope's owner; %NULL: each chain has its own instance of every stage */
typedef struct {
  SegueRegistry *registry;
  guint64 seed;
  guint threads; /* of a COLLECT or SERIAL stage; number of parallel chains */
  const SegueCarrier *isolated;
  SegueShared *shared;
  const SegueStageHost *host;
  gpointer host_data;
  gboolean is_worker; /* this process is a worker for one song */
  gboolean thorough;  /* a harness: inputs come from a test, and checks may be slow */
} SegueScope;
