/* Stages with mistakes of plugin authors, and the message for each. */
#include "fake-stages.h"

#include <math.h>
#include <string.h>

const FakeMistake fake_mistakes[] = {
  { "nan", SEGUE_ERROR_DATA, "with NaN or an infinite value, the first at index 17", TRUE },
  { "infinite", SEGUE_ERROR_DATA, "with NaN or an infinite value, the first at index 17", TRUE },
  { "empty", SEGUE_ERROR_DATA, "as audio without samples", TRUE },
  { "number", SEGUE_ERROR_DATA, "`level`, which is NaN", TRUE },
  { "nothing", SEGUE_ERROR_DATA, "emitted nothing for ‘a/1.song’ and gave no reason", TRUE },
  { "early", SEGUE_ERROR_INTERNAL, "negative `start`", TRUE },
  { "cut", SEGUE_ERROR_INTERNAL, "cut 0.100 s into its input, with `start` at 0.000 s", TRUE },
  { "copy", SEGUE_ERROR_INTERNAL, "cut 0.100 s into its input, with `start` at 0.000 s", TRUE },
  { "relative", SEGUE_ERROR_INTERNAL, "with `start` at 7.000 s in place of 0.100 s", TRUE },
  { "true", SEGUE_ERROR_INTERNAL, "returned TRUE with an error set (too loud)", TRUE },
  { "false", SEGUE_ERROR_INTERNAL, "failed without a reason", TRUE },
  { "write", SEGUE_ERROR_INTERNAL, "wrote into the payload of its input ‘a/1.song’", TRUE },
  { "twice", SEGUE_ERROR_INTERNAL, "emitted ‘a/1.song’ twice", TRUE },
  { "rates", SEGUE_ERROR_INTERNAL, "with 1 channels at 50 Hz, but earlier items had 1 at 100 Hz",
    TRUE },
  { "thread", SEGUE_ERROR_INTERNAL, "emitted an item from another thread", TRUE },
  { "slash", SEGUE_ERROR_INTERNAL, "has a suffix that is empty, contains a slash", TRUE },
  { "letter", SEGUE_ERROR_INTERNAL, "has a suffix that is empty, contains a slash", TRUE },
  { "suffix", SEGUE_ERROR_INTERNAL, "has a suffix that is empty, contains a slash", TRUE },
  { "orphan", SEGUE_ERROR_INTERNAL,
    "emitted ‘a/1.song’, which was made without a parent and lacks its song's metadata", TRUE },
  { "grandchild", SEGUE_ERROR_INTERNAL, "pass the input item as the parent", TRUE },
  { "label", SEGUE_ERROR_INTERNAL,
    "read the metadata `label` of ‘a/1.song’, which songs to predict don't have", TRUE },
  { "folder", SEGUE_ERROR_INTERNAL, "of kind model, which it does not declare", TRUE },
  { "beyond", SEGUE_ERROR_INTERNAL,
    "emitted 20 frames of ‘a/1.song’ from frame 80 on, which has 90", TRUE },
  { "wraps", SEGUE_ERROR_INTERNAL, "of ‘a/1.song’ from frame 1 on, which has 90", TRUE },
  { "path", SEGUE_ERROR_INTERNAL, "emitted a slice of ‘file’, which is not audio", TRUE },
  { "none", SEGUE_ERROR_INTERNAL, "emitted no item", TRUE },
  { "state", SEGUE_ERROR_INTERNAL,
    "produced different samples for ‘a/1.song’ when it processed it again", FALSE },
  { "clock", SEGUE_ERROR_INTERNAL,
    "produced different metadata for ‘a/1.song’ when it processed it again", FALSE },
  { "moods", SEGUE_ERROR_INTERNAL, "produced an error (moody) for ‘a/1.song’", FALSE },
  { NULL, 0, NULL, FALSE },
};

static const char *const deeds[] = {
  "right",    "nan",    "infinite", "empty",      "number", "nothing", "early",  "cut",   "copy",
  "relative", "true",   "false",    "write",      "twice",  "rates",   "thread", "slash", "letter",
  "suffix",   "folder", "state",    "clock",      "moods",  "counted", "beyond", "wraps", "path",
  "none",     "slice",  "orphan",   "grandchild", "label",  NULL
};

typedef struct {
  int deed;
} WrongConfig;

static const SegueParam *const params[] = {
  SEGUE_PARAM (WrongConfig, deed, SEGUE_PARAM_CHOICE, .choices = deeds),
  NULL,
};

/* ---- fake-wrong: a MAP stage ---- */

static gboolean
wrong_open (SegueContext *context, gpointer *instance, GError **error)
{
  *instance = g_new0 (guint, 1);
  return TRUE;
}

