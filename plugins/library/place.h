/* A song on the map. */
#pragma once

#include "vectors.h"

/* Similar songs that the page lists. */
#define PLACE_SIMILAR 8
#define PLACE_FOLDER  "map"
#define PLACE_CLIPS   "clips"

/**
 * Place:
 * @song: borrowed
 * @label: its label, or else its artist or album; borrowed; %NULL: none
 * @x, @y: from −1 to 1
 * @start: of the most typical segment, in s
 * @similar: [@n_similar]: other places, the most similar first
 * @sound: (nullable): what the page plays: a clip, relative to the page, or the URI of the song's file
 * @why: (nullable): why there is no sound
 */
typedef struct {
  const VectorsSong *song;
  const char *label;
  double x, y, start;
  guint32 similar[PLACE_SIMILAR];
  guint n_similar;
  char *sound, *why;
} Place;
