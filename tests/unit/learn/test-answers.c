/* Cached answers: cache hits, cache misses, and effects of damage. */
#include "pitch.h"
#include "tiny-stages.h"

#include <glib/gstdio.h>
#include <math.h>
#include <segue/file.h>
#include <string.h>

typedef struct {
  Pitch pitch;
  char *cache;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  pitch_set_up (&f->pitch, data);
  pitch_save_model (&f->pitch, PITCH_DECODE_AND_CUT, 20);
  f->cache = g_build_filename (f->pitch.folder, "cache", NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  pitch_tear_down (&f->pitch, data);
  g_free (f->cache);
}

static SeguePredictor *
new_predictor (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  SeguePredictor *predictor = pitch_new_predictor (&f->pitch);
  segue_predictor_use_cache (predictor, f->cache, &error);
  g_assert_no_error (error);
  return predictor;
}

/* By a separate predictor. @decoded: how often a song is decoded for it */
static SegueSongPrediction *
ask (Fixture *f, const char *path, guint decoded)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SeguePredictor) predictor = new_predictor (f);
  guint before = tiny_get_decoded ();
  SegueSongPrediction *song = segue_predictor_predict (predictor, path, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (tiny_get_decoded () - before, ==, decoded);
  g_assert_cmpint (song->cached, ==, decoded == 0);
  return song;
}

static void
assert_same (const SegueSongPrediction *a, const SegueSongPrediction *b)
{
  gsize n = (gsize) a->n_segments * a->n_labels * sizeof (float);
  g_assert_cmpuint (a->n_segments, ==, b->n_segments);
  g_assert_cmpuint (a->best, ==, b->best);
  g_assert_cmpmem (a->segments[0].probabilities, n, b->segments[0].probabilities, n);
  g_assert_cmpmem (a->probabilities, a->n_labels * sizeof (float), b->probabilities,
                   b->n_labels * sizeof (float));
  for (guint i = 0; i < a->n_segments; i++) {
    g_assert_cmpfloat (a->segments[i].start, ==, b->segments[i].start);
    g_assert_cmpfloat (a->segments[i].duration, ==, b->segments[i].duration);
  }
}

static void
test_once (Fixture *f, gconstpointer data)
{
  g_autofree char *low = pitch_song (&f->pitch, "low.f32", 200, 18000);
  g_autofree char *other = pitch_song (&f->pitch, "other.f32", 3000, 18000);
  g_autoptr (SegueSongPrediction) first = ask (f, low, 1);
  g_autoptr (SegueSongPrediction) again = ask (f, low, 0);
  assert_same (first, again);
  g_autoptr (SegueSongPrediction) another = ask (f, other, 1);
  g_assert_cmpuint (another->best, !=, first->best);

  /* Equal bytes are the same song, at any path; other bytes at its path are another. */
  g_autofree char *moved = g_build_filename (f->pitch.folder, "moved.f32", NULL);
  g_assert_cmpint (g_rename (low, moved), ==, 0);
  g_autoptr (SegueSongPrediction) there = ask (f, moved, 0);
  assert_same (first, there);
  g_free (pitch_song (&f->pitch, "moved.f32", 3000, 14000));
  g_autoptr (SegueSongPrediction) changed = ask (f, moved, 1);
  g_assert_cmpuint (changed->n_segments, ==, 3);
}

