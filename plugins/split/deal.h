/* Assigns groups of songs to sets so that every label is in every set and no group is in two sets.
 *
 * A group is a unit that has to stay together: a song, an album. It may contain songs of several labels (the same
 * album name under two artists). Which groups are drawn depends on the seed and their names alone, not on their
 * order or number: a new song changes the assignment of few others.
 */
#pragma once

#include <segue/dataset.h>

/** DealSong: indices of its label and group. */
typedef struct {
  guint label;
  guint group;
} DealSong;

/** DealAmount: of a label's songs: a share (0 … 1), or a number of them; at least @least. */
typedef struct {
  double share; /* 0 where @count is set */
  guint count;
  guint least;
} DealAmount;

/** DealPlan: @folds 0: `amounts[SEGUE_SET_TEST]` is the size of test; else fold @fold of @folds is test. */
typedef struct {
  DealAmount amounts[SEGUE_N_SETS]; /* of SEGUE_SET_VALIDATION and SEGUE_SET_TEST */
  guint folds;
  guint fold;
  guint64 seed;
} DealPlan;

typedef struct _Deal Deal;

/** deal_new: @songs and @group_names are borrowed. */
Deal *deal_new (const DealPlan *plan, const DealSong *songs, guint n_songs, guint n_labels,
                const char *const *group_names, guint n_groups);
/** deal_free: accepts %NULL. */
void deal_free (Deal *deal);

/**
 * deal_run: assigns all groups again.
 * @train_only: [n_labels]: all groups with songs of these labels go to train
 * @short_labels: (out): [n_labels]: labels with songs that did not get the amounts of the plan
 *
 * Returns the number of these labels.
 */
guint deal_run (Deal *deal, const gboolean *train_only, gboolean *short_labels);

SegueSet deal_get_set (const Deal *deal, guint group);
/** deal_get_fold: -1: in no fold. */
int deal_get_fold (const Deal *deal, guint group);
/** deal_get_need: the minimum number of groups (songs, if @of_songs) that a label needs. */
guint deal_get_need (const Deal *deal, gboolean of_songs);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Deal, deal_free)
