/* The files of an exported data set: a file for each item of audio, and one for the vectors of each song. */
#pragma once

#include <segue/collect.h>

/** PLAN_METADATA: the file beside the folders of a set's labels. */
#define PLAN_METADATA "metadata.jsonl"

/** PlanFile: @path: below the folder: data/<set>/<label>/<name>.<suffix>; @first, @n: the items in it, by index of the
 * dataset. */
typedef struct {
  char *path;
  guint first, n;
  SegueSet set;
} PlanFile;

/** Plan: @labels: sorted; @folders: their names on disk, sorted. @counts: items by set. @extra: metadata keys that get a
 * column in metadata.jsonl, sorted. @all: all paths below the folder. */
typedef struct {
  GArray *files; /* PlanFile */
  GPtrArray *labels;
  GPtrArray *folders;
  guint counts[SEGUE_N_SETS];
  GPtrArray *extra;
  GPtrArray *all;
} Plan;

/** plan_init: @dataset: items of one kind, at least one. @metadata: whether sets get a metadata.jsonl. */
void plan_init (Plan *plan, SegueDataset *dataset, gboolean metadata);
void plan_clear (Plan *plan);

/** plan_get_label: (transfer none): of an item; "unlabelled" without one. */
const char *plan_get_label (const SegueItem *item);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Plan, plan_clear)
