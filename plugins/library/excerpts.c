#include "excerpts.h"

#include "passage.h"

#include <segue/collect.h>
#include <segue/decode.h>
#include <segue/error.h>
#include <segue/file.h>

#define RATE        48000 /* that of Opus */
#define MAX_THREADS 8

typedef struct {
  GArray *places;
  const char *folder; /* of the excerpts */
  SegueContext *context;
  PassageFormat format;
  GMutex mutex;
  guint next, done, n_missing;
  GError *failure; /* the first that does not concern a song */
} Work;

/* (transfer full): the file of a song; its name is percent-encoded. */
static char *
find_file (const Place *place, GError **error)
{
  const char *source = segue_item_get_string (place->song->entry, SEGUE_META_SOURCE);
  g_autofree char *path = source ? g_uri_unescape_string (source, NULL) : NULL;
  if (path && g_path_is_absolute (path))
    return g_steal_pointer (&path);
  g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT, "no file of the song is known");
  return NULL;
}

static GBytes *
cut_excerpt (const Work *work, SegueDecoder *decoder, const char *source, double start,
             const char *what, GError **error)
{
  const char *suffix = NULL;
  g_autoptr (SegueItem) song =
    segue_decoder_decode_passage (decoder, source, start, start + EXCERPTS_LENGTH,
                                  segue_context_get_cancellable (work->context), error);
  g_autoptr (GBytes) bytes =
    song ? passage_encode (song, segue_item_get_double (song, SEGUE_META_START, 0), start,
                           EXCERPTS_LENGTH, work->format, &suffix, error)
         : NULL;
  return bytes && segue_decoder_keep (decoder, source, what, bytes, error)
           ? g_steal_pointer (&bytes)
           : NULL;
}

/* (transfer full): of an unchanged song, that of an earlier map with the same typical moment. */
static GBytes *
find_excerpt (const Work *work, SegueDecoder *decoder, const char *source, double start,
              GError **error)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_autoptr (GError) local = NULL;
  g_ascii_dtostr (text, sizeof text, start);
  g_autofree char *what = g_strdup_printf ("excerpt %s %s", passage_suffix (work->format), text);
  GBytes *bytes = segue_decoder_recall (decoder, source, what,
                                        segue_context_get_cancellable (work->context), &local);
  if (!bytes && !local)
    bytes = cut_excerpt (work, decoder, source, start, what, &local);
  if (!bytes)
    g_propagate_error (error, g_steal_pointer (&local));
  return bytes;
}

static gboolean
make_excerpt (const Work *work, SegueDecoder *decoder, guint i, GError **error)
{
  Place *place = &g_array_index (work->places, Place, i);
  gsize size;
  g_autofree char *source = find_file (place, error);
  g_autoptr (GBytes) bytes =
    source ? find_excerpt (work, decoder, source, place->start, error) : NULL;
  if (!bytes)
    return FALSE;
  g_autofree char *name = g_strdup_printf ("%05u.%s", i + 1, passage_suffix (work->format));
  g_autofree char *path = g_build_filename (work->folder, name, NULL);
  const void *data = g_bytes_get_data (bytes, &size);
  if (!segue_file_write (path, data, (gssize) size, error))
    return FALSE;
  place->sound = g_strconcat (PLACE_CLIPS "/", name, NULL);
  return TRUE;
}

static gboolean
is_missing (const GError *error)
{
  return g_error_matches (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);
}

/* With the mutex locked. The reason contains no path of this system. */
static void
note (Work *work, guint i, GError *error)
{
  Place *place = &g_array_index (work->places, Place, i);
  if (error && (is_missing (error) || segue_error_is_about_item (error))) {
    place->why = g_strdup (is_missing (error) ? "the song's file is missing, or can't be read"
                                              : error->message);
    work->n_missing++;
  } else if (error && !work->failure) {
    work->failure = g_error_copy (error);
  }
  segue_context_progress (work->context, ++work->done, work->places->len, "cutting excerpts");
}

static gpointer
work_thread (gpointer data)
{
  Work *work = data;
  GCancellable *cancellable = segue_context_get_cancellable (work->context);
  g_autoptr (GError) none = NULL;
  g_autoptr (SegueDecoder) decoder =
    segue_decoder_new (segue_context_get_registry (work->context), RATE, EXCERPTS_DECODED, &none);
  g_mutex_lock (&work->mutex);
  if (decoder)
    segue_decoder_use_cache (decoder, work->context);
  if (!decoder && !work->failure)
    work->failure = g_error_copy (none);
  while (!work->failure && work->next < work->places->len) {
    guint i = work->next++;
    g_autoptr (GError) error = NULL;
    g_mutex_unlock (&work->mutex);
    if (!g_cancellable_is_cancelled (cancellable))
      make_excerpt (work, decoder, i, &error);
    else
      g_set_error_literal (&error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
    g_mutex_lock (&work->mutex);
    note (work, i, error);
  }
  g_mutex_unlock (&work->mutex);
  return NULL;
}

/* This thread is the first of @n; with fewer it is only slower. */
static void
work_all (Work *work, guint n)
{
  g_autoptr (GPtrArray) threads = g_ptr_array_new ();
  for (guint i = 1; i < n; i++) {
    GThread *thread = g_thread_try_new ("excerpts", work_thread, work, NULL);
    if (thread)
      g_ptr_array_add (threads, thread);
  }
  work_thread (work);
  for (guint i = 0; i < threads->len; i++)
    g_thread_join (g_ptr_array_index (threads, i));
}

gboolean
excerpts_make (GArray *places, const char *folder, SegueContext *context, GError **error)
{
  g_autofree char *clips = g_build_filename (folder, PLACE_CLIPS, NULL);
  Work work = { .places = places,
                .folder = clips,
                .context = context,
                .format = passage_can (PASSAGE_OPUS) ? PASSAGE_OPUS : PASSAGE_FLAC };
  if (!segue_file_make_folder (clips, error))
    return FALSE;
  g_mutex_init (&work.mutex);
  segue_context_set_progress_unit (context, "songs");
  work_all (&work, CLAMP (segue_context_get_threads (context), 1, MAX_THREADS));
  g_mutex_clear (&work.mutex);
  if (work.failure) {
    g_propagate_error (error, work.failure);
    return FALSE;
  }
  if (work.n_missing > 0)
    segue_context_log (context, G_LOG_LEVEL_WARNING,
                       "%u of %u songs have no excerpt; the page "
                       "shows why",
                       work.n_missing, places->len);
  return TRUE;
}
