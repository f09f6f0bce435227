/* Scratch for the same program on the same machine: native byte order, checked by size, by a digest
 * of all bytes, and by a fingerprint of all that has to agree. */
#include "checkpoint.h"
#include "epochs.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <nettle/sha2.h>
#include <segue/error.h>
#include <segue/file.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[16] = "segue training 2";

/* Followed by n_epochs TrainEpoch, step TrainStep, all tensors' values, the optimiser's state, and the
 * SHA-256 of all that. */
typedef struct {
  char magic[16];
  guint64 fingerprint;
  guint64 step;
  double loss_sum;
  double loss_weight;
  guint64 n_epochs;
  guint64 n_values;
  guint64 n_state;
} Header;

/* What a file in the work folder is to this training. */
typedef enum { FILE_ABSENT, FILE_FOREIGN, FILE_DAMAGED, FILE_GOOD } FileState;

static char *
path_in_work (TrainJob *job, const char *name, GError **error)
{
  const char *folder = segue_context_get_work_folder (job->context, error);
  return folder != NULL ? g_build_filename (folder, name, NULL) : NULL;
}

static char *
path_of_slot (TrainJob *job, guint slot, GError **error)
{
  g_autofree char *name = g_strdup_printf ("checkpoint-%u", slot + 1);
  return path_in_work (job, name, error);
}

static char *
path_of_epoch (TrainJob *job, guint epoch, GError **error)
{
  g_autofree char *name = g_strdup_printf ("epoch-%u.weights", epoch + 1);
  return path_in_work (job, name, error);
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

/* Bytes of a file with @header, whose counts are within bounds. */
static guint64
size_of_file (const Header *header)
{
  return sizeof *header + header->n_epochs * sizeof (TrainEpoch) +
         header->step * sizeof (TrainStep) + (header->n_values + header->n_state) * sizeof (float) +
         SHA256_DIGEST_SIZE;
}

typedef struct {
  SegueFileWriter *file;
  struct sha256_ctx sha;
} Output;

static gboolean
put (Output *output, const void *data, gsize length, GError **error)
{
  if (length == 0)
    return TRUE;
  sha256_update (&output->sha, length, data);
  return segue_file_writer_write (output->file, data, length, error);
}

/* @state: (nullable): with it goes all of job->progress. */
static gboolean
write_file (TrainJob *job, const char *path, const Header *header, const float *state,
            GError **error)
{
  const TrainProgress *progress = &job->progress;
  GArray *tensors = train_optimiser_get_tensors (job->optimiser);
  g_autoptr (SegueFileWriter) file = segue_file_writer_new (path, error);
  Output output = { .file = file };
  guint8 digest[SHA256_DIGEST_SIZE];
  sha256_init (&output.sha);
  if (file == NULL || !put (&output, header, sizeof *header, error) ||
      !put (&output, progress->epochs->data, header->n_epochs * sizeof (TrainEpoch), error) ||
      !put (&output, progress->steps->data, header->step * sizeof (TrainStep), error))
    return FALSE;
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *tensor = &g_array_index (tensors, SegueModelTensor, i);
    if (!put (&output, tensor->value, tensor->n_elements * sizeof (float), error))
      return FALSE;
  }
  if (!put (&output, state, header->n_state * sizeof (float), error))
    return FALSE;
  sha256_digest (&output.sha, sizeof digest, digest);
  return segue_file_writer_write (file, digest, sizeof digest, error) &&
         segue_file_writer_commit (file, error);
}

/* Whether the counts are such that a training of this job can have come to them. */
static gboolean
is_possible (const TrainJob *job, const Header *header)
{
  guint64 per_epoch = job->settings.steps_per_epoch;
  return header->n_epochs <= job->settings.epochs && header->step >= header->n_epochs * per_epoch &&
         header->step <= MIN (header->n_epochs + 1, (guint64) job->settings.epochs) * per_epoch;
}

static gboolean
is_whole (GMappedFile *file)
{
  gsize length = g_mapped_file_get_length (file) - SHA256_DIGEST_SIZE;
  const char *data = g_mapped_file_get_contents (file);
  guint8 digest[SHA256_DIGEST_SIZE];
  struct sha256_ctx sha;
  sha256_init (&sha);
  sha256_update (&sha, length, (const guint8 *) data);
  sha256_digest (&sha, sizeof digest, digest);
  return memcmp (digest, data + length, sizeof digest) == 0;
}

/* The file at @path; %NULL with errno.  The cache may be somebody else's: links and pipes are not
 * followed or waited for. */
