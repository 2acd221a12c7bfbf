// SPDX-License-Identifier: LGPL-2.1-or-later
// Header and sub-header of a kdump-compressed dump (makedumpfile, diskdump_mod.h: struct
// disk_dump_header and struct kdump_sub_header of a 64-bit machine; QEMU, dump.h has the same).
//
// utsname is not believed: QEMU leaves it empty, or writes "Unknown". Neither is phys_base: QEMU
// reads the decimal number of VMCOREINFO as hexadecimal.
#include "formats/kdump.h"

#include "src/base/bytes.h"

#include <string.h>

enum {
	HEAD_SIZE = 464,
	SUB_SIZE = 104,
	BLOCK_MIN = 4 << 10,
	BLOCK_MAX = 64 << 10,
	BLOCK_SIZE_AT = 428,
	BLOCK_SIZE_AT_32 = 416, // the time stamp before it is shorter there, and not aligned
	SUB_BLOCKS_MAX = 1 << 16,
};

// x86-64 has at most 52 physical address bits.
static const uint64_t PHYS_LIMIT = UINT64_C(1) << 52;

static bool is_block_size(uint32_t n)
{
	return n >= BLOCK_MIN && n <= BLOCK_MAX && (n & (n - 1)) == 0;
}

static struct err *take_block_size(const uint8_t *h, size_t *block_size)
{
	uint32_t n = le32(h + BLOCK_SIZE_AT);

	if (is_block_size(n)) {
		*block_size = n;
		return NULL;
	}
	if (is_block_size(le32(h + BLOCK_SIZE_AT_32)))
		return err_new(ERR_UNSUPPORTED, "a kdump-compressed dump of a 32-bit machine; only "
						"x86-64 guests are read");
	return err_new(ERR_FORMAT,
		       "a kdump-compressed dump with blocks of %u bytes, which can't be", n);
}

// The full numbers are in the sub-header since version 6, and below 2^32 in the old places, too.
static void take_range(struct kdump_part *p, const uint8_t *h, const uint8_t *s)
{
	p->n_pfns = p->version >= 6 ? le64(s + 96) : le32(h + 440);
	p->split = p->version >= 2 && le32(s + 12) != 0;
	p->start_pfn = 0;
	p->end_pfn = p->n_pfns;
	if (!p->split)
		return;
	p->start_pfn = le64(s + (p->version >= 6 ? 80 : 16));
	p->end_pfn = le64(s + (p->version >= 6 ? 88 : 24));
	if (p->end_pfn > p->n_pfns)
		p->end_pfn = p->n_pfns;
	if (p->start_pfn > p->end_pfn)
		p->start_pfn = p->end_pfn;
}

static void take_sub_header(struct kdump_part *p, const uint8_t *s)
{
	p->dump_level = p->version >= 1 ? le32(s + 8) : 0;
	if (p->version >= 3) {
		p->info = le64(s + 32);
		p->info_size = le64(s + 40);
	}
	if (p->version >= 4) {
		p->notes = le64(s + 48);
		p->n_notes = le64(s + 56);
	}
}

// Two bitmaps (what is RAM, what was dumped), or, where they would not fit, one that is both.
static struct err *take_places(struct kdump_part *p, const uint8_t *h, size_t block_size)
{
	uint32_t sub = le32(h + 432), blocks = le32(h + 436);
	uint64_t needed = p->n_pfns / 8 + (p->n_pfns % 8 != 0);

	if (p->n_pfns == 0 || p->n_pfns > PHYS_LIMIT / block_size)
		return err_new(ERR_FORMAT, "a kdump-compressed dump of %llu pages, which can't be",
			       (unsigned long long)p->n_pfns);
	if (sub == 0 || sub > SUB_BLOCKS_MAX)
		return err_new(ERR_FORMAT,
			       "a kdump-compressed dump with a second header of %u blocks, which "
			       "can't be",
			       sub);
	p->bitmap = (UINT64_C(1) + sub) * block_size;
	p->bitmap_size = (uint64_t)blocks * block_size;
	p->descs = p->bitmap + p->bitmap_size;
	p->two_bitmaps = blocks / 2 >= needed / block_size + (needed % block_size != 0);
	if (p->two_bitmaps)
		p->bitmap_size /= 2;
	if (p->bitmap_size >= needed)
		return NULL;
	return err_new(ERR_FORMAT,
		       "a kdump-compressed dump whose bitmap of %llu bytes is too small for %llu "
		       "pages",
		       (unsigned long long)p->bitmap_size, (unsigned long long)p->n_pfns);
}

struct err *kdump_head(struct io *io, struct kdump_part *p, size_t *block_size)
{
	uint8_t h[HEAD_SIZE], s[SUB_SIZE] = {0};
	size_t got;

	*p = (struct kdump_part){.io = io};
	TRY(io_read(io, 0, h, sizeof(h), &got));
	if (got < sizeof(h))
		return err_new(ERR_FORMAT, "a kdump-compressed dump, cut inside its header");
	if (memcmp(h, "KDUMP   ", 8) != 0)
		return err_new(ERR_FORMAT, "not a kdump-compressed dump");
	TRY(take_block_size(h, block_size));
	TRY(io_read(io, *block_size, s, sizeof(s), &got));
	if (got < sizeof(s))
		return err_new(ERR_FORMAT, "a kdump-compressed dump, cut inside its second header");
	p->version = le32(h + 8);
	memcpy(p->utsname, h + 12, sizeof(p->utsname));
	p->status = le32(h + 424);
	take_range(p, h, s);
	take_sub_header(p, s);
	return take_places(p, h, *block_size);
}
