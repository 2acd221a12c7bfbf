// SPDX-License-Identifier: LGPL-2.1-or-later
// Dumps of makedumpfile, LiME and AVML that tests write in memory.
#ifndef VMI_TESTS_DUMP_BUILD_H
#define VMI_TESTS_DUMP_BUILD_H

#include "tests/unit/mem_io.h"

enum { DUMP_PAGE = 4096 };

// What stands at a physical address of the guest of these tests: pages of noise (which do not
// shrink), pages half empty, pages of zeros.
uint8_t dump_byte(uint64_t pa);
void dump_fill(uint64_t pa, void *buf, size_t n);
// Every byte that the image has is right; gives how many pages of [0, end) it has.
size_t dump_check(struct image *img, uint64_t end);

// --- kdump-compressed ---

struct kdump_build {
	size_t block_size;
	uint32_t version, level, flag; // the flag of the pages' packing; 0: none
	uint32_t status;	       // of the header, besides the flag
	bool split, one_bitmap;
	uint64_t start, end, n_pfns;
	bool (*is_ram)(uint64_t pfn), (*is_dumped)(uint64_t pfn);
	struct blob notes, info;
};

// Where things ended up, for cutting there.
struct kdump_places {
	size_t sub, bitmap, second, descs, data, end;
};

// 64 pages of 4 KiB, version 6, zlib, all dumped.
struct kdump_build kdump_default(void);
struct blob kdump_write(const struct kdump_build *b, struct kdump_places *at);

// --- Flattened ---

void flat_begin(struct blob *b);
void flat_piece(struct blob *b, uint64_t off, const void *bytes, size_t n);
void flat_end(struct blob *b);
// Both numbers of a piece's header.
void flat_header(struct blob *b, uint64_t off, uint64_t size);

// --- LiME, AVML ---

void lime_header(struct blob *b, const char *magic, uint32_t version, uint64_t first,
		 uint64_t last);
// A block with the guest's bytes.
void lime_block(struct blob *b, uint64_t pa, size_t size);
void avml_block(struct blob *b, uint64_t pa, size_t size);
// A chunk of a snappy stream: as it is if it does not shrink.
void snappy_chunk(struct blob *b, const void *bytes, size_t n);

#endif
