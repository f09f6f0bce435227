/* What is heard of a song, as lines of JSON; docs/serve.md has their fields. */
#pragma once

#include "problem.h"

#include <segue/segue.h>

/* (transfer full): each ends with a line break.  @top: labels to tell of, best first. */

/** line_begun: which segments will be heard. */
char *line_begun (const char *name, const SegueSongPrediction *prediction);
/** line_heard: segments @from up to @to, without it, have their answers. */
char *line_heard (const SegueSongPrediction *prediction, guint from, guint to,
                  const char *const *labels, guint top);
char *line_answer (const char *name, const SegueSongPrediction *prediction,
                   const char *const *labels, guint top);
char *line_error (ProblemKind problem, const char *message);
