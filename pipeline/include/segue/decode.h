/* Songs as sound, for stages and hosts that need the original.
 *
 * The stage `decode` does it, in a process of its own: neither the caller nor libsegue links a
 * decoder, and a song that crashes or hangs one costs that song only.
 *
 *   g_autoptr (SegueDecoder) decoder = segue_decoder_new (registry, 48000, &error);
 *   g_autoptr (SegueItem) song = segue_decoder_decode (decoder, path, cancellable, &error);
 */
#pragma once

#include <gio/gio.h>
#include <segue/context.h>

G_BEGIN_DECLS

typedef struct _SegueDecoder SegueDecoder;

/**
 * segue_decoder_new:
 * @registry: borrowed for the decoder's life
 * @rate: Hz of what comes out; channels are those of the file
 * @max_duration: s; of a longer song comes the beginning
 *
 * %NULL with %SEGUE_ERROR_PIPELINE where no plugin has a stage type `decode`.  One thread at a time.
 */
SEGUE_API
SegueDecoder *segue_decoder_new (SegueRegistry *registry, guint rate, double max_duration,
                                 GError **error);
/** segue_decoder_free: accepts %NULL. */
SEGUE_API
void segue_decoder_free (SegueDecoder *decoder);

/** segue_decoder_decode: (transfer full): the file at @path (bytes as the system has them) as one
 * audio item, in memory.  Where segue_error_is_about_item(), or it is %SEGUE_ERROR_NO_INPUT, the next
 * song may go well. */
SEGUE_API
SegueItem *segue_decoder_decode (SegueDecoder *decoder, const char *path, GCancellable *cancellable,
                                 GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueDecoder, segue_decoder_free)

G_END_DECLS
