/* The processes that use a cache, so that entries in use are not removed (internal).
 *
 *   <cache>/users/run-…   one per open store, locked by flock() while it is open; its mtime is when the
 *                         store was opened
 *   <cache>/users         mode 0700 in a private cache, unless others may write to the cache: a process
 *                         that may open a file may lock it
 *   <cache>/users/gate    locked shared for lookups, exclusively for removal
 *
 * Entries that were used since the oldest user began are kept. A lookup stamps the entry that it finds with
 * the time, between segue_users_enter() and segue_users_leave(); a removal checks the stamp and removes with the
 * gate closed: either sees the other. A killed run leaves a file without a lock; the next removal
 * also removes that file. */
#pragma once

#include <gio/gio.h>

typedef struct _SegueUsers SegueUsers;

/**
 * segue_users_join: (transfer full): a user of @cache from now on; any thread.
 *
 * Where its file can't be written (a read-only cache, a full disk), it holds the gate open until it
 * quits; where the file system has no locks, nothing prevents removal.
 * %SEGUE_ERROR_RESOURCE where handles or memory ran out, %SEGUE_ERROR_IO where the cache is read-only
 * and another process does not release the gate.
 */
SegueUsers *segue_users_join (const char *cache, GError **error);
/** segue_users_quit: accepts %NULL. */
void segue_users_quit (SegueUsers *users);
/** segue_users_enter: until segue_users_leave(), which must follow soon, nothing is removed.
 * Returns: %FALSE: another process does not release the gate; every lookup counts as a cache miss. */
gboolean segue_users_enter (SegueUsers *users);
void segue_users_leave (SegueUsers *users);

/** segue_users_is_shut: whether the last attempt to lock the gate timed out because of another process. */
gboolean segue_users_is_shut (SegueUsers *users);

/** segue_users_hold_gate: whether @users holds the gate open, so that nothing can be removed until it quits:
 * a removal by the same process would wait for itself. */
gboolean segue_users_hold_gate (SegueUsers *users);

/** SegueLiveUsers: @since: when the oldest of @n users began, in ns; G_MAXINT64: there are none. */
typedef struct {
  guint n;
  gint64 since;
} SegueLiveUsers;

/** segue_users_close_gate: a handle that blocks all lookups until it is closed; -1 on error.
 * @cache: a handle of the folder */
int segue_users_close_gate (int cache, GCancellable *cancellable, GError **error);
/** segue_users_list: the current users.
 * @sweep: the gate is closed: remove the files of killed runs */
SegueLiveUsers segue_users_list (int cache, gboolean sweep);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueUsers, segue_users_quit)
