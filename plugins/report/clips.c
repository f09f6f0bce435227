#include "clips.h"

#include <math.h>
#include <segue/collect.h>
#include <segue/decode.h>
#include <segue/error.h>
#include <segue/file.h>
#include <string.h>

/* The sample rate of Opus. */
#define RATE 48000
/* Of a segment that is a whole song, its beginning. */
#define MAX_CLIP_SECONDS 30
/* Later parts of longer songs come from the audio that the model used. At the maximum, in stereo, it takes 350
 * MB. */
#define MAX_SONG_SECONDS 900
#define MAX_THREADS      4

struct _ReportClips {
  const ReportTable *table;
  GPtrArray *list;    /* ReportClip */
  GHashTable *places; /* segment → ReportClip */
};

static void
clip_free (gpointer data)
{
  ReportClip *clip = data;
  g_free (clip->file);
  g_free (clip->why);
  g_free (clip);
}

ReportClips *
report_clips_new (const ReportTable *table)
{
  ReportClips *clips = g_new0 (ReportClips, 1);
  clips->table = table;
  clips->list = g_ptr_array_new_with_free_func (clip_free);
  clips->places = g_hash_table_new (NULL, NULL);
  return clips;
}

void
report_clips_free (ReportClips *clips)
{
  if (!clips)
    return;
  g_ptr_array_unref (clips->list);
  g_hash_table_unref (clips->places);
  g_free (clips);
}

void
report_clips_want (ReportClips *clips, guint segment)
{
  if (g_hash_table_contains (clips->places, GUINT_TO_POINTER (segment)))
    return;
  ReportClip *clip = g_new0 (ReportClip, 1);
  clip->segment = segment;
  g_ptr_array_add (clips->list, clip);
  g_hash_table_insert (clips->places, GUINT_TO_POINTER (segment), clip);
}

const ReportClip *
report_clips_get (const ReportClips *clips, guint segment)
{
  return g_hash_table_lookup (clips->places, GUINT_TO_POINTER (segment));
}

guint
report_clips_count (const ReportClips *clips)
{
  guint n = 0;
  for (guint i = 0; i < clips->list->len; i++)
    n += ((const ReportClip *) g_ptr_array_index (clips->list, i))->file != NULL;
  return n;
}

/* ---- One clip ---- */

typedef struct {
  ReportClips *clips;
  SegueContext *context;
  SegueDataset *items;     /* nullable: the segments that the model used */
  GHashTable *item_places; /* song id → its first entry + 1 */
  PassageFormat format;
  const char *music; /* nullable: the folder of the songs of a finished run */
  const char *folder;
  GMutex mutex;
  gint n_recalled;    /* clips that were cached */
  guint next, done;   /* in clips->list, which is sorted by song */
  GError *failure;    /* the first that does not concern a song */
  GError *no_decoder; /* nullable: why there is none */
} Work;

/* Data of one thread. */
typedef struct {
  Work *work;
  SegueDecoder *decoder; /* NULL: see no_decoder */
  SegueReader *reader;   /* NULL: not needed yet */
} Hand;

static int
compare_segments (gconstpointer a, gconstpointer b)
{
  const ReportClip *one = *(const ReportClip *const *) a, *other = *(const ReportClip *const *) b;
  return one->segment < other->segment ? -1 : one->segment > other->segment;
}

static const ReportSegment *
segment_of (const Work *work, guint i)
{
  const ReportClip *clip = g_ptr_array_index (work->clips->list, i);
  return report_table_segment (work->clips->table, clip->segment);
}

static double
length_of (const ReportSegment *segment)
{
  return MIN (segment->duration, MAX_CLIP_SECONDS);
}

/* Whether the error concerns only this song, so that others may succeed; or there is no decoder at all, and only
 * the audio that the model used is available. */
