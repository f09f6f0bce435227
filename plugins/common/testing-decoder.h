/* Shared by the tests of decoders. */
#pragma once

#include "testing.h"

typedef struct {
  const SeguePlugin *plugin;
  const char *stage;
} TestDecoder;

typedef struct {
  char *folder;
} DecoderFixture;

typedef struct {
  const char *name;
  void (*function) (DecoderFixture *fixture, gconstpointer decoder);
} TestDecoderCase;

/* %NULL-named entry at the end. */
extern const TestDecoderCase decoder_sound_cases[];
extern const TestDecoderCase decoder_refused_cases[];

const TestFormat *decoder_find_format (const char *name);
char *decoder_path (DecoderFixture *fixture, const char *name);
/* A song of noise-free sines; its path. */
char *decoder_make_song (DecoderFixture *fixture, const char *name, const TestFormat *format,
                         double hz, double seconds, guint rate, guint channels);
void decoder_put_bytes (const char *path, const char *bytes, gsize length);

/* The single resulting item; decoder_decode () requires that there is one. */
SegueItem *decoder_try (const TestDecoder *decoder, const char *config, const char *path,
                        GError **error);
SegueItem *decoder_decode (const TestDecoder *decoder, const char *config, const char *path);
gsize decoder_length (const SegueItem *item);
/* @code: %SEGUE_ERROR_DATA: or UNSUPPORTED. */
void decoder_assert_refused (const TestDecoder *decoder, const char *config, const char *path,
                             int code, const char *why);
