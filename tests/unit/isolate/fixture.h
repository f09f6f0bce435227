/* Chains of stages of the test plugin, isolated or not, over files that specify what to do. */
#pragma once

#include "item/item-private.h"
#include "stage/chain.h"

typedef struct {
  SegueRegistry *registry;
  SegueScope scope;
  GPtrArray *stages; /* SegueGraphStage */
  SegueChain *chain;
  GCancellable *cancellable;
  SegueReads *reads; /* of the last carry */
  SegueCounts *counts;
  GString *log;
  char *folder;
  gboolean isolate;
} IsolateFixture;

/** isolate_fixture_init: @config: YAML of the first stage; @types: %NULL-terminated. */
void isolate_fixture_init (IsolateFixture *fixture, const char *const *types, const char *config,
                           gboolean isolate, double time_limit);
/** isolate_fixture_clear: also asserts that no process and no descriptor is left. */
void isolate_fixture_clear (IsolateFixture *fixture);
/** isolate_fixture_carry: sends a file of text @deed with a label through the chain. */
GPtrArray *isolate_fixture_carry (IsolateFixture *fixture, const char *deed, GError **error);
/** isolate_fixture_refuse: (transfer full): the error that @deed ends with. */
GError *isolate_fixture_refuse (IsolateFixture *fixture, const char *deed);

/** isolate_count_handles: descriptors of this process. */
guint isolate_count_handles (void);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (IsolateFixture, isolate_fixture_clear)
