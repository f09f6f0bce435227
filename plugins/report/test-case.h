/* An evaluation for tests: specified songs and answers, written as `evaluate` does. */
#pragma once

#include <glib.h>
#include <segue/testing.h>

typedef struct {
  const char *const *labels; /* of the model */
  guint n_labels;
  GPtrArray *songs;       /* see test-case.c */
  GPtrArray *audio;       /* SegueItem: of songs that have audio */
  GPtrArray *vectors;     /* SegueItem: of songs that have vectors */
  char *folder;           /* gets metrics.json */
  GPtrArray *predictions; /* SegueItem, as written */
} Case;

/** case_init: @labels: %NULL-terminated, borrowed. */
void case_init (Case *self, const char *const *labels);
void case_clear (Case *self);
/**
 * case_add_song:
 * @set, @label: (nullable)
 * @answers: a segment each, "number of the label:per cent", as in "0:90 2:55"; the others share the
 *   rest. Segment i begins at 10 i s and lasts 1 s
 * @sound: whether it has audio, a separate tone
 */
void case_add_song (Case *self, const char *id, const char *set, const char *label,
                    const char *answers, gboolean sound);
/** case_add_vectors: the segments of the song that was added last are at @angle degrees in a plane; NaN: each has a
 * number that is NaN. */
void case_add_vectors (Case *self, double angle);
/** case_write: metrics.json, and the predictions; a song's prediction is that of its first segment. */
void case_write (Case *self);
/** case_put: (in the case's folder) replaces the content of the file @name. */
void case_put (Case *self, const char *name, const char *text);
/** case_run: (transfer full): runs the stage over the case; its report is in case_output(). */
SegueHarness *case_run (Case *self, const char *with, const char *summary, GError **error);
/** case_read: (transfer full): file @name of the report. */
char *case_read (SegueHarness *harness, const char *name, gsize *length);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Case, case_clear)
