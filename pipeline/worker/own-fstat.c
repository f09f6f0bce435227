/* fstat () as the system call that takes a descriptor and no path, in place of the C library's, which
 * passes the path "" with the descriptor: a filter can't check a path. Libraries use these functions,
 * since those of the program come first. */
#undef _FILE_OFFSET_BITS /* which maps both names to one */
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(SYS_fstat) && defined(__LP64__)

#define EXPORT __attribute__ ((visibility ("default")))

/* As in the C library before 2.33. */
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
