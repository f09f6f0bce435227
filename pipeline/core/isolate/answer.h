/* A worker's answer for one item: written by the worker, parsed by the core (internal).
 *
 * The worker sends it at the end, all at once: from a worker that dies before that, there is
 * nothing to undo. Items whose bytes overlap share one buffer, as they did in the worker, and
 * items that are slices of the input stay slices: the output of an isolated stage is, to the byte,
 * the output that it would have in-process.
 *
 * The core trusts no part of it. */
#pragma once

#include "isolate/message.h"
#include "isolate/shared-arena.h"
#include "item/item-private.h"
#include "stage/context-private.h"

/* Maximum number of items from one item. */
#define SEGUE_ANSWER_MAX_ITEMS (256 * 1024)
/* Maximum bytes of all messages of an answer: everything but payloads, so ids, metadata, counters,
 * names of metadata read, log lines, scalars, progress. */
#define SEGUE_ANSWER_MAX_TEXT (16 * 1024 * 1024)
/* Maximum numbers of metadata keys of an item, counters, and keys of the input that were read. */
#define SEGUE_ANSWER_MAX_KEYS   256
#define SEGUE_ANSWER_MAX_COUNTS 64
#define SEGUE_ANSWER_MAX_READS  1024
/* Maximum number of events; of log lines that are passed on, and the bytes of each. */
#define SEGUE_ANSWER_MAX_EVENTS 10000
#define SEGUE_ANSWER_MAX_LINES  200
#define SEGUE_ANSWER_MAX_LINE   1024

/**
 * segue_answer_send: (worker)
 * @arena: for the payloads
 * @outputs: (nullable) (element-type SegueItem): the output for @input; %NULL: it failed with
 *   @failure
 * @counts: of stage 0
 */
SegueWire segue_answer_send (int socket, SegueSharedArena *arena, SegueItem *input,
                             GPtrArray *outputs, const GError *failure, SegueReads *reads,
                             SegueCounts *counts, SegueWait *wait);
/** segue_answer_send_failure: (worker): the stage could not be opened. */
SegueWire segue_answer_send_failure (int socket, const GError *failure, SegueWait *wait);

/** SegueAnswer: (core): an answer that is being received. */
typedef struct {
  SegueItem *input;       /* NULL: no question was sent yet */
  gboolean quiet;         /* events are not passed on */
  SegueSharedArena arena; /* for the payloads; none: no question was sent yet */
  gsize text;             /* bytes of messages so far */
  guint n_events;         /* log lines and other events so far */
  guint n_lines;          /* log lines so far */
  GArray *places;         /* Place: of the payloads in the arena */
  GPtrArray *buffers;     /* GBytes: the payloads, once the first item has arrived */
  GPtrArray *items;       /* SegueItem */
  gboolean done;          /* the answer is complete */
  GVariant *counts;       /* a(sx), once done */
  GVariant *reads;        /* as, once done */
  GError *failure;        /* nullable: the stage's error */
  GError *environment;    /* nullable: this process can't take the answer */
} SegueAnswer;

/** segue_answer_init: @input: (nullable): borrowed. The caller creates the arena. */
void segue_answer_init (SegueAnswer *answer, SegueItem *input);
void segue_answer_clear (SegueAnswer *answer);
/** segue_answer_take: the next message. Events go to @context. %FALSE with @why (static) if it is
 * invalid, or with `environment` set. */
gboolean segue_answer_take (SegueAnswer *answer, SegueMessage *message, SegueContext *context,
                            const char **why);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegueAnswer, segue_answer_clear)
