/* How much of the system's memory a pass may use. */
#include "model/model-private.h"

#include <sys/mman.h>
#include <unistd.h>

#define CACHE_LINE ((gsize) 64)
#define LARGE_PAGE ((gsize) 2 * 1024 * 1024)

static gboolean
check_vector (const SegueModel *model, const SegueModelInfo *info, gsize length, GError **error)
{
  if (length == info->min_length)
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
               "vectors have %" G_GSIZE_FORMAT
               " numbers, and this '%s' model takes %" G_GSIZE_FORMAT
               ": it was trained with other encoders",
               length, model->type->name, info->min_length);
  return FALSE;
}

gboolean
segue_model_check_length (SegueModel *model, gsize length, GError **error)
{
  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  segue_model_describe (model, &info);
  if (info.rate == 0)
    return check_vector (model, &info, length, error);
  double seconds = (double) length / info.rate;
  if (length < MAX (info.min_length, 1)) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                 "segments of %.3f s are too short for '%s', which needs at least %.3f s", seconds,
                 model->type->name, (double) info.min_length / info.rate);
    return FALSE;
  }
  gsize bytes = model->type->plan (model->impl, 1, length, SEGUE_MODEL_INFER);
  if (bytes <= SEGUE_MODEL_MAX_SEGMENT)
    return TRUE;
  g_autofree char *most = g_format_size_full (SEGUE_MODEL_MAX_SEGMENT, G_FORMAT_SIZE_IEC_UNITS);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
               "segments of %.3f s are too long for this '%s' model: it would take more than %s of "
               "memory for each; use shorter segments, or a smaller model",
               seconds, model->type->name, most);
  return FALSE;
}

gboolean
segue_model_check_workspace (SegueModel *model, gsize bytes, GError **error)
{
  long pages = sysconf (_SC_PHYS_PAGES), size = sysconf (_SC_PAGESIZE);
  guint64 all = pages > 0 && size > 0 ? (guint64) pages * (guint64) size : G_MAXUINT64;
  if (bytes <= all / 2)
    return TRUE;
  g_autofree char *needed =
    bytes < G_MAXSIZE / 4 ? g_format_size (bytes) : g_strdup ("more memory than any system has");
  g_autofree char *there = g_format_size (all);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
               "a pass of this '%s' model takes %s, more than half of the system's memory (%s); "
               "use shorter segments, smaller batches or a smaller model",
               model->type->name, needed, there);
  return FALSE;
}

void *
segue_model_new_workspace (SegueModel *model, gsize bytes, GError **error)
{
  if (!segue_model_check_workspace (model, bytes, error))
    return NULL;
  /* A pass touches all of it: with small pages it would wait for each of them. */
  gsize page = bytes >= LARGE_PAGE ? LARGE_PAGE : CACHE_LINE;
  gsize whole = MAX ((bytes + page - 1) / page, 1) * page;
  void *workspace = aligned_alloc (page, whole);
  if (!workspace)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                 "not enough memory for the %" G_GSIZE_FORMAT " MiB that the model needs to run",
                 bytes / (1024 * 1024));
  else if (page == LARGE_PAGE)
    madvise (workspace, whole, MADV_HUGEPAGE);
  return workspace;
}
