/* Progress bars. */
#include "progress.h"

#define PLAIN_FIRST  5  /* s between lines of a stage that has just begun */
#define PLAIN_LATER  30 /* … and after its first minute */
#define PLAIN_MINUTE 60

struct _SegueProgress {
  SegueTerm *term;
  GMutex mutex;
  gboolean active; /* a stage is running */
  gboolean drawn;  /* the cursor is behind a bar */
  char *name;
  char *detail;
  char *unit;
  SegueProgressView view;
  SegueRate rate;
  double began;
  double last_plain;
};

static double
now (void)
{
  return (double) g_get_monotonic_time () / 1e6;
}

SegueProgress *
segue_progress_new (SegueTerm *term)
{
  SegueProgress *progress = g_new0 (SegueProgress, 1);
  progress->term = term;
  g_mutex_init (&progress->mutex);
  return progress;
}

static void
erase (SegueProgress *progress)
{
  if (progress->drawn)
    fputs ("\r\033[K", progress->term->stream);
  progress->drawn = FALSE;
}

static void
refresh_view (SegueProgress *progress, double time)
{
  SegueProgressView *view = &progress->view;
  view->name = progress->name;
  view->detail = progress->detail;
  view->unit = progress->unit;
  view->elapsed = time - progress->began;
  view->rate = segue_rate_get (&progress->rate, time, view->done);
}

static void
draw (SegueProgress *progress)
{
  if (!progress->active || !progress->term->tty)
    return;
  refresh_view (progress, now ());
  g_autofree char *line = segue_progress_bar (progress->term, &progress->view);
  fprintf (progress->term->stream, "\r\033[K%s", line);
  fflush (progress->term->stream);
  progress->drawn = TRUE;
}

static void
print_plain (SegueProgress *progress, double time)
{
  refresh_view (progress, time);
  double pause = progress->view.elapsed < PLAIN_MINUTE ? PLAIN_FIRST : PLAIN_LATER;
  if (time - progress->last_plain < pause)
    return;
  progress->last_plain = time;
  g_autofree char *line = segue_progress_plain (&progress->view);
  fprintf (progress->term->stream, "%s\n", line);
  fflush (progress->term->stream);
}

static void
give_up_stage (SegueProgress *progress)
{
  erase (progress);
  progress->active = FALSE;
  g_clear_pointer (&progress->name, g_free);
  g_clear_pointer (&progress->detail, g_free);
  g_clear_pointer (&progress->unit, g_free);
  progress->view = (SegueProgressView){ 0 };
  progress->rate = (SegueRate){ 0 };
}

void
segue_progress_start (SegueProgress *progress, const char *name, guint index, guint n_stages,
                      const char *unit)
{
  g_mutex_lock (&progress->mutex);
  give_up_stage (progress);
  progress->active = TRUE;
  progress->name = g_strdup (name);
  progress->view.index = index;
  progress->view.n_stages = n_stages;
  progress->unit = g_strdup (unit);
  progress->began = progress->last_plain = now ();
  draw (progress);
  g_mutex_unlock (&progress->mutex);
}

void
segue_progress_set_unit (SegueProgress *progress, const char *unit)
{
  g_mutex_lock (&progress->mutex);
  g_free (progress->unit);
  progress->unit = g_strdup (unit);
  /* The earlier count has another unit. */
  progress->view.done = progress->view.total = 0;
  progress->rate = (SegueRate){ 0 };
  g_mutex_unlock (&progress->mutex);
}

void
segue_progress_update (SegueProgress *progress, guint64 done, guint64 total, const char *detail)
{
  g_mutex_lock (&progress->mutex);
  progress->view.done = done;
  progress->view.total = total;
  if (g_strcmp0 (progress->detail, detail) != 0) {
    g_free (progress->detail);
    progress->detail = g_strdup (detail);
  }
  segue_rate_add (&progress->rate, now (), done);
  g_mutex_unlock (&progress->mutex);
}

void
segue_progress_finish (SegueProgress *progress, gboolean cached, double seconds)
{
  g_mutex_lock (&progress->mutex);
  if (progress->active) {
    refresh_view (progress, now ());
    progress->view.elapsed = seconds;
    progress->view.cached = cached;
    g_autofree char *line = segue_progress_done (progress->term, &progress->view);
    give_up_stage (progress);
    fprintf (progress->term->stream, "%s\n", line);
    fflush (progress->term->stream);
  }
  g_mutex_unlock (&progress->mutex);
}

void
segue_progress_print (SegueProgress *progress, const char *line)
{
  g_mutex_lock (&progress->mutex);
  erase (progress);
  fprintf (progress->term->stream, "%s\n", line);
  draw (progress);
  fflush (progress->term->stream);
  g_mutex_unlock (&progress->mutex);
}

void
segue_progress_clear (SegueProgress *progress)
{
  g_mutex_lock (&progress->mutex);
  erase (progress);
  fflush (progress->term->stream);
  g_mutex_unlock (&progress->mutex);
}

void
segue_progress_tick (SegueProgress *progress)
{
  g_mutex_lock (&progress->mutex);
  if (progress->active && progress->term->tty) {
    segue_term_measure (progress->term);
    draw (progress);
  } else if (progress->active) {
    print_plain (progress, now ());
  }
  g_mutex_unlock (&progress->mutex);
}

void
segue_progress_hide (SegueProgress *progress)
{
  g_mutex_lock (&progress->mutex);
  give_up_stage (progress);
  fflush (progress->term->stream);
  g_mutex_unlock (&progress->mutex);
}

void
segue_progress_free (SegueProgress *progress)
{
  if (!progress)
    return;
  segue_progress_hide (progress);
  g_mutex_clear (&progress->mutex);
  g_free (progress);
}
