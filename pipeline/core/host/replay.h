/* The stages that prepare a song for a model, from its folder (internal). */
#pragma once

#include "graph/graph.h"
#include "host/relax.h"

/**
 * SegueReplay: the stages in segue.json, ready to run.
 * @stages: (element-type SegueGraphStage): MAP, flagged PREPARE, each fits the output of the one
 *   before; from a file to audio or vectors
 * @warning: (nullable): that songs are decoded differently than in training
 * @relaxed: a stage does not prepare songs exactly as in training
 */
typedef struct {
  GPtrArray *stages;
  SegueNode *root;
  char *warning;
  gboolean relaxed;
} SegueReplay;

/** segue_replay_new: @text: JSON, untrusted; @folder: of the model, whose files its parameters may name; @name: of the
 * file with @text, for messages.
 * @relax: for songs that training skips. %SEGUE_ERROR_DATA if it contains anything that is not
 *   allowed in a model's folder. */
SegueReplay *segue_replay_new (SegueRegistry *registry, const char *text, const char *folder,
                               const char *name, SegueRelax relax, GError **error);
void segue_replay_free (SegueReplay *preparation);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueReplay, segue_replay_free)
