/* Addresses and headers of a Hugging Face server: what may be asked, and what of its answers may be
 * believed.  Nothing here talks to anybody. */
#pragma once

#include <glib.h>

/** segue_hub_endpoint: (transfer full): $HF_ENDPOINT or https://huggingface.co, without a final
 * slash. */
char *segue_hub_endpoint (GError **error);
/** segue_hub_file_url: (transfer full): of checked names. */
char *segue_hub_file_url (const char *endpoint, const char *repo, const char *revision,
                          const char *file);
/** segue_hub_redirect: (transfer full): where @location, seen at @from, leads.  Refused: anything but
 * http and https, a step down from https, names and passwords. */
char *segue_hub_redirect (const char *from, const char *location, GError **error);
/** segue_hub_same_origin: the same scheme, host and port: who may see a token. */
gboolean segue_hub_same_origin (const char *a, const char *b);
/** segue_hub_may_carry_token: https, or this machine. */
gboolean segue_hub_may_carry_token (const char *url);

/** segue_hub_etag: (transfer full) (nullable): the digits of an ETag that names its content: SHA-256
 * of the bytes, or the SHA-1 that git gives them. */
char *segue_hub_etag (const char *header);
/** segue_hub_content_range: `bytes START-END/TOTAL`; %FALSE where it is anything else. */
gboolean segue_hub_content_range (const char *header, guint64 *start, guint64 *total);
/** segue_hub_size: a decimal header; %FALSE where it is anything else. */
gboolean segue_hub_size (const char *header, guint64 *size);
