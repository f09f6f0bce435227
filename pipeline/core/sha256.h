/* SHA-256 at the speed of the disk (internal).
 *
 * Every source file and every record is hashed in every run, so this is most of what a run does that
 * finds all its results in the store.  GLib's GChecksum is portable C; where the processor has
 * instructions for SHA-256 (x86 SHA extensions), they are some eight times as fast. */
#pragma once

#include <glib.h>

#define SEGUE_SHA256_SIZE 32

typedef struct _SegueSha256 SegueSha256;

SegueSha256 *segue_sha256_new (void);
/** segue_sha256_new_portable: by GChecksum, whatever the processor has; for tests. */
SegueSha256 *segue_sha256_new_portable (void);
void segue_sha256_free (SegueSha256 *sha);
void segue_sha256_update (SegueSha256 *sha, const void *data, gsize length);
/** segue_sha256_finish: @sha takes nothing after this. */
void segue_sha256_finish (SegueSha256 *sha, guint8 digest[SEGUE_SHA256_SIZE]);
/** segue_sha256_finish_hex: (transfer full): likewise, as text. */
char *segue_sha256_finish_hex (SegueSha256 *sha);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueSha256, segue_sha256_free)
