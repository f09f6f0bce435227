/* Unusual but complete files as found in practice: every decoder that reads the format decodes all of the
 * audio. */
#include "testing-odd.h"

#include "testing.h"

#include <math.h>
#include <string.h>

#define RATE     16000
#define N_FRAMES 16001

typedef struct {
  const char *name;
  guint bits, channels;
  guint32 data_size, riff_size; /* 0: unchanged */
  const char *before, *behind;  /* chunks, as bytes */
  gsize before_length, behind_length;
  gboolean has_no_pad;
  guint valid_bits; /* WAVE_FORMAT_EXTENSIBLE */
  gboolean has_no_size;
  gboolean has_wrong_block; /* of one byte a frame */
  const char *ahead;        /* of the header: no bytes of the format */
} OddWave;

/* clang-format off */
static const OddWave waves[] = {
  { "24 bits with a pad byte", .bits = 24, .channels = 1 },
  { "8 bits with a pad byte", .bits = 8, .channels = 1 },
  { "8 bits without a pad byte", .bits = 8, .channels = 1, .has_no_pad = TRUE },
  { "a pipe of sox", .bits = 16, .channels = 2, .data_size = 0x7ffff000, .riff_size = 0x7ffff024 },
  { "a pipe of lame", .bits = 16, .channels = 2, .data_size = 0x7fffffff, .riff_size = 0x7fffffff },
  { "a pipe of arecord", .bits = 16, .channels = 2, .data_size = 0x80000000, .riff_size = 0x80000024 },
  { "a pipe of ffmpeg", .bits = 16, .channels = 2, .data_size = 0xffffffff, .riff_size = 0xffffffff },
  { "a pipe, 24 bytes less", .bits = 16, .channels = 2, .data_size = 0xffffffe7, .riff_size = 0xffffffff },
  { "a recorder that lost power", .bits = 16, .channels = 1, .has_no_size = TRUE },
  { "an odd chunk without its pad byte", .bits = 16, .channels = 1, .before = "LIST\x19\0\0\0INFOISFT\x0d\0\0\0Synthetic 1.0", .before_length = sizeof "LIST\x19\0\0\0INFOISFT\x0d\0\0\0Synthetic 1.0" - 1 },
  { "an odd chunk with its pad byte", .bits = 16, .channels = 1, .before = "LIST\x19\0\0\0INFOISFT\x0d\0\0\0Synthetic 1.0\0", .before_length = sizeof "LIST\x19\0\0\0INFOISFT\x0d\0\0\0Synthetic 1.0\0" - 1 },
  { "an odd chunk of no known name", .bits = 16, .channels = 1, .before = "qwer\5\0\0\0abcde", .before_length = sizeof "qwer\5\0\0\0abcde" - 1 },
  { "a tag behind the sound", .bits = 16, .channels = 1, .behind = "id3 \x0a\0\0\0ID3\3\0\0\0\0\0\0", .behind_length = 18 },
  { "bytes behind the sound", .bits = 24, .channels = 1, .behind = "1234567", .behind_length = 7 },
  { "24 bits in 32", .bits = 32, .channels = 1, .valid_bits = 24 },
  { "20 bits in 24", .bits = 24, .channels = 2, .valid_bits = 20 },
  { "frames of a wrong size", .bits = 16, .channels = 2, .has_wrong_block = TRUE },
  { "the header of an answer ahead", .bits = 16, .channels = 1, .ahead = "HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n\r\n" },
};
/* clang-format on */

static void
put (GByteArray *bytes, const void *data, gsize length)
{
  g_byte_array_append (bytes, data, (guint) length);
}

static void
put_le (GByteArray *bytes, guint64 value, guint n)
{
  for (guint i = 0; i < n; i++) {
    guint8 byte = (guint8) (value >> 8 * i);

    put (bytes, &byte, 1);
  }
}

/* A sine that every sample type can represent. */
static void
put_samples (GByteArray *bytes, guint bits, guint channels)
{
  for (guint i = 0; i < N_FRAMES; i++) {
    double x = 0.5 * sin (2 * G_PI * 440 * i / RATE);
    gint64 value = llround (x * (double) ((gint64) 1 << (bits - 1))) + (bits == 8 ? 128 : 0);

    for (guint c = 0; c < channels; c++)
      put_le (bytes, (guint64) value, bits / 8);
  }
}

