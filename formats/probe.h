// SPDX-License-Identifier: LGPL-2.1-or-later
// Head and tail of a file, and questions about them.
#ifndef VMI_FORMATS_PROBE_H
#define VMI_FORMATS_PROBE_H

#include "formats/fmt.h"

// A little is enough for nearly all; the whole head is for streams that start behind a hole, and to
// be sure of text.
enum { PROBE_FIRST = 64 << 10, PROBE_HEAD = 1 << 20, PROBE_TAIL = 64 << 10 };

// Storage of the caller for what a probe points to.
struct probe_bytes {
	uint8_t head[PROBE_HEAD], tail[PROBE_TAIL];
};

// Where a part can't be read the probe sees less.
struct err *probe_load(struct io *io, struct probe_bytes *bytes, struct fmt_probe *out);

// Whether the n bytes of magic stand at off of the head.
bool probe_has(const struct fmt_probe *p, size_t off, const void *magic, size_t n);

// Whether the head is text: printable UTF-8 and white space, nothing else.
bool probe_is_text(const struct fmt_probe *p);

#endif
