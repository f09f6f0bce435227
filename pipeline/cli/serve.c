/* segue serve: executes segue-serve, so that the command itself needs no HTTP library. */
#include "serve-options.h"

#include <errno.h>
#include <unistd.h>

#define TEXT_OF(number)  TEXT_OF_ (number)
#define TEXT_OF_(number) #number
#define MAX_JOBS         1024

static char *
find_program (void)
{
  const char *given = g_getenv ("SEGUE_SERVE");
  return g_strdup (given && *given ? given : SEGUE_SERVE_PATH);
}

static gboolean
verb_serve (SegueCli *cli, gconstpointer options, char **arguments, GError **error)
{
  if (!segue_refuse_arguments (&segue_verb_serve, arguments, 0, error))
    return FALSE;
  g_autofree char *program = find_program ();
  g_auto (GStrv) words = segue_options_words (&segue_verb_serve, options);
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_ptr_array_add (argv, program);
  for (char **word = words; *word; word++)
    g_ptr_array_add (argv, *word);
  g_ptr_array_add (argv, NULL);
  fflush (NULL);
  execv (program, (char **) argv->pdata);
  g_autofree char *shown = segue_text_printable (program);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED,
               "can't start the server program ‘%s’: %s; it is built only if libmicrohttpd is "
               "found: install libmicrohttpd-dev and build again",
               shown, g_strerror (errno));
  return FALSE;
}

static const SegueOption rows[] = {
  { "model", 'm', SEGUE_OPTION_PATH, offsetof (ServeOptions, model), "DIR", 0, 0,
    "the folder of a run (runs/artist/latest), of a model, or ORG/NAME of a fetched one" },
  { "runs", 0, SEGUE_OPTION_PATH, offsetof (ServeOptions, runs), "DIR", 0, 0,
    "the folder whose runs and reports are shown (default: runs)" },
  { "music", 0, SEGUE_OPTION_PATH, offsetof (ServeOptions, music), "FOLDER", 0, 0,
    "the music folder of the model's run: clients can play its training songs beside an answer" },
  { "port", 'p', SEGUE_OPTION_STRING, offsetof (ServeOptions, port), "N", 0, 0,
    "the port to listen on (default: " SERVE_PORT "; 0: any free port)" },
  { "bind", 0, SEGUE_OPTION_STRING, offsetof (ServeOptions, bind), "ADDRESS", 0, 0,
    "the address to listen on: an IP address of this machine, 0.0.0.0 or :: for all of them "
    "(default: 127.0.0.1, this machine only)" },
  { "host", 0, SEGUE_OPTION_LIST, offsetof (ServeOptions, hosts), "NAME", 0, 0,
    "a host name under which browsers may reach it, besides localhost and the address; may be "
    "given many times" },
  { "open", 0, SEGUE_OPTION_FLAG, offsetof (ServeOptions, open), NULL, 0, 0,
    "show the page in a browser" },
  { "token-file", 0, SEGUE_OPTION_PATH, offsetof (ServeOptions, token_file), "FILE", 0, 0,
    "a file whose first line is the token that requests must carry (default: $" SERVE_TOKEN
    ", else a random one, which is part of the printed address)" },
  { "no-token", 0, SEGUE_OPTION_FLAG, offsetof (ServeOptions, no_token), NULL, 0, 0,
    "accept requests without a token: from any user of this machine, or of the network" },
  { "jobs", 'j', SEGUE_OPTION_COUNT, offsetof (ServeOptions, jobs), "N", 1, MAX_JOBS,
    "songs that are decoded at once (default: one per processor)" },
  { "songs", 0, SEGUE_OPTION_COUNT, offsetof (ServeOptions, songs), "N", 1, 10000,
    "songs in flight at once: being received, queued or being classified; further ones are asked "
    "to retry later (default: " TEXT_OF (SERVE_SONGS) ")" },
  { "max-song", 0, SEGUE_OPTION_COUNT, offsetof (ServeOptions, max_song), "MB", 1, 100000,
    "maximum size of a song (default: " TEXT_OF (SERVE_MAX_SONG) ")" },
  { "upload-time", 0, SEGUE_OPTION_COUNT, offsetof (ServeOptions, upload_time), "SECONDS", 1, 86400,
    "time limit for receiving a song (default: " TEXT_OF (SERVE_UPLOAD_TIME) ")" },
  { "prediction-time", 0, SEGUE_OPTION_COUNT, offsetof (ServeOptions, prediction_time), "SECONDS",
    1, 86400, "time limit for classifying a song (default: " TEXT_OF (SERVE_PREDICTION_TIME) ")" },
  { "none-of-these", 0, SEGUE_OPTION_STRING, offsetof (ServeOptions, none), "PERCENT", 0, 0,
    "show a song as unsure if it is stranger than all but PERCENT of the correctly classified songs "
    "that the model was not trained on, or off (default: as for segue predict)" },
  { "precision", 0, SEGUE_OPTION_STRING, offsetof (ServeOptions, precision), "NAME", 0, 0,
    "float32, bfloat16, int8 or auto, as for segue predict" },
  SEGUE_OPTION_BACKEND (ServeOptions),
  { NULL },
};

static const SegueExample examples[] = {
  { "segue serve --model runs/artist/latest --open", "drop songs onto a page in your browser" },
  { "segue serve --model runs/artist-small/latest --music ~/Music",
    "with players for the training songs that a song sounds like" },
  { "curl -H \"Authorization: Bearer $TOKEN\" --data-binary @song.mp3 'http://127.0.0.1:" SERVE_PORT
    "/api/songs?name=song.mp3'",
    "from a program; TOKEN is part of the printed address" },
  { "segue serve --model runs/artist/latest --bind 0.0.0.0 --host music.local",
    "for all users of a network that you trust" },
  { NULL, NULL },
};

const SegueVerb segue_verb_serve = {
  .name = "serve",
  .summary = "serve a web page that predicts the artist of songs, and shows runs",
  .synopsis =
    "--model DIR [--runs DIR] [--music FOLDER] [--port N] [--bind ADDRESS] [--open] [-j N]",
  .doc =
    "Serves a page on this machine: drop songs or a folder on it and watch predictions "
    "arrive, segment by segment. Finished and running runs are listed beside it, with their "
    "reports. If the run has a library (stage `library`), an answer lists the three training "
    "songs that sound most like the song; with --music, they can be played. Programs can use the "
    "same server: docs/serve.md documents its JSON interface.\n\nSongs are decoded in separate processes, kept in unnamed files while they "
    "are classified, and not stored. Requests must carry the token of the printed address; by "
    "default only this machine can reach the server. Requests from pages of other sites are "
    "refused.\n\nCtrl-C stops it: songs in flight are cancelled, and nothing is left behind.",
  .options = rows,
  .size = sizeof (ServeOptions),
  .examples = examples,
  .run = verb_serve,
};
