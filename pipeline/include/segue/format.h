/* Formats: what is known of a pipeline's items before anything runs.
 *
 * `segue check` asks each stage in turn what comes out, given what goes in.  A stage that could not
 * work on it says so then, and not after hours of decoding.  What is not known stays so: a stage
 * refuses only what is sure to fail. */
#pragma once

#include <segue/item.h>

G_BEGIN_DECLS

/** SEGUE_FORMAT_VARIES: (of a rate, channels, frames, a dimension): items are sure to differ in it, or are
 * as the songs' files happen to be. */
#define SEGUE_FORMAT_VARIES G_MAXUINT
/** SEGUE_FORMAT_SAME: (of what a stage takes): any, but the same for all items. */
#define SEGUE_FORMAT_SAME (G_MAXUINT - 1)

/**
 * SegueFormat: of the items on a port; of a model: of the items that it takes.  Of the members, 0 is:
 * not known.
 * @struct_size: set by the core; the struct may grow at its end
 * @rate: (audio) Hz
 * @channels: (audio)
 * @frames: (audio) per channel of each item
 * @rank: (tensor, predictions) number of dimensions; 0: neither they nor @dtype are known
 * @dtype: of a tensor whose @rank is known
 * @shape: of a tensor whose @rank is known: its @rank dimensions
 */
typedef struct {
  gsize struct_size;
  SegueKind kind;
  guint rate;
  guint channels;
  guint frames;
  guint rank;
  SegueDtype dtype;
  guint shape[SEGUE_MAX_RANK];
} SegueFormat;

/* One stage being asked; valid during the callback. */
typedef struct _SegueNegotiation SegueNegotiation;
typedef struct _SegueRegistry SegueRegistry;

/** segue_negotiation_get_input: (transfer none) (nullable): of input @port; %NULL where that is not
 * connected. */
SEGUE_API
const SegueFormat *segue_negotiation_get_input (SegueNegotiation *negotiation, const char *port);
/** segue_negotiation_get_output: (transfer none): of output @port, to be filled in; nothing but its
 * kind is known before. */
SEGUE_API
SegueFormat *segue_negotiation_get_output (SegueNegotiation *negotiation, const char *port);
/** segue_negotiation_pass: output @port gives what comes in by @input. */
SEGUE_API
void segue_negotiation_pass (SegueNegotiation *negotiation, const char *input, const char *port);
/**
 * segue_negotiation_require: what @port takes.
 * @wanted: 0 in a member, and %SEGUE_KIND_ANY: whatever comes
 * @remedy: (nullable): the parameter, as it is written, of stages that make such items: "channels: mono".
 *   One thing at a time is asked for then
 *
 * %FALSE, with %SEGUE_ERROR_PIPELINE that names the stage to change, where what comes in is sure not to fit.
 */
SEGUE_API
gboolean segue_negotiation_require (SegueNegotiation *negotiation, const char *port,
                                    const SegueFormat *wanted, const char *remedy, GError **error);
/** segue_negotiation_get_registry: (transfer none): to look up model types. */
SEGUE_API
SegueRegistry *segue_negotiation_get_registry (SegueNegotiation *negotiation);
/**
 * segue_negotiation_refuse:
 * @parameter: (nullable): the one to change, such as "rate" or "model.high"; %NULL: the stage
 *
 * %FALSE, with %SEGUE_ERROR_PIPELINE at the place of the parameter in the file.
 */
SEGUE_API
gboolean segue_negotiation_refuse (SegueNegotiation *negotiation, const char *parameter,
                                   GError **error, const char *format, ...) G_GNUC_PRINTF (4, 5);

G_END_DECLS
