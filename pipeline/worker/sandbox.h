/* The sandbox: privileges that a worker drops before it reads an untrusted file.
 *
 * Each layer is used if the platform supports it, and any of them alone stops most of what a compromised
 * decoder would try: docs/reliability.md has the table. The line that sandbox_lock () returns lists the
 * active layers, and those that this system does not have. */
#pragma once

#include <glib.h>

/* The socket to the parent. */
#define SANDBOX_SOCKET 3

/* A sanitizer reserves terabytes of addresses, and reads files for its reports. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANDBOX_HAS_SANITIZER 1
#endif
#endif

/** sandbox_begin: applies the restrictions that hold from the start.
 * @namespaces: (nullable): those that the parent could create for this process, for the report; static */
void sandbox_begin (const char *namespaces);
/** sandbox_prepare: as #SegueWorkerHooks: once for this process and all its forks.
 * @readable: empty: no file can be opened once locked */
void sandbox_prepare (GPtrArray *readable);
/** sandbox_lock: as #SegueWorkerHooks; called by the thread that will do the work. */
char *sandbox_lock (guint64 memory);

/* The layers. @how: (out) (transfer full): what is active; with %FALSE: why it is not. */

/** limits_lock: limits of memory, file sizes, descriptors, threads. */
gboolean limits_lock (guint64 memory, gboolean own_users, char **how);
/** identity_lock: root becomes the user nobody, if it has no files to open; else it drops its
 * capabilities. */
gboolean identity_lock (gboolean reads, char **how);
/** landlock_lock: limits reading to @readable, and denies writing. */
void landlock_prepare (GPtrArray *readable);
gboolean landlock_lock (char **how);
/** calls_lock: allows only the system calls of decoding.
 * @reads: files may be opened for reading */
void calls_prepare (gboolean reads);
gboolean calls_lock (char **how);
