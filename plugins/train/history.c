/* Settings as resolved, and the results of each epoch. */
#include "history.h"
#include "epochs.h"

#include <math.h>
#include <segue/file.h>
#include <segue/json.h>

static json_t *
describe_set (const TrainSet *set)
{
  return json_pack ("{s:i, s:i}", "segments", (int) set->n, "songs", (int) set->n_songs);
}

static json_t *
describe_settings (const TrainSettings *s)
{
  return json_pack ("{s:i, s:i, s:i, s:f, s:s, s:I, s:f, s:f, s:f, s:s, s:s, s:i}", "epochs",
                    (int) s->epochs, "batch", (int) s->batch, "accumulate",
                    (int) (s->step_items / s->batch), "learning_rate", s->learning_rate, "schedule",
                    segue_schedule_get_name (s->schedule.kind), "warmup_steps",
                    (json_int_t) s->schedule.warmup_steps, "weight_decay", s->weight_decay,
                    "label_smoothing", s->label_smoothing, "gradient_clip", s->gradient_clip,
                    "class_weights", TRAIN_WEIGHTS_CHOICES[s->class_weights], "best",
                    TRAIN_BEST_CHOICES[s->best], "early_stopping", (int) s->patience);
}

static json_t *
describe_epoch (const TrainEpoch *epoch, guint index, gboolean validated)
{
  json_t *object =
    json_pack ("{s:i, s:o, s:o}", "epoch", (int) index + 1, "train_loss",
               segue_json_number (epoch->loss), "learning_rate", segue_json_number (epoch->rate));
  if (validated)
    json_object_set_new (object, "validation",
                         json_pack ("{s:o, s:o, s:o}", "loss",
                                    segue_json_number (epoch->validation_loss), "segment_accuracy",
                                    segue_json_number (epoch->validation_accuracy), "song_accuracy",
                                    segue_json_number (epoch->validation_song_accuracy)));
  return object;
}

gboolean
train_history_write (const TrainJob *job, const char *folder, GError **error)
{
  json_t *labels = json_array (), *epochs = json_array ();
  for (guint c = 0; c < job->sets->n_labels; c++)
    json_array_append_new (labels, json_string (job->sets->labels[c]));
  for (guint i = 0; i < job->progress.epochs->len; i++)
    json_array_append_new (epochs,
                           describe_epoch (&g_array_index (job->progress.epochs, TrainEpoch, i), i,
                                           job->sets->validation.n > 0));

  json_t *root = json_pack (
    "{s:s, s:s, s:o, s:o*, s:o, s:o, s:o, s:i, s:b}", "model", job->type->name, "precision",
    segue_model_precision_names ()[job->info.precision], "labels", labels, "settings",
    job->type->backward ? describe_settings (&job->settings) : NULL, "train",
    describe_set (&job->sets->train), "validation", describe_set (&job->sets->validation), "epochs",
    epochs, "kept_epoch", (int) train_epochs_get_kept (job) + 1, "stopped_early",
    job->progress.epochs->len < job->settings.epochs);
  g_autofree char *text = segue_json_print (root, JSON_INDENT (2) | JSON_REAL_PRECISION (9));
  g_autofree char *content = g_strconcat (text, "\n", NULL);
  g_autofree char *path = g_build_filename (folder, "history.json", NULL);
  return segue_file_write (path, content, -1, error);
}
