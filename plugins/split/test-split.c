/* Tests of split: nothing leaks, every label is in every set, and the numbers are right. */
#include <segue/testing.h>
#include <string.h>

const SeguePlugin *segue_plugin_query (void);

/* A small data set under construction. */
static void
add (GPtrArray *items, const char *label, const char *album, const char *title, guint n_segments)
{
  static const float silence[4] = { 0 };
  g_autoptr (GBytes) bytes = g_bytes_new_static (silence, sizeof silence);
  g_autofree char *id = g_strdup_printf ("%s/%s/%s", label, album ? album : "", title);
  g_autoptr (SegueItem) song = segue_item_new_file (id, "/nowhere");

  segue_item_set_string (song, SEGUE_META_LABEL, label);
  if (album)
    segue_item_set_string (song, "album", album);
  for (guint i = 0; i < n_segments; i++) {
    g_autofree char *suffix = g_strdup_printf ("%04u", i);

    g_ptr_array_add (items, segue_item_new_audio (song, suffix, bytes, 16000, 1));
  }
}

static GPtrArray *
new_items (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
}

/* @n songs in albums of @per_album. */
static void
add_artist (GPtrArray *items, const char *label, guint n, guint per_album)
{
  for (guint i = 0; i < n; i++) {
    g_autofree char *album = g_strdup_printf ("%s album %u", label, i / per_album);
    g_autofree char *title = g_strdup_printf ("song %02u", i);

    add (items, label, album, title, 2);
  }
}

static SegueHarness *
run_seeded (const char *config, GPtrArray *items, guint64 seed, GError **error)
{
  g_autoptr (SegueHarness) harness = segue_harness_new (segue_plugin_query (), "split", config);

  segue_harness_set_seed (harness, seed);
  segue_harness_set_input (harness, "items", (SegueItem *const *) items->pdata, items->len);
  return segue_harness_run (harness, error) ? g_steal_pointer (&harness) : NULL;
}

static SegueHarness *
run (const char *config, GPtrArray *items)
{
  g_autoptr (GError) error = NULL;
  SegueHarness *harness = run_seeded (config, items, 42, &error);

  g_assert_no_error (error);
  return harness;
}

/* Songs of @label in @set. */
static guint
count (SegueHarness *harness, const char *label, const char *set)
{
  SegueDataset *dataset = segue_harness_get_dataset (harness);
  g_autoptr (GHashTable) songs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < segue_dataset_get_length (dataset); i++) {
    SegueItem *item = segue_dataset_get_entry (dataset, i);

    if ((!label || g_strcmp0 (segue_item_get_string (item, SEGUE_META_LABEL), label) == 0) &&
        g_strcmp0 (segue_item_get_string (item, SEGUE_META_SET), set) == 0)
      g_hash_table_add (songs, g_strdup (segue_item_get_song (item)));
  }
  return g_hash_table_size (songs);
}

/* "id=set" of all items, one a line. */
static char *
describe (SegueHarness *harness)
{
  SegueDataset *dataset = segue_harness_get_dataset (harness);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < segue_dataset_get_length (dataset); i++) {
    SegueItem *item = segue_dataset_get_entry (dataset, i);

    g_string_append_printf (text, "%s=%s\n", segue_item_get_id (item),
                            segue_item_get_string (item, SEGUE_META_SET));
  }
  return g_string_free (text, FALSE);
}

/* No value of @key in two sets; @key "song": no song. */
static void
assert_nothing_leaks (SegueHarness *harness, const char *key)
{
  SegueDataset *dataset = segue_harness_get_dataset (harness);
  g_autoptr (GHashTable) sets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  for (guint i = 0; i < segue_dataset_get_length (dataset); i++) {
    SegueItem *item = segue_dataset_get_entry (dataset, i);
    const char *set = segue_item_get_string (item, SEGUE_META_SET);
    const char *group = segue_item_get_string (item, key), *known;

    if (!group)
      continue;
    known = g_hash_table_lookup (sets, group);
    if (known)
      g_assert_cmpstr (known, ==, set);
    else
      g_hash_table_insert (sets, g_strdup (group), g_strdup (set));
  }
}

