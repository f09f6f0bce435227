/* Keys: hashes of everything that a result depends on (internal).
 *
 * A key is SHA-256 in hexadecimal. A stage's component is text that contains ABI major, stage type,
 * result version, the plugin's build, canonical parameters, the run-time fingerprint and, for a SEEDED stage, the seed;
 * a chain's key hashes its input's key with each component in order. Keys contain no metadata
 * except the values that stages read (see record.h). Keys of other stages: stage-key.h. */
#pragma once

#include "graph/graph.h"
#include "item/item-private.h"

/** SegueKeyScope: shared by all keys of a run; borrowed.
 * @seed: of the run; @contents: see segue_contents_key(); @hashed: (nullable): progress of hashing the
 * files that @stage reads, which takes as long as reading them */
typedef struct {
  guint64 seed;
  SegueRegistry *registry;
  const char *contents;
  GCancellable *cancellable;
  void (*hashed) (gpointer data, const SegueGraphStage *stage, guint done, guint total);
  gpointer hashed_data;
} SegueKeyScope;

/** segue_key_component: (transfer full): without the parts that differ between songs. Files and models
 * that parameters name are represented by their contents. */
char *segue_key_component (const SegueGraphStage *stage, const SegueKeyScope *scope,
                           GError **error);
/** segue_key_of_code: (transfer full): the part of a component that does not depend on parameters and seed. */
char *segue_key_of_code (const SegueGraphStage *stage, const SegueKeyScope *scope, GError **error);
/** segue_key_of_payload: (transfer full): of an item that has one, or whose bytes are in memory or
 * a spool, which are then read. */
char *segue_key_of_payload (SegueItem *entry, GError **error);
/** segue_key_of_bytes: (transfer full): of the form and bytes of @item, whose bytes are loaded. */
char *segue_key_of_bytes (const SegueItem *item);
/** segue_key_of_song: (transfer full): of consecutive entries of one song.
 * @contents: keys of payloads, one per entry */
char *segue_key_of_song (SegueItem *const *entries, char *const *contents, guint n);
/** segue_key_with_reads: (transfer full): @key and the values of the metadata @names in @entries;
 * the name "*" means all metadata. */
char *segue_key_with_reads (const char *key, const char *const *names, SegueItem *const *entries,
                            guint n);
