/* One song through a chain, from the store where it can be (internal). */
#pragma once

#include "stage/chain.h"
#include "store/store.h"

/**
 * SegueSongMode: what is asked of the store.
 * @SEGUE_SONG_MAKE: whatever has no result is made; payloads of results are not looked at: a song that
 *   nobody reads costs no more than its header
 * @SEGUE_SONG_CHECK: likewise, but what is damaged is found and made, too: for results that are read
 * @SEGUE_SONG_ANEW: results in the store don't count
 * @SEGUE_SONG_LOOK: nothing is made
 */
typedef enum {
  SEGUE_SONG_MAKE,
  SEGUE_SONG_CHECK,
  SEGUE_SONG_ANEW,
  SEGUE_SONG_LOOK,
} SegueSongMode;

/** SegueChainPlan: a chain as the store sees it; shared by all workers, read only. */
typedef struct {
  const SegueScope *scope;
  const SegueGraphStage *const *stages;
  guint n_stages;
  GStrv components; /* of segue_key_component(), one per stage */
  SegueStore *store;
  SegueSongMode mode;
} SegueChainPlan;

/** SegueSong: what became of one song. */
typedef struct {
  GPtrArray *entries; /* SegueItem without bytes; NULL: it failed, or was only looked for */
  GError *error;      /* about the item, or what ends the run */
  const SegueGraphStage *failed; /* nullable: where */
  gboolean cached;               /* the result was there, whether good or bad */
  char *problem;                 /* nullable: why a record that is there could not be used */
  GArray *counts;                /* nullable: SegueCount, by index in the chain */
  char *input_key;               /* nullable: what went in, see segue_key_of_song() */
  guint64 bytes;                 /* that were kept of it, where it was made */
} SegueSong;

/** segue_song_run: @entries: the song's items in the chain's input dataset.
 * @chain: used where the store has no result; as new after a failure */
void segue_song_run (const SegueChainPlan *plan, SegueChain *chain, SegueItem *const *entries,
                     guint n, SegueSong *song, GCancellable *cancellable);
void segue_song_clear (SegueSong *song);
/** segue_song_is_known: whether the store has something for the song, as far as that can be said without
 * reading a file of music. */
gboolean segue_song_is_known (const SegueChainPlan *plan, SegueItem *const *entries, guint n);
