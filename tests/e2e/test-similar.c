/* segue map and segue similar: a folder of music becomes a map and a library; songs are found in it; a library of
 * unknown origin is refused or read, and never more than that. */
#include "fixture.h"
#include "music.h"

#include <segue/file.h>
#include <string.h>

#define LATEST  "runs/map/latest"
#define ARTISTS 3
#define SONGS   4

static void
draw (Fixture *f, CommandResult *result)
{
  command_run (result, f->folder, f->env, "map", f->music, "--set", "segment.count=3", NULL);
  command_assert (result, 0);
}

static guint
count_files (Fixture *f, const char *name)
{
  g_autofree char *path = g_build_filename (f->folder, name, NULL);
  g_auto (GStrv) names = segue_file_list_folder (path, NULL);
  return names ? g_strv_length (names) : 0;
}

static void
test_map (Fixture *f, gconstpointer data)
{
  static const char *const names[] = { "index.html", "map.css", "map.js", "data.js" };
  g_auto (CommandResult) result = { 0 };
  draw (f, &result);
  g_assert_cmpstr (result.out, ==, LATEST "/map/index.html\n");
  command_assert_says (&result, "\nmap    runs/map/");
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *name = g_build_filename (LATEST "/map", names[i], NULL);
    fixture_assert_exists (f, name);
  }
  g_assert_cmpuint (count_files (f, LATEST "/map/clips"), ==, ARTISTS * SONGS);
  g_autofree char *page = fixture_read (f, LATEST "/map/data.js", NULL);
  command_assert_has (page, "[\"Artist 0\",4]");
  /* No folder of this system is in the page. */
  g_assert_null (strstr (page, f->folder));

  draw (f, &result);
  command_assert_says (&result, "map: from the cache");
  command_run (&result, f->folder, f->env, "map", LATEST, NULL);
  command_assert (&result, 0);
  g_assert_cmpstr (result.out, ==, LATEST "/map/index.html\n");
  g_assert_cmpstr (result.err, ==, "");

  command_run (&result, f->folder, f->env, "map", f->music, "--set", "segment.count=3", "--set",
               "map.play=files", NULL);
  command_assert (&result, 0);
  g_autofree char *files = fixture_read (f, LATEST "/map/data.js", NULL);
  command_assert_has (files, "file:///");
  g_assert_cmpuint (count_files (f, LATEST "/map/clips"), ==, 0);

  command_run_shell (&result, f->folder, f->env, "mkdir bare; echo '{}' >bare/run.json");
  command_run (&result, f->folder, f->env, "map", "bare", NULL);
  command_assert (&result, 66);
  command_assert_says (&result, "has no map");
}

/* A song with the noise of a lossy encoder: its samples have only 8 bits. */
static char *
write_twin (Fixture *f, const char *song, const char *name)
{
  gsize length;
  g_autofree char *source = g_build_filename ("music", song, NULL);
  g_autofree char *bytes = fixture_read (f, source, &length);
  g_autoptr (GError) error = NULL;
  for (gsize i = 44; i < length; i += 2)
    bytes[i] = 0;
  char *path = g_build_filename (f->folder, name, NULL);
  g_file_set_contents (path, bytes, (gssize) length, &error);
  g_assert_no_error (error);
  return path;
}

static const char *
get_match (const json_t *answer, gsize i, const char *key)
{
  return json_string_value (
    json_object_get (json_array_get (json_object_get (answer, "matches"), i), key));
}

static json_t *
similar_json (Fixture *f, const char *library, const char *song, const char *more)
{
  g_auto (CommandResult) result = { 0 };
  command_run (&result, f->folder, f->env, "similar", library, song, "--json", more, NULL);
  command_assert (&result, 0);
  json_t *answer = json_loads (result.out, 0, NULL);
  g_assert_nonnull (answer);
  return answer;
}

