/* Counters of stages (internal). */
#pragma once

#include <glib.h>

/** SegueCounts: numbers by stage (its index in a chain or a pipeline) and name. Any thread. */
typedef struct _SegueCounts SegueCounts;

typedef struct {
  guint stage;
  char *name;
  gint64 n;
} SegueCount;

SegueCounts *segue_counts_new (void);
void segue_counts_free (SegueCounts *counts);
void segue_counts_add (SegueCounts *counts, guint stage, const char *name, gint64 n);
/** segue_counts_list: (transfer full): #SegueCount array by stage and name. */
GArray *segue_counts_list (SegueCounts *counts);
/** segue_counts_get: the sum of @name over all stages. */
gint64 segue_counts_get (SegueCounts *counts, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueCounts, segue_counts_free)
