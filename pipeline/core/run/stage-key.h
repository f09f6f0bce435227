/* The key of a SERIAL or COLLECT stage's result (internal).
 *
 * A result is a function of the stage, of the live stages on its inputs, and of its inputs' items:
 * their ids, what they hold, and the metadata that the stage looked at.  Which metadata that is
 * turns out only when it runs: at the base key the store has the names, at the key with their values
 * the result.  So a song that gets another title trains nothing again. */
#pragma once

#include "store/key.h"

typedef struct _SegueStageKey SegueStageKey;

/**
 * segue_stage_key_new:
 * @producers: for each input the id of the stage that it comes from, for messages (nullable strings)
 * @account: (nullable): of the run, for a stage that reads it
 *
 * Keeps references to the datasets in @inputs (%NULL: not connected).  Files that can't be read are
 * for the stage to find out.
 */
SegueStageKey *segue_stage_key_new (const SegueGraphStage *stage, SegueDataset *const *inputs,
                                    const char *const *producers, const char *account,
                                    const SegueKeyScope *scope, GError **error);
void segue_stage_key_free (SegueStageKey *key);

/** segue_stage_key_get_base: (transfer none): of all but metadata. */
const char *segue_stage_key_get_base (SegueStageKey *key);
/** segue_stage_key_with_reads: (transfer full): of the values of the metadata @names, too; "*" stands
 * for all of it. */
char *segue_stage_key_with_reads (SegueStageKey *key, const char *const *names);
/** segue_stage_key_of_work: (transfer full): for what a stage leaves until it is finished: of all
 * metadata but the songs' places. */
char *segue_stage_key_of_work (SegueStageKey *key);

/* What it is made of, to say why it is not what it was. */

/** segue_stage_key_get_components: (transfer none): the stage's, its live stages', its models'. */
const char *const *segue_stage_key_get_components (SegueStageKey *key);
/** segue_stage_key_get_names: (transfer none): the stages that each component is of. */
const char *const *segue_stage_key_get_names (SegueStageKey *key);
/** segue_stage_key_get_songs: (transfer none): id → digest of what it brings in. */
GHashTable *segue_stage_key_get_songs (SegueStageKey *key);
/** segue_stage_key_digest_read: (transfer none): of the values of metadata @name over all inputs. */
const char *segue_stage_key_digest_read (SegueStageKey *key, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueStageKey, segue_stage_key_free)
