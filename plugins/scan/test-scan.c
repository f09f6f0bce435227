/* Tests of scan: real folders, including unusual names. */
#include "names.h"
#include "relabel.h"

#include <glib/gstdio.h>
#include <segue/file.h>
#include <segue/testing.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const SeguePlugin *segue_plugin_query (void);

#define ID3V1 128

typedef struct {
  char *root;
} Folder;

static void
set_up (Folder *folder, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;

  folder->root = g_dir_make_tmp ("segue-scan-XXXXXX", &error);
  g_assert_no_error (error);
}

static void
tear_down (Folder *folder, gconstpointer unused)
{
  segue_file_remove_folder (folder->root, NULL);
  g_free (folder->root);
}

static void
put (Folder *folder, const char *path)
{
  g_autofree char *whole = g_build_filename (folder->root, path, NULL);
  g_autofree char *parent = g_path_get_dirname (whole);

  g_assert_cmpint (g_mkdir_with_parents (parent, 0755), ==, 0);
  g_assert_true (g_file_set_contents (whole, path, -1, NULL));
}

static void
put_link (Folder *folder, const char *target, const char *path)
{
  g_autofree char *whole = g_build_filename (folder->root, path, NULL);
  g_autofree char *parent = g_path_get_dirname (whole);

  g_assert_cmpint (g_mkdir_with_parents (parent, 0755), ==, 0);
  g_assert_cmpint (symlink (target, whole), ==, 0);
}

static SegueHarness *
scan (Folder *folder, const char *more)
{
  g_autofree char *config =
    g_strdup_printf ("{ root: \"%s\"%s%s }", folder->root, *more ? ", " : "", more);

  return segue_harness_new (segue_plugin_query (), "scan", config);
}

static void
run (SegueHarness *harness)
{
  g_autoptr (GError) error = NULL;

  segue_harness_run (harness, &error);
  g_assert_no_error (error);
}

/* The ids of the resulting items, one per line, each with its label. */
static char *
list (SegueHarness *harness)
{
  GString *text = g_string_new (NULL);
  SegueItem *item;

  while ((item = segue_harness_pull (harness))) {
    const char *label = segue_item_get_string (item, SEGUE_META_LABEL);

    g_string_append_printf (text, "%s=%s\n", segue_item_get_id (item), label ? label : "-");
    segue_item_unref (item);
  }
  return g_string_free (text, FALSE);
}

static void
assert_quarantined (SegueHarness *harness, guint index, const char *id, const char *why)
{
  GPtrArray *quarantined = segue_harness_get_quarantined (harness);
  g_autofree char *start = g_strconcat (id, ": ", NULL);

  g_assert_cmpuint (index, <, quarantined->len);
  g_test_message ("%s", (const char *) g_ptr_array_index (quarantined, index));
  g_assert_true (g_str_has_prefix (g_ptr_array_index (quarantined, index), start));
  g_assert_nonnull (strstr (g_ptr_array_index (quarantined, index), why));
}

static void
test_fields (Folder *folder, gconstpointer unused)
{
  g_autoptr (SegueHarness) harness = scan (folder, "");
  g_autoptr (SegueItem) song = NULL;
  g_autofree char *path = g_build_filename (folder->root, "Mika/Life/Grace Kelly.MP3", NULL);

  put (folder, "Mika/Life/Grace Kelly.MP3");
  run (harness);
  song = segue_harness_pull (harness);
  g_assert_cmpstr (segue_item_get_id (song), ==, "Mika/Life/Grace Kelly.MP3");
  g_assert_cmpstr (segue_item_get_path (song), ==, path);
  g_assert_cmpstr (segue_item_get_string (song, "artist"), ==, "Mika");
  g_assert_cmpstr (segue_item_get_string (song, "album"), ==, "Life");
  g_assert_cmpstr (segue_item_get_string (song, "title"), ==, "Grace Kelly");
  g_assert_cmpstr (segue_item_get_string (song, SEGUE_META_LABEL), ==, "Mika");
  g_assert_cmpstr (segue_item_get_string (song, SEGUE_META_SOURCE), ==, path);
}

