// SPDX-License-Identifier: LGPL-2.1-or-later
// Streams in snappy's framing format (google/snappy, framing_format.txt), read at random.
#ifndef VMI_FORMATS_SNAPFRAME_H
#define VMI_FORMATS_SNAPFRAME_H

#include "src/phys/io.h"

#include <stdbool.h>

struct snapframe;

// packed is borrowed.
struct snapframe *snapframe_new(struct io *packed) __attribute__((returns_nonnull));
void snapframe_free(struct snapframe *s);

// Indexes a stream that begins at *off and has `want` bytes of content: frame by frame, the content
// of all streams one behind the other. *off moves behind the last frame that was taken, *got says
// how much of the content there is; *damage why it is less, NULL if it is not.
struct err *snapframe_index(struct snapframe *s, uint64_t *off, uint64_t want, uint64_t *got,
			    const char **damage);
// The content of all streams so far.
uint64_t snapframe_size(const struct snapframe *s);

// n bytes at `at` of the content of all streams; *got is less where a frame is damaged.
void snapframe_read(struct snapframe *s, uint64_t at, void *buf, size_t n, size_t *got);

#endif
