/* libsegue-testing, for tests of plugins: a harness: push items, pull items, assert.
 *
 *   g_autoptr (SegueHarness) harness = segue_harness_new (segue_plugin_query (), "trim", "{ head: 1, tail: 0 }");
 *   segue_harness_push (harness, item);
 *   g_autoptr (SegueItem) out = segue_harness_pull (harness);
 *
 * The harness refuses whatever a run refuses, with the same error. An item is also processed by a MAP stage
 * twice more, in another instance: if the output differs, the push fails with %SEGUE_ERROR_INTERNAL.
 * Outputs, counters and logs are those of the first time.
 *
 * A harness sets LC_CTYPE to a UTF-8 locale if the test called no setlocale (), so that messages are readable.
 *
 * An invalid configuration ends the test with the error's message; use the _try_ forms to test errors.
 */
#pragma once

#include <segue/collect.h>
#include <segue/plugin.h>
#include <segue/registry.h>

G_BEGIN_DECLS

typedef struct _SegueHarness SegueHarness;

/** segue_harness_new: @config: the stage's `with:`, as YAML ("{}" for the defaults). */
SEGUE_API
SegueHarness *segue_harness_new (const SeguePlugin *plugin, const char *stage, const char *config);
/** segue_harness_try_new: %NULL with the error that `segue check` would show. */
SEGUE_API
SegueHarness *segue_harness_try_new (const SeguePlugin *plugin, const char *stage,
                                     const char *config, GError **error);
/** segue_harness_new_in: the same with a stage type of @registry, which must outlive the harness: for a
 * configuration that names a type of another plugin, such as a model, or a stage that looks one up. */
SEGUE_API
SegueHarness *segue_harness_new_in (SegueRegistry *registry, const char *stage, const char *config);
SEGUE_API
SegueHarness *segue_harness_try_new_in (SegueRegistry *registry, const char *stage,
                                        const char *config, GError **error);
SEGUE_API
void segue_harness_free (SegueHarness *harness);

SEGUE_API
void segue_harness_set_seed (SegueHarness *harness, guint64 seed);
SEGUE_API
void segue_harness_set_epoch (SegueHarness *harness, guint epoch);
SEGUE_API
void segue_harness_set_threads (SegueHarness *harness, guint threads);
/** segue_harness_get_cancellable: (transfer none): to test cancellation. */
SEGUE_API
GCancellable *segue_harness_get_cancellable (SegueHarness *harness);

/** segue_harness_push: (MAP, SERIAL) @item is borrowed; a failure ends the test. */
SEGUE_API
void segue_harness_push (SegueHarness *harness, SegueItem *item);
SEGUE_API
gboolean segue_harness_try_push (SegueHarness *harness, SegueItem *item, GError **error);
/** segue_harness_set_input: (COLLECT, SERIAL) connects a dataset of @items, which all have payloads, to @port. */
SEGUE_API
void segue_harness_set_input (SegueHarness *harness, const char *port, SegueItem *const *items,
                              guint n_items);
/** segue_harness_run: SOURCE: produce (); COLLECT: collect (); SERIAL: process () for the first port's items,
 * end_song () and finish (). */
SEGUE_API
gboolean segue_harness_run (SegueHarness *harness, GError **error);

/** segue_harness_pull: (transfer full) (nullable): the next emitted item. */
SEGUE_API
SegueItem *segue_harness_pull (SegueHarness *harness);
/** segue_harness_get_dataset: (transfer none) (nullable): the argument of segue_context_emit_dataset(). */
SEGUE_API
SegueDataset *segue_harness_get_dataset (SegueHarness *harness);
SEGUE_API
gint64 segue_harness_get_count (SegueHarness *harness, const char *counter);
/** segue_harness_get_quarantined: (transfer none): "id: reason" strings in order. */
SEGUE_API
GPtrArray *segue_harness_get_quarantined (SegueHarness *harness);
/** segue_harness_get_log: (transfer none): "info: message", "warning: message" strings in order. */
SEGUE_API
GPtrArray *segue_harness_get_log (SegueHarness *harness);
/** segue_harness_get_folder: (transfer none): a temporary folder, removed with the harness, that contains the output
 * and work folders. */
SEGUE_API
const char *segue_harness_get_folder (SegueHarness *harness);

/** segue_test_tone: (transfer full): a mono audio item of a sine of @hz and amplitude 0.5. */
SEGUE_API
SegueItem *segue_test_tone (const char *id, double hz, double seconds, guint rate);
/** segue_test_write_wav: writes an audio item as float32 WAV at @path (no library needed). */
SEGUE_API
void segue_test_write_wav (const char *path, const SegueItem *audio);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueHarness, segue_harness_free)

G_END_DECLS
