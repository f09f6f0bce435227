#include "peers.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

struct _Peer {
  Peers *peers;
  int fd;
  gint64 deadline; /* 0: none */
  ProblemKind late;
  Song *song;
};

struct _Peers {
  GMutex lock; /* guards what is in it, too */
  GPtrArray *all;
};

Peers *
peers_new (void)
{
  Peers *peers = g_new0 (Peers, 1);
  peers->all = g_ptr_array_new ();
  g_mutex_init (&peers->lock);
  return peers;
}

void
peers_free (Peers *peers)
{
  g_ptr_array_unref (peers->all);
  g_mutex_clear (&peers->lock);
  g_free (peers);
}

guint
peers_count (Peers *peers)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&peers->lock);
  return peers->all->len;
}

Peer *
peer_new (Peers *peers, int fd)
{
  Peer *peer = g_new0 (Peer, 1);
  peer->peers = peers;
  peer->fd = fd;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&peers->lock);
  g_ptr_array_add (peers->all, peer);
  return peer;
}

void
peer_free (Peer *peer)
{
  if (!peer)
    return;
  g_mutex_lock (&peer->peers->lock);
  g_ptr_array_remove_fast (peer->peers->all, peer);
  g_mutex_unlock (&peer->peers->lock);
  song_unref (peer->song);
  g_free (peer);
}

void
peer_expect (Peer *peer, guint seconds, ProblemKind late)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&peer->peers->lock);
  peer->deadline =
    seconds > 0 ? g_get_monotonic_time () + (gint64) seconds * G_TIME_SPAN_SECOND : 0;
  peer->late = late;
}

void
peer_await (Peer *peer, Song *song)
{
  g_autoptr (Song) before = NULL;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&peer->peers->lock);
  before = peer->song;
  peer->song = song ? song_ref (song) : NULL;
}

void
peer_refuse (Peer *peer, ProblemKind problem, const char *message)
{
  const ProblemRow *row = problem_row (problem);
  g_autofree char *body = problem_json (problem, message);
  g_autofree char *answer = g_strdup_printf (
    "HTTP/1.1 %u %s\r\nConnection: close\r\nContent-Type: application/json\r\n"
    "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nContent-Length: %zu\r\n\r\n%s",
    row->status, row->code, strlen (body), body);
  /* Who doesn't read it doesn't get it. */
  if (send (peer->fd, answer, strlen (answer), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
    shutdown (peer->fd, SHUT_WR);
}

static void
cut (Peer *peer)
{
  peer->deadline = 0;
  if (peer->late)
    peer_refuse (peer, peer->late, NULL);
  /* The HTTP library sees the end of the connection, and does the rest. */
  shutdown (peer->fd, SHUT_RDWR);
}

static gboolean
has_gone (const Peer *peer)
{
  struct pollfd polled = { .fd = peer->fd, .events = POLLRDHUP };
  return poll (&polled, 1, 0) > 0;
}

void
peers_tick (Peers *peers)
{
  gint64 now = g_get_monotonic_time ();
  g_autoptr (GPtrArray) lonely = g_ptr_array_new_with_free_func ((GDestroyNotify) song_unref);
  g_mutex_lock (&peers->lock);
  for (guint i = 0; i < peers->all->len; i++) {
    Peer *peer = g_ptr_array_index (peers->all, i);
    if (peer->deadline > 0 && now > peer->deadline)
      cut (peer);
    if (peer->song && has_gone (peer))
      g_ptr_array_add (lonely, song_ref (peer->song));
  }
  g_mutex_unlock (&peers->lock);
  for (guint i = 0; i < lonely->len; i++)
    song_cancel (g_ptr_array_index (lonely, i), PROBLEM_STOPPING);
}
