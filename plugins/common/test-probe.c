/* Tests of the probes: what containers declare, and that no file makes them fail. */
#include "probe.h"
#include "testing-odd.h"
#include "testing.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  char *path;
  guint8 *bytes;
  gsize length;
} File;

static File
make_file (const TestFormat *format, double seconds)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("segue-probe-XXXXXX", &error);
  gsize n_frames;
  g_autofree float *frames = test_sines (440, seconds, 48000, 2, &n_frames);
  File file = { g_build_filename (folder, "song", NULL), NULL, 0 };

  test_write_audio (file.path, format, frames, n_frames, 48000, 2);
  g_assert_true (g_file_get_contents (file.path, (char **) &file.bytes, &file.length, NULL));
  return file;
}

static void
clear_file (File *file)
{
  g_autofree char *folder = g_path_get_dirname (file->path);

  g_remove (file->path);
  g_rmdir (folder);
  g_free (file->path);
  g_free (file->bytes);
}

static void
probe_bytes (const guint8 *bytes, gsize length, Probe *probe)
{
  g_autoptr (GError) error = NULL;
  int fd = memfd_create ("probe", MFD_CLOEXEC);

  g_assert_cmpint (write (fd, bytes, length), ==, (gssize) length);
  probe_file (fd, probe, NULL, &error);
  g_assert_no_error (error);
  close (fd);
  g_assert_cmpfloat (probe->intact, >=, 0);
  g_assert_cmpfloat (probe->intact, <=, 1);
  g_assert_true (isnan (probe->declared) || probe->declared >= 0);
  g_assert_true (probe->intact == 1 || probe->damage);
}

static guint64
part_of (const Probe *probe, guint i)
{
  g_assert_cmpuint (i, <, probe->parts->len);
  return probe_get_part (probe, i)->start;
}

static void
test_whole_files (void)
{
  for (const TestFormat *format = test_formats; format->name; format++) {
    g_auto (Probe) probe = { 0 };
    File file;

    if (!test_format_can_be_written (format, 48000))
      continue;
    file = make_file (format, 3);
    probe_bytes (file.bytes, file.length, &probe);
    g_test_message ("%s: %s, %.4f s, intact %.4f", format->name, probe.container, probe.declared,
                    probe.intact);
    g_assert_nonnull (probe.container);
    g_assert_cmpfloat (probe.intact, ==, 1);
    g_assert_null (probe.refusal);
    g_assert_null (probe.remark);
    g_assert_cmpfloat_with_epsilon (probe.declared, 3, 0.01);
    clear_file (&file);
  }
}

/* Tags around the audio are not damage, and hide no damage. */
static void
test_tags (void)
{
  static const guint8 id3[] = { 'I', 'D', '3', 4, 0, 0, 0, 0, 2, 0 };
  const TestFormat *format = &test_formats[7];
  g_auto (Probe) tagged = { 0 }, cut = { 0 };
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autofree guint8 *filler = g_malloc0 (256);
  File file;

  if (!test_format_can_be_written (format, 48000)) {
    g_test_skip ("MP3 can't be written here");
    return;
  }
  file = make_file (format, 3);
  memset (filler, 0xff, 256); /* looks like the start of frames */
  g_byte_array_append (bytes, id3, sizeof id3);
  g_byte_array_append (bytes, filler, 256);
  g_byte_array_append (bytes, file.bytes, (guint) file.length);
  memcpy (filler, "TAG", 3);
  g_byte_array_append (bytes, filler, 128);
  probe_bytes (bytes->data, bytes->len, &tagged);
  g_assert_cmpstr (tagged.container, ==, "MPEG audio");
  g_assert_cmpfloat (tagged.intact, ==, 1);
  g_assert_cmpfloat_with_epsilon (tagged.declared, 3, 0.01);
  g_assert_cmpuint (tagged.parts->len, ==, 1);
  g_assert_cmpuint (part_of (&tagged, 0), ==, sizeof id3 + 256);
  probe_bytes (bytes->data, bytes->len / 2, &cut);
  g_assert_cmpfloat (cut.intact, <, 0.6);
  clear_file (&file);
}

