/* Parameters, declared once as data: for every stage and model type.
 *
 * A type has a plain C struct for its configuration and one table of rows that describe its fields. That table alone
 * drives parsing, range checks, error texts, `segue inspect`, docs/stages.md, the JSON Schema and the cache key.
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

/* The YAML value → the C type of the field. Paths in fields are absolute. Files to read and models are keyed by
 * content; a pipeline file can name only output paths below its own folder, the command line any. */
typedef enum {
  SEGUE_PARAM_BOOL,    /* true, false → `gboolean` */
  SEGUE_PARAM_INT,     /* whole number → `gint64` */
  SEGUE_PARAM_DOUBLE,  /* number → `double` */
  SEGUE_PARAM_STRING,  /* text → `char *` */
  SEGUE_PARAM_CHOICE,  /* one of the row's `choices` → `int`, its index */
  SEGUE_PARAM_RANGE,   /* `[low, high]`, or one number for both → `double[2]`, low ≤ high */
  SEGUE_PARAM_LIST,    /* a list of `element`s → `GArray *` of their C type, never %NULL */
  SEGUE_PARAM_RECORD,  /* a map of `group`, or the value of its one required row → its struct */
  SEGUE_PARAM_VARIANT, /* `{ op: gain, db: [-6, 6] }`; `gain`: all defaults → #SegueVariant */
  SEGUE_PARAM_INPUT_PATH,  /* a file or folder to read → `char *` */
  SEGUE_PARAM_OUTPUT_PATH, /* a file or folder to write → `char *`; not part of any key */
  SEGUE_PARAM_MODEL_REF,   /* a folder, or ORG/NAME: segue_model_ref_resolve() → `char *` */
  SEGUE_PARAM_MODEL,       /* a model type: `NAME` or `{ use: NAME, … }` → #SegueModelChoice */
} SegueParamType;

typedef enum {
  /* May be unset: SEGUE_UNSET_INT, SEGUE_UNSET_DOUBLE (test with isnan()), -1 (BOOL, CHOICE), {NAN, NAN} or NULL. */
  SEGUE_PARAM_OPTIONAL = 1 << 0,
  SEGUE_PARAM_VOLATILE = 1 << 1,   /* does not change the result, as threads: not part of any key */
  SEGUE_PARAM_ON_REQUEST = 1 << 2, /* `relaxed` only if the caller requests damaged songs */
  /* A number with `relaxed`: memory and time grow with it: an untrusted model gets at most the relaxed value. */
  SEGUE_PARAM_COST = 1 << 3,
} SegueParamFlags;

#define SEGUE_UNSET_INT    G_MININT64
#define SEGUE_UNSET_DOUBLE ((double) NAN)

typedef struct _SegueParam SegueParam;

/** SegueParamGroup: the struct of @size bytes (0: no rows) and the rows of a record or of case @name of a variant. */
typedef struct {
  gsize struct_size; /* set by SEGUE_INIT() */
  const char *name;  /* NULL for a record */
  const char *doc;
  gsize size;
  const SegueParam *const *params; /* NULL-terminated */
} SegueParamGroup;

/** SegueVariant: the chosen case and its parsed struct (owned; %NULL if the case has no rows). */
typedef struct {
  const SegueParamGroup *chosen;
  gpointer config;
} SegueVariant;

/**
 * SegueParam: one row.
 * @struct_size: set by SEGUE_PARAM() and SEGUE_ELEMENT()
 * @name: the key in YAML, `[a-z][a-z0-9_]*`
 * @def: the default exactly as one would write it in YAML (`"10"`, `"[10, 40]"`, `"{}"`); %NULL means required, or
 *   unset with %SEGUE_PARAM_OPTIONAL
 * @min, @max: inclusive bounds of a number, of both ends of a range; both 0: unbounded; ±INFINITY: no bound on that side
 * @min_items, @max_items: bounds of a list's length; @max_items 0: 1024
 * @choices, @cases: %NULL-terminated
 * @unit: as shown to the user: "s", "Hz", "dB"
 * @doc: one or two sentences
 * @element: of a LIST: the row of its members
 * @tag: of a VARIANT: the key that names the case ("op")
 * @relaxed: (nullable): of a stage that prepares songs: the value, written as `def`, for the prediction of a song that
 *   training skips: longer, or shorter, than any song trained on. A number replaces only a stricter one: a larger one
 *   if @relaxed is below `def`, else a smaller one
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

/* The C types of fields, which SEGUE_PARAM() checks; a RECORD's is any struct. */
typedef int SEGUE_PARAM_BOOL_FIELD, SEGUE_PARAM_CHOICE_FIELD;
typedef gint64 SEGUE_PARAM_INT_FIELD;
typedef double SEGUE_PARAM_DOUBLE_FIELD, SEGUE_PARAM_RANGE_FIELD[2];
typedef char *SEGUE_PARAM_STRING_FIELD, *SEGUE_PARAM_MODEL_REF_FIELD;
typedef char *SEGUE_PARAM_INPUT_PATH_FIELD, *SEGUE_PARAM_OUTPUT_PATH_FIELD;
typedef GArray *SEGUE_PARAM_LIST_FIELD;
typedef SegueVariant SEGUE_PARAM_VARIANT_FIELD;
typedef struct _SegueModelChoice SEGUE_PARAM_MODEL_FIELD;
typedef void SEGUE_PARAM_RECORD_FIELD;

/* A row for field @field of @Config, whose name is the key; the row of a list's members. */
#define SEGUE_PARAM(Config, field, param_type, ...)                                                \
  SEGUE_ROW (SegueParam, .name = #field, .type = param_type,                                       \
             .offset = SEGUE_OFFSET (Config, field, param_type##_FIELD), __VA_ARGS__)
#define SEGUE_ELEMENT(param_type, ...) SEGUE_ROW (SegueParam, .type = param_type, __VA_ARGS__)

G_END_DECLS
