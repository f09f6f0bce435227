/* An op: a way to change a segment that leaves its label true.
 *
 * Each op is a file NAME.c with an Op op_NAME, and a row in meson.build, which writes ops.inc. It is
 * a pure function of the samples, its parameters and a seed: numbers are drawn as a function of
 * (seed, counter), so that no result depends on earlier draws.
 */
#pragma once

#include <segue/param.h>

/** OpSound: a segment. @samples: [n_frames, channels] */
typedef struct {
  float *samples;
  gsize n_frames;
  guint channels;
  guint rate; /* Hz */
} OpSound;

/** OpFunc: changes the samples of @sound in place; %FALSE: out of memory. */
typedef gboolean (*OpFunc) (gconstpointer config, guint64 seed, const OpSound *sound);

/** Op: its parameters, which also select it, and its function.
 * @group: first: a chosen case is its op */
typedef struct {
  SegueParamGroup group;
  OpFunc apply;
} Op;

/** OpConfig: every op's configuration begins with it. */
typedef struct {
  double p;
} OpConfig;

#define OP_PROBABILITY(Config)                                                                     \
  SEGUE_PARAM (Config, p, SEGUE_PARAM_DOUBLE, .def = "0.5", .min = 0, .max = 1,                    \
               .doc = "Probability that a segment is changed in an epoch.")

#define OP(name) extern const Op op_##name;
#include "ops.inc"
#undef OP

/** op_cases: the cases of the parameter `ops`, %NULL-terminated. */
extern const SegueParamGroup *const op_cases[];

/** op_find: the function of @chosen, one of op_cases. */
OpFunc op_find (const SegueParamGroup *chosen);
/** op_get_probability: of being applied to an item. */
double op_get_probability (const SegueVariant *op);