/* The aggregation of segments is not part of the cached data. */
static void
test_aggregations (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *low = pitch_song (&f->pitch, "low.f32", 200, 18000);
  g_autoptr (SegueSongPrediction) mean = ask (f, low, 1);
  g_autoptr (SeguePredictor) predictor = new_predictor (f);
  const SegueThreshold threshold = { SEGUE_MEASURE_CONFIDENCE, 1.5 };
  segue_predictor_set_aggregation (predictor, SEGUE_AGGREGATE_VOTE, &threshold);
  g_autoptr (SegueSongPrediction) vote = segue_predictor_predict (predictor, low, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (vote->cached);
  g_assert_cmpint (vote->certainty, ==, SEGUE_UNSURE);
  g_assert_cmpint (mean->certainty, ==, SEGUE_CERTAINTY_UNKNOWN);
  /* A model without a space. */
  g_assert_true (isnan (vote->distance));
  g_assert_cmpfloat (vote->probabilities[vote->best], ==, 1);
  g_assert_cmpfloat (mean->probabilities[mean->best], <, 1);
}

/* Another model, in any of its files, another preparation, other numbers: another answer. */
static void
test_other_models (Fixture *f, gconstpointer data)
{
  g_autofree char *low = pitch_song (&f->pitch, "low.f32", 200, 18000);
  g_autoptr (SegueSongPrediction) first = ask (f, low, 1);
  pitch_save_model (&f->pitch, PITCH_DECODE_AND_CUT, 10);
  g_autoptr (SegueSongPrediction) second = ask (f, low, 1);
  g_assert_cmpfloat (first->probabilities[0], !=, second->probabilities[0]);
  g_autoptr (GString) shorter = g_string_new (PITCH_DECODE_AND_CUT);
  g_string_replace (shorter, "4000", "2000", 1);
  pitch_save_model (&f->pitch, shorter->str, 20);
  g_autoptr (SegueSongPrediction) third = ask (f, low, 1);
  g_assert_cmpuint (third->n_segments, ==, 9);
  pitch_save_model (&f->pitch, NULL, 20);
  g_autoptr (SegueSongPrediction) whole = ask (f, low, 1);
  g_assert_cmpuint (whole->n_segments, ==, 1);

  pitch_save_model (&f->pitch, PITCH_DECODE_AND_CUT, 20);
  g_autoptr (SegueSongPrediction) back = ask (f, low, 0);
  assert_same (first, back);
  g_autoptr (GError) error = NULL;
  g_autoptr (SeguePredictor) int8 =
    segue_predictor_new (f->pitch.registry, f->pitch.model, 1, SEGUE_MODEL_INT8, &error);
  g_assert_no_error (error);
  g_assert_true (segue_predictor_use_cache (int8, f->cache, &error));
  g_autoptr (SegueSongPrediction) rounded = segue_predictor_predict (int8, low, NULL, &error);
  g_assert_no_error (error);
  g_assert_false (rounded->cached);
}

static void
assert_bad (Fixture *f, const char *path, SegueErrorCode code, guint decoded)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SeguePredictor) predictor = new_predictor (f);
  guint before = tiny_get_decoded ();
  g_assert_null (segue_predictor_predict (predictor, path, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, (int) code);
  g_assert_nonnull (strstr (error->message, path));
  g_assert_cmpuint (tiny_get_decoded () - before, ==, decoded);
}

/* An error of a song's bytes is checked twice and then cached, under any name; an error of the environment is
 * not. */
static void
test_bad_songs (Fixture *f, gconstpointer data)
{
  g_autofree char *odd = g_build_filename (f->pitch.folder, "odd.f32", NULL);
  g_autofree char *moved = g_build_filename (f->pitch.folder, "moved.f32", NULL);
  g_assert_true (segue_file_write (odd, "abc", 3, NULL));
  assert_bad (f, odd, SEGUE_ERROR_DATA, 2);
  assert_bad (f, odd, SEGUE_ERROR_DATA, 0);
  g_assert_cmpint (g_rename (odd, moved), ==, 0);
  assert_bad (f, moved, SEGUE_ERROR_DATA, 0);

  assert_bad (f, odd, SEGUE_ERROR_NO_INPUT, 1);
  assert_bad (f, odd, SEGUE_ERROR_NO_INPUT, 1);
  g_autofree char *slow = pitch_song (&f->pitch, "song.slow", 200, 9000);
  assert_bad (f, slow, SEGUE_ERROR_TIMEOUT, 1);
  assert_bad (f, slow, SEGUE_ERROR_TIMEOUT, 1);
  g_free (pitch_song (&f->pitch, "odd.f32", 200, 8000));
  g_autoptr (SegueSongPrediction) there = ask (f, odd, 1);
}