/* A tag with a picture in front of any audio, whatever its size. */
static void
test_tags_in_front (void)
{
  static const guint8 id3[] = { 'I', 'D', '3', 4, 0, 0, 0, 18, 40, 0 };
  const guint size = 18 << 14 | 40 << 7;

  for (const TestFormat *format = test_formats; format->name; format++) {
    g_auto (Probe) probe = { 0 };
    g_autoptr (GByteArray) bytes = g_byte_array_new ();
    File file;

    if (!test_format_can_be_written (format, 48000))
      continue;
    file = make_file (format, 3);
    g_byte_array_append (bytes, id3, sizeof id3);
    g_byte_array_set_size (bytes, sizeof id3 + size);
    memset (bytes->data + sizeof id3, 0xff, size);
    g_byte_array_append (bytes, file.bytes, (guint) file.length);
    probe_bytes (bytes->data, bytes->len, &probe);
    g_test_message ("%s: %s", format->name, probe.refusal ? probe.refusal : probe.damage);
    g_assert_null (probe.refusal);
    g_assert_cmpfloat (probe.intact, ==, 1);
    g_assert_cmpfloat_with_epsilon (probe.declared, 3, 0.01);
    g_assert_cmpuint (part_of (&probe, 0), >=, sizeof id3 + size);
    clear_file (&file);
  }
}

/* A page taken out of the middle: no gap in the bytes, but one in the page numbers. */
static void
test_missing_page (void)
{
  const TestFormat *format = &test_formats[5];
  g_auto (Probe) probe = { 0 };
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  File file = make_file (format, 20);
  gsize pages[4096], n = 0, middle;

  for (gsize i = 0; i + 4 <= file.length && n < G_N_ELEMENTS (pages); i++)
    if (memcmp (file.bytes + i, "OggS", 4) == 0)
      pages[n++] = i;
  g_assert_cmpuint (n, >, 6);
  middle = n / 2;
  g_byte_array_append (bytes, file.bytes, (guint) pages[middle]);
  g_byte_array_append (bytes, file.bytes + pages[middle + 1],
                       (guint) (file.length - pages[middle + 1]));
  probe_bytes (bytes->data, bytes->len, &probe);
  g_assert_cmpfloat (probe.intact, <, 1);
  g_assert_nonnull (strstr (probe.damage, "1 of its pages"));
  clear_file (&file);
}

/* Concatenated files are one file with the sum of their durations, in one part each. */
static void
test_chain (void)
{
  const TestFormat *format = &test_formats[5];
  g_auto (Probe) probe = { 0 };
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  File first = make_file (format, 2), second = make_file (format, 3);

  g_byte_array_append (bytes, first.bytes, (guint) first.length);
  g_byte_array_append (bytes, second.bytes, (guint) second.length);
  probe_bytes (bytes->data, bytes->len, &probe);
  g_assert_cmpfloat (probe.intact, ==, 1);
  g_assert_cmpfloat_with_epsilon (probe.declared, 5, 0.01);
  g_assert_cmpuint (probe.parts->len, ==, 2);
  g_assert_cmpuint (part_of (&probe, 0), ==, 0);
  g_assert_cmpuint (part_of (&probe, 1), ==, first.length);
  clear_file (&first);
  clear_file (&second);
}

