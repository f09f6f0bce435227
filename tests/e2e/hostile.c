#include "hostile.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <segue/file.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Names ---- */

static const char *const bases[] = {
  "evil",
  "..",
  ".",
  "...",
  ". .",
  "-rf",
  "--help",
  "-",
  "~",
  "~root",
  "$HOME",
  "${HOME}",
  "`id`",
  "$(id)",
  "; rm x",
  "a|b",
  "a&b",
  "*",
  "?",
  "[a-z]",
  "%2e%2e",
  "%2E%2E%2Fx",
  "..%2fx",
  "%2fetc",
  "%00",
  "%s%n",
  "%",
  "%%",
  "%c0%ae",
  "..%c0%af..",
  "\xc0\xae\xc0\xae",         /* `..`, overlong */
  "\xc0\xaf",                 /* `/`, overlong */
  "\xe0\x80\xaf",             /* likewise */
  "\xf0\x80\x80\xaf",         /* likewise */
  "\xed\xa0\x80",             /* half a surrogate pair */
  "\xff\xfe",                 /* not UTF-8 */
  "\xf4\x90\x80\x80",         /* past the end of Unicode */
  "\xe2\x80\xa4\xe2\x80\xa4", /* one dot leaders: `..` under compatibility */
  "\xe2\x80\xa5",             /* two dot leader */
  "\xef\xbc\x8e\xef\xbc\x8e", /* full-width dots */
  "\xef\xbc\x8f",             /* full-width slash */
  "\xe2\x88\x95",             /* division slash */
  "\xe2\x81\x84",             /* fraction slash */
  "\xef\xb9\xa8",             /* small reverse solidus */
  "..\\..\\x",
  "C:\\x",
  "C:",
  "\\\\server\\x",
  "file.txt:stream",
  "CON",
  "con.wav",
  "nul",
  "COM1",
  "lpt9.txt",
  "aux .wav",
  "a\nb",
  "a\r\nb",
  "\n",
  "a\tb",
  "\t",
  "\x1b[2J\x1b[H",
  "\x1b]0;title\x07",
  "\x1b]8;;http://x\x1b\\y",
  "\x1bP+q\x1b\\",
  "\xc2\x9b"
  "2J", /* CSI of one character */
  "\x7f\x7f",
  "a\bb",
  "a\x01\x02",
  "\xe2\x80\xae"
  "gpj.exe",                   /* right to left */
  "\xe2\x81\xa6x\xe2\x81\xa9", /* isolates */
  "\xe2\x80\x8e\xe2\x80\x8f",  /* marks */
  "\xe2\x80\x8b",              /* zero width */
  "\xef\xbb\xbfx",             /* byte order mark */
  "\xe2\x80\xa8\xe2\x80\xa9",  /* separators of lines and paragraphs */
  "\xf3\xa0\x81\x81",          /* a tag */
  " ",
  " x ",
  "x ",
  "x.",
  "x. .",
  "__x",
  ".hidden",
  ".segue-export",
  ".segue-tmp-aaaaaa",
  "README.md",
  "metadata.jsonl",
  "latest",
  "train",
  "test",
  "'; DROP TABLE x; --",
  "\"quoted\"",
  "a,b",
  "=cmd|' /C calc'!A0",
  "<script>alert(1)</script>",
  "&lt;",
  "{title}",
  "${x}",
  "null",
  "0x7fffffff",
  "1e309",
  "NaN",
};

/* As parts of valid paths. */
static const char *const ways[] = { "../%s", "a/../../%s", "/%s/../%s", "./%s//x" };

GPtrArray *
hostile_names (const char *outside)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  for (gsize i = 0; i < G_N_ELEMENTS (bases); i++) {
    g_ptr_array_add (names, g_strdup (bases[i]));
    for (gsize k = 0; k < G_N_ELEMENTS (ways); k++) {
      g_autoptr (GString) name = g_string_new (ways[k]);
      g_string_replace (name, "%s", bases[i], 0);
      if (i % G_N_ELEMENTS (ways) == k)
        g_ptr_array_add (names, g_strdup (name->str));
    }
  }
  static const gsize lengths[] = { 63, 64, 65, 254, 255, 256, 1024, 4096, 70000 };
  for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++) {
    g_ptr_array_add (names, g_strnfill (lengths[i], 'a'));
    GString *up = g_string_new (NULL);
    while (up->len < lengths[i])
      g_string_append (up, "../");
    g_ptr_array_add (names, g_string_free (g_string_append (up, "x"), FALSE));
  }
  static const char *const places[] = { "%s/file", "%s/new", "%s", "%s/folder/new",
                                        "%s/home/.bashrc" };
  for (gsize i = 0; i < G_N_ELEMENTS (places); i++) {
    GString *name = g_string_new (places[i]);
    g_string_replace (name, "%s", outside, 0);
    g_ptr_array_add (names, g_string_free (name, FALSE));
    name = g_string_new (places[i]);
    g_string_replace (name, "%s", "../outside", 0);
    g_ptr_array_add (names, g_string_free (name, FALSE));
  }
  return names;
}