static void
test_sorted_and_ignored (Folder *folder, gconstpointer unused)
{
  g_autoptr (SegueHarness) harness = scan (folder, "");
  g_autofree char *found = NULL;

  put (folder, "b/x/2.ogg");
  put (folder, "a/y/1.wav");
  put (folder, "a-b/x/3.flac");
  put (folder, "a/y/cover.jpg");
  put (folder, "a/y/clip.mkv");
  put (folder, "a/y/noext");
  put (folder, "a/y/._1.wav");
  put (folder, ".Trash-1000/x/9.wav");
  put (folder, "#recycle/x/9.wav");
  put (folder, "a/y/@eaDir/1.wav/SYNOAUDIO_01APIC.jpg");
  run (harness);
  found = list (harness);
  g_assert_cmpstr (found, ==, "a-b/x/3.flac=a-b\na/y/1.wav=a\nb/x/2.ogg=b\n");
  g_assert_cmpint (segue_harness_get_count (harness, "ignored files"), ==, 3);
  g_assert_cmpuint (segue_harness_get_quarantined (harness)->len, ==, 0);
}

/* Bands and albums may begin with a dot; formats with audio and video are songs, too. */
static void
test_names_that_begin_with_a_dot (Folder *folder, gconstpointer unused)
{
  g_autoptr (SegueHarness) harness = scan (folder, "");
  g_autofree char *found = NULL;

  put (folder, ".38 Special/Tour de Force/1.mp3");
  put (folder, "Metallica/...And Justice for All/.hidden gem.flac");
  put (folder, "Metallica/...And Justice for All/._.hidden gem.flac");
  put (folder, "Metallica/...And Justice for All/.DS_Store");
  put (folder, "Metallica/One.flac/2.webm");
  put (folder, "Metallica/One.flac/3.dsf");
  put (folder, "Metallica/One.flac/4.M4R");
  put (folder, "Metallica/One.flac/5.mp4");
  run (harness);
  found = list (harness);
  g_assert_cmpstr (found, ==,
                   ".38 Special/Tour de Force/1.mp3=.38 Special\n"
                   "Metallica/...And Justice for All/.hidden gem.flac=Metallica\n"
                   "Metallica/One.flac/2.webm=Metallica\n"
                   "Metallica/One.flac/3.dsf=Metallica\n"
                   "Metallica/One.flac/4.M4R=Metallica\n"
                   "Metallica/One.flac/5.mp4=Metallica\n");
  g_assert_cmpint (segue_harness_get_count (harness, "ignored files"), ==, 0);
  g_assert_cmpuint (segue_harness_get_quarantined (harness)->len, ==, 0);
}

static void
test_odd_names (Folder *folder, gconstpointer unused)
{
  g_autoptr (SegueHarness) harness = scan (folder, "label: title");
  g_autoptr (SegueItem) first = NULL;
  g_autofree char *found = NULL, *back = NULL;

  put (folder, "a/b/\xff raw.mp3");
  put (folder, "a/b/%FF raw.mp3");
  put (folder, "a/b/100% \"pure\".mp3");
  put (folder, "a/b/new\nline.mp3");
  put (folder, "a/b/\xf0\x9f\x8e\xb5.mp3");
  run (harness);
  found = list (harness);
  g_assert_cmpstr (found, ==,
                   "a/b/%25FF raw.mp3=%25FF raw\n"
                   "a/b/100% \"pure\".mp3=100% \"pure\"\n"
                   "a/b/new\nline.mp3=new\nline\n"
                   "a/b/\xf0\x9f\x8e\xb5.mp3=\xf0\x9f\x8e\xb5\n"
                   "a/b/%FF raw.mp3=%FF raw\n");
  run (harness);
  for (guint i = 0; i < 5; i++) {
    g_clear_pointer (&first, segue_item_unref);
    first = segue_harness_pull (harness);
  }
  back = g_uri_unescape_string (segue_item_get_string (first, SEGUE_META_SOURCE), NULL);
  g_assert_cmpstr (back, ==, segue_item_get_path (first));
  g_assert_true (g_str_has_suffix (back, "/\xff raw.mp3"));
}

static void
put_bytes (Folder *folder, const char *path, const char *head, const char *sound, const char *tail)
{
  g_autofree char *whole = g_build_filename (folder->root, path, NULL);
  g_autofree char *all = g_strconcat (head, sound, tail, NULL);
  /* In @head and @tail a ~ represents a zero byte. */
  g_strdelimit (all, "~", '\0');
  put (folder, path);
  g_assert_true (g_file_set_contents (
    whole, all, (gssize) (strlen (head) + strlen (sound) + strlen (tail)), NULL));
}

