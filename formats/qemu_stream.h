// SPDX-License-Identifier: LGPL-2.1-or-later
// QEMU's migration stream ("QEVM" version 3): what its parts share while it is opened and read.
//
// Layouts: QEMU migration/savevm.c, migration/ram.c, migration/vmstate.c, docs/devel/migration,
// versions 2.0 to 11.1. Everything is big-endian and byte-packed.
#ifndef VMI_FORMATS_QEMU_STREAM_H
#define VMI_FORMATS_QEMU_STREAM_H

#include "formats/fmt.h"
#include "formats/qemu_index.h"
#include "formats/window.h"
#include "src/base/vec.h"

enum {
	QEMU_NAME_SIZE = 256, // of a counted string with its NUL
	QEMU_BLOCKS_MAX = 1024,
};

// Flags of a page's record, in the low bits of its offset (QEMU migration/ram.c).
enum {
	RAM_FULL = 0x01, // QEMU before 0.15
	RAM_ZERO = 0x02,
	RAM_MEM_SIZE = 0x04,
	RAM_PAGE = 0x08,
	RAM_EOS = 0x10,
	RAM_CONTINUE = 0x20,
	RAM_XBZRLE = 0x40,
	RAM_HOOK = 0x80,
	RAM_COMPRESS = 0x100,
	RAM_MULTIFD_FLUSH = 0x200,
};

// A RAMBlock: a piece of memory by its name; the stream does not say where the guest has it.
struct qemu_block {
	char name[QEMU_NAME_SIZE];
	uint64_t size;
	uint64_t first; // place of its first page in the index, and of its bytes in `off` of runs
	// mapped-ram only: offsets in the file
	uint64_t pages_off, bitmap_off;
	uint8_t *bitmap; // a bit a page that has bytes; NULL: all have
};

struct qemu_hints;

struct qemu_stream {
	struct image *img;
	const struct qemu_hints *hints; // while it is opened; NULL: none
	struct window w;
	uint64_t end; // of the file
	char machine[QEMU_NAME_SIZE];
	bool mapped, ignore_shared; // capabilities recorded in the stream
	VEC(struct qemu_block) blocks;
	size_t current; // the block that CONTINUE goes on with
	struct qindex ix;
	uint64_t n_discarded;
	uint64_t kinds;			      // of records, as their flags
	bool described, footers;	      // by JSON; sections have footers
	bool ram_seen, ram_moving, ram_ended; // its list of blocks, its next section, its last
	uint32_t ram_id;		      // of its sections
	bool eof;			      // the stream's own mark
	bool stopped;			      // nothing further can be understood
	uint64_t dev_off, dev_end;	      // where the devices' sections are; 0: not reached
	// Out of the devices' sections.
	uint64_t low_ram, high_ram; // by the CMOS; both 0: not known
	char runstate[32];
};

// What is known from elsewhere: a block's guest address.
enum { QEMU_HINTS_MAX = 256 };
struct qemu_hint {
	char block[QEMU_NAME_SIZE];
	uint64_t pa;
};
struct qemu_hints {
	struct qemu_hint at[QEMU_HINTS_MAX];
	size_t n;
};

// Opens the stream that starts at off of img->io, and fills the image. hints may be NULL.
struct err *qemu_stream_open(struct image *img, uint64_t off, const struct qemu_hints *hints);
void qemu_stream_close(struct image *img);

// --- qemu_stream.c, for the others ---

// Follows the stream to its end, or as far as it makes sense.
struct err *qemu_take_all(struct qemu_stream *s);
// The stream can't be followed any further, for a reason in words.
void qemu_stop(struct qemu_stream *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
// It ends too early, inside what.
void qemu_cut(struct qemu_stream *s, const char *what);
// A u8 length and so many bytes; false where the file ends.
bool qemu_take_name(struct qemu_stream *s, char name[static QEMU_NAME_SIZE]);

// --- qemu_ram.c ---

// In words: what kinds of records for pages there are.
void qemu_ram_facts(const struct qemu_stream *s);
// The records of a RAM section up to its end mark.
struct err *qemu_ram_section(struct qemu_stream *s);
// The pages of a block that postcopy threw away, out of COMMAND 6.
void qemu_ram_discard(struct qemu_stream *s, const uint8_t *body, size_t n);

// --- qemu_row.c ---

// Page records in a row, from the stream's position on: as many as it can take without looking
// twice, which may be none.
void qemu_ram_row(struct qemu_stream *s);

// --- qemu_mapped.c ---

// The header of a block, at the stream's position; goes on behind the block's pages.
struct err *qemu_mapped_block(struct qemu_stream *s, struct qemu_block *b);
// At the end of the stream: which pages of the blocks have bytes.
struct err *qemu_mapped_settle(struct qemu_stream *s);
bool qemu_mapped_read(struct qemu_stream *s, uint64_t page, uint8_t out[static PAGE_SIZE]);

// --- qemu_devices.c ---

// vCPUs, CMOS and run state out of the devices' sections, as far as they are there.
void qemu_devices(struct qemu_stream *s);

// --- qemu_layout.c ---

// Runs of the image: which blocks are RAM, and where the guest has them.
struct err *qemu_layout(struct qemu_stream *s);

#endif
