/* Mistakes that a stage can make with its items, each with its message. */
#include "stage/emitted.h"
#include "graph/format.h"
#include "item/item-private.h"
#include "stage/dataset-private.h"

#include <math.h>
#include <string.h>

/* Of a `start`, in s: a plugin may round it. */
#define START_SLACK 0.01
/* Checksum of a payload: all of LOOK_ENDS bytes at each end, and in between one word in every
 * LOOK_STEP bytes. */
#define LOOK_ENDS (16 * 1024)
#define LOOK_STEP 512

/* @blame: DATA: the song's content may be the cause; INTERNAL: only the plugin, which fails just
 * the song if that has a separate process. */
static gboolean refuse (SegueContext *context, const SegueItem *item, SegueErrorCode blame,
                        GError **error, const char *format, ...) G_GNUC_PRINTF (5, 6);

static gboolean
refuse (SegueContext *context, const SegueItem *item, SegueErrorCode blame, GError **error,
        const char *format, ...)
{
  const SegueStageType *type = context->stage->type;
  gboolean of_a_song = type->mode == SEGUE_MODE_MAP && !(type->flags & SEGUE_STAGE_LIVE);
  gboolean isolated = context->stage->isolate || context->scope->is_worker;
  g_autofree char *what = NULL;
  va_list arguments;
  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  gboolean costs_song = isolated || (blame == SEGUE_ERROR_DATA && of_a_song);
  segue_context_set_bug (context, costs_song ? SEGUE_ERROR_DATA : SEGUE_ERROR_INTERNAL, error,
                         "emitted ‘%s’%s%s", item->body->id, what,
                         blame == SEGUE_ERROR_DATA ? "" : ": a bug in the plugin");
  return FALSE;
}

/* The output port of @stage for @kind; n_outputs: none. */
static guint
find_output (const SegueGraphStage *stage, SegueKind kind)
{
  guint i = 0;
  while (i < stage->n_outputs && stage->outputs[i] != kind && stage->outputs[i] != SEGUE_KIND_ANY)
    i++;
  return i;
}

static gboolean
check_moment (SegueContext *context, const SegueItem *item, GError **error)
{
  if (item && context->emit && (!context->thread || context->thread == g_thread_self ()))
    return TRUE;
  segue_context_set_bug (context, SEGUE_ERROR_INTERNAL, error, "emitted %s: a bug in the plugin",
                         !item           ? "no item"
                         : context->emit ? "an item from another thread"
                                         : "an item in a callback that must not emit");
  return FALSE;
}

gboolean
segue_emitted_check_slice (SegueContext *context, const SegueItem *song, gsize start,
                           gsize n_frames, GError **error)
{
  if (!song)
    return check_moment (context, NULL, error);
  const char *id = segue_item_get_id (song);
  SegueKind kind = segue_item_get_kind (song);
  gsize n = 0;
  if (kind != SEGUE_KIND_AUDIO || !segue_item_get_bytes (song))
    segue_context_set_bug (
      context, SEGUE_ERROR_INTERNAL, error, "emitted a slice of ‘%s’, %s: a bug in the plugin", id,
      kind == SEGUE_KIND_AUDIO ? "which is an entry without samples" : "which is not audio");
  else if (segue_item_get_frames (song, &n), start > n || n_frames > n - start)
    segue_context_set_bug (context, SEGUE_ERROR_INTERNAL, error,
                           "emitted %" G_GSIZE_FORMAT " frames of ‘%s’ from frame %" G_GSIZE_FORMAT
                           " on, which has %" G_GSIZE_FORMAT ": a bug in the plugin",
                           n_frames, id, start, n);
  else
    return TRUE;
  return FALSE;
}

/* The part after `#` is used in file names and tables. */
static gboolean
is_printable (const char *id)
{
  for (const char *c = id; *c; c = g_utf8_next_char (c))
    if (!g_unichar_isprint (g_utf8_get_char (c)) || *c == '/')
      return FALSE;
  return TRUE;
}

static gboolean
derives_from (const SegueItem *item, const SegueItem *input)
{
  gsize known = strlen (input->body->id);
  const char *id = item->body->id;
  return strcmp (item->body->song, input->body->song) == 0 &&
         strncmp (id, input->body->id, known) == 0 && (id[known] == '\0' || id[known] == '#');
}

