/* Messages over a stream socket: header, body, at most one descriptor. */
#include "isolate/message.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Without `^` and `@`, which only g_variant_new () accepts. */
static const char *const types[] = {
  [SEGUE_MESSAGE_OPEN] = "(ubaysssxtt)",
  [SEGUE_MESSAGE_READY] = "(ub)",
  [SEGUE_MESSAGE_FORK] = "(u)",
  [SEGUE_MESSAGE_END] = "(ub)",
  [SEGUE_MESSAGE_ENDED] = "(ui)",
  [SEGUE_MESSAGE_ARENA] = "(t)",
  [SEGUE_MESSAGE_ITEM] = "(ssa{sv}ayx" SEGUE_ITEM_FORM ")",
  [SEGUE_MESSAGE_EVENT] = SEGUE_FORMAT_EVENT,
  [SEGUE_MESSAGE_BUFFER] = "(t)",
  [SEGUE_MESSAGE_EMIT] = "(bu" SEGUE_ITEM_FORM ")",
  [SEGUE_MESSAGE_DONE] = "(a(sx)asbus)",
};

typedef struct {
  guint32 type;
  guint32 length;
} Header;

void
segue_message_clear (SegueMessage *message)
{
  g_clear_pointer (&message->body, g_variant_unref);
  if (message->fd >= 0)
    close (message->fd);
  message->fd = -1;
}

GVariant *
segue_message_parse (guint type, GBytes *bytes, gboolean repaired)
{
  if (type >= G_N_ELEMENTS (types))
    return NULL;
  g_autoptr (GVariant) body =
    g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (types[type]), bytes, FALSE));
  if (repaired)
    return g_variant_get_normal_form (body);
  return g_variant_is_normal_form (body) ? g_steal_pointer (&body) : NULL;
}

/* The longest single wait: to check for a cancel if no descriptor was left for that, and to read
 * the clock. */
#define SLICE (200 * G_TIME_SPAN_MILLISECOND)
/* Nothing between two reads of the clock takes this long, beyond the wait itself: if it does, this
 * process was stopped, and the other one most likely with it (a frozen container, a debugger).
 * That time does not count. */
#define ASLEEP (500 * G_TIME_SPAN_MILLISECOND)

SegueWait
segue_wait_begin (gint64 duration, GCancellable *cancellable)
{
  gint64 now = g_get_monotonic_time ();
  return (SegueWait){ .deadline = now + duration, .cancellable = cancellable, .looked = now };
}

/* @waited: the part of the time since the last read of the clock. */
static gboolean
is_late (SegueWait *wait, gint64 waited)
{
  gint64 now = g_get_monotonic_time ();
  gint64 lost = now - wait->looked - waited;
  if (lost > ASLEEP && wait->deadline < G_MAXINT64 - lost)
    wait->deadline += lost;
  wait->looked = now;
  return now >= wait->deadline;
}

/* Waits for @events, or until the other side has closed. */
static SegueWire
wait_for (int socket, short events, SegueWait *wait)
{
  struct pollfd polled[2] = { { .fd = socket, .events = events }, { .fd = -1 } };
  GPollFD cancel = { .fd = -1 };
  gboolean watches = g_cancellable_make_pollfd (wait->cancellable, &cancel);
  if (watches)
    polled[1] = (struct pollfd){ .fd = cancel.fd, .events = POLLIN };
  SegueWire wire = SEGUE_WIRE_OK;
  is_late (wait, 0);
  while (TRUE) {
    gint64 asked = CLAMP (wait->deadline - wait->looked, 0, SLICE);
    int n = poll (polled, 2, (int) (asked / 1000 + 1));
    gboolean late = is_late (wait, asked);
    if (n < 0 && errno != EINTR) {
      wire = SEGUE_WIRE_BROKEN;
      break;
    }
    if (g_cancellable_is_cancelled (wait->cancellable)) {
      wire = SEGUE_WIRE_CANCELLED;
      break;
    }
    if (n > 0 && polled[0].revents)
      break;
    if (n == 0 && late) {
      wire = SEGUE_WIRE_LATE;
      break;
    }
  }
  if (watches)
    g_cancellable_release_fd (wait->cancellable);
  return wire;
}

/* After a call that moved @n bytes or failed: whether to continue, wait, or stop. */
static SegueWire
judge (gssize n, int socket, short events, SegueWait *wait)
{
  if (n > 0 || (n < 0 && errno == EINTR))
    return SEGUE_WIRE_OK;
  if (n == 0 || errno == EPIPE || errno == ECONNRESET)
    return SEGUE_WIRE_CLOSED;
  return errno == EAGAIN || errno == EWOULDBLOCK ? wait_for (socket, events, wait)
                                                 : SEGUE_WIRE_BROKEN;
}

