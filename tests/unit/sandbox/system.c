/* Uses its own filter: calls fail as on a system that was built or configured without the
 * feature. */
#include "system.h"

#ifdef HAVE_SECCOMP

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif

gboolean
system_lacks (SystemLack lack)
{
  static const scmp_datum_t flags[] = { CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWIPC, CLONE_NEWNET };
  scmp_filter_ctx filter = seccomp_init (SCMP_ACT_ALLOW);
  int failed = filter ? 0 : -ENOMEM;
  for (guint i = 0; (lack & LACKS_NAMESPACES) && i < G_N_ELEMENTS (flags); i++)
    failed |= seccomp_rule_add (filter, SCMP_ACT_ERRNO (EPERM), SCMP_SYS (clone), 1,
                                SCMP_A0 (SCMP_CMP_MASKED_EQ, flags[i], flags[i]));
  if (lack & LACKS_LANDLOCK)
    failed |= seccomp_rule_add (filter, SCMP_ACT_ERRNO (ENOSYS), SYS_landlock_create_ruleset, 0);
  if (lack & LACKS_SECCOMP) {
    failed |= seccomp_rule_add (filter, SCMP_ACT_ERRNO (EINVAL), SCMP_SYS (seccomp), 0);
    failed |= seccomp_rule_add (filter, SCMP_ACT_ERRNO (EINVAL), SCMP_SYS (prctl), 1,
                                SCMP_A0 (SCMP_CMP_EQ, PR_SET_SECCOMP));
  }
  failed |= seccomp_load (filter);
  seccomp_release (filter);
  return failed == 0;
}

#else

gboolean
system_lacks (SystemLack lack)
{
  return lack == LACKS_NOTHING;
}

#endif