static gboolean
check_id (SegueContext *context, const SegueItem *item, GError **error)
{
  const char *id = item->body->id, *suffix = segue_item_get_suffix (item);
  if (!g_utf8_validate (id, -1, NULL)) {
    segue_context_set_bug (context, SEGUE_ERROR_INTERNAL, error,
                           "emitted an item whose id is not valid UTF-8: a bug in the plugin");
    return FALSE;
  }
  if (context->input && !derives_from (item, context->input))
    return refuse (context, item, SEGUE_ERROR_INTERNAL, error,
                   ", which does not derive from its input ‘%s’", context->input->body->id);
  if (context->input && item != context->input && !item->derived)
    return refuse (context, item, SEGUE_ERROR_INTERNAL, error,
                   ", which was made without a parent and lacks its song's metadata, such as the "
                   "label; pass the input item as the parent");
  if (*id == '\0' || (suffix && *suffix && (suffix[1] == '\0' || !is_printable (suffix))))
    return refuse (context, item, SEGUE_ERROR_INTERNAL, error,
                   " with an id that is empty, or has a suffix that is empty, contains a slash or "
                   "an unprintable character");
  g_autofree char *name = g_strdup_printf ("%u %s", item->body->kind, id);
  if (context->names && g_hash_table_contains (context->names, name))
    return refuse (context, item, SEGUE_ERROR_INTERNAL, error,
                   " twice; each item needs a unique suffix");
  if (context->names)
    g_hash_table_add (context->names, g_steal_pointer (&name));
  return TRUE;
}

static gboolean
check_kind (SegueContext *context, const SegueItem *item, GError **error)
{
  SegueKind kind = item->body->kind;
  if (find_output (context->stage, kind) == context->stage->n_outputs)
    return refuse (context, item, SEGUE_ERROR_INTERNAL, error,
                   ", of kind %s, which it does not declare", segue_kind_to_string (kind));
  if (context->stage->type->mode == SEGUE_MODE_MAP && !segue_kind_has_bytes (kind) &&
      kind != SEGUE_KIND_FILE)
    return refuse (context, item, SEGUE_ERROR_INTERNAL, error,
                   ", of kind %s, which a MAP stage can't emit", segue_kind_to_string (kind));
  if (!segue_item_has_payload (item))
    return refuse (context, item, SEGUE_ERROR_INTERNAL, error, " without a payload");
  return TRUE;
}

/* As promised to later stages: see segue/format.h. */
static gboolean
check_promise (SegueContext *context, const SegueItem *item, GError **error)
{
  const SegueGraphStage *stage = context->stage;
  /* The format of a model is that of what it takes. */
  if (!segue_kind_has_bytes (item->body->kind))
    return TRUE;
  const SegueFormat *promise = &stage->formats[find_output (stage, item->body->kind)];
  SegueFormat format;
  segue_format_of (item, &format);
  SegueFormatPart part = segue_format_compare (&format, promise);
  /* A single number has no dimensions, which in a format means that they are not known. */
  if (part == SEGUE_FORMAT_FITS && format.rank == 0 && promise->rank > 0)
    part = SEGUE_FORMAT_TENSOR;
  if (part == SEGUE_FORMAT_FITS)
    return TRUE;
  g_autofree char *is = segue_format_describe (&format, part);
  g_autofree char *promised = segue_format_describe (promise, part);
  return refuse (context, item, SEGUE_ERROR_INTERNAL, error, " as %s, but declared %s", is,
                 promised);
}

/* Audio as promised, and of one format for all items of a song. */
static gboolean
check_audio (SegueContext *context, const SegueItem *item, GError **error)
{
  const SegueItemBody *body = item->body;
  if (body->kind != SEGUE_KIND_AUDIO)
    return TRUE;
  const SegueFormat *format = &context->stage->formats[find_output (context->stage, body->kind)];
  guint rate = context->rate, channels = context->channels;
  if (format->rate > 0 && format->rate != SEGUE_FORMAT_VARIES)
    rate = format->rate;
  if (format->channels > 0 && format->channels != SEGUE_FORMAT_VARIES)
    channels = format->channels;
  if ((rate > 0 && rate != body->rate) || (channels > 0 && channels != body->channels))
    return refuse (context, item, SEGUE_ERROR_INTERNAL, error,
                   " with %u channels at %u Hz, but %s %u at %u Hz", body->channels, body->rate,
                   context->rate > 0 ? "earlier items had" : "declared", channels, rate);
  if (context->input) {
    context->rate = body->rate;
    context->channels = body->channels;
  }
  return TRUE;
}

/* Offset of @item's samples in those of @input, in bytes; -1: not a slice of it. */
static gssize
find_slice (const SegueItem *item, const SegueItem *input)
{
  gsize size, whole;
  const guint8 *at = g_bytes_get_data (item->bytes, &size);
  const guint8 *begin = g_bytes_get_data (input->bytes, &whole);
  gboolean inside = begin && (guintptr) at >= (guintptr) begin && size <= whole &&
                    (guintptr) at - (guintptr) begin <= whole - size;
  return inside ? at - begin : -1;
}

/* The same for a stage that copies its cuts; called only for items that are shorter and begin
 * differently. */
