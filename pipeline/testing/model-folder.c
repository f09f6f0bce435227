/* What a new model says of itself, and what of it survives in a folder. */
#include "model-case.h"

#include <glib/gstdio.h>
#include <math.h>
#include <segue/file.h>
#include <string.h>

#define MAX_FILE ((gsize) 1 << 31)

/* ---- Description ---- */

static gboolean
check_info (const ModelCase *c, SegueModel *model, const char *const *labels, const char *when,
            GError **error)
{
  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  segue_model_describe (model, &info);
  if (!g_strv_equal (info.labels, labels))
    return model_case_refuse (c, error, "%s, describe () gives other labels than it got", when);
  if (info.precision == SEGUE_MODEL_AUTO)
    return model_case_refuse (
      c, error, "%s, describe () gives the precision AUTO, not the one that is used", when);
  return TRUE;
}

static gboolean
check_tensors (const ModelCase *c, SegueModel *model, GError **error)
{
  g_autoptr (GArray) tensors = segue_model_list_tensors (model, error);
  g_autoptr (GArray) again = tensors ? segue_model_list_tensors (model, error) : NULL;
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  if (!again)
    return FALSE;
  if (again->len != tensors->len)
    return model_case_refuse (c, error, "list_tensors () lists other tensors the second time");
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
    const SegueModelTensor *same = &g_array_index (again, SegueModelTensor, i);
    if (t->value != same->value || t->gradient != same->gradient ||
        strcmp (t->name, same->name) != 0)
      return model_case_refuse (c, error, "tensor '%s' moves from one list_tensors () to the next",
                                t->name);
    if (!g_hash_table_add (names, (gpointer) t->name))
      return model_case_refuse (c, error, "two tensors are named '%s'", t->name);
  }
  return TRUE;
}

gboolean
model_case_check_description (const ModelCase *c, GError **error)
{
  const SegueModelSpec blank =
    SEGUE_INIT (SegueModelSpec, .labels = MODEL_CASE_LABELS, .length = c->vectors ? c->length : 0,
                .threads = 1, .precision = c->precision, .blank = TRUE);
  g_autoptr (SegueModel) model = model_case_new_model (c, 1, error);
  g_autoptr (SegueModel) empty = model ? segue_model_new (c->type, c->config, &blank, error) : NULL;
  if (!empty)
    return FALSE;
  SegueModelInfo one = SEGUE_INIT (SegueModelInfo), other = SEGUE_INIT (SegueModelInfo);
  segue_model_describe (model, &one);
  segue_model_describe (empty, &other);
  if (one.rate != other.rate || one.min_length != other.min_length || one.coupled != other.coupled)
    return model_case_refuse (c, error, "describe () differs between a model and a blank one");
  return check_info (c, model, MODEL_CASE_LABELS, "for a new model", error) &&
         check_info (c, empty, MODEL_CASE_LABELS, "for a blank model", error) &&
         check_tensors (c, model, error);
}

/* ---- Folders ---- */

/* As an optimiser does; without backward () as a checkpoint does, in all tensors. Signs stay. */
static gboolean
change (const ModelCase *c, SegueModel *model, GError **error)
{
  g_autoptr (GArray) tensors = segue_model_list_tensors (model, error);
  if (!tensors)
    return FALSE;
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
    gboolean changes = t->gradient || !c->type->backward;
    for (gsize j = 0; changes && j < t->n_elements; j++)
      t->value[j] = 1.125f * t->value[j] + copysignf (1e-3f * (float) (j % 5), t->value[j]);
  }
  segue_model_changed (model);
  return TRUE;
}

static gboolean
is_same (const float *a, const float *b)
{
  return memcmp (a, b, MODEL_CASE_N * MODEL_CASE_N * sizeof *a) == 0;
}

static float *
infer (const ModelCase *c, SegueModel *model, GError **error)
{
  return model_case_infer (c, model, 0, MODEL_CASE_N, 0, error);
}

/* A model with changed weights, and its logits. */
static SegueModel *
new_changed (const ModelCase *c, float **logits, GError **error)
{
  g_autoptr (SegueModel) model = model_case_new_fitted (c, 1, error);
  g_autofree float *before = model ? infer (c, model, error) : NULL;
  g_autofree float *after = before && change (c, model, error) ? infer (c, model, error) : NULL;
  g_autofree float *later = after && change (c, model, error) ? infer (c, model, error) : NULL;
  if (!later)
    return NULL;
  *logits = NULL;
  if (is_same (before, after) || is_same (after, later)) {
    model_case_refuse (c, error,
                       "new values of its tensors do not change the logits: what is computed from "
                       "weights must follow changed ()");
    return NULL;
  }
  *logits = g_steal_pointer (&later);
  return g_steal_pointer (&model);
}

static SegueModel *
load (const ModelCase *c, const char *folder, const char *const *labels, GError **error)
{
  const SegueModelSpec spec =
    SEGUE_INIT (SegueModelSpec, .labels = labels, .threads = 1, .precision = c->precision);
  return segue_model_load (c->registry, folder, NULL, c->config, &spec, error);
}

