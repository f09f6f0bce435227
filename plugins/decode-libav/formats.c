#include "formats.h"

#include <string.h>

/* An entry allows one of a demuxer's names (“mov,mp4,m4a,…”). */
const char formats_containers[] =
  "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,dsf,dts,dtshd,eac3,flac,flv,iff,loas,matroska,"
  "mlp,mov,mp3,mpc,mpc8,mpeg,mpegts,nistsphere,ogg,rm,shn,tak,truehd,tta,voc,w64,wav,wv,xwma";

/* clang-format off */
static const char *const codecs[] = {
  "aac", "aac_latm", "ac3", "alac", "als", "amrnb", "amrwb", "ape", "atrac3", "cook", "dca", "dsd_lsbf",
  "dsd_lsbf_planar", "dsd_msbf", "dsd_msbf_planar", "eac3", "flac", "g722", "gsm", "gsm_ms", "mlp",
  "mp1float", "mp2float", "mp3float", "mpc7", "mpc8", "opus", "ralf", "real_144", "real_288", "shorten", "sipr",
  "speex", "tak", "truehd", "truespeech", "tta", "vorbis", "wavpack", "wmalossless", "wmapro", "wmav1", "wmav2",
  "wmavoice",
};
/* clang-format on */
static const char *const families[] = { "pcm_", "adpcm_ima_qt", "adpcm_ima_wav", "adpcm_ms" };

static gboolean
is_let_in (const AVCodec *codec)
{
  if (codec->type != AVMEDIA_TYPE_AUDIO || !libav.av_codec_is_decoder (codec))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (codecs); i++)
    if (g_str_equal (codec->name, codecs[i]))
      return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (families); i++)
    if (g_str_has_prefix (codec->name, families[i]))
      return TRUE;
  return FALSE;
}

static gpointer
join_codecs (gpointer unused)
{
  GString *names = g_string_new (NULL);
  const AVCodec *codec;
  void *at = NULL;

  while ((codec = libav.av_codec_iterate (&at)))
    if (is_let_in (codec))
      g_string_append_printf (names, "%s%s", names->len ? "," : "", codec->name);
  return g_string_free (names, FALSE);
}

const char *
formats_codecs (void)
{
  static GOnce once = G_ONCE_INIT;

  return g_once (&once, join_codecs, NULL);
}

const AVCodec *
formats_find_decoder (enum AVCodecID id)
{
  const AVCodec *codec;
  void *at = NULL;

  while ((codec = libav.av_codec_iterate (&at)))
    if (codec->id == id && is_let_in (codec))
      return codec;
  return NULL;
}
