/* File types by the extensions of file names. */
#include "base/extension.h"

/* Whether or not a decoder reads them: where none does, segue reports these files to the user. */
/* clang-format off */
static const char *const audio[] = {
  "3ga", "3gp", "aac", "ac3", "aif", "aifc", "aiff", "alac", "amr", "ape", "au", "caf", "dsf", "dts", "eac3", "flac",
  "m4a", "m4b", "m4r", "mka", "mlp", "mp1", "mp2", "mp3", "mp4", "mpc", "mpga", "oga", "ogg", "opus", "shn", "snd",
  "spx", "tak", "tta", "voc", "w64", "wav", "wave", "weba", "webm", "wma", "wv",
  NULL,
};
/* clang-format on */

static const struct {
  const char *extension, *what;
} foreign[] = {
  { "avi", "video" },          { "flv", "video" },          { "m2ts", "video" },
  { "m4v", "video" },          { "mkv", "video" },          { "mov", "video" },
  { "mpeg", "video" },         { "mpg", "video" },          { "ogv", "video" },
  { "ts", "video" },           { "vob", "video" },          { "wmv", "video" },
  { "it", "notes" },           { "kar", "notes" },          { "mid", "notes" },
  { "midi", "notes" },         { "mod", "notes" },          { "mptm", "notes" },
  { "s3m", "notes" },          { "xm", "notes" },           { "aa", "copy-protected" },
  { "aax", "copy-protected" }, { "m4p", "copy-protected" }, { "dff", "not decodable" },
  { "iso", "not decodable" },
};

const char *const *
segue_extension_list_audio (void)
{
  return audio;
}

const char *
segue_extension_describe_foreign (const char *extension)
{
  for (gsize i = 0; i < G_N_ELEMENTS (foreign); i++)
    if (g_str_equal (extension, foreign[i].extension))
      return foreign[i].what;
  return NULL;
}
