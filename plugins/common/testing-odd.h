/* Unusual but complete files as found in practice, made byte by byte: 16,001 frames at 16 kHz, 440 Hz at half of
 * full scale. */
#pragma once

#include <glib.h>

typedef void (*TestOddFunc) (const guint8 *bytes, gsize length, gsize n_frames, gpointer data);

/** test_odd_waves, test_odd_aiffs: calls @check with each. */
void test_odd_waves (TestOddFunc check, gpointer data);
void test_odd_aiffs (TestOddFunc check, gpointer data);

/** test_odd_mp3s: @bytes: an MP3 with a Xing or Info header; calls @check with that and with forms whose header
 * counts wrongly, is of another kind, or follows padding. @n_frames: passed to @check. */
void test_odd_mp3s (const guint8 *bytes, gsize length, gsize n_frames, TestOddFunc check,
                    gpointer data);

/** test_make_wave: (transfer full): a regular one: 16 bits, mono, 44 bytes of header. */
GByteArray *test_make_wave (void);
/** test_make_aiff: (transfer full): of 16 bits, with these values in its header. */
GByteArray *test_make_aiff (guint32 form_size, guint32 n_frames, guint32 sound_size);
