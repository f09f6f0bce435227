/* What a worker made of one item: put together by the worker, taken apart by the core (internal).
 *
 * The worker says it at the end, all at once: a worker that dies on its way has said nothing that
 * would have to be taken back.  Items whose bytes overlap lie in one buffer, as they did in the
 * worker, and items that are slices of the input stay so: what comes of an isolated stage is, to the
 * byte, what would have come of it in-process.
 *
 * The core takes every word of it to be hostile. */
#pragma once

#include "isolate/message.h"
#include "isolate/shared-arena.h"
#include "item/item-private.h"
#include "stage/context-private.h"

/* Most items that one may become. */
#define SEGUE_ANSWER_MAX_ITEMS (256 * 1024)
/* Most bytes of all messages of an answer: everything but payloads, so ids, metadata, counters, what
 * was looked at, lines of log, scalars, progress. */
#define SEGUE_ANSWER_MAX_TEXT (16 * 1024 * 1024)
/* Most metadata keys of an item, counters, and keys of the input that were looked at. */
#define SEGUE_ANSWER_MAX_KEYS   256
#define SEGUE_ANSWER_MAX_COUNTS 64
#define SEGUE_ANSWER_MAX_READS  1024
/* Most events; of the lines of log among them those that are passed on, and the bytes of each. */
#define SEGUE_ANSWER_MAX_EVENTS 10000
#define SEGUE_ANSWER_MAX_LINES  200
#define SEGUE_ANSWER_MAX_LINE   1024

/**
 * segue_answer_send: (worker)
 * @arena: for the payloads
 * @outputs: (nullable) (element-type SegueItem): what @input became; %NULL: it failed with @failure
 * @counts: of stage 0
 */
SegueWire segue_answer_send (int socket, SegueSharedArena *arena, SegueItem *input,
                             GPtrArray *outputs, const GError *failure, SegueReads *reads,
                             SegueCounts *counts, SegueWait *wait);
/** segue_answer_send_failure: (worker): the stage could not even be opened. */
SegueWire segue_answer_send_failure (int socket, const GError *failure, SegueWait *wait);

/** SegueAnswer: (core): an answer on its way. */
typedef struct {
  SegueItem *input;       /* NULL: nothing was asked yet */
  gboolean quiet;         /* what is only reported is not passed on */
  SegueSharedArena arena; /* for the payloads; none: nothing was asked yet */
  gsize text;             /* bytes of messages so far */
  guint n_events;         /* lines of log and the like so far */
  guint n_lines;          /* lines of log so far */
  GArray *places;         /* Place: of the payloads in the arena */
  GPtrArray *buffers;     /* GBytes: the payloads, once the first item has come */
  GPtrArray *items;       /* SegueItem */
  gboolean done;          /* all was said */
  GVariant *counts;       /* a(sx), once done */
  GVariant *reads;        /* as, once done */
  GError *failure;        /* nullable: why it went wrong, as the stage said */
  GError *environment;    /* nullable: this process can't take the answer */
} SegueAnswer;

/** segue_answer_init: @input: (nullable): borrowed.  The arena is for the caller to make. */
void segue_answer_init (SegueAnswer *answer, SegueItem *input);
void segue_answer_clear (SegueAnswer *answer);
/** segue_answer_take: the next message.  What is only reported goes to @context.  %FALSE with @why
 * (static) where it makes no sense, or with `environment` set. */
gboolean segue_answer_take (SegueAnswer *answer, SegueMessage *message, SegueContext *context,
                            const char **why);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegueAnswer, segue_answer_clear)
