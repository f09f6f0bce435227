/* map: the songs of a library as points on a page; songs that sound alike are near each other. */
#include "map.h"

#include "arrange.h"
#include "excerpts.h"
#include "neighbours.h"
#include "page.h"
#include "space.h"

#include <segue/file.h>
#include <string.h>

typedef enum { PLAY_CLIPS, PLAY_FILES, PLAY_NOTHING } Play;

typedef struct {
  int play; /* Play */
} MapConfig;

static const char *const play_choices[] = { "clips", "files", "nothing", NULL };

static const SegueParam *const params[] = {
  SEGUE_PARAM (
    MapConfig, play, SEGUE_PARAM_CHOICE, .def = "clips", .choices = play_choices,
    .doc = "What a click plays. `clips`: an excerpt of 10 s, stored beside the page, some 150 kB "
           "for each song; such a page can be copied, and works in `segue serve`. `files`: the "
           "whole song, from its own file: nothing is decoded, but the page contains the paths of "
           "the songs, plays only from disk on this system, and only formats that the browser "
           "plays. `nothing`: a map without sound."),
  NULL,
};

/* All intermediate results. */
typedef struct {
  Vectors *vectors;
  SegueNnThreads *threads;
  GArray *places; /* Place */
  float *means;   /* [places, size]: a row per song, of length 1 */
  gsize size;
} Map;

static void
place_clear (gpointer data)
{
  Place *place = data;
  g_free (place->sound);
  g_free (place->why);
}

static void
map_clear (Map *map)
{
  g_clear_pointer (&map->vectors, vectors_free);
  g_clear_pointer (&map->threads, segue_nn_threads_free);
  g_clear_pointer (&map->places, g_array_unref);
  g_clear_pointer (&map->means, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Map, map_clear)

/* ---- Songs from segments ---- */

static void
find_mean (const VectorsSong *song, gsize size, const float *segments, float *mean)
{
  memset (mean, 0, size * sizeof *mean);
  for (guint i = 0; i < song->n; i++)
    for (gsize j = 0; j < size; j++)
      mean[j] += segments[(song->first + i) * size + j] / (float) song->n;
}

/* The start of the segment that is most like the whole song, of those that an excerpt can have. */
static double
find_typical (const Vectors *vectors, const VectorsSong *song, gsize size, const float *segments,
              const float *mean)
{
  double best = -INFINITY, typical = 0.0;
  for (guint i = 0; i < song->n; i++) {
    const float *z = segments + (song->first + i) * size;
    double start = segue_item_get_double (
      segue_dataset_get_entry (vectors->dataset, song->first + i), SEGUE_META_START, 0.0);
    double product = 0.0;
    for (gsize j = 0; j < size; j++)
      product += (double) z[j] * (double) mean[j];
    if (product > best && start >= 0.0 && start <= EXCERPTS_DECODED - EXCERPTS_LENGTH) {
      best = product;
      typical = start;
    }
  }
  return typical;
}

static const char *
find_label (const SegueItem *entry)
{
  static const char *const keys[] = { SEGUE_META_LABEL, "artist", "album" };
  const char *label = NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (keys) && !(label && *label); i++)
    label = segue_item_get_string (entry, keys[i]);
  return label && *label ? label : NULL;
}

static gboolean
read_songs (Map *map, SegueContext *context, GError **error)
{
  g_autoptr (Space) space = space_fit (map->vectors, map->threads, context, error);
  g_autofree float *segments =
    space ? space_project (space, map->vectors, map->threads, context, error) : NULL;
  if (!segments)
    return FALSE;
  guint n = map->vectors->songs->len;
  space_normalise (map->vectors->n, space->size, segments);
  map->size = space->size;
  map->means = g_new (float, n * space->size);
  for (guint i = 0; i < n; i++) {
    const VectorsSong *song = vectors_song (map->vectors, i);
    Place place = { .song = song, .label = find_label (song->entry) };
    find_mean (song, space->size, segments, map->means + i * space->size);
    place.start =
      find_typical (map->vectors, song, space->size, segments, map->means + i * space->size);
    g_array_append_val (map->places, place);
  }
  space_normalise (n, space->size, map->means);
  return TRUE;
}

