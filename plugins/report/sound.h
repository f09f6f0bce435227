/* A stretch of sound as the bytes of a file that browsers play. */
#pragma once

#include <segue/item.h>

typedef enum { REPORT_OPUS, REPORT_FLAC } ReportFormat;

/** report_sound_can: whether this libsndfile writes @format. */
gboolean report_sound_can (ReportFormat format);

/**
 * report_sound_encode: (transfer full):
 * @audio: an item with its frames, whose first one is at @begin s of the song
 * @start, @duration: s of the song; what lies outside of @audio is left away
 * @format: FLAC is taken where Opus does not know the rate
 * @suffix: (out): of the file's name, "opus" or "flac"
 *
 * The same bytes for the same sound.  More than two channels are mixed to one.  %SEGUE_ERROR_DATA
 * where nothing of it is in @audio.
 */
GBytes *report_sound_encode (const SegueItem *audio, double begin, double start, double duration,
                             ReportFormat format, const char **suffix, GError **error);
