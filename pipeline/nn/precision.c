#include <segue/nn/precision.h>

static const char *const names[SEGUE_NN_N_PRECISIONS] = {
  [SEGUE_NN_FLOAT32] = "float32",
  [SEGUE_NN_BFLOAT16] = "bfloat16",
  [SEGUE_NN_INT8] = "int8",
};

const char *
segue_nn_precision_get_name (SegueNnPrecision precision)
{
  return names[precision];
}
