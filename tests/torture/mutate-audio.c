/* mutate-audio FOLDER FIRST COUNT: audio files of every format that can be encoded here, damaged in
 * as many ways. The name is `<number>.<format>`; equal numbers give equal bytes. mutate-audio
 * FOLDER: the undamaged files. */
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>

#define MAX_BYTES ((guint) 256 * 1024)

typedef struct {
  const char *extension, *pipeline;
} Format;

#define TONE                                                                                       \
  "audiotestsrc wave=%s freq=440 volume=0.5 samplesperbuffer=4410 num-buffers=15 ! "               \
  "audio/x-raw,rate=44100,channels=2 ! audioconvert ! "

static const Format formats[] = {
  { "mp3", TONE "lamemp3enc ! xingmux" },
  { "flac", TONE "flacenc" },
  { "ogg", TONE "vorbisenc ! oggmux" },
  { "opus", TONE "audioresample ! opusenc ! oggmux" },
  { "wav", TONE "audio/x-raw,format=S16LE ! wavenc" },
  { "m4a", TONE "avenc_aac ! mp4mux" },
  { "mp3", TONE "lamemp3enc target=bitrate cbr=true bitrate=64 ! id3v2mux" },
  { "m4a", TONE "avenc_aac ! mp4mux faststart=true" },
};
static const char *const waves[] = { "sine", "pink-noise" };

/* ---- Random numbers ---- */

static guint64
next_random (guint64 *state)
{
  /* splitmix64 */
  guint64 z = (*state += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static guint
below (guint64 *state, guint n)
{
  return (guint) (next_random (state) % MAX (n, 1));
}

/* ---- Damage ---- */

/* Positions near the beginning, where sizes and settings are, are as frequent as all others. */
static guint
place (guint64 *state, const GByteArray *file)
{
  return below (state, below (state, 2) ? MIN (file->len, 512) : file->len);
}

static void
flip_bits (GByteArray *file, const GByteArray *other, guint64 *state)
{
  for (guint n = 1 + below (state, 40); n > 0; n--)
    file->data[place (state, file)] ^= (guint8) (1u << below (state, 8));
}

/* Invalid values for a size, a rate or a number of channels. */
static void
overwrite_number (GByteArray *file, const GByteArray *other, guint64 *state)
{
  static const guint32 telling[] = { 0,          1,          2,         0x7f,    0xff,
                                     0x100,      0x7fff,     0xffff,    0x10000, 0x7fffffff,
                                     0x80000000, 0xfffffffe, 0xffffffff };
  guint32 number = telling[below (state, G_N_ELEMENTS (telling))];
  guint at = place (state, file), size = 1u << below (state, 3);
  number = below (state, 2) ? GUINT32_TO_LE (number) : GUINT32_TO_BE (number) >> (32 - 8 * size);
  memcpy (file->data + at, &number, MIN (size, file->len - at));
}

static void
cut_off (GByteArray *file, const GByteArray *other, guint64 *state)
{
  g_byte_array_set_size (file, place (state, file));
}

static void
remove_block (GByteArray *file, const GByteArray *other, guint64 *state)
{
  guint at = place (state, file);
  g_byte_array_remove_range (file, at, 1 + below (state, MIN (4096, file->len - at)));
}

static void
insert (GByteArray *file, guint at, const guint8 *bytes, guint size)
{
  guint old = file->len;
  if (size == 0 || old > MAX_BYTES)
    return;
  g_autofree guint8 *copy = g_memdup2 (bytes, size);
  g_byte_array_set_size (file, old + size);
  memmove (file->data + at + size, file->data + at, old - at);
  memcpy (file->data + at, copy, size);
}

static void
repeat_block (GByteArray *file, const GByteArray *other, guint64 *state)
{
  guint from = place (state, file), size = 1 + below (state, MIN (4096, file->len - from));
  for (guint n = 1 + below (state, 8); n > 0; n--)
    insert (file, place (state, file), file->data + from, size);
}

static void
splice (GByteArray *file, const GByteArray *other, guint64 *state)
{
  guint from = below (state, other->len), size = 1 + below (state, MIN (8192, other->len - from));
  insert (file, place (state, file), other->data + from, size);
}

static void
fill_block (GByteArray *file, const GByteArray *other, guint64 *state)
{
  guint at = place (state, file), size = 1 + below (state, MIN (4096, file->len - at));
  gboolean noise = below (state, 2) != 0;
  guint8 value = (guint8) (below (state, 2) ? 0xff : 0);
  for (guint i = 0; i < size; i++)
    file->data[at + i] = noise ? (guint8) next_random (state) : value;
}

typedef void (*Damage) (GByteArray *file, const GByteArray *other, guint64 *state);

static const Damage damages[] = { flip_bits,    overwrite_number, cut_off,   remove_block,
                                  repeat_block, splice,           fill_block };

/* ---- Files ---- */

/* (nullable): an undamaged file of @format; %NULL where it can't be encoded here. */
static GByteArray *
encode (const Format *format, const char *wave, const char *folder)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder, "base", NULL);
  g_autoptr (GString) text = g_string_new (format->pipeline);
  g_string_replace (text, "%s", wave, 0);
  g_string_append_printf (text, " ! filesink location=%s", path);
  g_autoptr (GstElement) pipeline = gst_parse_launch (text->str, &error);
  if (error)
    return NULL;
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstMessage) message =
    gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_assert_true (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS);
  char *bytes;
  gsize length;
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  g_unlink (path);
  return g_byte_array_new_take ((guint8 *) bytes, length);
}