static void
test_similar (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  draw (f, &result);
  g_autofree char *name = music_song_name (1, 2);
  g_autofree char *twin = write_twin (f, name, "twin.wav");
  json_t *answer = similar_json (f, LATEST, twin, NULL);
  const json_t *matches = json_object_get (answer, "matches");
  g_assert_cmpuint (json_array_size (matches), ==, 10);
  g_assert_cmpstr (get_match (answer, 0, "id"), ==, name);
  g_assert_cmpstr (get_match (answer, 0, "artist"), ==, "Artist 1");
  g_assert_true (json_is_null (json_object_get (answer, "same")));
  for (gsize i = 1; i < json_array_size (matches); i++)
    g_assert_cmpfloat (
      json_real_value (json_object_get (json_array_get (matches, i), "similarity")), <=,
      json_real_value (json_object_get (json_array_get (matches, i - 1), "similarity")));
  json_decref (answer);

  /* A song of the library, under another name: it is not listed; its artist's other songs come first. */
  command_run_shell (&result, f->folder, f->env, "cp \"music/Artist 1\"/*/\"Song 2.wav\" mine.wav");
  command_assert (&result, 0);
  answer = similar_json (f, LATEST, "mine.wav", "--top=3");
  g_assert_cmpstr (json_string_value (json_object_get (answer, "same")), ==, name);
  g_assert_cmpuint (json_array_size (json_object_get (answer, "matches")), ==, 3);
  for (gsize i = 0; i < 3; i++)
    g_assert_cmpstr (get_match (answer, i, "artist"), ==, "Artist 1");
  json_decref (answer);

  /* A moment: the segment that is nearest to it. */
  answer = similar_json (f, LATEST, twin, "--at=0:17");
  double start = json_number_value (json_object_get (json_object_get (answer, "moment"), "start"));
  g_assert_cmpfloat_with_epsilon (start, 12, 5);
  g_assert_cmpstr (get_match (answer, 0, "id"), ==, name);
  json_decref (answer);

  command_run (&result, f->folder, f->env, "similar", LATEST, "mine.wav", "--top", "2", NULL);
  command_assert (&result, 0);
  command_assert_says (&result, "not listed: ‘Artist 1/");
  g_assert_null (strstr (result.out, name));
  g_auto (GStrv) lines = g_strsplit (result.out, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 3);

  /* The folder alone, elsewhere, when the run and the music are gone. */
  command_run_shell (&result, f->folder, f->env,
                     "cp -r " LATEST "/library copy && rm -r runs music");
  command_assert (&result, 0);
  answer = similar_json (f, "copy", twin, NULL);
  g_assert_cmpstr (get_match (answer, 0, "id"), ==, name);
  json_decref (answer);
}

static void
test_usage (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  draw (f, &result);
  command_run (&result, f->folder, f->env, "similar", LATEST, NULL);
  command_assert (&result, 64);
  command_run (&result, f->folder, f->env, "similar", LATEST, "x.wav", "--at", "1:75", NULL);
  command_assert (&result, 64);
  command_assert_says (&result, "--at must be a time");
  command_run (&result, f->folder, f->env, "similar", "music", "x.wav", NULL);
  command_assert (&result, 66);
  command_assert_says (&result, "there is no library in ‘music’");

  /* One of two songs is unusable: the other has its answer. */
  fixture_write (f, "noise.mp3", "no music");
  command_run_shell (&result, f->folder, f->env, "cp music/*/*/\"Song 1.wav\" . 2>/dev/null; true");
  command_run (&result, f->folder, f->env, "similar", LATEST, "noise.mp3", "Song 1.wav", NULL);
  command_assert (&result, 65);
  command_assert_says (&result, "‘noise.mp3’");
  command_assert_says (&result, "1 of 2 songs could not be used");
  command_assert_has (result.out, "Artist ");
}

