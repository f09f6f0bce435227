#pragma once

#include <glib.h>

/** MlpParams: of mlp; linear has no parameters, so all of it stays 0.
 * @hidden: #gint64: widths of the hidden layers */
typedef struct {
  GArray *hidden;
  double dropout;
} MlpParams;
