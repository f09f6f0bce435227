/* Sources of songs and stages of a chain, with all ways to fail. */
#include "fake-stages.h"

#include <errno.h>
#include <string.h>

gint fake_decoded;

const SeguePort *const fake_audio_port[] = { SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, NULL), NULL };
static const SeguePort *const file_port[] = { SEGUE_PORT ("songs", SEGUE_KIND_FILE, NULL), NULL };

/* ---- fake-scan: every file below `root`; *.txt is ignored ---- */

typedef struct {
  char *root;
} ScanConfig;

static const SegueParam *const scan_params[] = {
  SEGUE_PARAM (ScanConfig, root, SEGUE_PARAM_STRING, .doc = "Where the songs are."),
  NULL,
};

static gboolean
scan_folder (SegueContext *context, const char *root, const char *below, GError **error)
{
  g_autofree char *path = g_build_filename (root, below, NULL);
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  const char *name;
  while (folder && (name = g_dir_read_name (folder))) {
    g_autofree char *id = *below ? g_build_filename (below, name, NULL) : g_strdup (name);
    g_autofree char *file = g_build_filename (root, id, NULL);
    if (g_str_has_suffix (name, ".txt")) {
      segue_context_count (context, "ignored files", 1);
      continue;
    }
    if (!g_str_has_suffix (name, ".song")) {
      if (!scan_folder (context, root, id, error))
        return FALSE;
      continue;
    }
    g_autofree char *label = g_path_get_dirname (id);
    SegueItem *item = segue_item_new_file (id, file);
    segue_item_set_string (item, SEGUE_META_SOURCE, file);
    segue_item_set_string (item, SEGUE_META_LABEL, label);
    if (!segue_context_emit (context, item, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
scan_produce (gpointer instance, SegueContext *context, GError **error)
{
  const ScanConfig *config = segue_context_get_config (context);
  return scan_folder (context, config->root, "", error);
}

const SegueStageType fake_scan = {
  SEGUE_STAGE_TYPE,          .name = "fake-scan",
  .summary = "Lists files",  .result_version = 1,
  .mode = SEGUE_MODE_SOURCE, .outputs = file_port,
  .params = scan_params,     .config_size = sizeof (ScanConfig),
  .produce = scan_produce,
};

/* ---- fake-decode: a sample per byte of the file, `repeat` times over ----
 *
 * BAD… is damaged, GLITCH… seems to be when it is first read, SLOW… times out, NOMEM… fails by the environment,
 * WAIT… works until cancelled, MUTE… fails without an error, SWALLOW… continues after a failed emit, WIDE… has
 * more channels than an item may have. */

typedef struct {
  double gain;
  gint64 repeat;
} DecodeConfig;

static const SegueParam *const decode_params[] = {
  SEGUE_PARAM (DecodeConfig, gain, SEGUE_PARAM_DOUBLE, .def = "1", .min = 0, .max = 10),
  SEGUE_PARAM (DecodeConfig, repeat, SEGUE_PARAM_INT, .def = "10", .min = 1, .max = 1000000),
  NULL,
};

typedef struct {
  gboolean spoilt; /* by a bad song: results of an instance must not depend on it */
} Decoder;

static gboolean
decode_open (SegueContext *context, gpointer *instance, GError **error)
{
  *instance = g_new0 (Decoder, 1);
  return TRUE;
}

static gboolean
wait_for_cancel (SegueContext *context, GError **error)
{
  for (guint i = 0; i < 2000; i++) {
    if (!segue_context_check_cancelled (context, error))
      return FALSE;
    g_usleep (5000);
  }
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED, "nobody cancelled");
  return FALSE;
}

static gboolean
decode_fail (Decoder *decoder, SegueContext *context, const char *path, const char *text,
             GError **error)
{
  static gint glitches = 0;
  decoder->spoilt = TRUE;
  if (g_str_has_prefix (text, "BAD") ||
      (g_str_has_prefix (text, "GLITCH") && g_atomic_int_add (&glitches, 1) == 0))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "can't decode ‘%s’: damaged", path);
  else if (g_str_has_prefix (text, "SLOW"))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_TIMEOUT, "‘%s’ took too long", path);
  else if (g_str_has_prefix (text, "NOMEM"))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE, "out of memory");
  else if (g_str_has_prefix (text, "WAIT"))
    wait_for_cancel (context, error);
  else if (!g_str_has_prefix (text, "MUTE")) {
    decoder->spoilt = FALSE;
    return TRUE;
  }
  return FALSE;
}