/* Data that taggers put around MPEG audio, alone and combined. */
static void
test_tags_behind (void)
{
  static const guint8 id3[] = { 'I', 'D', '3', 4, 0, 0x10, 0, 0, 31, 30 },
                      footer[] = { '3', 'D', 'I', 4, 0, 0x10, 0, 0, 31, 30 },
                      plain[] = { 'I', 'D', '3', 3, 0, 0, 0, 0, 31, 30 },
                      ape[] = { 'A', 'P', 'E', 'T', 'A', 'G', 'E', 'X', 0xd0, 7, 0, 0, 32 },
                      picture[] = { 0xff, 0xd8, 0xff, 0xe0 };
  static const struct {
    const char *name;
    const guint8 *head, *foot;
    gsize head_length, foot_length, filler;
  } tags[] = {
    { "ID3v2.4", id3, footer, sizeof id3, sizeof footer, 31 * 128 + 30 },
    { "ID3v2.3", plain, NULL, sizeof plain, 0, 31 * 128 + 30 },
    { "picture", picture, NULL, sizeof picture, 0, 60000 },
    { "Lyrics3 2.00", (const guint8 *) "LYRICSBEGIN", (const guint8 *) "004011LYRICS200", 11, 15,
      4000 },
    { "Lyrics3 1.00", (const guint8 *) "LYRICSBEGIN", (const guint8 *) "LYRICSEND", 11, 9, 4000 },
    { "APE", NULL, ape, 0, 32, 0 },
    { "zeros", (const guint8 *) "\0", NULL, 1, 0, 2000 },
  };
  const TestFormat *format = &test_formats[7];
  File file;

  if (!test_format_can_be_written (format, 48000)) {
    g_test_skip ("MP3 can't be written here");
    return;
  }
  file = make_file (format, 3);
  for (guint without = 0; without < 2; without++) {
    g_autoptr (GByteArray) all = g_byte_array_new ();
    guint8 padded[32] = { 0 };

    if (without) /* its Xing header: the number of frames is not declared */
      for (gsize i = 0; i < 300; i++)
        if (memcmp (file.bytes + i, "Xing", 4) == 0 || memcmp (file.bytes + i, "Info", 4) == 0)
          file.bytes[i] = 'x';
    g_byte_array_append (all, file.bytes, (guint) file.length);
    for (guint i = 0; i < G_N_ELEMENTS (tags); i++) {
      g_autoptr (GByteArray) bytes = g_byte_array_new ();
      g_autofree guint8 *filler = g_malloc0 (tags[i].filler + 1);
      gsize from = all->len;
      g_auto (Probe) one = { 0 };

      memset (filler, *tags[i].name == 'z' ? 0 : 0xa5, tags[i].filler);
      memcpy (padded, tags[i].foot ? tags[i].foot : padded, MIN (tags[i].foot_length, 13));
      g_byte_array_append (all, tags[i].head, (guint) tags[i].head_length);
      g_byte_array_append (all, filler, (guint) tags[i].filler);
      g_byte_array_append (all, tags[i].foot_length == 32 ? padded : tags[i].foot,
                           (guint) tags[i].foot_length);
      g_byte_array_append (bytes, file.bytes, (guint) file.length);
      g_byte_array_append (bytes, all->data + from, (guint) (all->len - from));
      probe_bytes (bytes->data, bytes->len, &one);
      g_test_message ("%s: %s", tags[i].name, one.damage);
      g_assert_cmpfloat (one.intact, ==, 1);
      g_assert_cmpfloat_with_epsilon (one.declared, 3, 0.1);
    }
  }
  clear_file (&file);
}

/* Frames of free format contain neither a bit rate nor a length: a frame ends where the next one begins. */
static void
test_free_format (void)
{
  static const guint8 header[] = { 0xff, 0xfb, 0x00, 0x44 };
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_auto (Probe) whole = { 0 }, gap = { 0 };

  for (guint i = 0; i < 50; i++) { /* every third with a byte of padding */
    guint8 padded[] = { header[0], header[1], i % 3 ? 0x00 : 0x02, header[3] };

    g_byte_array_append (bytes, padded, sizeof padded);
    g_byte_array_set_size (bytes, bytes->len + 900 - 4 + (i % 3 ? 0 : 1));
    memset (bytes->data + bytes->len - 890, 0x5a, 890);
  }
  probe_bytes (bytes->data, bytes->len, &whole);
  g_assert_cmpstr (whole.container, ==, "MPEG audio");
  g_assert_cmpfloat (whole.intact, ==, 1);
  g_assert_cmpfloat_with_epsilon (whole.declared, 50 * 1152 / 44100.0, 1e-6);
  g_byte_array_remove_range (bytes, 20000, 300);
  probe_bytes (bytes->data, bytes->len, &gap);
  g_assert_cmpfloat (gap.intact, <, 1);
}

