/* The core's side of an answer: messages to items, with checks of every value. */
#include "isolate/answer.h"
#include "isolate/shared-bytes.h"

#include <errno.h>
#include <string.h>

/* A payload in the arena, in bytes. */
typedef struct {
  guint64 offset;
  gsize size;
} Place;

void
segue_answer_init (SegueAnswer *answer, SegueItem *input)
{
  *answer = (SegueAnswer){ .input = input, .arena = SEGUE_SHARED_ARENA_NONE };
  answer->places = g_array_new (FALSE, FALSE, sizeof (Place));
  answer->buffers = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  answer->items = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
}

void
segue_answer_clear (SegueAnswer *answer)
{
  segue_shared_arena_clear (&answer->arena);
  g_clear_pointer (&answer->places, g_array_unref);
  g_clear_pointer (&answer->buffers, g_ptr_array_unref);
  g_clear_pointer (&answer->items, g_ptr_array_unref);
  g_clear_pointer (&answer->counts, g_variant_unref);
  g_clear_pointer (&answer->reads, g_variant_unref);
  g_clear_error (&answer->failure);
  g_clear_error (&answer->environment);
}

static gboolean
nonsense (const char **why, const char *what)
{
  *why = what;
  return FALSE;
}

/* Of the name of a counter, in bytes, and of its value in one answer, so that sums can't
 * overflow. */
#define LONGEST_NAME  256
#define LARGEST_COUNT ((gint64) 1 << 40)
/* Of an error, in bytes. */
#define LONGEST_MESSAGE (64 * 1024)

/* Text for a terminal, a log and a record: replaces characters that any of them could take for a
 * command.
 * @breaks: whether it may have more than one line */
static char *
tame (const char *text, gsize longest, gboolean breaks)
{
  g_autofree char *valid = g_utf8_make_valid (text, (gssize) strnlen (text, longest));
  GString *tamed = g_string_new (NULL);
  for (const char *c = valid; *c; c = g_utf8_next_char (c)) {
    gunichar letter = g_utf8_get_char (c);
    gboolean harmless = g_unichar_isprint (letter) || letter == '\t' || (breaks && letter == '\n');
    g_string_append_unichar (tamed, harmless ? letter : '?');
  }
  return g_string_free (tamed, FALSE);
}

/* Without the level that ends a program. */
static GLogLevelFlags
read_level (guint32 level)
{
  switch (level) {
  case G_LOG_LEVEL_CRITICAL:
  case G_LOG_LEVEL_WARNING:
  case G_LOG_LEVEL_INFO:
  case G_LOG_LEVEL_DEBUG:
    return level;
  default:
    return G_LOG_LEVEL_MESSAGE;
  }
}

/* A log line, sanitised; of too many, only the first ones. */
static void
take_line (SegueAnswer *answer, guint32 level, const char *text, SegueContext *context)
{
  if (++answer->n_lines > SEGUE_ANSWER_MAX_LINES + 1)
    return;
  segue_context_log (context, read_level (level), "%s",
                     answer->n_lines <= SEGUE_ANSWER_MAX_LINES
                       ? text
                       : "further log lines about this item are dropped");
}

static gboolean
take_event (SegueAnswer *answer, SegueMessage *message, SegueContext *context, const char **why)
{
  guint32 type, level;
  const char *text;
  guint64 done, total;
  gint64 n;
  double value;
  if (++answer->n_events > SEGUE_ANSWER_MAX_EVENTS)
    return nonsense (why, "too many log lines and progress reports");
  if (answer->quiet)
    return TRUE;
  g_variant_get (message->body, "(uu&sttxd)", &type, &level, &text, &done, &total, &n, &value);
  g_autofree char *tamed = tame (text, SEGUE_ANSWER_MAX_LINE, FALSE);
  switch (type) {
  case SEGUE_EVENT_LOG:
    take_line (answer, level, tamed, context);
    return TRUE;
  case SEGUE_EVENT_SCALAR:
    segue_context_scalar (context, tamed, (guint64) n, value);
    return TRUE;
  case SEGUE_EVENT_PROGRESS:
    segue_context_progress (context, done, total, *tamed ? tamed : NULL);
    return TRUE;
  default:
    return nonsense (why, "an event of an unknown type");
  }
}