static void
put_format (GByteArray *bytes, const OddWave *wave)
{
  guint width = wave->bits / 8 * wave->channels;

  put (bytes, "fmt ", 4);
  put_le (bytes, wave->valid_bits ? 40 : 16, 4);
  put_le (bytes, wave->valid_bits ? 0xfffe : 1, 2);
  put_le (bytes, wave->channels, 2);
  put_le (bytes, RATE, 4);
  put_le (bytes, RATE * width, 4);
  put_le (bytes, wave->has_wrong_block ? 1 : width, 2);
  put_le (bytes, wave->valid_bits ? wave->valid_bits : wave->bits, 2);
  if (!wave->valid_bits)
    return;
  put_le (bytes, 22, 2);
  put_le (bytes, wave->valid_bits, 2);
  put_le (bytes, 0, 4);
  put (bytes, "\1\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71", 16);
}

static GByteArray *
make_wave (const OddWave *wave)
{
  GByteArray *bytes = g_byte_array_new ();
  guint64 size = (guint64) N_FRAMES * wave->bits / 8 * wave->channels;

  if (wave->ahead)
    put (bytes, wave->ahead, strlen (wave->ahead));
  put (bytes, "RIFF", 4);
  put_le (bytes, wave->riff_size ? wave->riff_size : size + 36 + wave->before_length, 4);
  put (bytes, "WAVE", 4);
  put_format (bytes, wave);
  put (bytes, wave->before, wave->before_length);
  put (bytes, "data", 4);
  put_le (bytes, wave->has_no_size ? 0 : wave->data_size ? wave->data_size : size, 4);
  put_samples (bytes, wave->bits, wave->channels);
  if (size & 1 && !wave->has_no_pad)
    put_le (bytes, 0, 1);
  put (bytes, wave->behind, wave->behind_length);
  return bytes;
}

/* RIFX: all numbers are big-endian. */
static GByteArray *
make_big_wave (void)
{
  GByteArray *bytes = g_byte_array_new ();
  const guint32 size = 2 * N_FRAMES;
  const guint32 sizes[] = { GUINT32_TO_BE (size + 36), GUINT32_TO_BE (size) };

  put (bytes, "RIFX", 4);
  put (bytes, &sizes[0], 4);
  put (bytes, "WAVEfmt \0\0\0\x10\0\1\0\1\0\0\x3e\x80\0\0\x7d\0\0\2\0\x10", 28);
  put (bytes, "data", 4);
  put (bytes, &sizes[1], 4);
  put_samples (bytes, 16, 1);
  for (gsize i = bytes->len - size; i < bytes->len; i += 2) {
    guint8 low = bytes->data[i];

    bytes->data[i] = bytes->data[i + 1];
    bytes->data[i + 1] = low;
  }
  return bytes;
}

/* AU with @size in its header. */
static GByteArray *
make_au (guint32 size)
{
  GByteArray *bytes = make_big_wave ();
  guint8 header[24] = ".snd\0\0\0\x18\0\0\0\0\0\0\0\3\0\0\x3e\x80\0\0\0\1";

  for (guint i = 0; i < 4; i++)
    header[8 + i] = (guint8) (size >> (24 - 8 * i));
  g_byte_array_remove_range (bytes, 0, 44);
  return g_byte_array_prepend (bytes, header, sizeof header);
}

void
test_odd_waves (TestOddFunc check, gpointer data)
{
  static const guint32 au_sizes[] = { 2 * N_FRAMES, 0, 0xffffffff, 0x7ffff000, 500 };
  g_autoptr (GByteArray) big = make_big_wave ();

  g_test_message ("RIFX");
  check (big->data, big->len, N_FRAMES, data);
  for (guint i = 0; i < G_N_ELEMENTS (au_sizes); i++) {
    g_autoptr (GByteArray) bytes = make_au (au_sizes[i]);

    g_test_message ("AU, %x", au_sizes[i]);
    check (bytes->data, bytes->len, N_FRAMES, data);
  }
  for (guint i = 0; i < G_N_ELEMENTS (waves); i++) {
    g_autoptr (GByteArray) bytes = make_wave (&waves[i]);

    g_test_message ("%s", waves[i].name);
    check (bytes->data, bytes->len, N_FRAMES, data);
  }
}

GByteArray *
test_make_wave (void)
{
  return make_wave (&(OddWave){ .bits = 16, .channels = 1 });
}

GByteArray *
test_make_aiff (guint32 form_size, guint32 n_frames, guint32 sound_size)
{
  GByteArray *bytes = g_byte_array_new ();
  const guint32 sizes[] = { GUINT32_TO_BE (form_size), GUINT32_TO_BE (n_frames),
                            GUINT32_TO_BE (sound_size) };

  put (bytes, "FORM", 4);
  put (bytes, &sizes[0], 4);
  put (bytes, "AIFFCOMM\0\0\0\x12\0\1", 14);
  put (bytes, &sizes[1], 4);
  put (bytes, "\0\x10\x40\x0c\xfa\0\0\0\0\0\0\0", 12); /* 16 bits, 16000 Hz */
  put (bytes, "SSND", 4);
  put (bytes, &sizes[2], 4);
  put_le (bytes, 0, 8);
  for (guint i = 0; i < N_FRAMES; i++) {
    gint16 value = (gint16) llround (0x4000 * sin (2 * G_PI * 440 * i / RATE));

    value = GINT16_TO_BE (value);
    put (bytes, &value, 2);
  }
  return bytes;
}

