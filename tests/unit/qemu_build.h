// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes migration streams of QEMU, record by record.
#ifndef VMI_TESTS_QEMU_BUILD_H
#define VMI_TESTS_QEMU_BUILD_H

#include "tests/unit/mem_io.h"

// Flags of records, as migration/ram.c has them.
enum {
	Q_ZERO = 0x02,
	Q_MEM_SIZE = 0x04,
	Q_PAGE = 0x08,
	Q_EOS = 0x10,
	Q_CONTINUE = 0x20,
	Q_XBZRLE = 0x40,
	Q_HOOK = 0x80,
	Q_COMPRESS = 0x100,
	Q_FLUSH = 0x200,
};

enum { Q_RAM = 2 }; // the number of RAM's section

struct q_block {
	const char *name;
	uint64_t size;
};

// Big-endian numbers and counted strings.
void q_be(struct blob *b, uint64_t v, size_t n);
void q_name(struct blob *b, const char *name);

void q_head(struct blob *b, const char *machine);	   // NULL: no configuration
void q_capability(struct blob *b, const char *name);	   // behind the configuration
void q_section(struct blob *b, uint8_t type, uint32_t id); // PART (2) or END (3)
void q_start(struct blob *b, uint8_t type, uint32_t id, const char *name, uint32_t instance,
	     uint32_t version);
void q_footer(struct blob *b, uint32_t id);
void q_command(struct blob *b, uint16_t command, const void *body, uint16_t n);

// RAM's first section: the list, its end mark and its footer.
void q_ram(struct blob *b, const struct q_block *blocks, size_t n);
// The record's head; name NULL: as the record before.
void q_record(struct blob *b, uint64_t off, uint64_t flags, const char *name);
// Whole records. The plain page's bytes are noise from `seed` on.
void q_page(struct blob *b, uint64_t off, const char *name, uint64_t seed);
void q_fill(struct blob *b, uint64_t off, const char *name, uint8_t byte);
void q_delta(struct blob *b, uint64_t off, const char *name, const void *delta, uint16_t n);
void q_zlib(struct blob *b, uint64_t off, const char *name, uint64_t seed);
// RAM's last section, empty.
void q_ram_end(struct blob *b);

// Sections "timer", "cpu" (one, CR3 0x1234000, LSTAR -1), "mc146818rtc" and "globalstate".
void q_devices(struct blob *b, uint64_t low, uint64_t high);
// The end of the stream, and the description of these devices.
void q_end(struct blob *b, bool described);

// A whole stream: one block of that many pages in page order, page i noise from i * 4096 on.
void q_plain(struct blob *b, const char *block, uint64_t pages);

#endif