/* Zeros in place of audio, from a disk or a download, are damage with and without a Xing header. */
static void
test_zeros_inside (void)
{
  const TestFormat *format = &test_formats[7];
  File file;

  if (!test_format_can_be_written (format, 48000)) {
    g_test_skip ("MP3 can't be written here");
    return;
  }
  file = make_file (format, 20);
  for (guint without = 0; without < 2; without++) {
    g_autofree guint8 *bytes = g_memdup2 (file.bytes, file.length);
    g_auto (Probe) middle = { 0 }, end = { 0 };

    if (without)
      memset (bytes + 30, 'x', 20);
    memset (bytes + file.length / 2, 0, file.length / 10);
    probe_bytes (bytes, file.length, &middle);
    g_assert_cmpfloat (middle.intact, <, 0.95);
    memset (bytes + file.length / 2, 0, file.length - file.length / 2);
    probe_bytes (bytes, file.length, &end);
    g_assert_cmpfloat (end.intact, <, 0.95);
  }
  clear_file (&file);
}

static guint32
ogg_checksum (const guint8 *page, gsize length)
{
  guint32 sum = 0;

  for (gsize i = 0; i < length; i++) {
    sum ^= (guint32) page[i] << 24;
    for (guint bit = 0; bit < 8; bit++)
      sum = sum << 1 ^ (sum & 0x80000000u ? 0x04c11db7u : 0);
  }
  return sum;
}

/* Every page with another serial number (0: unchanged), and none of them marked as the last. */
static void
rewrite_pages (guint8 *bytes, gsize length, guint32 serial)
{
  for (gsize at = 0; at + 27 <= length;) {
    guint8 *page = bytes + at;
    gsize size = 27 + page[26];

    for (guint i = 0; i < page[26]; i++)
      size += page[27 + i];
    page[5] &= (guint8) ~4;
    if (serial)
      memcpy (page + 14, &serial, 4);
    memset (page + 22, 0, 4);
    for (guint32 sum = ogg_checksum (page, size), i = 0; i < 4; i++)
      page[22 + i] = (guint8) (sum >> 8 * i);
    at += size;
  }
}

/* Interrupted writers mark no page as the last; links of a chain may share a serial number. */
static void
test_ogg_without_end (void)
{
  static const guint8 id3[] = { 'I', 'D', '3', 3, 0, 0, 0, 0, 1, 0 };
  g_auto (Probe) whole = { 0 }, cut = { 0 }, chained = { 0 }, tagged = { 0 };
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  File file = make_file (&test_formats[5], 3);

  rewrite_pages (file.bytes, file.length, 7);
  probe_bytes (file.bytes, file.length, &whole);
  g_assert_cmpfloat (whole.intact, ==, 1);
  g_assert_nonnull (whole.remark);
  g_assert_cmpfloat_with_epsilon (whole.declared, 3, 0.01);
  probe_bytes (file.bytes, file.length - 1, &cut);
  g_assert_cmpfloat (cut.intact, ==, 0);
  g_byte_array_append (bytes, file.bytes, (guint) file.length);
  g_byte_array_append (bytes, file.bytes, (guint) file.length);
  probe_bytes (bytes->data, bytes->len, &chained);
  g_assert_cmpfloat (chained.intact, ==, 1);
  g_assert_cmpfloat_with_epsilon (chained.declared, 6, 0.02);
  g_assert_cmpuint (chained.parts->len, ==, 2);
  g_byte_array_set_size (bytes, 0);
  g_byte_array_append (bytes, id3, sizeof id3);
  g_byte_array_set_size (bytes, sizeof id3 + 128);
  g_byte_array_append (bytes, file.bytes, (guint) file.length);
  g_byte_array_append (bytes, (const guint8 *) "TAG", 3);
  g_byte_array_set_size (bytes, bytes->len + 125);
  probe_bytes (bytes->data, bytes->len, &tagged);
  g_assert_cmpfloat (tagged.intact, ==, 1);
  g_assert_cmpuint (part_of (&tagged, 0), ==, sizeof id3 + 128);
  g_assert_cmpuint (probe_part_size (probe_get_part (&tagged, 0)), ==, file.length);
  clear_file (&file);
}

