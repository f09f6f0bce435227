/* What the installed headers say about themselves. */
#pragma once

/* Everything public is marked with this; all else is hidden.  In the libraries each function has the
 * version of the interface that brought it: what minor number N adds is marked SEGUE_API_SINCE (N). */
#define SEGUE_API                     __attribute__ ((visibility ("default"))) extern
#define SEGUE_API_SINCE(minor_number) SEGUE_API

/**
 * SEGUE_ABI_MAJOR, SEGUE_ABI_MINOR:
 *
 * The plugin interface that these headers describe.  A plugin loads where the major number is the
 * same and its minor number is not newer.  Major: something was removed or changed its meaning.
 * Minor: something was added (tables grow at their end; see #SegueStageType.struct_size).
 */
#define SEGUE_ABI_MAJOR 2
#define SEGUE_ABI_MINOR 0

/* A pointer to a constant @Type: one member of a table at file scope.  In C++ (from C++20 on; with
 * g++ and clang++ also in C++17) fields stand in the order in which the struct has them. */
#ifdef __cplusplus
#define SEGUE_ROW(Type, ...)                                                                       \
  ([] () -> const Type * {                                                                         \
    static const Type row = { .struct_size = sizeof (Type), __VA_ARGS__ };                         \
    return &row;                                                                                   \
  }())
#else
#define SEGUE_ROW(Type, ...) (&(const Type){ .struct_size = sizeof (Type), __VA_ARGS__ })
#endif

/* Names, then %NULL: the choices of a parameter. */
#ifdef __cplusplus
#define SEGUE_NAMES(...)                                                                           \
  ([] () -> const char *const * {                                                                  \
    static const char *const names[] = { __VA_ARGS__, nullptr };                                   \
    return names;                                                                                  \
  }())
#else
#define SEGUE_NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#endif
