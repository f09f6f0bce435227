/* The text of a progress bar: needs no clock and no terminal, so that it can be tested. */
#pragma once

#include "term.h"

#define SEGUE_UNIT_BYTES "bytes"

/**
 * SegueProgressView: the state of one stage.
 * @index: from 0, of @n_stages; @n_stages 0: not shown
 * @unit: (nullable): what @done and @total count, in the plural; SEGUE_UNIT_BYTES: shown as sizes
 * @total: 0: not known
 * @detail: (nullable)
 * @rate: units per second; 0: not known
 * @elapsed: s since the stage began
 * @cached: all results came from the cache
 */
typedef struct {
  const char *name;
  guint index;
  guint n_stages;
  const char *unit;
  guint64 done;
  guint64 total;
  const char *detail;
  double rate;
  double elapsed;
  gboolean cached;
} SegueProgressView;

/** segue_progress_bar: (transfer full): one line with a bar, narrower than the terminal. */
char *segue_progress_bar (const SegueTerm *term, const SegueProgressView *view);
/** segue_progress_plain: (transfer full): the same for a log file. */
char *segue_progress_plain (const SegueProgressView *view);
/** segue_progress_done: (transfer full): the line that a finished stage leaves on the screen. */
char *segue_progress_done (const SegueTerm *term, const SegueProgressView *view);

/** segue_duration_text: (transfer full): "0:07", "1:02:03". */
char *segue_duration_text (double seconds);

#define SEGUE_RATE_SAMPLES 30

/** SegueRate: units per second over about the last half minute, so that fast cache hits do not
 * distort the estimate for the rest. */
typedef struct {
  double times[SEGUE_RATE_SAMPLES];
  guint64 values[SEGUE_RATE_SAMPLES];
  guint n, next;
} SegueRate;

void segue_rate_add (SegueRate *rate, double now, guint64 done);
/** segue_rate_get: 0 where it isn't known yet. */
double segue_rate_get (const SegueRate *rate, double now, guint64 done);
