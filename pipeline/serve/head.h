/* The head of a request, read strictly before the HTTP library reads it leniently.
 *
 * Rejects whatever two programs (a proxy in front and this server) may interpret differently: two
 * lengths, a length together with chunks, two hosts, folded lines, lines that end in a bare LF. */
#pragma once

#include <glib.h>

#define HEAD_MAX       (16 * 1024)
#define HEAD_MAX_PARTS 200 /* fields, arguments and cookies */

/**
 * HeadVerdict:
 * @HEAD_PARTIAL: no empty line yet, and no error so far
 * @HEAD_WHOLE: a complete, valid request
 * @HEAD_BAD: an invalid request
 * @HEAD_TOO_LARGE: longer than %HEAD_MAX, or of more than %HEAD_MAX_PARTS
 */
typedef enum {
  HEAD_PARTIAL,
  HEAD_WHOLE,
  HEAD_BAD,
  HEAD_TOO_LARGE,
} HeadVerdict;

/** head_judge: @data: the data of the connection so far, from its beginning. */
HeadVerdict head_judge (const char *data, gsize length);
