/* One song through a chain, from the store if possible (internal). */
#pragma once

#include "stage/chain.h"
#include "store/store.h"

/**
 * SegueChainSongMode: how results in the store are used.
 * @SEGUE_SONG_MAKE: missing results are computed; payloads of results are not checked: a song that
 *   no stage reads costs no more than its header
 * @SEGUE_SONG_CHECK: likewise, but damaged payloads are found and recomputed, too: for results that
 *   are read
 * @SEGUE_SONG_FRESH: results in the store are ignored: --fresh
 * @SEGUE_SONG_LOOK: nothing is computed
 */
typedef enum {
  SEGUE_SONG_MAKE,
  SEGUE_SONG_CHECK,
  SEGUE_SONG_FRESH,
  SEGUE_SONG_LOOK,
} SegueChainSongMode;

/** SegueChainPlan: a chain as the store sees it; shared by all workers, read only. */
typedef struct {
  const SegueScope *scope;
  const SegueGraphStage *const *stages;
  guint n_stages;
  GStrv components; /* of segue_key_component(), one per stage */
  SegueStore *store;
  SegueChainSongMode mode;
} SegueChainPlan;

/** SegueChainSong: the result for one song. */
typedef struct {
  GPtrArray *entries; /* SegueItem without bytes; NULL: it failed, or was only looked up */
  GError *error;      /* about the item, or what ends the run */
  const SegueGraphStage *failed; /* nullable: where */
  gboolean cached;               /* the result was in the store, whether good or bad */
  char *problem;                 /* nullable: why an existing record could not be used */
  GArray *counts;                /* nullable: SegueCount, by index in the chain */
  char *input_key;               /* nullable: key of its input, see segue_key_of_song() */
  guint64 bytes;                 /* stored for it, if it was computed */
} SegueChainSong;

/** segue_chain_song_run: @entries: the song's items in the chain's input dataset.
 * @chain: used if the store has no result; renewed after a failure */
void segue_chain_song_run (const SegueChainPlan *plan, SegueChain *chain, SegueItem *const *entries,
                           guint n, SegueChainSong *song, GCancellable *cancellable);
void segue_chain_song_clear (SegueChainSong *song);
/** segue_chain_song_is_known: whether the store has a record for the song, as far as can be known without
 * reading its music file. */
gboolean segue_chain_song_is_known (const SegueChainPlan *plan, SegueItem *const *entries, guint n);
