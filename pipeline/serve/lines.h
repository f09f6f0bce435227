/* The progress and result of a song's classification, as lines of JSON; docs/serve.md lists their
 * fields. */
#pragma once

#include "problem.h"

#include <jansson.h>
#include <segue/host/segue.h>

/* (transfer full): each ends with a line break. @top: number of labels to list, best first. */

/** line_begun: which segments will be classified. */
char *line_begun (const char *name, const SegueSongPrediction *prediction);
/** line_segments: segments from @from up to, but not including, @to have their answers. */
char *line_segments (const SegueSongPrediction *prediction, guint from, guint to,
                     const char *const *labels, guint top);
/** line_answer: @similar: (transfer none) (nullable): of shelf_describe(). */
char *line_answer (const char *name, const SegueSongPrediction *prediction,
                   const char *const *labels, guint top, json_t *similar);
char *line_error (ProblemKind problem, const char *message);
