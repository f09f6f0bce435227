/* The options of `segue serve`: parsed by the command, passed on, and parsed again, with the same
 * table, by segue-serve. */
#pragma once

#include "cli.h"

#define SERVE_PORT            "8732"
#define SERVE_MAX_SONG        200 /* MB */
#define SERVE_UPLOAD_TIME     120 /* s */
#define SERVE_PREDICTION_TIME 600 /* s */
#define SERVE_SONGS           32
#define SERVE_TOKEN           "SEGUE_SERVE_TOKEN" /* in the environment */

/** ServeOptions: 0 and %NULL: the default. */
typedef struct {
  char *model;
  char *runs;
  char *music;
  char *port;
  char *bind;
  char **hosts;
  gboolean open;
  char *token_file;
  gboolean no_token;
  gint jobs;
  gint songs;
  gint max_song;
  gint upload_time;
  gint prediction_time;
  char *none;
  char *precision;
  char *backend;
} ServeOptions;
