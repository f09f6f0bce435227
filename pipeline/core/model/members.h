/* The folder of a combined model (internal): whole model folders, members/1, members/2, …, and in segue.json the rule and
 * the weights by which their predictions become one:
 *
 *   { "segue": 1, "model": "combined", "rule": "mean", "members": [{ "weight": 0.7 }, { "weight": 0.3 }] }
 */
#pragma once

#include <segue/combination.h>
#include <segue/model.h>

/** SEGUE_MEMBERS_FOLDER: in the folder of a combined model. */
#define SEGUE_MEMBERS_FOLDER "members"

/** SegueMembers: the models of a folder: of a combined one, its members; of any other, itself.
 * @folders: (element-type filename): one for each weight of @combination
 * @weights: those of @combination */
typedef struct {
  SegueCombination combination;
  GPtrArray *folders;
  double *weights;
} SegueMembers;

/** segue_members_read: safe for untrusted folders: members are plain folders at fixed places, and none of them is a
 * combined model. %SEGUE_ERROR_DATA.
 * @members: (out): to be cleared in any case */
gboolean segue_members_read (const char *folder, SegueMembers *members, GError **error);
void segue_members_clear (SegueMembers *members);

/** segue_member_path: (transfer full): the folder of member @index, from 0, of the combined model in @folder. */
char *segue_member_path (const char *folder, guint index);
/** segue_member_name_is_valid: whether @name is that of a member's folder: "1" … "64". */
gboolean segue_member_name_is_valid (const char *name);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegueMembers, segue_members_clear)
