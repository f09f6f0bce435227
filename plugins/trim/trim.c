/* trim: removes the ends of a song. */
#include "level.h"

#include <segue/format.h>
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
               .unit = "s", .doc = "Minimum time left after the cuts."),
  SEGUE_PARAM (TrimConfig, when_short, SEGUE_PARAM_CHOICE, .def = "scale",
               .choices = when_short_choices, .relaxed = "scale",
               .doc = "What to do with a song of which less than `keep` would be left: `scale` "
                      "shortens both cuts in proportion until `keep` is left, `skip` does not cut "
                      "it at all, `fail` quarantines the song, with the reason."),
  SEGUE_PARAM (TrimConfig, silence_db, SEGUE_PARAM_DOUBLE, .def = "0", .min = -120, .max = 0,
               .unit = "dBFS",
               .doc = "Before the cuts, remove silence at both ends: windows of 20 ms that are "
                      "quieter than this. 0: remove none."),
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

static gsize
to_frames (double seconds, guint rate)
{
  return (gsize) (seconds * rate + 0.5);
}

/* Removes `head` and `tail` from @span, or less as `when_short` specifies. In whole frames throughout: the
 * remaining length is exact to the sample. */
static gboolean
cut (const TrimConfig *config, Span *span, guint rate)
{
  gsize head = to_frames (config->head, rate), tail = to_frames (config->tail, rate);
  gsize length = span->end - span->start, keep = to_frames (config->keep, rate);

  if (length < head + tail + MAX (keep, 1)) {
    /* Even with `keep: 0` something has to remain. */
    gsize surplus = keep > 0 && length > keep ? length - keep : 0;

    if (config->when_short == WHEN_SHORT_FAIL)
      return FALSE;
    if (config->when_short == WHEN_SHORT_SKIP)
      return TRUE;
    head = surplus > 0 ? (gsize) ((guint64) surplus * head / (head + tail)) : 0;
    tail = surplus - head;
  }
  span->start += head;
  span->end -= tail;
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
                   "‘%s’ is silent throughout (never louder than %g dB)", segue_item_get_id (item),
                   config->silence_db);
      return FALSE;
    }
  }
  if (!cut (config, &span, rate)) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "‘%s’ is too short: it lasts %.2f s, but needs %g s before cutting %g s and %g s "
                 "off its ends",
                 segue_item_get_id (item), (double) (span.end - span.start) / rate,
                 config->head + config->tail + config->keep, config->head, config->tail);
    return FALSE;
  }
  return segue_context_emit_slice (context, item, NULL, span.start, span.end - span.start, error);
}

static gboolean
negotiate (const void *config, SegueNegotiation *negotiation, GError **error)
{
  segue_negotiation_pass (negotiation, "audio", "audio");
  segue_negotiation_get_output (negotiation, "audio")->frames = SEGUE_FORMAT_VARIES;
  return TRUE;
}

static const SeguePort *const inputs[] = { SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "Whole songs."),
                                           NULL };
static const SeguePort *const outputs[] = {
  SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "The same songs, shortened."), NULL
};

static const SegueStageType trim = {
  SEGUE_STAGE_TYPE,
  .name = "trim",
  .summary = "Cuts the ends off a song",
  .doc = "Removes silence at both ends (with `silence_db`), then `head` and `tail` seconds: "
         "intros, applause and fade-outs say little about an artist. A song that would become too "
         "short is cut less, not cut, or quarantined: see `when_short`.\n\nNothing is copied: the "
         "output is a slice of the input. `start` and `duration` are times in the original file.",
  .result_version = 2,
  .mode = SEGUE_MODE_MAP,
  .flags = SEGUE_STAGE_PREPARE,
  .inputs = inputs,
  .outputs = outputs,
  .params = params,
  .config_size = sizeof (TrimConfig),
  .process = process,
  .negotiate = negotiate,
};

static const SegueStageType *const stages[] = { &trim, NULL };

SEGUE_PLUGIN (.name = "trim", .version = "1.0", .licence = "MIT", .stages = stages)
