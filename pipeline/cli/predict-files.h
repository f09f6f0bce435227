/* Which files `segue predict` is to answer. */
#pragma once

#include <glib.h>

/** segue_predict_files: (transfer full) (element-type filename): files as named, folders with all
 * files below them that have one of @extensions (without the dot; %NULL: any), in byte order.  A
 * name that is not there, and a folder below that can't be read, stay in the list: they get their answer,
 * an error, in their place. */
GPtrArray *segue_predict_files (char *const *arguments, const char *const *extensions,
                                GError **error);