static GMappedFile *
map_file (const char *path)
{
  struct stat info;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (fd < 0)
    return NULL;
  GMappedFile *file = NULL;
  if (fstat (fd, &info) == 0 && S_ISREG (info.st_mode))
    file = g_mapped_file_new_from_fd (fd, FALSE, NULL);
  close (fd);
  errno = EIO;
  return file;
}

/* @file: (out): where it is good.  @n_state: 0: weights alone. */
static FileState
open_file (TrainJob *job, const char *path, guint64 n_state, Header *header, GMappedFile **file)
{
  g_autoptr (GMappedFile) mapped = map_file (path);
  if (mapped == NULL)
    return errno == ENOENT ? FILE_ABSENT : FILE_DAMAGED;
  gsize size = g_mapped_file_get_length (mapped);
  if (size < sizeof *header)
    return FILE_DAMAGED;
  memcpy (header, g_mapped_file_get_contents (mapped), sizeof *header);
  if (memcmp (header->magic, magic, sizeof magic) != 0 || header->fingerprint != job->fingerprint)
    return FILE_FOREIGN;
  if (header->n_values != count_values (job) || header->n_state != n_state ||
      (n_state > 0 ? !is_possible (job, header) : header->n_epochs > 0 || header->step > 0) ||
      size != size_of_file (header) || !is_whole (mapped))
    return FILE_DAMAGED;
  *file = g_steal_pointer (&mapped);
  return FILE_GOOD;
}

/* Values of all tensors from @at; returns what follows them. */
static const char *
read_values (TrainJob *job, const char *at)
{
  GArray *tensors = train_optimiser_get_tensors (job->optimiser);
  for (guint i = 0; i < tensors->len; i++) {
    SegueModelTensor *tensor = &g_array_index (tensors, SegueModelTensor, i);
    memcpy (tensor->value, at, tensor->n_elements * sizeof (float));
    at += tensor->n_elements * sizeof (float);
  }
  train_optimiser_take_values (job->optimiser);
  return at;
}

/* A checkpoint that may be gone on from.  @stored: the epoch whose weights it needs. */
typedef struct {
  FileState state;
  Header header;
  GMappedFile *file;
  guint stored;
} Candidate;

