/* A passage of audio as the bytes of a file that browsers play. */
#pragma once

#include <segue/item.h>

typedef enum { PASSAGE_OPUS, PASSAGE_FLAC } PassageFormat;

/** passage_can: whether this libsndfile writes @format. */
gboolean passage_can (PassageFormat format);

/** passage_suffix: of the names of files in @format: "opus" or "flac". */
const char *passage_suffix (PassageFormat format);

/**
 * passage_encode: (transfer full):
 * @audio: an item with its frames, whose first one is at @begin s of the song
 * @start, @duration: s of the song; parts outside of @audio are omitted
 * @format: FLAC is used where Opus does not support the rate
 * @suffix: (out): of the file's name: passage_suffix() of the format that was used
 *
 * Equal audio gives equal bytes. More than two channels are mixed to one. %SEGUE_ERROR_DATA where
 * no part of it is in @audio.
 */
GBytes *passage_encode (const SegueItem *audio, double begin, double start, double duration,
                        PassageFormat format, const char **suffix, GError **error);
