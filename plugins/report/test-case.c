#include "test-case.h"

#include <jansson.h>
#include <math.h>
#include <segue/collect.h>
#include <segue/file.h>
#include <segue/plugin.h>
#include <segue/tensor.h>
#include <stdlib.h>
#include <string.h>

const SeguePlugin *segue_plugin_query (void);

static const char *const set_names[] = { "train", "validation", "test" };

typedef struct {
  char *id, *set, *label;
  GArray *answers; /* guint: label and per cent, alternating */
} Song;

static void
song_free (gpointer data)
{
  Song *song = data;
  g_free (song->id);
  g_free (song->set);
  g_free (song->label);
  g_array_unref (song->answers);
  g_free (song);
}

void
case_init (Case *self, const char *const *labels)
{
  g_autoptr (GError) error = NULL;
  self->labels = labels;
  self->n_labels = g_strv_length ((GStrv) labels);
  self->songs = g_ptr_array_new_with_free_func (song_free);
  self->audio = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  self->vectors = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  self->predictions = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  self->folder = g_dir_make_tmp ("segue-report-XXXXXX", &error);
  g_assert_no_error (error);
}

void
case_clear (Case *self)
{
  segue_file_remove_folder (self->folder, NULL);
  g_free (self->folder);
  g_ptr_array_unref (self->songs);
  g_ptr_array_unref (self->audio);
  g_ptr_array_unref (self->vectors);
  g_ptr_array_unref (self->predictions);
}

static void
add_sound (Case *self, const char *id, guint n_segments)
{
  for (guint i = 0; i < n_segments; i++) {
    g_autofree char *suffix = g_strdup_printf ("%04u", i);
    g_autoptr (SegueItem) tone = segue_test_tone (id, 200 + 10 * self->audio->len, 1, 16000);
    SegueItem *item = segue_item_new_audio (tone, suffix, segue_item_get_bytes (tone), 16000, 1);
    segue_item_set_double (item, SEGUE_META_START, 10.0 * i);
    g_ptr_array_add (self->audio, item);
  }
}

void
case_add_song (Case *self, const char *id, const char *set, const char *label, const char *answers,
               gboolean sound)
{
  Song *song = g_new0 (Song, 1);
  song->id = g_strdup (id);
  song->set = g_strdup (set ? set : "");
  song->label = g_strdup (label ? label : "");
  song->answers = g_array_new (FALSE, FALSE, sizeof (guint));
  for (char *end; *answers; answers = *end ? end + 1 : end) {
    guint pair[2] = { (guint) strtoul (answers, &end, 10), 0 };
    g_assert_cmpint (*end, ==, ':');
    pair[1] = (guint) strtoul (end + 1, &end, 10);
    g_array_append_vals (song->answers, pair, 2);
  }
  g_ptr_array_add (self->songs, song);
  if (sound)
    add_sound (self, id, song->answers->len / 2);
}

void
case_add_vectors (Case *self, double angle)
{
  static const gsize n = 2;
  const Song *song = g_ptr_array_index (self->songs, self->songs->len - 1);
  for (guint i = 0; i < song->answers->len / 2; i++) {
    /* The segments of a song are a degree apart. */
    double at = (angle + i) * G_PI / 180;
    const float vector[] = { (float) cos (at), (float) sin (at) };
    g_autofree char *suffix = g_strdup_printf ("%04u", i);
    g_autoptr (SegueItem) tone = segue_test_tone (song->id, 200, 1, 16000);
    g_autoptr (GBytes) bytes = g_bytes_new (vector, sizeof vector);
    SegueItem *item =
      segue_item_new_tensor (SEGUE_KIND_TENSOR, tone, suffix, bytes, SEGUE_DTYPE_F32, 1, &n);
    segue_item_set_double (item, SEGUE_META_START, 10.0 * i);
    g_ptr_array_add (self->vectors, item);
  }
}

static void
fill_row (const Case *self, const Song *song, guint i, double *row)
{
  guint answer = g_array_index (song->answers, guint, 2 * i);
  double p = g_array_index (song->answers, guint, 2 * i + 1) / 100.0;
  row[SEGUE_PREDICTION_START] = 10 * i;
  row[SEGUE_PREDICTION_DURATION] = 1;
  for (guint c = 0; c < self->n_labels; c++)
    row[SEGUE_PREDICTION_LABELS + c] =
      (double) (float) (c == answer ? p : (1 - p) / MAX (self->n_labels - 1, 1));
}

