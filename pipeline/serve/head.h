/* The head of a request, read strictly before the HTTP library reads it leniently.
 *
 * Whatever two programs may understand differently (a proxy in front and this server) is refused: two
 * lengths, a length beside chunks, two hosts, folded lines, lines that end in a bare LF. */
#pragma once

#include <glib.h>

#define HEAD_MAX       (16 * 1024)
#define HEAD_MAX_PARTS 200 /* fields, arguments and cookies */

/**
 * HeadVerdict:
 * @HEAD_PARTIAL: no empty line yet, and nothing wrong so far
 * @HEAD_WHOLE: a request follows the rules
 * @HEAD_BAD: it does not
 * @HEAD_TOO_LARGE: longer than %HEAD_MAX, or of more than %HEAD_MAX_PARTS
 */
typedef enum {
  HEAD_PARTIAL,
  HEAD_WHOLE,
  HEAD_BAD,
  HEAD_TOO_LARGE,
} HeadVerdict;

/** head_judge: @data: what has come of the connection so far, from its beginning. */
HeadVerdict head_judge (const char *data, gsize length);
