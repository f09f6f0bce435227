/* What a worker gives up before it looks at anybody's file.
 *
 * Each layer is there where the platform has it, and any of them alone stops most of what a decoder that
 * was taken over would try: docs/reliability.md has the table.  The line that sandbox_lock () returns says
 * what holds, and what this system does not have. */
#pragma once

#include <glib.h>

/* The socket to the parent. */
#define SANDBOX_SOCKET 3

/* A sanitizer reserves terabytes of addresses, and reads files to say what it found. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANDBOX_HAS_SANITIZER 1
#endif
#endif

/** sandbox_begin: what holds from the first moment on.
 * @namespaces: (nullable): those that the parent could give this process, for the note; static */
void sandbox_begin (const char *namespaces);
/** sandbox_prepare: as #SegueWorkerHooks: once for this process and all that it forks.
 * @readable: empty: no file can be opened once locked */
void sandbox_prepare (GPtrArray *readable);
/** sandbox_lock: as #SegueWorkerHooks; called by the thread that will do the work. */
char *sandbox_lock (guint64 memory);

/* The layers.  @how: (out) (transfer full): what holds; with %FALSE: why it is not there. */

/** limits_lock: memory, sizes of files, descriptors, threads. */
gboolean limits_lock (guint64 memory, gboolean own_users, char **how);
/** identity_lock: root becomes nobody, where it has no files to open; else it gives up its
 * capabilities. */
gboolean identity_lock (gboolean reads, char **how);
/** landlock_lock: reading is limited to @readable, and writing denied. */
void landlock_prepare (GPtrArray *readable);
gboolean landlock_lock (char **how);
/** calls_lock: no system calls but those of decoding.
 * @reads: files may be opened to be read */
void calls_prepare (gboolean reads);
gboolean calls_lock (char **how);
