// SPDX-License-Identifier: LGPL-2.1-or-later
// Files of evidence that tests make in memory.
#ifndef VMI_TESTS_MEM_IO_H
#define VMI_TESTS_MEM_IO_H

#include "formats/fmt.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Bytes that grow, for building files.
struct blob {
	uint8_t *at;
	size_t n, cap;
};

// n bytes at off, with zeros before them if the blob was shorter.
void blob_put(struct blob *b, size_t off, const void *bytes, size_t n);
void blob_append(struct blob *b, const void *bytes, size_t n);
void blob_fini(struct blob *b);

// An io over a copy of the bytes.
struct io *mem_io_new(const void *bytes, size_t n);
// Bytes [off, off + n) of it can't be read from now on, as on a bad disk.
void mem_io_break(struct io *io, uint64_t off, uint64_t n);
// How often it was read.
unsigned mem_io_reads(const struct io *io);

// A path that opens these bytes, for as long as the process lives.
const char *mem_path(const void *bytes, size_t n);

// What image_open() says to a file of these bytes.
struct err *open_bytes(const void *bytes, size_t n, struct image **out);

// Deterministic noise: byte i of an endless file.
uint8_t noise_at(uint64_t i);
void noise_fill(uint64_t from, void *buf, size_t n);

#endif
