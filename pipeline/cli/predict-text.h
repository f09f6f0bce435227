/* Answers as text: a table, JSON lines, CSV, a timeline per song. */
#pragma once

#include "term.h"

#include <jansson.h>
#include <segue/host/segue.h>

/** segue_predict_name: (transfer full): a file's name in the form of song ids: bytes that are not
 * UTF-8 become %XX, and a `%` that could be part of such a code becomes %25. */
char *segue_predict_name (const char *file);
/** segue_predict_rank: (transfer full): [labels] indices, @best first, then the most probable. */
guint *segue_predict_rank (const float *probabilities, guint n, guint best);

/** SEGUE_PREDICT_CANDIDATES: labels that are shown with an unsure song. */
#define SEGUE_PREDICT_CANDIDATES 2

/* ---- JSON ---- */

/** segue_predict_json: (transfer full): one line: file, label, distance, unsure and candidates (as far as they are known),
 * probabilities, segments.
 * @file: bytes
 * @n_top: number of labels; 0: all
 * @rejects: an unsure song has the label null, and nearest */
char *segue_predict_json (const char *file, const char *const *labels,
                          const SegueSongPrediction *prediction, guint n_top, gboolean rejects);
/** segue_predict_object: (transfer full): the same as an object, and segue_predict_print(): (transfer full): the line of
 * one (transfer full). */
json_t *segue_predict_object (const char *file, const char *const *labels,
                              const SegueSongPrediction *prediction, guint n_top, gboolean rejects);
char *segue_predict_print (json_t *object);
/** segue_predict_add_certainty: adds distance, unsure and candidates to @object, as far as they are known. */
void segue_predict_add_certainty (json_t *object, const SegueSongPrediction *prediction,
                                  const char *const *labels);
/** segue_predict_json_error: (transfer full): one line: file, error. */
char *segue_predict_json_error (const char *file, const char *message);

/* ---- CSV: quoted as in RFC 4180; lines end with a line feed, as in predictions.csv ---- */

/**
 * SeguePredictCsv:
 * @segments: one row per segment, with start and duration; else one row per song
 * @n_top: number of labels, most probable first, as pairs of columns; 0: one column per label
 * @rejects: an unsure song has an empty label
 */
typedef struct {
  const char *const *labels;
  gboolean segments;
  guint n_top;
  gboolean rejects;
} SeguePredictCsv;

/** segue_predict_csv_head, segue_predict_csv_rows, segue_predict_csv_error: (transfer full):
 * without the last line end. */
char *segue_predict_csv_head (const SeguePredictCsv *csv);
char *segue_predict_csv_rows (const SeguePredictCsv *csv, const char *file,
                              const SegueSongPrediction *prediction);
char *segue_predict_csv_error (const SeguePredictCsv *csv, const char *file, const char *message);

/* ---- Tables ---- */

/**
 * SeguePredictTable: how rows are laid out.
 * @name_columns: for file names; longer ones are truncated on a terminal
 * @label_columns: for labels
 * @n_top: labels in a row, most probable first
 */
typedef struct {
  const SegueTerm *term;
  const char *const *labels;
  guint name_columns;
  guint label_columns;
  guint n_top;
} SeguePredictTable;

/** segue_predict_table_init: column widths for @files (element-type filename) and @labels, which
 * the table borrows.
 * @judges: songs may be unsure */
void segue_predict_table_init (SeguePredictTable *table, const SegueTerm *term, GPtrArray *files,
                               const char *const *labels, guint n_top, gboolean judges);
/** segue_predict_table_row: (transfer full): file, ‘unsure’ if it is, label, probability, runner-up, its probability. */
char *segue_predict_table_row (const SeguePredictTable *table, const char *file,
                               const SegueSongPrediction *prediction);

/** segue_predict_timeline: (transfer full): lines below a song's row: one letter per segment, the
 * start of each line in the song, the end of the last, and the label of each letter. */
char *segue_predict_timeline (const SegueTerm *term, const char *const *labels,
                              const SegueSongPrediction *prediction);