/* The answer of the song's first segment, with the mean of its probabilities. */
static SegueItem *
predict (const Case *self, const Song *song)
{
  guint n = song->answers->len / 2, answer = g_array_index (song->answers, guint, 0);
  double *row, mean = 0;
  SegueItem *item = segue_item_new_predictions (NULL, song->id, n, self->n_labels, &row, NULL);
  for (guint i = 0; i < n; i++, row += SEGUE_PREDICTION_LABELS + self->n_labels) {
    fill_row (self, song, i, row);
    mean += row[SEGUE_PREDICTION_LABELS + answer] / n;
  }
  segue_item_set_string (item, SEGUE_META_SOURCE, "/nowhere/song.mp3");
  if (*song->set)
    segue_item_set_string (item, SEGUE_META_SET, song->set);
  if (*song->label)
    segue_item_set_string (item, SEGUE_META_LABEL, song->label);
  segue_item_set_string (item, SEGUE_META_PREDICTED, self->labels[answer]);
  segue_item_set_double (item, SEGUE_META_PROBABILITY, mean);
  return item;
}

/* The figures of label @label (%NULL: all) in @set, of those that the report reads. */
static json_t *
count (Case *self, const char *set, const char *label)
{
  guint n = 0, right = 0, n_songs = 0;
  for (guint i = 0; i < self->songs->len; i++) {
    const Song *song = g_ptr_array_index (self->songs, i);
    if (strcmp (*song->set ? song->set : "train", set) != 0 || !*song->label ||
        (label && strcmp (song->label, label) != 0))
      continue;
    n_songs++;
    n += song->answers->len / 2;
    for (guint j = 0; j < song->answers->len; j += 2)
      right += g_str_equal (self->labels[g_array_index (song->answers, guint, j)], song->label);
  }
  json_t *share = n > 0 ? json_real ((double) right / n) : json_null ();
  return json_pack ("{s:O, s:O, s:O, s:o, s:i, s:i}", "segment_accuracy", share, "song_accuracy",
                    share, "macro_f1", share, "loss", share, "segments", (int) n, "songs",
                    (int) n_songs);
}

static void
write_metrics (Case *self)
{
  json_t *root = json_object ();
  for (guint s = 0; s < G_N_ELEMENTS (set_names); s++) {
    json_t *set = count (self, set_names[s], NULL), *labels = json_object ();
    for (guint c = 0; c < self->n_labels; c++)
      json_object_set_new (labels, self->labels[c], count (self, set_names[s], self->labels[c]));
    json_object_set_new (set, "labels", labels);
    json_object_set_new (set, "song_accuracy_interval", json_pack ("[f, f]", 0.25, 0.75));
    json_object_set_new (set, "chance", json_real (0.2));
    json_object_set_new (set, "majority", json_real (0.5));
    if (json_integer_value (json_object_get (set, "songs")) > 0)
      json_object_set (root, set_names[s], set);
    json_decref (set);
  }
  char *text = json_dumps (root, JSON_INDENT (1));
  case_put (self, "metrics.json", text);
  free (text);
  json_decref (root);
}

void
case_write (Case *self)
{
  g_ptr_array_set_size (self->predictions, 0);
  for (guint i = 0; i < self->songs->len; i++)
    g_ptr_array_add (self->predictions, predict (self, g_ptr_array_index (self->songs, i)));
  write_metrics (self);
}

void
case_put (Case *self, const char *name, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (self->folder, name, NULL);
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}

SegueHarness *
case_run (Case *self, const char *with, const char *summary, GError **error)
{
  SegueHarness *harness = segue_harness_new (segue_plugin_query (), "report", with);
  g_autoptr (SegueItem) metrics =
    segue_item_new_folder (SEGUE_KIND_METRICS, "metrics", self->folder);
  segue_harness_set_input (harness, "metrics", &metrics, 1);
  case_put (self, "summary.json", summary ? summary : "{}");
  g_autoptr (SegueItem) run = segue_item_new_folder (SEGUE_KIND_SUMMARY, "summary", self->folder);
  segue_harness_set_input (harness, "summary", &run, 1);
  segue_harness_set_input (harness, "predictions", (SegueItem *const *) self->predictions->pdata,
                           self->predictions->len);
  segue_harness_set_threads (harness, 2);
  if (self->vectors->len > 0)
    segue_harness_set_input (harness, "vectors", (SegueItem *const *) self->vectors->pdata,
                             self->vectors->len);
  if (self->audio->len > 0)
    segue_harness_set_input (harness, "items", (SegueItem *const *) self->audio->pdata,
                             self->audio->len);
  if (segue_harness_run (harness, error))
    return harness;
  segue_harness_free (harness);
  return NULL;
}

char *
case_read (SegueHarness *harness, const char *name, gsize *length)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path =
    g_build_filename (segue_harness_get_folder (harness), "output", "report", name, NULL);
  char *text = NULL;
  g_file_get_contents (path, &text, length, &error);
  g_assert_no_error (error);
  return text;
}
