/* A plugin of stage and model types that do nothing: tables for tests of code that reads tables. */
#pragma once

#include <segue/host/segue.h>

typedef struct {
  double low, high;
} FixtureBand;

typedef struct {
  double gain[2];
} FixtureGain;

typedef struct {
  double wet;
  char *impulse;
} FixtureRoom;

typedef struct {
  double dropout;
  gint64 width;
} FixtureModelConfig;

/* One field of every type. */
typedef struct {
  gboolean flag;
  int method;
  gint64 count;
  double length;
  char *layout;
  double snr[2];
  GArray *sets;  /* char * */
  GArray *bands; /* FixtureBand */
  GArray *ops;   /* SegueVariant */
  FixtureBand band;
  SegueVariant op;
  char *input;
  char *output;
  char *init;
  SegueModelChoice model;
  gint64 threads;
  double limit;
  gint64 big;
} FixtureConfig;

extern const SeguePlugin fixture_plugin;
extern const SegueParam *const fixture_params[];

SegueRegistry *fixture_registry (void);
/** fixture_write: (transfer full): the path of file @name with @text, in a new temporary folder. */
char *fixture_write (const char *name, const char *text);
void fixture_remove (const char *path);
/** fixture_assert_message: @error is set and its message is matched by @pattern (g_pattern: `*`, `?`);
 * frees it. */
void fixture_assert_message (GError **error, const char *pattern);
