// SPDX-License-Identifier: LGPL-2.1-or-later
// Blocks that are each compressed on their own: pages of dumps, frames of snappy.
#ifndef VMI_FORMATS_BLOCK_H
#define VMI_FORMATS_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

enum block_codec { BLOCK_ZLIB, BLOCK_LZO, BLOCK_SNAPPY, BLOCK_ZSTD };

// The state that the libraries want to keep from block to block.
struct block_unpacker;

struct block_unpacker *block_unpacker_new(void) __attribute__((returns_nonnull));
void block_unpacker_free(struct block_unpacker *u);

// Whether the n bytes at `in` unpack to exactly out_n bytes; not if this build can't do it.
bool block_unpack(struct block_unpacker *u, enum block_codec codec, const void *in, size_t n,
		  void *out, size_t out_n);

// "zlib", "lzo", ...
const char *block_name(enum block_codec codec);
// The library that this build lacks for it, or NULL.
const char *block_lacks(enum block_codec codec);

#endif
