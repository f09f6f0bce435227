/* Starts a worker's program with as little of this process as possible (internal). */
#pragma once

#include <sys/types.h>

/** segue_worker_spawn: starts the program at @path in a separate session and, if the system allows
 * it, in separate namespaces, with @socket as descriptor 3, @words as its stderr, /dev/null as its
 * stdin and stdout, and nothing else of this process: no descriptor, no handler, no blocked signal,
 * no terminal, and of the environment only what is needed. Returns 0 or an errno.
 * @socket, @words: above 3 */
int segue_worker_spawn (const char *path, int socket, int words, pid_t *pid);
