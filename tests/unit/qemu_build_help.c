// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes migration streams of QEMU, record by record.
#include "tests/unit/qemu_build.h"

#include "src/base/mem.h"

#include <criterion/criterion.h>

#include <string.h>
#include <zlib.h>

void q_be(struct blob *b, uint64_t v, size_t n)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(v >> 8 * (n - 1 - i));
	blob_append(b, bytes, n);
}

void q_name(struct blob *b, const char *name)
{
	q_be(b, strlen(name), 1);
	blob_append(b, name, strlen(name));
}

void q_head(struct blob *b, const char *machine)
{
	blob_append(b, "QEVM\0\0\0\3", 8);
	if (!machine)
		return;
	q_be(b, 7, 1);
	q_be(b, strlen(machine), 4);
	blob_append(b, machine, strlen(machine));
}

void q_capability(struct blob *b, const char *name)
{
	q_be(b, 5, 1);
	q_name(b, "configuration/capabilities");
	q_be(b, 1, 4);
	q_be(b, 1, 4);
	q_name(b, name);
}

void q_section(struct blob *b, uint8_t type, uint32_t id)
{
	q_be(b, type, 1);
	q_be(b, id, 4);
}

void q_start(struct blob *b, uint8_t type, uint32_t id, const char *name, uint32_t instance,
	     uint32_t version)
{
	q_section(b, type, id);
	q_name(b, name);
	q_be(b, instance, 4);
	q_be(b, version, 4);
}

void q_footer(struct blob *b, uint32_t id)
{
	q_section(b, 0x7e, id);
}

void q_command(struct blob *b, uint16_t command, const void *body, uint16_t n)
{
	q_be(b, 8, 1);
	q_be(b, command, 2);
	q_be(b, n, 2);
	blob_append(b, body, n);
}

void q_ram(struct blob *b, const struct q_block *blocks, size_t n)
{
	uint64_t total = 0;

	q_start(b, 1, Q_RAM, "ram", 0, 4);
	for (size_t i = 0; i < n; i++)
		total += blocks[i].size;
	q_be(b, total | Q_MEM_SIZE, 8);
	for (size_t i = 0; i < n; i++) {
		q_name(b, blocks[i].name);
		q_be(b, blocks[i].size, 8);
	}
	q_be(b, Q_EOS, 8);
	q_footer(b, Q_RAM);
}

void q_record(struct blob *b, uint64_t off, uint64_t flags, const char *name)
{
	q_be(b, off | flags | (name ? 0 : Q_CONTINUE), 8);
	if (name)
		q_name(b, name);
}

void q_page(struct blob *b, uint64_t off, const char *name, uint64_t seed)
{
	uint8_t page[PAGE_SIZE];

	noise_fill(seed, page, sizeof(page));
	q_record(b, off, Q_PAGE, name);
	blob_append(b, page, sizeof(page));
}

void q_fill(struct blob *b, uint64_t off, const char *name, uint8_t byte)
{
	q_record(b, off, Q_ZERO, name);
	q_be(b, byte, 1);
}

void q_delta(struct blob *b, uint64_t off, const char *name, const void *delta, uint16_t n)
{
	q_record(b, off, Q_XBZRLE, name);
	q_be(b, 1, 1);
	q_be(b, n, 2);
	blob_append(b, delta, n);
}

void q_zlib(struct blob *b, uint64_t off, const char *name, uint64_t seed)
{
	uint8_t page[PAGE_SIZE], packed[2 * PAGE_SIZE];
	uLongf n = sizeof(packed);

	noise_fill(seed, page, sizeof(page));
	cr_assert_eq(compress(packed, &n, page, sizeof(page)), Z_OK);
	q_record(b, off, Q_COMPRESS, name);
	q_be(b, n, 4);
	blob_append(b, packed, n);
}

void q_ram_end(struct blob *b)
{
	q_section(b, 3, Q_RAM);
	q_be(b, Q_EOS, 8);
	q_footer(b, Q_RAM);
}

// --- Devices ---

