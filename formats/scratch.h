// SPDX-License-Identifier: LGPL-2.1-or-later
// A nameless file in $TMPDIR for what was unpacked; it is gone when the process is.
#ifndef VMI_FORMATS_SCRATCH_H
#define VMI_FORMATS_SCRATCH_H

#include "src/phys/io.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scratch {
	int fd;
	const char *dir;
	struct mem_held *held;
};

// Makes this many in advance, if there are not so many yet: a process that then gives up the right
// to make files takes those, each again once it is given up. What goes wrong is told when one of
// them would be needed.
void scratch_ready(size_t n);

// In $TMPDIR, or /tmp as POSIX has it. Nothing stays there, after kill -9 neither.
struct err *scratch_init(struct scratch *s);
void scratch_fini(struct scratch *s);

// Writes all n bytes at off; blocks of zeros become holes, if nothing was there before.
struct err *scratch_write(struct scratch *s, uint64_t off, const void *buf, size_t n);
// All n bytes at off, or false.
bool scratch_read(struct scratch *s, uint64_t off, void *buf, size_t n);
struct err *scratch_set_size(struct scratch *s, uint64_t size);
// The first size bytes as an io, which takes the file over. path is for messages.
struct io *scratch_io(struct scratch *s, const char *path, uint64_t size)
	__attribute__((returns_nonnull));

#endif
