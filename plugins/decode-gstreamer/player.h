/* One file through GStreamer: the first audio stream as float32 at its native rate.
 *
 *   open file ! decodebin ! audioconvert ! appsink
 *
 * A pipeline is built for each file (3 ms): so one file can't affect the next. Streams that are
 * not audio are not decoded. No call waits for longer than a moment: a decoder that hangs is
 * abandoned in its own thread.
 */
#pragma once

#include "probe.h"

#include <gst/gst.h>

typedef struct _Player Player;

/**
 * PlayerResult:
 * @PLAYER_STUCK: no output will ever come, without an error message: decodebin drops errors that
 *   occur while it links an element
 */
typedef enum {
  PLAYER_FRAMES,
  PLAYER_NOTHING_YET,
  PLAYER_END,
  PLAYER_FAILED,
  PLAYER_STUCK,
} PlayerResult;

/** PlayerBlock: @frames: [n_frames, channels], valid until the next call. */
typedef struct {
  const float *frames;
  gsize n_frames;
  guint rate;
  guint channels;
} PlayerBlock;

/** player_new: starts to decode @part of the file @fd; both are borrowed for this call only. */
Player *player_new (int fd, const ProbePart *part, GError **error);
/** player_pull: waits a moment. %PLAYER_FAILED: @error is the reason, without the file's name, in
 * %SEGUE_ERROR. */
PlayerResult player_pull (Player *player, PlayerBlock *block, GError **error);
/** player_get_duration: s, as the demuxer reports it; NAN: not known. */
double player_get_duration (Player *player);
/** player_stop: ends the pipeline and frees @player; %FALSE where it could not be ended in time and
 * was abandoned. One that was refused a thread is abandoned at once. */
gboolean player_stop (Player *player);