static void
write_whole (const char *folder, GPtrArray *bases, GPtrArray *extensions)
{
  for (guint i = 0; i < bases->len; i++) {
    const GByteArray *base = g_ptr_array_index (bases, i);
    const char *extension = g_ptr_array_index (extensions, i);
    g_autofree char *path = g_strdup_printf ("%s/whole-%02u.%s", folder, i, extension);
    g_autoptr (GError) error = NULL;
    g_file_set_contents (path, (const char *) base->data, (gssize) base->len, &error);
    g_assert_no_error (error);
  }
}

static void
write_damaged (const char *folder, guint number, GPtrArray *bases, GPtrArray *extensions)
{
  guint64 state = number;
  guint chosen = number % bases->len;
  const GByteArray *base = g_ptr_array_index (bases, chosen);
  const GByteArray *other = g_ptr_array_index (bases, below (&state, bases->len));
  g_autoptr (GByteArray) file = g_byte_array_new ();
  g_byte_array_append (file, base->data, base->len);
  for (guint n = 1 + below (&state, 4); n > 0 && file->len > 0; n--)
    damages[below (&state, G_N_ELEMENTS (damages))](file, other, &state);

  g_autofree char *path = g_strdup_printf ("%s/%06u.%s", folder, number,
                                           (const char *) g_ptr_array_index (extensions, chosen));
  g_autoptr (GError) error = NULL;
  g_file_set_contents_full (path, (const char *) file->data, (gssize) file->len,
                            G_FILE_SET_CONTENTS_NONE, 0644, &error);
  g_assert_no_error (error);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  if (argc != 2 && argc != 4)
    return 64;
  const char *folder = argv[1];
  guint first = argc == 4 ? (guint) g_ascii_strtoull (argv[2], NULL, 10) : 0;
  guint count = argc == 4 ? (guint) g_ascii_strtoull (argv[3], NULL, 10) : 0;
  g_autoptr (GPtrArray) bases =
    g_ptr_array_new_with_free_func ((GDestroyNotify) g_byte_array_unref);
  g_autoptr (GPtrArray) extensions = g_ptr_array_new ();
  g_assert_cmpint (g_mkdir_with_parents (folder, 0777), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (formats) * G_N_ELEMENTS (waves); i++) {
    const Format *format = &formats[i / G_N_ELEMENTS (waves)];
    GByteArray *base = encode (format, waves[i % G_N_ELEMENTS (waves)], folder);
    if (!base) {
      g_print ("not here: %s\n", format->pipeline);
      continue;
    }
    g_ptr_array_add (bases, base);
    g_ptr_array_add (extensions, (gpointer) format->extension);
  }
  g_assert_cmpuint (bases->len, >, 0);
  if (argc == 2)
    write_whole (folder, bases, extensions);
  for (guint i = first; i < first + count; i++)
    write_damaged (folder, i, bases, extensions);
  return 0;
}
