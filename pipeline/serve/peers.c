#include "peers.h"

#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define ASK_SECONDS  10
#define READ_SECONDS 120
/* Of an upload: fewer than RATE_BYTES in RATE_SECONDS are too slow. */
#define RATE_SECONDS 5
#define RATE_BYTES   (40 * 1024)
#define NETWORK_SIZE 8 /* bytes of an IPv6 address that identify a client */

struct _Peer {
  Peers *peers;
  int fd, lent; /* -1: not lent */
  char *client;
  PeerState state;
  gint64 since, deadline; /* monotonic; 0: none */
  ServedSong *song;       /* nullable: being received or waited for */
  gint64 rate_since;
  guint64 rate_bytes;
};

struct _Peers {
  guint upload_seconds;
  GMutex lock; /* also guards the peers in it */
  GPtrArray *all;
};

Peers *
peers_new (guint upload_seconds)
{
  Peers *peers = g_new0 (Peers, 1);
  peers->upload_seconds = upload_seconds;
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

static const Peer *
nth (const Peers *peers, guint i)
{
  return g_ptr_array_index (peers->all, i);
}

guint
peers_count (Peers *peers)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&peers->lock);
  return peers->all->len;
}

guint
peers_count_at_work (Peers *peers)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&peers->lock);
  guint n = 0;
  for (guint i = 0; i < peers->all->len; i++)
    n += nth (peers, i)->state > PEER_ASKS;
  return n;
}

/* With the lock held. */
static guint
count_of (const Peers *peers, const char *client)
{
  guint n = 0;
  for (guint i = 0; i < peers->all->len; i++)
    n += g_str_equal (nth (peers, i)->client, client);
  return n;
}

guint
peers_count_of (Peers *peers, const char *client)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&peers->lock);
  return count_of (peers, client);
}

/* ---- One connection ---- */

char *
peer_name_client (const struct sockaddr *address)
{
  if (address->sa_family == AF_INET) {
    guint32 bits = ntohl (((const struct sockaddr_in *) (const void *) address)->sin_addr.s_addr);
    return g_strdup_printf ("%08x", bits);
  }
  if (address->sa_family != AF_INET6)
    return g_strdup ("?");
  const struct in6_addr *in6 = &((const struct sockaddr_in6 *) (const void *) address)->sin6_addr;
  gboolean mapped = IN6_IS_ADDR_V4MAPPED (in6);
  guint first = mapped ? sizeof in6->s6_addr - 4 : 0;
  guint last = mapped ? sizeof in6->s6_addr : NETWORK_SIZE;
  GString *text = g_string_new (NULL);
  for (guint i = first; i < last; i++)
    g_string_append_printf (text, "%02x", in6->s6_addr[i]);
  return g_string_free (text, FALSE);
}

static void
set_deadline (Peer *peer, guint seconds)
{
  peer->since = g_get_monotonic_time ();
  peer->deadline = seconds > 0 ? peer->since + (gint64) seconds * G_TIME_SPAN_SECOND : 0;
}

Peer *
peer_new (Peers *peers, int fd, char *client)
{
  Peer *peer = g_new0 (Peer, 1);
  peer->peers = peers;
  peer->fd = fd;
  peer->lent = -1;
  peer->client = client;
  peer->state = PEER_ASKS;
  set_deadline (peer, ASK_SECONDS);
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
  close (peer->fd);
  served_song_unref (peer->song);
  g_free (peer->client);
  g_free (peer);
}

int
peer_get_fd (const Peer *peer)
{
  return peer->fd;
}

const char *
peer_get_client (const Peer *peer)
{
  return peer->client;
}

void
peer_lend (Peer *peer, int fd)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&peer->peers->lock);
  peer->lent = fd;
  peer->state = PEER_READS;
  set_deadline (peer, READ_SECONDS);
}

Peer *
peers_find_lent (Peers *peers, int fd)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&peers->lock);
  for (guint i = 0; i < peers->all->len; i++)
    if (nth (peers, i)->lent == fd)
      return g_ptr_array_index (peers->all, i);
  return NULL;
}

/* (transfer full) (nullable): the peer's previous song. */
static ServedSong *
enter (Peer *peer, PeerState state, guint seconds, ServedSong *song)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&peer->peers->lock);
  ServedSong *before = peer->song;
  peer->state = state;
  peer->song = song ? served_song_ref (song) : NULL;
  set_deadline (peer, seconds);
  peer->rate_since = peer->since;
  peer->rate_bytes = 0;
  return before;
}

void
peer_reads (Peer *peer)
{
  served_song_unref (enter (peer, PEER_READS, READ_SECONDS, NULL));
}

void
peer_uploads (Peer *peer, ServedSong *song)
{
  served_song_unref (enter (peer, PEER_UPLOADS, peer->peers->upload_seconds, song));
}

void
peer_sent (Peer *peer, gsize n)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&peer->peers->lock);
  peer->rate_bytes += n;
}

void
peer_waits (Peer *peer)
{
  served_song_unref (enter (peer, PEER_WAITS, 0, peer->song));
}

