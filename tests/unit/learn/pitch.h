/* A model folder whose predictions depend on the pitch of a song, and songs for it. */
#pragma once

#include <segue/host/segue.h>

#define PITCH_DECODE_AND_CUT                                                                       \
  "[{\"result_version\":2,\"use\":\"decode\",\"with\":{\"rate\":8000}},"                           \
  "{\"result_version\":1,\"use\":\"cut\",\"with\":{\"length\":4000}}]"

typedef struct {
  SegueRegistry *registry;
  char *folder; /* the model's and the songs' */
  char *model;
} Pitch;

/** pitch_set_up, pitch_tear_down: for g_test_add(). */
void pitch_set_up (Pitch *pitch, gconstpointer data);
void pitch_tear_down (Pitch *pitch, gconstpointer data);

/** pitch_save_model: @slope: the weight of the pitch: 20 is a good value. @preparation: (nullable) */
void pitch_save_model (Pitch *pitch, const char *preparation, float slope);
/** pitch_song: (transfer full): the path of a tone. */
char *pitch_song (Pitch *pitch, const char *name, double hz, gsize n_samples);
/** pitch_new_predictor: (transfer full): with the model loaded. */
SeguePredictor *pitch_new_predictor (Pitch *pitch);
