/* The version of the interface, and the macros of its tables: for everyone. */
#pragma once

/* Marks everything public. In the libraries, each function has the version of the interface that added it: functions
 * that minor version N adds are marked SEGUE_API_SINCE (N). */
#define SEGUE_API                     __attribute__ ((visibility ("default"))) extern
#define SEGUE_API_SINCE(minor_number) SEGUE_API

/* The interface that these headers describe.  segue accepts a plugin with the same major number and no newer minor
 * number. Major: something was removed or changed its meaning. Minor: something was added; structs with a
 * struct_size grow at their end, and the fields that a plugin does not know read as zero. */
#define SEGUE_ABI_MAJOR 2
#define SEGUE_ABI_MINOR 0

/* The initial value of a @Type that begins with struct_size: `SegueModelInfo info = SEGUE_INIT (SegueModelInfo);` */
#define SEGUE_INIT(Type, ...)                                                                      \
  {                                                                                                \
    .struct_size = sizeof (Type), __VA_ARGS__                                                      \
  }

/* SEGUE_ROW: a pointer to a constant @Type: one member of a table at file scope. In C++ (from C++20 on; with g++ and
 * clang++ also in C++17) fields must be in the order of the struct. SEGUE_NAMES: the choices of a parameter, then %NULL.
 * SEGUE_OFFSET: of a field, whose type the compiler compares with @Type; void: any. */
/* clang-format off */
#ifdef __cplusplus
#define SEGUE_ROW(Type, ...) ([] { static const Type row = SEGUE_INIT (Type, __VA_ARGS__); return &row; }())
#define SEGUE_NAMES(...)     ([] { static const char *const all[] = { __VA_ARGS__, nullptr }; return all; }())
#define SEGUE_OFFSET(Struct, field, Type) \
  ([] { static_assert (__is_same (decltype (Struct::field), Type) || __is_same (Type, void), \
                       #Struct "." #field " must have the C type " #Type); return offsetof (Struct, field); }())
#else
#define SEGUE_ROW(Type, ...) (&(const Type) SEGUE_INIT (Type, __VA_ARGS__))
#define SEGUE_NAMES(...)     ((const char *const[]){ __VA_ARGS__, NULL })
#define SEGUE_OFFSET(Struct, field, Type) \
  (offsetof (Struct, field) + 0 * sizeof (struct { _Static_assert ( \
    __builtin_types_compatible_p (__typeof__ (((Struct *) 0)->field), Type) || __builtin_types_compatible_p (Type, void), \
    #Struct "." #field " must have the C type " #Type); int i; }))
#endif
/* clang-format on */
