/* The Hugging Face cache, written: blobs, links to them, and what a branch stands for.
 *
 * What lies under its final name is whole and checked; a download under way lies beside it as
 * blobs/<etag>.incomplete and is gone on with by whoever holds the lock. */
#pragma once

#include <gio/gio.h>

typedef struct {
  char *cache;
  char *name;   /* models--ORG--NAME */
  char *folder; /* cache/name */
} SegueHubStore;

/** segue_hub_store_open: of checked @repo. */
gboolean segue_hub_store_open (SegueHubStore *store, const char *repo, GError **error);
void segue_hub_store_clear (SegueHubStore *store);

/** segue_hub_store_lock: one process at a time brings a blob; a descriptor to be closed, -1 on
 * failure.  @waiting: (nullable): called once if it has to wait. */
int segue_hub_store_lock (SegueHubStore *store, const char *etag, void (*waiting) (gpointer),
                          gpointer data, GCancellable *cancellable, GError **error);
gboolean segue_hub_store_has_blob (SegueHubStore *store, const char *etag, guint64 size);
/** segue_hub_store_open_partial: what there is so far, for reading and writing; -1 on failure. */
int segue_hub_store_open_partial (SegueHubStore *store, const char *etag, GError **error);
/** segue_hub_store_check_room: for @size more bytes. */
gboolean segue_hub_store_check_room (SegueHubStore *store, guint64 size, GError **error);
/** segue_hub_store_verify: whether the content of @fd is what @etag names. */
gboolean segue_hub_store_verify (int fd, const char *etag, gboolean *same,
                                 GCancellable *cancellable, GError **error);
/** segue_hub_store_keep: the partial file, whose content was verified, becomes the blob. */
gboolean segue_hub_store_keep (SegueHubStore *store, const char *etag, int fd, GError **error);
/** segue_hub_store_drop: the partial file is of no use. */
void segue_hub_store_drop (SegueHubStore *store, const char *etag);

/** segue_hub_store_link: snapshots/@commit/@file → the blob; names are checked ones. */
gboolean segue_hub_store_link (SegueHubStore *store, const char *commit, const char *file,
                               const char *etag, GError **error);
/** segue_hub_store_set_ref: @revision stands for @commit from now on. */
gboolean segue_hub_store_set_ref (SegueHubStore *store, const char *revision, const char *commit,
                                  GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegueHubStore, segue_hub_store_clear)
