/* Answers, with the headers that say to a browser what it may do with them. */
#pragma once

#include "problem.h"

#include <microhttpd.h>

/**
 * ReplyPolicy: what the document may do.
 * @REPLY_DATA: nothing: JSON
 * @REPLY_PAGE: our page: its own scripts, styles and requests, and songs that the user gave it
 * @REPLY_REPORT: a run's report, which may be a stranger's: it may run its scripts, but as of an
 *   origin of its own, which may ask this server nothing, and loads nothing but its own files
 */
typedef enum {
  REPLY_DATA,
  REPLY_PAGE,
  REPLY_REPORT,
} ReplyPolicy;

/* Each queues the answer; %MHD_NO where the connection has to be closed. */

/** reply_response: takes @response (nullable: there was no memory for it). */
enum MHD_Result reply_response (struct MHD_Connection *connection, guint status,
                                struct MHD_Response *response, const char *type,
                                ReplyPolicy policy);
/** reply_json: takes @text. */
enum MHD_Result reply_json (struct MHD_Connection *connection, guint status, char *text);
/** reply_problem: @message: (nullable).
 * @allow: (nullable): methods, where the method is the problem */
enum MHD_Result reply_problem (struct MHD_Connection *connection, ProblemKind problem,
                               const char *message, const char *allow);
/** reply_bytes: @bytes outlive the server. */
enum MHD_Result reply_bytes (struct MHD_Connection *connection, GBytes *bytes, const char *type);
/** reply_file: takes @fd, of a regular file of a report; all of it, or the range that was asked for.
 * @own: (nullable): host and folder of the report's files */
enum MHD_Result reply_file (struct MHD_Connection *connection, int fd, const char *type,
                            const char *own);

/** ReplyRange: @first up to @last, both included. */
typedef struct {
  guint64 first, last;
} ReplyRange;

/** reply_parse_range: @header: `bytes=FIRST-LAST`, `bytes=FIRST-` or `bytes=-COUNT`.  %FALSE: not of
 * this form, or not within @size: all of it is sent. */
gboolean reply_parse_range (const char *header, guint64 size, ReplyRange *range);
