/* Shared by the tests of decoders: a fixture, and the guarantees of every decoder. */
#pragma once

#include "testing.h"

typedef struct {
  char *folder;
} DecoderFixture;

typedef struct {
  const char *name;
  void (*function) (DecoderFixture *fixture, gconstpointer decoder);
} TestDecoderCase;

/** TestDecoder: @stage of @plugin. @fingerprint: what it names, %NULL-terminated.
 * @cases: (nullable): the tests that are specific to it. */
typedef struct {
  const SeguePlugin *plugin;
  const char *stage;
  const char *fingerprint[4];
  const TestDecoderCase *cases;
} TestDecoder;

/** test_add_decoder: adds the tests that every decoder has to pass, and its own, under "/STAGE/". */
void test_add_decoder (const TestDecoder *decoder);

/* %NULL-named entry at the end. */
extern const TestDecoderCase decoder_sound_cases[];
extern const TestDecoderCase decoder_refused_cases[];

const TestFormat *decoder_find_format (const char *name);
char *decoder_path (DecoderFixture *fixture, const char *name);
/* A song of noise-free sines; its path. */
char *decoder_make_song (DecoderFixture *fixture, const char *name, const TestFormat *format,
                         double hz, double seconds, guint rate, guint channels);
void decoder_put_bytes (const char *path, const char *bytes, gsize length);

/* Parameters of a decoder: for the tests that do not concern rate and channels. */
#define DECODER_MONO "{ rate: 16000, channels: mono }"

/* The single resulting item; decoder_decode () requires that there is one. */
SegueItem *decoder_try (const TestDecoder *decoder, const char *config, const char *path,
                        GError **error);
SegueItem *decoder_decode (const TestDecoder *decoder, const char *config, const char *path);
/* The same from @start to @end s: segue_item_get_passage(). */
SegueItem *decoder_try_passage (const TestDecoder *decoder, const char *config, const char *path,
                                double start, double end, GError **error);
SegueItem *decoder_decode_passage (const TestDecoder *decoder, const char *config, const char *path,
                                   double start, double end);
gsize decoder_length (const SegueItem *item);
/* The tone of 440 Hz at 16 kHz, for @seconds ± @off, and nothing else. */
void decoder_assert_tone (const SegueItem *item, double seconds, double off);
/* @code: %SEGUE_ERROR_DATA: or UNSUPPORTED. */
void decoder_assert_refused (const TestDecoder *decoder, const char *config, const char *path,
                             int code, const char *why);