static gssize
find_copy (const SegueItem *item, const SegueItem *input)
{
  gsize size, whole, step = sizeof (float) * item->body->channels;
  const guint8 *data = g_bytes_get_data (item->bytes, &size);
  const guint8 *begin = g_bytes_get_data (input->bytes, &whole), *at = begin;
  gboolean is_constant = size <= step || memcmp (data, data + step, size - step) == 0;
  if (size >= whole || is_constant || memcmp (data, begin, size) == 0)
    return -1;
  while ((at = memmem (at, whole - (gsize) (at - begin), data, size))) {
    if ((gsize) (at - begin) % step == 0)
      return at - begin;
    at++;
  }
  return -1;
}

static double
get_seconds (const SegueItem *item, const char *key)
{
  const SegueMetadataValue *value = segue_metadata_find (item->metadata, key);
  return value && value->type == 'd' ? value->d : 0;
}

/* A cut has to state where it begins, in the time of the source. */
static gboolean
check_start (SegueContext *context, const SegueItem *item, GError **error)
{
  const SegueItem *input = context->input;
  const SegueItemBody *body = item->body;
  if (body->kind != SEGUE_KIND_AUDIO || !input || input->body->kind != SEGUE_KIND_AUDIO ||
      !input->bytes || body->rate != input->body->rate || body->channels != input->body->channels)
    return TRUE;
  double start = get_seconds (item, SEGUE_META_START), from = get_seconds (input, SEGUE_META_START);
  gssize at = find_slice (item, input);
  if (at < 0 && start == from)
    at = find_copy (item, input);
  double offset = (double) at / (sizeof (float) * body->channels) / body->rate;
  if (at < 0 || fabs (from + offset - start) <= START_SLACK)
    return TRUE;
  return refuse (context, item, SEGUE_ERROR_INTERNAL, error,
                 ", cut %.3f s into its input, with `start` at %.3f s in place of %.3f s", offset,
                 start, from + offset);
}

static gboolean
check_metadata (SegueContext *context, const SegueItem *item, GError **error)
{
  const char *key = segue_metadata_find_not_finite (item->metadata);
  if (key)
    return refuse (context, item, SEGUE_ERROR_DATA, error,
                   " with the metadata `%s`, which is NaN or infinite", key);
  if (get_seconds (item, SEGUE_META_START) < 0 || get_seconds (item, SEGUE_META_DURATION) < 0)
    return refuse (context, item, SEGUE_ERROR_INTERNAL, error,
                   " with a negative `start` or `duration`");
  return TRUE;
}

static gboolean
check_predictions (SegueContext *context, const SegueItem *item, GError **error)
{
  guint n_segments, n_labels;
  if (item->body->kind != SEGUE_KIND_PREDICTIONS ||
      segue_item_get_predictions (item, &n_segments, &n_labels, NULL))
    return TRUE;
  return refuse (context, item, SEGUE_ERROR_DATA, error,
                 " with a time below 0, or a probability that is not between 0 and 1");
}

static gboolean
check_samples (SegueContext *context, const SegueItem *item, GError **error)
{
  gsize at;
  const char *why;
  if (!segue_item_check_sizes (item, &why))
    return refuse (context, item, SEGUE_ERROR_INTERNAL, error, " as %s", why);
  if (item->body->kind == SEGUE_KIND_AUDIO && g_bytes_get_size (item->bytes) == 0)
    return refuse (context, item, SEGUE_ERROR_DATA, error, " as audio without samples");
  /* Samples shared with the input were checked when the input was emitted. */
  if (!context->scope->thorough && context->input && context->input->bytes && item->bytes &&
      item->body->dtype == context->input->body->dtype && find_slice (item, context->input) >= 0)
    return TRUE;
  if (!segue_item_is_finite (item, &at))
    return refuse (context, item, SEGUE_ERROR_DATA, error,
                   " with NaN or an infinite value, the first at index %" G_GSIZE_FORMAT, at);
  return check_predictions (context, item, error);
}

/* Readers and seeds rely on it. */
static gboolean
check_live (SegueContext *context, const SegueItem *item, GError **error)
{
  const SegueItem *input = context->input;
  if (!(context->stage->type->flags & SEGUE_STAGE_LIVE) || !input)
    return TRUE;
  if (context->n_emitted > 0)
    return refuse (context, item, SEGUE_ERROR_INTERNAL, error,
                   ", a second item for ‘%s’; a LIVE stage emits one item for each",
                   input->body->id);
  if (item->body->kind != input->body->kind || strcmp (item->body->id, input->body->id) != 0)
    return refuse (context, item, SEGUE_ERROR_INTERNAL, error,
                   " of kind %s for ‘%s’ of kind %s; a LIVE stage keeps id and kind",
                   segue_kind_to_string (item->body->kind), input->body->id,
                   segue_kind_to_string (input->body->kind));
  return TRUE;
}