/* Two tracks at the same time last as long as the first. */
static void
test_ogg_tracks (void)
{
  File a = make_file (&test_formats[5], 3), b = make_file (&test_formats[5], 2);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_auto (Probe) probe = { 0 };
  const gsize first = 27 + 1 + 30; /* a page with only Vorbis's own header */

  rewrite_pages (a.bytes, a.length, 7);
  rewrite_pages (b.bytes, b.length, 8);
  g_byte_array_append (bytes, a.bytes, first);
  g_byte_array_append (bytes, b.bytes, first);
  g_byte_array_append (bytes, a.bytes + first, (guint) (a.length - first));
  g_byte_array_append (bytes, b.bytes + first, (guint) (b.length - first));
  probe_bytes (bytes->data, bytes->len, &probe);
  g_assert_cmpfloat (probe.intact, ==, 1);
  g_assert_cmpuint (probe.parts->len, ==, 1);
  g_assert_cmpfloat_with_epsilon (probe.declared, 3, 0.01);
  clear_file (&a);
  clear_file (&b);
}

/* Audio that a WAVE header does not count is not accepted silently. */
static void
test_bytes_behind (void)
{
  static const guint8 chunk[] = { 'L', 'I', 'S', 'T', 0, 0x40, 0, 0 };
  g_autoptr (GByteArray) bytes = test_make_wave ();
  g_auto (Probe) whole = { 0 }, early = { 0 }, chunks = { 0 };

  probe_bytes (bytes->data, bytes->len, &whole);
  g_assert_null (whole.remark);
  memcpy (bytes->data + 40, "\0\x20\0\0", 4);
  probe_bytes (bytes->data, bytes->len, &early);
  g_assert_nonnull (strstr (early.remark, "after the audio"));
  memcpy (bytes->data + 44 + 0x2000, chunk, sizeof chunk);
  g_byte_array_set_size (bytes, 44 + 0x2000 + 8 + 0x4000);
  probe_bytes (bytes->data, bytes->len, &chunks);
  g_assert_null (chunks.remark);
}

/* Matroska written into a pipe states no sizes: an incomplete block shows that it was truncated. */
static void
test_matroska_into_a_pipe (void)
{
  static const guint8 head[] = { 0x1a, 0x45, 0xdf, 0xa3, 0x80, 0x18, 0x53, 0x80,
                                 0x67, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                 0xff, 0x1f, 0x43, 0xb6, 0x75, 0xff, 0xa3, 0x90 };
  guint8 bytes[sizeof head + 16] = { 0 };
  g_auto (Probe) whole = { 0 }, cut = { 0 };

  memcpy (bytes, head, sizeof head);
  probe_bytes (bytes, sizeof bytes, &whole);
  g_assert_cmpstr (whole.container, ==, "Matroska");
  g_assert_null (whole.remark);
  probe_bytes (bytes, sizeof bytes - 1, &cut);
  g_assert_nonnull (strstr (cut.remark, "within a block"));
}

/* The length may be undefined; and the stream may follow other bytes. */
static void
test_flac (void)
{
  g_auto (Probe) open = { 0 }, cut = { 0 }, behind = { 0 };
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  File file = make_file (&test_formats[4], 3);

  file.bytes[21] &= 0xf0;
  memset (file.bytes + 22, 0, 4);
  probe_bytes (file.bytes, file.length, &open);
  g_assert_cmpfloat_with_epsilon (open.declared, 3, 1e-6);
  probe_bytes (file.bytes, file.length / 2, &cut);
  g_assert_cmpfloat (cut.declared, <, 2.9);
  g_byte_array_append (bytes, (const guint8 *) "garbage\1\2\3", 10);
  g_byte_array_append (bytes, file.bytes, (guint) file.length);
  probe_bytes (bytes->data, bytes->len, &behind);
  g_assert_cmpuint (part_of (&behind, 0), ==, 10);
  clear_file (&file);
}

