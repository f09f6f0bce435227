/* segue: the entry point. */
#include "cli.h"

#include <malloc.h>

/* Segments come and go by the thousand. Without these limits, glibc returns their memory to the system each time, which
 * then clears new pages: a tenth of a run's time. */
#define KEPT_BLOCK (32 << 20)
#define KEPT_FREE  (128 << 20)

int
main (int argc, char **argv)
{
#ifdef M_TRIM_THRESHOLD
  mallopt (M_MMAP_THRESHOLD, KEPT_BLOCK);
  mallopt (M_TRIM_THRESHOLD, KEPT_FREE);
#endif
  return segue_cli_main (argc, argv);
}
