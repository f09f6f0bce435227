/* Checkpoints that were damaged, or that are not of this training. */
#include "tiny-model.h"

#include <dlfcn.h>
#include <glib/gstdio.h>
#include <nettle/sha2.h>
#include <segue/host/segue.h>
#include <segue/testing.h>
#include <string.h>
#include <unistd.h>

const SeguePlugin *segue_plugin_query (void);

static SegueRegistry *registry; /* with train, and a model type to train */

/* The best epoch changes several times, so that weights of former ones matter. */
#define CONFIG          "{ model: { use: tiny, dropout: 0.2 }, epochs: 6, batch: 4, learning_rate: 2 }"
#define STEPS_PER_EPOCH 5
/* Passes through the model up to a point in the fifth epoch. */
#define PASSES 28

/* @seed: another seed is another training. */
static SegueHarness *
make_harness (guint64 seed)
{
  g_autoptr (GPtrArray) songs = tiny_songs (4, 3, TRUE);
  SegueHarness *harness = segue_harness_new_in (registry, "train", CONFIG);
  segue_harness_set_input (harness, "items", (SegueItem **) songs->pdata, songs->len);
  segue_harness_set_seed (harness, seed);
  return harness;
}

static char *
path_of (SegueHarness *harness, const char *name)
{
  return g_build_filename (segue_harness_get_folder (harness), name, NULL);
}

/* The output of the training, run to its end. */
static char *
finish (SegueHarness *harness)
{
  g_autoptr (GError) error = NULL;
  tiny_cancel_after (NULL, 0);
  g_cancellable_reset (segue_harness_get_cancellable (harness));
  segue_harness_run (harness, &error);
  g_assert_no_error (error);
  g_autofree char *config = tiny_read (harness, "model/config.json");
  g_autofree char *history = tiny_read (harness, "history.json");
  return g_strconcat (config, history, NULL);
}

static char *
train_whole (guint64 seed)
{
  g_autoptr (SegueHarness) harness = make_harness (seed);
  return finish (harness);
}