static void
put_le (guint8 *p, guint64 value, gsize n)
{
  for (gsize i = 0; i < n; i++)
    p[i] = (guint8) (value >> 8 * i);
}

/* A header with an irrelevant object and the properties: 12.5 s with 3 s before them. */
static void
test_asf (void)
{
  static const guint8 header[] = { 0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11 };
  static const guint8 properties[] = { 0xa1, 0xdc, 0xab, 0x8c, 0x47, 0xa9, 0xcf, 0x11,
                                       0x8e, 0xe4, 0x00, 0xc0, 0x0c, 0x20, 0x53, 0x65 };
  guint8 bytes[1000] = { 0 }, *object = bytes + 30, *file = object + 50;
  g_auto (Probe) told = { 0 }, broadcast = { 0 }, endless = { 0 };

  memcpy (bytes, header, sizeof header);
  put_le (object + 16, 50, 8);
  memcpy (file, properties, sizeof properties);
  put_le (file + 16, 104, 8);
  put_le (file + 64, 155000000, 8);
  put_le (file + 80, 3000, 8);
  probe_bytes (bytes, sizeof bytes, &told);
  g_assert_cmpstr (told.container, ==, "ASF");
  g_assert_cmpfloat (told.declared, ==, 12.5);
  g_assert_false (told.trusts_decoder);
  file[88] = 1;
  probe_bytes (bytes, sizeof bytes, &broadcast);
  g_assert_true (isnan (broadcast.declared));
  g_assert_true (broadcast.trusts_decoder);
  put_le (object + 16, G_MAXUINT64 - 20, 8);
  probe_bytes (bytes, sizeof bytes, &endless);
  g_assert_true (isnan (endless.declared));
}

/* Random bytes changed, removed and duplicated, in every format: a probe ends, and returns a result. */
static void
test_mutations (void)
{
  for (const TestFormat *format = test_formats; format->name; format++) {
    g_autoptr (GRand) rand = g_rand_new_with_seed (7);
    File file;

    if (!test_format_can_be_written (format, 48000))
      continue;
    file = make_file (format, 0.3);
    for (guint round = 0; round < 300; round++) {
      g_autofree guint8 *bytes = g_memdup2 (file.bytes, file.length);
      gsize length = file.length, head = MIN (length, 200);
      g_auto (Probe) probe = { 0 };

      for (gint k = g_rand_int_range (rand, 0, 12); k > 0; k--) {
        /* Headers are the critical part. */
        gsize range = g_rand_boolean (rand) ? head : length;
        gsize at = (gsize) g_rand_int_range (rand, 0, (gint32) range);

        bytes[at] = g_rand_boolean (rand) ? 0xff : (guint8) g_rand_int_range (rand, 0, 256);
      }
      if (g_rand_boolean (rand))
        length = (gsize) g_rand_int_range (rand, 0, (gint32) length);
      probe_bytes (bytes, length, &probe);
    }
    clear_file (&file);
  }
}

/* Every prefix of every format, byte by byte: no length fails. */
static void
test_truncations (void)
{
  for (const TestFormat *format = test_formats; format->name; format++) {
    File file;

    if (!test_format_can_be_written (format, 48000))
      continue;
    file = make_file (format, 0.1);
    for (gsize length = 0; length < MIN (file.length, 300); length++) {
      g_auto (Probe) probe = { 0 };

      probe_bytes (file.bytes, length, &probe);
    }
    clear_file (&file);
  }
}

