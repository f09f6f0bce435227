/* Formats, for stages with negotiate (): what is known about a pipeline's items before anything runs.
 *
 * `segue check` asks each stage in order for the formats of its outputs, given those of its inputs. A
 * stage that can't process its input refuses it at that time, not after hours of decoding. Unknown
 * properties stay unknown: a stage refuses only what is certain to fail.
 *
 * negotiate () fills in the formats of the outputs from those of the inputs, or refuses with
 * segue_negotiation_refuse(). Without it nothing is known of the outputs. It runs whenever a pipeline is loaded: it
 * must be quick, and must not read songs. */
#pragma once

#include <segue/tensor.h>

G_BEGIN_DECLS

/** SEGUE_FORMAT_VARIES: (of a rate, channels, frames, a dimension): certain to differ between items, or
 * determined by the songs' files. */
#define SEGUE_FORMAT_VARIES G_MAXUINT
/** SEGUE_FORMAT_SAME: (of what a stage accepts): any value, but the same for all items. */
#define SEGUE_FORMAT_SAME (G_MAXUINT - 1)

/**
 * SegueFormat: the format of the items on a port, or of the items that a model accepts. A member that is 0 is
 * not known.
 * @struct_size: set by SEGUE_INIT(), or by the core
 * @rate: (audio) Hz
 * @channels: (audio)
 * @frames: (audio) per channel of each item
 * @rank: (tensor, predictions) number of dimensions; 0: neither @shape nor @dtype is known
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

/* The negotiation with one stage; valid during the callback. */
typedef struct _SegueNegotiation SegueNegotiation;

/** segue_negotiation_get_input: (transfer none) (nullable): the format of input @port; %NULL if it is not
 * connected. */
SEGUE_API
const SegueFormat *segue_negotiation_get_input (SegueNegotiation *negotiation, const char *port);
/** segue_negotiation_get_output: (transfer none): the format of output @port, to be filled in; initially
 * only its kind is known. */
SEGUE_API
SegueFormat *segue_negotiation_get_output (SegueNegotiation *negotiation, const char *port);
/** segue_negotiation_pass: output @port has the format of @input. */
SEGUE_API
void segue_negotiation_pass (SegueNegotiation *negotiation, const char *input, const char *port);
/**
 * segue_negotiation_require: requires a format of input @port.
 * @wanted: a member that is 0, or %SEGUE_KIND_ANY, accepts anything
 * @remedy: (nullable): the parameter, as written in a pipeline, of stages that produce such items:
 *   "channels: mono". @wanted must then require one property only
 *
 * %FALSE, with %SEGUE_ERROR_PIPELINE that names the stage to change, if the input is certain not to match.
 */
SEGUE_API
gboolean segue_negotiation_require (SegueNegotiation *negotiation, const char *port,
                                    const SegueFormat *wanted, const char *remedy, GError **error);
/**
 * segue_negotiation_refuse:
 * @parameter: (nullable): the parameter to change, such as "rate" or "model.high"; %NULL: the stage
 *
 * Returns %FALSE, with %SEGUE_ERROR_PIPELINE at the place of the parameter in the file.
 */
SEGUE_API
gboolean segue_negotiation_refuse (SegueNegotiation *negotiation, const char *parameter,
                                   GError **error, const char *format, ...) G_GNUC_PRINTF (4, 5);

G_END_DECLS
