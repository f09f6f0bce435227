/* `decode`: a stage type that the core provides, built from the plugins' decoders (internal). */
#pragma once

#include <segue/stage.h>

#define SEGUE_DECODE "decode"

typedef struct _SegueDecoders SegueDecoders;

SegueDecoders *segue_decoders_new (void);
void segue_decoders_free (SegueDecoders *decoders);
/** segue_decoders_add: (transfer none): `decode`, updated with @decoder (borrowed): the same pointer each
 * time. */
const SegueStageType *segue_decoders_add (SegueDecoders *decoders, const SegueStageType *decoder);
/** segue_decoders_list: (transfer container): the decoders, in the order in which they are tried. */
GPtrArray *segue_decoders_list (const SegueDecoders *decoders);
/** segue_decoders_list_extensions: (transfer container): see segue_registry_list_extensions(). */
const char **segue_decoders_list_extensions (const SegueDecoders *decoders);
/** segue_decoders_of: (transfer none) (nullable): the same decoders, where @type is `decode`. */
GPtrArray *segue_decoders_of (const SegueDecoders *decoders, const SegueStageType *type);
