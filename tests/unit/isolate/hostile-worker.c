/* A compromised worker: forked by a correct server, it attacks the core as $HOSTILE specifies. */
#include "isolate/message.h"
#include "isolate/question.h"
#include "isolate/worker-fork.h"

#include <fcntl.h>
#include <segue/host/event.h>
#include <segue/item.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVER 3

/* The socket of this process. */
static int our_socket = SERVER;

static void
say (SegueMessageType type, GVariant *body, int fd)
{
  segue_message_send (our_socket, type, body, fd, SEGUE_WAIT_FOR_EVER);
}

static void
say_event (guint type, guint level, const char *text, int fd)
{
  say (SEGUE_MESSAGE_EVENT,
       g_variant_new (SEGUE_FORMAT_EVENT, type, level, text, (guint64) 0, (guint64) 0, (gint64) 1,
                      0.0),
       fd);
}

static void
say_line (guint level, const char *text, int fd)
{
  say_event (SEGUE_EVENT_LOG, level, text, fd);
}

/* Of the current item, and for the answer to it. */
static char *our_id;
static SegueSharedArena our_arena = { .fd = -1 };

/* A request. */
static void
listen_once (void)
{
  g_auto (SegueMessage) message = { .fd = -1 };
  segue_shared_arena_clear (&our_arena);
  if (!segue_question_receive (our_socket, &our_arena, &message, SEGUE_WAIT_FOR_EVER))
    _exit (0);
  g_variant_get_child (message.body, 0, "s", &our_id);
}

/* The stage to open, as the server. */
static void
listen_as_server (void)
{
  g_auto (SegueMessage) message = { .fd = -1 };
  if (segue_message_receive (SERVER, &message, SEGUE_WAIT_FOR_EVER) != SEGUE_WIRE_OK)
    _exit (0);
}

static void
say_raw (guint32 type, guint32 length, const char *body, gsize n)
{
  guint32 head[] = { type, length };
  if (write (our_socket, head, sizeof head) < 0 || (n > 0 && write (our_socket, body, n) < 0))
    _exit (1);
}

/* @name: of @n_counts counters of @count each; @n_reads: metadata keys that were read */
static void
say_end (const char *name, guint n_counts, gint64 count, guint n_reads)
{
  g_auto (GVariantBuilder) counts = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(sx)"));
  g_auto (GVariantBuilder) reads = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_STRING_ARRAY);
  for (guint i = 0; i < n_counts; i++)
    g_variant_builder_add (&counts, "(sx)", name, count);
  for (guint i = 0; i < n_reads; i++)
    g_variant_builder_add (&reads, "s", "label");
  say (SEGUE_MESSAGE_DONE,
       g_variant_new (SEGUE_FORMAT_DONE, g_variant_builder_end (&counts),
                      g_variant_builder_end (&reads), TRUE, 0u, ""),
       -1);
}

typedef struct {
  guint kind;
  const char *id;
  guint rate, channels, dtype, rank;
  guint64 shape[8];
  guint buffer;
  guint64 offset, length;
  const char *key;
  guint n_keys, n_letters; /* of more metadata, and of each value */
  gint64 derives_from;
} Emitted;

static void
emit (const Emitted *item)
{
  g_auto (GVariantBuilder) own = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  if (item->key)
    g_variant_builder_add (&own, "{sv}", item->key, g_variant_new_boolean (TRUE));
  g_autofree char *value = g_strnfill (item->n_letters, 'x');
  for (guint i = 0; i < item->n_keys; i++) {
    g_autofree char *key = g_strdup_printf ("key %u", i);
    g_variant_builder_add (&own, "{sv}", key, g_variant_new_string (value));
  }
  GVariant *shape = g_variant_new_fixed_array (G_VARIANT_TYPE_UINT64, item->shape, item->rank, 8);
  const char *suffix = g_str_equal (item->id, "a/song") ? "" : item->id;
  gint64 origin = item->derives_from;
  say (SEGUE_MESSAGE_EMIT,
       g_variant_new ("(bu(sy@a{sv}uuy@atxtt))", FALSE, item->buffer, suffix, (guchar) item->kind,
                      g_variant_builder_end (&own), item->rate, item->channels,
                      (guchar) item->dtype, shape, origin, item->offset, item->length),
       -1);
}

static void
say_buffer (guint64 size)
{
  say (SEGUE_MESSAGE_BUFFER, g_variant_new (SEGUE_FORMAT_BUFFER, size), -1);
}

/* A correct answer. */
static void
put_buffer (gsize size)
{
  g_autofree char *zeros = g_malloc0 (size);
  if (!segue_shared_arena_put (&our_arena, zeros, size, NULL))
    _exit (1);
  say_buffer (size);
}

/* An item in the first buffer. */
static void
emit_first (void)
{
  emit (&(Emitted){ SEGUE_KIND_AUDIO, "a/song", 1000, 1, .buffer = 1, .length = 8 });
}

