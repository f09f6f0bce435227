/* The insides of a SegueModel (internal). */
#pragma once

#include <segue/segue.h>
#include <stdlib.h>

/* @own_config: defaults, where the caller gave none; @buffer: what predict () keeps between calls:
 * input, logits and workspace in one block of @buffer_bytes, 64-byte aligned. */
struct _SegueModel {
  const SegueModelType *type;
  gpointer impl;
  gpointer own_config;
  void *buffer;
  gsize buffer_bytes;
};
