/* Errors, for everyone: one domain, with one code for each exit status and each way of handling.
 *
 * Libraries never print and never exit: a function that can fail returns %FALSE or %NULL and sets its `GError **`
 * (which may be %NULL). A message names the place (`file.yaml:line:column` for pipelines, the file for data), the
 * problem and its remedy, in one line without a final full stop.
 */
#pragma once

#include <glib.h>
#include <segue/version.h>

G_BEGIN_DECLS

/** SEGUE_ERROR: the domain of every error that segue raises itself. */
#define SEGUE_ERROR (segue_error_quark ())

typedef enum {
  SEGUE_ERROR_FAILED,        /* a failure without a more specific code */
  SEGUE_ERROR_USAGE,         /* the command line is invalid */
  SEGUE_ERROR_DATA,          /* this item, file or model is invalid: quarantined, remembered */
  SEGUE_ERROR_NO_INPUT,      /* a file or folder that the user named can't be read */
  SEGUE_ERROR_UNREACHABLE,   /* a server can't be reached, or offline mode was requested */
  SEGUE_ERROR_INTERNAL,      /* a bug in segue or in a plugin */
  SEGUE_ERROR_CANNOT_CREATE, /* an output folder or file can't be created */
  SEGUE_ERROR_IO,            /* reading or writing failed: disk full, read-only, device error */
  SEGUE_ERROR_PIPELINE,      /* the pipeline is invalid; the message contains file:line:column */
  SEGUE_ERROR_RESOURCE,      /* memory, file handles or processes ran out */
  SEGUE_ERROR_TIMEOUT,       /* an item took too long: quarantined, but retried by the next run */
  SEGUE_ERROR_CANCELLED,     /* the user cancelled */
  SEGUE_ERROR_UNSUPPORTED,   /* as DATA, but a stage of another type may be able to read the item */
} SegueErrorCode;

SEGUE_API GQuark segue_error_quark (void);

/** segue_error_is_about_item: whether the current item is the cause of @error (bad data, a timeout), so that the run
 * can continue without it. All other errors, and those of other domains, are caused by the environment: they end the
 * run and are never recorded for a file. */
SEGUE_API gboolean segue_error_is_about_item (const GError *error);
/** segue_error_is_lasting: whether the same bytes will fail again: %SEGUE_ERROR_DATA, %SEGUE_ERROR_UNSUPPORTED. */
SEGUE_API gboolean segue_error_is_lasting (const GError *error);

/** segue_set_error_from_errno: sets @error from @err (an errno value) as "@what ‘@path’: reason", with a remedy if a
 * disk is full or a limit is reached. ENOENT, EACCES and similar become @missing_code, ENOMEM and EMFILE
 * %SEGUE_ERROR_RESOURCE, the rest %SEGUE_ERROR_IO. @path: any bytes; made printable. Returns %FALSE. */
SEGUE_API gboolean segue_set_error_from_errno (GError **error, int err, SegueErrorCode missing_code,
                                               const char *what, const char *path);

/** SEGUE_ADVICE: the part of a stage's message (an error, a log line) that names the parameter to change.
 * @words: the text before the setting: "; use shorter segments with "
 * @setting: "parameter=value" of the stage that reports the message, or "type:parameter=value" of the nearest stage of
 *   another type; may contain format conversions
 *
 * A run prints it as "; use shorter segments with --set cut.length=5", with the stage's id in the current pipeline, also
 * from the cache. It is omitted where nothing can be set (prediction), or if the pipeline has no such stage. */
#define SEGUE_ADVICE(words, setting) "\u27e6" words "\u00a6" setting "\u27e7"

G_END_DECLS
