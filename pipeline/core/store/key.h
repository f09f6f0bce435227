/* Keys: what a result is a function of (internal).
 *
 * A key is SHA-256 in hexadecimal.  A stage's component is text that holds ABI major, stage type,
 * result version, the plugin's build, canonical parameters, the run-time fingerprint and, for a SEEDED stage, the seed;
 * a chain's key hashes its input's key with one component after the other.  Metadata is in no key,
 * but for the values that stages looked at (see record.h).  Keys of other stages: stage-key.h. */
#pragma once

#include "graph/graph.h"
#include "item/item-private.h"

/** SegueKeyScope: what all keys of a run share; borrowed.
 * @seed: of the run; @contents: see segue_contents_key(); @hashed: (nullable): so many of the files
 * that @stage reads are hashed, which takes as long as reading them */
typedef struct {
  guint64 seed;
  SegueRegistry *registry;
  const char *contents;
  GCancellable *cancellable;
  void (*hashed) (gpointer data, const SegueGraphStage *stage, guint done, guint total);
  gpointer hashed_data;
} SegueKeyScope;

/** segue_key_component: (transfer full): without what differs from song to song.  Files and models
 * that parameters name are in it by what they hold. */
char *segue_key_component (const SegueGraphStage *stage, const SegueKeyScope *scope,
                           GError **error);
/** segue_key_of_payload: (transfer full): of an item that has one, or whose bytes lie in memory or
 * a spool, which are then read. */
char *segue_key_of_payload (SegueItem *entry, GError **error);
/** segue_key_of_bytes: (transfer full): of what @item, which has its bytes, is. */
char *segue_key_of_bytes (const SegueItem *item);
/** segue_key_of_song: (transfer full): of consecutive entries of one song.
 * @contents: keys of payloads, one per entry */
char *segue_key_of_song (SegueItem *const *entries, char *const *contents, guint n);
/** segue_key_with_reads: (transfer full): @key and the values of the metadata @names in @entries;
 * the name "*" stands for all of it. */
char *segue_key_with_reads (const char *key, const char *const *names, SegueItem *const *entries,
                            guint n);
