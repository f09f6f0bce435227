/* Errors: one domain, with one code for each exit status and each way of handling. */
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
 * A message names the place (`file.yaml:line:column` for pipelines, the file for data), the problem
 * and its remedy, in one line without a final full stop.
 */
#define SEGUE_ERROR (segue_error_quark ())

/**
 * SegueErrorCode:
 * @SEGUE_ERROR_FAILED: a failure without a more specific code
 * @SEGUE_ERROR_USAGE: the command line is invalid
 * @SEGUE_ERROR_DATA: this item, file or model is invalid; the same bytes will fail again.  Quarantined
 *   and remembered; the run continues
 * @SEGUE_ERROR_NO_INPUT: a file or folder that the user named does not exist or can't be read
 * @SEGUE_ERROR_UNREACHABLE: a server can't be reached, or offline mode was requested
 * @SEGUE_ERROR_INTERNAL: a bug in segue or in a plugin
 * @SEGUE_ERROR_CANNOT_CREATE: an output folder or file can't be created
 * @SEGUE_ERROR_IO: reading or writing failed: disk full, read-only, device error
 * @SEGUE_ERROR_PIPELINE: the pipeline is invalid; the message contains file:line:column
 * @SEGUE_ERROR_RESOURCE: memory, file handles or processes ran out
 * @SEGUE_ERROR_TIMEOUT: an item took too long; quarantined, but retried by the next run
 * @SEGUE_ERROR_CANCELLED: the user cancelled
 * @SEGUE_ERROR_UNSUPPORTED: this item is in a format that the stage can't read, or crashes it; another
 *   stage type may be able to read it.  Otherwise as %SEGUE_ERROR_DATA
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
 * Whether the current item is the cause of @error (bad data, a timeout), so that the run can continue
 * without it.  Every other error is caused by the environment, ends the run and is never recorded for
 * a file.  Errors of other domains count as environment.
 */
SEGUE_API
gboolean segue_error_is_about_item (const GError *error);

/** segue_error_is_lasting: whether the same bytes will fail again: %SEGUE_ERROR_DATA or
 * %SEGUE_ERROR_UNSUPPORTED. */
SEGUE_API
gboolean segue_error_is_lasting (const GError *error);

/** segue_error_exit_code: the exit status (sysexits) of a command that fails with @error. */
SEGUE_API
int segue_error_exit_code (const GError *error);

/**
 * segue_set_error_from_errno:
 *
 * Sets @error from @err (an errno value) as "@what ‘@path’: reason", with a remedy if a disk is full
 * or a limit is reached.  Codes: ENOENT, EACCES and similar become @missing_code, ENOMEM and EMFILE
 * %SEGUE_ERROR_RESOURCE, the rest %SEGUE_ERROR_IO.  @path may contain any bytes; it is made printable.
 * Always returns %FALSE, so that a caller can `return segue_set_error_from_errno (…)`.
 */
SEGUE_API
gboolean segue_set_error_from_errno (GError **error, int err, SegueErrorCode missing_code,
                                     const char *what, const char *path);

/**
 * SEGUE_ADVICE:
 * @words: the text before the setting: "; use shorter segments with "
 * @setting: "parameter=value" of the stage that reports the message, or "type:parameter=value" of the
 *   nearest stage of another type; may contain format conversions
 *
 * A part of a stage's message (an error, a log line) that names the parameter to change.  A run prints
 * it as "; use shorter segments with --set cut.length=5": an option that can be typed, with the
 * stage's id in this pipeline.  It is omitted if nothing can be set (prediction) or the pipeline has no
 * such stage.  Messages are stored unexpanded: the same result in another pipeline gets the advice for
 * that pipeline.
 */
#define SEGUE_ADVICE(words, setting) "\u27e6" words "\u00a6" setting "\u27e7"

G_END_DECLS
