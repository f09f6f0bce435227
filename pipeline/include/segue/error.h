/* Errors: one domain, one code per exit status and per way of handling. */
#pragma once

#include <glib.h>
#include <segue/version.h>

G_BEGIN_DECLS

/**
 * SEGUE_ERROR:
 *
 * The domain of every error that segue raises itself.  Libraries never print and never exit: a
 * function that can fail returns %FALSE or %NULL and sets its `GError **` (which may be %NULL).
 *
 * A message names the place (`file.yaml:line:column` for pipelines, the file for data), says what
 * is wrong with it and what to do about it, in one line without a final full stop.
 */
#define SEGUE_ERROR (segue_error_quark ())

/**
 * SegueErrorCode:
 * @SEGUE_ERROR_FAILED: a failure that fits nowhere else
 * @SEGUE_ERROR_USAGE: the command was called in a way that it does not understand
 * @SEGUE_ERROR_DATA: this item, file or model is bad; the same bytes will fail again.  Quarantined
 *   and remembered; the run goes on
 * @SEGUE_ERROR_NO_INPUT: a file or folder that the user named is not there or can't be read
 * @SEGUE_ERROR_UNREACHABLE: a server can't be reached, or offline was asked for
 * @SEGUE_ERROR_INTERNAL: a bug in segue or in a plugin
 * @SEGUE_ERROR_CANNOT_CREATE: an output folder or file can't be made
 * @SEGUE_ERROR_IO: reading or writing failed: disk full, read-only, device error
 * @SEGUE_ERROR_PIPELINE: the pipeline's text is wrong; the message carries file:line:column
 * @SEGUE_ERROR_RESOURCE: memory, file handles or processes ran out
 * @SEGUE_ERROR_TIMEOUT: an item took too long; quarantined, but tried again by the next run
 * @SEGUE_ERROR_CANCELLED: the user asked to stop
 * @SEGUE_ERROR_UNSUPPORTED: this item is in a format that the stage can't read, or crashes it; another
 *   stage type may read it.  Otherwise as %SEGUE_ERROR_DATA
 */
typedef enum {
  SEGUE_ERROR_FAILED,
  SEGUE_ERROR_USAGE,
  SEGUE_ERROR_DATA,
  SEGUE_ERROR_NO_INPUT,
  SEGUE_ERROR_UNREACHABLE,
  SEGUE_ERROR_INTERNAL,
  SEGUE_ERROR_CANNOT_CREATE,
  SEGUE_ERROR_IO,
  SEGUE_ERROR_PIPELINE,
  SEGUE_ERROR_RESOURCE,
  SEGUE_ERROR_TIMEOUT,
  SEGUE_ERROR_CANCELLED,
  SEGUE_ERROR_UNSUPPORTED,
} SegueErrorCode;

SEGUE_API
GQuark segue_error_quark (void);

/**
 * segue_error_is_about_item:
 *
 * Whether @error says something about the item at hand (bad data, a time-out), so that the run can
 * go on without it.  Everything else is about the environment, ends the run and is never
 * remembered against a file.  Errors of other domains count as environment.
 */
SEGUE_API
gboolean segue_error_is_about_item (const GError *error);

/** segue_error_is_lasting: whether the same bytes will fail again: %SEGUE_ERROR_DATA and
 * %SEGUE_ERROR_UNSUPPORTED. */
SEGUE_API
gboolean segue_error_is_lasting (const GError *error);

/** segue_error_exit_code: the exit status (sysexits) that a command ends with for @error. */
SEGUE_API
int segue_error_exit_code (const GError *error);

/**
 * segue_set_error_from_errno:
 *
 * Sets @error from @err (an errno value) as "@what ‘@path’: reason", with what to do where a disk is
 * full or a limit is reached, and the code that fits: ENOENT, EACCES and the like become
 * @missing_code, ENOMEM and EMFILE %SEGUE_ERROR_RESOURCE, the rest %SEGUE_ERROR_IO.  @path may hold any
 * bytes; it is made printable.  Always returns %FALSE,
 * so that a caller can `return segue_set_error_from_errno (…)`.
 */
SEGUE_API
gboolean segue_set_error_from_errno (GError **error, int err, SegueErrorCode missing_code,
                                     const char *what, const char *path);

/**
 * SEGUE_ADVICE:
 * @words: what leads to the setting: "; use shorter segments with "
 * @setting: "parameter=value" of the stage that speaks, or "type:parameter=value" of the nearest stage
 *   of another type; may hold the conversions of a format
 *
 * A part of a stage's message (an error, a log line) that says which parameter to change.  In a run
 * it reads "; use shorter segments with --set cut.length=5": an option that can be typed, with the
 * stage's id in this pipeline.  Where nothing can be set (prediction), or the pipeline has no such
 * stage, it is left out.  Messages are kept as they are: the same result in another pipeline has the
 * advice for that one.
 */
#define SEGUE_ADVICE(words, setting) "\u27e6" words "\u00a6" setting "\u27e7"

G_END_DECLS
