/* A chain over a dataset: N workers, each carrying one song at a time (internal).
 *
 * Results are processed in source order: which songs fail, in which order failures are reported,
 * and where `on_error: fail` and `max_failures` end the run do not depend on the number of
 * workers. */
#pragma once

#include "run/chain-song.h"

/** SegueChainSongs: a job; all fields are borrowed. */
typedef struct {
  SegueChainPlan plan;
  SegueDataset *input;
  guint workers;
  guint max_failures; /* one more ends the run; G_MAXUINT: no limit */
  gpointer data;
  /* One call at a time, in source order; @song is valid during the call. */
  void (*song_done) (gpointer data, const char *id, SegueChainSong *song);
  void (*progress) (gpointer data, guint done, guint total);
} SegueChainSongs;

/**
 * segue_chain_songs_run:
 * @entries: (nullable) (element-type SegueItem): receives the entries of all songs that did not
 *   fail; %NULL: not wanted
 *
 * %FALSE if the run has to end: too many failures (the error is that of the song that exceeded the
 * limit), an error of the environment, or a cancel.
 */
gboolean segue_chain_songs_run (const SegueChainSongs *job, GPtrArray *entries,
                                GCancellable *cancellable, GError **error);
