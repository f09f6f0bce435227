/* URLs and headers of a Hugging Face server: builds requests and validates responses. No network
 * access here. */
#pragma once

#include <glib.h>

/** segue_hub_endpoint: (transfer full): $HF_ENDPOINT or https://huggingface.co, without a final
 * slash. */
char *segue_hub_endpoint (GError **error);
/** segue_hub_file_url: (transfer full): of validated names. */
char *segue_hub_file_url (const char *endpoint, const char *repo, const char *revision,
                          const char *file);
/** segue_hub_redirect: (transfer full): the target of the redirect @location from @from. Rejects
 * other schemes than http and https, a downgrade from https, user names and passwords. */
char *segue_hub_redirect (const char *from, const char *location, GError **error);
/** segue_hub_same_origin: the same scheme, host and port: only then is a token sent. */
gboolean segue_hub_same_origin (const char *a, const char *b);
/** segue_hub_may_carry_token: https, or this machine. */
gboolean segue_hub_may_carry_token (const char *url);

/** segue_hub_etag: (transfer full) (nullable): the digits of an ETag that identifies its content:
 * SHA-256 of the bytes, or git's SHA-1 of them. */
char *segue_hub_etag (const char *header);
/** segue_hub_content_range: `bytes START-END/TOTAL`; %FALSE for anything else. */
gboolean segue_hub_content_range (const char *header, guint64 *start, guint64 *total);
/** segue_hub_size: a decimal header; %FALSE for anything else. */
gboolean segue_hub_size (const char *header, guint64 *size);
