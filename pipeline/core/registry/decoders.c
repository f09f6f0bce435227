/* The decoders that are tried for a song, their order, and the description of `decode`. */
#include "registry/decoders.h"
#include "base/extension.h"
#include <segue/decoder.h>
#include <string.h>

/* Version 1 was GStreamer's decoding. */
#define DECODE_VERSION 2

struct _SegueDecoders {
  GPtrArray *types;      /* SegueStageType (borrowed), in order */
  SegueStageType decode; /* the best of them */
};

SegueDecoders *
segue_decoders_new (void)
{
  SegueDecoders *decoders = g_new0 (SegueDecoders, 1);
  decoders->types = g_ptr_array_new ();
  return decoders;
}

void
segue_decoders_free (SegueDecoders *decoders)
{
  g_ptr_array_unref (decoders->types);
  g_free (decoders);
}

/* By descending rank; equal ones by name, so that the order is the same everywhere. */
static int
compare_decoders (gconstpointer a, gconstpointer b)
{
  const SegueStageType *first = *(const SegueStageType *const *) a;
  const SegueStageType *second = *(const SegueStageType *const *) b;
  if (first->decodes->rank != second->decodes->rank)
    return first->decodes->rank > second->decodes->rank ? -1 : 1;
  return strcmp (first->name, second->name);
}

/* The table of the decoder that is tried first, with its own name, documentation and version. */
const SegueStageType *
segue_decoders_add (SegueDecoders *decoders, const SegueStageType *decoder)
{
  SegueStageType *decode = &decoders->decode;
  g_ptr_array_add (decoders->types, (gpointer) decoder);
  g_ptr_array_sort (decoders->types, compare_decoders);
  *decode = *(const SegueStageType *) g_ptr_array_index (decoders->types, 0);
  decode->name = SEGUE_DECODE;
  decode->summary = "Decodes songs of any format with the best installed decoder";
  decode->doc =
    "Tries the installed decoders, such as `decode-libav`, `decode-gstreamer` and "
    "`decode-sndfile`, in the order of their rank. The first that can read a song decodes it; a "
    "counter reports the number of songs of each decoder. A damaged song is refused by the first "
    "decoder, and no other is tried.\n\nDecoders do not report truncated files. The container is "
    "parsed first, and the decoded length is compared with the declared one: see `completeness`. "
    "Decoders run in separate processes with a time limit, because malicious files crash and hang "
    "them. The installed decoders and their versions are part of the cache key.";
  decode->result_version = DECODE_VERSION;
  decode->fingerprint = NULL;
  decode->decodes = NULL;
  return decode;
}

GPtrArray *
segue_decoders_list (const SegueDecoders *decoders)
{
  return g_ptr_array_copy (decoders->types, NULL, NULL);
}

const char **
segue_decoders_list_extensions (const SegueDecoders *decoders)
{
  g_autoptr (GPtrArray) extensions = g_ptr_array_new ();
  for (const char *const *audio = segue_extension_list_audio (); *audio; audio++)
    g_ptr_array_add (extensions, (gpointer) *audio);
  for (guint i = 0; i < decoders->types->len; i++) {
    const SegueStageType *decoder = g_ptr_array_index (decoders->types, i);
    for (const char *const *one = decoder->decodes->extensions; one && *one; one++)
      if (!segue_extension_describe_foreign (*one))
        g_ptr_array_add (extensions, (gpointer) *one);
  }
  g_ptr_array_add (extensions, NULL);
  return (const char **) g_ptr_array_free (g_steal_pointer (&extensions), FALSE);
}

GPtrArray *
segue_decoders_of (const SegueDecoders *decoders, const SegueStageType *type)
{
  return type == &decoders->decode ? decoders->types : NULL;
}