void
test_odd_aiffs (TestOddFunc check, gpointer data)
{
  static const guint32 sizes[][3] = {
    { 46 + 2 * N_FRAMES + 8, N_FRAMES, 2 * N_FRAMES + 8 },
    { 0xffffffff, 0, 0xffffffff },
    { 0x7fffffff, 0x3fffffff, 0x7fffffff },
    { 0x7ffff02e, 0x3ffff800, 0x7ffff008 },
    { 0, 0, 0 },
    { 46 + 2 * N_FRAMES + 8, 500, 2 * N_FRAMES + 8 },
  };
  static const guint8 tag[] = { 'I', 'D', '3', 3, 0, 0, 0, 0, 0, 5, 'h', 'e', 'l', 'l', 'o' };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (GByteArray) bytes = test_make_aiff (sizes[i][0], sizes[i][1], sizes[i][2]);

    g_test_message ("AIFF %u", i);
    check (bytes->data, bytes->len, N_FRAMES, data);
    g_byte_array_prepend (bytes, tag, sizeof tag);
    check (bytes->data, bytes->len, N_FRAMES, data);
  }
}

/* Frames and bytes of a Xing or Info header as a VBRI header, at its position. */
static void
put_vbri (guint8 *bytes, const guint8 *xing)
{
  static const guint8 version[] = { 'V', 'B', 'R', 'I', 0, 1, 0, 0, 0, 75 };
  guint8 counts[8];

  memcpy (counts, xing + 12, 4);
  memcpy (counts + 4, xing + 8, 4);
  memset (bytes + 4, 0, 180);
  memcpy (bytes + 36, version, sizeof version);
  memcpy (bytes + 46, counts, sizeof counts);
}

/* Of LAME in the first frame. */
static gsize
find_header (const guint8 *bytes)
{
  for (gsize at = 0; at < 200; at++)
    if (memcmp (bytes + at, "Info", 4) == 0 || memcmp (bytes + at, "Xing", 4) == 0)
      return at;
  g_assert_not_reached ();
}

/* ID3v2 with a picture, whose stated size is too small, too large, and larger than the file. */
static void
check_wrong_tags (const guint8 *bytes, gsize length, gsize n_frames, TestOddFunc check,
                  gpointer data)
{
  static const guint32 sizes[] = { 1000, 40000, 0x0fffffff };
  const gsize picture = 300000;

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    gsize before = 10 + (i == 0 ? picture : 2000);
    g_autofree guint8 *odd = g_malloc0 (before + length);
    guint32 state = 3;

    memcpy (odd, "ID3\3", 4);
    for (guint k = 0; k < 4; k++)
      odd[6 + k] = (guint8) (sizes[i] >> (21 - 7 * k) & 0x7f);
    for (gsize k = 10; k < before; k++)
      odd[k] = (guint8) ((state = state * 1664525 + 1013904223) >> 24);
    memcpy (odd + before, bytes, length);
    g_test_message ("a tag that states %u bytes", sizes[i]);
    check (odd, before + length, n_frames, data);
  }
}

void
test_odd_mp3s (const guint8 *bytes, gsize length, gsize n_frames, TestOddFunc check, gpointer data)
{
  static const struct {
    const char *name;
    guint8 count[4];
  } wrong[] = {
    { "three times the frames", { 0, 0, 4, 0 } },
    { "few frames", { 0, 0, 0, 40 } },
    { "no frames", { 0, 0, 0, 0 } },
    { "all frames", { 0xff, 0xff, 0xff, 0xff } },
  };
  gsize at = find_header (bytes);
  g_autofree guint8 *odd = g_malloc0 (length + 5000);

  check (bytes, length, n_frames, data);
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_test_message ("a header that states %s", wrong[i].name);
    memcpy (odd, bytes, length);
    memcpy (odd + at + 8, wrong[i].count, 4);
    check (odd, length, n_frames, data);
  }
  g_test_message ("VBRI");
  put_vbri (odd, bytes + at);
  check (odd, length, n_frames, data);
  check_wrong_tags (bytes, length, n_frames, check, data);
  g_test_message ("padding before and behind");
  memset (odd, 0, 3000);
  memcpy (odd + 3000, bytes, length);
  memset (odd + 3000 + length, 0, 2000);
  check (odd, length + 5000, n_frames, data);
}