/* (transfer full): the only record. */
static char *
find_record (Fixture *f)
{
  g_autofree char *records = g_build_filename (f->cache, "records", NULL);
  char *found = NULL;
  g_auto (GStrv) shards = segue_file_list_folder (records, NULL);
  for (gsize i = 0; shards[i]; i++) {
    g_autofree char *shard = g_build_filename (records, shards[i], NULL);
    g_auto (GStrv) names = segue_file_list_folder (shard, NULL);
    for (gsize j = 0; names[j]; j++) {
      g_assert_null (found);
      found = g_build_filename (shard, names[j], NULL);
    }
  }
  g_assert_nonnull (found);
  return found;
}

/* One wrong bit, anywhere: reported, recomputed, and repaired afterwards. */
static void
test_damage (Fixture *f, gconstpointer data)
{
  g_autofree char *low = pitch_song (&f->pitch, "low.f32", 200, 18000);
  g_autoptr (SegueSongPrediction) first = ask (f, low, 1);
  g_autofree char *path = find_record (f);
  gsize length;
  g_autofree char *bytes = NULL;
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  for (gsize at = 0; at < length; at += 41) {
    g_autofree char *damaged = g_memdup2 (bytes, length);
    damaged[at] ^= 4;
    g_assert_true (g_file_set_contents (path, damaged, (gssize) length, NULL));
    g_autoptr (GError) error = NULL;
    g_autoptr (SeguePredictor) predictor = new_predictor (f);
    g_autoptr (SegueSongPrediction) again = segue_predictor_predict (predictor, low, NULL, &error);
    g_assert_no_error (error);
    assert_same (first, again);
    /* Padding before the payload has no meaning. */
    g_autofree char *warning = segue_predictor_get_warning (predictor);
    g_assert_true (again->cached || strstr (warning, "damaged"));
    g_autofree char *now = NULL;
    if (!again->cached) {
      g_assert_true (g_file_get_contents (path, &now, NULL, NULL));
      g_assert_cmpmem (now, length, bytes, length);
    }
  }
}

static guint64
read_number (const char *at, guint n_bytes)
{
  guint64 value = 0;
  for (guint i = 0; i < n_bytes; i++)
    value |= (guint64) (guchar) at[i] << (8 * i);
  return value;
}

static void
digest (char *out, const char *const parts[], const gsize *lengths, guint n)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  for (guint i = 0; i < n; i++)
    g_checksum_update (checksum, (const guchar *) parts[i], (gssize) lengths[i]);
  gsize length = 32;
  g_checksum_get_digest (checksum, (guint8 *) out, &length);
}

/* Checksums as an attacker with write access to the cache would set them: see record.h. */
static void
reseal (char *record, gsize length)
{
  gsize header = read_number (record + 12, 4), payload = read_number (record + 16, 8);
  digest (record + 64, (const char *const[]){ record + payload }, (gsize[]){ length - payload }, 1);
  digest (record + 32, (const char *const[]){ record, record + 64, record + 96 },
          (gsize[]){ 32, 32, header }, 3);
}

static void
put_record (const char *path, const char *bytes, gsize length)
{
  g_autofree char *sealed = g_memdup2 (bytes, length);
  reseal (sealed, length);
  g_assert_true (g_file_set_contents (path, sealed, (gssize) length, NULL));
}

/* A forged record, with correct checksums: no invalid positions, no invalid probabilities. */
static void
test_hostile (Fixture *f, gconstpointer data)
{
  g_autofree char *low = pitch_song (&f->pitch, "low.f32", 200, 18000);
  g_autoptr (SegueSongPrediction) first = ask (f, low, 1);
  g_autofree char *path = find_record (f);
  gsize length;
  g_autofree char *bytes = NULL;
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  put_record (path, bytes, length);
  g_autoptr (SegueSongPrediction) as_it_was = ask (f, low, 0);
  assert_same (first, as_it_was);

  gsize payload = read_number (bytes + 16, 8);
  static const double odd[] = { NAN, INFINITY, -0.5, 1.5 };
  for (guint i = 0; i < G_N_ELEMENTS (odd); i++) {
    g_autofree char *other = g_memdup2 (bytes, length);
    memcpy (other + payload + sizeof odd[i] * i, &odd[i], sizeof odd[i]);
    put_record (path, other, length);
    g_autoptr (SegueSongPrediction) again = ask (f, low, 1);
    assert_same (first, again);
  }
  for (gsize at = 96; at < payload; at += 3) {
    g_autofree char *other = g_memdup2 (bytes, length);
    other[at] ^= (char) (1 << at % 8);
    put_record (path, other, length);
    g_autoptr (SeguePredictor) predictor = new_predictor (f);
    g_autoptr (GError) error = NULL;
    g_autoptr (SegueSongPrediction) song = segue_predictor_predict (predictor, low, NULL, &error);
    for (guint i = 0; song && i < song->n_segments; i++) {
      g_assert_true (isfinite (song->segments[i].start) && isfinite (song->segments[i].duration));
      g_assert_cmpfloat_with_epsilon (
        song->segments[i].probabilities[0] + song->segments[i].probabilities[1], 1, 1e-5f);
    }
  }
}

