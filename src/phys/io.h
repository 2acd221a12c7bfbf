// SPDX-License-Identifier: LGPL-2.1-or-later
// A read-only file of evidence, or what looks like one (a decompressed view of it).
#ifndef VMI_PHYS_IO_H
#define VMI_PHYS_IO_H

#include "src/base/err.h"

#include <stddef.h>
#include <stdint.h>

struct io;

// What a kind of io can do. read copies up to n bytes at off into buf and gives how many there
// were in *got: fewer only where the bytes end, or can't be read. It never traps.
struct io_ops {
	struct err *(*read)(struct io *io, uint64_t off, void *buf, size_t n, size_t *got);
	void (*close)(struct io *io); // gives up what is the kind's own; io_close() frees the io
};

// Every kind of io starts with this; path is for messages, size in bytes.
struct io {
	const struct io_ops *ops;
	char *path;
	uint64_t size;
};

// Opens a regular file or block device, O_RDONLY only. A directory, or no permission, is an error
// that names the path and says what to do.
struct err *io_open_file(const char *path, struct io **out);

// The same for an open file, which the io takes over, and give_back() gets at its end; NULL closes
// it.
struct io *io_from_fd(int fd, const char *path, uint64_t size, void (*give_back)(int fd))
	__attribute__((returns_nonnull));

// Up to n bytes, *got says how many; io_read_all() makes an error of fewer. What lies beyond the
// size, or on a bad sector, is not an error but not got.
struct err *io_read(struct io *io, uint64_t off, void *buf, size_t n, size_t *got);
struct err *io_read_all(struct io *io, uint64_t off, void *buf, size_t n);

void io_close(struct io *io);

#endif