static void
test_shares (void)
{
  g_autoptr (GPtrArray) items = new_items ();
  g_autoptr (SegueHarness) harness = NULL;

  add_artist (items, "Mika", 20, 5);
  add_artist (items, "Queen", 30, 5);
  harness = run ("{ test: 0.2, validation: 0.1 }", items);
  g_assert_cmpuint (segue_dataset_get_length (segue_harness_get_dataset (harness)), ==, 100);
  g_assert_cmpuint (count (harness, "Mika", "test"), ==, 4);
  g_assert_cmpuint (count (harness, "Mika", "validation"), ==, 2);
  g_assert_cmpuint (count (harness, "Mika", "train"), ==, 14);
  g_assert_cmpuint (count (harness, "Queen", "test"), ==, 6);
  g_assert_cmpuint (count (harness, "Queen", "validation"), ==, 3);
  g_assert_cmpint (segue_harness_get_count (harness, "test songs"), ==, 10);
  assert_nothing_leaks (harness, "song");
}

static void
test_counts (void)
{
  g_autoptr (GPtrArray) items = new_items ();
  g_autoptr (SegueHarness) harness = NULL;

  add_artist (items, "Mika", 9, 3);
  add_artist (items, "Queen", 40, 4);
  harness = run ("{ test: 3, validation: 2 }", items);
  g_assert_cmpuint (count (harness, "Mika", "test"), ==, 3);
  g_assert_cmpuint (count (harness, "Queen", "test"), ==, 3);
  g_assert_cmpuint (count (harness, "Queen", "validation"), ==, 2);
}

/* 20 % of each artist's songs, at least 2, of the libre music set: 32 test songs. */
static void
test_reference_protocol (void)
{
  static const guint songs[] = { 30, 30, 26, 14, 12, 7, 12, 12, 11, 8 };
  g_autoptr (GPtrArray) items = new_items ();
  g_autoptr (SegueHarness) harness = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (songs); i++) {
    g_autofree char *label = g_strdup_printf ("artist %u", i);

    add_artist (items, label, songs[i], 4);
  }
  harness = run ("{ test: 0.2, validation: 0, min_test: 2 }", items);
  g_assert_cmpuint (count (harness, NULL, "test"), ==, 32);
  g_assert_cmpuint (count (harness, "artist 5", "test"), ==, 2);
  g_assert_cmpuint (count (harness, NULL, "validation"), ==, 0);
}

static void
test_seed (void)
{
  g_autoptr (GPtrArray) items = new_items (), backwards = new_items ();
  g_autoptr (SegueHarness) a = NULL, b = NULL, c = NULL, d = NULL;
  g_autofree char *first = NULL, *again = NULL, *other = NULL, *turned = NULL;

  add_artist (items, "Mika", 20, 5);
  add_artist (items, "Queen", 30, 5);
  for (guint i = items->len; i-- > 0;)
    g_ptr_array_add (backwards, segue_item_ref (g_ptr_array_index (items, i)));
  a = run_seeded ("{}", items, 1, NULL);
  b = run_seeded ("{}", items, 1, NULL);
  c = run_seeded ("{}", items, 2, NULL);
  d = run_seeded ("{}", backwards, 1, NULL);
  first = describe (a);
  again = describe (b);
  other = describe (c);
  turned = describe (d);
  g_assert_cmpstr (first, ==, again);
  g_assert_cmpstr (first, !=, other);
  g_assert_cmpstr (first, ==, turned);
}

/* Over many seeds each song is drawn about equally often: no position is favoured. */
static void
test_fairness (void)
{
  g_autoptr (GPtrArray) items = new_items ();
  guint drawn[10] = { 0 };

  add_artist (items, "Mika", 10, 2);
  for (guint64 seed = 0; seed < 400; seed++) {
    g_autoptr (SegueHarness) harness =
      run_seeded ("{ test: 0.2, validation: 0 }", items, seed, NULL);
    SegueDataset *dataset = segue_harness_get_dataset (harness);

    for (guint i = 0; i < 10; i++) {
      SegueItem *item = segue_dataset_get_entry (dataset, 2 * i);

      drawn[i] += g_str_equal (segue_item_get_string (item, SEGUE_META_SET), "test");
    }
  }
  for (guint i = 0; i < 10; i++) { /* 80 ± 8 expected: five deviations */
    g_assert_cmpuint (drawn[i], >, 40);
    g_assert_cmpuint (drawn[i], <, 120);
  }
}