static void
put_binary (Folder *folder, const char *path, const GByteArray *bytes)
{
  g_autofree char *whole = g_build_filename (folder->root, path, NULL);

  put (folder, path);
  g_assert_true (
    g_file_set_contents (whole, (const char *) bytes->data, (gssize) bytes->len, NULL));
}

static void
add_chunk (GByteArray *bytes, const char *before, gsize before_length, const char *text)
{
  g_byte_array_append (bytes, (const guint8 *) before, (guint) before_length);
  g_byte_array_append (bytes, (const guint8 *) text, (guint) strlen (text));
}

/* A page of @n packets, each of which is shorter than 255 bytes. */
static void
add_page (GByteArray *bytes, guint8 flags, guint8 position, guint8 serial,
          const char *const *packets, guint8 n)
{
  guint8 head[27] = { 'O', 'g', 'g', 'S', 0, flags, position, [14] = serial, [26] = n };

  g_byte_array_append (bytes, head, sizeof head);
  for (guint i = 0; i < n; i++)
    g_byte_array_append (bytes, (const guint8[]){ (guint8) strlen (packets[i]) }, 1);
  for (guint i = 0; i < n; i++)
    g_byte_array_append (bytes, (const guint8 *) packets[i], (guint) strlen (packets[i]));
}

static GByteArray *
make_ogg (guint8 serial, const char *comment, const char *sound, gboolean is_split)
{
  GByteArray *bytes = g_byte_array_new ();
  const char *first[] = { "OpusHead-and-some" }, *second[] = { comment },
             *packets[] = { "one packet", sound, "a third packet" };

  add_page (bytes, 2, 0, serial, first, 1);
  add_page (bytes, 0, 0, serial, second, 1);
  if (is_split) {
    add_page (bytes, 0, 20, serial, packets, 1);
    add_page (bytes, 4, 60, serial, packets + 1, 2);
  } else {
    add_page (bytes, 4, 60, serial, packets, 3);
  }
  return bytes;
}

#define CHUNK(bytes, head, text) add_chunk (bytes, head, sizeof head - 1, text)

/* @tag: four characters; @sound: fifteen, preceded by one that differs per file. */
static void
put_containers (Folder *folder, const char *album, const char *tag, const char *sound)
{
  g_autoptr (GByteArray) wave = g_byte_array_new (), aiff = g_byte_array_new (),
                         flac = g_byte_array_new (), mp4 = g_byte_array_new ();
  const struct {
    const char *name;
    const GByteArray *bytes;
  } files[] = { { "a.wav", wave }, { "b.aiff", aiff }, { "c.flac", flac }, { "d.m4a", mp4 } };

  g_assert_cmpuint (strlen (sound), ==, 15);
  CHUNK (wave, "RIFF\x40\0\0\0WAVELIST\4\0\0\0", tag);
  CHUNK (wave, "data\x10\0\0\0W", sound);
  CHUNK (wave, "id3 \4\0\0\0", tag);
  CHUNK (aiff,
         "FORM\0\0\0\x40"
         "AIFFNAME\0\0\0\4",
         tag);
  CHUNK (aiff, "SSND\0\0\0\x18\0\0\0\0\0\0\0\0A", sound);
  CHUNK (flac, "fLaC\0\0\0\x22", "34 bytes that have no MD5 of sound");
  memset (flac->data + 26, 0, 16);
  CHUNK (flac, "\x84\0\0\4", tag);
  CHUNK (flac,
         "\xff\xf8"
         "F",
         sound);
  CHUNK (mp4,
         "\0\0\0\x10"
         "ftyp",
         "M4A isom");
  CHUNK (mp4,
         "\0\0\0\x0c"
         "udta",
         tag);
  CHUNK (mp4,
         "\0\0\0\x18"
         "mdatM",
         sound);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *path = g_strdup_printf ("%s/%s", album, files[i].name);

    put_binary (folder, path, files[i].bytes);
  }
}