/* Nested pages that claim to be long: a megabyte of them must not take minutes. */
static void
test_nested_pages (void)
{
  const gsize length = 1 << 20;
  g_autofree guint8 *bytes = g_malloc0 (length);
  g_auto (Probe) probe = { 0 };
  /* CPU time of this process: independent of other load. */
  clock_t started = clock ();

  for (gsize i = 0; i + 35 < length; i += 8)
    memcpy (bytes + i, "OggS\0\0\377\377", 8);
  probe_bytes (bytes, length, &probe);
  g_assert_cmpfloat (probe.intact, <, 0.01);
  g_assert_cmpint (clock () - started, <, 5 * CLOCKS_PER_SEC);
}

/* Frames without a container: bytes outside of frames count as missing. */
static void
test_frames (void)
{
  static const struct {
    const char *container;
    guint8 header[10];
    gsize length;
    double seconds;
  } streams[] = {
    { "AC-3", { 0x0b, 0x77, 0, 0, 20, 8 << 3 }, 768, 1536 / 48e3 },
    { "AC-3", { 0x0b, 0x77, 0, 0, 0x40 | 21, 8 << 3 }, 836, 1536 / 44.1e3 },
    { "AC-3", { 0x0b, 0x77, 0, 0, 0x80 | 20, 9 << 3 }, 1152, 1536 / 16e3 },
    { "AC-3", { 0x0b, 0x77, 1, 0x7f, 0x20, 16 << 3 }, 768, 768 / 48e3 },
    { "AC-3", { 0x0b, 0x77, 1, 0x7f, 0xc0, 16 << 3 }, 768, 1536 / 24e3 },
    { "DTS", { 0x7f, 0xfe, 0x80, 0x01, 0xfc, 0x3c, 0x3f, 0xf0, 0x34, 0 }, 1024, 512 / 48e3 },
    { "ADTS", { 0xff, 0xf1, 0x4c, 0x80, 0x60, 0x1f, 0xfc }, 768, 1024 / 48e3 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (streams); i++) {
    g_auto (Probe) whole = { 0 }, holed = { 0 };
    gsize length = streams[i].length, n = 100 * length;
    g_autofree guint8 *bytes = g_malloc0 (n);

    for (guint k = 0; k < 100; k++)
      memcpy (bytes + k * length, streams[i].header, sizeof streams[i].header);
    probe_bytes (bytes, n, &whole);
    g_assert_cmpstr (whole.container, ==, streams[i].container);
    g_assert_cmpfloat_with_epsilon (whole.declared, 100 * streams[i].seconds, 1e-9);
    g_assert_cmpfloat (whole.intact, ==, 1);
    memset (bytes + 50 * length, 0, 10 * length);
    probe_bytes (bytes, n, &holed);
    g_assert_cmpfloat_with_epsilon (holed.intact, 0.9, 1e-9);
    g_assert_cmpfloat_with_epsilon (holed.declared, 90 * streams[i].seconds, 1e-9);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/probe/whole-files", test_whole_files);
  g_test_add_func ("/probe/tags", test_tags);
  g_test_add_func ("/probe/tags-in-front", test_tags_in_front);
  g_test_add_func ("/probe/missing-page", test_missing_page);
  g_test_add_func ("/probe/chain", test_chain);
  g_test_add_func ("/probe/tags-behind", test_tags_behind);
  g_test_add_func ("/probe/free-format", test_free_format);
  g_test_add_func ("/probe/zeros-inside", test_zeros_inside);
  g_test_add_func ("/probe/ogg-without-end", test_ogg_without_end);
  g_test_add_func ("/probe/ogg-tracks", test_ogg_tracks);
  g_test_add_func ("/probe/bytes-behind", test_bytes_behind);
  g_test_add_func ("/probe/matroska-into-a-pipe", test_matroska_into_a_pipe);
  g_test_add_func ("/probe/flac", test_flac);
  g_test_add_func ("/probe/asf", test_asf);
  g_test_add_func ("/probe/frames", test_frames);
  g_test_add_func ("/probe/nested-pages", test_nested_pages);
  g_test_add_func ("/probe/mutations", test_mutations);
  g_test_add_func ("/probe/truncations", test_truncations);
  return g_test_run ();
}
