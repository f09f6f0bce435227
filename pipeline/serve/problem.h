/* Errors of requests: a table of statuses, codes and messages, as in docs/serve.md. */
#pragma once

#include <glib.h>

typedef enum {
  PROBLEM_NONE,
  PROBLEM_BAD_REQUEST,
  PROBLEM_BAD_HEAD,
  PROBLEM_LARGE_HEAD,
  PROBLEM_BAD_NAME,
  PROBLEM_EMPTY,
  PROBLEM_NO_TOKEN,
  PROBLEM_FOREIGN_HOST,
  PROBLEM_FOREIGN_PAGE,
  PROBLEM_NOT_FOUND,
  PROBLEM_METHOD,
  PROBLEM_SLOW_UPLOAD,
  PROBLEM_TOO_LARGE,
  PROBLEM_NO_SONG_BODY,
  PROBLEM_NOT_A_SONG,
  PROBLEM_FAILED,
  PROBLEM_BUSY,
  PROBLEM_STOPPING,
  PROBLEM_TOOK_TOO_LONG,
  PROBLEM_NO_ROOM,
  N_PROBLEMS,
} ProblemKind;

/** ProblemRow: @message: the default. */
typedef struct {
  guint status;
  const char *code;
  const char *message;
} ProblemRow;

const ProblemRow *problem_row (ProblemKind kind);
/** problem_json: (transfer full): `{"error":{"code":…,"message":…}}`.
 * @message: (nullable): %NULL: the row's */
char *problem_json (ProblemKind kind, const char *message);
