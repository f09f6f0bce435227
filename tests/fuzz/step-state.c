/* Cached records of a chain or a stage: whatever the bytes are, printable text. */
#include "run/step-state.h"
#include "scratch.h"
#include "standalone.h"

#include <string.h>

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *const components[] = {
    "abi 1\ntype decode\nversion 1\nparams {\"rate\":16000}\nfingerprint gst 1.22",
    "abi 1\ntype segment\nversion 2\nparams {\"count\":20,\"length\":10}\nseed 42", NULL
  };
  static const char *const ids[] = { "decode", "segment", NULL };
  static const char *const songs[] = { "a.mp3", "b/c.mp3", "" };
  g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, "artist\nchain", -1);
  g_autofree char *name = g_strconcat ("units/", digest, NULL);
  fuzz_put (name, data, size);
  g_autoptr (SegueStepState) state =
    segue_step_state_load (fuzz_folder (), "artist", "chain", components, ids);
  for (guint i = 0; i < G_N_ELEMENTS (songs); i++) {
    g_autofree char *why = segue_step_state_explain_song (state, songs[i], "0123");
    g_assert_true (why && *why != '\0');
    g_assert_true (g_utf8_validate (why, -1, NULL));
  }
  const char *const *reads = segue_step_state_get_reads (state);
  for (guint i = 0; reads[i]; i++)
    segue_step_state_note_read (state, reads[i], "4567");
  g_autofree char *why = segue_step_state_explain_all (state);
  g_assert_true (g_utf8_validate (why, -1, NULL));
  return 0;
}
