/* The fields of a SegueModel (internal). */
#pragma once

#include <segue/host/segue.h>
#include <stdlib.h>

/* @own_config: defaults, where the caller passed none; @buffer: kept by predict () between calls:
 * input, logits and workspace in one block of @buffer_bytes, 64-byte aligned. */
struct _SegueModel {
  const SegueModelType *type;
  gpointer impl;
  gpointer own_config;
  void *buffer;
  gsize buffer_bytes;
};

/** segue_model_conclude: checks the result of a callback of @type: @ok that disagrees with @failure (transfer
 * full) is a bug in its plugin. */
gboolean segue_model_conclude (const SegueModelType *type, gboolean ok, GError **failure,
                               GError **error);
/** segue_model_find_type: the type that reads @folder; %NULL with error where there is none. */
const SegueModelType *segue_model_find_type (SegueRegistry *registry, const char *folder,
                                             GError **error);