static void
candidate_clear (Candidate *candidate)
{
  g_clear_pointer (&candidate->file, g_mapped_file_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Candidate, candidate_clear)

/* Where the weights that a checkpoint needs are damaged, so is it. */
static void
open_candidate (TrainJob *job, guint slot, Candidate *candidate)
{
  gsize n_state;
  train_optimiser_get_state (job->optimiser, &n_state);
  g_autofree char *path = path_of_slot (job, slot, NULL);
  candidate->stored = TRAIN_NO_EPOCH;
  candidate->state = path != NULL
                       ? open_file (job, path, n_state, &candidate->header, &candidate->file)
                       : FILE_ABSENT;
  if (candidate->state != FILE_GOOD)
    return;

  g_autoptr (GArray) epochs = g_array_new (FALSE, FALSE, sizeof (TrainEpoch));
  g_array_append_vals (epochs,
                       g_mapped_file_get_contents (candidate->file) + sizeof candidate->header,
                       (guint) candidate->header.n_epochs);
  guint stored = train_epochs_find_stored (job, epochs);
  if (stored == TRAIN_NO_EPOCH)
    return;
  Header header;
  g_autoptr (GMappedFile) weights = NULL;
  g_autofree char *path_of_weights = path_of_epoch (job, stored, NULL);
  if (path_of_weights == NULL ||
      open_file (job, path_of_weights, 0, &header, &weights) != FILE_GOOD) {
    candidate->state = FILE_DAMAGED;
    candidate_clear (candidate);
    return;
  }
  candidate->stored = stored;
}

static void
take_candidate (TrainJob *job, const Candidate *candidate)
{
  const Header *header = &candidate->header;
  TrainProgress *progress = &job->progress;
  gsize n_state;
  float *state = train_optimiser_get_state (job->optimiser, &n_state);
  const char *at = g_mapped_file_get_contents (candidate->file) + sizeof *header;

  progress->step = header->step;
  progress->loss_sum = header->loss_sum;
  progress->loss_weight = header->loss_weight;
  g_array_set_size (progress->epochs, 0);
  g_array_append_vals (progress->epochs, at, (guint) header->n_epochs);
  at += header->n_epochs * sizeof (TrainEpoch);
  g_array_set_size (progress->steps, 0);
  g_array_append_vals (progress->steps, at, (guint) header->step);
  at = read_values (job, at + header->step * sizeof (TrainStep));
  memcpy (state, at, n_state * sizeof (float));
}

/* Says what is not used, and why. */
static void
tell_unused (TrainJob *job, guint slot, FileState state)
{
  g_autofree char *path = path_of_slot (job, slot, NULL);
  if (path == NULL || state == FILE_GOOD || state == FILE_ABSENT)
    return;
  g_autofree char *shown = g_filename_display_name (path);
  if (state == FILE_FOREIGN)
    segue_context_log (job->context, G_LOG_LEVEL_INFO,
                       "‘%s’ is of another training, or of another version of segue: not used",
                       shown);
  else
    segue_context_log (job->context, G_LOG_LEVEL_WARNING,
                       "the checkpoint ‘%s’ is damaged: not used", shown);
}

void
train_checkpoint_load (TrainJob *job)
{
  g_auto (Candidate) first = { 0 };
  g_auto (Candidate) second = { 0 };
  Candidate *candidates[] = { &first, &second };
  Candidate *newest = NULL;
  for (guint slot = 0; slot < G_N_ELEMENTS (candidates); slot++) {
    Candidate *candidate = candidates[slot];
    open_candidate (job, slot, candidate);
    tell_unused (job, slot, candidate->state);
    job->saved.stored[slot] = candidate->stored;
    if (candidate->state != FILE_GOOD ||
        (newest != NULL && (candidate->header.step < newest->header.step ||
                            candidate->header.n_epochs < newest->header.n_epochs)))
      continue;
    newest = candidate;
    job->saved.slot = 1 - slot;
  }
  job->saved.at = g_get_monotonic_time ();
  if (newest == NULL)
    return;
  take_candidate (job, newest);
  job->saved.step = newest->header.step;
  job->saved.n_epochs = (guint) newest->header.n_epochs;
}

gboolean
train_checkpoint_is_due (const TrainJob *job)
{
  return g_get_monotonic_time () - job->saved.at >= job->settings.checkpoint;
}

static void
remove_epoch (TrainJob *job, guint epoch)
{
  g_autofree char *path = path_of_epoch (job, epoch, NULL);
  if (path != NULL)
    g_unlink (path);
}

gboolean
train_checkpoint_save (TrainJob *job, GError **error)
{
  const TrainProgress *progress = &job->progress;
  TrainSaved *saved = &job->saved;
  if (progress->step == saved->step && progress->epochs->len == saved->n_epochs)
    return TRUE;
  g_autofree char *path = path_of_slot (job, saved->slot, error);
  gsize n_state;
  float *state = train_optimiser_get_state (job->optimiser, &n_state);
  Header header = { .fingerprint = job->fingerprint,
                    .step = progress->step,
                    .loss_sum = progress->loss_sum,
                    .loss_weight = progress->loss_weight,
                    .n_epochs = progress->epochs->len,
                    .n_values = count_values (job),
                    .n_state = n_state };
  memcpy (header.magic, magic, sizeof magic);
  if (path == NULL || !write_file (job, path, &header, state, error))
    return FALSE;

  guint before = saved->stored[saved->slot];
  guint stored = train_epochs_find_stored (job, progress->epochs);
  saved->stored[saved->slot] = stored;
  saved->slot = 1 - saved->slot;
  saved->step = progress->step;
  saved->n_epochs = progress->epochs->len;
  saved->at = g_get_monotonic_time ();
  /* Only now does no checkpoint speak of the former best any more. */
  if (before != TRAIN_NO_EPOCH && before != stored && before != saved->stored[saved->slot])
    remove_epoch (job, before);
  return TRUE;
}

gboolean
train_checkpoint_save_epoch (TrainJob *job, guint epoch, GError **error)
{
  Header header = { .fingerprint = job->fingerprint, .n_values = count_values (job) };
  memcpy (header.magic, magic, sizeof magic);
  g_autofree char *path = path_of_epoch (job, epoch, error);
  return path != NULL && write_file (job, path, &header, NULL, error);
}

gboolean
train_checkpoint_load_epoch (TrainJob *job, guint epoch, GError **error)
{
  Header header;
  g_autofree char *path = path_of_epoch (job, epoch, error);
  if (path == NULL)
    return FALSE;
  g_autoptr (GMappedFile) file = NULL;
  if (open_file (job, path, 0, &header, &file) != FILE_GOOD) {
    g_autofree char *shown = g_filename_display_name (path);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_IO,
                 "the weights of epoch %u are gone from ‘%s’; run again", epoch + 1, shown);
    return FALSE;
  }
  read_values (job, g_mapped_file_get_contents (file) + sizeof header);
  return TRUE;
}
