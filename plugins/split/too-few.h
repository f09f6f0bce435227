/* Messages about labels with too few songs to be in every set. */
#pragma once

#include "index.h"

#include <segue/context.h>

/**
 * too_few_fail: %FALSE with an error that names them
 * @labels: [number of labels]: the labels concerned
 * @need: how many songs (or groups) a label needs
 */
gboolean too_few_fail (const Index *index, const char *by, const gboolean *labels, guint need,
                       GError **error);
/**
 * too_few_report: logs which of @labels are excluded, or are used for training only.
 *
 * %FALSE with an error where labels are excluded and fewer than two remain.
 */
gboolean too_few_report (const Index *index, const char *by, const gboolean *labels,
                         gboolean left_out, guint need, SegueContext *context, GError **error);
