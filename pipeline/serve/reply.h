/* Answers, with the headers that tell a browser what it may do with them. */
#pragma once

#include "problem.h"

#include <microhttpd.h>

/**
 * ReplyPolicy: what the document may do.
 * @REPLY_DATA: nothing: JSON
 * @REPLY_PAGE: our page: its own scripts, styles and requests, and songs that the user gave it
 * @REPLY_REPORT: a run's report, which may be untrusted: it may run its scripts, but in a separate
 *   origin, which may send no requests to this server, and loads only its own files
 */
typedef enum {
  REPLY_DATA,
  REPLY_PAGE,
  REPLY_REPORT,
} ReplyPolicy;

/* Each queues the answer; %MHD_NO if the connection has to be closed. */

/** reply_response: takes @response (nullable: out of memory). */
enum MHD_Result reply_response (struct MHD_Connection *connection, guint status,
                                struct MHD_Response *response, const char *type,
                                ReplyPolicy policy);
/** reply_json: takes @text. */
enum MHD_Result reply_json (struct MHD_Connection *connection, guint status, char *text);
/** reply_problem: @message: (nullable).
 * @allow: (nullable): allowed methods, if the method is the problem */
enum MHD_Result reply_problem (struct MHD_Connection *connection, ProblemKind problem,
                               const char *message, const char *allow);
/** reply_bytes: @bytes have to outlive the server. */
enum MHD_Result reply_bytes (struct MHD_Connection *connection, GBytes *bytes, const char *type);
/** reply_file: takes @fd, of a regular file of a report; sends all of it, or the requested range.
 * @own: (nullable): host and folder of the report's files */
enum MHD_Result reply_file (struct MHD_Connection *connection, int fd, const char *type,
                            const char *own);

/** reply_song: takes @fd, of a regular file of audio. */
enum MHD_Result reply_song (struct MHD_Connection *connection, int fd, const char *type);

/** ReplyRange: from @first to @last, inclusive. */
typedef struct {
  guint64 first, last;
} ReplyRange;

/** reply_parse_range: @header: `bytes=FIRST-LAST`, `bytes=FIRST-` or `bytes=-COUNT`. %FALSE: not of
 * this form, or not within @size: all of it is sent. */
gboolean reply_parse_range (const char *header, guint64 size, ReplyRange *range);
