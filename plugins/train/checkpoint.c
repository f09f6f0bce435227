/* Scratch data for the same program on the same machine: native byte order, checked by size, by a digest of all
 * bytes, and by a fingerprint of everything that has to match. */
#include "checkpoint.h"
#include "epochs.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <nettle/sha2.h>
#include <segue/collect.h>
#include <segue/error.h>
#include <segue/file.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[16] = "segue training 2";

/* Followed by n_epochs TrainEpoch, step TrainStep, all tensors' values, the optimiser's state, and the SHA-256 of
 * everything. */
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

/* How a file in the work folder relates to this training. */
typedef enum { FILE_ABSENT, FILE_FOREIGN, FILE_DAMAGED, FILE_GOOD } FileState;

static char *
path_in_work (TrainJob *job, const char *name, GError **error)
{
  const char *folder = segue_context_get_work_folder (job->context, error);
  return folder ? g_build_filename (folder, name, NULL) : NULL;
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

/* @state: (nullable): all of job->progress is saved with it. */
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
  if (!file || !put (&output, header, sizeof *header, error) ||
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

/* Whether a training of this job can have reached these counts. */
static gboolean
is_possible (const TrainJob *job, const Header *header)
{
  guint64 per_epoch = job->settings.steps_per_epoch;
  return header->n_epochs <= job->settings.epochs && header->step >= header->n_epochs * per_epoch &&
         header->step <= MIN (header->n_epochs + 1, (guint64) job->settings.epochs) * per_epoch;
}

/* A file's bytes in order, with their digest. They are read, not mapped: where another process truncates
 * the file, reading ends early, but a mapping ends the program. */
typedef struct {
  int fd;
  guint64 at;
  struct sha256_ctx sha;
} Input;

static void
input_init (Input *input, int fd)
{
  input->fd = fd;
  input->at = 0;
  sha256_init (&input->sha);
}

/* FALSE with errno, 0 where the file is too short. */
static gboolean
read_at (int fd, void *data, gsize length, guint64 at)
{
  for (gsize done = 0; done < length;) {
    errno = 0;
    gssize n =
      pread (fd, (char *) data + done, MIN (length - done, (gsize) 1 << 30), (off_t) (at + done));
    if (n == 0 || (n < 0 && errno != EINTR))
      return FALSE;
    done += (gsize) MAX (n, 0);
  }
  return TRUE;
}

static gboolean
take (Input *input, void *data, gsize length)
{
  if (!read_at (input->fd, data, length, input->at))
    return FALSE;
  input->at += length;
  sha256_update (&input->sha, length, data);
  return TRUE;
}

/* Whether the digest of the data read so far follows. */
static gboolean
take_digest (Input *input)
{
  guint8 digest[SHA256_DIGEST_SIZE], stored[SHA256_DIGEST_SIZE];
  sha256_digest (&input->sha, sizeof digest, digest);
  return read_at (input->fd, stored, sizeof stored, input->at) &&
         memcmp (digest, stored, sizeof digest) == 0;
}

/* Values of all tensors. */
static gboolean
take_values (Input *input, TrainJob *job)
{
  GArray *tensors = train_optimiser_get_tensors (job->optimiser);
  for (guint i = 0; i < tensors->len; i++) {
    SegueModelTensor *tensor = &g_array_index (tensors, SegueModelTensor, i);
    if (!take (input, tensor->value, tensor->n_elements * sizeof (float)))
      return FALSE;
  }
  train_optimiser_take_values (job->optimiser);
  return TRUE;
}

static gboolean
is_whole (int fd, guint64 size)
{
  char block[32768];
  Input input;
  input_init (&input, fd);
  for (guint64 left = size - SHA256_DIGEST_SIZE; left > 0;) {
    gsize n = (gsize) MIN (left, sizeof block);
    if (!take (&input, block, n))
      return FALSE;
    left -= n;
  }
  return take_digest (&input);
}

/* The relation of the file at @fd to this training, and its header. @n_state: 0: only weights. */
static FileState
look_at_file (TrainJob *job, int fd, guint64 n_state, Header *header)
{
  struct stat info;
  if (fstat (fd, &info) != 0 || !S_ISREG (info.st_mode) || !read_at (fd, header, sizeof *header, 0))
    return FILE_DAMAGED;
  if (memcmp (header->magic, magic, sizeof magic) != 0 || header->fingerprint != job->fingerprint)
    return FILE_FOREIGN;
  guint64 size = (guint64) info.st_size;
  if (header->n_values != count_values (job) || header->n_state != n_state ||
      (n_state > 0 ? !is_possible (job, header) : header->n_epochs > 0 || header->step > 0) ||
      size != size_of_file (header) || !is_whole (fd, size))
    return FILE_DAMAGED;
  return FILE_GOOD;
}

/* @fd: (out): set where the file is good. The cache may belong to another user: links and pipes are not followed
 * or waited for. */
static FileState
open_file (TrainJob *job, const char *path, guint64 n_state, Header *header, int *fd)
{
  int opened = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (opened < 0)
    return errno == ENOENT ? FILE_ABSENT : FILE_DAMAGED;
  FileState state = look_at_file (job, opened, n_state, header);
  if (state == FILE_GOOD)
    *fd = opened;
  else
    close (opened);
  return state;
}

/* A checkpoint that training may resume from. @stored: the epoch whose weights it needs. */
typedef struct {
  FileState state;
  Header header;
  int fd; /* -1: none */
  guint stored;
} Candidate;

static void
candidate_clear (Candidate *candidate)
{
  if (candidate->fd >= 0)
    close (candidate->fd);
  candidate->fd = -1;
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Candidate, candidate_clear)

/* Whether @stored, the epoch whose weights the checkpoint needs, is known and its weights are good. */
static gboolean
find_weights (TrainJob *job, const Candidate *candidate, guint *stored)
{
  g_autoptr (GArray) epochs = g_array_new (FALSE, FALSE, sizeof (TrainEpoch));
  g_array_set_size (epochs, (guint) candidate->header.n_epochs);
  if (!read_at (candidate->fd, epochs->data, epochs->len * sizeof (TrainEpoch),
                sizeof candidate->header))
    return FALSE;
  *stored = train_epochs_find_stored (job, epochs);
  if (*stored == TRAIN_NO_EPOCH)
    return TRUE;
  Header header;
  int fd;
  g_autofree char *path = path_of_epoch (job, *stored, NULL);
  if (!path || open_file (job, path, 0, &header, &fd) != FILE_GOOD)
    return FALSE;
  close (fd);
  return TRUE;
}

/* A checkpoint whose weights are damaged counts as damaged. */
static void
open_candidate (TrainJob *job, guint slot, Candidate *candidate)
{
  guint stored;
  gsize n_state;
  train_optimiser_get_state (job->optimiser, &n_state);
  g_autofree char *path = path_of_slot (job, slot, NULL);
  candidate->stored = TRAIN_NO_EPOCH;
  candidate->state =
    path ? open_file (job, path, n_state, &candidate->header, &candidate->fd) : FILE_ABSENT;
  if (candidate->state != FILE_GOOD)
    return;
  if (find_weights (job, candidate, &stored))
    candidate->stored = stored;
  else
    candidate->state = FILE_DAMAGED;
}

/* FALSE: the file can't be read (errno), or has changed since it was opened (0), and the job is unusable. */
static gboolean
take_candidate (TrainJob *job, const Candidate *candidate)
{
  const Header *expected = &candidate->header;
  TrainProgress *progress = &job->progress;
  Header header;
  Input input;
  gsize n_state;
  float *state = train_optimiser_get_state (job->optimiser, &n_state);

  g_array_set_size (progress->epochs, (guint) expected->n_epochs);
  g_array_set_size (progress->steps, (guint) expected->step);
  progress->step = expected->step;
  progress->loss_sum = expected->loss_sum;
  progress->loss_weight = expected->loss_weight;
  input_init (&input, candidate->fd);
  errno = 0;
  return take (&input, &header, sizeof header) && memcmp (&header, expected, sizeof header) == 0 &&
         take (&input, progress->epochs->data, expected->n_epochs * sizeof (TrainEpoch)) &&
         take (&input, progress->steps->data, expected->step * sizeof (TrainStep)) &&
         take_values (&input, job) && take (&input, state, n_state * sizeof (float)) &&
         take_digest (&input);
}

/* Logs unused files, and why. */
static void
tell_unused (TrainJob *job, guint slot, FileState state)
{
  g_autofree char *path = path_of_slot (job, slot, NULL);
  if (!path || state == FILE_GOOD || state == FILE_ABSENT)
    return;
  g_autofree char *shown = g_filename_display_name (path);
  if (state == FILE_FOREIGN)
    segue_context_log (job->context, G_LOG_LEVEL_INFO,
                       "‘%s’ is from another training, or from another version of segue: not used",
                       shown);
  else
    segue_context_log (job->context, G_LOG_LEVEL_WARNING,
                       "the checkpoint ‘%s’ is damaged: not used", shown);
}

gboolean
train_checkpoint_load (TrainJob *job, GError **error)
{
  g_auto (Candidate) first = { .fd = -1 };
  g_auto (Candidate) second = { .fd = -1 };
  Candidate *candidates[] = { &first, &second };
  Candidate *newest = NULL;
  for (guint slot = 0; slot < G_N_ELEMENTS (candidates); slot++) {
    Candidate *candidate = candidates[slot];
    open_candidate (job, slot, candidate);
    tell_unused (job, slot, candidate->state);
    job->saved.stored[slot] = candidate->stored;
    if (candidate->state != FILE_GOOD ||
        (newest && (candidate->header.step < newest->header.step ||
                    candidate->header.n_epochs < newest->header.n_epochs)))
      continue;
    newest = candidate;
    job->saved.slot = 1 - slot;
  }
  job->saved.at = g_get_monotonic_time ();
  if (!newest)
    return TRUE;
  if (!take_candidate (job, newest)) {
    int number = errno;
    g_autofree char *path = path_of_slot (job, 1 - job->saved.slot, NULL);
    if (number != 0)
      return segue_set_error_from_errno (error, number, SEGUE_ERROR_IO, "can't read the checkpoint",
                                         path);
    g_autofree char *shown = g_filename_display_name (path);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_IO, "‘%s’ changed while it was read; run again",
                 shown);
    return FALSE;
  }
  job->saved.step = newest->header.step;
  job->saved.n_epochs = (guint) newest->header.n_epochs;
  return TRUE;
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
  if (path)
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
  if (!path || !write_file (job, path, &header, state, error))
    return FALSE;

  guint before = saved->stored[saved->slot];
  guint stored = train_epochs_find_stored (job, progress->epochs);
  saved->stored[saved->slot] = stored;
  saved->slot = 1 - saved->slot;
  saved->step = progress->step;
  saved->n_epochs = progress->epochs->len;
  saved->at = g_get_monotonic_time ();
  /* Only now does no checkpoint refer to the former best any more. */
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
  return path && write_file (job, path, &header, NULL, error);
}

gboolean
train_checkpoint_load_epoch (TrainJob *job, guint epoch, GError **error)
{
  Header header;
  g_autofree char *path = path_of_epoch (job, epoch, error);
  if (!path)
    return FALSE;
  gboolean ok = FALSE;
  int fd = -1;
  if (open_file (job, path, 0, &header, &fd) == FILE_GOOD) {
    Input input;
    input_init (&input, fd);
    ok = take (&input, &header, sizeof header) && take_values (&input, job) && take_digest (&input);
    close (fd);
  }
  if (!ok) {
    g_autofree char *shown = g_filename_display_name (path);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_IO,
                 "the weights of epoch %u are missing in ‘%s’; run again", epoch + 1, shown);
  }
  return ok;
}
