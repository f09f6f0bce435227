/* What the core and a worker say to each other over a stream socket (internal).
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
 * A worker that its server could not fork opens the stage itself: it gets OPEN before all else.
 *
 * A message is a type, a length and a GVariant of the type's own format; a descriptor may come with
 * it.  Whoever receives takes the other side to be hostile: lengths are bounded before anything is
 * allocated, and a body that is not in normal form is no message.
 */
#pragma once

#include "item/item-form.h"

#include <gio/gio.h>

/* Raised whenever a format changes: a worker of another version is told apart from a broken one. */
#define SEGUE_MESSAGE_VERSION 5
/* Longest body.  Payloads never are in one. */
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
/* the worker's number.  Comes with its end of a socket */
#define SEGUE_FORMAT_FORK "(u)"
/* the worker's number, and whether to wait for its end and tell; else it is killed */
#define SEGUE_FORMAT_END "(ub)"
/* the worker's number, what it ended with, as from waitpid (); -1: it had to be killed */
#define SEGUE_FORMAT_ENDED "(ui)"
/* bytes that the answer's payloads may take.  Comes with the memory for them */
#define SEGUE_FORMAT_ARENA "(t)"
/* id, song, metadata from outside the chain, path, epoch, form (of what it adds to these).  Comes with the
 * open file or its bytes' memory */
#define SEGUE_FORMAT_ITEM "(ss@a{sv}^ayx@" SEGUE_ITEM_FORM ")"
/* type, level, text, done, total, n, value: of a SegueEvent of type LOG, SCALAR or PROGRESS */
#define SEGUE_FORMAT_EVENT "(uusttxd)"
/* bytes of the next payload in the arena: the answer's next buffer, which count from 1 */
#define SEGUE_FORMAT_BUFFER "(t)"
/* whether it is the input itself (nothing else counts then), buffer (0: the input's bytes), form: its origin is
 * 0, the input, or none, its offset in the buffer */
#define SEGUE_FORMAT_EMIT "(bu@" SEGUE_ITEM_FORM ")"
/* counters, metadata keys of the input that were looked at, whether it went well; if not, code and
 * message of the error */
#define SEGUE_FORMAT_DONE "(@a(sx)@asbus)"

/** SegueMessage: @fd: -1: none came along. */
typedef struct {
  SegueMessageType type;
  GVariant *body;
  int fd;
} SegueMessage;

/** SegueWait: how long to wait for the other side, in all that is exchanged with it. */
typedef struct {
  gint64 deadline; /* µs, monotonic; G_MAXINT64: for ever; moves on while the process is stopped */
  GCancellable *cancellable; /* nullable */
  gint64 looked;             /* when the clock was looked at last */
} SegueWait;
#define SEGUE_WAIT_FOR_EVER (&(SegueWait){ .deadline = G_MAXINT64 })

/** segue_wait_begin: for at most @duration µs from now on.  @cancellable: (nullable): borrowed */
SegueWait segue_wait_begin (gint64 duration, GCancellable *cancellable);

/**
 * SegueWire: how an exchange went.
 * @SEGUE_WIRE_CLOSED: the other side is gone
 * @SEGUE_WIRE_NONSENSE: what came is no message
 * @SEGUE_WIRE_BROKEN: this side's own trouble, in errno
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
 * @fd: borrowed; -1: none.  Never raises SIGPIPE. */
SegueWire segue_message_send (int socket, SegueMessageType type, GVariant *body, int fd,
                              SegueWait *wait);
/** segue_message_receive: fills @message, which is cleared by the caller whatever comes back. */
SegueWire segue_message_receive (int socket, SegueMessage *message, SegueWait *wait);

/** segue_message_parse: (transfer full) (nullable): @bytes as the body of a message of @type.
 * @repaired: bring into normal form what is not, for tests; else it is none. */
GVariant *segue_message_parse (guint type, GBytes *bytes, gboolean repaired);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegueMessage, segue_message_clear)
