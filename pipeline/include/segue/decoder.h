/* Decoders: for stages that turn files of songs into audio.
 *
 * A stage type that sets @decodes is one of those behind `use: decode`, which tries all that are installed, from the
 * highest rank down, until one can read the song. A decoder refuses a file that it can't read (an unknown format, a
 * missing codec) with %SEGUE_ERROR_UNSUPPORTED; any other error is caused by the song, and no other decoder is tried.
 *
 * Such a type is a MAP of one file to one audio item, flagged %SEGUE_STAGE_PREPARE, and takes the parameters that
 * `decode` has; if a pipeline sets one that it does not have, it is not tried.
 *
 * An isolated stage has a process for each song, forked from one in which open () and preload () were called: what
 * most songs need, such as codecs, is loaded there once.  preload () is called while the first song is processed, and
 * must not leave threads running.
 */
#pragma once

#include <segue/stage.h>

G_BEGIN_DECLS

/**
 * SegueDecodes:
 * @struct_size: set by SEGUE_INIT()
 * @rank: the decoders of segue: `decode-libav` 300, `decode-gstreamer` 200, `decode-sndfile` 100
 * @extensions: %NULL-terminated: extensions of files that it reads, in lower case: "mp3"
 */
struct _SegueDecodes {
  gsize struct_size;
  guint rank;
  const char *const *extensions;
};

/**
 * segue_item_get_passage: the part of the song that is wanted, in s; %FALSE: all of it (from 0 to infinity).
 * @file: the item to decode
 *
 * A decoder may emit more: %SEGUE_META_START of the audio is the time of its first sample. It need not check that the
 * rest of the file can be decoded.
 */
SEGUE_API
gboolean segue_item_get_passage (const SegueItem *file, double *start, double *end);

G_END_DECLS
