/* A training that is interrupted after each of its steps, in order, and run again has to produce the bytes, and
 * the points of all curves, of one that was never interrupted.
 *
 * It is interrupted by a cancel between steps or during the following one, which keeps the last step, or by a
 * SIGKILL from within, which keeps the last checkpoint. SEGUE_TORTURE=full: after every step; else after some. */
#include "music.h"

#include <jansson.h>
#include <segue/file.h>
#include <segue/host/segue.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD   "--one-run"
#define STOPPED 130

typedef enum { CANCEL, CANCEL_WITHIN, KILL, N_WAYS } Way;
static const char *const ways[] = { "cancel", "within", "kill" };

/* Each uses all random features of its model type. @stride: between steps after which a quick test interrupts;
 * not a divisor of an epoch. */
typedef struct {
  const char *name;
  const char *train;
  guint rate;
  guint stride;
} Case;

static const Case cases[] = {
  { "mel-cnn",
    "{ model: { use: mel-cnn, channels: [4, 8], dropout: 0.3, time_masks: 1, band_masks: 1 },"
    " epochs: 20, batch: 4, learning_rate: 0.02 }",
    8000, 53 },
  { "mel-cnn, stopped early",
    "{ model: { use: mel-cnn, channels: [4] }, epochs: 20, batch: 8, accumulate: 2,"
    " learning_rate: 0.3, early_stopping: 3, best: loss, class_weights: balanced }",
    8000, 11 },
  { "distilhubert",
    "{ model: { use: distilhubert, hidden_size: 16, intermediate_size: 32, num_attention_heads: 2,"
    " num_hidden_layers: 2, conv_dim: [8, 8, 8], conv_kernel: [10, 8, 8], conv_stride: [10, 8, 8],"
    " num_conv_pos_embeddings: 8, num_conv_pos_embedding_groups: 4, hidden_dropout: 0.2,"
    " attention_dropout: 0.2, activation_dropout: 0.2, feat_proj_dropout: 0.2, layerdrop: 0.3,"
    " apply_spec_augment: true, mask_time_prob: 0.3, mask_time_length: 3, mask_feature_prob: 0.2,"
    " mask_feature_length: 3 }, epochs: 20, batch: 4, learning_rate: 0.002 }",
    16000, 97 },
};

/* ---- One run, in a separate process ---- */

typedef struct {
  GCancellable *cancellable;
  guint64 step;
  Way way;
  GThread *canceller; /* nullable */
} Stop;

/* During the next step or the one after, which take milliseconds. */
static gpointer
cancel_soon (gpointer data)
{
  const Stop *stop = data;
  g_usleep (stop->step * 7919 % 97 * 80);
  g_cancellable_cancel (stop->cancellable);
  return NULL;
}

/* SegueEventFunc. */
static gboolean
take_event (gpointer data, const SegueEvent *event)
{
  Stop *stop = data;
  if (event->type != SEGUE_EVENT_PROGRESS || !g_str_equal (event->stage, "train") ||
      event->done != stop->step || !event->text || !g_str_has_prefix (event->text, "epoch"))
    return TRUE;
  if (stop->way == KILL)
    raise (SIGKILL);
  if (stop->way == CANCEL)
    g_cancellable_cancel (stop->cancellable);
  else
    stop->canceller = g_thread_new ("cancel", cancel_soon, stop);
  return TRUE;
}

