/* Waiting for the other side: only time in which this process runs is counted. */
#include "isolate/message.h"

#include <sys/socket.h>
#include <unistd.h>

typedef struct {
  int ours, theirs;
} Pair;

static Pair
connect_pair (void)
{
  int ends[2];
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
  return (Pair){ ends[0], ends[1] };
}

static gpointer
answer_late (gpointer data)
{
  const Pair *pair = data;
  g_usleep (400 * 1000);
  GVariant *body = g_variant_new (SEGUE_FORMAT_FORK, 7u);
  SegueWire wire =
    segue_message_send (pair->theirs, SEGUE_MESSAGE_FORK, body, -1, SEGUE_WAIT_FOR_EVER);
  g_assert_cmpint (wire, ==, SEGUE_WIRE_OK);
  return NULL;
}

/* As on a machine that was suspended before this process has read the socket. */
static void
test_asleep_at_once (void)
{
  Pair pair = connect_pair ();
  g_auto (SegueMessage) message = { .fd = -1 };
  SegueWait wait = segue_wait_begin (G_TIME_SPAN_SECOND, NULL);
  g_usleep (2 * G_TIME_SPAN_SECOND);
  GThread *thread = g_thread_new ("late", answer_late, &pair);
  g_assert_cmpint (segue_message_receive (pair.ours, &message, &wait), ==, SEGUE_WIRE_OK);
  g_thread_join (thread);
  close (pair.ours);
  close (pair.theirs);
}

static void
test_late (void)
{
  Pair pair = connect_pair ();
  g_auto (SegueMessage) message = { .fd = -1 };
  SegueWait wait = segue_wait_begin (50 * G_TIME_SPAN_MILLISECOND, NULL);
  g_assert_cmpint (segue_message_receive (pair.ours, &message, &wait), ==, SEGUE_WIRE_LATE);
  close (pair.ours);
  close (pair.theirs);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/isolate-wait/asleep-at-once", test_asleep_at_once);
  g_test_add_func ("/isolate-wait/late", test_late);
  return g_test_run ();
}
