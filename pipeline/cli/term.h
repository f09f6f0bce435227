/* An output stream that may be a terminal: its width, colours, and text that is safe to print
 * there. */
#pragma once

#include <segue/json.h>
#include <stdio.h>

/**
 * SegueTerm:
 * @descriptor: the file descriptor of @stream
 * @problem: errno of the first write that failed, or 0
 * @columns: width; 80 if unknown
 * @tty: a terminal that can move its cursor (not TERM=dumb)
 * @colour: @tty and no $NO_COLOR
 * @unicode: the locale can show more than ASCII
 */
typedef struct {
  FILE *stream;
  int descriptor;
  int problem;
  guint columns;
  gboolean tty;
  gboolean colour;
  gboolean unicode;
} SegueTerm;

typedef enum {
  SEGUE_STYLE_BOLD,
  SEGUE_STYLE_DIM,
  SEGUE_STYLE_RED,
  SEGUE_STYLE_GREEN,
  SEGUE_STYLE_YELLOW,
  SEGUE_STYLE_CYAN,
} SegueStyle;

/** segue_term_guard_descriptors: call it before opening any file: opens those of stdin, stdout and
 * stderr that are closed (`>&-`), so that no other file gets their numbers. Then reads of stdin
 * and writes to stdout fail; writes to stderr are discarded. */
void segue_term_guard_descriptors (void);
/** segue_term_init: @descriptor: to write to; from now on use only the term's stream. @term must
 * not move in memory. */
void segue_term_init (SegueTerm *term, int descriptor);
/** segue_term_flush: whether all output was written; else %SEGUE_ERROR_IO with the reason of the
 * first write that failed. One thread at a time. */
gboolean segue_term_flush (SegueTerm *term, GError **error);
/** segue_term_measure: reads the width again, as windows can be resized. */
void segue_term_measure (SegueTerm *term);

/** segue_term_style, segue_term_reset: escape sequences, or "" without colour. */
const char *segue_term_style (const SegueTerm *term, SegueStyle style);
const char *segue_term_reset (const SegueTerm *term);

/** segue_text_printable: (transfer full): @text (any bytes) as valid UTF-8 in one line, control
 * characters escaped, so that a file's name can't control the terminal. */
char *segue_text_printable (const char *text);
/** segue_json_printable: (transfer full): JSON text of the same meaning, safe to print likewise. */
char *segue_json_printable (const char *json);
/** segue_term_print_json: prints @document (transfer full) with @flags of segue_json_print(), made printable, and a
 * line end. */
void segue_term_print_json (const SegueTerm *term, json_t *document, gsize flags);
/** segue_text_width: columns that UTF-8 @text takes: wide characters two, combining ones none. */
guint segue_text_width (const char *text);
/** segue_text_clip: (transfer full): @text shortened to @columns with an ellipsis at the end. */
char *segue_text_clip (const char *text, guint columns, gboolean unicode);
/** segue_text_append_padded: @text, then spaces up to @columns. */
void segue_text_append_padded (GString *out, const char *text, guint columns);
/** segue_text_append_wrapped: words of @text in lines of at most @columns, each line after the
 * first indented by @indent; the cursor is at @indent already. Ends with a line break. */
void segue_text_append_wrapped (GString *out, const char *text, guint indent, guint columns);
