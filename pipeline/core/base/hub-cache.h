/* Where models of the Hugging Face Hub are stored, and which names are valid there (internal).
 *
 *   <cache>/models--ORG--NAME/refs/<revision>        text: a commit
 *                            /snapshots/<commit>/…   links into blobs/
 *                            /blobs/<etag>           the bytes
 *
 * A name that passes these checks can't lead out of the cache folder: no empty, `.` or `..` part, no
 * misplaced separator. */
/* SEGUE_API marks what the command calls; none of it is installed. */
#pragma once

#include <glib.h>
#include <segue/version.h>

#define SEGUE_HUB_MAIN "main"

/** SegueHubName: `ORG/NAME` or `ORG/NAME@REVISION`, parsed and checked. */
typedef struct {
  char *repo;     /* ORG/NAME */
  char *revision; /* a branch, a tag or a commit */
} SegueHubName;

SEGUE_API
void segue_hub_name_clear (SegueHubName *name);
/** segue_hub_name_parse: %FALSE where @text is not such a name; @name is then unchanged. */
SEGUE_API
gboolean segue_hub_name_parse (const char *text, SegueHubName *name);

/** segue_hub_is_revision: `main`, `v1.0`, `refs/pr/1`, a commit. */
SEGUE_API
gboolean segue_hub_is_revision (const char *text);
/** segue_hub_is_commit: 40 or 64 lower-case hexadecimal digits. */
SEGUE_API
gboolean segue_hub_is_commit (const char *text);
/** segue_hub_is_file: a file's name inside a model, such as `onnx/config.json`. */
SEGUE_API
gboolean segue_hub_is_file (const char *text);

/** segue_hub_cache_folder: (transfer full): $HF_HUB_CACHE, $HUGGINGFACE_HUB_CACHE, $HF_HOME/hub,
 * $XDG_CACHE_HOME/huggingface/hub, ~/.cache/huggingface/hub. */
SEGUE_API
char *segue_hub_cache_folder (void);
/** segue_hub_repo_folder: (transfer full): of checked @repo under @cache. */
SEGUE_API
char *segue_hub_repo_folder (const char *cache, const char *repo);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegueHubName, segue_hub_name_clear)
