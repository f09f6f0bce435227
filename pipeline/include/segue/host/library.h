/* Search for songs of a library that sound like a song, for hosts. A library is the folder `library/` that the stage
 * `library` leaves in a run.
 *
 *   g_autoptr (SegueLibrary) library = segue_library_open (registry, "runs/map/latest", 4, &error);
 *   g_autoptr (SegueLibraryAnswer) answer = segue_library_find (library, "song.mp3", NAN, 10, NULL, &error);
 *
 * The folder may be untrusted: everything in it is checked. Its paths are only text; no file outside of it is opened,
 * and only stage types flagged %SEGUE_STAGE_PREPARE run, with files in the folder.
 */
#pragma once

#include <gio/gio.h>
#include <segue/registry.h>

G_BEGIN_DECLS

typedef struct _SegueLibrary SegueLibrary;

/** SegueLibrarySong: any but @id may be %NULL.
 * @source: path, percent-encoded */
typedef struct {
  char *id, *source, *label, *set, *title, *artist, *album;
} SegueLibrarySong;

/**
 * SegueLibraryMatch:
 * @song: of the library
 * @similarity: from −1 to 1: the cosine of two segments' vectors: for each segment that is sought, that of the most
 *   similar segment of @song; their mean
 * @start: s of @song: its segment in the most similar pair
 * @query_start: s of the song that was given: the other one
 */
typedef struct {
  const SegueLibrarySong *song;
  double similarity;
  double start, query_start;
} SegueLibraryMatch;

/**
 * SegueLibraryAnswer:
 * @matches: [@n_matches], the most similar first
 * @same: (nullable): a song of the library with the same sound, which is not among them
 * @n_same: how many there are
 * @start, @duration: (if a moment was requested) of the segment that was sought, in s
 */
typedef struct {
  guint n_matches;
  SegueLibraryMatch *matches;
  const SegueLibrarySong *same;
  guint n_same;
  double start, duration;
} SegueLibraryAnswer;

/**
 * segue_library_open:
 * @folder: a library, or a run that contains one
 * @threads: of the stages that prepare songs
 *
 * %SEGUE_ERROR_NO_INPUT if there is no library, %SEGUE_ERROR_DATA if it is damaged. One thread at a time.
 */
SEGUE_API SegueLibrary *segue_library_open (SegueRegistry *registry, const char *folder,
                                            guint threads, GError **error);
/** segue_library_free: accepts %NULL. */
SEGUE_API void segue_library_free (SegueLibrary *library);

/** segue_library_get_length: songs. */
SEGUE_API guint segue_library_get_length (SegueLibrary *library);
/** segue_library_get_song: (transfer none): song @i, in the order of their ids; any thread. */
SEGUE_API const SegueLibrarySong *segue_library_get_song (SegueLibrary *library, guint i);
/** segue_library_get_index: of a song of @library; any thread. */
SEGUE_API guint segue_library_get_index (SegueLibrary *library, const SegueLibrarySong *song);

/**
 * segue_library_find: (transfer full): the @max songs that sound most like the song at @path, by exact search. The song
 * is prepared as those of the library were.
 * @at: s: only the segment of the song that is nearest to this time is sought; NaN: all of them
 *
 * Matches belong to @library. Errors name the song as @path.
 */
SEGUE_API SegueLibraryAnswer *segue_library_find (SegueLibrary *library, const char *path,
                                                  double at, guint max, GCancellable *cancellable,
                                                  GError **error);
/** segue_library_answer_free: accepts %NULL. */
SEGUE_API void segue_library_answer_free (SegueLibraryAnswer *answer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueLibrary, segue_library_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueLibraryAnswer, segue_library_answer_free)

G_END_DECLS