gboolean
segue_emitted_check (SegueContext *context, const SegueItem *item, GError **error)
{
  if (!check_moment (context, item, error))
    return FALSE;
  if (item != context->input &&
      !(check_kind (context, item, error) && check_samples (context, item, error) &&
        check_metadata (context, item, error) && check_start (context, item, error)))
    return FALSE;
  return check_live (context, item, error) && check_id (context, item, error) &&
         check_audio (context, item, error) && check_promise (context, item, error) &&
         segue_context_check_cancelled (context, error);
}

gboolean
segue_emitted_check_any (SegueContext *context, GError **error)
{
  if (context->n_emitted == 0 && context->stage->type->flags & SEGUE_STAGE_LIVE) {
    segue_context_set_bug (context, SEGUE_ERROR_INTERNAL, error,
                           "emitted nothing for ‘%s’: a bug in the plugin; a LIVE stage emits one "
                           "item for each",
                           context->input->body->id);
    return FALSE;
  }
  if (context->n_emitted > 0 || g_atomic_int_get (&context->n_reasons) > 0 ||
      context->stage->n_outputs == 0)
    return TRUE;
  segue_context_set_bug (context, SEGUE_ERROR_DATA, error,
                         "emitted nothing for ‘%s’ and gave no reason: a bug in the plugin, which "
                         "must fail, count or log what it skips",
                         context->input->body->id);
  return FALSE;
}

gboolean
segue_emitted_check_output (SegueContext *context, GError **error)
{
  if (context->n_emitted > 0 || context->output || context->stage->n_outputs == 0)
    return TRUE;
  segue_context_set_bug (context, SEGUE_ERROR_INTERNAL, error,
                         "finished without an output: a bug in the plugin, which must emit an item "
                         "or a dataset, even an empty one");
  return FALSE;
}

gboolean
segue_emitted_check_view (SegueContext *context, SegueDataset *dataset, GError **error)
{
  for (guint i = 0; i < segue_dataset_get_length (dataset); i++) {
    const SegueItem *entry = segue_dataset_get_entry (dataset, i);
    const SegueMetadataValue *set = segue_metadata_find (entry->metadata, SEGUE_META_SET);
    if (set && !(set->type == 's' && segue_set_from_name (set->s) < SEGUE_N_SETS))
      return refuse (context, entry, SEGUE_ERROR_INTERNAL, error,
                     " in the set ‘%s’, which is not train, validation or test",
                     set->type == 's' ? set->s : "?");
  }
  return TRUE;
}

gboolean
segue_emitted_check_reads (SegueContext *context, const SegueItem *item, const char *key,
                           GError **error)
{
  if (!key)
    return TRUE;
  gboolean isolated = context->stage->isolate || context->scope->is_worker;
  segue_context_set_bug (context, isolated ? SEGUE_ERROR_DATA : SEGUE_ERROR_INTERNAL, error,
                         "read the metadata `%s` of ‘%s’, which songs to predict don't have: a bug "
                         "in the plugin; a stage type with the flag SEGUE_STAGE_PREPARE can't "
                         "depend on it",
                         key, item->body->id);
  return FALSE;
}

/* FNV-1a, a word at a time. */
static guint64
add_words (guint64 sum, const guint8 *data, gsize size, gsize step)
{
  guint64 word;
  for (gsize at = 0; at < size; at += step) {
    word = 0;
    memcpy (&word, data + at, MIN (sizeof word, size - at));
    sum = (sum ^ word) * G_GUINT64_CONSTANT (0x100000001b3);
  }
  return sum;
}

guint64
segue_emitted_look (SegueContext *context, const SegueItem *item)
{
  gsize size;
  if (!item->bytes)
    return 0;
  const guint8 *data = g_bytes_get_data (item->bytes, &size);
  gsize ends = MIN (size, LOOK_ENDS);
  if (context->scope->thorough)
    return add_words (0, data, size, sizeof (guint64));
  guint64 sum = add_words (0, data, ends, sizeof (guint64));
  sum = add_words (sum, data, size, LOOK_STEP);
  return add_words (sum, data + size - ends, ends, sizeof (guint64));
}

gboolean
segue_emitted_check_unchanged (SegueContext *context, const SegueItem *item, guint64 looked,
                               GError **error)
{
  if (segue_emitted_look (context, item) == looked)
    return TRUE;
  gboolean isolated = context->stage->isolate || context->scope->is_worker;
  segue_context_set_bug (context, isolated ? SEGUE_ERROR_DATA : SEGUE_ERROR_INTERNAL, error,
                         "wrote into the payload of its input ‘%s’, which other stages may be "
                         "reading: a bug in the plugin, which must make a copy",
                         item->body->id);
  return FALSE;
}
