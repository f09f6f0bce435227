/* Messages of a worker: a stream, as parsed by the core, from a process that a song's file may have
 * compromised. */
#include "isolate/answer.h"
#include "standalone.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of the arena, and of the buffers in it; larger ones are never created. */
#define LARGEST_ANSWER (16 * 1024 * 1024)
#define LARGEST_BUFFER (2 * 1024 * 1024)

static SegueItem *
make_input (void)
{
  g_autoptr (GBytes) frames = g_bytes_new (memset (g_newa (char, 4000), 0, 4000), 4000);
  g_autoptr (SegueReads) reads = segue_reads_new ();
  g_autoptr (SegueItem) item = segue_item_new_audio (NULL, "a/song", frames, 1000, 1);
  segue_item_set_string (item, SEGUE_META_LABEL, "Queen");
  return segue_item_copy_as_input (item, reads, 0);
}

/* Whatever the message, the parsed data can be read to its end. */
static void
check (const SegueAnswer *answer)
{
  for (guint i = 0; i < answer->items->len; i++) {
    const SegueItem *item = g_ptr_array_index (answer->items, i);
    gsize size, bytes = 0;
    const guint8 *data = g_bytes_get_data (item->bytes, &size);
    for (gsize at = 0; at < size; at += 512)
      bytes += data[at];
    g_assert_true (segue_item_get_suffix (item) != NULL);
    g_assert_true (segue_kind_has_bytes (item->body->kind));
    if (item->body->kind == SEGUE_KIND_AUDIO)
      g_assert_cmpuint (size % (4 * (gsize) item->body->channels), ==, 0);
    if (item->body->kind != SEGUE_KIND_AUDIO) {
      g_assert_true (
        segue_shape_bytes (item->body->dtype, item->body->rank, item->body->shape, &bytes));
      g_assert_cmpuint (bytes, ==, size);
    }
    g_autoptr (GVariant) all = segue_metadata_to_variant (item->metadata, FALSE);
    g_assert_true (segue_metadata_is_valid (all));
  }
  g_assert_cmpuint (answer->arena.used, <=, LARGEST_ANSWER);
}

/* As a worker does before it reports a buffer. @theirs: the answer's arena, in the worker */
static void
put_buffer (SegueSharedArena *theirs, const SegueMessage *message)
{
  guint64 size;
  if (message->type != SEGUE_MESSAGE_BUFFER)
    return;
  g_variant_get (message->body, SEGUE_FORMAT_BUFFER, &size);
  size = MIN (size, LARGEST_BUFFER);
  g_autofree char *zeros = g_malloc0 ((gsize) MAX (size, 1));
  segue_shared_arena_put (theirs, zeros, (gsize) size, NULL);
}

/* The stream message by message, with bodies unchanged or in normal form, which passes that check. */
static void
take_apart (const uint8_t *data, size_t size, gboolean repaired, SegueItem *input)
{
  const SegueScope scope = { 0 };
  const SegueStageType type = { .name = "fuzz", .mode = SEGUE_MODE_MAP };
  const SegueGraphStage stage = { .id = (char *) "fuzz", .type = &type };
  SegueContext context = { .scope = &scope, .stage = &stage };
  g_auto (SegueAnswer) answer = { 0 };
  const char *why = NULL;
  gboolean heard = TRUE;
  segue_answer_init (&answer, input);
  g_assert_true (segue_shared_arena_init (&answer.arena, LARGEST_ANSWER, NULL));
  SegueSharedArena theirs = answer.arena;
  while (heard && size >= 8) {
    guint32 head[2];
    memcpy (head, data, sizeof head);
    gsize length = MIN (head[1], size - sizeof head);
    g_autoptr (GBytes) body = g_bytes_new (data + sizeof head, length);
    g_auto (SegueMessage) message = { .type = head[0], .fd = -1 };
    message.body = segue_message_parse (head[0], body, repaired);
    heard = message.body != NULL;
    if (heard) {
      put_buffer (&theirs, &message);
      heard = segue_answer_take (&answer, &message, &context, &why);
    }
    data += sizeof head + length;
    size -= sizeof head + length;
  }
  check (&answer);
}

/* The same through a socket, where lengths and ends are determined. */
static void
receive (const uint8_t *data, size_t size)
{
  int ends[2];
  SegueWire wire = SEGUE_WIRE_OK;
  SegueWait wait = segue_wait_begin (G_TIME_SPAN_MINUTE, NULL);
  if (size > 60000 || socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return;
  g_assert_cmpint (write (ends[1], data, size), ==, (gssize) size);
  close (ends[1]);
  while (wire == SEGUE_WIRE_OK) {
    g_auto (SegueMessage) message = { .fd = -1 };
    wire = segue_message_receive (ends[0], &message, &wait);
    g_assert_true (wire != SEGUE_WIRE_OK || message.body);
  }
  g_assert_true (wire == SEGUE_WIRE_CLOSED || wire == SEGUE_WIRE_NONSENSE);
  close (ends[0]);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (SegueItem) input = make_input ();
  take_apart (data, size, FALSE, input);
  take_apart (data, size, TRUE, input);
  receive (data, size);
  return 0;
}
