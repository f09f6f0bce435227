/* The error domain: what a code means for the run and for the exit status. */
#include <errno.h>
#include <segue/error.h>

GQuark
segue_error_quark (void)
{
  return g_quark_from_static_string ("segue-error-quark");
}

gboolean
segue_error_is_about_item (const GError *error)
{
  return error && error->domain == SEGUE_ERROR &&
         (error->code == SEGUE_ERROR_DATA || error->code == SEGUE_ERROR_NO_INPUT ||
          error->code == SEGUE_ERROR_TIMEOUT);
}

int
segue_error_exit_code (const GError *error)
{
  static const int status[] = {
    [SEGUE_ERROR_FAILED] = 1,         [SEGUE_ERROR_USAGE] = 64,       [SEGUE_ERROR_DATA] = 65,
    [SEGUE_ERROR_NO_INPUT] = 66,      [SEGUE_ERROR_UNREACHABLE] = 69, [SEGUE_ERROR_INTERNAL] = 70,
    [SEGUE_ERROR_CANNOT_CREATE] = 73, [SEGUE_ERROR_IO] = 74,          [SEGUE_ERROR_PIPELINE] = 78,
    [SEGUE_ERROR_RESOURCE] = 74,      [SEGUE_ERROR_TIMEOUT] = 65,     [SEGUE_ERROR_CANCELLED] = 130,
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

gboolean
segue_set_error_from_errno (GError **error, int err, SegueErrorCode missing_code, const char *what,
                            const char *path)
{
  g_autofree char *shown = g_filename_display_name (path);
  g_set_error (error, SEGUE_ERROR, (int) code_from_errno (err, missing_code), "%s ‘%s’: %s", what,
               shown, g_strerror (err));
  return FALSE;
}