static gboolean
decode_process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  const DecodeConfig *config = segue_context_get_config (context);
  Decoder *decoder = instance;
  g_autofree char *text = NULL;
  gsize length;
  g_atomic_int_inc (&fake_decoded);
  if (!g_file_get_contents (segue_item_get_path (item), &text, &length, NULL))
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't read",
                                       segue_item_get_path (item));
  segue_context_count (context, "songs decoded", 1);
  g_assert_false (decoder->spoilt);
  if (!decode_fail (decoder, context, segue_item_get_path (item), text, error))
    return FALSE;

  gboolean wide = g_str_has_prefix (text, "WIDE");
  gsize n = wide ? 70000 : length * (gsize) config->repeat;
  float *frames = g_new (float, MAX (n, 1));
  for (gsize i = 0; i < n; i++)
    frames[i] = (float) (config->gain * text[i % length] + (double) i);
  g_autoptr (GBytes) bytes = g_bytes_new_take (frames, n * sizeof (float));
  SegueItem *audio = segue_item_new_audio (item, NULL, bytes, 100, wide ? 70000 : 1);
  segue_item_set_double (audio, SEGUE_META_DURATION, (double) n / 100);
  gboolean ok = segue_context_emit (context, audio, error);
  if (!ok && g_str_has_prefix (text, "SWALLOW")) {
    g_clear_error (error);
    return TRUE;
  }
  return ok;
}

const SegueStageType fake_decode = {
  SEGUE_STAGE_TYPE,          .name = "fake-decode",
  .summary = "Decodes",      .result_version = 3,
  .mode = SEGUE_MODE_MAP,    .flags = SEGUE_STAGE_PREPARE,
  .inputs = file_port,       .outputs = fake_audio_port,
  .params = decode_params,   .config_size = sizeof (DecodeConfig),
  .open = decode_open,       .close = g_free,
  .process = decode_process,
};

/* ---- fake-segment: `count` slices of `length` samples, `hop` apart; fails after the first where
 * the song has an X in its name ---- */

typedef struct {
  gint64 length, hop, count;
} SegmentConfig;

static const SegueParam *const segment_params[] = {
  SEGUE_PARAM (SegmentConfig, length, SEGUE_PARAM_INT, .def = "20", .min = 1, .max = 1000000),
  SEGUE_PARAM (SegmentConfig, hop, SEGUE_PARAM_INT, .def = "10", .min = 1, .max = 1000000),
  SEGUE_PARAM (SegmentConfig, count, SEGUE_PARAM_INT, .def = "3", .min = 0, .max = 100000),
  NULL,
};

static gboolean
segment_process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  const SegmentConfig *config = segue_context_get_config (context);
  gsize size = g_bytes_get_size (segue_item_get_bytes (item));
  for (gint64 i = 0; i < config->count; i++) {
    gsize at = (gsize) (i * config->hop) * sizeof (float);
    gsize length = (gsize) config->length * sizeof (float);
    if (at + length > size || (i > 0 && strchr (segue_item_get_id (item), 'X'))) {
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’ is too short",
                   segue_item_get_id (item));
      return FALSE;
    }
    g_autofree char *suffix = g_strdup_printf ("%04d", (int) i);
    g_autoptr (GBytes) slice = g_bytes_new_from_bytes (segue_item_get_bytes (item), at, length);
    SegueItem *segment = segue_item_new_audio (item, suffix, slice, 100, 1);
    segue_item_set_double (segment, SEGUE_META_START, (double) (i * config->hop) / 100);
    if (!segue_context_emit (context, segment, error))
      return FALSE;
  }
  return TRUE;
}

const SegueStageType fake_segment = {
  SEGUE_STAGE_TYPE,           .name = "fake-segment",
  .summary = "Cuts",          .result_version = 1,
  .mode = SEGUE_MODE_MAP,     .flags = SEGUE_STAGE_PREPARE,
  .inputs = fake_audio_port,  .outputs = fake_audio_port,
  .params = segment_params,   .config_size = sizeof (SegmentConfig),
  .process = segment_process,
};

/* ---- fake-noise (stored, seeded), fake-live (the same when read), fake-cheat (without the flag):
 * one sample, the seed ---- */

static gboolean
noise_process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  g_autofree float *sample = g_new (float, 1);
  *sample = (float) (segue_context_get_seed (context) % 1000000);
  g_autoptr (GBytes) bytes = g_bytes_new (sample, sizeof *sample);
  return segue_context_emit (context, segue_item_new_audio (item, NULL, bytes, 100, 1), error);
}

