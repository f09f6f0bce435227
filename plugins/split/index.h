/* The data that split reads from its input: each item's song, each song's label and group. */
#pragma once

#include "deal.h"

#include <segue/dataset.h>

/** Names: lookup by index and back. */
typedef struct {
  GPtrArray *names;
  GHashTable *indices;
} Names;

/** Index: labels are sorted by their bytes; a group is identified by its first name in that order.
 * Groups that share a recording are merged. */
typedef struct {
  Names songs, labels, groups;
  GArray *of_song; /* DealSong */
  GArray *of_item; /* guint: song */
  guint n_alone;   /* songs without the metadata that groups them */
} Index;

/** index_read: @by: the metadata whose value stays together, or "song". */
void index_read (Index *index, SegueDataset *dataset, const char *by);
void index_clear (Index *index);
/** index_get_label: the name of label @label. */
const char *index_get_label (const Index *index, guint label);
/** index_get_group: the name of group @group. */
const char *index_get_group (const Index *index, guint group);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Index, index_clear)