/* `segue cache` recognises their type. */
static void
test_cache_folder (Fixture *f, gconstpointer data)
{
  g_autofree char *low = pitch_song (&f->pitch, "low.f32", 200, 18000);
  g_autoptr (SegueSongPrediction) first = ask (f, low, 1);
  g_autoptr (SegueCacheInfo) info = segue_cache_info (f->cache, NULL, NULL);
  g_assert_cmpuint (info->parts[SEGUE_CACHE_RECORDS].n, ==, 1);
  SegueCacheVerified verified = SEGUE_INIT (SegueCacheVerified);
  g_assert_true (segue_cache_verify (f->cache, NULL, &verified, NULL, NULL));
  g_assert_cmpuint (verified.n, ==, 1);
  g_assert_cmpuint (verified.n_damaged, ==, 0);
  const SegueCacheGcOptions options = SEGUE_INIT (SegueCacheGcOptions, .all = TRUE);
  SegueCacheFreed freed = SEGUE_INIT (SegueCacheFreed);
  g_assert_true (segue_cache_gc (f->cache, &options, &freed, NULL, NULL));
  g_assert_cmpuint (freed.parts[SEGUE_CACHE_RECORDS].n, ==, 1);
  g_autoptr (SegueSongPrediction) again = ask (f, low, 1);
  assert_same (first, again);
}

typedef struct {
  Fixture *f;
  GPtrArray *paths;
  float *first;
} Work;

static gpointer
ask_all (gpointer data)
{
  Work *work = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (SeguePredictor) predictor = new_predictor (work->f);
  for (guint i = 0; i < work->paths->len; i++) {
    g_autoptr (SegueSongPrediction) song =
      segue_predictor_predict (predictor, g_ptr_array_index (work->paths, i), NULL, &error);
    g_assert_no_error (error);
    work->first[i] = song->probabilities[0];
  }
  return NULL;
}

/* Several predictors at once over one cache. */
static void
test_together (Fixture *f, gconstpointer data)
{
  enum { N_SONGS = 20, N_THREADS = 4 };
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < N_SONGS; i++) {
    g_autofree char *name = g_strdup_printf ("%u.f32", i);
    g_ptr_array_add (paths, pitch_song (&f->pitch, name, 200 + 100.0 * i, 8000));
  }
  float first[N_THREADS][N_SONGS];
  Work work[N_THREADS];
  GThread *threads[N_THREADS];
  for (guint t = 0; t < N_THREADS; t++) {
    work[t] = (Work){ f, paths, first[t] };
    threads[t] = g_thread_new ("ask", ask_all, &work[t]);
  }
  for (guint t = 0; t < N_THREADS; t++)
    g_thread_join (threads[t]);
  for (guint t = 1; t < N_THREADS; t++)
    g_assert_cmpmem (first[t], sizeof first[t], first[0], sizeof first[0]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)
  ADD ("/answers/once", test_once);
  ADD ("/answers/aggregations", test_aggregations);
  ADD ("/answers/other-models", test_other_models);
  ADD ("/answers/bad-songs", test_bad_songs);
  ADD ("/answers/damage", test_damage);
  ADD ("/answers/hostile", test_hostile);
  ADD ("/answers/cache-folder", test_cache_folder);
  ADD ("/answers/together", test_together);
  return g_test_run ();
}
