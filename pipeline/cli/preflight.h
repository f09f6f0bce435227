/* Checks for missing inputs of a pipeline: files and folders to read, models by name. */
#pragma once

#include "cli.h"

/** SegueNeed: one missing input. */
typedef struct {
  char *stage; /* id */
  char *stage_type;
  char *parameter;
  GError *error;
} SegueNeed;

/** segue_preflight: (transfer full) (element-type SegueNeed): in the order of the stages; empty: the
 * pipeline can start. */
GPtrArray *segue_preflight (SegueRegistry *registry, SeguePipeline *pipeline);
