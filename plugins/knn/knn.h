#pragma once

#include <glib.h>

typedef enum { KNN_COSINE, KNN_EUCLIDEAN } KnnDistance;

/** KnnParams: @distance: a #KnnDistance */
typedef struct {
  gint64 k;
  int distance;
} KnnParams;

/** KNN_PRIOR: votes that all labels share equally. */
#define KNN_PRIOR 0.1
