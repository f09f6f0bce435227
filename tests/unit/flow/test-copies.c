/* Augmented copies that a stage stores, and instances that workers share. */
#include "fake.h"

#include <segue/file.h>
#include <string.h>

#define CUT  "  - use: fake-decode\n  - { use: fake-segment, with: { count: 1 } }\n"
#define LIVE "  - use: fake-live\n"

static void
write_songs (FlowFixture *fixture, guint n)
{
  for (guint i = 0; i < n; i++) {
    g_autofree char *path = g_strdup_printf ("a/song-%02u.song", i);
    g_autofree char *content = g_strdup_printf ("song number %u", i);
    flow_fixture_write (fixture, path, content);
  }
}

/* The lines of dump.txt of its first epoch, without the folder. */
static GStrv
read_dump (FlowFixture *fixture)
{
  g_autofree char *text = flow_fixture_read (fixture, "dump.txt");
  g_autoptr (GString) dump = g_string_new (text);
  g_string_replace (dump, fixture->folder, "", 0);
  g_auto (GStrv) lines = g_strsplit (g_strstrip (dump->str), "\n", -1);
  guint n = g_strv_length (lines) / 2;
  GStrv first = g_new0 (char *, n + 1);
  for (guint i = 0; i < n; i++) {
    g_assert_cmpstr (lines[i], ==, lines[n + i]); /* stored: the same in every epoch */
    first[i] = g_strdup (lines[i]);
  }
  return first;
}

/* The samples of a line of the dump, as text. */
static const char *
samples_of (const char *line)
{
  return strrchr (line, '}');
}

/* Ports for augmented items get the item as it is and its copies, others only the item. */
static void
test_copies (void)
{
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  write_songs (&fixture, 3);
  flow_fixture_run (
    &fixture, CUT LIVE "  - { use: fake-embed, copies: 2 }\n  - use: fake-dump-live\n", 2, NULL);
  g_auto (GStrv) all = read_dump (&fixture);
  g_assert_cmpuint (g_strv_length (all), ==, 9);
  for (guint i = 0; i < 9; i++) {
    g_autofree char *suffix = i % 3 > 0
                                ? g_strdup_printf ("a/song-%02u.song#0000#copy-%u ", i / 3, i % 3)
                                : g_strdup_printf ("a/song-%02u.song#0000 ", i / 3);
    g_autofree char *mark = i % 3 > 0 ? g_strdup_printf ("'copy': <int64 %u>", i % 3) : NULL;
    g_assert_true (g_str_has_prefix (all[i], suffix));
    g_assert_true (mark ? strstr (all[i], mark) != NULL : !strstr (all[i], "'copy'"));
    for (guint k = 0; k < i && i % 3 > 0; k++)
      g_assert_cmpstr (samples_of (all[i]), !=, samples_of (all[k]));
  }

  flow_fixture_run (&fixture, CUT LIVE "  - { use: fake-embed, copies: 2 }\n  - use: fake-dump\n",
                    2, NULL);
  g_auto (GStrv) clean = read_dump (&fixture);
  g_assert_cmpuint (g_strv_length (clean), ==, 3);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpstr (clean[i], ==, all[3 * i]);
}