/* Copies that differ only in their tags, in any container. */
static void
test_copies_in_containers (Folder *folder, gconstpointer unused)
{
  g_autoptr (SegueHarness) harness = scan (folder, "min_songs: 1");
  g_autoptr (GByteArray) plain = make_ogg (1, "OpusTags", "the sound of it", FALSE),
                         tagged = make_ogg (2, "OpusTags: a title", "the sound of it", TRUE),
                         other = make_ogg (1, "OpusTags", "another sound..", FALSE);

  put_containers (folder, "Abba/Album", "tags", "fifteen, sounds");
  put_containers (folder, "Abba/Again", "gats", "fifteen, sounds");
  put_containers (folder, "Zed/Album", "tags", "other 15 bytes.");
  put_binary (folder, "Abba/Album/e.opus", plain);
  put_binary (folder, "Abba/Again/e.opus", tagged);
  put_binary (folder, "Zed/Album/e.opus", other);
  run (harness);
  g_assert_cmpuint (segue_harness_get_quarantined (harness)->len, ==, 5);
  for (guint i = 0; i < 5; i++)
    g_assert_nonnull (
      strstr (g_ptr_array_index (segue_harness_get_quarantined (harness), i), "same recording"));
}

/* One recording in several files is one song; under two labels it is two songs that stay together. */
static void
test_copies (Folder *folder, gconstpointer unused)
{
  g_autoptr (SegueHarness) harness = scan (folder, "min_songs: 1");
  g_autofree char *a = g_build_filename (folder->root, "Abba/Gold/1.mp3", NULL);
  g_autofree char *linked = g_build_filename (folder->root, "Abba/Gold/9 hard link.mp3", NULL);
  g_autofree char *found = NULL;
  g_autofree char *tail = g_strnfill (ID3V1, 't');
  GPtrArray *log;
  guint n_marked = 0;

  memcpy (tail, "TAG", 3);
  put_bytes (folder, "Abba/Gold/1.mp3", "", "the same sound, whatever stands around it", "");
  put_bytes (folder, "Abba/Gold/2.mp3", "", "the same sound, whatever stands about it!", "");
  put_bytes (folder, "Abba/Best/1 again.mp3", "", "the same sound, whatever stands around it", "");
  put_bytes (folder, "Abba/Tags/1.mp3", "ID3\4~~~~~\7title~~",
             "the same sound, whatever stands around it", tail);
  put_bytes (folder, "Zed/Covers/1.mp3", "ID3\4~~~~~\3abc",
             "the same sound, whatever stands around it", "");
  put_bytes (folder, "Zed/Covers/2.mp3", "", "something else", "");
  put_bytes (folder, "Zed/Covers/3.mp3", "", "", "");
  put_bytes (folder, "Zed/Covers/4.mp3", "", "", "");
  g_assert_cmpint (link (a, linked), ==, 0);
  run (harness);
  for (SegueItem *song; (song = segue_harness_pull (harness)); segue_item_unref (song)) {
    const char *recording = segue_item_get_string (song, SEGUE_META_RECORDING);
    g_autofree char *before = g_steal_pointer (&found);

    found = g_strconcat (before ? before : "", segue_item_get_id (song), "\n", NULL);
    if (recording)
      g_assert_cmpstr (recording, ==, "Abba/Best/1 again.mp3");
    n_marked += recording != NULL;
  }
  g_assert_cmpstr (found, ==,
                   "Abba/Best/1 again.mp3\nAbba/Gold/2.mp3\nZed/Covers/1.mp3\nZed/Covers/2.mp3\n"
                   "Zed/Covers/3.mp3\nZed/Covers/4.mp3\n");
  g_assert_cmpuint (n_marked, ==, 2);
  assert_quarantined (harness, 0, "Abba/Gold/1.mp3", "same recording as ‘Abba/Best/1 again.mp3’");
  assert_quarantined (harness, 1, "Abba/Gold/9 hard link.mp3", "same recording");
  assert_quarantined (harness, 2, "Abba/Tags/1.mp3", "same recording");
  g_assert_cmpuint (segue_harness_get_quarantined (harness)->len, ==, 3);
  log = segue_harness_get_log (harness);
  g_assert_cmpuint (log->len, ==, 1);
  g_assert_nonnull (strstr (g_ptr_array_index (log, 0), "‘Abba’ and ‘Zed’"));
  g_assert_nonnull (strstr (g_ptr_array_index (log, 0), "‘Zed/Covers/1.mp3’"));
}