/* ---- The sandbox ---- */

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static void
note (GString *text, const char *root, const char *below)
{
  g_autofree char *path = g_build_filename (root, below, NULL);
  struct stat st;
  g_assert_cmpint (lstat (path, &st), ==, 0);
  g_string_append_printf (text, "%s: mode %o inode %" G_GUINT64_FORMAT " size %" G_GINT64_FORMAT,
                          below, st.st_mode, (guint64) st.st_ino, (gint64) st.st_size);
  g_string_append_printf (text, " changed %" G_GINT64_FORMAT ".%09ld\n", (gint64) st.st_mtim.tv_sec,
                          st.st_mtim.tv_nsec);
  if (!S_ISDIR (st.st_mode))
    return;
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *name;
  while ((name = g_dir_read_name (dir)))
    g_ptr_array_add (names, g_build_filename (below, name, NULL));
  g_ptr_array_sort (names, compare_strings);
  for (guint i = 0; i < names->len; i++)
    note (text, root, g_ptr_array_index (names, i));
}

/* Everything except the working folder. */
static char *
take_snapshot (Sandbox *s)
{
  GString *text = g_string_new (NULL);
  note (text, s->folder, "outside");
  g_autoptr (GDir) dir = g_dir_open (s->folder, 0, NULL);
  const char *name;
  while ((name = g_dir_read_name (dir)))
    if (!g_str_equal (name, "outside") && !g_str_equal (name, "work"))
      g_string_append_printf (text, "%s\n", name);
  return g_string_free (text, FALSE);
}

void
sandbox_check (Sandbox *s)
{
  g_autofree char *now = take_snapshot (s);
  g_assert_cmpstr (now, ==, s->before);
}

void
sandbox_set_up (Sandbox *s, gconstpointer unused)
{
  static const char *const files[] = { "file", "folder/thesis.txt", "home/.bashrc", "x", "evil" };
  s->folder = scratch_new ();
  s->outside = g_build_filename (s->folder, "outside", NULL);
  s->work = g_build_filename (s->folder, "work", NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *path = g_build_filename (s->outside, files[i], NULL);
    g_autofree char *folder = g_path_get_dirname (path);
    g_assert_cmpint (g_mkdir_with_parents (folder, 0755), ==, 0);
    g_assert_true (g_file_set_contents (path, "mine\n", -1, NULL));
  }
  g_assert_cmpint (g_mkdir (s->work, 0755), ==, 0);
  g_autofree char *home = g_build_filename (s->outside, "home", NULL);
  s->env = command_env (s->work, FALSE);
  s->env = g_environ_setenv (s->env, "HOME", home, TRUE);
  s->env = g_environ_setenv (s->env, "HF_HUB_OFFLINE", "1", TRUE);
  s->before = take_snapshot (s);
}

void
sandbox_tear_down (Sandbox *s, gconstpointer unused)
{
  sandbox_check (s);
  scratch_free (s->folder);
  g_free (s->outside);
  g_free (s->work);
  g_free (s->before);
  g_strfreev (s->env);
}

char *
sandbox_path (Sandbox *s, const char *name)
{
  char *path = g_build_filename (s->work, name, NULL);
  g_autofree char *folder = g_path_get_dirname (path);
  g_assert_cmpint (g_mkdir_with_parents (folder, 0755), ==, 0);
  return path;
}

void
sandbox_write (Sandbox *s, const char *name, const void *data, gssize size)
{
  g_autofree char *path = sandbox_path (s, name);
  gsize length = size < 0 ? strlen (data) : (gsize) size;
  /* Not synced, as g_file_set_contents () would: there are thousands. */
  FILE *file = fopen (path, "w");
  g_assert_nonnull (file);
  g_assert_cmpuint (fwrite (data, 1, length, file), ==, length);
  g_assert_cmpint (fclose (file), ==, 0);
}

/* ---- Output ---- */

void
hostile_assert_shown (const char *text)
{
  g_assert_true (g_utf8_validate (text, -1, NULL));
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);
    gboolean bad = c != '\n' && c != 0x200c && c != 0x200d &&
                   (g_unichar_iscntrl (c) || g_unichar_type (c) == G_UNICODE_FORMAT ||
                    c == 0x2028 || c == 0x2029);
    if (bad)
      g_test_message ("U+%04X in:\n%.2000s", c, text);
    g_assert_false (bad);
  }
}

void
hostile_assert_said (const CommandResult *result)
{
  hostile_assert_shown (result->out);
  hostile_assert_shown (result->err);
}
