/* File types by the extensions of file names (internal). */
#pragma once

#include <segue/file.h>

/** segue_extension_list_audio: (transfer none): those of audio files, %NULL-terminated, in lower case. */
const char *const *segue_extension_list_audio (void);
