/* What a compromised decoder might do with its rights, by system call. */
#pragma once

#include <glib.h>

/* Layers of the sandbox that each stop a deed. */
typedef enum {
  BY_CALLS = 1 << 0,
  BY_FILES = 1 << 1, /* Landlock */
  BY_NAMESPACES = 1 << 2,
  BY_LIMITS = 1 << 3,
  BY_START = 1 << 4, /* the way the process is started: its descriptors, environment and session */
} Layers;

/** Deed:
 * @what: effect on people's data, for the table in docs/reliability.md; NULL: as in the row before
 * @call: by name, else NULL: @words is complete
 * @number: of a call whose name libseccomp may not know
 * @words: for evil.c; `VICTIM`: a file with a secret, `FOLDER`: its folder, `LINK`: a link to it,
 * `PARENT`: a process, `MEMORY`, `QUEUE`: of System V, `SOCKET`: a socket with a name, `NEW`: a name */
typedef struct {
  const char *what;
  Layers stopped_by;
  const char *call;
  int number;
  const char *words;
} Deed;

extern const Deed deeds[];
extern const guint n_deeds;
