#include <math.h>
#include <segue/nn/schedule.h>

/* From `from` to `to` along half a cosine wave; share is 0 … 1. */
static double
cosine_between (double from, double to, double share)
{
  return to + (from - to) / 2.0 * (1.0 + cos (G_PI * share));
}

/* Phases end at step warmup − 1 and total − 1, as in OneCycleLR. */
static double
one_cycle (const SegueNnSchedule *s, double step)
{
  double start = 1.0 / (s->div_factor > 0.0 ? s->div_factor : 25.0);
  double end = start / (s->final_div_factor > 0.0 ? s->final_div_factor : 1e4);
  double top = (double) s->warmup_steps - 1.0, last = (double) s->total_steps - 1.0;

  if (step >= last)
    return end;
  if (step < top)
    return cosine_between (start, 1.0, step / top);
  return cosine_between (1.0, end, (step - top) / (last - top));
}

double
segue_nn_schedule_factor (const SegueNnSchedule *schedule, guint64 step)
{
  const double now = (double) step, warmup = (double) schedule->warmup_steps;
  const double rest = MAX (1.0, (double) schedule->total_steps - warmup);

  if (schedule->kind == SEGUE_SCHEDULE_ONE_CYCLE)
    return one_cycle (schedule, now);
  if (now < warmup)
    return now / warmup;

  double share = MIN (1.0, (now - warmup) / rest);
  switch (schedule->kind) {
  case SEGUE_SCHEDULE_LINEAR:
    return 1.0 - share;
  case SEGUE_SCHEDULE_COSINE:
    return MAX (0.0, 0.5 * (1.0 + cos (G_PI * share)));
  default:
    return 1.0;
  }
}
