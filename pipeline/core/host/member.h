/* A model of a predictor: its folder, the preparation of songs for it, and its answers (internal). */
#pragma once

#include "stage/scope.h"

#include <segue/host/predict.h>

typedef struct _SegueMember SegueMember;

/** SegueSongFile: @fd: -1: the file at @path; else an open file, for which @path is only a name. */
typedef struct {
  int fd;
  const char *path;
} SegueSongFile;

/** SegueObserver: what is called as segments are answered; @predicted: (nullable). */
typedef struct {
  SeguePredictedFunc predicted;
  gpointer data;
} SegueObserver;

/** segue_member_new: (transfer full): starts to load the model in @folder, and reads its preparation.
 * @scope: borrowed, must outlive the member
 * @spec: copied */
SegueMember *segue_member_new (const SegueScope *scope, const char *folder,
                               const SegueModelSpec *spec, GError **error);
/** segue_member_free: accepts %NULL. */
void segue_member_free (SegueMember *member);

/** segue_member_relax, segue_member_use_cache, segue_member_use_library, segue_member_get_warning, segue_member_wait: as
 * those of a predictor (segue/host/predict.h). */
gboolean segue_member_relax (SegueMember *member, gboolean damaged, GError **error);
gboolean segue_member_use_cache (SegueMember *member, const char *cache, GError **error);
gboolean segue_member_use_library (SegueMember *member, SegueLibrary *library, guint n,
                                   GError **error);
char *segue_member_get_warning (SegueMember *member);
gboolean segue_member_wait (SegueMember *member, GError **error);

/** segue_member_get_info: (transfer none): after segue_member_wait() has returned %TRUE. */
const SegueModelInfo *segue_member_get_info (const SegueMember *member);
/** segue_member_get_relaxed: (transfer none) (nullable): the stages that prepare songs which training skips. */
GPtrArray *segue_member_get_relaxed (const SegueMember *member);

/**
 * segue_member_answer: (transfer full): the segments' probabilities; any thread. Of the song, only the distance.
 * @observer: called for each batch of segments, the last time with all of them
 * @refusal: (out): set with an answer: why training would have skipped the song
 */
SegueSongPrediction *segue_member_answer (SegueMember *member, const SegueSongFile *song,
                                          const SegueObserver *observer, GError **refusal,
                                          GCancellable *cancellable, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueMember, segue_member_free)
