// SPDX-License-Identifier: LGPL-2.1-or-later
// Text from the image is hostile: here it is made fit for a database and for a terminal.
#ifndef VMI_BASE_TEXT_H
#define VMI_BASE_TEXT_H

#include "src/base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The length of the valid UTF-8 sequence at s (1..4), or 0. n bytes are readable.
size_t text_utf8_len(const char *s, size_t n);

// Valid UTF-8 with every byte that is not part of a valid sequence, and every NUL, written \xNN.
// Gives s itself where nothing has to change (the common case); else a copy in the arena.
const char *text_for_database(struct arena *a, const char *s, size_t n, size_t *out_n);

// Printable on a terminal: as above, and control characters, ESC, DEL, C1 and bidirectional or
// zero-width format characters written \xNN or \u{NNNN}. NUL-terminated, in the arena.
const char *text_for_terminal(struct arena *a, const char *s, size_t n);

// FNV-1a of n bytes, going on from `start` (TEXT_HASH at first): a key for struct u64map.
#define TEXT_HASH 0xcbf29ce484222325ULL
uint64_t text_hash(uint64_t start, const char *s, size_t n);

#endif