/* Of an item that all live stages leave as it is, no copy is stored. */
static void
test_unchanged (void)
{
#define MAYBE(p)      "  - { use: fake-maybe, with: { p: " p " } }\n"
#define STORE(copies) "  - { use: fake-embed, copies: " copies " }\n  - use: fake-dump-live\n"
  static const struct {
    const char *stages;
    guint least, most; /* lines of three songs */
  } runs[] = {
    { CUT MAYBE ("0") STORE ("4"), 3, 3 },
    { CUT MAYBE ("1") STORE ("4"), 15, 15 },
    { CUT MAYBE ("0") LIVE STORE ("4"), 15, 15 },
    { CUT LIVE MAYBE ("0") STORE ("4"), 15, 15 },
    { CUT MAYBE ("0") "  - { id: again, use: fake-maybe, with: { p: 0 } }\n" STORE ("4"), 3, 3 },
    { CUT MAYBE ("0.5") STORE ("20"), 4, 62 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (runs); i++) {
    g_auto (FlowFixture) fixture;
    flow_fixture_init (&fixture);
    write_songs (&fixture, 3);
    flow_fixture_run (&fixture, runs[i].stages, 2, NULL);
    g_auto (GStrv) lines = read_dump (&fixture);
    const char *original = NULL;
    guint n = g_strv_length (lines);
    g_test_message ("run %u: %u items", i, n);
    g_assert_cmpuint (n, >=, runs[i].least);
    g_assert_cmpuint (n, <=, runs[i].most);
    for (guint k = 0; k < n; k++)
      if (strstr (lines[k], "#copy-"))
        g_assert_cmpstr (samples_of (lines[k]), !=, samples_of (original));
      else
        original = lines[k];
  }
}

/* The number of copies is part of the key, as are the live stages. */
static void
test_key (void)
{
  static const struct {
    const char *stages;
    guint n_cached;
  } runs[] = {
    { CUT LIVE "  - { use: fake-embed, copies: 2 }\n  - use: fake-dump-live\n", 0 },
    { CUT LIVE "  - { use: fake-embed, copies: 2 }\n  - use: fake-dump\n", 3 },
    { CUT LIVE "  - { use: fake-embed, copies: 1 }\n  - use: fake-dump-live\n", 0 },
    { CUT LIVE "  - use: fake-embed\n  - use: fake-dump\n", 3 },
    { CUT "  - use: fake-embed\n  - use: fake-dump\n", 0 },
    { CUT "  - { use: fake-live, seed: 9 }\n  - use: fake-embed\n  - use: fake-dump\n", 0 },
  };
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  write_songs (&fixture, 3);
  for (guint i = 0; i < G_N_ELEMENTS (runs); i++) {
    SegueRunResult result = SEGUE_INIT (SegueRunResult);
    flow_fixture_run (&fixture, runs[i].stages, 2, &result);
    g_test_message ("run %u", i);
    g_assert_cmpuint (result.n_cached, ==, runs[i].n_cached);
    segue_run_result_clear (&result);
  }
}

/* Live stages with two readers: the stored one, and one that reads them in every epoch. */
static void
test_two_readers (void)
{
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  write_songs (&fixture, 3);
  flow_fixture_run (&fixture,
                    CUT LIVE
                    "  - { use: fake-embed, copies: 2 }\n"
                    "  - { use: fake-dump-live, from: { audio: fake-live } }\n"
                    "  - { id: stored, use: fake-dump-live, from: { audio: fake-embed } }\n",
                    2, NULL);
  g_autofree char *text = flow_fixture_read (&fixture, "dump.txt");
  g_assert_nonnull (strstr (text, "#copy-2 "));
}

/* One instance, however many workers there are, closed at the end; copies need a stage that stores them. */
static void
test_shared (void)
{
  g_autofree char *first = NULL;
  for (guint workers = 1; workers <= 8; workers *= 2) {
    g_auto (FlowFixture) fixture;
    flow_fixture_init (&fixture);
    write_songs (&fixture, 24);
    flow_fixture_write (&fixture, "a/bad.song", "BAD");
    int opened = g_atomic_int_get (&fake_embedders_opened);
    flow_fixture_run (&fixture,
                      CUT LIVE "  - { use: fake-embed, copies: 2 }\n  - use: fake-dump-live\n",
                      workers, NULL);
    g_assert_cmpint (g_atomic_int_get (&fake_embedders), ==, 0);
    g_assert_cmpint (g_atomic_int_get (&fake_embedders_opened), >, opened);
    g_auto (GStrv) lines = read_dump (&fixture);
    g_autofree char *text = g_strjoinv ("\n", lines);
    if (!first)
      first = g_strdup (text);
    g_assert_cmpstr (text, ==, first);
  }
}

static void
test_refused (void)
{
  static const struct {
    const char *stages, *says;
  } cases[] = {
    { CUT "  - { use: fake-noise, copies: 2 }\n", "'fake-noise' stores no augmented copies" },
    { CUT LIVE "  - use: fake-noise\n", "its output is stored" },
    { CUT LIVE "  - { use: fake-embed, copies: -1 }\n", "copies" },
  };
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  g_autofree char *path = g_build_filename (fixture.folder, "refused.yaml", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *yaml = g_strdup_printf ("segue: 1\nname: refused\nstages:\n"
                                             "  - { use: fake-scan, with: { root: \"%s\" } }\n%s",
                                             fixture.music, cases[i].stages);
    g_assert_true (segue_file_write (path, yaml, -1, NULL));
    g_assert_null (segue_pipeline_load (fixture.registry, path, NULL, &error));
    g_test_message ("%s", error->message);
    g_assert_nonnull (strstr (error->message, cases[i].says));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/copies/ports", test_copies);
  g_test_add_func ("/copies/unchanged", test_unchanged);
  g_test_add_func ("/copies/key", test_key);
  g_test_add_func ("/copies/two-readers", test_two_readers);
  g_test_add_func ("/copies/shared", test_shared);
  g_test_add_func ("/copies/refused", test_refused);
  return g_test_run ();
}
