/* The list of all ops. */
#include "op.h"

#define OP(name) &op_##name.group,
const SegueParamGroup *const op_cases[] = {
#include "ops.inc"
  NULL,
};

OpFunc
op_find (const SegueParamGroup *chosen)
{
  return ((const Op *) chosen)->apply;
}

double
op_get_probability (const SegueVariant *op)
{
  return ((const OpConfig *) op->config)->p;
}
