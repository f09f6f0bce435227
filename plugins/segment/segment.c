/* segment: cuts a song into segments of equal length. */
#include "level.h"

#include <segue/format.h>
#include <segue/plugin.h>

typedef struct {
  double length;
  gint64 count; /* SEGUE_UNSET_INT: DEFAULT_COUNT */
  int when_short;
  double hop;
  double shortest;
  double max_gap;
  double min_rms_db;
} SegmentConfig;

#define DEFAULT_COUNT 20

enum { WHEN_SHORT_OVERLAP, WHEN_SHORT_FEWER, WHEN_SHORT_SKIP };
static const char *const when_short_choices[] = { "overlap", "fewer", "skip", NULL };

static const SegueParam *const params[] = {
  SEGUE_PARAM (SegmentConfig, length, SEGUE_PARAM_DOUBLE, .def = "10", .min = 0.05, .max = 3600,
               .unit = "s", .doc = "Length of a segment."),
  SEGUE_PARAM (SegmentConfig, count, SEGUE_PARAM_INT, .flags = SEGUE_PARAM_OPTIONAL, .min = 1,
               .max = 1000,
               .doc = "Segments per song, at equal spacing: the first starts where the song "
                      "starts, the last ends where it ends. A single segment is taken from the "
                      "middle. Default: 20, unless `hop` is given."),
  SEGUE_PARAM (
    SegmentConfig, when_short, SEGUE_PARAM_CHOICE, .def = "overlap", .choices = when_short_choices,
    .relaxed = "overlap",
    .doc =
      "What to do with a song that is too short for `count` segments side by side: `overlap` lets "
      "them overlap, `fewer` uses as many as fit, `skip` skips the song, with the reason."),
  SEGUE_PARAM (SegmentConfig, hop, SEGUE_PARAM_DOUBLE, .def = "0", .min = 0, .max = 3600,
               .unit = "s",
               .doc = "Instead of `count`: time from the start of one segment to the start of the "
                      "next, for as many as fit in the song. 0: use `count`."),
  SEGUE_PARAM (SegmentConfig, shortest, SEGUE_PARAM_DOUBLE, .def = "0", .relaxed = "0.5", .min = 0,
               .max = 3600, .unit = "s",
               .doc =
                 "Minimum length of a song that is shorter than one segment and is used whole; not "
                 "for training, which needs one length. 0: such songs are skipped."),
  SEGUE_PARAM (SegmentConfig, max_gap, SEGUE_PARAM_DOUBLE, .def = "0", .relaxed = "30", .min = 0,
               .max = 3600, .unit = "s",
               .doc = "Longest time from the start of one segment to the start of the next: a long "
                      "song gets more than `count` of them. 0: no limit."),
  SEGUE_PARAM (
    SegmentConfig, min_rms_db, SEGUE_PARAM_DOUBLE, .def = "0", .min = -120, .max = 0,
    .unit = "dBFS",
    .doc = "Skip segments whose RMS level is lower: silence identifies no artist. 0: keep all."),
  NULL,
};

/* Shorter, and a song would fall apart into millions of segments. */
#define MIN_HOP 0.01

static gboolean
check (const void *data, GError **error)
{
  const SegmentConfig *config = data;

  if (config->hop != 0 && config->hop < MIN_HOP)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE, "hop must be 0 or at least %g s, got %g",
                 MIN_HOP, config->hop);
  else if (config->max_gap != 0 && config->max_gap < MIN_HOP)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                 "max_gap must be 0 or at least %g s, got %g", MIN_HOP, config->max_gap);
  /* Older models have both in their folder, with the former default of count. */
  else if (config->hop > 0 && config->count > 0 && config->count != DEFAULT_COUNT)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                 "count and hop both determine how many segments a song gets; remove one of them");
  else
    return TRUE;
  return FALSE;
}

static gsize
count_of (const SegmentConfig *config)
{
  return config->count > 0 ? (gsize) config->count : DEFAULT_COUNT;
}

/* Where segments start: @first, then @count - 1 more on to @last, in frames. */
typedef struct {
  gsize first;
  gsize last;
  gsize count;
} Plan;

static gsize
start_of (const Plan *plan, gsize index)
{
  guint64 steps = plan->count - 1;

  if (steps == 0)
    return plan->first;
  /* Rounded to the nearest frame, in whole numbers: equal on every machine. */
  return plan->first + (gsize) (((guint64) (plan->last - plan->first) * index + steps / 2) / steps);
}

static gboolean
make_plan (const SegmentConfig *config, gsize n_frames, gsize length, guint rate, Plan *plan)
{
  gsize room = n_frames - length, fit = n_frames / length;
  gsize hop = (gsize) (config->hop * rate + 0.5), count = count_of (config);
  gsize gap = (gsize) (config->max_gap * rate + 0.5);

  if (config->hop > 0) {
    hop = MAX (hop, 1);
    *plan = (Plan){ 0, room / hop * hop, room / hop + 1 };
    return TRUE;
  }
  if (fit < count && config->when_short == WHEN_SHORT_SKIP)
    return FALSE;
  if (fit < count && config->when_short == WHEN_SHORT_FEWER)
    count = fit;
  if (gap > 0)
    count = MAX (count, (room + gap - 1) / gap + 1);
  /* At most as many segments as there are start positions. */
  count = MIN (count, room + 1);
  *plan = count == 1 ? (Plan){ room / 2, room / 2, 1 } : (Plan){ 0, room, count };
  return TRUE;
}

