/* Parameters by their tables: YAML → struct → canonical JSON (internal). */
#pragma once

#include "yaml/node.h"
#include <segue/host/segue.h>

/** SegueModelTypes: looks up the model type that a MODEL parameter names: see
 * segue_registry_model_types().
 * @find: (nullable): (transfer none) (nullable): the type called @name; %NULL: there are none
 * @refusal: (transfer full) (nullable): why the plugin with @name was refused, as a clause
 * @explain: (transfer full): why else there is none called @name, as a clause
 * @list: (transfer container): names, sorted, NULL-terminated; %NULL with @error where some may be missing */
typedef struct {
  const SegueModelType *(*find) (gpointer data, const char *name);
  GPtrArray *(*list) (gpointer data, GError **error);
  char *(*refusal) (gpointer data, const char *name);
  char *(*explain) (gpointer data, const char *name);
  gpointer data;
} SegueModelTypes;

/** SegueParamScope: the input of parsing besides the rows.
 * @models: of MODEL parameters
 * @folder: base of relative paths in the file; NULL: the current folder
 * @within: (nullable): the folder that output paths in the file may not leave, since the file may be
 *   untrusted
 * @files: (nullable): the only folder of which input paths and model references may name something: the file is
 *   untrusted
 * @where: (nullable): prefix of messages, such as "stage 'segment': "
 * @id: (nullable): of the stage, for advice: "segment"
 * @at: (nullable): where to point when the map itself is missing
 * @problems: (nullable) (element-type GError): collects all errors, and no error is set; %NULL: parsing
 *   stops at the first */
typedef struct {
  SegueModelTypes models;
  const char *folder;
  const char *within;
  const char *files;
  const char *where;
  const char *id;
  const SegueNode *at;
  GPtrArray *problems;
} SegueParamScope;

/** segue_params_parse: fills @config (zeroed, of the rows' struct) from the map @node (nullable:
 * all defaults). Unknown keys, wrong types and values out of range are errors with a position and
 * a suggestion. On failure @config has been cleared. */
SEGUE_API
gboolean segue_params_parse (const SegueParam *const *rows, const SegueNode *node, gpointer config,
                             const SegueParamScope *scope, GError **error);
/** segue_params_clear: frees the fields' contents and zeroes them; the caller owns @config itself. */
SEGUE_API
void segue_params_clear (const SegueParam *const *rows, gpointer config);

/** segue_params_canonical: (transfer full): compact JSON with sorted keys, without volatile rows and
 * output paths. Equal meaning gives equal text: 1 and 1.0, an explicit default and an omitted one.
 * Numbers have the shortest form that reads back the same. Also valid input for segue_node_parse(). */
char *segue_params_canonical (const SegueParam *const *rows, gconstpointer config);
/** segue_params_describe: (transfer full): as segue_params_canonical(), with all rows: for people, and
 * for another process that parses the same @config again. */
char *segue_params_describe (const SegueParam *const *rows, gconstpointer config);

/** SegueParamContentFunc: (transfer full): text that represents the content of @path, the value
 * of an INPUT_PATH or MODEL_REF @row; NULL with @error. */
typedef char *(*SegueParamContentFunc) (const SegueParam *row, const char *path, gpointer data,
                                        GError **error);
/** segue_params_key: (transfer full): as segue_params_canonical(), with the values of paths and
 * model references replaced by what @content returns for them, and the result version next to each
 * model type: for cache keys. */
char *segue_params_key (const SegueParam *const *rows, gconstpointer config,
                        SegueParamContentFunc content, gpointer data, GError **error);

/** segue_params_portable: (transfer full): as segue_params_canonical(), with the values of paths and model references
 * replaced by what @reference returns for them. */
char *segue_params_portable (const SegueParam *const *rows, gconstpointer config,
                             SegueParamContentFunc reference, gpointer data, GError **error);

/* ---- Rows ---- */

/** segue_param_read: a row as this version defines it: fields past the plugin's struct_size are zero. */
SegueParam segue_param_read (const SegueParam *row);
/** segue_param_field_size: bytes of the C field of @row. */
gsize segue_param_field_size (const SegueParam *row);
/** segue_param_field_align: alignment that the field needs; for a record, from its rows. */
gsize segue_param_field_align (const SegueParam *row);
/** segue_param_is_required: whether a map must contain it. */
gboolean segue_param_is_required (const SegueParam *row);
/** segue_params_have_short_form: whether only the first of @rows is required: a record of them may be written as its
 * value. */
gboolean segue_params_have_short_form (const SegueParam *const *rows);
/** segue_param_unset: writes the "not given" value; nothing is freed. */
void segue_param_unset (const SegueParam *row, gpointer field);
gboolean segue_param_is_unset (const SegueParam *row, gconstpointer field);
/** segue_param_clear: frees the contents of one field and leaves it unset. */
void segue_param_clear (const SegueParam *row, gpointer field);
/** segue_param_bounds: (transfer full) (nullable): "1..1000", "at least 0"; NULL: unbounded. */
char *segue_param_bounds (const SegueParam *row);
gboolean segue_param_in_bounds (const SegueParam *row, double value);
guint segue_param_max_items (const SegueParam *row);
/** segue_param_type_words: the expected type of a value, for messages: "a whole number". */
const char *segue_param_type_words (const SegueParam *row);

/** segue_params_check_table: whether @rows are a valid description of a struct of @size bytes: names,
 * fields inside it, bounds, choices, defaults that parse. @what is the message's prefix. */
gboolean segue_params_check_table (const SegueParam *const *rows, gsize size, const char *what,
                                   GError **error);
/** segue_name_is_valid: `[a-z][a-z0-9-]*`, also `_` where @underscore; at most 64 bytes. */
gboolean segue_name_is_valid (const char *name, gboolean underscore);