static void
test_albums (void)
{
  g_autoptr (GPtrArray) items = new_items ();

  add_artist (items, "Mika", 40, 4);
  add_artist (items, "Queen", 30, 10);
  for (guint64 seed = 0; seed < 50; seed++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (SegueHarness) harness =
      run_seeded ("{ by: album, test: 0.2, validation: 0.1 }", items, seed, &error);

    g_assert_no_error (error);
    assert_nothing_leaks (harness, "album");
    assert_nothing_leaks (harness, SEGUE_META_GROUP);
    g_assert_cmpuint (count (harness, "Mika", "test"), ==, 8);
    g_assert_cmpuint (count (harness, "Mika", "validation"), ==, 4);
    g_assert_cmpuint (count (harness, "Queen", "test"), ==, 10); /* three albums: one each */
    g_assert_cmpuint (count (harness, "Queen", "validation"), ==, 10);
    g_assert_cmpuint (count (harness, "Queen", "train"), ==, 10);
  }
}

/* Albums of one name under two artists stay together, whatever the effect on the shares. */
static void
test_shared_albums (void)
{
  g_autoptr (GPtrArray) items = new_items ();

  for (guint i = 0; i < 6; i++) {
    g_autofree char *own = g_strdup_printf ("own %u", i), *title = g_strdup_printf ("t%u", i);

    add (items, "Mika", "Greatest Hits", title, 1);
    add (items, "Queen", "Greatest Hits", title, 1);
    add (items, "Mika", "Duets", title, 1);
    add (items, "Queen", "Duets", title, 1);
    add (items, "Mika", own, "x", 1);
    add (items, "Queen", own, "y", 1);
  }
  for (guint64 seed = 0; seed < 50; seed++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (SegueHarness) harness =
      run_seeded ("{ by: album, test: 0.25, validation: 0.1 }", items, seed, &error);

    g_assert_no_error (error);
    assert_nothing_leaks (harness, "album");
    for (const char *const *label = (const char *const[]){ "Mika", "Queen", NULL }; *label;
         label++) {
      g_assert_cmpuint (count (harness, *label, "test"), >, 0);
      g_assert_cmpuint (count (harness, *label, "validation"), >, 0);
      g_assert_cmpuint (count (harness, *label, "train"), >, 0);
    }
  }
}

static void
test_folds (void)
{
  g_autoptr (GPtrArray) items = new_items ();
  g_autoptr (GHashTable) tested = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  add_artist (items, "Mika", 20, 2);
  add_artist (items, "Queen", 13, 2);
  for (guint fold = 0; fold < 4; fold++) {
    g_autofree char *config = g_strdup_printf ("{ folds: 4, fold: %u, validation: 0.1 }", fold);
    g_autoptr (SegueHarness) harness = run (config, items);
    SegueDataset *dataset = segue_harness_get_dataset (harness);

    g_assert_cmpuint (count (harness, "Mika", "test"), ==, 5);
    g_assert_cmpuint (count (harness, "Queen", "test") - 3, <=, 1);
    g_assert_cmpuint (count (harness, "Mika", "validation"), ==, 2);
    for (guint i = 0; i < segue_dataset_get_length (dataset); i++) {
      SegueItem *item = segue_dataset_get_entry (dataset, i);
      gboolean is_test = g_str_equal (segue_item_get_string (item, SEGUE_META_SET), "test");

      g_assert_cmpint (is_test, ==, atoi (segue_item_get_string (item, "fold")) == (int) fold);
      if (is_test)
        g_hash_table_add (tested, g_strdup (segue_item_get_id (item)));
    }
  }
  g_assert_cmpuint (g_hash_table_size (tested), ==, items->len); /* each is tested once */
}