/* Vectors of another size than those that it was saved for. */
static gboolean
check_other_size (const ModelCase *c, const char *folder, GError **error)
{
  const SegueModelSpec spec =
    SEGUE_INIT (SegueModelSpec, .length = c->length + 1, .threads = 1, .precision = c->precision);
  g_autoptr (GError) local = NULL;
  if (!c->vectors)
    return TRUE;
  g_autoptr (SegueModel) loaded =
    segue_model_load (c->registry, folder, NULL, c->config, &spec, &local);
  if (loaded)
    return model_case_refuse (c, error, "load () accepts vectors of another size");
  return g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_PIPELINE) ||
         model_case_refuse (c, error,
                            "for vectors of another size, load () fails with ‘%s’, not with "
                            "SEGUE_ERROR_PIPELINE",
                            local->message);
}

static gboolean
check_file (const ModelCase *c, const char *one, const char *other, const char *name,
            GError **error)
{
  g_autofree char *first = g_build_filename (one, name, NULL);
  g_autofree char *second = g_build_filename (other, name, NULL);
  gsize n, m;
  g_autofree char *a = segue_file_read (first, MAX_FILE, &n, error);
  g_autofree char *b = a ? segue_file_read (second, MAX_FILE, &m, error) : NULL;
  if (!b)
    return FALSE;
  return (n == m && memcmp (a, b, n) == 0) ||
         model_case_refuse (c, error, "a model that was saved and loaded saves another %s", name);
}

/* @folder as saved; then again from what was loaded. */
static gboolean
check_round_trip (const ModelCase *c, const char *folder, const char *second, const float *logits,
                  GError **error)
{
  g_autoptr (SegueModel) loaded = load (c, folder, NULL, error);
  g_autofree float *same = loaded ? infer (c, loaded, error) : NULL;
  if (!same || !check_info (c, loaded, MODEL_CASE_LABELS, "for a loaded model", error))
    return FALSE;
  if (!is_same (same, logits))
    return model_case_refuse (c, error,
                              "a model that was saved and loaded has other logits: save () and "
                              "load () must keep every bit");
  return segue_model_save (loaded, second, NULL, error) &&
         check_file (c, folder, second, "config.json", error) &&
         check_file (c, folder, second, "model.safetensors", error);
}

/* Without segue.json, as published models are. */
static gboolean
check_published (const ModelCase *c, const char *folder, const float *logits, GError **error)
{
  g_autofree char *own = g_build_filename (folder, "segue.json", NULL);
  if (!c->type->config_types)
    return TRUE;
  g_unlink (own);
  g_autoptr (SegueModel) loaded = load (c, folder, NULL, error);
  g_autofree float *same = loaded ? infer (c, loaded, error) : NULL;
  if (!same)
    return FALSE;
  if (segue_model_get_type (loaded) != c->type || !is_same (same, logits))
    return model_case_refuse (c, error,
                              "a folder that has only config.json is read as another model");
  return TRUE;
}

static gboolean
check_new_labels (const ModelCase *c, const char *folder, GError **error)
{
  static const char *const labels[] = { "x", "y", NULL };
  g_autoptr (SegueModel) loaded = load (c, folder, labels, error);
  return loaded && check_info (c, loaded, labels, "for a model with other labels", error);
}

/* Half a file. */
static gboolean
check_damaged (const ModelCase *c, const char *folder, const char *name, GError **error)
{
  gsize n;
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *content = segue_file_read (path, MAX_FILE, &n, error);
  g_autoptr (GError) local = NULL;
  if (!content || !segue_file_write (path, content, (gssize) (n / 2), error))
    return FALSE;
  g_autoptr (SegueModel) loaded = load (c, folder, NULL, &local);
  if (loaded)
    return model_case_refuse (c, error, "load () accepts a folder with half of %s", name);
  if (local->domain != SEGUE_ERROR || local->code == SEGUE_ERROR_INTERNAL)
    return model_case_refuse (c, error,
                              "for half of %s, load () fails with ‘%s’, not with an error "
                              "about the file",
                              name, local->message);
  return segue_file_write (path, content, (gssize) n, error);
}

gboolean
model_case_check_folder (const ModelCase *c, GError **error)
{
  g_autofree char *folder = g_dir_make_tmp ("segue-test-XXXXXX", error);
  if (!folder)
    return FALSE;
  g_autofree char *first = g_build_filename (folder, "first", NULL);
  g_autofree char *second = g_build_filename (folder, "second", NULL);
  g_autofree float *logits = NULL;
  g_autoptr (SegueModel) model = new_changed (c, &logits, error);
  gboolean ok = model && segue_model_save (model, first, NULL, error) &&
                check_round_trip (c, first, second, logits, error) &&
                check_published (c, first, logits, error) && check_new_labels (c, first, error) &&
                check_other_size (c, first, error) &&
                check_damaged (c, first, "config.json", error) &&
                check_damaged (c, first, "model.safetensors", error);
  segue_file_remove_folder (folder, NULL);
  return ok;
}
