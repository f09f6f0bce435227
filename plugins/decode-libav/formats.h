/* What is let in: containers and codecs of recordings.
 *
 * libavformat knows 350 formats, among them playlists, which open other files, and what consoles
 * play; each is code that reads what strangers made.  Those here are what people have music in.
 * Pictures and video are not decoded.
 */
#pragma once

#include "libav.h"

/** formats_containers: names of demuxers, by commas. */
extern const char formats_containers[];
/** formats_codecs: (transfer none): names of decoders, by commas; after libav_load(). */
const char *formats_codecs (void);
/** formats_find_decoder: (nullable): that is let in. */
const AVCodec *formats_find_decoder (enum AVCodecID id);
