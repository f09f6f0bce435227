#include "fixture.h"

#include "music.h"

#include <glib/gstdio.h>
#include <unistd.h>

FixtureLibrary
fixture_library_new (guint artists, guint songs)
{
  FixtureLibrary library = { scratch_new (), artists, songs };
  music_write_library (library.folder, artists, songs);
  return library;
}

void
fixture_library_clear (FixtureLibrary *library)
{
  g_clear_pointer (&library->folder, scratch_free);
}

void
fixture_set_up (Fixture *f, gconstpointer data)
{
  const FixtureLibrary *library = data;
  f->folder = scratch_new ();
  f->music = g_build_filename (f->folder, "music", NULL);
  f->env = command_env (f->folder, FALSE);
  for (guint a = 0; a < library->artists; a++)
    for (guint s = 0; s < library->songs; s++) {
      g_autofree char *name = music_song_name (a, s);
      g_autofree char *from = g_build_filename (library->folder, name, NULL);
      g_autofree char *to = fixture_place (f, name);
      g_assert_cmpint (link (from, to), ==, 0);
    }
}

void
fixture_tear_down (Fixture *f, gconstpointer data)
{
  scratch_free (f->folder);
  g_free (f->music);
  g_strfreev (f->env);
}

char *
fixture_place (Fixture *f, const char *song)
{
  char *path = g_build_filename (f->music, song, NULL);
  g_autofree char *parent = g_path_get_dirname (path);
  g_assert_cmpint (g_mkdir_with_parents (parent, 0777), ==, 0);
  return path;
}

char *
fixture_read (Fixture *f, const char *name, gsize *length)
{
  g_autofree char *path = g_build_filename (f->folder, name, NULL);
  char *text = NULL;
  g_autoptr (GError) error = NULL;
  g_file_get_contents (path, &text, length, &error);
  g_assert_no_error (error);
  return text;
}

json_t *
fixture_read_json (Fixture *f, const char *name)
{
  g_autofree char *text = fixture_read (f, name, NULL);
  json_error_t problem;
  json_t *root = json_loads (text, JSON_REJECT_DUPLICATES, &problem);
  if (!root)
    g_test_message ("%s: %s", name, problem.text);
  g_assert_nonnull (root);
  return root;
}

void
fixture_write (Fixture *f, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (f->folder, name, NULL);
  g_autoptr (GError) error = NULL;
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}

void
fixture_assert_exists (Fixture *f, const char *name)
{
  g_autofree char *path = g_build_filename (f->folder, name, NULL);
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    g_test_message ("%s is not there", path);
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
}