static gboolean
is_about_song (const GError *error)
{
  return segue_error_is_about_item (error) ||
         g_error_matches (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT) ||
         g_error_matches (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
}

/* The end of @path with as many parts as @id: the song's path in its music folder. %NULL: it could lead outside
 * of that. */
static const char *
find_tail (const char *path, const char *id)
{
  guint n = 1;
  for (const char *at = id; *at != '\0'; at++)
    n += *at == '/';
  const char *tail = path + strlen (path);
  while (tail > path && (tail[-1] != '/' || --n > 0))
    tail--;
  g_auto (GStrv) parts = g_strsplit (tail, "/", -1);
  for (guint i = 0; parts[i]; i++)
    if (*parts[i] == '\0' || g_str_equal (parts[i], ".") || g_str_equal (parts[i], ".."))
      return NULL;
  return tail;
}

/* (transfer full): the file of @song, if it may be opened. Songs that the run itself decodes were found by it;
 * the table of a finished run may name any file of this machine. */
static char *
find_file (const Work *work, const ReportSong *song, GError **error)
{
  /* Bytes that are not text are percent-encoded. */
  g_autofree char *path = g_uri_unescape_string (song->source, NULL);
  gboolean is_own = g_hash_table_contains (work->item_places, song->id);
  const char *tail = path && !is_own && work->music ? find_tail (path, song->id) : NULL;
  if (tail)
    return g_build_filename (work->music, tail, NULL);
  if (!is_own && !work->music)
    g_set_error_literal (
      error, SEGUE_ERROR, SEGUE_ERROR_DATA,
      "the song's file was not opened: pass the music folder with --music FOLDER");
  else if (!is_own || !path || !g_path_is_absolute (path))
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT, "no file of the song is known");
  else
    return g_steal_pointer (&path);
  return NULL;
}

/* The audio that the model used for segment @i; %NULL without @error: not known. */
static SegueItem *
read_model_audio (Hand *hand, guint i, GError **error)
{
  Work *work = hand->work;
  const ReportSegment *segment = segment_of (work, i);
  const ReportSong *song = report_table_song (work->clips->table, segment->song);
  guint at = work->items ? GPOINTER_TO_UINT (g_hash_table_lookup (work->item_places, song->id)) : 0;
  for (; at > 0 && at <= segue_dataset_get_length (work->items); at++) {
    SegueItem *entry = segue_dataset_get_entry (work->items, at - 1);
    if (!g_str_equal (segue_item_get_song (entry), song->id))
      break;
    if (segue_item_get_kind (entry) != SEGUE_KIND_AUDIO ||
        fabs (segue_item_get_double (entry, SEGUE_META_START, 0) - segment->start) > 1e-6)
      continue;
    if (!hand->reader)
      hand->reader = segue_reader_new (work->items, 0);
    return segue_reader_get (hand->reader, at - 1, segue_context_get_cancellable (work->context),
                             error);
  }
  return NULL;
}

static gboolean
write_clip (Hand *hand, guint i, GBytes *bytes, const char *suffix, GError **error)
{
  Work *work = hand->work;
  ReportClip *clip = g_ptr_array_index (work->clips->list, i);
  gsize size;
  const void *data = g_bytes_get_data (bytes, &size);
  g_autofree char *name = g_strdup_printf ("%05u.%s", i + 1, suffix);
  g_autofree char *path = g_build_filename (work->folder, name, NULL);
  if (!segue_file_write (path, data, (gssize) size, error))
    return FALSE;
  clip->file = g_steal_pointer (&name);
  return TRUE;
}

/* ---- From the song's file ---- */

/* A song whose clips are being made.
 * @begin, @end: s: the part that contains all clips which are not cached */
typedef struct {
  char *path; /* NULL: it may not be opened */
  double begin, end;
  SegueItem *audio; /* NULL: not decoded yet, or that failed */
  GError *problem;  /* why there is no audio */
} Song;

static void
song_clear (Song *song)
{
  g_free (song->path);
  segue_item_unref (song->audio);
  g_clear_error (&song->problem);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Song, song_clear)

/* Later parts are not decoded: a long song would take too much memory. */
static void
want_part (Song *song, const ReportSegment *segment)
{
  if (segment->start >= MAX_SONG_SECONDS)
    return;
  song->begin = MIN (song->begin, segment->start);
  song->end = MAX (song->end, MIN (segment->start + length_of (segment), MAX_SONG_SECONDS));
}

static const SegueItem *
decode_song (Hand *hand, Song *song)
{
  GCancellable *cancellable = segue_context_get_cancellable (hand->work->context);
  if (song->end <= song->begin && !song->problem)
    g_set_error (&song->problem, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "clips are cut from the first %d minutes of a song", MAX_SONG_SECONDS / 60);
  if (!song->audio && !song->problem)
    song->audio = segue_decoder_decode_passage (hand->decoder, song->path, song->begin, song->end,
                                                cancellable, &song->problem);
  return song->audio;
}

/* (transfer full): all that the bytes of a clip depend on, beside the song. */
static char *
describe_clip (const Work *work, const ReportSegment *segment)
{
  char start[G_ASCII_DTOSTR_BUF_SIZE], length[G_ASCII_DTOSTR_BUF_SIZE];
  g_ascii_dtostr (start, sizeof start, segment->start);
  g_ascii_dtostr (length, sizeof length, length_of (segment));
  return g_strdup_printf ("clip %s %s %s", passage_suffix (work->format), start, length);
}