static gboolean
too_short (const SegueItem *song, gsize n_frames, double needed, GError **error)
{
  double seconds = (double) n_frames / segue_item_get_rate (song);
  gboolean is_cut = segue_item_get_double (song, SEGUE_META_START, 0) > 0;

  /* Rounded down: never "needs 10 s, has 10.00 s". */
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’ is too short: needs %g s%s, has %.2f s",
               segue_item_get_id (song), needed, is_cut ? " after trimming" : "",
               floor (seconds * 100) / 100);
  return FALSE;
}

static gboolean
emit_segments (const SegmentConfig *config, SegueItem *song, const Plan *plan, gsize length,
               SegueContext *context, GError **error)
{
  guint channels = segue_item_get_channels (song);
  gsize n_frames, n_silent = 0;
  const float *frames = segue_item_get_frames (song, &n_frames);
  double threshold = config->min_rms_db < 0 ? level_from_db (config->min_rms_db) : 0;

  for (gsize i = 0; i < plan->count; i++) {
    g_autofree char *suffix = g_strdup_printf ("%04" G_GSIZE_FORMAT, i);
    gsize start = start_of (plan, i);

    if (threshold > 0 &&
        level_mean_square (frames + start * channels, length * channels) < threshold)
      n_silent++;
    else if (!segue_context_emit_slice (context, song, suffix, start, length, error))
      return FALSE;
  }
  if (n_silent == plan->count) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "‘%s’ is silent: every segment is quieter than %g dBFS", segue_item_get_id (song),
                 config->min_rms_db);
    return FALSE;
  }
  if (n_silent > 0)
    segue_context_count (context, "silent segments", (gint64) n_silent);
  return TRUE;
}

static gsize
length_at (const SegmentConfig *config, guint rate)
{
  return MAX ((gsize) (config->length * rate + 0.5), 1);
}

static gboolean
negotiate (const void *data, SegueNegotiation *negotiation, GError **error)
{
  const SegmentConfig *config = data;
  const SegueFormat *songs = segue_negotiation_get_input (negotiation, "audio");
  SegueFormat *segments = segue_negotiation_get_output (negotiation, "segments");
  gsize length = songs && songs->rate != SEGUE_FORMAT_VARIES ? length_at (config, songs->rate) : 0;

  segue_negotiation_pass (negotiation, "audio", "segments");
  segments->frames = segments->rate > 0 && length < SEGUE_FORMAT_VARIES ? (guint) length : 0;
  if (songs && songs->frames > 0 && songs->frames != SEGUE_FORMAT_VARIES && segments->frames > 0 &&
      songs->frames < segments->frames && config->shortest == 0)
    return segue_negotiation_refuse (negotiation, "length", error,
                                     "every item is %.3f s long, shorter than a segment of %g s",
                                     (double) songs->frames / songs->rate, config->length);
  /* Short songs are used unchanged. */
  if (config->shortest > 0)
    segments->frames = SEGUE_FORMAT_VARIES;
  return TRUE;
}

static gboolean
process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  const SegmentConfig *config = segue_context_get_config (context);
  guint rate = segue_item_get_rate (item);
  gsize n_frames, length = length_at (config, rate);
  Plan plan;

  segue_item_get_frames (item, &n_frames);
  if (n_frames < length && config->shortest > 0 && n_frames >= config->shortest * rate)
    length = n_frames;
  if (n_frames < length)
    return too_short (item, n_frames, config->shortest > 0 ? config->shortest : config->length,
                      error);
  if (!make_plan (config, n_frames, length, rate, &plan))
    return too_short (item, n_frames, config->length * (double) count_of (config), error);
  return emit_segments (config, item, &plan, length, context, error);
}

static const SeguePort *const inputs[] = { SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, "Songs."), NULL };
static const SeguePort *const outputs[] = {
  SEGUE_PORT ("segments", SEGUE_KIND_AUDIO, "Slices of the songs."), NULL
};

static const SegueStageType segment = {
  SEGUE_STAGE_TYPE,
  .name = "segment",
  .summary = "Cuts a song into segments of equal length",
  .doc = "Either `count` segments at equal spacing over the song, or one every `hop` seconds. All "
         "have exactly the same number of samples; a song shorter than one segment is skipped, "
         "with the reason, or used whole (`shortest`), never padded.\n\nNothing is copied: all "
         "segments, also overlapping ones, are slices of the song. `start` and `duration` are "
         "times in the original file.",
  .result_version = 1,
  .mode = SEGUE_MODE_MAP,
  .flags = SEGUE_STAGE_PREPARE,
  .inputs = inputs,
  .outputs = outputs,
  .params = params,
  .config_size = sizeof (SegmentConfig),
  .check = check,
  .process = process,
  .negotiate = negotiate,
};

static const SegueStageType *const stages[] = { &segment, NULL };

SEGUE_PLUGIN (.name = "segment", .version = "1.0", .licence = "MIT", .stages = stages)