/* @first, @n: of the samples of @item; @copied: in a separate buffer */
static SegueItem *
part_of (SegueItem *item, const char *suffix, gsize first, gsize n, gboolean copied)
{
  const float *x = segue_item_get_frames (item, &(gsize){ 0 });
  g_autoptr (GBytes) copy = g_bytes_new (x + first, n * sizeof *x);
  g_autoptr (GBytes) slice =
    g_bytes_new_from_bytes (segue_item_get_bytes (item), first * sizeof *x, n * sizeof *x);
  return segue_item_new_audio (item, suffix, copied ? copy : slice, 100, 1);
}

static SegueItem *
with_sample (SegueItem *item, gsize at, float value)
{
  gsize n;
  const float *x = segue_item_get_frames (item, &n);
  float *y = g_memdup2 (x, n * sizeof *x);
  y[at] = value;
  g_autoptr (GBytes) bytes = g_bytes_new_take (y, n * sizeof *y);
  return segue_item_new_audio (item, NULL, bytes, 100, 1);
}

static gpointer
emit_from_thread (gpointer data)
{
  gpointer *pair = data;
  segue_context_emit (pair[0], segue_item_ref (pair[1]), NULL);
  return NULL;
}

/* Without the input as the parent of an item, or of its parent. */
static SegueItem *
without_parent (SegueItem *item, gboolean of_parent)
{
  GBytes *bytes = segue_item_get_bytes (item);
  g_autoptr (SegueItem) orphan =
    segue_item_new_audio (NULL, segue_item_get_id (item), bytes, 100, 1);
  return of_parent ? segue_item_new_audio (orphan, NULL, bytes, 100, 1) : g_steal_pointer (&orphan);
}

/* (nullable): the one item that the deed uses. */
static SegueItem *
make_wrong (const char *deed, guint *n_seen, SegueItem *item)
{
  SegueItem *made = NULL;
  if (g_str_equal (deed, "nan"))
    return with_sample (item, 17, NAN);
  if (g_str_equal (deed, "infinite"))
    return with_sample (item, 17, -INFINITY);
  if (g_str_equal (deed, "state"))
    return with_sample (item, 17, (float) ++*n_seen);
  if (g_str_equal (deed, "orphan") || g_str_equal (deed, "grandchild"))
    return without_parent (item, *deed == 'g');
  if (g_str_equal (deed, "empty"))
    return part_of (item, NULL, 0, 0, FALSE);
  if (g_str_equal (deed, "cut") || g_str_equal (deed, "copy"))
    return part_of (item, NULL, 10, 20, g_str_equal (deed, "copy"));
  if (g_str_equal (deed, "slash") || g_str_equal (deed, "letter") || g_str_equal (deed, "suffix"))
    return part_of (item,
                    g_str_equal (deed, "slash") ? "a/b"
                    : *deed == 'l'              ? "a\nb"
                                                : "",
                    0, 20, TRUE);
  if (g_str_equal (deed, "folder"))
    return segue_item_new_folder (SEGUE_KIND_MODEL, segue_item_get_id (item), "/");
  if (g_str_equal (deed, "relative") || g_str_equal (deed, "early") ||
      g_str_equal (deed, "right")) {
    made = part_of (item, NULL, 10, 20, FALSE);
    segue_item_set_double (made, SEGUE_META_START,
                           *deed == 'e'                  ? -1
                           : g_str_equal (deed, "right") ? 0.1
                                                         : 7);
  }
  if (g_str_equal (deed, "number")) {
    made = part_of (item, NULL, 0, 20, TRUE);
    segue_item_set_double (made, "level", NAN);
  }
  if (g_str_equal (deed, "clock")) {
    made = part_of (item, NULL, 0, 20, TRUE);
    g_usleep (10);
    segue_item_set_int (made, "made", g_get_monotonic_time ());
  }
  return made;
}

static gboolean
emit_slice (SegueContext *context, SegueItem *item, const char *deed, GError **error)
{
  g_autoptr (SegueItem) file = segue_item_new_file ("file", "/");
  if (g_str_equal (deed, "path"))
    return segue_context_emit_slice (context, file, NULL, 0, 1, error);
  if (g_str_equal (deed, "wraps"))
    return segue_context_emit_slice (context, item, NULL, 1, G_MAXSIZE, error);
  return segue_context_emit_slice (context, g_str_equal (deed, "none") ? NULL : item, NULL,
                                   g_str_equal (deed, "slice") ? 70 : 80, 20, error);
}

static gboolean
emit_two (SegueContext *context, SegueItem *item, const char *suffix, guint rate, GError **error)
{
  SegueItem *second = segue_item_new_audio (item, suffix, segue_item_get_bytes (item), rate, 1);
  if (segue_context_emit (context, part_of (item, NULL, 0, 20, TRUE), error))
    return segue_context_emit (context, second, error);
  segue_item_unref (second);
  return FALSE;
}

