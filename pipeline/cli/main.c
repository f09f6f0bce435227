/* segue: the entry point. */
#include "cli.h"

int
main (int argc, char **argv)
{
  return segue_cli_main (argc, argv);
}
