#include "door.h"

#include "head.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <segue/error.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BACKLOG        512
#define EVENTS         64
#define TICK           200 /* ms */
#define LINGER_SECONDS 30
#define LINGER_BLOCKS  16 /* read from one connection before the next one's turn */

struct _Door {
  GSocket *socket;
  guint port;
  DoorLimits limits;
  Peers *peers;
  struct MHD_Daemon *daemon;
  GThread *thread;
  int epoll, wake; /* -1 */
  GMutex lock;     /* of @closed, and while the HTTP library gets a connection */
  gboolean closed;
  gint ended;
  GHashTable
    *inside; /* the thread's: each Peer that it handles, to the bytes read after its answer */
  GAsyncQueue *coming; /* peers that the HTTP library is done with */
};

static gboolean
explain_bind (const char *address, guint port, const GError *reason, GError **error)
{
  if (g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_CANNOT_CREATE,
                 "port %u of %s is in use, perhaps by another segue serve; choose another port "
                 "with --port N, or any free port with --port 0",
                 port, address);
  else if (g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_CANNOT_CREATE,
                 "no permission to listen on port %u; choose a port above 1023 with --port N",
                 port);
  else
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_CANNOT_CREATE,
                 "can't listen on %s: %s; --bind takes an address of this machine", address,
                 reason->message);
  return FALSE;
}

static gboolean
open_socket (Door *door, const char *address, guint16 port, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (GInetAddress) host = g_inet_address_new_from_string (address);
  g_autoptr (GSocketAddress) at = g_inet_socket_address_new (host, port);
  g_autoptr (GSocketAddress) bound = NULL;
  door->socket = g_socket_new (g_inet_address_get_family (host), G_SOCKET_TYPE_STREAM,
                               G_SOCKET_PROTOCOL_TCP, &reason);
  if (door->socket) {
    g_socket_set_blocking (door->socket, FALSE);
    g_socket_set_listen_backlog (door->socket, BACKLOG);
  }
  if (!door->socket || !g_socket_bind (door->socket, at, TRUE, &reason) ||
      !g_socket_listen (door->socket, &reason) ||
      !(bound = g_socket_get_local_address (door->socket, &reason)))
    return explain_bind (address, port, reason, error);
  door->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  return TRUE;
}

static gboolean
watch (Door *door, int fd, guint32 events, gpointer data)
{
  struct epoll_event event = { .events = events, .data.ptr = data };
  return epoll_ctl (door->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

Door *
door_new (const char *address, guint16 port, const DoorLimits *limits, Peers *peers, GError **error)
{
  Door *door = g_new0 (Door, 1);
  g_mutex_init (&door->lock);
  door->limits = *limits;
  door->peers = peers;
  door->inside = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  door->coming = g_async_queue_new ();
  door->wake = -1;
  door->epoll = epoll_create1 (EPOLL_CLOEXEC);
  if (door->epoll >= 0)
    door->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (door->wake < 0)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                 "can't create a file handle for connections: %s", g_strerror (errno));
  else if (open_socket (door, address, port, error))
    return door;
  door_free (door);
  return NULL;
}

guint
door_get_port (const Door *door)
{
  return door->port;
}

/* ---- The thread ---- */

static void
drop (Door *door, Peer *peer)
{
  g_hash_table_remove (door->inside, peer);
  peer_free (peer);
}

/* Makes room for one more connection of @client. */
static gboolean
make_room (Door *door, const char *client)
{
  if (door->limits.of_client > 0 && peers_count_of (door->peers, client) >= door->limits.of_client)
    return FALSE;
  gboolean found = TRUE;
  /* A connection that the HTTP library handles ends a little later. */
  if (peers_count (door->peers) >= door->limits.connections) {
    Peer *victim = peers_make_way (door->peers, &found);
    if (victim)
      drop (door, victim);
  }
  return found;
}

static void
let_in (Door *door)
{
  for (guint i = 0; i < EVENTS; i++) {
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    int fd = accept4 (g_socket_get_fd (door->socket), (struct sockaddr *) &address, &size,
                      SOCK_CLOEXEC | SOCK_NONBLOCK);
    gboolean found = fd < 0 && (errno == EMFILE || errno == ENFILE);
    /* Without a free descriptor the connection would stay in the queue, and wake this thread
     * forever. */
    Peer *victim = found ? peers_make_way (door->peers, &found) : NULL;
    if (victim)
      drop (door, victim);
    if (fd < 0) {
      if (found)
        g_usleep (TICK * 100);
      return;
    }
    g_autofree char *client = peer_name_client ((struct sockaddr *) &address);
    if (!make_room (door, client)) {
      close (fd);
      continue;
    }
    Peer *peer = peer_new (door->peers, fd, g_steal_pointer (&client));
    g_hash_table_insert (door->inside, peer, g_new0 (guint64, 1));
    if (!watch (door, fd, EPOLLIN | EPOLLRDHUP | EPOLLET, peer))
      drop (door, peer);
  }
}

/* The HTTP library gets a separate descriptor, and closes it; the original one shows when the
 * client is done. */
static void
hand_over (Door *door, Peer *peer)
{
  struct sockaddr_storage address = { 0 };
  socklen_t size = sizeof address;
  int own = peer_get_fd (peer);
  epoll_ctl (door->epoll, EPOLL_CTL_DEL, own, NULL);
  int fd = fcntl (own, F_DUPFD_CLOEXEC, 3);
  if (fd < 0 || getpeername (own, (struct sockaddr *) &address, &size) != 0) {
    if (fd >= 0)
      close (fd);
    drop (door, peer);
    return;
  }
  g_hash_table_remove (door->inside, peer);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&door->lock);
  if (door->closed)
    close (fd);
  else
    peer_lend (peer, fd);
  /* On failure it closes the descriptor, and no callback runs. */
  if (door->closed ||
      MHD_add_connection (door->daemon, fd, (struct sockaddr *) &address, size) != MHD_YES)
    peer_free (peer);
}

