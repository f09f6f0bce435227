/* Files of formats that libsndfile does not write, for tests: libav's own encoders. */
#pragma once

#include <glib.h>

/** TestTrack: one stream of a file. @codec: an encoder's name. @rate: Hz, of a stereo tone of
 * amplitude 0.5 at @hz, or 0: video. @seconds: 0: as long as the file. */
typedef struct {
  const char *codec;
  guint rate;
  double hz;
  double seconds;
} TestTrack;

/** test_encode: @container: a muxer's name; @tracks: ends with an entry without a codec. %FALSE,
 * and no file, where libav was built without one of them. */
gboolean test_encode (const char *path, const char *container, const TestTrack *tracks,
                      double seconds);
