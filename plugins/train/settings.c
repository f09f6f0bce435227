/* The recipe of the model type, unless the pipeline overrides it. */
#include "settings.h"

#include <math.h>
#include <segue/error.h>

/* Used where neither the pipeline nor the model type sets a value. */
static const SegueRecipe plain_recipe = SEGUE_INIT (
  SegueRecipe, .epochs = 10, .batch = 8, .learning_rate = 1e-3, .schedule = SEGUE_SCHEDULE_LINEAR);

/* The first parameter of steps that the pipeline sets; NULL: none. */
static const char *
find_step_parameter (const TrainConfig *config)
{
  return config->epochs != SEGUE_UNSET_INT  ? "epochs"
         : config->batch != SEGUE_UNSET_INT ? "batch"
         : !isnan (config->learning_rate)   ? "learning_rate"
         : config->schedule >= 0            ? "schedule"
         : !isnan (config->warmup)          ? "warmup"
         : !isnan (config->weight_decay)    ? "weight_decay"
         : !isnan (config->label_smoothing) ? "label_smoothing"
         : !isnan (config->gradient_clip)   ? "gradient_clip"
         : config->accumulate > 1           ? "accumulate"
         : config->class_weights            ? "class_weights"
         : config->early_stopping > 0       ? "early_stopping"
                                            : NULL;
}

gboolean
train_settings_check (const TrainConfig *config, GError **error)
{
  const char *name = config->model.type->backward ? NULL : find_step_parameter (config);
  if (name) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                 "%s has no effect: '%s' is computed in one step; remove it", name,
                 config->model.type->name);
    return FALSE;
  }
  if (!isnan (config->warmup) && config->warmup > 1 && config->warmup != floor (config->warmup)) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                 "warmup must be a share of all steps (0..1) or a whole number of steps, got %g",
                 config->warmup);
    return FALSE;
  }
  if (config->early_stopping > 0 && config->epochs != SEGUE_UNSET_INT &&
      config->early_stopping >= config->epochs) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                 "early_stopping: %" G_GINT64_FORMAT " can never happen in %" G_GINT64_FORMAT
                 " epochs; make it smaller, or 0 to turn it off",
                 config->early_stopping, config->epochs);
    return FALSE;
  }
  return TRUE;
}

static guint
given_int (gint64 value, guint otherwise)
{
  return value != SEGUE_UNSET_INT ? (guint) value : otherwise;
}

static double
given (double value, double otherwise)
{
  return isnan (value) ? otherwise : value;
}

static const SegueRecipe *
recipe_of (const TrainConfig *config)
{
  return config->model.type->recipe ? config->model.type->recipe : &plain_recipe;
}

guint
train_settings_get_batch (const TrainConfig *config)
{
  return given_int (config->batch, recipe_of (config)->batch);
}

void
train_settings_resolve (const TrainConfig *config, guint n_train, guint64 seed,
                        TrainSettings *settings)
{
  const SegueRecipe *recipe = recipe_of (config);

  settings->epochs = given_int (config->epochs, recipe->epochs);
  settings->batch = train_settings_get_batch (config);
  settings->step_items = settings->batch * (guint) config->accumulate;
  settings->learning_rate = given (config->learning_rate, recipe->learning_rate);
  settings->weight_decay = given (config->weight_decay, recipe->weight_decay);
  settings->label_smoothing = given (config->label_smoothing, recipe->label_smoothing);
  settings->gradient_clip = given (config->gradient_clip, recipe->gradient_clip);
  settings->class_weights = (TrainWeights) config->class_weights;
  settings->best = (TrainBest) config->best;
  settings->patience = (guint) config->early_stopping;
  settings->checkpoint = (gint64) (config->checkpoint * 60 * G_USEC_PER_SEC);
  settings->seed = seed;

  guint64 per_epoch = (n_train + (guint64) settings->step_items - 1) / settings->step_items;
  guint64 total = per_epoch * settings->epochs;
  double warmup = given (config->warmup, recipe->warmup);
  settings->steps_per_epoch = per_epoch;
  settings->schedule = (SegueNnSchedule){
    .kind = config->schedule >= 0 ? (SegueSchedule) config->schedule : recipe->schedule,
    .warmup_steps = warmup <= 1 ? (guint64) floor (warmup * (double) total) : (guint64) warmup,
    .total_steps = total,
  };
  settings->schedule.warmup_steps = MIN (settings->schedule.warmup_steps, total);
}

double
train_settings_get_rate (const TrainSettings *settings, guint64 step)
{
  return settings->learning_rate * segue_nn_schedule_factor (&settings->schedule, step);
}
