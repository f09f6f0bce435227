#include "problem.h"

#include <segue/json.h>

static const ProblemRow rows[N_PROBLEMS] = {
  [PROBLEM_NONE] = { 200, "none", "" },
  [PROBLEM_BAD_REQUEST] = { 400, "bad-request",
                            "the request has an invalid argument or length, or a body where "
                            "none is allowed" },
  [PROBLEM_BAD_HEAD] = { 400, "bad-head", "the head of the request violates HTTP/1.1" },
  [PROBLEM_LARGE_HEAD] = { 431, "large-head",
                           "the head of the request is larger than 16 KiB, or has more than 200 "
                           "fields, arguments and cookies" },
  [PROBLEM_BAD_NAME] = { 400, "bad-name",
                         "the name of a song must be UTF-8 of at most 1000 bytes" },
  [PROBLEM_EMPTY] = { 400, "empty", "the song is empty" },
  [PROBLEM_NO_TOKEN] = { 401, "no-token",
                         "the request carries no token, or a wrong one; use the address that "
                         "segue serve printed, or send the header ‘Authorization: Bearer TOKEN’" },
  [PROBLEM_FOREIGN_HOST] = { 403, "foreign-host",
                             "this server does not accept that host name; to allow it, start "
                             "segue serve with --host NAME" },
  [PROBLEM_FOREIGN_PAGE] = { 403, "foreign-page",
                             "pages of other sites may not send requests to this server" },
  [PROBLEM_NOT_FOUND] = { 404, "not-found", "there is nothing at this address" },
  [PROBLEM_METHOD] = { 405, "method-not-allowed", "this address does not support that method" },
  [PROBLEM_SLOW_UPLOAD] = { 408, "slow-upload",
                            "the song did not arrive in time, or arrived too slowly" },
  [PROBLEM_TOO_LARGE] = { 413, "too-large", "the song is larger than this server accepts" },
  [PROBLEM_NO_SONG_BODY] = { 415, "wrong-body",
                             "the body is not a song; send the file itself as the body" },
  [PROBLEM_NOT_A_SONG] = { 422, "not-a-song", "the body can't be used as a song" },
  [PROBLEM_FAILED] = { 500, "failed", "internal error; see the server's log" },
  [PROBLEM_BUSY] = { 503, "busy",
                     "the maximum number of songs is in flight; retry in a few seconds" },
  [PROBLEM_STOPPING] = { 503, "stopping", "the server is being stopped" },
  [PROBLEM_TOOK_TOO_LONG] = { 503, "took-too-long",
                              "classifying the song took too long and was cancelled" },
  [PROBLEM_NO_ROOM] = { 507, "no-room", "the server's disk has no space left for the song" },
};

const ProblemRow *
problem_row (ProblemKind kind)
{
  return &rows[kind];
}

char *
problem_json (ProblemKind kind, const char *message)
{
  g_autofree char *words = g_utf8_make_valid (message ? message : rows[kind].message, -1);
  json_t *root = json_pack ("{s:{s:s,s:s}}", "error", "code", rows[kind].code, "message", words);
  return segue_json_print (root, JSON_COMPACT);
}
