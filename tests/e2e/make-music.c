/* make-music FOLDER [ARTISTS [SONGS]]: the tests' music, for manual tests. */
#include "music.h"

#include <stdlib.h>

int
main (int argc, char **argv)
{
  if (argc < 2)
    return 64;
  music_write_library (argv[1], argc > 2 ? (guint) atoi (argv[2]) : 3,
                       argc > 3 ? (guint) atoi (argv[3]) : 6);
  return 0;
}
