/* What COLLECT and SERIAL stages use beyond segue/context.h: their inputs as datasets, folders for results and
 * checkpoints, curves, and the summary of the run.
 *
 * A SERIAL stage gets the items of its first port by process (), in order; end_song () follows the last item of each
 * song, finish () the last song. Its other ports are read through segue_context_get_input().
 *
 * An input of kind %SEGUE_KIND_SUMMARY, of a COLLECT stage or after the first of a SERIAL stage, is a folder with
 * summary.json: the results of the stages before the one that reads it. The run makes it, no stage does:
 *
 *   {"segue": "0.1.0", "name": "artist", "seed": 42,
 *    "stages": [{"id": …, "use": …, "plugin": …, "plugin_version": …, "result_version": …,
 *                "with": {parameters}, "counters": {name: n, …},
 *                "curves": {"train/loss": [[step, value or null], …], …}}, …],
 *    "quarantined": [{"stage": …, "id": …, "reason": …}, …]}
 *
 * Stages are in the order of the pipeline, quarantined items are ordered by id; there are no times, so that the same run
 * gives the same text. The summary of a finished run is as untrusted as the run's folder.
 *
 * preview () is called without an instance, once the sources are done and before any song is decoded.
 * segue_context_get_input() returns what each input would contain if every song were usable: one entry per song, with
 * the metadata of its source. %FALSE with @error if the run would fail for that reason; the view of it that later
 * stages would get may be emitted with segue_context_emit_dataset(). Warnings are shown before the run; nothing else is
 * kept. It is not called if an earlier stage may select songs or change their metadata: a MAP stage that is neither
 * PREPARE nor LIVE, a COLLECT or SERIAL stage without preview ().
 */
#pragma once

#include <segue/context.h>
#include <segue/dataset.h>

G_BEGIN_DECLS

/** segue_context_get_input: (transfer none) (nullable): the dataset on @port; %NULL if an optional port is not
 * connected. A name that is not an input of the type fails the stage with %SEGUE_ERROR_INTERNAL; the dataset is then
 * empty. */
SEGUE_API SegueDataset *segue_context_get_input (SegueContext *context, const char *port);
/** segue_context_get_nth_input: likewise, of a port with the flag %SEGUE_PORT_SEVERAL: that of stage @nth (from 0) in the
 * list under `from:`; %NULL after the last. Ports that one list feeds have equally many, in the same order. */
SEGUE_API SegueDataset *segue_context_get_nth_input (SegueContext *context, const char *port,
                                                     guint nth);
/** segue_context_emit_dataset: (COLLECT) sets the stage's output to @dataset (transfer none), a view of an input made by
 * segue_dataset_annotate() or segue_dataset_select(). */
SEGUE_API void segue_context_emit_dataset (SegueContext *context, SegueDataset *dataset);
/** segue_item_new_folder: an item to emit; @kind is MODEL or METRICS, and the folder belongs to the run. */
SEGUE_API SegueItem *segue_item_new_folder (SegueKind kind, const char *id, const char *path);

/** segue_context_get_output_folder: (transfer none): the stage's folder in the run, created on the first call; for
 * results that the user keeps. %NULL with error. */
SEGUE_API const char *segue_context_get_output_folder (SegueContext *context, GError **error);
/** segue_context_get_work_folder: (transfer none): a folder for scratch files and checkpoints that survives a kill (a
 * rerun of the same stage over the same input gets the same one) and is removed once the stage is finished. %NULL with
 * error. */
SEGUE_API const char *segue_context_get_work_folder (SegueContext *context, GError **error);

/** segue_context_get_threads: the number of threads that the stage may use. */
SEGUE_API guint segue_context_get_threads (SegueContext *context);
/** segue_context_scalar: (any thread) adds a point of a curve, such as ("train/loss", step, value), to log.ndjson and
 * the run's curves. */
SEGUE_API void segue_context_scalar (SegueContext *context, const char *tag, guint64 step,
                                     double value);

G_END_DECLS