static void
attach (struct msghdr *header, gpointer control, int fd)
{
  header->msg_control = control;
  header->msg_controllen = CMSG_SPACE (sizeof (int));
  struct cmsghdr *part = CMSG_FIRSTHDR (header);
  *part = (struct cmsghdr){ .cmsg_len = CMSG_LEN (sizeof (int)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS };
  memcpy (CMSG_DATA (part), &fd, sizeof fd);
}

SegueWire
segue_message_send (int socket, SegueMessageType type, GVariant *body, int fd, SegueWait *wait)
{
  g_autoptr (GVariant) owned = g_variant_ref_sink (body);
  gsize length = g_variant_get_size (owned);
  g_assert (g_variant_is_of_type (owned, G_VARIANT_TYPE (types[type])));
  if (length > SEGUE_MESSAGE_MAX) {
    errno = EMSGSIZE;
    return SEGUE_WIRE_BROKEN;
  }
  gsize total = sizeof (Header) + length;
  g_autofree guint8 *text = g_malloc (total);
  Header head = { .type = type, .length = (guint32) length };
  memcpy (text, &head, sizeof head);
  g_variant_store (owned, text + sizeof head);

  _Alignas(struct cmsghdr) char control[CMSG_SPACE (sizeof (int))] = { 0 };
  for (gsize done = 0; done < total;) {
    struct iovec part = { text + done, total - done };
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
    if (done == 0 && fd >= 0)
      attach (&header, control, fd);
    gssize n = sendmsg (socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    SegueWire wire = judge (n, socket, POLLOUT, wait);
    if (wire != SEGUE_WIRE_OK)
      return wire;
    done += (gsize) MAX (n, 0);
  }
  return SEGUE_WIRE_OK;
}

/* Keeps the first descriptor in @message and closes any others; %FALSE where there were any. */
static gboolean
take_descriptors (struct msghdr *header, SegueMessage *message)
{
  gboolean fine = TRUE;
  for (struct cmsghdr *part = CMSG_FIRSTHDR (header); part; part = CMSG_NXTHDR (header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
      fine = FALSE;
      continue;
    }
    for (gsize at = CMSG_LEN (0); at + sizeof (int) <= part->cmsg_len; at += sizeof (int)) {
      int fd;
      memcpy (&fd, (const char *) part + at, sizeof fd);
      if (message->fd < 0) {
        message->fd = fd;
        continue;
      }
      close (fd);
      fine = FALSE;
    }
  }
  return fine;
}

/* Descriptors were lost: finds out whether too many were sent, or whether this process can open no
 * more. */
static SegueWire
blame_for_lost_descriptor (int socket)
{
  int copy = fcntl (socket, F_DUPFD_CLOEXEC, 3);
  if (copy < 0)
    return SEGUE_WIRE_BROKEN;
  close (copy);
  return SEGUE_WIRE_NONSENSE;
}

static SegueWire
receive_header (int socket, Header *head, SegueMessage *message, SegueWait *wait)
{
  for (gsize done = 0; done < sizeof *head;) {
    _Alignas(struct cmsghdr) char control[CMSG_SPACE (sizeof (int))];
    struct iovec part = { (char *) head + done, sizeof *head - done };
    struct msghdr header = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
    };
    gssize n = recvmsg (socket, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n >= 0 && !take_descriptors (&header, message))
      return SEGUE_WIRE_NONSENSE;
    if (n >= 0 && (header.msg_flags & MSG_CTRUNC))
      return blame_for_lost_descriptor (socket);
    SegueWire wire = judge (n, socket, POLLIN, wait);
    if (wire != SEGUE_WIRE_OK)
      return wire;
    done += (gsize) MAX (n, 0);
  }
  return SEGUE_WIRE_OK;
}

SegueWire
segue_message_receive (int socket, SegueMessage *message, SegueWait *wait)
{
  *message = (SegueMessage){ .fd = -1 };
  /* A side that always has data ready never causes a wait. */
  if (is_late (wait, 0))
    return SEGUE_WIRE_LATE;
  Header head;
  SegueWire wire = receive_header (socket, &head, message, wait);
  if (wire != SEGUE_WIRE_OK)
    return wire;
  if (head.type >= G_N_ELEMENTS (types) || head.length > SEGUE_MESSAGE_MAX)
    return SEGUE_WIRE_NONSENSE;
  g_autofree guint8 *text = g_malloc (MAX (head.length, 1));
  for (gsize done = 0; done < head.length;) {
    gssize n = recv (socket, text + done, head.length - done, MSG_DONTWAIT);
    wire = judge (n, socket, POLLIN, wait);
    if (wire != SEGUE_WIRE_OK)
      return wire;
    done += (gsize) MAX (n, 0);
  }
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_steal_pointer (&text), head.length);
  message->type = head.type;
  message->body = segue_message_parse (head.type, bytes, FALSE);
  return message->body ? SEGUE_WIRE_OK : SEGUE_WIRE_NONSENSE;
}
