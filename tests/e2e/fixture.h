/* Fixtures for tests of runs: some music, and a folder for each test. */
#pragma once

#include "command.h"

#include <jansson.h>

/** FixtureLibrary: songs shared by all tests of a program: music_write_library(). */
typedef struct {
  char *folder;
  guint artists, songs;
} FixtureLibrary;

FixtureLibrary fixture_library_new (guint artists, guint songs);
void fixture_library_clear (FixtureLibrary *library);

/** Fixture: a test's own copy of the music, own cache and own runs. */
typedef struct {
  char *folder;
  char *music; /* @folder/music: links into the library */
  char **env;
} Fixture;

/** fixture_set_up, fixture_tear_down: for g_test_add(); @library: a #FixtureLibrary. */
void fixture_set_up (Fixture *f, gconstpointer library);
void fixture_tear_down (Fixture *f, gconstpointer library);

/** fixture_place: (transfer full): the path of @song below the music, in an existing folder. */
char *fixture_place (Fixture *f, const char *song);

/* Files below the folder: */

/** fixture_read: (transfer full): @length: (nullable). */
char *fixture_read (Fixture *f, const char *name, gsize *length);
/** fixture_read_json: (transfer full). */
json_t *fixture_read_json (Fixture *f, const char *name);
void fixture_write (Fixture *f, const char *name, const char *text);
void fixture_assert_exists (Fixture *f, const char *name);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FixtureLibrary, fixture_library_clear)