static gboolean
take_buffer (SegueAnswer *answer, SegueMessage *message, const char **why)
{
  guint64 size;
  Place place;
  g_variant_get (message->body, "(t)", &size);
  if (answer->items->len > 0)
    return nonsense (why, "a buffer after the first item");
  if (answer->places->len >= SEGUE_ANSWER_MAX_ITEMS)
    return nonsense (why, "too many buffers");
  if (!segue_shared_arena_reserve (&answer->arena, size, &place.offset))
    return nonsense (why, "more bytes than fit in its memory");
  place.size = (gsize) size;
  g_array_append_val (answer->places, place);
  return TRUE;
}

/* @number: errno if this process can't map the memory; 0: the worker is at fault. */
static gboolean
fail_to_map (SegueAnswer *answer, int number, const char **why)
{
  if (number == 0)
    return nonsense (why, "memory that does not match its description, or is still writable");
  g_set_error (&answer->environment, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
               "out of memory for the results of ‘%s’: %s", answer->input->body->id,
               g_strerror (number));
  return FALSE;
}

/* All payloads are present, and are not written to any more. */
static gboolean
map_buffers (SegueAnswer *answer, const char **why)
{
  int lacks = 0;
  if (answer->buffers->len == answer->places->len)
    return TRUE;
  if (!segue_shared_arena_seal (&answer->arena, &lacks))
    return fail_to_map (answer, lacks, why);
  for (guint i = 0; i < answer->places->len; i++) {
    Place place = g_array_index (answer->places, Place, i);
    GBytes *bytes =
      segue_shared_bytes_map_part (answer->arena.fd, place.offset, place.size, &lacks);
    if (!bytes)
      return fail_to_map (answer, lacks, why);
    g_ptr_array_add (answer->buffers, bytes);
  }
  return TRUE;
}

/* (transfer full) (nullable): the bytes that contain @form: @buffer, numbered as in EMIT. */
static GBytes *
find_buffer (SegueAnswer *answer, guint buffer, const SegueItemForm *form)
{
  if (form->length == 0)
    return g_bytes_new (NULL, 0);
  if (buffer == 0)
    return answer->input->bytes ? g_bytes_ref (answer->input->bytes) : NULL;
  return buffer <= answer->buffers->len
           ? g_bytes_ref (g_ptr_array_index (answer->buffers, buffer - 1))
           : NULL;
}

/* Checks for an item of this answer, beyond those for any item. */
static gboolean
check_form (SegueAnswer *answer, const SegueItemForm *form, const char **why)
{
  if (!segue_kind_has_bytes (form->kind))
    return nonsense (why, "an item of a kind that has no bytes");
  if (g_variant_n_children (form->delta) > SEGUE_ANSWER_MAX_KEYS)
    return nonsense (why, "an item with too many metadata keys");
  if (form->origin > 0 ||
      (form->origin < 0 && !g_str_equal (form->suffix, answer->input->body->song)))
    return nonsense (why, "an item unrelated to its input");
  return TRUE;
}

