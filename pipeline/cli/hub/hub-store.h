/* Writes the Hugging Face cache: blobs, links to them, and the commits of branches.
 *
 * A file with its final name is complete and verified; an unfinished download is stored beside it
 * as blobs/<etag>.incomplete; the process that holds the lock resumes it. */
#pragma once

#include <gio/gio.h>

typedef struct {
  char *cache;
  char *name;   /* models--ORG--NAME */
  char *folder; /* cache/name */
} SegueHubStore;

/** segue_hub_store_open: @repo: a validated name. */
gboolean segue_hub_store_open (SegueHubStore *store, const char *repo, GError **error);
void segue_hub_store_clear (SegueHubStore *store);

/** segue_hub_store_lock: only one process at a time downloads a blob; returns a descriptor that the
 * caller closes, -1 on failure. @waiting: (nullable): called once if it has to wait. */
int segue_hub_store_lock (SegueHubStore *store, const char *etag, void (*waiting) (gpointer),
                          gpointer data, GCancellable *cancellable, GError **error);
gboolean segue_hub_store_has_blob (SegueHubStore *store, const char *etag, guint64 size);
/** segue_hub_store_open_partial: the partial file, for reading and writing; -1 on failure. */
int segue_hub_store_open_partial (SegueHubStore *store, const char *etag, GError **error);
/** segue_hub_store_check_room: whether the disk has room for @size more bytes. */
gboolean segue_hub_store_check_room (SegueHubStore *store, guint64 size, GError **error);
/** segue_hub_store_verify: whether the content of @fd matches @etag. */
gboolean segue_hub_store_verify (int fd, const char *etag, gboolean *same,
                                 GCancellable *cancellable, GError **error);
/** segue_hub_store_keep: the partial file, whose content was verified, becomes the blob. */
gboolean segue_hub_store_keep (SegueHubStore *store, const char *etag, int fd, GError **error);
/** segue_hub_store_drop: removes the partial file. */
void segue_hub_store_drop (SegueHubStore *store, const char *etag);

/** segue_hub_store_link: snapshots/@commit/@file → the blob; with validated names. */
gboolean segue_hub_store_link (SegueHubStore *store, const char *commit, const char *file,
                               const char *etag, GError **error);
/** segue_hub_store_set_ref: sets the commit of @revision to @commit. */
gboolean segue_hub_store_set_ref (SegueHubStore *store, const char *revision, const char *commit,
                                  GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegueHubStore, segue_hub_store_clear)