enum { CPU_SIZE = 864, CMOS_SIZE = 128, STATE_SIZE = 100 };

static void put_cpu(struct blob *b)
{
	size_t at = b->n + CPU_SIZE;
	struct blob cpu = {0};

	q_be(&cpu, 0x1234000, 8);
	blob_put(b, at - 1, "", 1);
	memcpy(b->at + at - CPU_SIZE + 472, cpu.at, 8);
	memset(b->at + at - CPU_SIZE + 832, 0xff, 8);
	blob_fini(&cpu);
}

static void put_cmos(struct blob *b, uint64_t low, uint64_t high)
{
	uint8_t cmos[CMOS_SIZE] = {0};
	uint64_t above = (low - (16 << 20)) >> 16;

	cmos[0x34] = (uint8_t)above;
	cmos[0x35] = (uint8_t)(above >> 8);
	cmos[0x5b] = (uint8_t)(high >> 16);
	cmos[0x5c] = (uint8_t)(high >> 24);
	cmos[0x5d] = (uint8_t)(high >> 32);
	blob_append(b, cmos, sizeof(cmos));
}

void q_devices(struct blob *b, uint64_t low, uint64_t high)
{
	char state[STATE_SIZE] = "running";

	q_start(b, 4, 0, "timer", 0, 2);
	q_be(b, 0, 8);
	q_footer(b, 0);
	q_start(b, 4, 5, "cpu", 0, 12);
	put_cpu(b);
	q_footer(b, 5);
	q_start(b, 4, 6, "mc146818rtc", 0, 3);
	put_cmos(b, low, high);
	q_footer(b, 6);
	q_start(b, 4, 7, "globalstate", 0, 1);
	q_be(b, 8, 4);
	blob_append(b, state, sizeof(state));
	q_footer(b, 7);
}

static const char description[] =
	"{\"page_size\": 4096, \"devices\": [\n"
	"{\"name\": \"timer\", \"instance_id\": 0, \"version\": 2, \"fields\": [{\"name\": \"t\", "
	"\"type\": \"int64\", \"size\": 8}]},\n"
	"{\"name\": \"cpu\", \"instance_id\": 0, \"vmsd_name\": \"cpu\", \"version\": 12, "
	"\"fields\": [{\"name\": \"env.regs\", \"array_len\": 16, \"type\": \"uint64\", \"size\": "
	"8}, {\"name\": \"more\", \"size\": 344}, {\"name\": \"env.cr[3]\", \"size\": 8}, "
	"{\"name\": \"rest\", \"size\": 352}, {\"name\": \"env.lstar\", \"size\": 8}, {\"name\": "
	"\"end\", \"size\": 24}]},\n"
	"{\"name\": \"mc146818rtc\", \"instance_id\": 0, \"fields\": [{\"name\": \"cmos_data\", "
	"\"size\": 128}]},\n"
	"{\"name\": \"globalstate\", \"instance_id\": 0, \"fields\": [{\"name\": \"size\", "
	"\"size\": 4}, {\"name\": \"runstate\", \"size\": 100}]}\n"
	"]}";

void q_end(struct blob *b, bool described)
{
	q_be(b, 0, 1);
	if (!described)
		return;
	q_be(b, 6, 1);
	q_be(b, sizeof(description) - 1, 4);
	blob_append(b, description, sizeof(description) - 1);
}

void q_plain(struct blob *b, const char *block, uint64_t pages)
{
	const struct q_block blocks[] = {{block, pages * PAGE_SIZE}};

	q_head(b, "pc-i440fx-7.2");
	q_ram(b, blocks, 1);
	q_section(b, 2, Q_RAM);
	for (uint64_t i = 0; i < pages; i++)
		q_page(b, i * PAGE_SIZE, i ? NULL : block, i * PAGE_SIZE);
	q_be(b, Q_EOS, 8);
	q_footer(b, Q_RAM);
	q_ram_end(b);
	q_devices(b, pages * PAGE_SIZE < 16 << 20 ? 16 << 20 : pages * PAGE_SIZE, 0);
	q_end(b, true);
}