static gboolean
take_emitted (SegueAnswer *answer, SegueMessage *message, const char **why)
{
  gboolean same;
  guint32 buffer;
  g_autoptr (GVariant) described = NULL;
  g_auto (SegueItemForm) form = { 0 };
  g_variant_get (message->body, SEGUE_FORMAT_EMIT, &same, &buffer, &described);
  if (answer->items->len >= SEGUE_ANSWER_MAX_ITEMS)
    return nonsense (why, "too many items");
  if (same) {
    g_ptr_array_add (answer->items, segue_item_ref (answer->input));
    return TRUE;
  }
  if (!map_buffers (answer, why) || !segue_item_form_from_variant (described, &form, why))
    return FALSE;
  g_autoptr (GBytes) bytes = find_buffer (answer, buffer, &form);
  if (!bytes)
    return nonsense (why, "an item outside the payload");
  /* An empty payload has no place in a buffer. */
  form.offset = form.length > 0 ? form.offset : 0;
  if (!segue_item_form_check (&form, g_bytes_get_size (bytes), why) ||
      !check_form (answer, &form, why))
    return FALSE;
  SegueItem *item = segue_item_form_join (&form, form.origin < 0 ? NULL : answer->input);
  item->bytes = g_bytes_new_from_bytes (bytes, (gsize) form.offset, (gsize) form.length);
  g_ptr_array_add (answer->items, item);
  return TRUE;
}

/* Codes that a stage may report about an item or its environment; others are for the core only. */
static SegueErrorCode
read_code (guint32 code)
{
  switch (code) {
  case SEGUE_ERROR_FAILED:
  case SEGUE_ERROR_DATA:
  case SEGUE_ERROR_NO_INPUT:
  case SEGUE_ERROR_CANNOT_CREATE:
  case SEGUE_ERROR_IO:
  case SEGUE_ERROR_RESOURCE:
  case SEGUE_ERROR_TIMEOUT:
  case SEGUE_ERROR_UNSUPPORTED:
    return code;
  default:
    return SEGUE_ERROR_INTERNAL;
  }
}

static gboolean
check_counts (GVariant *counts)
{
  GVariantIter iter;
  const char *name;
  gint64 n;
  if (g_variant_n_children (counts) > SEGUE_ANSWER_MAX_COUNTS)
    return FALSE;
  g_variant_iter_init (&iter, counts);
  while (g_variant_iter_next (&iter, "(&sx)", &name, &n)) {
    g_autofree char *tamed = tame (name, LONGEST_NAME, FALSE);
    if (*name == '\0' || !g_str_equal (tamed, name) || n > LARGEST_COUNT || n < -LARGEST_COUNT)
      return FALSE;
  }
  return TRUE;
}

static gboolean
take_end (SegueAnswer *answer, SegueMessage *message, const char **why)
{
  gboolean ok;
  guint32 code;
  const char *text;
  g_variant_get (message->body, "(@a(sx)@asbu&s)", &answer->counts, &answer->reads, &ok, &code,
                 &text);
  if (!check_counts (answer->counts))
    return nonsense (why, "invalid counters, or too many");
  if (g_variant_n_children (answer->reads) > SEGUE_ANSWER_MAX_READS)
    return nonsense (why, "reads of too many metadata keys");
  answer->done = TRUE;
  if (ok)
    return TRUE;
  g_autofree char *tamed = tame (text, LONGEST_MESSAGE, TRUE);
  answer->failure = g_error_new_literal (SEGUE_ERROR, (int) read_code (code), tamed);
  g_ptr_array_set_size (answer->items, 0);
  return TRUE;
}

gboolean
segue_answer_take (SegueAnswer *answer, SegueMessage *message, SegueContext *context,
                   const char **why)
{
  if (answer->done)
    return nonsense (why, "a message after its answer");
  if (message->fd >= 0)
    return nonsense (why, "an unexpected file descriptor");
  answer->text += g_variant_get_size (message->body);
  if (answer->text > SEGUE_ANSWER_MAX_TEXT)
    return nonsense (why, "more text and metadata than an answer may contain");
  switch (message->type) {
  case SEGUE_MESSAGE_EVENT:
    return take_event (answer, message, context, why);
  case SEGUE_MESSAGE_DONE:
    return take_end (answer, message, why);
  case SEGUE_MESSAGE_BUFFER:
    return answer->input ? take_buffer (answer, message, why)
                         : nonsense (why, "an answer before any request");
  case SEGUE_MESSAGE_EMIT:
    return answer->input ? take_emitted (answer, message, why)
                         : nonsense (why, "an answer before any request");
  default:
    return nonsense (why, "a message of an unexpected type");
  }
}