static void
linger (Door *door, Peer *peer)
{
  peer_lingers (peer, LINGER_SECONDS);
  g_hash_table_insert (door->inside, peer, g_new0 (guint64, 1));
  shutdown (peer_get_fd (peer), SHUT_WR);
  if (!watch (door, peer_get_fd (peer), EPOLLIN | EPOLLRDHUP, peer))
    drop (door, peer);
}

static void
refuse (Door *door, Peer *peer, ProblemKind problem)
{
  peer_refuse (peer, problem, NULL);
  epoll_ctl (door->epoll, EPOLL_CTL_DEL, peer_get_fd (peer), NULL);
  linger (door, peer);
}

static void
read_head (Door *door, Peer *peer, gboolean gone)
{
  char head[HEAD_MAX + 1];
  gssize n = recv (peer_get_fd (peer), head, sizeof head, MSG_PEEK | MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  HeadVerdict verdict = n > 0 ? head_judge (head, (gsize) n) : HEAD_PARTIAL;
  if (verdict == HEAD_WHOLE)
    hand_over (door, peer);
  else if (verdict == HEAD_BAD)
    refuse (door, peer, PROBLEM_BAD_HEAD);
  else if (verdict == HEAD_TOO_LARGE)
    refuse (door, peer, PROBLEM_LARGE_HEAD);
  else if (n <= 0 || gone)
    drop (door, peer);
}

/* Reads and drops data after the answer. */
static void
drain (Door *door, Peer *peer)
{
  static char block[64 * 1024]; /* used by this thread only; content is never used */
  guint64 *read = g_hash_table_lookup (door->inside, peer);
  gssize n = 1;
  for (guint i = 0; i < LINGER_BLOCKS && n > 0 && *read <= door->limits.linger_bytes; i++) {
    n = recv (peer_get_fd (peer), block, sizeof block, MSG_DONTWAIT);
    *read += (guint64) MAX (n, 0);
  }
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) || *read > door->limits.linger_bytes)
    drop (door, peer);
}

static void
drop_late (Door *door)
{
  gint64 now = g_get_monotonic_time ();
  g_autoptr (GList) all = g_hash_table_get_keys (door->inside);
  for (GList *each = all; each; each = each->next)
    if (peer_is_late (each->data, now))
      drop (door, each->data);
}

static void
take_back (Door *door)
{
  guint64 times;
  Peer *peer;
  if (read (door->wake, &times, sizeof times) < 0)
    g_debug ("spurious wake-up");
  while ((peer = g_async_queue_try_pop (door->coming)))
    linger (door, peer);
}

static gboolean
is_closed (Door *door)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&door->lock);
  return door->closed;
}

static gpointer
stand (gpointer data)
{
  Door *door = data;
  struct epoll_event events[EVENTS];
  while (!g_atomic_int_get (&door->ended)) {
    int n = epoll_wait (door->epoll, events, EVENTS, TICK);
    gboolean knocks = FALSE;
    for (int i = 0; i < n; i++) {
      Peer *peer = events[i].data.ptr;
      if (peer == (gpointer) door)
        knocks = TRUE;
      else if (!peer)
        take_back (door);
      else if (g_hash_table_contains (door->inside, peer)) {
        gboolean gone = events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
        if (peer_get_state (peer) == PEER_ASKS)
          read_head (door, peer, gone);
        else
          drain (door, peer);
      }
    }
    drop_late (door);
    /* Last, as it may free other peers, and a new one may have the address of an old one. */
    if (knocks && is_closed (door))
      epoll_ctl (door->epoll, EPOLL_CTL_DEL, g_socket_get_fd (door->socket), NULL);
    else if (knocks)
      let_in (door);
  }
  return NULL;
}

gboolean
door_open (Door *door, struct MHD_Daemon *daemon, GError **error)
{
  door->daemon = daemon;
  if (watch (door, door->wake, EPOLLIN, NULL) &&
      watch (door, g_socket_get_fd (door->socket), EPOLLIN, door))
    door->thread = g_thread_try_new ("door", stand, door, error);
  else
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE, "can't wait for connections: %s",
                 g_strerror (errno));
  return door->thread != NULL;
}

static void
wake (Door *door)
{
  const guint64 once = 1;
  if (write (door->wake, &once, sizeof once) < 0)
    g_debug ("wake-up already pending");
}

void
door_close (Door *door)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&door->lock);
  door->closed = TRUE;
}

void
door_take_back (Door *door, Peer *peer)
{
  peer_give_back (peer);
  g_async_queue_push (door->coming, peer);
  wake (door);
}

void
door_free (Door *door)
{
  if (!door)
    return;
  g_atomic_int_set (&door->ended, TRUE);
  if (door->wake >= 0)
    wake (door);
  if (door->thread)
    g_thread_join (door->thread);
  Peer *peer;
  while ((peer = g_async_queue_try_pop (door->coming)))
    peer_free (peer);
  g_autoptr (GList) all = g_hash_table_get_keys (door->inside);
  for (GList *each = all; each; each = each->next)
    drop (door, each->data);
  g_hash_table_unref (door->inside);
  g_async_queue_unref (door->coming);
  g_clear_object (&door->socket);
  if (door->wake >= 0)
    close (door->wake);
  if (door->epoll >= 0)
    close (door->epoll);
  g_mutex_clear (&door->lock);
  g_free (door);
}
