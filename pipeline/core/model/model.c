/* A model and its type: create, load, save, describe. */
#include "base/calling.h"
#include "model/model-folder.h"
#include "model/model-private.h"
#include "model/preparation.h"
#include "params/params.h"
#include "registry/registry.h"

#include <segue/file.h>
#include <string.h>

static const char *const *const precisions = SEGUE_MODEL_PRECISION_CHOICES;

const char *const *
segue_model_precision_names (void)
{
  return precisions;
}

const char *
segue_schedule_get_name (SegueSchedule schedule)
{
  return schedule < SEGUE_N_SCHEDULES ? SEGUE_SCHEDULE_CHOICES[schedule] : "unknown";
}

/* A caller's header may be older, with a shorter struct. */
static SegueModelSpec
whole_spec (const SegueModelSpec *given)
{
  SegueModelSpec spec = { .threads = 1 };
  if (given)
    memcpy (&spec, given, MIN (given->struct_size, sizeof spec));
  spec.struct_size = sizeof spec;
  return spec;
}

static const SegueParam *const no_params[] = { NULL };

static const SegueParam *const *
rows_of (const SegueModelType *type)
{
  return type->params ? type->params : no_params;
}

/* All defaults of @type, as the pipeline parses them from an empty map. */
static gpointer
default_config (const SegueModelType *type, GError **error)
{
  g_autofree char *where = g_strdup_printf ("model type '%s': ", type->name);
  const SegueParamScope scope = { .where = where };
  g_autofree gpointer config = g_malloc0 (MAX (type->config_size, sizeof (gint64)));
  if (!segue_params_parse (rows_of (type), NULL, config, &scope, error))
    return NULL;
  return g_steal_pointer (&config);
}

/* Properties that every caller relies on without checking again. */
static gboolean
check_description (SegueModel *model, gboolean headless, GError **error)
{
  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  segue_model_describe (model, &info);
  gboolean vectors = segue_model_type_takes (model->type) == SEGUE_KIND_TENSOR;
  gboolean input = vectors ? info.rate == 0 && info.min_length > 0 : info.rate > 0;
  gboolean labels =
    info.labels && info.n_labels > 0 && g_strv_length ((char **) info.labels) == info.n_labels;
  gboolean space = info.n_axes == 0 || info.centres;
  if (input && (headless || (labels && space)))
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
               input && labels ? "model type '%s' made a model with axes and without centres"
               : input         ? "model type '%s' made a model without labels"
               : vectors ? "model type '%s' takes vectors, and made a model with a rate or without "
                           "a length"
                         : "model type '%s' made a model without a rate",
               model->type->name);
  return FALSE;
}

/* Whether @type can do what @spec requests. */
static gboolean
check_use (const SegueModelType *type, const SegueModelSpec *spec, GError **error)
{
  if (spec->headless ? type->encoder != NULL : type->recipe != NULL)
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
               spec->headless ? "model type '%s' is a classifier, not an encoder"
                              : "model type '%s' is an encoder, not a classifier; name it in an "
                                "`embed` stage, and train a classifier such as `lda`",
               type->name);
  return FALSE;
}

/* A model without impl; its own defaults where @config is %NULL. */
static SegueModel *
model_shell (const SegueModelType *type, const void *config, GError **error)
{
  gpointer own = NULL;
  if (!config && !(own = default_config (type, error)))
    return NULL;
  SegueModel *model = g_new0 (SegueModel, 1);
  model->type = type;
  model->own_config = own;
  return model;
}

SegueModel *
segue_model_new (const SegueModelType *type, const void *config, const SegueModelSpec *spec,
                 GError **error)
{
  const SegueModelSpec whole = whole_spec (spec);
  g_return_val_if_fail ((whole.labels || whole.headless) && whole.threads >= 1, NULL);

  if (!check_use (type, &whole, error))
    return NULL;
  g_autoptr (SegueModel) model = model_shell (type, config, error);
  if (!model)
    return NULL;
  g_autoptr (GError) local = NULL;
  const SegueCalling outer = segue_calling_begin ("model type", type->name, FALSE);
  model->impl = type->create (config ? config : model->own_config, &whole, &local);
  segue_calling_end (outer);
  if (!segue_model_conclude (type, model->impl != NULL, &local, error) ||
      !check_description (model, whole.headless, error))
    return NULL;
  return g_steal_pointer (&model);
}

static const SegueModelType *
find_by_config_type (SegueRegistry *registry, const char *config_type)
{
  g_autoptr (GPtrArray) types = segue_registry_list_models (registry);
  for (guint i = 0; i < types->len; i++) {
    const SegueModelType *type = g_ptr_array_index (types, i);
    if (type->config_types && g_strv_contains (type->config_types, config_type))
      return type;
  }
  return NULL;
}

