/* libsegue-testing, for tests of plugins: a harness for stages (push items, pull items, assert), and a test of model
 * types.
 *
 *   g_autoptr (SegueHarness) harness = segue_harness_new (segue_plugin_query (), "trim", "{ head: 1, tail: 0 }");
 *   segue_harness_push (harness, item);
 *   g_autoptr (SegueItem) out = segue_harness_pull (harness);
 *
 * The harness refuses whatever a run refuses, with the same error. The stage negotiates first: the format of an input is
 * what its items have in common (for a MAP stage, that of the item that is pushed, first with its length), and what is emitted has to have the
 * formats that it promises. An item is also processed by a MAP stage twice more, in another instance: if the output
 * differs, the push fails with %SEGUE_ERROR_INTERNAL. Outputs, counters and logs are those of the first time.
 *
 * A harness sets LC_CTYPE to a UTF-8 locale if the test called no setlocale (), so that messages are readable.
 *
 * A failure ends the test with the error's message, at the file and line of the call; use the _try_ forms to test
 * errors.
 */
#pragma once

#include <segue/collect.h>
#include <segue/plugin.h>
#include <segue/registry.h>

G_BEGIN_DECLS

/* Where a call is: the last arguments of functions that end in _at. Tests call the macros instead. */
#define SEGUE_TEST_PLACE __FILE__, __LINE__, G_STRFUNC

typedef struct _SegueHarness SegueHarness;

/** segue_harness_new: @config: the stage's `with:`, as YAML ("{}" for the defaults). */
SEGUE_API
SegueHarness *segue_harness_new_at (const SeguePlugin *plugin, const char *stage,
                                    const char *config, const char *file, int line,
                                    const char *function);
#define segue_harness_new(plugin, stage, config)                                                   \
  segue_harness_new_at (plugin, stage, config, SEGUE_TEST_PLACE)
/** segue_harness_try_new: %NULL with the error that `segue check` would show. */
SEGUE_API
SegueHarness *segue_harness_try_new (const SeguePlugin *plugin, const char *stage,
                                     const char *config, GError **error);
/** segue_harness_new_in: the same with a stage type of @registry, which must outlive the harness: for a
 * configuration that names a type of another plugin, such as a model, or a stage that looks one up. */
SEGUE_API
SegueHarness *segue_harness_new_in_at (SegueRegistry *registry, const char *stage,
                                       const char *config, const char *file, int line,
                                       const char *function);
#define segue_harness_new_in(registry, stage, config)                                              \
  segue_harness_new_in_at (registry, stage, config, SEGUE_TEST_PLACE)
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
void segue_harness_push_at (SegueHarness *harness, SegueItem *item, const char *file, int line,
                            const char *function);
#define segue_harness_push(harness, item) segue_harness_push_at (harness, item, SEGUE_TEST_PLACE)
SEGUE_API
gboolean segue_harness_try_push (SegueHarness *harness, SegueItem *item, GError **error);
/** segue_harness_set_input: (COLLECT, SERIAL) connects a dataset of @items, which all have payloads, to @port. */
SEGUE_API
void segue_harness_set_input_at (SegueHarness *harness, const char *port, SegueItem *const *items,
                                 guint n_items, const char *file, int line, const char *function);
#define segue_harness_set_input(harness, port, items, n_items)                                     \
  segue_harness_set_input_at (harness, port, items, n_items, SEGUE_TEST_PLACE)
/** segue_harness_add_input: (COLLECT) likewise, one more dataset for a port with the flag %SEGUE_PORT_SEVERAL. */
SEGUE_API
void segue_harness_add_input_at (SegueHarness *harness, const char *port, SegueItem *const *items,
                                 guint n_items, const char *file, int line, const char *function);
#define segue_harness_add_input(harness, port, items, n_items)                                     \
  segue_harness_add_input_at (harness, port, items, n_items, SEGUE_TEST_PLACE)
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
void segue_test_write_wav_at (const char *path, const SegueItem *audio, const char *file, int line,
                              const char *function);
#define segue_test_write_wav(path, audio) segue_test_write_wav_at (path, audio, SEGUE_TEST_PLACE)

/**
 * segue_test_try_model: tests model type @type of @registry, with the parameters @config (YAML; "{}" for the defaults),
 * for everything that segue/model.h requires:
 *
 * - the labels, the rate or size, and the tensors of a new model; a model that is only described
 * - in inference, the same bits for an item alone and in a batch, with one thread and with several
 * - passes read nothing that they did not write, write only to their workspace, as planned, and to the logits
 * - fit () gives the same bits with one thread and with several, with a validation set and without; all other parts
 *   test a model that was fitted
 * - in a space: points and centres are finite; the same bits for an item alone and in a batch, with one thread and with
 *   several; the same logits with points and without
 * - in training, the same bits for the same seed, step and items; an item depends on its batch only if the model says
 *   that it is coupled
 * - gradients accumulate, and are those of finite differences (float32), for each tensor that is trained
 * - changed weights change the logits; save () and load () keep every bit, and a damaged folder is refused
 * - a cancelled pass reports that, and the next one is whole
 *
 * and its encoder, if it has one, for segue/encoder.h: in each layer the same bits for an item alone and in a batch,
 * with any number of threads and in parallel calls; frames and workspace as counted and planned.
 *
 * %SEGUE_ERROR_INTERNAL states what does not hold; %SEGUE_ERROR_PIPELINE why there is no such model: a type that only
 * encodes may need weights. Choose small sizes in @config: the time grows with the number of tensors and the cost of a
 * pass over a tenth of a second.
 */
SEGUE_API
gboolean segue_test_try_model (SegueRegistry *registry, const char *type, const char *config,
                               GError **error);
/** segue_test_model: likewise, for a type of @plugin; what does not hold ends the test. */
SEGUE_API
void segue_test_model_at (const SeguePlugin *plugin, const char *type, const char *config,
                          const char *file, int line, const char *function);
#define segue_test_model(plugin, type, config)                                                     \
  segue_test_model_at (plugin, type, config, SEGUE_TEST_PLACE)

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueHarness, segue_harness_free)

G_END_DECLS