/* %TRUE without a file: it is not cached. */
static gboolean
recall_clip (Hand *hand, guint i, const Song *song, GError **error)
{
  const Work *work = hand->work;
  g_autoptr (GError) local = NULL;
  g_autofree char *what = describe_clip (work, segment_of (work, i));
  g_autoptr (GBytes) bytes = segue_decoder_recall (
    hand->decoder, song->path, what, segue_context_get_cancellable (work->context), &local);
  if (local) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  if (!bytes)
    return TRUE;
  g_atomic_int_inc (&hand->work->n_recalled);
  return write_clip (hand, i, bytes, passage_suffix (work->format), error);
}

static gboolean
cut_clip (Hand *hand, guint i, Song *song, GError **error)
{
  const Work *work = hand->work;
  const ReportSegment *segment = segment_of (work, i);
  const SegueItem *audio = song->problem ? NULL : decode_song (hand, song);
  const char *suffix = NULL;
  if (!audio) {
    g_propagate_error (error, g_error_copy (song->problem));
    return FALSE;
  }
  g_autofree char *what = describe_clip (work, segment);
  g_autoptr (GBytes) bytes =
    passage_encode (audio, segue_item_get_double (audio, SEGUE_META_START, 0), segment->start,
                    length_of (segment), work->format, &suffix, error);
  return bytes && segue_decoder_keep (hand->decoder, song->path, what, bytes, error) &&
         write_clip (hand, i, bytes, suffix, error);
}

/* ---- From either ---- */

/* %FALSE without @error: the audio that the model used is not known. */
static gboolean
use_model_audio (Hand *hand, guint i, GError **error)
{
  const ReportSegment *segment = segment_of (hand->work, i);
  const char *suffix = NULL;
  g_autoptr (SegueItem) audio = read_model_audio (hand, i, error);
  g_autoptr (GBytes) bytes =
    audio ? passage_encode (audio, segment->start, segment->start, length_of (segment),
                            hand->work->format, &suffix, error)
          : NULL;
  return bytes && write_clip (hand, i, bytes, suffix, error);
}

/* The clip from the song's file, else from the audio that the model used; %FALSE: neither, @error is the
 * reason. */
static gboolean
make_clip (Hand *hand, guint i, Song *song, GError **error)
{
  g_autoptr (GError) first = NULL, second = NULL;
  if (cut_clip (hand, i, song, &first))
    return TRUE;
  if (is_about_song (first) && use_model_audio (hand, i, &second))
    return TRUE;
  g_propagate_error (error, second ? g_steal_pointer (&second) : g_steal_pointer (&first));
  return FALSE;
}

/* The message contains no path of this machine; people know the song's name. */
static char *
explain (const GError *error)
{
  if (g_error_matches (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT))
    return g_strdup ("the song's file is missing, or can't be read");
  return g_strdup (error->message);
}

/* Finds the file, and the clips that are cached; the others are left without a file. */
static gboolean
open_song (Hand *hand, guint first, guint end, Song *song, GError **error)
{
  Work *work = hand->work;
  guint number = segment_of (work, first)->song;
  song->path = find_file (work, report_table_song (work->clips->table, number), &song->problem);
  song->begin = MAX_SONG_SECONDS;
  if (song->path && !hand->decoder)
    song->problem = g_error_copy (work->no_decoder);
  for (guint i = first; !song->problem && i < end; i++) {
    const ReportClip *clip = g_ptr_array_index (work->clips->list, i);
    if (!recall_clip (hand, i, song, error))
      return FALSE;
    if (!clip->file)
      want_part (song, segment_of (work, i));
  }
  return TRUE;
}

/* The clips of one song, from @first to before @end. An unchanged song has the same clips as in an earlier run: then it
 * is not decoded. */