static gboolean
wrong_process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  const char *deed = deeds[((const WrongConfig *) segue_context_get_config (context))->deed];
  SegueItem *made = make_wrong (deed, instance, item);
  gsize n;
  if (made)
    return segue_context_emit (context, made, error);
  if (g_str_equal (deed, "false"))
    return FALSE;
  if (g_str_equal (deed, "label"))
    (void) segue_item_get_string (item, SEGUE_META_LABEL);
  if (g_str_equal (deed, "counted"))
    segue_context_count (context, "items that are too loud", 1);
  if (g_str_equal (deed, "nothing") || g_str_equal (deed, "counted"))
    return TRUE;
  if (g_strv_contains ((const char *const[]){ "beyond", "wraps", "path", "none", "slice", NULL },
                       deed))
    return emit_slice (context, item, deed, error);
  if (g_str_equal (deed, "twice"))
    return emit_two (context, item, NULL, 100, error);
  if (g_str_equal (deed, "rates"))
    return emit_two (context, item, "half", 50, error);
  if (g_str_equal (deed, "thread")) {
    gpointer pair[] = { context, item };
    g_thread_join (g_thread_new ("emits", emit_from_thread, pair));
    return TRUE;
  }
  if (g_str_equal (deed, "write"))
    ((float *) segue_item_get_frames (item, &n))[3] *= 2;
  if (g_str_equal (deed, "true"))
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "too loud");
  if (g_str_equal (deed, "moods") && ++*(guint *) instance > 1) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "moody");
    return FALSE;
  }
  return segue_context_emit (context, segue_item_ref (item),
                             g_str_equal (deed, "true") ? NULL : error);
}

const SegueStageType fake_wrong = {
  SEGUE_STAGE_TYPE,
  .name = "fake-wrong",
  .summary = "Makes a mistake",
  .result_version = 1,
  .mode = SEGUE_MODE_MAP,
  .inputs = fake_audio_port,
  .outputs = fake_audio_port,
  .params = params,
  .config_size = sizeof (WrongConfig),
  .open = wrong_open,
  .close = g_free,
  .process = wrong_process,
  .flags = SEGUE_STAGE_PREPARE,
};

const SegueStageType fake_wrong_live = {
  SEGUE_STAGE_TYPE,
  .name = "fake-wrong-live",
  .summary = "Makes a mistake when it is read",
  .result_version = 1,
  .mode = SEGUE_MODE_MAP,
  .flags = SEGUE_STAGE_LIVE,
  .inputs = fake_audio_port,
  .outputs = fake_audio_port,
  .params = params,
  .config_size = sizeof (WrongConfig),
  .open = wrong_open,
  .close = g_free,
  .process = wrong_process,
};

/* ---- fake-wrong-collect, fake-wrong-serial: the same after all songs ---- */

static gboolean
wrong_collect (gpointer instance, SegueContext *context, GError **error)
{
  const char *deed = deeds[((const WrongConfig *) segue_context_get_config (context))->deed];
  SegueDataset *input = segue_context_get_input (context, "audio");
  if (g_str_equal (deed, "false"))
    return FALSE;
  if (g_str_equal (deed, "true"))
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "too loud");
  if (g_str_equal (deed, "right"))
    segue_context_emit_dataset (context, input);
  if (g_str_equal (deed, "letter")) {
    const char *sets[] = { "trian" };
    g_autoptr (SegueDataset) output = segue_dataset_annotate (input, SEGUE_META_SET, sets);
    segue_context_emit_dataset (context, output);
  }
  return TRUE;
}

const SegueStageType fake_wrong_collect = {
  SEGUE_STAGE_TYPE,
  .name = "fake-wrong-collect",
  .summary = "Makes a mistake",
  .result_version = 1,
  .mode = SEGUE_MODE_COLLECT,
  .inputs = fake_audio_port,
  .outputs = fake_audio_port,
  .params = params,
  .config_size = sizeof (WrongConfig),
  .collect = wrong_collect,
};

static gboolean
wrong_serial (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  const char *deed = deeds[((const WrongConfig *) segue_context_get_config (context))->deed];
  return g_str_equal (deed, "nothing") || wrong_process (NULL, item, context, error);
}

const SegueStageType fake_wrong_serial = {
  SEGUE_STAGE_TYPE,
  .name = "fake-wrong-serial",
  .summary = "Makes a mistake",
  .result_version = 1,
  .mode = SEGUE_MODE_SERIAL,
  .inputs = fake_audio_port,
  .outputs = fake_audio_port,
  .params = params,
  .config_size = sizeof (WrongConfig),
  .process = wrong_serial,
};
