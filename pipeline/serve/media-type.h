/* Types of files, by their names. */
#pragma once

/** media_type_of: (transfer none) (nullable): "audio/ogg"; %NULL: the server sends no such files. */
const char *media_type_of (const char *name);
