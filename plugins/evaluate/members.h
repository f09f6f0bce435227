/* The members of a combination: their models, and their predictions for one song after the other. */
#pragma once

#include <segue/collect.h>
#include <segue/combination.h>

typedef struct _CombineMembers CombineMembers;

/**
 * combine_members_new: (transfer full): from the inputs `predictions` and `model`.
 *
 * %SEGUE_ERROR_PIPELINE if the models do not have the same labels, or a song is in different sets.
 */
CombineMembers *combine_members_new (SegueContext *context, GError **error);
/** combine_members_free: accepts %NULL. */
void combine_members_free (CombineMembers *members);

/** combine_members_get_folders: (transfer none): of the models: [n]. */
const char *const *combine_members_get_folders (const CombineMembers *members, guint *n);
/** combine_members_get_labels: (transfer none): %NULL-terminated. */
const char *const *combine_members_get_labels (const CombineMembers *members);

/** combine_members_count_songs: those that all members predict; @n_left_out: (out) (optional): others. */
guint combine_members_count_songs (const CombineMembers *members, guint *n_left_out);
/** combine_members_get_song: (transfer none): what is known about song @index, an entry of a dataset. */
const SegueItem *combine_members_get_song (const CombineMembers *members, guint index);

/**
 * CombineRows: what all members say about a song; owned by the members, valid until the next is read.
 * @spans: [n] segments: those of the first member
 * @rows: [members]: each [n, labels], aligned
 */
typedef struct {
  guint n;
  const SegueSpan *spans;
  const float *const *rows;
} CombineRows;

/** combine_members_read: song @index. %SEGUE_ERROR_DATA if a member's predictions do not have its labels. */
gboolean combine_members_read (CombineMembers *members, guint index, CombineRows *rows,
                               SegueContext *context, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CombineMembers, combine_members_free)
