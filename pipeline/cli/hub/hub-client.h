/* Asking a Hugging Face server: what a file is, and its bytes. */
#pragma once

#include <gio/gio.h>

typedef struct _SegueHubClient SegueHubClient;

/** SegueHubFile: what the server says of a file, as far as it can be believed.
 * @commit: that the revision stands for
 * @etag: names the content; see segue_hub_etag()
 * @size: bytes */
typedef struct {
  char *commit;
  char *etag;
  guint64 size;
} SegueHubFile;

void segue_hub_file_clear (SegueHubFile *file);

/** SegueHubProgress: @done of @total bytes. */
typedef void (*SegueHubProgress) (gpointer data, guint64 done, guint64 total);
/** SegueHubNotice: a line for people, such as "the server is busy; trying again in 2 s". */
typedef void (*SegueHubNotice) (gpointer data, const char *line);

/** segue_hub_client_new: @token: (nullable): is sent to @endpoint alone. */
SegueHubClient *segue_hub_client_new (const char *endpoint, const char *token,
                                      SegueHubProgress progress, SegueHubNotice notice,
                                      gpointer data, GError **error);
void segue_hub_client_free (SegueHubClient *client);

/** segue_hub_client_stat: %SEGUE_ERROR_NO_INPUT where there is no such file. */
gboolean segue_hub_client_stat (SegueHubClient *client, const char *repo, const char *revision,
                                const char *name, SegueHubFile *file, GCancellable *cancellable,
                                GError **error);
/** segue_hub_client_read: the rest of the file behind what @fd holds already, up to @size bytes in
 * all.  What is there is kept on failure, to be gone on with. */
gboolean segue_hub_client_read (SegueHubClient *client, const char *repo, const char *commit,
                                const char *name, guint64 size, int fd, GCancellable *cancellable,
                                GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegueHubFile, segue_hub_file_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueHubClient, segue_hub_client_free)
