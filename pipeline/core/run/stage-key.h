/* The key of a SERIAL or COLLECT stage's result (internal).
 *
 * A result is a function of the stage, of the live stages on its inputs, and of its inputs' items:
 * their ids, their content, and the metadata that the stage read. Which metadata that is becomes
 * known only when it runs: the store keeps the names under the base key, and the result under the
 * key with their values. So a new title of a song does not cause training again. */
#pragma once

#include "store/key.h"

#include <segue/dataset.h>

typedef struct _SegueStageKey SegueStageKey;

/**
 * segue_stage_key_new:
 * @producers: for each input the id of the stage that it comes from, for messages (nullable strings)
 *
 * Keeps references to the datasets in @inputs (%NULL: not connected). Unreadable files are left
 * for the stage to report.
 */
SegueStageKey *segue_stage_key_new (const SegueGraphStage *stage, SegueDataset *const *inputs,
                                    const char *const *producers, const SegueKeyScope *scope,
                                    GError **error);
void segue_stage_key_free (SegueStageKey *key);

/** segue_stage_key_get_base: (transfer none): of everything but metadata. */
const char *segue_stage_key_get_base (SegueStageKey *key);
/** segue_stage_key_with_reads: (transfer full): includes the values of the metadata @names; "*"
 * stands for all metadata. */
char *segue_stage_key_with_reads (SegueStageKey *key, const char *const *names);
/** segue_stage_key_of_work: (transfer full): for a stage's unfinished work: includes all metadata
 * except the songs' paths. */
char *segue_stage_key_of_work (SegueStageKey *key);

/* Its parts, to explain why it has changed. */

/** segue_stage_key_get_components: (transfer none): the stage's, its live stages', its models'. */
const char *const *segue_stage_key_get_components (SegueStageKey *key);
/** segue_stage_key_get_names: (transfer none): the stages that each component is of. */
const char *const *segue_stage_key_get_names (SegueStageKey *key);
/** segue_stage_key_get_songs: (transfer none): id → digest of the song's input. */
GHashTable *segue_stage_key_get_songs (SegueStageKey *key);
/** segue_stage_key_digest_read: (transfer none): of the values of metadata @name over all inputs. */
const char *segue_stage_key_digest_read (SegueStageKey *key, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueStageKey, segue_stage_key_free)
