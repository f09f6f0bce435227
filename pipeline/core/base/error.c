/* The error domain: the effect of a code on the run and on the exit status. */
#include <errno.h>
#include <segue/host/segue.h>

GQuark
segue_error_quark (void)
{
  return g_quark_from_static_string ("segue-error-quark");
}

gboolean
segue_error_is_about_item (const GError *error)
{
  return segue_error_is_lasting (error) ||
         g_error_matches (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT) ||
         g_error_matches (error, SEGUE_ERROR, SEGUE_ERROR_TIMEOUT);
}

gboolean
segue_error_is_lasting (const GError *error)
{
  return g_error_matches (error, SEGUE_ERROR, SEGUE_ERROR_DATA) ||
         g_error_matches (error, SEGUE_ERROR, SEGUE_ERROR_UNSUPPORTED);
}

int
segue_error_exit_code (const GError *error)
{
  static const int status[] = {
    [SEGUE_ERROR_FAILED] = 1,         [SEGUE_ERROR_USAGE] = 64,       [SEGUE_ERROR_DATA] = 65,
    [SEGUE_ERROR_NO_INPUT] = 66,      [SEGUE_ERROR_UNREACHABLE] = 69, [SEGUE_ERROR_INTERNAL] = 70,
    [SEGUE_ERROR_CANNOT_CREATE] = 73, [SEGUE_ERROR_IO] = 74,          [SEGUE_ERROR_PIPELINE] = 78,
    [SEGUE_ERROR_RESOURCE] = 74,      [SEGUE_ERROR_TIMEOUT] = 65,     [SEGUE_ERROR_CANCELLED] = 130,
    [SEGUE_ERROR_UNSUPPORTED] = 65,
  };
  if (!error)
    return 0;
  if (error->domain != SEGUE_ERROR || error->code < 0 ||
      (gsize) error->code >= G_N_ELEMENTS (status))
    return 1;
  return status[error->code];
}

static SegueErrorCode
code_from_errno (int err, SegueErrorCode missing_code)
{
  switch (err) {
  case ENOENT:
  case ENOTDIR:
  case EISDIR:
  case EACCES:
  case EPERM:
  case ELOOP:
  case ENAMETOOLONG:
    return missing_code;
  case ENOMEM:
  case EMFILE:
  case ENFILE:
  case EAGAIN:
    return SEGUE_ERROR_RESOURCE;
  default:
    return SEGUE_ERROR_IO;
  }
}

/* The meaning of @err and what users can do, where the system's message does not say; or NULL. */
static const char *
advice_for_errno (int err)
{
  switch (err) {
  case ENOSPC:
    return "the disk is full; free some space and run again; finished work is kept";
  case EDQUOT:
    return "the disk quota is exceeded; free some space and run again; finished work is kept";
  case EFBIG:
    return "the file would exceed the file size limit; raise the limit (ulimit -f) and run again; "
           "finished work is kept";
  case EROFS:
    return "the disk is read-only; choose a folder on another disk";
  case EMFILE:
    return "too many open files; raise the limit (ulimit -n 4096) or use fewer workers (-j), and "
           "run again";
  case ENFILE:
    return "too many open files on this system; close other programs and run again";
  case ENOMEM:
    return "not enough memory; close other programs or use fewer workers (-j), and run again";
  case EAGAIN:
    return "system resources are exhausted; close other programs or use fewer workers (-j), and "
           "run again";
  default:
    return NULL;
  }
}

gboolean
segue_set_error_from_errno (GError **error, int err, SegueErrorCode missing_code, const char *what,
                            const char *path)
{
  g_autofree char *shown = g_filename_display_name (path);
  const char *advice = advice_for_errno (err);
  g_set_error (error, SEGUE_ERROR, (int) code_from_errno (err, missing_code), "%s ‘%s’: %s", what,
               shown, advice ? advice : g_strerror (err));
  return FALSE;
}
