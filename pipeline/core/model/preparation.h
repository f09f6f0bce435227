/* How items were made from a file: the stages, and the files that their parameters name (internal). */
#pragma once

#include <segue/dataset.h>

/** SEGUE_PREPARATION_FOLDER: in a model folder: copies of the files, named by their number. */
#define SEGUE_PREPARATION_FOLDER "preparation"

/** segue_preparation_new: (transfer full):
 * @stages: JSON, see segue_dataset_get_preparation()
 * @files: (nullable) (element-type filename): paths of files and folders that @stages refer to as `./preparation/N` */
SEGUE_API
SeguePreparation *segue_preparation_new (const char *stages, GPtrArray *files);
/** segue_preparation_ref, segue_preparation_unref: any thread; %NULL is accepted. */
SeguePreparation *segue_preparation_ref (SeguePreparation *preparation);
SEGUE_API
void segue_preparation_unref (SeguePreparation *preparation);

/** segue_preparation_get_files: (transfer none) (nullable). */
GPtrArray *segue_preparation_get_files (const SeguePreparation *preparation);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SeguePreparation, segue_preparation_unref)