/* --one-run FOLDER STEP WAY: in FOLDER; step 0: to the end. */
static int
run_one (char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (SegueRegistry) registry = segue_registry_new ();
  g_autofree char *path = g_build_filename (argv[0], "pipeline.yaml", NULL);
  g_autofree char *runs = g_build_filename (argv[0], "runs", NULL);
  g_autofree char *cache = g_build_filename (argv[0], "cache", NULL);
  Stop stop = { .cancellable = cancellable,
                .step = g_ascii_strtoull (argv[1], NULL, 10),
                .way = (Way) g_ascii_strtoull (argv[2], NULL, 10) };
  /* Set only where it will be killed: how often state is written does not affect the output. */
  const char *const often[] = { "train.checkpoint=0", NULL };
  const SegueSink sink = { .take = take_event, .data = &stop };
  const SegueRunOptions options = SEGUE_INIT (SegueRunOptions, .folder = runs, .cache = cache,
                                              .workers = 2, .sinks = &sink, .n_sinks = 1);
  segue_registry_load_search_path (registry);
  g_autoptr (SeguePipeline) pipeline =
    segue_pipeline_load (registry, path, stop.way == KILL ? often : NULL, &error);
  gboolean ran = pipeline && segue_pipeline_run (pipeline, &options, NULL, cancellable, &error);
  if (stop.canceller)
    g_thread_join (stop.canceller);
  if (ran)
    return 0;
  if (g_error_matches (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED))
    return STOPPED;
  g_printerr ("%s\n", error->message);
  return 1;
}

static int
spawn (const char *folder, guint64 step, Way way)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *self = g_file_read_link ("/proc/self/exe", &error);
  g_autofree char *number = g_strdup_printf ("%" G_GUINT64_FORMAT, step);
  g_autofree char *how = g_strdup_printf ("%d", way);
  const char *argv[] = { self, CHILD, folder, number, how, NULL };
  int status = 0;
  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, &status,
                &error);
  g_assert_no_error (error);
  return WIFEXITED (status) ? WEXITSTATUS (status) : -WTERMSIG (status);
}

/* ---- Output of a run ---- */

static char *
read_file (const char *folder, const char *name, gsize *length)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder, "runs", "resume", "latest", name, NULL);
  char *text = NULL;
  g_file_get_contents (path, &text, length, &error);
  g_assert_no_error (error);
  return text;
}

/* (transfer full): a line for each point of each curve, in order. */
static char *
read_curves (const char *folder)
{
  g_autofree char *text = read_file (folder, "log.ndjson", NULL);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  GString *curves = g_string_new (NULL);
  for (char **line = lines; *line; line++) {
    json_t *object = json_loads (*line, 0, NULL);
    const char *tag = json_string_value (json_object_get (object, "scalar"));
    if (tag)
      g_string_append_printf (curves, "%s %" JSON_INTEGER_FORMAT " %a\n", tag,
                              json_integer_value (json_object_get (object, "step")),
                              json_number_value (json_object_get (object, "value")));
    json_decref (object);
  }
  return g_string_free (curves, FALSE);
}

/* The number of steps of a training, from its curves. */
static guint64
count_steps (const char *curves)
{
  guint64 n = 0;
  for (const char *at = curves; (at = strstr (at, "train/loss ")); at++)
    n++;
  return n;
}

static void
assert_same (const char *folder, const char *reference)
{
  static const char *const names[] = { "model/model.safetensors", "model/config.json",
                                       "model/segue.json", "history.json" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    gsize n = 0, n_reference = 0;
    g_autofree char *bytes = read_file (folder, names[i], &n);
    g_autofree char *expected = read_file (reference, names[i], &n_reference);
    if (n != n_reference || memcmp (bytes, expected, n) != 0)
      g_test_message ("%s is not the same in %s and %s", names[i], folder, reference);
    g_assert_cmpmem (bytes, n, expected, n_reference);
  }
  g_autofree char *curves = read_curves (folder);
  g_autofree char *expected = read_curves (reference);
  g_assert_cmpstr (curves, ==, expected);
}

/* ---- Folders ---- */

/* In memory where there is room: syncing to disk is most of a small training's time. */
static char *
make_scratch (void)
{
  struct statvfs fs;
  gboolean roomy = statvfs ("/dev/shm", &fs) == 0 && access ("/dev/shm", W_OK) == 0 &&
                   (guint64) fs.f_bavail * fs.f_frsize > (guint64) 1 << 30;
  char *folder =
    g_build_filename (roomy ? "/dev/shm" : g_get_tmp_dir (), "segue-resume-XXXXXX", NULL);
  g_assert_nonnull (g_mkdtemp (folder));
  return folder;
}

