/* The output of a SERIAL or COLLECT stage, as datasets and as a result in the store (internal).
 *
 * Items that derive from an input item are stored as what they add to it, so that new labels and
 * titles apply to old results; items that were passed on, and views, contain no payload at all. */
#pragma once

#include "graph/graph.h"
#include "stage/dataset-private.h"
#include "store/result.h"

/**
 * segue_stage_output_describe: fills in items and view of @result.
 * @inputs: as the stage saw them, see segue_dataset_as_input(); @reads: theirs
 * @outputs: as the stage made them, see segue_dataset_as_output()
 * @folder: (nullable): its output folder
 * @payloads: (out) (transfer container): see segue_store_write_result()
 *
 * %FALSE: the output can't be stored: it has a folder outside of @folder.
 */
gboolean segue_stage_output_describe (const SegueGraphStage *stage, SegueDataset *const *inputs,
                                      SegueReads *reads, SegueDataset *const *outputs,
                                      const char *folder, SegueResult *result,
                                      GPtrArray **payloads);

/**
 * segue_stage_output_join: @outputs: (out): one for each output port.
 * @inputs: as they are now
 * @items: the file that contains the payloads; @folder: where the output folder is, or will be
 *
 * %FALSE: @result is not of this stage and these inputs.
 */
gboolean segue_stage_output_join (const SegueGraphStage *stage, SegueDataset *const *inputs,
                                  const SegueResult *result, const char *items, const char *folder,
                                  SegueDataset **outputs);

/** segue_stage_output_below: (nullable): the path of @path relative to @folder; "": it is
 * @folder. */
const char *segue_stage_output_below (const char *folder, const char *path);