/* A training that was interrupted in the middle. */
static SegueHarness *
make_stopped (guint64 seed)
{
  g_autoptr (GError) error = NULL;
  SegueHarness *harness = make_harness (seed);
  tiny_cancel_after (segue_harness_get_cancellable (harness), PASSES);
  g_assert_false (segue_harness_run (harness, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
  return harness;
}

static gboolean
said (SegueHarness *harness, const char *text)
{
  GPtrArray *log = segue_harness_get_log (harness);
  for (guint i = 0; i < log->len; i++)
    if (strstr (g_ptr_array_index (log, i), text))
      return TRUE;
  return FALSE;
}

/* The step that it reported to resume from; 0: the beginning. */
static guint64
get_resumed (SegueHarness *harness)
{
  GPtrArray *log = segue_harness_get_log (harness);
  for (guint i = 0; i < log->len; i++) {
    const char *line = g_ptr_array_index (log, i);
    const char *prefix = "info: resuming from step ";
    if (g_str_has_prefix (line, prefix))
      return g_ascii_strtoull (line + strlen (prefix), NULL, 10);
  }
  return 0;
}

/* ---- Kinds of damage ---- */

typedef void (*Damage) (GString *bytes);

static void
cut_in_half (GString *bytes)
{
  g_string_truncate (bytes, bytes->len / 2);
}

static void
cut_all (GString *bytes)
{
  g_string_truncate (bytes, 0);
}

static void
flip_in_header (GString *bytes)
{
  bytes->str[33] ^= 4; /* the number of steps */
}

static void
flip_in_middle (GString *bytes)
{
  bytes->str[bytes->len / 2] ^= 1;
}

static void
flip_at_end (GString *bytes)
{
  bytes->str[bytes->len - 1] ^= (char) 0x80;
}

static void
append (GString *bytes)
{
  g_string_append_c (bytes, 'x');
}

static const Damage damages[] = { cut_in_half,    cut_all,     flip_in_header,
                                  flip_in_middle, flip_at_end, append };

static void
damage_file (SegueHarness *harness, const char *name, Damage damage)
{
  g_autofree char *path = path_of (harness, name);
  char *data = NULL;
  gsize length = 0;
  g_assert_true (g_file_get_contents (path, &data, &length, NULL));
  g_autoptr (GString) bytes = g_string_new_len (data, (gssize) length);
  g_free (data);
  damage (bytes);
  g_assert_true (g_file_set_contents (path, bytes->str, (gssize) bytes->len, NULL));
}

/* ---- Tests ---- */

/* Whichever one is damaged, the other is used, and the result is the same. */
static void
test_one_damaged (void)
{
  g_autofree char *whole = train_whole (1);
  guint64 steps[2];
  for (guint slot = 0; slot < 2; slot++) {
    g_autofree char *name = g_strdup_printf ("work/checkpoint-%u", slot + 1);
    for (guint d = 0; d < G_N_ELEMENTS (damages); d++) {
      g_autoptr (SegueHarness) harness = make_stopped (1);
      damage_file (harness, name, damages[d]);
      g_autofree char *result = finish (harness);
      g_assert_cmpstr (result, ==, whole);
      g_assert_true (said (harness, "warning: the checkpoint"));
      g_assert_true (said (harness, "damaged"));
      steps[slot] = get_resumed (harness);
    }
  }
  /* One is of the end of an epoch, the other of the step at which it was interrupted. */
  guint64 last = MAX (steps[0], steps[1]), before = MIN (steps[0], steps[1]);
  g_assert_cmpuint (before, >, STEPS_PER_EPOCH);
  g_assert_cmpuint (before % STEPS_PER_EPOCH, ==, 0);
  g_assert_cmpuint (before, ==, last - last % STEPS_PER_EPOCH);
  g_assert_cmpuint (before, <, last);
}

static void
test_both_damaged (void)
{
  g_autofree char *whole = train_whole (1);
  for (guint d = 0; d < G_N_ELEMENTS (damages); d++) {
    g_autoptr (SegueHarness) harness = make_stopped (1);
    damage_file (harness, "work/checkpoint-1", damages[d]);
    damage_file (harness, "work/checkpoint-2", damages[G_N_ELEMENTS (damages) - 1 - d]);
    g_autofree char *result = finish (harness);
    g_assert_cmpstr (result, ==, whole);
    g_assert_cmpuint (get_resumed (harness), ==, 0);
  }
}

/* A checkpoint is unusable without the weights of the best epoch that it refers to. */
static void
test_best_damaged (void)
{
  g_autofree char *whole = train_whole (1);
  for (guint d = 0; d <= G_N_ELEMENTS (damages); d++) {
    g_autoptr (SegueHarness) harness = make_stopped (1);
    g_autofree char *work = path_of (harness, "work");
    g_autoptr (GDir) dir = g_dir_open (work, 0, NULL);
    const char *entry;
    guint n = 0;
    while ((entry = g_dir_read_name (dir)))
      if (g_str_has_suffix (entry, ".weights")) {
        g_autofree char *name = g_build_filename ("work", entry, NULL);
        g_autofree char *path = path_of (harness, name);
        if (d < G_N_ELEMENTS (damages))
          damage_file (harness, name, damages[d]);
        else
          g_assert_cmpint (g_unlink (path), ==, 0);
        n++;
      }
    g_assert_cmpuint (n, >, 0);
    g_autofree char *result = finish (harness);
    g_assert_cmpstr (result, ==, whole);
    g_assert_true (said (harness, "damaged"));
    g_assert_cmpuint (get_resumed (harness), ==, 0);
  }
}

/* ---- Files that another process truncates while they are open ---- */

/* The folder of files that are truncated when a checkpoint's bytes enter a digest, or when the nth such digest is
 * computed. */
static const char *cut_at_update, *cut_at_digest;
static guint n_until_cut;
static gboolean is_checkpoint; /* what is being digested */

static void
cut_checkpoints (const char **folder)
{
  g_autoptr (GDir) dir = g_dir_open (*folder, 0, NULL);
  const char *entry;
  while ((entry = g_dir_read_name (dir)))
    if (g_str_has_prefix (entry, "checkpoint-")) {
      g_autofree char *path = g_build_filename (*folder, entry, NULL);
      g_assert_cmpint (truncate (path, 0), ==, 0);
    }
  *folder = NULL;
}

/* Replaces the library's function. */
void
nettle_sha256_update (struct sha256_ctx *sha, size_t length, const uint8_t *data)
{
  static const char magic[] = "segue training 2";
  void (*update) (struct sha256_ctx *, size_t, const uint8_t *) =
    dlsym (RTLD_NEXT, "nettle_sha256_update");
  if (length >= sizeof magic && memcmp (data, magic, strlen (magic)) == 0)
    is_checkpoint = TRUE;
  if (is_checkpoint && cut_at_update)
    cut_checkpoints (&cut_at_update);
  update (sha, length, data);
}

void
nettle_sha256_digest (struct sha256_ctx *sha, size_t length, uint8_t *digest)
{
  void (*make_digest) (struct sha256_ctx *, size_t, uint8_t *) =
    dlsym (RTLD_NEXT, "nettle_sha256_digest");
  make_digest (sha, length, digest);
  if (is_checkpoint && cut_at_digest && --n_until_cut == 0)
    cut_checkpoints (&cut_at_digest);
  is_checkpoint = FALSE;
}

/* A checkpoint found damaged during the check is skipped; one that was good, but not when it is read, ends the
 * run. The next run gets the same result. */
static void
test_truncated (void)
{
  g_autofree char *whole = train_whole (1);
  guint n_ended = 0;
  /* Two checkpoints, and the weights that each needs. */
  for (guint n = 0; n <= 4; n++) {
    g_autoptr (SegueHarness) harness = make_stopped (1);
    g_autoptr (GError) error = NULL;
    g_autofree char *work = path_of (harness, "work");
    *(n > 0 ? &cut_at_digest : &cut_at_update) = work;
    n_until_cut = n;
    tiny_cancel_after (NULL, 0);
    g_cancellable_reset (segue_harness_get_cancellable (harness));
    if (!segue_harness_run (harness, &error)) {
      g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_IO);
      g_test_message ("%s", error->message);
      n_ended++;
    }
    g_assert_null (cut_at_update);
    g_assert_null (cut_at_digest);
    g_autofree char *result = finish (harness);
    g_assert_cmpstr (result, ==, whole);
  }
  g_assert_cmpuint (n_ended, >, 0);
}

static void
copy_file (SegueHarness *from, SegueHarness *to, const char *name)
{
  g_autofree char *source = path_of (from, name);
  g_autofree char *target = path_of (to, name);
  g_autofree char *data = NULL;
  gsize length = 0;
  g_assert_true (g_file_get_contents (source, &data, &length, NULL));
  g_assert_true (g_file_set_contents (target, data, (gssize) length, NULL));
}

/* Another training's checkpoint is left unchanged, with a message; so is one of another version. */
static void
test_foreign (void)
{
  g_autofree char *whole = train_whole (2);
  g_autoptr (SegueHarness) other = make_stopped (1);
  g_autoptr (SegueHarness) harness = make_stopped (2);
  copy_file (other, harness, "work/checkpoint-1");
  copy_file (other, harness, "work/checkpoint-2");
  g_autofree char *result = finish (harness);
  g_assert_cmpstr (result, ==, whole);
  g_assert_true (said (harness, "info: ‘"));
  g_assert_true (said (harness, "from another training"));
  g_assert_cmpuint (get_resumed (harness), ==, 0);

  g_autoptr (SegueHarness) newer = make_stopped (2);
  for (guint slot = 0; slot < 2; slot++) {
    g_autofree char *name = g_strdup_printf ("work/checkpoint-%u", slot + 1);
    g_autofree char *path = path_of (newer, name);
    char *data = NULL;
    gsize length = 0;
    g_assert_true (g_file_get_contents (path, &data, &length, NULL));
    data[15]++; /* the format's version number */
    g_assert_true (g_file_set_contents (path, data, (gssize) length, NULL));
    g_free (data);
  }
  g_autofree char *again = finish (newer);
  g_assert_cmpstr (again, ==, whole);
  g_assert_true (said (newer, "another version"));
}

/* Two checkpoints, and only the weights that they refer to. */
static void
test_leaves_little (void)
{
  g_autoptr (SegueHarness) harness = make_stopped (1);
  g_autofree char *work = path_of (harness, "work");
  g_autoptr (GDir) dir = g_dir_open (work, 0, NULL);
  guint n_checkpoints = 0, n_weights = 0;
  const char *entry;
  while ((entry = g_dir_read_name (dir))) {
    n_checkpoints += g_str_has_prefix (entry, "checkpoint");
    n_weights += g_str_has_suffix (entry, ".weights");
  }
  g_assert_cmpuint (n_checkpoints, ==, 2);
  g_assert_cmpuint (n_weights, >=, 1);
  g_assert_cmpuint (n_weights, <=, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  registry = tiny_registry_new (segue_plugin_query ());
  g_test_add_func ("/checkpoint/one-damaged", test_one_damaged);
  g_test_add_func ("/checkpoint/both-damaged", test_both_damaged);
  g_test_add_func ("/checkpoint/best-damaged", test_best_damaged);
  g_test_add_func ("/checkpoint/truncated", test_truncated);
  g_test_add_func ("/checkpoint/foreign", test_foreign);
  g_test_add_func ("/checkpoint/leaves-little", test_leaves_little);
  int status = g_test_run ();
  segue_registry_free (registry);
  return status;
}
