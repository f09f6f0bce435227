/* Decoding of songs, for stages and hosts that need the original audio.
 *
 * The stage `decode` does the work in a separate process: neither the caller nor libsegue links a
 * decoder, and a song that crashes or hangs a decoder affects that song only.
 *
 *   g_autoptr (SegueDecoder) decoder = segue_decoder_new (registry, 48000, &error);
 *   g_autoptr (SegueItem) song = segue_decoder_decode (decoder, path, cancellable, &error);
 */
#pragma once

#include <segue/context.h>
#include <segue/registry.h>

G_BEGIN_DECLS

typedef struct _SegueDecoder SegueDecoder;

/**
 * segue_decoder_new:
 * @registry: borrowed; must outlive the decoder
 * @rate: sample rate of the output in Hz; channels are those of the file
 * @max_duration: s; a longer song is truncated to its beginning
 *
 * %NULL with %SEGUE_ERROR_PIPELINE if no plugin provides a stage type `decode`. One thread at a time.
 */
SEGUE_API
SegueDecoder *segue_decoder_new (SegueRegistry *registry, guint rate, double max_duration,
                                 GError **error);
/** segue_decoder_free: accepts %NULL. */
SEGUE_API
void segue_decoder_free (SegueDecoder *decoder);

/** segue_decoder_decode: (transfer full): the file at @path (bytes as the system has them) as one
 * audio item, in memory. After an error that segue_error_is_about_item(), or %SEGUE_ERROR_NO_INPUT, the
 * decoder can be used for the next song. */
SEGUE_API
SegueItem *segue_decoder_decode (SegueDecoder *decoder, const char *path, GCancellable *cancellable,
                                 GError **error);

/** segue_decoder_decode_passage: the same for the part from @start to @end s, which takes a fraction of the time. The
 * item may contain more: %SEGUE_META_START is when it begins. %SEGUE_ERROR_DATA if the song ends before @start. */
SEGUE_API
SegueItem *segue_decoder_decode_passage (SegueDecoder *decoder, const char *path, double start,
                                         double end, GCancellable *cancellable, GError **error);

/** segue_decoder_use_cache: segue_decoder_recall() and segue_decoder_keep() use the cache of the run from now on, for the
 * stage of @context, which must outlive the decoder. A stage that is not in a run has no cache. */
SEGUE_API
void segue_decoder_use_cache (SegueDecoder *decoder, SegueContext *context);

/**
 * segue_decoder_recall: (transfer full) (nullable): bytes that this stage made of a song in an earlier run, or in this
 * one.
 * @path: of the song: its content counts, not its name
 * @what: all that they depend on beside the song, the decoders and the code of the stage (result_version, build,
 *   fingerprint), such as "clip opus 12.5 10"
 *
 * %NULL without an error: there are none.
 */
SEGUE_API
GBytes *segue_decoder_recall (SegueDecoder *decoder, const char *path, const char *what,
                              GCancellable *cancellable, GError **error);
/** segue_decoder_keep: caches @bytes, at least one, for segue_decoder_recall(), which was called for this song before it
 * was decoded. That there is no space for them is no error. %SEGUE_ERROR_DATA: the file has changed since then. */
SEGUE_API
gboolean segue_decoder_keep (SegueDecoder *decoder, const char *path, const char *what,
                             GBytes *bytes, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueDecoder, segue_decoder_free)

G_END_DECLS