void
peer_give_back (Peer *peer)
{
  /* Until the door has it back, it can't be closed: no deadline. */
  served_song_unref (enter (peer, PEER_READS, 0, NULL));
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&peer->peers->lock);
  peer->lent = -1;
}

void
peer_lingers (Peer *peer, guint seconds)
{
  served_song_unref (enter (peer, PEER_LINGERS, seconds, NULL));
}

gboolean
peer_is_late (const Peer *peer, gint64 now)
{
  return peer->deadline > 0 && now > peer->deadline;
}

PeerState
peer_get_state (const Peer *peer)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&peer->peers->lock);
  return peer->state;
}

void
peer_refuse (Peer *peer, ProblemKind problem, const char *message)
{
  const ProblemRow *row = problem_row (problem);
  g_autofree char *body = problem_json (problem, message);
  g_autofree char *answer = g_strdup_printf (
    "HTTP/1.1 %u %s\r\nConnection: close\r\nContent-Type: application/json\r\n%s"
    "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nContent-Length: %zu\r\n\r\n%s",
    row->status, row->code, problem == PROBLEM_BUSY ? "Retry-After: 2\r\n" : "", strlen (body),
    body);
  /* Does not wait for a client that does not read it. */
  if (send (peer->fd, answer, strlen (answer), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
    shutdown (peer->fd, SHUT_WR);
}

/* ---- All of them ---- */

/* With the lock held: the HTTP library sees the end of the connection, and does the rest. */
static void
cut (Peer *peer, ProblemKind problem)
{
  peer->deadline = 0;
  if (problem != PROBLEM_NONE)
    peer_refuse (peer, problem, NULL);
  shutdown (peer->fd, SHUT_RDWR);
}

Peer *
peers_make_way (Peers *peers, gboolean *found)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&peers->lock);
  Peer *victim = NULL;
  guint most = 0;
  for (guint i = 0; i < peers->all->len; i++) {
    Peer *peer = g_ptr_array_index (peers->all, i);
    /* A waiting one has sent its song, and will be done soon; one that was cut is being closed. */
    if (peer->state == PEER_WAITS || peer->deadline == 0)
      continue;
    guint n = count_of (peers, peer->client);
    gboolean sooner = !victim || n > most ||
                      (n == most && (peer->state < victim->state || (peer->state == victim->state &&
                                                                     peer->since < victim->since)));
    if (sooner) {
      victim = peer;
      most = n;
    }
  }
  *found = victim != NULL;
  if (victim && victim->state > PEER_ASKS)
    cut (victim, victim->state == PEER_UPLOADS ? PROBLEM_BUSY : PROBLEM_NONE);
  return victim && victim->state <= PEER_ASKS ? victim : NULL;
}

static gboolean
has_gone (const Peer *peer)
{
  struct pollfd polled = { .fd = peer->fd, .events = POLLRDHUP };
  return poll (&polled, 1, 0) > 0;
}

/* Whether it is an upload that sends almost nothing. */
static gboolean
is_too_slow (Peer *peer, gint64 now)
{
  if (peer->state != PEER_UPLOADS || now - peer->rate_since < RATE_SECONDS * G_TIME_SPAN_SECOND)
    return FALSE;
  gboolean slow = peer->rate_bytes < RATE_BYTES;
  peer->rate_since = now;
  peer->rate_bytes = 0;
  return slow;
}

/* With the lock held, for a connection that the HTTP library handles. */
static void
check (Peer *peer, gint64 now, GPtrArray *lonely)
{
  gboolean cancelled = peer->song && served_song_is_cancelled (peer->song);
  if (peer->state == PEER_UPLOADS && peer->deadline > 0 && cancelled)
    cut (peer, PROBLEM_BUSY);
  else if (peer->deadline > 0 && (now > peer->deadline || is_too_slow (peer, now)))
    cut (peer, peer->state == PEER_UPLOADS ? PROBLEM_SLOW_UPLOAD : PROBLEM_NONE);
  else if (peer->state == PEER_WAITS && has_gone (peer))
    g_ptr_array_add (lonely, served_song_ref (peer->song));
  /* Its answer is complete: from now on the client has to read it. */
  else if (peer->state == PEER_WAITS && served_song_has_ended (peer->song)) {
    peer->state = PEER_READS;
    set_deadline (peer, READ_SECONDS);
  }
}

void
peers_tick (Peers *peers)
{
  gint64 now = g_get_monotonic_time ();
  g_autoptr (GPtrArray) lonely =
    g_ptr_array_new_with_free_func ((GDestroyNotify) served_song_unref);
  g_mutex_lock (&peers->lock);
  for (guint i = 0; i < peers->all->len; i++) {
    Peer *peer = g_ptr_array_index (peers->all, i);
    if (peer->lent >= 0)
      check (peer, now, lonely);
  }
  g_mutex_unlock (&peers->lock);
  for (guint i = 0; i < lonely->len; i++)
    served_song_cancel (g_ptr_array_index (lonely, i), PROBLEM_STOPPING);
}