/* Each line changes a copy of the library, in the folder `bad`. */
static void
test_untrusted (Fixture *f, gconstpointer data)
{
  static const struct {
    const char *change;
    int status;
    const char *says;
  } cases[] = {
    { "sed -i 's/\"use\":\"trim\"/\"use\":\"export\"/' library.json", 65, "do more than process" },
    { "sed -i 's/\"use\":\"trim\"/\"use\":\"nonesuch\"/' library.json", 65, "nonesuch" },
    { "sed -i 's/\"encoders\":\\[{/\"encoders\":[{\"init\":\"\\/etc\",/' library.json", 65,
      "library.json" },
    { "sed -i 's/\"preparation\": .*/\"preparation\": []/' library.json", 65,
      "do not turn a file" },
    { "sed -i 's/\"preparation\": .*/\"preparation\": 7/' library.json", 65, "no list of stages" },
    { "sed -i 's/\"segue_library\": 1/\"segue_library\": 9/' library.json", 65, "newer segue" },
    { "sed -i 's/\"segments\": 36/\"segments\": 35/' library.json", 65, "more segments than" },
    { "sed -i 's/\"songs\": 12/\"songs\": 11/' library.json", 65, "another number of songs" },
    { "sed -i 's/\"segments\": 36/\"segments\": 99999999999/' library.json", 65, "wrong numbers" },
    { "sed -i 's/\"segments\": 36/\"segments\": 40/' library.json", 65, "songs.jsonl" },
    { "sed -i 's/\"segments\":3/\"segments\":-3/' songs.jsonl", 65, "a number of segments" },
    { "sed -i 's/\"segments\":3/\"segments\":9223372036854775807/' songs.jsonl", 65,
      "songs.jsonl" },
    { "sed -i 's/\"id\":/\"no\":/' songs.jsonl", 65, "needs an id" },
    { "echo x >songs.jsonl", 65, "songs.jsonl" },
    { ": >songs.jsonl", 65, "songs.jsonl" },
    { "rm songs.jsonl; ln -s ../library-of-another/songs.jsonl songs.jsonl", 66, "songs.jsonl" },
    { "rm songs.jsonl; mkfifo songs.jsonl", 65, "songs.jsonl" },
    { "truncate -s -4 library.safetensors", 65, "library.safetensors" },
    { "truncate -s 7 library.safetensors", 65, "library.safetensors" },
    { ": >library.safetensors", 65, "library.safetensors" },
    { "rm library.safetensors; mkfifo library.safetensors", 65, "library.safetensors" },
    { "rm library.safetensors; ln -s /etc/passwd library.safetensors", 66, "library.safetensors" },
    { "printf '\\377\\377\\377\\377\\377\\377\\377\\377' | "
      "dd of=library.safetensors conv=notrunc status=none",
      65, "header" },
    { "sed -i 's/\"F64\"/\"F32\"/' library.safetensors", 65, "‘starts’" },
    { "sed -i 's/\"mean\"/\"maen\"/' library.safetensors", 65, "‘mean’" },
    /* The last row's numbers are NaN. */
    { "head -c 64 /dev/zero | tr '\\0' '\\377' >nan; size=$(stat -c %s library.safetensors); "
      "dd if=nan of=library.safetensors bs=1 seek=$((size - 64)) conv=notrunc status=none",
      1, "damaged" },
  };
  g_auto (CommandResult) result = { 0 };
  draw (f, &result);
  command_run_shell (&result, f->folder, f->env,
                     "mkdir library-of-another; cp " LATEST "/library/* library-of-another; "
                     "find music -name '*.wav' | head -n 1 | xargs -I{} cp {} song.wav");
  command_assert (&result, 0);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *line = g_strdup_printf (
      "rm -rf bad; cp -r " LATEST "/library bad; cd bad && { %s; }", cases[i].change);
    g_test_message ("%s", cases[i].change);
    command_run_shell (&result, f->folder, f->env, line);
    command_assert (&result, 0);
    command_run (&result, f->folder, f->env, "similar", "bad", "song.wav", NULL);
    command_assert (&result, cases[i].status);
    command_assert_says (&result, cases[i].says);
    g_assert_cmpstr (result.out, ==, "");
  }
}

/* Names of a library can't control the terminal. */
static void
test_names (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  draw (f, &result);
  command_run_shell (
    &result, f->folder, f->env,
    "cp -r " LATEST "/library odd; "
    "sed -i 's/\"id\":\"Artist/\"id\":\"\\\\u001b[31m\\\\u202eArtist/' odd/songs.jsonl; "
    "find music -name '*.wav' | head -n 1 | xargs -I{} cp {} song.wav");
  command_run (&result, f->folder, f->env, "similar", "odd", "song.wav", NULL);
  command_assert (&result, 0);
  g_assert_null (strchr (result.out, '\x1b'));
  g_assert_null (strchr (result.err, '\x1b'));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_auto (FixtureLibrary) library = fixture_library_new (ARTISTS, SONGS);
#define ADD(path, function)                                                                        \
  g_test_add ("/similar/" path, Fixture, &library, fixture_set_up, function, fixture_tear_down)
  ADD ("map", test_map);
  ADD ("find", test_similar);
  ADD ("usage", test_usage);
  ADD ("untrusted", test_untrusted);
  ADD ("names", test_names);
  return g_test_run ();
}
