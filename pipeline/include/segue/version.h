/* The version of the interface that the installed headers describe. */
#pragma once

/* Marks everything public; all else is hidden.  In the libraries each function has the version of the
 * interface that added it: functions that minor version N adds are marked SEGUE_API_SINCE (N). */
#define SEGUE_API                     __attribute__ ((visibility ("default"))) extern
#define SEGUE_API_SINCE(minor_number) SEGUE_API

/**
 * SEGUE_ABI_MAJOR, SEGUE_ABI_MINOR:
 *
 * The plugin interface that these headers describe.  A plugin is accepted if its major number is the
 * same and its minor number is not newer.  Major: something was removed or changed its meaning.
 * Minor: something was added (tables grow at their end; see #SegueStageType.struct_size).
 */
#define SEGUE_ABI_MAJOR 2
#define SEGUE_ABI_MINOR 0

/* A pointer to a constant @Type: one member of a table at file scope.  In C++ (from C++20 on; with
 * g++ and clang++ also in C++17) fields must be in the order of the struct. */
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
