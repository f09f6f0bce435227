/* trim: cuts the ends off a song. */
#include "level.h"
#include "slice.h"

#include <segue/plugin.h>

typedef struct {
  double head;
  double tail;
  double keep;
  int when_short;
  double silence_db;
} TrimConfig;

enum { WHEN_SHORT_SCALE, WHEN_SHORT_SKIP, WHEN_SHORT_FAIL };
static const char *const when_short_choices[] = { "scale", "skip", "fail", NULL };

static const SegueParam *const params[] = {
  SEGUE_PARAM (TrimConfig, head, SEGUE_PARAM_DOUBLE, .def = "10", .min = 0, .max = 3600,
               .unit = "s", .doc = "Time to cut from the start of each song."),
  SEGUE_PARAM (TrimConfig, tail, SEGUE_PARAM_DOUBLE, .def = "10", .min = 0, .max = 3600,
               .unit = "s", .doc = "Time to cut from the end of each song."),
  SEGUE_PARAM (TrimConfig, keep, SEGUE_PARAM_DOUBLE, .def = "10", .min = 0, .max = 3600,
               .unit = "s", .doc = "Least time that has to be left."),
  SEGUE_PARAM (TrimConfig, when_short, SEGUE_PARAM_CHOICE, .def = "scale",
               .choices = when_short_choices,
               .doc = "What to do with a song of which less than `keep` would be left: `scale` "
                      "shortens both cuts alike until `keep` is left, `skip` doesn't cut it at "
                      "all, `fail` skips the song, with the reason."),
  SEGUE_PARAM (TrimConfig, silence_db, SEGUE_PARAM_DOUBLE, .def = "0", .min = -120, .max = 0,
               .unit = "dBFS",
               .doc = "Before the cuts, take away silence at both ends: what is quieter than this "
                      "over 20 ms.  0: take none away."),
  NULL,
};

/* Frames [start, end) of a song. */
typedef struct {
  gsize start;
  gsize end;
} Span;

/* The span from the first to the last window that is loud enough; empty for silence. */
static Span
find_sound (const float *frames, gsize n_frames, guint rate, guint channels, double silence_db)
{
  const gsize window = MAX (rate / 50, 1);
  const double threshold = level_from_db (silence_db);
  Span span = { 0, n_frames };

  while (span.start < n_frames) {
    gsize n = MIN (window, n_frames - span.start);

    if (level_mean_square (frames + span.start * channels, n * channels) >= threshold)
      break;
    span.start += n;
  }
  while (span.end > span.start) {
    gsize n = MIN (window, span.end - span.start);

    if (level_mean_square (frames + (span.end - n) * channels, n * channels) >= threshold)
      break;
    span.end -= n;
  }
  return span;
}

/* Cuts @head and @tail frames off @span, or what `when_short` makes of them. */
static gboolean
cut (const TrimConfig *config, Span *span, guint rate)
{
  double head = config->head * rate, tail = config->tail * rate;
  double length = (double) (span->end - span->start), keep = config->keep * rate;

  if (length - head - tail < MAX (keep, 1)) {
    double scale = MAX (length - keep, 0) / MAX (head + tail, 1);

    if (config->when_short == WHEN_SHORT_FAIL)
      return FALSE;
    if (config->when_short == WHEN_SHORT_SKIP)
      return TRUE;
    /* With `keep: 0` something has to be left all the same. */
    scale = keep > 0 ? scale : 0;
    head *= MIN (scale, 1);
    tail *= MIN (scale, 1);
  }
  span->start += (gsize) (head + 0.5);
  span->end -= (gsize) (tail + 0.5);
  return TRUE;
}

static gboolean
process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  const TrimConfig *config = segue_context_get_config (context);
  guint rate = segue_item_get_rate (item);
  gsize n_frames;
  const float *frames = segue_item_get_frames (item, &n_frames);
  Span span = { 0, n_frames };

  if (config->silence_db < 0) {
    span = find_sound (frames, n_frames, rate, segue_item_get_channels (item), config->silence_db);
    if (span.start == span.end) {
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                   "‘%s’ is silent from end to end (nowhere louder than %g dB): leave it out, or "
                   "lower ‘silence_db’",
                   segue_item_get_id (item), config->silence_db);
      return FALSE;
    }
  }
  if (!cut (config, &span, rate)) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "‘%s’ lasts %.2f s: without %g s at its start and %g s at its end less than %g s "
                 "are left; lower ‘keep’, or choose ‘when_short: scale’",
                 segue_item_get_id (item), (double) (span.end - span.start) / rate, config->head,
                 config->tail, config->keep);
    return FALSE;
  }
  return slice_emit (item, NULL, span.start, span.end - span.start, context, error);
}

static const SeguePort inputs[] = { { "audio", SEGUE_KIND_AUDIO, 0, "Whole songs." }, {} };
static const SeguePort outputs[] = { { "audio", SEGUE_KIND_AUDIO, 0, "The same, shorter." }, {} };

static const SegueStageType trim = {
  .struct_size = sizeof (SegueStageType),
  .name = "trim",
  .summary = "Cuts the ends off a song",
  .doc = "Takes away silence at both ends (if asked to), then `head` and `tail` seconds: intros, "
         "applause and fade-outs say little about an artist.  A song of which too little would be "
         "left is cut less, or not at all, or skipped: see `when_short`.\n\n"
         "Copies nothing: what comes out is a slice of what came in.  `start` and `duration` stay "
         "in the time of the original file.",
  .result_version = 1,
  .mode = SEGUE_MODE_MAP,
  .flags = SEGUE_STAGE_PREPARE,
  .inputs = inputs,
  .outputs = outputs,
  .params = params,
  .config_size = sizeof (TrimConfig),
  .process = process,
};

static const SegueStageType *const stages[] = { &trim, NULL };

SEGUE_PLUGIN (.name = "trim", .version = "1.0", .licence = "MIT", .stages = stages)
