#include "preload.h"

#include <gst/gst.h>

/* The elements of a player for any file. */
static const char *const elements[] = { "decodebin", "typefind", "queue2",       "multiqueue",
                                        "appsink",   "queue",    "audioconvert", NULL };
/* Common formats. */
static const char *const formats[] = {
  "application/x-id3",
  "audio/mpeg, mpegversion=(int)1, layer=(int)3, parsed=(boolean)true",
  "audio/mpeg, mpegversion=(int)4, framed=(boolean)true, stream-format=(string)raw",
  "audio/x-flac, framed=(boolean)true",
  "application/ogg",
  "audio/ogg",
  "audio/x-vorbis",
  "audio/x-opus",
  "video/quicktime",
  "audio/x-m4a",
  "audio/x-wav",
  NULL,
};

/* The class, too, which may initialise tables. */
static void
load (GstElementFactory *factory)
{
  g_autoptr (GstElement) element = gst_element_factory_create (factory, NULL);
  if (element)
    gst_object_ref_sink (element);
}

/* The one that decodebin would use. */
static void
load_first (GList *factories, const char *format)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (format);
  GList *fitting = gst_element_factory_list_filter (factories, caps, GST_PAD_SINK, FALSE);
  if (fitting)
    load (fitting->data);
  gst_plugin_feature_list_free (fitting);
}

void
preload_plugins (void)
{
  static const GstElementFactoryListType types[] = {
    GST_ELEMENT_FACTORY_TYPE_DEMUXER,
    GST_ELEMENT_FACTORY_TYPE_PARSER,
    GST_ELEMENT_FACTORY_TYPE_DECODER,
  };
  for (const char *const *name = elements; *name; name++) {
    g_autoptr (GstElementFactory) factory = gst_element_factory_find (*name);
    if (factory)
      load (factory);
  }
  g_autoptr (GstPlugin) finders = gst_plugin_load_by_name ("typefindfunctions");
  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    GList *factories = gst_element_factory_list_get_elements (types[i], GST_RANK_MARGINAL);
    for (const char *const *format = formats; *format; format++)
      load_first (factories, *format);
    gst_plugin_feature_list_free (factories);
  }
}
