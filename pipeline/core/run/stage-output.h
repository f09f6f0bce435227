/* What comes out of a SERIAL or COLLECT stage, as datasets and as a result of the store (internal).
 *
 * Items that derive from an input item are kept as what they add to it, so that new labels and titles
 * reach old results; items that were passed on, and views, hold no payload at all. */
#pragma once

#include "graph/graph.h"
#include "stage/dataset-private.h"
#include "store/result.h"

/**
 * segue_stage_output_describe: fills in items and view of @result.
 * @inputs: as the stage saw them, see segue_dataset_as_input(); @reads: theirs
 * @outputs: as it left them: see segue_dataset_as_output()
 * @folder: (nullable): its output folder
 * @payloads: (out) (transfer container): see segue_store_write_result()
 *
 * %FALSE: it left something that the store can't hold: a folder that lies elsewhere.
 */
gboolean segue_stage_output_describe (const SegueGraphStage *stage, SegueDataset *const *inputs,
                                      SegueReads *reads, SegueDataset *const *outputs,
                                      const char *folder, SegueResult *result,
                                      GPtrArray **payloads);

/**
 * segue_stage_output_join: @outputs: (out): one for each output port.
 * @inputs: as they are now
 * @items: the file that payloads lie in; @folder: where the output folder is, or will be
 *
 * %FALSE: @result is not of this stage and these inputs.
 */
gboolean segue_stage_output_join (const SegueGraphStage *stage, SegueDataset *const *inputs,
                                  const SegueResult *result, const char *items, const char *folder,
                                  SegueDataset **outputs);

/** segue_stage_output_below: (nullable): what @path is called below @folder; "": it is @folder. */
const char *segue_stage_output_below (const char *folder, const char *path);
