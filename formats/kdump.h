// SPDX-License-Identifier: LGPL-2.1-or-later
// The parts of the reader of kdump-compressed dumps: header, bitmaps to runs, pages.
#ifndef VMI_FORMATS_KDUMP_H
#define VMI_FORMATS_KDUMP_H

#include "formats/block.h"
#include "formats/fmt.h"
#include "src/base/vec.h"

enum {
	KDUMP_PARTS_MAX = 256,
	KDUMP_DESC_SIZE = 24,
	KDUMP_DESC_WINDOW = 170, // descriptors read at once: one page of them
};

// `status` of the header and `flags` of a page's descriptor (makedumpfile, diskdump_mod.h).
enum {
	KDUMP_ZLIB = 1,
	KDUMP_LZO = 2,
	KDUMP_SNAPPY = 4,
	KDUMP_INCOMPLETE = 8,
	KDUMP_ZSTD = 0x20,
	KDUMP_PACKED = KDUMP_ZLIB | KDUMP_LZO | KDUMP_SNAPPY | KDUMP_ZSTD,
};

// One file; of a dump that was split there are several.
struct kdump_part {
	struct io *io;
	char utsname[390]; // to see whether parts belong together
	uint32_t version, status, dump_level;
	bool split;
	uint64_t n_pfns;	      // of the whole dump
	uint64_t start_pfn, end_pfn;  // of this part
	uint64_t bitmap, bitmap_size; // where the first begins; the size of one
	bool two_bitmaps;
	uint64_t descs;		  // where the descriptors begin
	uint64_t first, n_descs;  // number of its first descriptor among those of all parts
	uint64_t n_left_out;	  // pages that were RAM and were not dumped
	bool bitmap_cut;	  // the file ends inside it
	uint64_t notes, n_notes;  // offset and size
	uint64_t info, info_size; // of VMCOREINFO
};

struct kdump {
	size_t block_size;
	struct kdump_part *part; // room for all that were given
	size_t n_parts;
	VEC(struct mem_run) runs; // off is the number of the descriptor times block_size
	struct block_unpacker *unpacker;
	uint8_t *packed; // packed_max bytes
	size_t packed_max;
	uint8_t *block; // the last one that was asked for in pieces
	uint64_t block_number;
	uint8_t window[KDUMP_DESC_WINDOW * KDUMP_DESC_SIZE]; // of descriptors
	uint64_t window_first;
	size_t window_n;
};

// Fills all of p but what kdump_map() finds out; *block_size from the header.
struct err *kdump_head(struct io *io, struct kdump_part *p, size_t *block_size);

// The runs of a part, behind those that k has.
struct err *kdump_map(struct kdump *k, struct kdump_part *p);

void kdump_pages_init(struct kdump *k);
void kdump_pages_fini(struct kdump *k);
// The block with this descriptor, whole; false if it can't be had.
bool kdump_page(struct kdump *k, uint64_t number, uint8_t *to);
// One past the last byte that the last descriptors of a part ask for; 0 if they can't be read.
uint64_t kdump_promised_end(struct kdump *k, const struct kdump_part *p);

#endif