static void
test_too_few (void)
{
  g_autoptr (GPtrArray) items = new_items ();
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueHarness) harness = NULL;

  add_artist (items, "Abba", 2, 1);
  add_artist (items, "Mika", 20, 5);
  add_artist (items, "Queen", 1, 1);
  g_assert_null (run_seeded ("{}", items, 1, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message,
                            "‘Abba’ has 2 songs, ‘Queen’ has 1 song; each needs at least 3: add "
                            "songs, or exclude such labels with --set split.too_few=leave_out"));
  g_assert_null (strstr (error->message, "Mika"));

  harness = run ("{ too_few: train_only }", items);
  g_assert_cmpuint (count (harness, "Abba", "train"), ==, 2);
  g_assert_cmpuint (count (harness, "Queen", "train"), ==, 1);
  g_assert_cmpuint (count (harness, "Mika", "test"), ==, 4);
}

static void
test_leave_out (void)
{
  g_autoptr (GPtrArray) items = new_items (), two = new_items ();
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueHarness) harness = NULL;
  g_auto (GStrv) labels = NULL;
  GPtrArray *log;

  add_artist (items, "Abba", 2, 1);
  add_artist (items, "Mika", 20, 5);
  add_artist (items, "Queen", 1, 1);
  g_assert_null (run_seeded ("{ too_few: leave_out }", items, 1, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, "only one of 3 labels has enough songs"));
  g_clear_error (&error);
  g_assert_null (
    run_seeded ("{ by: album, test: 2, too_few: leave_out, folds: 9 }", items, 1, &error));
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, "none of 3 labels has enough albums"));
  g_assert_nonnull (strstr (error->message, "--set split.by=song"));

  add_artist (items, "Muse", 10, 5);
  harness = run ("{ too_few: leave_out, folds: 3 }", items);
  labels = segue_dataset_get_labels (segue_harness_get_dataset (harness));
  g_assert_cmpuint (g_strv_length (labels), ==, 2);
  g_assert_cmpstr (labels[0], ==, "Mika");
  g_assert_cmpstr (labels[1], ==, "Muse");
  g_assert_cmpuint (count (harness, NULL, "train") + count (harness, NULL, "validation") +
                      count (harness, NULL, "test"),
                    ==, 30);
  g_assert_cmpint (segue_harness_get_count (harness, "songs of labels with too few"), ==, 3);
  g_assert_cmpint (segue_harness_get_count (harness, "train songs") +
                     segue_harness_get_count (harness, "validation songs") +
                     segue_harness_get_count (harness, "test songs"),
                   ==, 30);
  log = segue_harness_get_log (harness);
  g_assert_cmpuint (log->len, ==, 1);
  g_test_message ("%s", (const char *) g_ptr_array_index (log, 0));
  g_assert_nonnull (strstr (g_ptr_array_index (log, 0), "‘Abba’ has 2 songs, ‘Queen’ has 1 song"));
}

/* Files with one recording stay together, whatever their labels and groups. */
static void
test_recordings (void)
{
  g_autoptr (GPtrArray) items = new_items ();

  add_artist (items, "Mika", 12, 2);
  add_artist (items, "Queen", 12, 2);
  for (guint i = 0; i < 6; i++) { /* song i of one artist is song i + 3 of the other */
    g_autofree char *recording = g_strdup_printf ("r%u", i);

    for (guint s = 0; s < 2; s++) {
      segue_item_set_string (g_ptr_array_index (items, 2 * i + s), SEGUE_META_RECORDING, recording);
      segue_item_set_string (g_ptr_array_index (items, 24 + 2 * (i + 3) + s), SEGUE_META_RECORDING,
                             recording);
    }
  }
  for (guint64 seed = 0; seed < 50; seed++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (SegueHarness) songs = run_seeded ("{ test: 0.3 }", items, seed, &error);
    g_autoptr (SegueHarness) albums = NULL;

    g_assert_no_error (error);
    assert_nothing_leaks (songs, SEGUE_META_RECORDING);
    assert_nothing_leaks (songs, "song");
    g_assert_cmpuint (count (songs, "Mika", "test"), >, 0);
    albums = run_seeded ("{ by: album, test: 0.3 }", items, seed, &error);
    g_assert_no_error (error);
    assert_nothing_leaks (albums, SEGUE_META_RECORDING);
    assert_nothing_leaks (albums, "album");
    assert_nothing_leaks (albums, SEGUE_META_GROUP);
  }
}

