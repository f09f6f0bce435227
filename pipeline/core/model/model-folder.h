/* The description in a model folder: segue.json, or only config.json (internal). */
#pragma once

#include <jansson.h>
#include <segue/combination.h>
#include <segue/model.h>

/* The format of segue.json. */
#define SEGUE_MODEL_FOLDER_VERSION 1
/* Stands for the type of a combined model, whose members have types. */
#define SEGUE_COMBINED_MODEL "combined"

/**
 * SegueModelFolder:
 * @model: (nullable): name of the model type in segue.json; %NULL where there is no segue.json
 * @preparation: (nullable): JSON text of the array in segue.json; %NULL where there is none
 * @config_type: (nullable): `model_type` in config.json
 * @weights: (nullable) (element-type double): of a combined model (model/members.h): a weight for each member
 * @rule: likewise
 */
typedef struct {
  char *model;
  char *preparation;
  char *config_type;
  GArray *weights;
  SegueCombinationRule rule;
} SegueModelFolder;

/** segue_model_folder_read: safe for untrusted folders: regular files of bounded size, strict JSON,
 * bounded text. */
gboolean segue_model_folder_read (const char *folder, SegueModelFolder *content, GError **error);
void segue_model_folder_clear (SegueModelFolder *content);

/** segue_model_folder_read_object: (transfer full) (nullable): the JSON object in file @name of
 * @folder, read as segue.json is; %NULL without @error: there is no such file. */
json_t *segue_model_folder_read_object (const char *folder, const char *name, GError **error);

/** segue_model_folder_check: whether save () of @type wrote what other programs and segue need to read the model.
 * %SEGUE_ERROR_INTERNAL. */
gboolean segue_model_folder_check (const char *folder, const SegueModelType *type, GError **error);

/** segue_model_folder_write: replaces segue.json in @folder as a whole. @preparation: (nullable):
 * JSON text of an array. */
gboolean segue_model_folder_write (const char *folder, const char *model, const char *preparation,
                                   GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegueModelFolder, segue_model_folder_clear)