/* Its members take items that different stages prepared. */
static const SegueModelType *
refuse_combined (const char *folder, GError **error)
{
  g_autofree char *shown = g_filename_display_name (folder);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
               "‘%s’ is a combined model, which `combine` has evaluated and `segue predict` takes; "
               "name one of its members instead, such as ‘%s/members/1’",
               shown, shown);
  return NULL;
}

/* The type that reads @folder; %NULL with error where there is none. */
static const SegueModelType *
find_type (SegueRegistry *registry, const char *folder, const SegueModelFolder *content,
           GError **error)
{
  const SegueModelType *type = NULL;
  if (content->weights)
    return refuse_combined (folder, error);
  if (content->model)
    type = segue_registry_find_model (registry, content->model);
  else if (content->config_type)
    type = find_by_config_type (registry, content->config_type);
  if (type || !segue_registry_check_whole (registry, error))
    return type;

  g_autofree char *shown = g_filename_display_name (folder);
  const char *name = content->model ? content->model : content->config_type;
  g_autofree char *why = name ? segue_registry_explain_missing (registry, name) : NULL;
  if (name)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "‘%s’ contains a model of type '%s'; %s; `segue inspect` lists the installed "
                 "types",
                 shown, name, why);
  else
    g_set_error (
      error, SEGUE_ERROR, SEGUE_ERROR_DATA,
      "‘%s’ contains no model: there is neither a segue.json nor a config.json with a model_type",
      shown);
  return NULL;
}

const SegueModelType *
segue_model_find_type (SegueRegistry *registry, const char *folder, GError **error)
{
  g_auto (SegueModelFolder) content = { 0 };
  if (!segue_model_folder_read (folder, &content, error))
    return NULL;
  return find_type (registry, folder, &content, error);
}

/* A type that the caller requests must be the one that reads the folder. */
static gboolean
check_type (const SegueModelType *wanted, const SegueModelType *found, const char *folder,
            GError **error)
{
  if (wanted == found)
    return TRUE;
  g_autofree char *shown = g_filename_display_name (folder);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
               "‘%s’ contains a model of type '%s', not '%s'; write `model: %s`", shown,
               found->name, wanted->name, found->name);
  return FALSE;
}

SegueModel *
segue_model_load (SegueRegistry *registry, const char *folder, const SegueModelType *type,
                  const void *config, const SegueModelSpec *spec, GError **error)
{
  const SegueModelSpec whole = whole_spec (spec);
  g_auto (SegueModelFolder) content = { 0 };
  if (!segue_model_folder_read (folder, &content, error))
    return NULL;

  const SegueModelType *found = find_type (registry, folder, &content, error);
  if (!found || (type && !check_type (type, found, folder, error)))
    return NULL;

  if (!check_use (found, &whole, error))
    return NULL;
  if (!found->load) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                 "model type '%s' has no weights to load; remove `init`", found->name);
    return NULL;
  }
  g_autoptr (SegueModel) model = model_shell (found, config, error);
  if (!model)
    return NULL;
  g_autoptr (GError) local = NULL;
  const SegueCalling outer = segue_calling_begin ("model type", found->name, FALSE);
  model->impl = found->load (folder, config ? config : model->own_config, &whole, &local);
  segue_calling_end (outer);
  if (!segue_model_conclude (found, model->impl != NULL, &local, error) ||
      !check_description (model, whole.headless, error))
    return NULL;
  return g_steal_pointer (&model);
}

void
segue_model_set_cancellable (SegueModel *model, GCancellable *cancellable)
{
  if (model->type->set_cancellable)
    model->type->set_cancellable (model->impl, cancellable);
}

gboolean
segue_model_save (SegueModel *model, const char *folder, SeguePreparation *preparation,
                  GError **error)
{
  if (!segue_file_make_folder (folder, error))
    return FALSE;
  g_autoptr (GError) local = NULL;
  gboolean ok = model->type->save (model->impl, folder, &local);
  /* segue.json last: a folder that has one is complete. */
  return segue_model_conclude (model->type, ok, &local, error) &&
         segue_model_folder_check (folder, model->type, error) &&
         segue_preparation_save_files (preparation, folder, error) &&
         segue_model_folder_write (folder, model->type->name,
                                   segue_preparation_get_stages (preparation), error);
}

void
segue_model_free (SegueModel *model)
{
  if (!model)
    return;
  if (model->impl)
    model->type->free (model->impl);
  if (model->own_config)
    segue_params_clear (rows_of (model->type), model->own_config);
  g_free (model->own_config);
  free (model->buffer);
  g_free (model);
}

const SegueModelType *
segue_model_get_type (SegueModel *model)
{
  return model->type;
}

gpointer
segue_model_get_impl (SegueModel *model)
{
  return model->impl;
}

void
segue_model_describe (SegueModel *model, SegueModelInfo *info)
{
  SegueModelInfo whole = SEGUE_INIT (SegueModelInfo);
  gsize size = info->struct_size;
  model->type->describe (model->impl, &whole);
  memcpy (info, &whole, MIN (size, sizeof whole));
  info->struct_size = size;
}