static void
test_too_few_albums (void)
{
  g_autoptr (GPtrArray) items = new_items ();
  g_autoptr (GError) error = NULL;

  add_artist (items, "Mika", 20, 10);
  g_assert_null (run_seeded ("{ by: album }", items, 1, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, "too few albums"));
  g_assert_nonnull (strstr (error->message, "‘Mika’ has 2 albums; each needs at least 3"));
}

static void
test_missing_metadata (void)
{
  g_autoptr (GPtrArray) items = new_items ();
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueHarness) harness = NULL;

  add_artist (items, "Mika", 9, 3);
  add (items, "Mika", NULL, "single", 1);
  harness = run ("{ by: album }", items);
  assert_nothing_leaks (harness, "album");
  g_assert_null (run_seeded ("{ by: albun }", items, 1, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, "‘albun’"));
  g_assert_nonnull (strstr (error->message, "album"));
}

/* For any songs: no leak, all sets complete, or an error. */
static void
test_any_data_set (void)
{
  for (guint32 seed = 1; seed <= 60; seed++) {
    g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
    g_autoptr (GPtrArray) items = new_items ();
    g_autoptr (GError) error = NULL;
    g_autoptr (SegueHarness) harness = NULL;
    g_auto (GStrv) labels = NULL;
    guint n_labels = (guint) g_rand_int_range (rand, 1, 8);

    for (guint i = 0; i < 80; i++) {
      g_autofree char *label = g_strdup_printf ("l%d", g_rand_int_range (rand, 0, (gint) n_labels));
      g_autofree char *album = g_strdup_printf ("a%d", g_rand_int_range (rand, 0, 40));
      g_autofree char *title = g_strdup_printf ("t%u", i);

      add (items, label, album, title, 1);
    }
    harness = run_seeded ("{ by: album, test: 0.3, validation: 0.2, too_few: train_only }", items,
                          seed, &error);
    g_assert_no_error (error);
    assert_nothing_leaks (harness, "album");
    g_assert_cmpuint (segue_dataset_get_length (segue_harness_get_dataset (harness)), ==, 80);
    labels = segue_dataset_get_labels (segue_harness_get_dataset (harness));
    for (guint l = 0; labels[l]; l++)
      g_assert_cmpuint (count (harness, labels[l], "train"), >, 0);
  }
}

static void
test_nothing (void)
{
  g_autoptr (GPtrArray) items = new_items ();
  g_autoptr (SegueHarness) harness = run ("{}", items);

  g_assert_cmpuint (segue_dataset_get_length (segue_harness_get_dataset (harness)), ==, 0);
}

static void
test_bad_configs (void)
{
  static const char *const configs[] = {
    "{ test: 0.7, validation: 0.3 }", "{ test: 1.5 }", "{ folds: 1 }",
    "{ folds: 3, fold: 3 }",          "{ by: \"\" }",
  };

  for (guint i = 0; i < G_N_ELEMENTS (configs); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (SegueHarness) harness =
      segue_harness_try_new (segue_plugin_query (), "split", configs[i], &error);

    g_assert_null (harness);
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/split/shares", test_shares);
  g_test_add_func ("/split/counts", test_counts);
  g_test_add_func ("/split/reference-protocol", test_reference_protocol);
  g_test_add_func ("/split/seed", test_seed);
  g_test_add_func ("/split/fairness", test_fairness);
  g_test_add_func ("/split/albums", test_albums);
  g_test_add_func ("/split/shared-albums", test_shared_albums);
  g_test_add_func ("/split/folds", test_folds);
  g_test_add_func ("/split/too-few", test_too_few);
  g_test_add_func ("/split/leave-out", test_leave_out);
  g_test_add_func ("/split/recordings", test_recordings);
  g_test_add_func ("/split/too-few-albums", test_too_few_albums);
  g_test_add_func ("/split/missing-metadata", test_missing_metadata);
  g_test_add_func ("/split/any-data-set", test_any_data_set);
  g_test_add_func ("/split/nothing", test_nothing);
  g_test_add_func ("/split/bad-configs", test_bad_configs);
  return g_test_run ();
}
