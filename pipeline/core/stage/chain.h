/* A chain: consecutive MAP stages that carry one song from end to end (internal).
 *
 * Depth first: what a stage emits goes through all that follows before it emits the next item, so
 * that nothing but the song at hand is in memory.  A chain has one instance of each stage, opened
 * when the first song comes and closed with the chain; it belongs to one thread.
 *
 * Whoever carries songs sees this interface only.  A stage that is to be isolated is carried out by a
 * process of its own, where the scope says how.
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
 * segue_chain_new: never fails; what open () has to say is said by the first carry.
 * @scope: borrowed for the chain's life
 * @stages: borrowed likewise; MAP, as made by segue_graph_stage_new() or of a pipeline
 */
SEGUE_API
SegueChain *segue_chain_new (const SegueScope *scope, const SegueGraphStage *const *stages,
                             guint n_stages);
SEGUE_API
void segue_chain_free (SegueChain *chain);

/** segue_chain_renew: after a song that failed: whatever it left behind in an instance goes with it. */
void segue_chain_renew (SegueChain *chain);

/** segue_chain_open: opens every stage now, rather than with the first song. */
gboolean segue_chain_open (SegueChain *chain, GError **error);

/** segue_chain_preload: what songs will need is loaded now; of one that is open. */
void segue_chain_preload (SegueChain *chain);

/** segue_chain_set_epoch: what LIVE stages are seeded with from now on. */
SEGUE_API
void segue_chain_set_epoch (SegueChain *chain, guint epoch);

/** segue_chain_set_counts: (nullable): what takes the stages' counters, by index in the chain,
 * from now on
 * instead of the host: a song's counters belong to its result. */
void segue_chain_set_counts (SegueChain *chain, SegueCounts *counts);

/**
 * segue_chain_carry: (transfer full) (element-type SegueItem):
 * @items: of one song, with their payloads
 *
 * All that came out at the end, in the order in which it was emitted (each segment a slice of its
 * song's buffer).  A failure leaves nothing; segue_error_is_about_item() tells whether the chain
 * can
 * take another song (it can in any case be freed).
 */
SEGUE_API
GPtrArray *segue_chain_carry (SegueChain *chain, SegueItem *const *items, guint n_items,
                              GCancellable *cancellable, GError **error);
/** segue_chain_carry_file: the same for the file at @path, whose name is the song's id. */
GPtrArray *segue_chain_carry_file (SegueChain *chain, const char *path, GCancellable *cancellable,
                                   GError **error);
/** segue_chain_carry_fd: the same for a file that is open (@fd stays the caller's), called @name. */
GPtrArray *segue_chain_carry_fd (SegueChain *chain, int fd, const char *name,
                                 GCancellable *cancellable, GError **error);
/** segue_chain_get_failed: (transfer none) (nullable): the stage in which the last carry failed. */
const SegueGraphStage *segue_chain_get_failed (SegueChain *chain);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueChain, segue_chain_free)
