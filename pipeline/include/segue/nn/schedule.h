#pragma once

#include <segue/model.h>
#include <segue/nn/types.h>

G_BEGIN_DECLS

/* Learning rates over the steps of a training.
 *
 * warmup_steps: the rate rises linearly from 0 to 1 over these; for one-cycle the steps of the rise,
 * torch's pct_start · total_steps. total_steps is above 0. One-cycle starts at 1 / div_factor (0
 * means torch's 25) and ends at 1 / (div_factor · final_div_factor) (0 means 1e4). */
typedef struct {
  SegueSchedule kind;
  guint64 warmup_steps;
  guint64 total_steps;
  double div_factor;
  double final_div_factor;
} SegueNnSchedule;

/* The factor for the (maximum) learning rate in step `step`, counted from 0: the value
 * that the optimiser of the reference uses in its call number step + 1. Steps past the end give
 * the final value. */
SEGUE_API double segue_nn_schedule_factor (const SegueNnSchedule *schedule, guint64 step);

G_END_DECLS
