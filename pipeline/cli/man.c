/* Prints the man page; run when segue is built. */
#include "cli.h"

int
main (void)
{
  g_autofree char *page = segue_help_man ();
  return fputs (page, stdout) == EOF || fflush (stdout) != 0;
}
