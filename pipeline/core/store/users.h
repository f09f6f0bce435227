/* Who uses a cache, so that nothing is removed that somebody needs (internal).
 *
 *   <cache>/users/run-…   one per open store, locked by flock() for as long as it is open; its mtime is
 *                         when the store was opened
 *   <cache>/users         mode 0700 in a cache of one's own, unless others may write to the cache: who may
 *                         open a file may lock it
 *   <cache>/users/gate    locked by many where they look something up, by one that removes
 *
 * What was used since the oldest user began stays.  A lookup stamps what it finds with the time,
 * between segue_users_enter() and segue_users_leave(); who removes looks at the stamp and removes with the gate
 * closed: either sees the other.  A killed run leaves a file that nobody holds a lock on; the next that
 * removes takes it along. */
#pragma once

#include <gio/gio.h>

typedef struct _SegueUsers SegueUsers;

/**
 * segue_users_join: (transfer full): a user of @cache from now on; any thread.
 *
 * Where that can't be noted (a read-only cache, a full disk), the gate is held open for as long
 * as it lasts; where there are no locks at all, nobody is kept from removing anything.
 * %SEGUE_ERROR_RESOURCE where handles or memory ran out, %SEGUE_ERROR_IO where the cache is read-only
 * and another process does not let go of the gate.
 */
SegueUsers *segue_users_join (const char *cache, GError **error);
/** segue_users_quit: accepts %NULL. */
void segue_users_quit (SegueUsers *users);
/** segue_users_enter: until segue_users_leave(), which has to come soon, nothing is removed.
 * Returns: %FALSE: another process does not let go of the gate; whatever is looked up counts as not there. */
gboolean segue_users_enter (SegueUsers *users);
void segue_users_leave (SegueUsers *users);

/** segue_users_is_shut: whether another process held the gate when it was last tried, and was waited for. */
gboolean segue_users_is_shut (SegueUsers *users);

/** segue_users_hold_gate: whether nobody can remove anything as long as @users is there, who joined included:
 * who tries would wait for itself. */
gboolean segue_users_hold_gate (SegueUsers *users);

/** SegueLiveUsers: @since: when the oldest of @n began, in ns; G_MAXINT64: there are none. */
typedef struct {
  guint n;
  gint64 since;
} SegueLiveUsers;

/** segue_users_close_gate: a handle that keeps everybody from looking anything up until it is closed;
 * -1 on error.
 * @cache: a handle of the folder */
int segue_users_close_gate (int cache, GCancellable *cancellable, GError **error);
/** segue_users_list: who is there.
 * @sweep: the gate is closed: remove what killed runs left */
SegueLiveUsers segue_users_list (int cache, gboolean sweep);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueUsers, segue_users_quit)
