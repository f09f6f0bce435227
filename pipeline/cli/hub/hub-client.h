/* Requests to a Hugging Face server: a file's description, and its bytes. */
#pragma once

#include <gio/gio.h>

typedef struct _SegueHubClient SegueHubClient;

/** SegueHubFile: the server's description of a file, validated.
 * @commit: of the revision
 * @etag: identifies the content; see segue_hub_etag()
 * @size: bytes */
typedef struct {
  char *commit;
  char *etag;
  guint64 size;
} SegueHubFile;

void segue_hub_file_clear (SegueHubFile *file);

/** SegueHubProgress: @done of @total bytes. */
typedef void (*SegueHubProgress) (gpointer data, guint64 done, guint64 total);
/** SegueHubNotice: a message for the user, such as "the server is busy; trying again in 2 s". */
typedef void (*SegueHubNotice) (gpointer data, const char *line);

/** segue_hub_client_new: @token: (nullable): sent to @endpoint only. */
SegueHubClient *segue_hub_client_new (const char *endpoint, const char *token,
                                      SegueHubProgress progress, SegueHubNotice notice,
                                      gpointer data, GError **error);
void segue_hub_client_free (SegueHubClient *client);

/** segue_hub_client_stat: %SEGUE_ERROR_NO_INPUT if there is no such file. */
gboolean segue_hub_client_stat (SegueHubClient *client, const char *repo, const char *revision,
                                const char *name, SegueHubFile *file, GCancellable *cancellable,
                                GError **error);
/** segue_hub_client_read: appends the rest of the file to what @fd contains already, up to @size
 * bytes in all. On failure, the bytes so far are kept, to resume from. */
gboolean segue_hub_client_read (SegueHubClient *client, const char *repo, const char *commit,
                                const char *name, guint64 size, int fd, GCancellable *cancellable,
                                GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegueHubFile, segue_hub_file_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueHubClient, segue_hub_client_free)
