/* The question to a worker: an item, with its file or its bytes (internal). */
#pragma once

#include "isolate/message.h"
#include "isolate/shared-arena.h"
#include "item/item-private.h"

/** segue_question_send: sends @item for processing. @arena: for the answer. @epoch: as in
 * #SegueContext. %FALSE with @error (and @wire OK) if the item can't be sent at all: its file is
 * gone, there is no memory. */
gboolean segue_question_send (int socket, const SegueSharedArena *arena, SegueItem *item,
                              gint64 epoch, SegueWait *wait, SegueWire *wire, GError **error);

/** segue_question_receive: the next question: @arena, and the @message with the item. %FALSE: the
 * socket was closed, or the message is not a question. The caller clears both in any case. */
gboolean segue_question_receive (int socket, SegueSharedArena *arena, SegueMessage *message,
                                 SegueWait *wait);

/** segue_question_read: (transfer full): the item of @message, whose descriptor it takes. Reads of
 * its metadata are recorded in @reads. %NULL with @error if the message is invalid. */
SegueItem *segue_question_read (SegueMessage *message, SegueReads *reads, gint64 *epoch,
                                GError **error);
