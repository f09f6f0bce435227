/* Formats: what is known of a pipeline's items before anything runs.
 *
 * `segue check` asks each stage in turn what comes out, given what goes in.  A stage that could not
 * work on it says so then, and not after hours of decoding.  What is not known stays so: a stage
 * refuses only what is sure to fail. */
#pragma once

#include <segue/item.h>

G_BEGIN_DECLS

/** SEGUE_FORMAT_VARIES: (of a rate, channels, frames): items are sure to differ in it, or are as the
 * songs' files happen to be. */
#define SEGUE_FORMAT_VARIES G_MAXUINT

/**
 * SegueFormat: of the items on a port; of a model: of the items that it takes.  Of the members, 0 is:
 * not known.
 * @struct_size: set by the core; the struct may grow at its end
 * @rate: Hz
 * @frames: per channel of each item
 */
typedef struct {
  gsize struct_size;
  SegueKind kind;
  guint rate;
  guint channels;
  guint frames;
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