#define NOISE(type_name, type_flags)                                                               \
  SEGUE_INIT (SegueStageType, .name = type_name, .summary = "Makes noise", .result_version = 1,    \
              .mode = SEGUE_MODE_MAP, .flags = type_flags, .inputs = fake_audio_port,              \
              .outputs = fake_audio_port, .process = noise_process)

const SegueStageType fake_noise = NOISE ("fake-noise", SEGUE_STAGE_SEEDED);
const SegueStageType fake_live = NOISE ("fake-live", SEGUE_STAGE_LIVE | SEGUE_STAGE_SEEDED);
const SegueStageType fake_cheat = NOISE ("fake-cheat", 0);

/* ---- fake-maybe: fake-live with the probability `p`; otherwise the item as it is ---- */

typedef struct {
  double p;
} MaybeConfig;

static const SegueParam *const maybe_params[] = {
  SEGUE_PARAM (MaybeConfig, p, SEGUE_PARAM_DOUBLE, .def = "0.5", .min = 0, .max = 1),
  NULL,
};

static gboolean
maybe_process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  const MaybeConfig *config = segue_context_get_config (context);
  if ((double) (segue_context_get_seed (context) % 1000) >= 1000 * config->p)
    return segue_context_emit (context, segue_item_ref (item), error);
  return noise_process (instance, item, context, error);
}

const SegueStageType fake_maybe = {
  SEGUE_STAGE_TYPE,          .name = "fake-maybe",
  .summary = "Makes noise",  .result_version = 1,
  .mode = SEGUE_MODE_MAP,    .flags = SEGUE_STAGE_LIVE | SEGUE_STAGE_SEEDED,
  .inputs = fake_audio_port, .outputs = fake_audio_port,
  .params = maybe_params,    .config_size = sizeof (MaybeConfig),
  .process = maybe_process,
};

/* ---- fake-embed: one sample, the first; one instance for all workers, augmented copies ---- */

gint fake_embedders, fake_embedders_opened;

static gboolean
embed_open (SegueContext *context, gpointer *instance, GError **error)
{
  g_assert_cmpint (g_atomic_int_add (&fake_embedders, 1), ==, 0);
  g_atomic_int_inc (&fake_embedders_opened);
  g_assert_cmpuint (segue_context_get_threads (context), >, 0);
  *instance = &fake_embedders;
  return TRUE;
}

static void
embed_close (gpointer instance)
{
  g_assert_cmpint (g_atomic_int_add (&fake_embedders, -1), ==, 1);
}

static gboolean
embed_process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  g_assert_true (instance == &fake_embedders);
  gsize n;
  const float *frames = segue_item_get_frames (item, &n);
  g_autoptr (GBytes) bytes = g_bytes_new (frames, sizeof (float));
  return segue_context_emit (context, segue_item_new_audio (item, NULL, bytes, 100, 1), error);
}

static const SeguePort *const live_port[] = {
  SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, NULL, .flags = SEGUE_PORT_LIVE), NULL
};

const SegueStageType fake_embed = {
  SEGUE_STAGE_TYPE,         .name = "fake-embed",
  .summary = "Embeds",      .result_version = 1,
  .mode = SEGUE_MODE_MAP,   .flags = SEGUE_STAGE_PREPARE | SEGUE_STAGE_SHARED,
  .inputs = live_port,      .outputs = fake_audio_port,
  .open = embed_open,       .close = embed_close,
  .process = embed_process,
};

/* ---- fake-copies: passes items on, with a copy where their set is train ---- */

static gboolean
copies_process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  if (!segue_context_emit (context, segue_item_ref (item), error))
    return FALSE;
  if (g_strcmp0 (segue_item_get_string (item, SEGUE_META_SET), "train") != 0)
    return TRUE;
  SegueItem *copy = segue_item_new_audio (item, "copy", segue_item_get_bytes (item), 100, 1);
  segue_item_set_int (copy, "twin", 1);
  return segue_context_emit (context, copy, error);
}

const SegueStageType fake_copies = {
  SEGUE_STAGE_TYPE,           .name = "fake-copies",     .summary = "Copies",
  .result_version = 1,        .mode = SEGUE_MODE_MAP,    .inputs = fake_audio_port,
  .outputs = fake_audio_port, .process = copies_process,
};
