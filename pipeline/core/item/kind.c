/* Kinds of items, and the kinds of ports, which may take several. */
#include "item/item-private.h"

static const char *const names[] = {
  [SEGUE_KIND_ANY] = "any",           [SEGUE_KIND_FILE] = "file",
  [SEGUE_KIND_AUDIO] = "audio",       [SEGUE_KIND_TENSOR] = "tensor",
  [SEGUE_KIND_MODEL] = "model",       [SEGUE_KIND_PREDICTIONS] = "predictions",
  [SEGUE_KIND_METRICS] = "metrics",   [SEGUE_KIND_SUMMARY] = "summary",
  [SEGUE_KIND_EXAMPLES] = "examples",
};

const char *
segue_kind_to_string (SegueKind kind)
{
  return (guint) kind < G_N_ELEMENTS (names) ? names[kind] : "unknown";
}

const char *
segue_kind_words (SegueKind kind)
{
  return kind == SEGUE_KIND_ANY        ? "file, audio or tensor"
         : kind == SEGUE_KIND_EXAMPLES ? "audio or tensor"
                                       : segue_kind_to_string (kind);
}

gboolean
segue_kind_takes (SegueKind port, SegueKind kind)
{
  gboolean example = kind == SEGUE_KIND_AUDIO || kind == SEGUE_KIND_TENSOR;
  if (port == SEGUE_KIND_EXAMPLES)
    return example;
  if (port == SEGUE_KIND_ANY)
    return example || kind == SEGUE_KIND_FILE;
  return port == kind;
}
