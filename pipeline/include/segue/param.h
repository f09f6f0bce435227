/* Parameters, declared once as data.
 *
 * A stage type or model type has a plain C struct for its configuration and one table of rows that
 * describe the struct's fields.  That table alone drives parsing, range checks, error texts,
 * `segue inspect`, docs/stages.md, the JSON Schema and the cache key: names, ranges and defaults
 * are defined nowhere else.
 *
 *   typedef struct { double head, tail; } TrimConfig;
 *
 *   static const SegueParam *const params[] = {
 *     SEGUE_PARAM (TrimConfig, head, SEGUE_PARAM_DOUBLE, .def = "10", .min = 0, .max = 3600,
 *                  .unit = "s", .doc = "Time to cut from the start of each song."),
 *     NULL,
 *   };
 */
#pragma once

#include <glib.h>
#include <math.h>
#include <segue/version.h>
#include <stddef.h>

G_BEGIN_DECLS

/**
 * SegueParamType: (the YAML value) → (the C type of the field).
 * @SEGUE_PARAM_BOOL: true, false → `gboolean`
 * @SEGUE_PARAM_INT: whole number → `gint64`
 * @SEGUE_PARAM_DOUBLE: number → `double`
 * @SEGUE_PARAM_STRING: text → `char *`
 * @SEGUE_PARAM_CHOICE: one of the row's `choices` → `int`, its index
 * @SEGUE_PARAM_RANGE: `[low, high]`, or one number for both → `double[2]`, low ≤ high
 * @SEGUE_PARAM_LIST: a list whose members are described by the row's `element` → `GArray *` of the
 *   member's C type (never %NULL after parsing; for an element of type RECORD, the record's struct)
 * @SEGUE_PARAM_RECORD: a map with the rows `group->params` → a struct of `group->size` bytes, in place
 * @SEGUE_PARAM_VARIANT: a map that names one of the row's `cases` under the key `tag`
 *   (`{ op: gain, db: [-6, 6] }`; the bare name alone where the case's rows all have defaults)
 *   → #SegueVariant
 * @SEGUE_PARAM_INPUT_PATH: a file or folder to read → `char *`, absolute; keyed by content
 * @SEGUE_PARAM_OUTPUT_PATH: a file or folder to write → `char *`, absolute; not part of any key.
 *   A pipeline file can name only paths below its own folder, the command line any path
 * @SEGUE_PARAM_MODEL_REF: a model folder, or ORG/NAME of the Hugging Face cache → `char *`, the
 *   absolute path or the name as written (see segue_model_ref_resolve()); keyed by content
 * @SEGUE_PARAM_MODEL: a model type, `NAME` or `{ use: NAME, …its own parameters… }` → #SegueModelChoice
 */
typedef enum {
  SEGUE_PARAM_BOOL,
  SEGUE_PARAM_INT,
  SEGUE_PARAM_DOUBLE,
  SEGUE_PARAM_STRING,
  SEGUE_PARAM_CHOICE,
  SEGUE_PARAM_RANGE,
  SEGUE_PARAM_LIST,
  SEGUE_PARAM_RECORD,
  SEGUE_PARAM_VARIANT,
  SEGUE_PARAM_INPUT_PATH,
  SEGUE_PARAM_OUTPUT_PATH,
  SEGUE_PARAM_MODEL_REF,
  SEGUE_PARAM_MODEL,
} SegueParamType;

/**
 * SegueParamFlags:
 * @SEGUE_PARAM_OPTIONAL: may be left unset.  The value of an unset field is SEGUE_UNSET_INT,
 *   SEGUE_UNSET_DOUBLE (test with isnan()), -1 (BOOL, CHOICE), {NAN, NAN} (RANGE) or %NULL.
 * @SEGUE_PARAM_VOLATILE: does not change the result (threads, log detail): not part of any key.
 * @SEGUE_PARAM_ON_REQUEST: (with `relaxed`) relaxed only if the caller requests damaged songs
 * @SEGUE_PARAM_COST: (a number, with `relaxed`) memory and time grow with it: a model, which may be
 *   untrusted, gets at most the relaxed value
 */
typedef enum {
  SEGUE_PARAM_OPTIONAL = 1 << 0,
  SEGUE_PARAM_VOLATILE = 1 << 1,
  SEGUE_PARAM_ON_REQUEST = 1 << 2,
  SEGUE_PARAM_COST = 1 << 3,
} SegueParamFlags;

#define SEGUE_UNSET_INT    G_MININT64
#define SEGUE_UNSET_DOUBLE ((double) NAN)

typedef struct _SegueParam SegueParam;
typedef struct _SegueModelType SegueModelType;

/** SegueParamGroup: the rows (%NULL-terminated) and the C struct of a record or a variant's case. */
typedef struct {
  gsize struct_size; /* sizeof (SegueParamGroup); fields past it read as zero */
  const char *name;  /* the case's name; NULL for a record */
  const char *doc;
  gsize size; /* of the struct; 0 if there are no rows */
  const SegueParam *const *params;
} SegueParamGroup;

/** SegueVariant: the chosen case and its parsed struct (owned; %NULL if the case has no rows). */
typedef struct {
  const SegueParamGroup *chosen;
  gpointer config;
} SegueVariant;

/** SegueModelChoice: the chosen model type (owned by the registry) and its parsed struct (owned). */
typedef struct {
  const SegueModelType *type;
  gpointer config;
} SegueModelChoice;

/**
 * SegueParam: one row.
 * @struct_size: set by SEGUE_PARAM(); fields past it read as zero, so that rows may grow
 * @name: the key in YAML, `[a-z][a-z0-9_]*`
 * @offset: of the field in the configuration struct
 * @def: the default exactly as one would write it in YAML (`"10"`, `"[10, 40]"`, `"{}"`); %NULL
 *   means required, or unset with %SEGUE_PARAM_OPTIONAL
 * @min, @max: inclusive bounds of a number, of both ends of a range; both 0: unbounded; -INFINITY
 *   or INFINITY: no bound on that side
 * @min_items, @max_items: bounds of a list's length; @max_items 0: 1024
 * @choices: %NULL-terminated names of a CHOICE
 * @unit: as shown to the user: "s", "Hz", "dB"
 * @doc: one or two sentences
 * @element: of a LIST: the row of its members (its `name` and `offset` are not used)
 * @group: of a RECORD
 * @cases, @tag: of a VARIANT: %NULL-terminated, and the key that names the case ("op")
 * @relaxed: (nullable): of a stage that prepares songs: the value, written as `def`, for the prediction of
 *   a song that training skips: longer, or shorter, than any song trained on.  A number replaces only a
 *   stricter one: a larger one if @relaxed is below `def`, else a smaller one
 */
struct _SegueParam {
  gsize struct_size;
  const char *name;
  SegueParamType type;
  gsize offset;
  const char *def;
  double min, max;
  guint min_items, max_items;
  const char *const *choices;
  const char *unit;
  const char *doc;
  guint flags;
  const SegueParam *element;
  const SegueParamGroup *group;
  const SegueParamGroup *const *cases;
  const char *tag;
  const char *relaxed;
};

/* A row for field @field of @Config; the key in YAML is the field's own name. */
#define SEGUE_PARAM(Config, field, param_type, ...)                                                \
  SEGUE_ROW (SegueParam, .name = #field, .type = param_type, .offset = offsetof (Config, field),   \
             __VA_ARGS__)

/* The row of a list's members. */
#define SEGUE_ELEMENT(param_type, ...) SEGUE_ROW (SegueParam, .type = param_type, __VA_ARGS__)

G_END_DECLS