static gboolean
make_song (Hand *hand, guint first, guint end, GError **error)
{
  g_auto (Song) song = { 0 };
  if (!open_song (hand, first, end, &song, error))
    return FALSE;
  for (guint i = first; i < end; i++) {
    g_autoptr (GError) local = NULL;
    ReportClip *clip = g_ptr_array_index (hand->work->clips->list, i);
    if (clip->file || make_clip (hand, i, &song, &local))
      continue;
    if (!is_about_song (local)) {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
    clip->why = explain (local);
  }
  return TRUE;
}

/* ---- The work, in several threads ---- */

/* Takes the next song: its clips are from @first to before the returned index; the same index: there are no
 * more. */
static guint
take_song (Work *work, guint *first)
{
  guint n = work->clips->list->len, end = work->failure ? n : work->next;
  *first = work->next = end;
  while (work->next < n && segment_of (work, work->next)->song == segment_of (work, *first)->song)
    work->next++;
  return work->next;
}

static gpointer
work_thread (gpointer data)
{
  Hand *hand = data;
  Work *work = hand->work;
  GCancellable *cancellable = segue_context_get_cancellable (work->context);
  guint first, end;
  g_mutex_lock (&work->mutex);
  while ((end = take_song (work, &first)) > first) {
    g_autoptr (GError) error = NULL;
    g_mutex_unlock (&work->mutex);
    gboolean ok = FALSE;
    if (g_cancellable_is_cancelled (cancellable))
      g_set_error_literal (&error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
    else
      ok = make_song (hand, first, end, &error);
    g_mutex_lock (&work->mutex);
    if (!ok && !work->failure)
      work->failure = g_steal_pointer (&error);
    work->done += end - first;
    segue_context_progress (work->context, work->done, work->clips->list->len, NULL);
  }
  g_mutex_unlock (&work->mutex);
  return NULL;
}

/* Does the work in @n threads, of which this one is the first; with fewer it is only slower. */
static void
work_all (Work *work, guint n)
{
  SegueRegistry *registry = segue_context_get_registry (work->context);
  g_autofree Hand *hands = g_new0 (Hand, n);
  g_autoptr (GPtrArray) threads = g_ptr_array_new ();
  for (guint i = 0; i < n; i++) {
    hands[i].work = work;
    hands[i].decoder = segue_decoder_new (registry, RATE, MAX_SONG_SECONDS,
                                          !work->no_decoder ? &work->no_decoder : NULL);
    if (hands[i].decoder)
      segue_decoder_use_cache (hands[i].decoder, work->context);
  }
  for (guint i = 1; i < n; i++) {
    GThread *thread = g_thread_try_new ("clips", work_thread, &hands[i], NULL);
    if (thread)
      g_ptr_array_add (threads, thread);
  }
  work_thread (&hands[0]);
  for (guint i = 0; i < threads->len; i++)
    g_thread_join (g_ptr_array_index (threads, i));
  for (guint i = 0; i < n; i++) {
    g_clear_pointer (&hands[i].decoder, segue_decoder_free);
    g_clear_pointer (&hands[i].reader, segue_reader_free);
  }
}

static void
find_items (Work *work)
{
  guint n = work->items ? segue_dataset_get_length (work->items) : 0;
  for (guint i = 0; i < n; i++) {
    SegueItem *entry = segue_dataset_get_entry (work->items, i);
    const char *song = segue_item_get_song (entry);
    if (i == 0 ||
        !g_str_equal (song, segue_item_get_song (segue_dataset_get_entry (work->items, i - 1))))
      g_hash_table_insert (work->item_places, (gpointer) song, GUINT_TO_POINTER (i + 1));
    /* Records that the result depends on an entry's part of the song, whichever thread reads it first. */
    (void) segue_item_get_double (entry, SEGUE_META_START, 0);
  }
}

static void
tell_missing (const Work *work)
{
  const char *first = NULL;
  guint n = 0;
  for (guint i = 0; i < work->clips->list->len; i++) {
    const ReportClip *clip = g_ptr_array_index (work->clips->list, i);
    n += clip->why != NULL;
    if (clip->why && !first)
      first = clip->why;
  }
  if (n > 0)
    segue_context_log (work->context, G_LOG_LEVEL_WARNING,
                       "%u of %u clips could not be created; the first error: %s", n,
                       work->clips->list->len, first);
}

gboolean
report_clips_make (ReportClips *clips, SegueDataset *items, PassageFormat format, const char *music,
                   const char *folder, SegueContext *context, GError **error)
{
  Work work = { .clips = clips,
                .context = context,
                .items = items,
                .format = passage_can (format) ? format : PASSAGE_FLAC,
                .music = music,
                .folder = folder };
  if (clips->list->len == 0)
    return TRUE;
  if (!segue_file_make_folder (folder, error))
    return FALSE;
  g_mutex_init (&work.mutex);
  work.item_places = g_hash_table_new (g_str_hash, g_str_equal);
  g_ptr_array_sort (clips->list, compare_segments);
  find_items (&work);
  segue_context_set_progress_unit (context, "clips");
  work_all (&work, MIN (segue_context_get_threads (context), MAX_THREADS));
  g_hash_table_unref (work.item_places);
  g_mutex_clear (&work.mutex);
  g_clear_error (&work.no_decoder);
  segue_context_log (context, G_LOG_LEVEL_DEBUG, "%d of %u clips from the cache", work.n_recalled,
                     clips->list->len);
  if (!work.failure)
    tell_missing (&work);
  else
    g_propagate_error (error, work.failure);
  return !work.failure;
}