/* A message with more descriptors than requested. */
static void
say_with_many (guint n)
{
  int fds[8] = { 0, 1, 2, 0, 1, 2, 0, 1 };
  guint32 head[] = { SEGUE_MESSAGE_BUFFER, 8 };
  guint64 size = 4096;
  struct iovec parts[] = { { head, sizeof head }, { &size, sizeof size } };
  _Alignas(struct cmsghdr) char control[CMSG_SPACE (sizeof fds)] = { 0 };
  struct msghdr header = { .msg_iov = parts,
                           .msg_iovlen = 2,
                           .msg_control = control,
                           .msg_controllen = CMSG_SPACE (n * sizeof (int)) };
  struct cmsghdr *part = CMSG_FIRSTHDR (&header);
  *part = (struct cmsghdr){ .cmsg_len = CMSG_LEN (n * sizeof (int)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS };
  memcpy (CMSG_DATA (part), fds, n * sizeof (int));
  sendmsg (our_socket, &header, MSG_NOSIGNAL);
}

/* A song with this name is handled correctly. */
static gboolean
is (const char *what)
{
  return !(our_id && strstr (our_id, "fine")) && g_str_equal (g_getenv ("HOSTILE"), what);
}

static void
misuse_wire (void)
{
  if (is ("noise"))
    for (guint i = 0; i < 5000; i++)
      say_raw (0x41414141u * i, 0x7fffffffu - i, "noise", 5);
  if (is ("long"))
    say_raw (SEGUE_MESSAGE_EVENT, SEGUE_MESSAGE_MAX + 1, "", 0);
  if (is ("half"))
    say_raw (SEGUE_MESSAGE_DONE, 100, "abc", 3);
  if (is ("twisted"))
    say_raw (SEGUE_MESSAGE_DONE, 16,
             "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16);
  if (is ("two-descriptors"))
    say_with_many (2);
  if (is ("many-descriptors"))
    say_with_many (8);
  if (is ("wrong-way"))
    say (SEGUE_MESSAGE_READY, g_variant_new (SEGUE_FORMAT_READY, SEGUE_MESSAGE_VERSION, TRUE), -1);
  if (is ("runs-word"))
    say_event (SEGUE_EVENT_ITEM_FAILED, 0, "another/song", -1);
  if (is ("no-event"))
    say_event (G_MAXUINT32, 0, "", -1);
  if (is ("servers-word"))
    say (SEGUE_MESSAGE_ENDED, g_variant_new (SEGUE_FORMAT_ENDED, 1u, 0), -1);
  if (is ("descriptor-with-text"))
    say_line (16, "look", 1);
  while (is ("chatter"))
    say_line (4 /* error */, "bla", -1);
  if (is ("closes")) {
    shutdown (our_socket, SHUT_RDWR);
    close (our_socket);
    sleep (1000);
  }
}

/* Payloads have the stated size and do not change, or the answer is refused. */
static void
misuse_memory (void)
{
  if (is ("a-descriptor"))
    say (SEGUE_MESSAGE_BUFFER, g_variant_new (SEGUE_FORMAT_BUFFER, (guint64) 4096), our_arena.fd);
  if (is ("endless"))
    say_buffer (G_MAXUINT64);
  if (is ("many-bytes"))
    for (guint i = 0; i < 64; i++)
      say_buffer (our_arena.size / 32);
  if (is ("not-there")) {
    say_buffer (4096);
    emit_first ();
  }
  if (is ("short")) {
    put_buffer (4096);
    say_buffer (8192);
    emit_first ();
  }
  if (is ("sparse")) {
    say_buffer (our_arena.size / 2);
    emit_first ();
  }
  if (is ("mapped")) {
    gpointer kept = mmap (NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, our_arena.fd, 0);
    put_buffer (4096);
    if (kept != MAP_FAILED)
      emit_first ();
    sleep (1000);
  }
  if (is ("shrinks") && ftruncate (our_arena.fd, 0) == 0) {
    say_buffer (4096);
    emit_first ();
  }
  if (is ("sealed") && fcntl (our_arena.fd, F_ADD_SEALS, F_SEAL_SEAL) == 0) {
    put_buffer (4096);
    emit_first ();
  }
  /* It can't: only then it sends confusing data. */
  if (is ("grows") && ftruncate (our_arena.fd, (off_t) our_arena.size + 1) != 0 &&
      pwrite (our_arena.fd, "x", 1, (off_t) our_arena.size) < 0)
    say_buffer (G_MAXUINT64);
  if (is ("late-buffer")) {
    put_buffer (4096);
    emit_first ();
    say_buffer (4096);
  }
}

static void
misuse_items (void)
{
  static const struct {
    const char *name;
    Emitted item;
  } items[] = {
    { "no-buffer", { SEGUE_KIND_AUDIO, "a/song", 1000, 1, .buffer = 3, .length = 8 } },
    { "past-the-end", { SEGUE_KIND_AUDIO, "a/song", 1000, 1, .buffer = 1, .length = 4100 } },
    { "overflow",
      { SEGUE_KIND_AUDIO, "a/song", 1000, 1, .buffer = 1, .offset = G_MAXUINT64 - 3,
        .length = 4 } },
    { "no-rate", { SEGUE_KIND_AUDIO, "a/song", 0, 1, .buffer = 1, .length = 8 } },
    { "no-channels", { SEGUE_KIND_AUDIO, "a/song", 1000, 0, .buffer = 1, .length = 8 } },
    { "odd-frames", { SEGUE_KIND_AUDIO, "a/song", 1000, 3, .buffer = 1, .length = 8 } },
    { "many-channels",
      { SEGUE_KIND_AUDIO, "a/song", 1000, 0x40000000u, .buffer = 1, .length = 4096 } },
    { "too-many-channels",
      { SEGUE_KIND_AUDIO, "a/song", 1000, 70000, .buffer = 2, .length = 280000 } },
    { "wrong-shape",
      { SEGUE_KIND_TENSOR, "a/song", .rank = 2, .shape = { 2, 2 }, .buffer = 1, .length = 8 } },
    { "endless-shape",
      { SEGUE_KIND_TENSOR, "a/song", .rank = 2, .shape = { (guint64) 1 << 33, (guint64) 1 << 33 },
        .buffer = 1, .length = 0 } },
    { "high-rank",
      { SEGUE_KIND_TENSOR, "a/song", .rank = 8, .shape = { 1, 1, 1, 1, 1, 1, 1, 1 }, .buffer = 1,
        .length = 4 } },
    { "no-dtype",
      { SEGUE_KIND_TENSOR, "a/song", .dtype = 77, .rank = 1, .shape = { 1 }, .buffer = 1,
        .length = 4 } },
    { "a-path", { SEGUE_KIND_FILE, "a/song", .buffer = 1, .length = 4 } },
    { "a-model", { SEGUE_KIND_MODEL, "a/song", .buffer = 1, .length = 4 } },
    { "no-kind", { 4711, "a/song", .buffer = 1, .length = 4 } },
    { "another-song", { SEGUE_KIND_AUDIO, "b/song", 1000, 1, .buffer = 1, .length = 8 } },
    { "an-item-of-its-own",
      { SEGUE_KIND_AUDIO, "b/song", 1000, 1, .buffer = 1, .length = 8, .derives_from = -1 } },
    { "an-item-of-no-item",
      { SEGUE_KIND_AUDIO, "#1", 1000, 1, .buffer = 1, .length = 8, .derives_from = 1 } },
    { "a-longer-song", { SEGUE_KIND_AUDIO, "a/songs", 1000, 1, .buffer = 1, .length = 8 } },
    { "bad-metadata",
      { SEGUE_KIND_AUDIO, "a/song", 1000, 1, .buffer = 1, .length = 8, .key = "label" } },
    { "the-cores-key",
      { SEGUE_KIND_AUDIO, "a/song", 1000, 1, .buffer = 1, .length = 8, .key = "song" } },
  };
  for (guint i = 0; i < G_N_ELEMENTS (items); i++)
    if (is (items[i].name)) {
      put_buffer (4096);
      put_buffer (280000);
      emit (&items[i].item);
    }
  if (is ("flood"))
    put_buffer (4096);
  while (is ("flood"))
    emit_first ();
}

/* Each part is correct, but there are too many. */
static void
exceed (void)
{
  static const Emitted heavy = { SEGUE_KIND_AUDIO, "a/song",           1000, 1,
                                 .n_keys = 1,      .n_letters = 900000 };
  static const Emitted crowded = { SEGUE_KIND_AUDIO, "a/song", 1000, 1, .n_keys = 257 };
  for (guint i = 0; is ("much-metadata") && i < 40; i++)
    emit (&heavy);
  if (is ("many-keys"))
    emit (&crowded);
  if (is ("many-counters"))
    say_end ("songs", 65, 1, 0);
  if (is ("huge-count"))
    say_end ("songs", 1, G_MAXINT64, 0);
  if (is ("escape-in-a-counter"))
    say_end ("\033]0;OWNED", 1, 1, 0);
  if (is ("many-reads"))
    say_end ("songs", 1, 1, 1025);
  g_autofree char *line = g_strnfill (4000, 'x');
  for (guint i = 0; is ("talks") && i < 1000; i++)
    say_line (16, line, -1);
  if (is ("escapes"))
    say_line (16, "one\n\033]0;two\302\233\342\200\256", -1);
}

static void
say_ready (guint version)
{
  say (SEGUE_MESSAGE_READY, g_variant_new (SEGUE_FORMAT_READY, version, TRUE), -1);
}

/* SegueWorkerMain. */
static int
work (int socket, gpointer data)
{
  our_socket = socket;
  if (is ("early")) {
    say_buffer (4096);
    sleep (1000);
  }
  say_ready (SEGUE_MESSAGE_VERSION);
  listen_once ();
  misuse_wire ();
  misuse_memory ();
  misuse_items ();
  exceed ();
  say_end ("songs", 1, 1, 1);
  if (is ("half") || is ("deaf"))
    sleep (1000);
  listen_once ();
  return 0;
}

int
main (void)
{
  g_setenv ("G_DEBUG", "", TRUE);
  listen_as_server ();
  if (is ("old")) {
    say_ready (0);
    sleep (1000);
  }
  say_ready (SEGUE_MESSAGE_VERSION);
  segue_worker_fork_all (SERVER, work, NULL, NULL);
  return 0;
}
