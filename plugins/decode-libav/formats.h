/* Allowed formats: containers and codecs of recordings.
 *
 * libavformat knows 350 formats, among them playlists, which open other files, and formats of game
 * consoles; each is code that reads untrusted files. Those here are formats in which people store
 * music. Pictures and video are not decoded.
 */
#pragma once

#include "libav.h"

/** formats_containers: names of demuxers, separated by commas. */
extern const char formats_containers[];
/** formats_codecs: (transfer none): names of decoders, separated by commas; after libav_load(). */
const char *formats_codecs (void);
/** formats_find_decoder: (nullable): only allowed decoders. */
const AVCodec *formats_find_decoder (enum AVCodecID id);
