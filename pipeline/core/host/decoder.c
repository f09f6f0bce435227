/* The stage `decode` as a separate chain. */
#include "base/advice-marks.h"
#include "host/derived.h"
#include "isolate/isolated-stage.h"
#include "registry/registry.h"
#include "stage/chain.h"

#include <segue/decode.h>

struct _SegueDecoder {
  SegueScope scope;
  SegueNode *with;
  SegueGraphStage *stage;
  SegueChain *chain;
  SegueDerived *derived; /* nullable: there is no cache */
};

SegueDecoder *
segue_decoder_new (SegueRegistry *registry, guint rate, double max_duration, GError **error)
{
  char seconds[G_ASCII_DTOSTR_BUF_SIZE];
  g_autoptr (SegueDecoder) decoder = g_new0 (SegueDecoder, 1);
  const SegueStageType *type = segue_registry_find_stage (registry, "decode");
  if (!type || type->mode != SEGUE_MODE_MAP) {
    g_autofree char *why = segue_registry_explain_missing (registry, "decode");
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                 "no stage type 'decode'; %s; `segue inspect` lists the available stage types",
                 why);
    return NULL;
  }
  g_ascii_formatd (seconds, sizeof seconds, "%.17g", max_duration);
  g_autofree char *with = g_strdup_printf (
    "{ rate: %u, channels: keep, max_duration: %s, when_long: cut }", rate, seconds);
  decoder->with = segue_node_parse (with, -1, "decode", error);
  if (!decoder->with)
    return NULL;
  decoder->stage = segue_graph_stage_new (registry, type, type->name, decoder->with, "/", error);
  if (!decoder->stage)
    return NULL;
  decoder->scope =
    (SegueScope){ .registry = registry, .threads = 1, .isolated = segue_isolated_carrier () };
  const SegueGraphStage *stage = decoder->stage;
  decoder->chain = segue_chain_new (&decoder->scope, &stage, 1);
  return g_steal_pointer (&decoder);
}

void
segue_decoder_free (SegueDecoder *decoder)
{
  if (!decoder)
    return;
  segue_derived_free (decoder->derived);
  segue_chain_free (decoder->chain);
  g_clear_pointer (&decoder->stage, segue_graph_stage_free);
  g_clear_pointer (&decoder->with, segue_node_free);
  g_free (decoder);
}

/* @emitted: (transfer full) (nullable): %NULL: @error is set */
static SegueItem *
take_song (SegueDecoder *decoder, GPtrArray *emitted, GError **error)
{
  g_autoptr (GPtrArray) items = emitted;
  if (!items) {
    segue_advice_replace_error (error, NULL, NULL);
    segue_chain_renew (decoder->chain);
    return NULL;
  }
  if (items->len == 1 && segue_item_get_kind (g_ptr_array_index (items, 0)) == SEGUE_KIND_AUDIO)
    return segue_item_ref (g_ptr_array_index (items, 0));
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
               "the stage type ‘decode’ emitted %u items for one song", items->len);
  return NULL;
}

SegueItem *
segue_decoder_decode (SegueDecoder *decoder, const char *path, GCancellable *cancellable,
                      GError **error)
{
  return take_song (decoder, segue_chain_carry_file (decoder->chain, path, cancellable, error),
                    error);
}

SegueItem *
segue_decoder_decode_passage (SegueDecoder *decoder, const char *path, double start, double end,
                              GCancellable *cancellable, GError **error)
{
  return take_song (
    decoder, segue_chain_carry_passage (decoder->chain, path, start, end, cancellable, error),
    error);
}

void
segue_decoder_use_cache (SegueDecoder *decoder, SegueContext *context)
{
  segue_derived_free (decoder->derived);
  decoder->derived = segue_derived_new (context, decoder->stage);
}

GBytes *
segue_decoder_recall (SegueDecoder *decoder, const char *path, const char *what,
                      GCancellable *cancellable, GError **error)
{
  return decoder->derived ? segue_derived_find (decoder->derived, path, what, cancellable, error)
                          : NULL;
}

gboolean
segue_decoder_keep (SegueDecoder *decoder, const char *path, const char *what, GBytes *bytes,
                    GError **error)
{
  return !decoder->derived || segue_derived_keep (decoder->derived, path, what, bytes, error);
}
