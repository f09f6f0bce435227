/* Scratch for the same program on the same machine: native byte order, checked by size and by a
 * fingerprint of all that has to agree. */
#include "checkpoint.h"

#include <glib/gstdio.h>
#include <segue/error.h>
#include <segue/file.h>
#include <string.h>

static const char magic[16] = "segue training 1";

/* Followed by n_epochs TrainEpoch, all tensors' values, the optimiser's state. */
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

static char *
path_in_work (TrainJob *job, const char *name, GError **error)
{
  const char *folder = segue_context_get_work_folder (job->context, error);
  return folder != NULL ? g_build_filename (folder, name, NULL) : NULL;
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

static gboolean
write_file (TrainJob *job, const char *path, const Header *header, const float *state,
            GError **error)
{
  GArray *tensors = train_optimiser_get_tensors (job->optimiser);
  g_autoptr (SegueFileWriter) writer = segue_file_writer_new (path, error);
  if (writer == NULL || !segue_file_writer_write (writer, header, sizeof *header, error) ||
      (header->n_epochs > 0 &&
       !segue_file_writer_write (writer, job->progress.epochs->data,
                                 header->n_epochs * sizeof (TrainEpoch), error)))
    return FALSE;
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *tensor = &g_array_index (tensors, SegueModelTensor, i);
    if (!segue_file_writer_write (writer, tensor->value, tensor->n_elements * sizeof (float),
                                  error))
      return FALSE;
  }
  return (header->n_state == 0 ||
          segue_file_writer_write (writer, state, header->n_state * sizeof (float), error)) &&
         segue_file_writer_commit (writer, error);
}

/* The whole file where it is of this training; %NULL otherwise. */
static GMappedFile *
open_file (TrainJob *job, const char *path, guint64 n_state, Header *header)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, NULL);
  gsize size = file != NULL ? g_mapped_file_get_length (file) : 0;
  if (size < sizeof *header)
    return NULL;
  memcpy (header, g_mapped_file_get_contents (file), sizeof *header);
  if (memcmp (header->magic, magic, sizeof magic) != 0 || header->fingerprint != job->fingerprint ||
      header->n_values != count_values (job) || header->n_state != n_state ||
      header->n_epochs > job->settings.epochs ||
      header->step >
        header->n_epochs * job->settings.steps_per_epoch + job->settings.steps_per_epoch)
    return NULL;
  guint64 expected = sizeof *header + header->n_epochs * sizeof (TrainEpoch) +
                     (header->n_values + n_state) * sizeof (float);
  return size == expected ? g_steal_pointer (&file) : NULL;
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
  job->type->changed (job->impl);
  return at;
}

gboolean
train_checkpoint_save (TrainJob *job, GError **error)
{
  const TrainProgress *progress = &job->progress;
  g_autofree char *path = path_in_work (job, "checkpoint", error);
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
  return path != NULL && write_file (job, path, &header, state, error);
}

void
train_checkpoint_load (TrainJob *job)
{
  Header header;
  gsize n_state;
  float *state = train_optimiser_get_state (job->optimiser, &n_state);
  g_autofree char *path = path_in_work (job, "checkpoint", NULL);
  if (path == NULL)
    return;
  g_autoptr (GMappedFile) file = open_file (job, path, n_state, &header);
  if (file == NULL)
    return;

  const char *at = g_mapped_file_get_contents (file) + sizeof header;
  job->progress.step = header.step;
  job->progress.loss_sum = header.loss_sum;
  job->progress.loss_weight = header.loss_weight;
  g_array_set_size (job->progress.epochs, 0);
  if (header.n_epochs > 0)
    g_array_append_vals (job->progress.epochs, at, (guint) header.n_epochs);
  at = read_values (job, at + header.n_epochs * sizeof (TrainEpoch));
  memcpy (state, at, n_state * sizeof (float));
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
  g_autoptr (GMappedFile) file = open_file (job, path, 0, &header);
  if (file == NULL) {
    g_autofree char *shown = g_filename_display_name (path);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_IO,
                 "the weights of epoch %u are gone from ‘%s’; run again", epoch + 1, shown);
    return FALSE;
  }
  read_values (job, g_mapped_file_get_contents (file) + sizeof header);
  return TRUE;
}

void
train_checkpoint_remove_epoch (TrainJob *job, guint epoch)
{
  g_autofree char *path = path_of_epoch (job, epoch, NULL);
  if (path != NULL)
    g_unlink (path);
}
