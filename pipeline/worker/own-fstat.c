/* fstat () as the call that takes a descriptor and no path, in place of the C library's, which asks for
 * the path "" beside the descriptor: a filter can't look at a path.  Libraries find these first, as they
 * are the program's. */
#undef _FILE_OFFSET_BITS /* which makes both names one */
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(SYS_fstat) && defined(__LP64__)

#define EXPORT __attribute__ ((visibility ("default")))

/* As the C library had them before 2.33. */
EXPORT int __fxstat (int version, int fd, struct stat *info);
EXPORT int __fxstat64 (int version, int fd, struct stat64 *info);

EXPORT int
fstat (int fd, struct stat *info)
{
  return (int) syscall (SYS_fstat, fd, info);
}

EXPORT int
fstat64 (int fd, struct stat64 *info)
{
  return (int) syscall (SYS_fstat, fd, info);
}

EXPORT int
__fxstat (int version, int fd, struct stat *info)
{
  return (int) syscall (SYS_fstat, fd, info);
}

EXPORT int
__fxstat64 (int version, int fd, struct stat64 *info)
{
  return (int) syscall (SYS_fstat, fd, info);
}

#endif
