/* The songs that answers are explained with: those of the library of the model's run, and their files.
 *
 * A library may be untrusted. No path in it is opened: a song's file is sought below the music folder that the user
 * named, by the song's id, and no link is followed on the way. */
#pragma once

#include <jansson.h>
#include <segue/host/segue.h>

/** SHELF_SIMILAR: songs that an answer lists. */
#define SHELF_SIMILAR 3

typedef struct _Shelf Shelf;

/** shelf_new: @library: borrowed; @music: (nullable): the folder that the pipeline's `scan` read; %NULL: no song can be
 * played. %SEGUE_ERROR_NO_INPUT if it can't be opened. */
Shelf *shelf_new (SegueLibrary *library, const char *music, GError **error);
/** shelf_free: accepts %NULL. */
void shelf_free (Shelf *shelf);

/** shelf_describe: (transfer full): an array for `similar` of an answer: docs/serve.md. Any thread. */
json_t *shelf_describe (const Shelf *shelf, const SegueLibraryAnswer *answer);

/** shelf_open_song: a descriptor of the file of song @text, its number in decimal digits; -1: there is no such song, or
 * it can't be played. @type: (out): of the file. Any thread. */
int shelf_open_song (const Shelf *shelf, const char *text, const char **type);