static gboolean
find_similar (Map *map, SegueContext *context, GError **error)
{
  gsize n = map->places->len, k = MIN (PLACE_SIMILAR, n - 1);
  g_autofree guint32 *indices = g_new (guint32, n * PLACE_SIMILAR);
  g_autofree float *similarities = g_new (float, n *PLACE_SIMILAR);
  if (!neighbours_find (map->threads, n, map->means, n, map->means, TRUE, map->size, k, indices,
                        similarities, segue_context_get_cancellable (context), error))
    return FALSE;
  for (gsize i = 0; i < n; i++) {
    Place *place = &g_array_index (map->places, Place, i);
    memcpy (place->similar, indices + i * k, k * sizeof *indices);
    place->n_similar = (guint) k;
  }
  return TRUE;
}

static gboolean
arrange (Map *map, SegueContext *context, GError **error)
{
  gsize n = map->places->len;
  g_autofree double *y = g_new (double, 2 * n);
  if (!arrange_songs (map->threads, n, map->size, map->means, segue_context_get_seed (context),
                      context, y, error))
    return FALSE;
  for (gsize i = 0; i < n; i++) {
    g_array_index (map->places, Place, i).x = y[2 * i];
    g_array_index (map->places, Place, i).y = y[2 * i + 1];
  }
  return TRUE;
}

/* ---- Sound ---- */

static void
name_files (GArray *places)
{
  for (guint i = 0; i < places->len; i++) {
    Place *place = &g_array_index (places, Place, i);
    const char *source = segue_item_get_string (place->song->entry, SEGUE_META_SOURCE);
    g_autofree char *path = source ? g_uri_unescape_string (source, NULL) : NULL;
    place->sound = path ? g_filename_to_uri (path, NULL, NULL) : NULL;
    if (!place->sound)
      place->why = g_strdup ("no file of the song is known");
  }
}

static gboolean
add_sound (Map *map, Play play, const char *folder, SegueContext *context, GError **error)
{
  if (play == PLAY_CLIPS)
    return excerpts_make (map->places, folder, context, error);
  if (play == PLAY_FILES)
    name_files (map->places);
  return TRUE;
}

static gboolean
collect (gpointer instance, SegueContext *context, GError **error)
{
  const MapConfig *config = segue_context_get_config (context);
  g_auto (Map) map = { .places = g_array_new (FALSE, FALSE, sizeof (Place)) };
  g_array_set_clear_func (map.places, place_clear);
  map.vectors = vectors_open (context, "vectors", error);
  map.threads =
    map.vectors ? segue_nn_threads_new (segue_context_get_threads (context), NULL, error) : NULL;
  if (!map.threads || !read_songs (&map, context, error) || !find_similar (&map, context, error) ||
      !arrange (&map, context, error))
    return FALSE;
  const char *output = segue_context_get_output_folder (context, error);
  g_autofree char *folder = output ? g_build_filename (output, PLACE_FOLDER, NULL) : NULL;
  if (!folder || !segue_file_make_folder (folder, error) ||
      !add_sound (&map, (Play) config->play, folder, context, error) ||
      !page_write (map.places, folder, error) || !segue_file_seal_folder (folder, error))
    return FALSE;
  segue_context_count (context, "songs", map.places->len);
  return TRUE;
}

static const SeguePort *const inputs[] = {
  SEGUE_PORT ("vectors", SEGUE_KIND_TENSOR, "A vector [C] of float32 for each segment."), NULL
};

const SegueStageType map_stage = {
  SEGUE_STAGE_TYPE,
  .name = "map",
  .summary = "Draws the library as a page: songs that sound alike are near each other",
  .doc = "Writes `map/index.html`: every song is a point, coloured by its label, played by a "
         "click, found by its name. The page opens from disk, without a network, in light and "
         "dark mode, also on phones.\n\nA song is the mean of its segments' vectors, standardised "
         "and projected to their principal components; t-SNE arranges the songs. Distances "
         "between neighbours mean something, those between distant groups do not. Of more than "
         "8,000 songs, 8,000 are arranged, and the others are put between those that they are "
         "most similar to.",
  .result_version = 2,
  .mode = SEGUE_MODE_COLLECT,
  .flags = SEGUE_STAGE_SEEDED,
  .inputs = inputs,
  .params = params,
  .config_size = sizeof (MapConfig),
  .fingerprint = library_fingerprint,
  .negotiate = library_negotiate,
  .collect = collect,
};