/* 방탄, as macOS writes it and as other systems do. */
static void
test_composition_is_one_artist (Folder *folder, gconstpointer unused)
{
  g_autoptr (SegueHarness) harness = scan (folder, "");
  g_autofree char *found = NULL;

  put (folder, "\xe1\x84\x87\xe1\x85\xa1\xe1\x86\xbc\xe1\x84\x90\xe1\x85\xa1\xe1\x86\xab/x/1.mp3");
  put (folder, "\xeb\xb0\xa9\xed\x83\x84/x/2.mp3");
  run (harness);
  found = list (harness);
  g_assert_nonnull (strstr (found, "/x/1.mp3=\xeb\xb0\xa9\xed\x83\x84\n"));
  g_assert_nonnull (strstr (found, "/x/2.mp3=\xeb\xb0\xa9\xed\x83\x84\n"));
}

static void
test_wrong_depth (Folder *folder, gconstpointer unused)
{
  g_autoptr (SegueHarness) strict = scan (folder, "");
  g_autoptr (SegueHarness) loose = scan (folder, "any_depth: true");
  g_autofree char *found = NULL, *all = NULL;

  put (folder, "Mika/Life/1.mp3");
  put (folder, "Mika/Life/CD 1/2.mp3");
  put (folder, "Mika/3.mp3");
  put (folder, "4.mp3");
  run (strict);
  found = list (strict);
  g_assert_cmpstr (found, ==, "Mika/Life/1.mp3=Mika\n");
  assert_quarantined (strict, 0, "4.mp3", "1 deep, not 3");
  assert_quarantined (strict, 1, "Mika/3.mp3", "2 deep, not 3");
  assert_quarantined (strict, 2, "Mika/Life/CD 1/2.mp3", "4 deep, not 3");

  run (loose);
  for (SegueItem *song; (song = segue_harness_pull (loose)); segue_item_unref (song)) {
    g_assert_cmpstr (segue_item_get_string (song, SEGUE_META_LABEL), ==, "Mika");
    if (g_str_has_suffix (segue_item_get_id (song), "2.mp3"))
      g_assert_cmpstr (segue_item_get_string (song, "album"), ==, "Life/CD 1");
    if (g_str_has_suffix (segue_item_get_id (song), "3.mp3")) {
      g_assert_null (segue_item_get_string (song, "album"));
      g_assert_cmpstr (segue_item_get_string (song, "title"), ==, "3");
    }
  }
  assert_quarantined (loose, 0, "4.mp3", "is not inside an artist folder");
  g_assert_cmpuint (segue_harness_get_quarantined (loose)->len, ==, 1);
}

static void
test_layouts (Folder *folder, gconstpointer unused)
{
  g_autoptr (SegueHarness) harness =
    scan (folder, "layout: \"{year} - {album} ({artist})/{track}. {title}\"");
  g_autoptr (SegueItem) song = NULL;

  put (folder, "1984 - A - B (Queen)/01. One. Two.mp3");
  put (folder, "Queen/01. One.mp3");
  run (harness);
  song = segue_harness_pull (harness);
  g_assert_cmpstr (segue_item_get_string (song, "year"), ==, "1984");
  g_assert_cmpstr (segue_item_get_string (song, "album"), ==, "A - B");
  g_assert_cmpstr (segue_item_get_string (song, "artist"), ==, "Queen");
  g_assert_cmpstr (segue_item_get_string (song, "track"), ==, "01");
  g_assert_cmpstr (segue_item_get_string (song, "title"), ==, "One. Two");
  assert_quarantined (harness, 0, "Queen/01. One.mp3", "rename ‘Queen’");
}

