/* Checkpoints of a training, in a cache that may be untrusted: whatever the bytes, the training resumes from a
 * state that it can have reached, or starts again.
 *
 * The input is a file; it is read unchanged, and with its checks (digest, lengths) corrected. */
#include "checkpoint.h"
#include "scratch.h"
#include "stage/context-private.h"
#include "standalone.h"
#include "tiny-model.h"

#include <nettle/sha2.h>
#include <string.h>

#define HEADER      72
#define FINGERPRINT 0x5e90e
#define EPOCHS      3
#define PER_EPOCH   2

static const char *
get_folder (gpointer data, const SegueGraphStage *stage, gboolean work, GError **error)
{
  return fuzz_folder ();
}

static TrainJob *
make_job (void)
{
  static const char *const labels[] = { "a", "b", NULL };
  static const SegueStageHost host = { .get_folder = get_folder };
  static const SegueScope scope = { .host = &host };
  static char id[] = "train";
  static const SegueGraphStage stage = { .id = id };
  static SegueContext context = { .scope = &scope, .stage = &stage };
  static TrainSets sets;
  static TrainJob job;
  const SegueModelSpec spec = SEGUE_INIT (SegueModelSpec, .labels = labels, .threads = 1);
  g_autoptr (SegueRegistry) registry = segue_registry_new ();
  g_autoptr (GError) error = NULL;
  job = (TrainJob){ .context = &context, .sets = &sets, .fingerprint = FINGERPRINT };
  job.settings =
    (TrainSettings){ .epochs = EPOCHS, .steps_per_epoch = PER_EPOCH, .best = TRAIN_BEST_LAST };
  g_assert_true (segue_registry_add (registry, tiny_plugin (), NULL, NULL));
  job.model = segue_model_new (segue_registry_find_model (registry, "tiny"), NULL, &spec, &error);
  g_assert_no_error (error);
  job.type = segue_model_get_type (job.model);
  job.impl = segue_model_get_impl (job.model);
  job.optimiser = train_optimiser_new (job.model, &job.settings, 1, &error);
  g_assert_no_error (error);
  job.progress.epochs = g_array_new (FALSE, FALSE, sizeof (TrainEpoch));
  job.progress.steps = g_array_new (FALSE, FALSE, sizeof (TrainStep));
  return &job;
}

static guint64
count_values (TrainJob *job)
{
  GArray *tensors = train_optimiser_get_tensors (job->optimiser);
  guint64 n = 0;
  for (guint i = 0; i < tensors->len; i++)
    n += g_array_index (tensors, SegueModelTensor, i).n_elements;
  return n;
}

static void
load (TrainJob *job, const guint8 *data, gsize size)
{
  fuzz_put ("checkpoint-1", data, size);
  job->progress.step = 0;
  g_array_set_size (job->progress.epochs, 0);
  g_array_set_size (job->progress.steps, 0);
  train_checkpoint_load (job, NULL);
  const TrainProgress *progress = &job->progress;
  g_assert_cmpuint (progress->epochs->len, <=, EPOCHS);
  g_assert_cmpuint (progress->steps->len, ==, progress->step);
  g_assert_cmpuint (progress->step, >=, progress->epochs->len * PER_EPOCH);
  g_assert_cmpuint (progress->step, <=, MIN (progress->epochs->len + 1, EPOCHS) * PER_EPOCH);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static TrainJob *job;
  gsize n_state;
  if (!job)
    job = make_job ();
  load (job, data, size);
  if (size < HEADER)
    return 0;

  /* The numbers of epochs and of steps are from the input; the rest, and the length, follow from them. */
  guint64 header[HEADER / 8];
  memcpy (header, data, HEADER);
  memcpy (header, "segue training 2", 16);
  train_optimiser_get_state (job->optimiser, &n_state);
  header[2] = FINGERPRINT;
  header[3] %= EPOCHS * PER_EPOCH + 2;
  header[6] %= EPOCHS + 1;
  header[7] = count_values (job);
  header[8] = n_state;
  gsize whole = HEADER + header[6] * sizeof (TrainEpoch) + header[3] * sizeof (TrainStep) +
                (header[7] + n_state) * sizeof (float) + SHA256_DIGEST_SIZE;
  g_autofree guint8 *fixed = g_malloc0 (whole);
  memcpy (fixed, data, MIN (size, whole));
  memcpy (fixed, header, HEADER);
  struct sha256_ctx sha;
  sha256_init (&sha);
  sha256_update (&sha, whole - SHA256_DIGEST_SIZE, fixed);
  sha256_digest (&sha, SHA256_DIGEST_SIZE, fixed + whole - SHA256_DIGEST_SIZE);
  load (job, fixed, whole);
  return 0;
}
