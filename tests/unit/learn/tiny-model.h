/* A model type small enough to train in milliseconds: a linear classifier over frame statistics. */
#pragma once

#include <segue/host/segue.h>
#include <segue/testing.h>

/** tiny_plugin: (transfer none): with the model types `tiny`, `tiny-centroids` and `tiny-scaled`, and no stages. */
const SeguePlugin *tiny_plugin (void);

/** tiny_registry_new: (transfer full): with @plugin and the tiny one, for a stage that uses a model. */
SegueRegistry *tiny_registry_new (const SeguePlugin *plugin);

/** tiny_read: (transfer full): file @name that the stage in @harness left, as text; there must be one. */
char *tiny_read (SegueHarness *harness, const char *name);

/** tiny_cancel_after: @cancellable is cancelled by the @n-th pass from now on;
 * %NULL: never. */
void tiny_cancel_after (GCancellable *cancellable, guint n);

/** tiny_count_pass: for another model type: a pass. */
void tiny_count_pass (void);

/** tiny_get_passes: number of passes since tiny_cancel_after(). */
guint tiny_get_passes (void);

/** tiny_tone, tiny_noise: (transfer full): a segment of 1600 samples at 8 kHz, @draw selects the random
 * numbers. */
SegueItem *tiny_tone (const char *id, guint draw);
SegueItem *tiny_noise (const char *id, guint draw);

/** tiny_songs: (transfer full): @n_songs each of tones and of noise, @n_segments per song, with labels and sets:
 * of each four songs the last is `validation` where @validation. */
GPtrArray *tiny_songs (guint n_songs, guint n_segments, gboolean validation);

/* Types that take vectors: fitted in closed form; fitted, then trained. */
extern const SegueModelType tiny_centroids, tiny_scaled;

/* Numbers of a vector. */
#define TINY_VECTOR 6

/** tiny_vector: (transfer full): a vector that is easy to classify; @draw selects the random numbers. */
SegueItem *tiny_vector (SegueItem *parent, const char *suffix, gboolean tone, guint draw);

/** tiny_vectors: (transfer full): tiny_songs() as vectors. */
GPtrArray *tiny_vectors (guint n_songs, guint n_segments, gboolean validation);