static void
test_not_songs (Folder *folder, gconstpointer unused)
{
  g_autoptr (SegueHarness) harness = scan (folder, "");
  g_autofree char *pipe = g_build_filename (folder->root, "a/b/pipe.mp3", NULL);
  g_autofree char *found = NULL;

  put (folder, "a/b/good.mp3");
  put (folder, "a/b/folder.mp3/inside.txt");
  put_link (folder, "nowhere.mp3", "a/b/dangling.mp3");
  put_link (folder, "self.mp3", "a/b/self.mp3");
  put_link (folder, "nowhere.txt", "a/b/dangling.txt");
  g_assert_cmpint (mkfifo (pipe, 0644), ==, 0);
  run (harness);
  found = list (harness);
  g_assert_cmpstr (found, ==, "a/b/good.mp3=a\n");
  assert_quarantined (harness, 0, "a/b/dangling.mp3", "leads nowhere");
  assert_quarantined (harness, 1, "a/b/folder.mp3", "is a folder without songs");
  assert_quarantined (harness, 2, "a/b/pipe.mp3", "not a regular file");
  assert_quarantined (harness, 3, "a/b/self.mp3", "leads back to itself");
  g_assert_cmpuint (segue_harness_get_quarantined (harness)->len, ==, 4);
  g_assert_cmpint (segue_harness_get_count (harness, "ignored files"), ==, 2);
}

static void
test_links (Folder *folder, gconstpointer unused)
{
  g_autoptr (SegueHarness) harness = scan (folder, "");
  g_autoptr (GError) error = NULL;
  g_autofree char *elsewhere = g_dir_make_tmp ("segue-scan-XXXXXX", &error);
  g_autofree char *far = g_build_filename (elsewhere, "far.mp3", NULL), *found = NULL;

  g_assert_true (g_file_set_contents (far, "x", 1, NULL));
  put (folder, "z/real/1.mp3");
  put_link (folder, "..", "z/up");          /* loops */
  put_link (folder, "../z/real", "a/copy"); /* comes before the real one */
  put_link (folder, "../../z/real/1.mp3", "a/b/1.mp3");
  put_link (folder, elsewhere, "a/outside");
  run (harness);
  found = list (harness);
  g_assert_cmpstr (found, ==, "a/outside/far.mp3=a\nz/real/1.mp3=z\n");
  assert_quarantined (harness, 0, "a/b/1.mp3", "‘z/real/1.mp3’");
  assert_quarantined (harness, 1, "a/copy", "‘z/real’");
  assert_quarantined (harness, 2, "z/up", "the root itself");
  segue_file_remove_folder (elsewhere, NULL);
}

static void
test_unreadable (Folder *folder, gconstpointer unused)
{
  g_autofree char *closed = g_build_filename (folder->root, "a/closed", NULL);
  g_autoptr (SegueHarness) harness = scan (folder, "");
  g_autofree char *found = NULL;

  if (geteuid () == 0) {
    g_test_skip ("the superuser reads everything");
    return;
  }
  put (folder, "a/b/good.mp3");
  put (folder, "a/closed/1.mp3");
  g_assert_cmpint (g_chmod (closed, 0), ==, 0);
  run (harness);
  g_chmod (closed, 0755);
  found = list (harness);
  g_assert_cmpstr (found, ==, "a/b/good.mp3=a\n");
  assert_quarantined (harness, 0, "a/closed", "can't be read");
}

/* One name in several spellings gives several labels, with a warning; different names give different labels. */
static void
test_spellings (Folder *folder, gconstpointer unused)
{
  g_autoptr (SegueHarness) harness = scan (folder, "");
  g_autofree char *found = NULL;
  GPtrArray *log;

  put (folder, "AC-DC/x/1.mp3");
  put (folder, "Bj\303\266rk/x/1.mp3");
  put (folder, "Queen/x/1.mp3");
  put (folder, "The  bjork/x/1.mp3");
  put (folder, "acdc/x/1.mp3");
  put (folder, "!!!/x/1.mp3");
  put (folder, "---/x/1.mp3");
  run (harness);
  found = list (harness);
  g_assert_nonnull (strstr (found, "acdc/x/1.mp3=acdc"));
  log = segue_harness_get_log (harness);
  g_assert_cmpuint (log->len, ==, 2);
  g_assert_nonnull (strstr (g_ptr_array_index (log, 0), "2 ways: ‘AC-DC’, ‘acdc’"));
  g_assert_nonnull (strstr (g_ptr_array_index (log, 1), "2 ways: ‘Björk’, ‘The  bjork’"));
}

