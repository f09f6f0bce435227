/* The stages that prepare a song for a model, from its folder (internal). */
#pragma once

#include "graph/graph.h"
#include "host/relax.h"

/**
 * SeguePreparation: what stands in segue.json, ready to be replayed.
 * @stages: (element-type SegueGraphStage): MAP, flagged PREPARE, each fit for what the one before emits; from a
 *   file to audio
 * @warning: (nullable): that songs are decoded otherwise than they were in training
 * @relaxed: a stage does not prepare songs quite as in training
 */
typedef struct {
  GPtrArray *stages;
  SegueNode *root;
  char *warning;
  gboolean relaxed;
} SeguePreparation;

/** segue_preparation_new: @text: JSON, hostile; @name stands for its file in messages.
 * @relax: for songs that training leaves out.
 * %SEGUE_ERROR_DATA where it holds anything that may not travel with a model. */
SeguePreparation *segue_preparation_new (SegueRegistry *registry, const char *text,
                                         const char *name, SegueRelax relax, GError **error);
void segue_preparation_free (SeguePreparation *preparation);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SeguePreparation, segue_preparation_free)
