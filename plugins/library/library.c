/* library: the vectors of all segments in one folder, to search for songs that sound alike (segue similar). */
#include "map.h"
#include "space.h"

#include <segue/file.h>
#include <segue/format.h>
#include <segue/json.h>
#include <segue/nn/backend.h>
#include <segue/nn/linear-algebra.h>
#include <segue/nn/safetensors.h>
#include <segue/plugin.h>
#include <string.h>

/* See README.md: pipeline/core/host/library.c reads what this file writes. */
#define FORMAT_VERSION 1
#define CHUNK          (256 * 1024)

/* ---- songs.jsonl ---- */

/* A song as people know it. Its first segment has the metadata of the song. */
static char *
describe_song (const VectorsSong *song)
{
  static const char *const keys[] = { SEGUE_META_SOURCE, SEGUE_META_LABEL, SEGUE_META_SET,
                                      "title",           "artist",         "album" };
  json_t *row = json_pack ("{s:s, s:I}", "id", segue_item_get_song (song->entry), "segments",
                           (json_int_t) song->n);
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++) {
    const char *value = segue_item_get_string (song->entry, keys[i]);
    if (value)
      json_object_set_new (row, keys[i], json_string (value));
  }
  return segue_json_print (row, JSON_COMPACT);
}

static gboolean
write_songs (const Vectors *vectors, const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "songs.jsonl", NULL);
  g_autoptr (SegueFileWriter) writer = segue_file_writer_new (path, error);
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; writer && i < vectors->songs->len; i++) {
    g_autofree char *row = describe_song (vectors_song (vectors, i));
    g_string_append_printf (text, "%s\n", row);
    if (text->len < CHUNK && i + 1 < vectors->songs->len)
      continue;
    if (!segue_file_writer_write (writer, text->str, text->len, error))
      return FALSE;
    g_string_truncate (text, 0);
  }
  return writer && segue_file_writer_commit (writer, error);
}

/* ---- library.safetensors ---- */

static gboolean
write_vectors (const Vectors *vectors, const Space *space, float *projected, const char *folder,
               GError **error)
{
  const gsize n = vectors->n, columns[] = { space->width }, rows[] = { n };
  const gsize square[] = { space->size, space->width }, shape[] = { n, space->size };
  g_autofree char *path = g_build_filename (folder, "library.safetensors", NULL);
  g_autofree double *starts = g_new (double, n);
  g_autoptr (SegueSafetensorsWriter) writer = segue_safetensors_writer_new ();
  for (guint i = 0; i < n; i++)
    starts[i] =
      segue_item_get_double (segue_dataset_get_entry (vectors->dataset, i), SEGUE_META_START, 0.0);
  space_normalise (n, space->size, projected);
  segue_safetensors_writer_add_f32 (writer, "mean", 1, columns, space->mean);
  segue_safetensors_writer_add_f32 (writer, "deviation", 1, columns, space->deviation);
  segue_safetensors_writer_add_f32 (writer, "projection", 2, square, space->projection);
  segue_safetensors_writer_add (writer, "starts", SEGUE_SAFETENSORS_F64, 1, rows, starts);
  segue_safetensors_writer_add_f32 (writer, "vectors", 2, shape, projected);
  return segue_safetensors_writer_write (writer, path, error);
}

/* ---- library.json ---- */

/* Last: a folder that has it is complete. */
static gboolean
write_head (const Vectors *vectors, const char *folder, GError **error)
{
  SeguePreparation *preparation = segue_dataset_get_preparation (vectors->dataset);
  g_autofree char *path = g_build_filename (folder, "library.json", NULL);
  /* The text of the preparation is inserted unchanged: canonical numbers stay the shortest ones. */
  g_autofree char *text = g_strdup_printf (
    "{\n  \"segue_library\": %d,\n  \"songs\": %u,\n  \"segments\": %u,\n"
    "  \"preparation\": %s\n}\n",
    FORMAT_VERSION, vectors->songs->len, vectors->n, segue_preparation_get_stages (preparation));
  return segue_preparation_save_files (preparation, folder, error) &&
         segue_file_write (path, text, -1, error);
}

static gboolean
collect (gpointer instance, SegueContext *context, GError **error)
{
  g_autoptr (Vectors) vectors = vectors_open (context, "vectors", error);
  g_autoptr (SegueNnThreads) threads =
    vectors ? segue_nn_threads_new (segue_context_get_threads (context), NULL, error) : NULL;
  g_autoptr (Space) space = threads ? space_fit (vectors, threads, context, error) : NULL;
  g_autofree float *projected =
    space ? space_project (space, vectors, threads, context, error) : NULL;
  const char *output = projected ? segue_context_get_output_folder (context, error) : NULL;
  g_autofree char *folder = output ? g_build_filename (output, "library", NULL) : NULL;
  if (!folder || !segue_file_make_folder (folder, error) || !write_songs (vectors, folder, error) ||
      !write_vectors (vectors, space, projected, folder, error) ||
      !write_head (vectors, folder, error))
    return FALSE;
  segue_context_count (context, "songs", vectors->songs->len);
  segue_context_count (context, "segments", vectors->n);
  return TRUE;
}

/* ---- The stages ---- */

char *
library_fingerprint (const void *config)
{
  g_autofree char *nn = segue_nn_fingerprint ();
  return g_strconcat (nn, " ", segue_nn_linear_algebra_fingerprint (), NULL);
}

gboolean
library_negotiate (const void *config, SegueNegotiation *negotiation, GError **error)
{
  const SegueFormat *vectors = segue_negotiation_get_input (negotiation, "vectors");
  if (vectors && vectors->rank > 1)
    return segue_negotiation_refuse (negotiation, NULL, error,
                                     "songs are compared by one vector per segment, not by frames; "
                                     "in the stage `embed`, use another `pool` than `none`");
  return TRUE;
}

static const SeguePort *const inputs[] = {
  SEGUE_PORT ("vectors", SEGUE_KIND_TENSOR, "A vector [C] of float32 for each segment."), NULL
};

static const SegueStageType library = {
  SEGUE_STAGE_TYPE,
  .name = "library",
  .summary = "Collects the vectors of all songs, to search for similar ones",
  .doc =
    "Writes `library/` into the run's folder: the vectors of all segments, standardised and "
    "projected to their principal components, and a table of the songs. `segue similar` finds "
    "songs of a library that sound like a song, or like a moment of one. The folder contains what "
    "is needed to prepare such a song, so it can be copied.\n\nLabels have no effect on the "
    "vectors.",
  .result_version = 1,
  .mode = SEGUE_MODE_COLLECT,
  .inputs = inputs,
  .fingerprint = library_fingerprint,
  .negotiate = library_negotiate,
  .collect = collect,
};

static const SegueStageType *const stages[] = { &library, &map_stage, NULL };

SEGUE_PLUGIN (.name = "library", .version = "1.0", .licence = "MIT", .stages = stages)