static void
test_exclude (Folder *folder, gconstpointer unused)
{
  g_autoptr (SegueHarness) harness = scan (folder, "exclude: [\"*INTRO*\", \"mika/*/demo*\", "
                                                   "\"live at *\"]");
  g_autofree char *found = NULL;

  put (folder, "Mika/Life/1 Intro.mp3");
  put (folder, "Mika/Life/demo 1.mp3");
  put (folder, "Queen/Live at Wembley/1.mp3");
  put (folder, "Queen/Jazz/demo 2.mp3");
  run (harness);
  found = list (harness);
  g_assert_cmpstr (found, ==, "Queen/Jazz/demo 2.mp3=Queen\n");
  g_assert_cmpint (segue_harness_get_count (harness, "excluded files and folders"), ==, 3);
}

static void
test_labels_and_min_songs (Folder *folder, gconstpointer unused)
{
  g_autoptr (SegueHarness) few = scan (folder, "min_songs: 2");
  g_autoptr (SegueHarness) some = scan (folder, "labels: [b]");
  g_autoptr (SegueHarness) typo = scan (folder, "labels: [b, bb]");
  g_autoptr (SegueHarness) skip = scan (folder, "skip_labels: [A, Various Artists]");
  g_autoptr (GError) error = NULL;
  g_autofree char *first = NULL, *second = NULL, *third = NULL;

  put (folder, "a/x/1.mp3");
  put (folder, "a/x/2.mp3");
  put (folder, "b/x/3.mp3");
  run (few);
  first = list (few);
  g_assert_cmpstr (first, ==, "a/x/1.mp3=a\na/x/2.mp3=a\n");
  g_assert_cmpint (segue_harness_get_count (few, "songs of labels below min_songs"), ==, 1);
  run (some);
  second = list (some);
  g_assert_cmpstr (second, ==, "b/x/3.mp3=b\n");
  run (skip);
  third = list (skip);
  g_assert_cmpstr (third, ==, "b/x/3.mp3=b\n");
  g_assert_cmpint (segue_harness_get_count (skip, "songs of skip_labels"), ==, 2);
  g_assert_false (segue_harness_run (typo, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);
  g_assert_nonnull (strstr (error->message, "‘bb’"));
}

static void
test_relabel (Folder *folder, gconstpointer unused)
{
  g_autofree char *table = g_build_filename (folder->root, "labels.csv", NULL);
  g_autofree char *more = g_strdup_printf ("relabel: \"%s\"", table), *found = NULL;
  g_autoptr (SegueHarness) harness = scan (folder, more);

  put (folder, "a/x/1, \"one\".mp3");
  put (folder, "a/x/2.mp3");
  put (folder, "a/x/3.mp3");
  g_assert_true (g_file_set_contents (table,
                                      "\xef\xbb\xbfsong,label\r\n"
                                      "\"a/x/1, \"\"one\"\".mp3\",Bj\x6f\xcc\x88rk\r\n"
                                      "\r\n"
                                      "a/x/3.mp3,\n"
                                      "gone.mp3,who",
                                      -1, NULL));
  run (harness);
  found = list (harness);
  g_assert_cmpstr (found, ==, "a/x/1, \"one\".mp3=Bj\xc3\xb6rk\na/x/2.mp3=a\n");
  g_assert_cmpint (segue_harness_get_count (harness, "songs left out by relabel"), ==, 1);
}

static void
test_bad_tables (Folder *folder, gconstpointer unused)
{
  static const struct {
    const char *text, *why;
  } cases[] = {
    { "song,label\na/x/1.mp3\n", ":2: " },
    { "a,b,c\n", "more than two columns" },
    { "song,label\n\"a,b\n", "does not end" },
    { "\"a\"x,b\n", "after a closing quote" },
    { "a,b\na,c\n", ":2: a song is listed in two rows" },
    { "a,\xff\n", "UTF-8" },
  };
  g_autofree char *table = g_build_filename (folder->root, "labels.csv", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_true (g_file_set_contents (table, cases[i].text, -1, NULL));
    g_assert_null (relabel_load (table, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
    g_test_message ("%s", error->message);
    g_assert_nonnull (strstr (error->message, cases[i].why));
  }
}

/* A library with another layout: the error states what to do, and how many songs it affects. */
static void
test_all_at_another_depth (Folder *folder, gconstpointer unused)
{
  g_autoptr (SegueHarness) harness = scan (folder, "");
  g_autoptr (GError) error = NULL;

  put (folder, "Mika/1.mp3");
  put (folder, "Mika/2.mp3");
  put (folder, "3.mp3");
  g_assert_false (segue_harness_run (harness, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, "none of the 3 songs"));
  g_assert_nonnull (
    strstr (error->message, "use 2 of them at any depth, add --set scan.any_depth=true"));
}

static void
test_nothing (Folder *folder, gconstpointer unused)
{
  g_autoptr (SegueHarness) empty = scan (folder, ""), misfit = scan (folder, "");
  g_autoptr (GError) error = NULL, other = NULL;

  g_assert_false (segue_harness_run (empty, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);
  put (folder, "1.mp3");
  g_assert_false (segue_harness_run (misfit, &other));
  g_assert_error (other, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);
  g_assert_nonnull (strstr (other->message, "fits the layout"));
}

static void
test_cancel (Folder *folder, gconstpointer unused)
{
  g_autoptr (SegueHarness) harness = scan (folder, "");
  g_autoptr (GError) error = NULL;

  put (folder, "a/x/1.mp3");
  g_cancellable_cancel (segue_harness_get_cancellable (harness));
  g_assert_false (segue_harness_run (harness, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
}

static void
test_bad_configs (void)
{
  static const char *const configs[] = {
    "{ root: /, layout: \"{artist}{album}\" }",   "{ root: /, layout: \"{artist\" }",
    "{ root: /, layout: \"artist}\" }",           "{ root: /, layout: \"{artist}//{title}\" }",
    "{ root: /, layout: \"{artist}/{artist}\" }", "{ root: /, layout: \"{Artist}\" }",
    "{ root: /, layout: \"{set}/{artist}\" }",    "{ root: /, label: composer }",
    "{ root: /, layout: \"{artist}/..\" }",       "{ root: /, layout: \"\" }",
  };

  for (guint i = 0; i < G_N_ELEMENTS (configs); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (SegueHarness) harness =
      segue_harness_try_new (segue_plugin_query (), "scan", configs[i], &error);

    g_test_message ("%s: %s", configs[i], error ? error->message : "accepted");
    g_assert_null (harness);
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
  }
}

static void
test_names_are_reversible (void)
{
  static const char *const names[] = { "a",     "%",    "%4",  "%41",  "%%41",  "\xff%41",
                                       "%\xff", "\xc3", "%FF", "\xff", "50%ab", "\xed\xa0\x80" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *text = name_to_text (names[i]);
    GString *back = g_string_new (NULL);

    g_assert_true (g_utf8_validate (text, -1, NULL));
    for (const char *p = text; *p; p++) {
      gboolean coded = *p == '%' && g_ascii_isxdigit (p[1]) && g_ascii_isxdigit (p[2]);

      g_string_append_c (
        back, coded ? (char) (g_ascii_xdigit_value (p[1]) * 16 + g_ascii_xdigit_value (p[2])) : *p);
      p += coded ? 2 : 0;
    }
    g_assert_cmpstr (back->str, ==, names[i]);
    g_string_free (back, TRUE);
  }
}

#define ADD(name, function) g_test_add ("/scan/" name, Folder, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("fields", test_fields);
  ADD ("sorted-and-ignored", test_sorted_and_ignored);
  ADD ("names-that-begin-with-a-dot", test_names_that_begin_with_a_dot);
  ADD ("odd-names", test_odd_names);
  ADD ("copies", test_copies);
  ADD ("copies-in-containers", test_copies_in_containers);
  ADD ("composition-is-one-artist", test_composition_is_one_artist);
  ADD ("wrong-depth", test_wrong_depth);
  ADD ("layouts", test_layouts);
  ADD ("not-songs", test_not_songs);
  ADD ("links", test_links);
  ADD ("unreadable", test_unreadable);
  ADD ("spellings", test_spellings);
  ADD ("exclude", test_exclude);
  ADD ("labels-and-min-songs", test_labels_and_min_songs);
  ADD ("relabel", test_relabel);
  ADD ("bad-tables", test_bad_tables);
  ADD ("all-at-another-depth", test_all_at_another_depth);
  ADD ("nothing", test_nothing);
  ADD ("cancel", test_cancel);
  g_test_add_func ("/scan/bad-configs", test_bad_configs);
  g_test_add_func ("/scan/names-are-reversible", test_names_are_reversible);
  return g_test_run ();
}