static char *
make_place (const char *scratch, const char *name, const Case *it)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_build_filename (scratch, name, NULL);
  g_autofree char *path = g_build_filename (folder, "pipeline.yaml", NULL);
  g_autofree char *text = g_strdup_printf (
    "segue: 1\nname: resume\nseed: 3\nstages:\n"
    "  - use: scan\n    with: { root: ../music, layout: \"{artist}/{album}/{title}\","
    " label: artist }\n"
    "  - use: decode-sndfile\n    with: { rate: %u, channels: mono }\n"
    "  - use: segment\n    with: { length: 0.5, count: 5 }\n"
    "  - use: split\n    with: { by: song, test: 0, validation: 0.25 }\n"
    "  - use: augment\n    with: { sets: [train],"
    " ops: [{ op: gaussian-noise, snr_db: [10, 30], p: 0.5 }] }\n"
    "  - use: train\n    with: %s\n",
    it->rate, it->train);
  segue_file_make_folder (folder, &error);
  g_assert_no_error (error);
  segue_file_write (path, text, -1, &error);
  g_assert_no_error (error);
  return folder;
}

static void
remove_place (char *folder)
{
  segue_file_remove_folder (folder, NULL);
  g_free (folder);
}

/* ---- Tests ---- */

static void
stop_and_resume (const char *scratch, const char *reference, const Case *it, guint64 step, Way way)
{
  g_autofree char *name = g_strdup_printf ("%s-%" G_GUINT64_FORMAT, ways[way], step);
  char *folder = make_place (scratch, name, it);
  int status = spawn (folder, step, way);
  /* A cancel that arrives with the last message changes nothing. */
  if (way != CANCEL_WITHIN || status != 0)
    g_assert_cmpint (status, ==, way == KILL ? -SIGKILL : STOPPED);
  if (status != 0)
    g_assert_cmpint (spawn (folder, 0, CANCEL), ==, 0);
  assert_same (folder, reference);
  remove_place (folder);
}

static void
test_case (gconstpointer data)
{
  const Case *it = data;
  gboolean full = g_strcmp0 (g_getenv ("SEGUE_TORTURE"), "full") == 0;
  char *scratch = make_scratch ();
  for (guint a = 0; a < 2; a++)
    for (guint s = 0; s < 6; s++) {
      g_autofree char *song = g_strdup_printf ("%s/music/%u/x/%u.wav", scratch, a, s);
      music_write_song (song, a, s, 3);
    }
  char *reference = make_place (scratch, "reference", it);
  g_assert_cmpint (spawn (reference, 0, CANCEL), ==, 0);
  g_autofree char *curves = read_curves (reference);
  guint64 n_steps = count_steps (curves);
  g_test_message ("%s: %" G_GUINT64_FORMAT " steps", it->name, n_steps);
  g_assert_cmpuint (n_steps, >, it->stride);

  guint turn = 0, stride = full ? 1 : it->stride * (g_getenv ("SEGUE_SANITIZED") ? 3 : 1);
  for (guint64 step = 1; step <= n_steps; step += stride, turn++)
    for (guint way = 0; way < N_WAYS; way++)
      if (full || way == turn % N_WAYS)
        stop_and_resume (scratch, reference, it, step, (Way) way);
  stop_and_resume (scratch, reference, it, n_steps, CANCEL);
  remove_place (reference);
  remove_place (scratch);
}

int
main (int argc, char **argv)
{
  if (argc == 5 && g_str_equal (argv[1], CHILD))
    return run_one (argv + 2);
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/resume/%s", cases[i].name);
    g_test_add_data_func (path, &cases[i], test_case);
  }
  return g_test_run ();
}
