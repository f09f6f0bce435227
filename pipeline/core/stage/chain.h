/* A chain: consecutive MAP stages that carry one song from end to end (internal).
 *
 * Depth first: an item that a stage emits passes through all later stages before the stage emits
 * the next item, so that only the current song is in memory. A chain has one instance of each
 * stage, opened with the first song and closed with the chain; it belongs to one thread.
 *
 * Code that processes songs uses this interface only. A stage that has to be isolated runs in a
 * separate process if the scope has a carrier for that.
 *
 *   SegueScope scope = { .registry = registry, .seed = 0 };      // nothing isolated or reported
 *   g_autoptr (SegueChain) chain = segue_chain_new (&scope, stages, n_stages);
 *   g_autoptr (GPtrArray) items = segue_chain_carry_file (chain, path, cancellable, &error);
 */
/* SEGUE_API marks what libsegue-testing calls; none of it is installed. */
#pragma once

#include "stage/context-private.h"

typedef struct _SegueChain SegueChain;

/**
 * segue_chain_new: never fails; the first carry reports errors of open ().
 * @scope: borrowed for the chain's life
 * @stages: borrowed likewise; MAP, from segue_graph_stage_new() or a pipeline
 */
SEGUE_API
SegueChain *segue_chain_new (const SegueScope *scope, const SegueGraphStage *const *stages,
                             guint n_stages);
SEGUE_API
void segue_chain_free (SegueChain *chain);

/** segue_chain_renew: after a song that failed: discards any state that it left in an instance. */
void segue_chain_renew (SegueChain *chain);

/** segue_chain_open: opens every stage now, rather than with the first song. */
gboolean segue_chain_open (SegueChain *chain, GError **error);

/** segue_chain_preload: loads now what songs will need; the chain must be open. */
void segue_chain_preload (SegueChain *chain);

/** segue_chain_set_epoch: the epoch in the seeds of LIVE stages from now on. */
SEGUE_API
void segue_chain_set_epoch (SegueChain *chain, guint epoch);

/** segue_chain_set_counts: (nullable): receives the stages' counters, by index in the chain, from
 * now on, instead of the host: a song's counters belong to its result. */
void segue_chain_set_counts (SegueChain *chain, SegueCounts *counts);

/**
 * segue_chain_carry: (transfer full) (element-type SegueItem):
 * @items: of one song, with their payloads
 *
 * Returns the chain's output in the order in which it was emitted (each segment a slice of its
 * song's buffer). After a failure there is no output; segue_error_is_about_item() tells whether
 * the chain can process another song (it can always be freed).
 */
SEGUE_API
GPtrArray *segue_chain_carry (SegueChain *chain, SegueItem *const *items, guint n_items,
                              GCancellable *cancellable, GError **error);
/** segue_chain_carry_file: the same for the file at @path, whose name is the song's id. */
GPtrArray *segue_chain_carry_file (SegueChain *chain, const char *path, GCancellable *cancellable,
                                   GError **error);
/** segue_chain_carry_passage: the same for decoders, which need to decode only the part from @start to @end s. */
GPtrArray *segue_chain_carry_passage (SegueChain *chain, const char *path, double start, double end,
                                      GCancellable *cancellable, GError **error);
/** segue_chain_carry_fd: the same for an open file (@fd is borrowed) with the name @name. */
GPtrArray *segue_chain_carry_fd (SegueChain *chain, int fd, const char *name,
                                 GCancellable *cancellable, GError **error);
/** segue_chain_get_failed: (transfer none) (nullable): the stage in which the last carry failed. */
const SegueGraphStage *segue_chain_get_failed (SegueChain *chain);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueChain, segue_chain_free)
