/* The protocol between the core and a worker, over a stream socket (internal).
 *
 *   core                                    fork server
 *   OPEN plugin, stage, parameters   ──►
 *                                    ◄──   EVENT*, READY     or EVENT*, DONE (why not)
 *   FORK + a worker's socket         ──►
 *   END that worker                  ──►
 *                                    ◄──   ENDED with what
 *
 *   core                                    worker
 *                                    ◄──   EVENT*, READY     or EVENT*, DONE (why not)
 *   ARENA + memory for the answer,
 *   ITEM + its file or memory        ──►
 *                                    ◄──   EVENT*, BUFFER*, EMIT*, DONE
 *   ARENA …
 *
 * A worker that its server could not fork opens the stage itself: it gets OPEN first.
 *
 * A message is a type, a length and a GVariant of the type's own format; a descriptor may come with
 * it. The receiver treats the other side as untrusted: it checks lengths before it allocates, and
 * rejects a body that is not in normal form.
 */
#pragma once

#include "item/item-form.h"

#include <gio/gio.h>

/* Incremented whenever a format changes, so that a worker of another version can be distinguished
 * from a broken one. */
#define SEGUE_MESSAGE_VERSION 5
/* Maximum size of a body, in bytes. Bodies never contain payloads. */
#define SEGUE_MESSAGE_MAX (1024 * 1024)

typedef enum {
  SEGUE_MESSAGE_OPEN,
  SEGUE_MESSAGE_READY,
  SEGUE_MESSAGE_FORK,
  SEGUE_MESSAGE_END,
  SEGUE_MESSAGE_ENDED,
  SEGUE_MESSAGE_ARENA,
  SEGUE_MESSAGE_ITEM,
  SEGUE_MESSAGE_EVENT,
  SEGUE_MESSAGE_BUFFER,
  SEGUE_MESSAGE_EMIT,
  SEGUE_MESSAGE_DONE,
} SegueMessageType;

/* version, whether to be a fork server, plugin's file, stage type, stage id, parameters as JSON,
 * its own seed, the run's, bytes of memory that a worker may have */
#define SEGUE_FORMAT_OPEN "(ub^aysssxtt)"
/* version; of a server: whether its workers have the stage open */
#define SEGUE_FORMAT_READY "(ub)"
/* the worker's number. Comes with its end of a socket */
#define SEGUE_FORMAT_FORK "(u)"
/* the worker's number, and whether to wait for its end and report it; else it is killed */
#define SEGUE_FORMAT_END "(ub)"
/* the worker's number, its exit status, as from waitpid (); -1: it had to be killed */
#define SEGUE_FORMAT_ENDED "(ui)"
/* bytes that the answer's payloads may take. Comes with the memory for them */
#define SEGUE_FORMAT_ARENA "(t)"
/* id, song, metadata from outside the chain, path, epoch, form (of what it adds to these). Comes with the
 * open file or its bytes' memory */
#define SEGUE_FORMAT_ITEM "(ss@a{sv}^ayx@" SEGUE_ITEM_FORM ")"
/* type, level, text, done, total, n, value: of a SegueEvent of type LOG, SCALAR or PROGRESS */
#define SEGUE_FORMAT_EVENT "(uusttxd)"
/* bytes of the next payload in the arena: the answer's next buffer, which count from 1 */
#define SEGUE_FORMAT_BUFFER "(t)"
/* whether it is the input itself (then the rest is ignored), buffer (0: the input's bytes), form:
 * its origin is 0, the input, or none, its offset in the buffer */
#define SEGUE_FORMAT_EMIT "(bu@" SEGUE_ITEM_FORM ")"
/* counters, metadata keys of the input that were read, whether it succeeded; if not, code and
 * message of the error */
#define SEGUE_FORMAT_DONE "(@a(sx)@asbus)"

/** SegueMessage: @fd: -1: none was sent. */
typedef struct {
  SegueMessageType type;
  GVariant *body;
  int fd;
} SegueMessage;

/** SegueWait: how long to wait for the other side, over a whole exchange. */
typedef struct {
  gint64 deadline; /* µs, monotonic; G_MAXINT64: no limit; extended while the process is stopped */
  GCancellable *cancellable; /* nullable */
  gint64 looked;             /* when the clock was read last */
} SegueWait;
#define SEGUE_WAIT_FOR_EVER (&(SegueWait){ .deadline = G_MAXINT64 })

/** segue_wait_begin: for at most @duration µs from now. @cancellable: (nullable): borrowed */
SegueWait segue_wait_begin (gint64 duration, GCancellable *cancellable);

/**
 * SegueWire: the result of an exchange.
 * @SEGUE_WIRE_CLOSED: the other side has closed its socket
 * @SEGUE_WIRE_NONSENSE: an invalid message was received
 * @SEGUE_WIRE_BROKEN: an error on this side, in errno
 */
typedef enum {
  SEGUE_WIRE_OK,
  SEGUE_WIRE_CLOSED,
  SEGUE_WIRE_LATE,
  SEGUE_WIRE_CANCELLED,
  SEGUE_WIRE_NONSENSE,
  SEGUE_WIRE_BROKEN,
} SegueWire;

/** segue_message_clear: closes the descriptor, too. */
void segue_message_clear (SegueMessage *message);
/** segue_message_send: @body: sunk; longer than %SEGUE_MESSAGE_MAX: BROKEN with EMSGSIZE.
 * @fd: borrowed; -1: none. Never raises SIGPIPE. */
SegueWire segue_message_send (int socket, SegueMessageType type, GVariant *body, int fd,
                              SegueWait *wait);
/** segue_message_receive: fills @message, which the caller clears in any case. */
SegueWire segue_message_receive (int socket, SegueMessage *message, SegueWait *wait);

/** segue_message_parse: (transfer full) (nullable): @bytes as the body of a message of @type.
 * @repaired: convert a body that is not in normal form, for tests; else the result is %NULL. */
GVariant *segue_message_parse (guint type, GBytes *bytes, gboolean repaired);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegueMessage, segue_message_clear)
