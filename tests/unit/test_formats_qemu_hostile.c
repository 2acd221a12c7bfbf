// SPDX-License-Identifier: LGPL-2.1-or-later
// Migration streams that lie, end too early, or are of kinds that are refused.
#include "tests/unit/qemu_build.h"

#include "formats/qemu_vmdesc.h"
#include "src/base/mem.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

static void refused(const struct blob *b, enum err_code code, const char *words)
{
	struct image *img;
	struct err *e = open_bytes(b->at, b->n, &img);

	cr_assert_not_null(e, "opened, though: %s", words);
	cr_assert_eq(e->code, code, "%s", e->msg);
	cr_assert_not_null(strstr(e->msg, words), "no \"%s\" in: %s", words, e->msg);
}

static void damaged(const struct blob *b, const char *words)
{
	struct image *img;
	struct err *e = open_bytes(b->at, b->n, &img);

	cr_assert_null(e, "%s", e ? e->msg : "");
	cr_assert(img->truncated, "%s", words);
	cr_assert_not_null(strstr(img->truncated_why, words), "no \"%s\" in: %s", words,
			   img->truncated_why);
	image_close(img);
}

// Up to the first section of records, with one page.
static void begin(struct blob *b)
{
	const struct q_block block = {"pc.ram", 8 * PAGE_SIZE};

	q_head(b, "pc-i440fx-7.2");
	q_ram(b, &block, 1);
	q_section(b, 2, Q_RAM);
	q_page(b, 0, "pc.ram", 1);
}

Test(qemu_refused, by_name)
{
	struct blob b = {0};

	blob_append(&b, "QEVM\0\0\0\2", 8);
	refused(&b, ERR_UNSUPPORTED, "version 2");
	blob_fini(&b);
	begin(&b);
	q_be(&b, Q_EOS, 8);
	q_command(&b, 8, "", 0);
	refused(&b, ERR_UNSUPPORTED, "COLO");
	blob_fini(&b);
	begin(&b);
	q_be(&b, Q_HOOK, 8);
	refused(&b, ERR_UNSUPPORTED, "RDMA");
	blob_fini(&b);
	begin(&b);
	q_be(&b, 1, 8);
	refused(&b, ERR_UNSUPPORTED, "0.15");
	blob_fini(&b);
	q_head(&b, "virt");
	blob_append(&b,
		    "\5\x1e"
		    "configuration/target-page-bits\0\0\0\1\0\0\0\x10",
		    40);
	refused(&b, ERR_UNSUPPORTED, "2^16");
	blob_fini(&b);
	blob_append(&b, "\x11\x22\x33\x44\0\0\0\1", 8);
	blob_put(&b, 8191, "", 1);
	refused(&b, ERR_UNSUPPORTED, "multifd");
	blob_fini(&b);
}

// --- The list of blocks ---

static void list(struct blob *b, uint64_t total, const char *name, uint64_t size)
{
	q_head(b, "pc-i440fx-7.2");
	q_start(b, 1, Q_RAM, "ram", 0, 4);
	q_be(b, total | Q_MEM_SIZE, 8);
	q_name(b, name);
	q_be(b, size, 8);
	q_be(b, Q_EOS, 8);
}

static void refused_list(uint64_t total, uint64_t size, enum err_code code, const char *words)
{
	struct blob b = {0};

	list(&b, total, "pc.ram", size);
	refused(&b, code, words);
	cr_assert_lt(mem_in_use(), 1 << 20);
	blob_fini(&b);
}

Test(qemu_hostile, sizes)
{
	refused_list(0, 0, ERR_FORMAT, "0x0 bytes of RAM");
	refused_list(0x1000, 0, ERR_FORMAT, "pc.ram");
	refused_list(0x1000, 0x2000, ERR_FORMAT, "pc.ram");
	refused_list(0x2000, 0x1001, ERR_FORMAT, "pc.ram");
	refused_list(UINT64_C(1) << 60, UINT64_C(1) << 60, ERR_LIMIT, "claims to have");
	refused_list(UINT64_C(1) << 44, UINT64_C(1) << 44, ERR_LIMIT, "claims to have");
	refused_list(~UINT64_C(0xfff), 0x1000, ERR_LIMIT, "claims to have");
}

Test(qemu_hostile, a_terabyte_that_is_not_there)
{
	struct blob b = {0};

	list(&b, UINT64_C(1) << 40, "pc.ram", UINT64_C(1) << 40);
	refused(&b, ERR_FORMAT, "without a page of RAM");
	blob_fini(&b);
}

Test(qemu_hostile, names)
{
	char name[256];
	struct blob b = {0};

	memset(name, 'n', 255);
	name[255] = '\0';
	list(&b, PAGE_SIZE, name, PAGE_SIZE);
	q_section(&b, 2, Q_RAM);
	q_page(&b, 0, name, 3);
	q_be(&b, Q_EOS, 8);
	q_section(&b, 3, Q_RAM);
	q_be(&b, Q_EOS, 8);
	q_end(&b, false);
	struct image *img;
	struct err *e = open_bytes(b.at, b.n, &img);
	cr_assert_null(e, "%s", e ? e->msg : "");
	cr_assert_eq(physmem_end(img->mem), PAGE_SIZE);
	image_close(img);
	blob_fini(&b);
	q_head(&b, NULL);
	q_be(&b, 7, 1);
	q_be(&b, 256, 4); // a machine's name of 256 characters
	blob_put(&b, b.n + 9000, "", 1);
	refused(&b, ERR_FORMAT, "256 characters");
	blob_fini(&b);
}

Test(qemu_hostile, many_blocks)
{
	struct blob b = {0};
	char name[16];

	q_head(&b, NULL);
	q_start(&b, 1, Q_RAM, "ram", 0, 4);
	q_be(&b, (5000 * PAGE_SIZE) | Q_MEM_SIZE, 8);
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(name, sizeof(name), "b%d", i);
		q_name(&b, name);
		q_be(&b, PAGE_SIZE, 8);
	}
	refused(&b, ERR_LIMIT, "1024 RAM blocks");
	blob_fini(&b);
}

Test(qemu_hostile, two_lists)
{
	struct blob b = {0};

	list(&b, PAGE_SIZE, "pc.ram", PAGE_SIZE);
	q_section(&b, 2, Q_RAM);
	q_be(&b, PAGE_SIZE | Q_MEM_SIZE, 8);
	refused(&b, ERR_FORMAT, "two lists");
	blob_fini(&b);
}

// --- Records ---

static void damaged_by(uint64_t record, const char *name, const void *body, size_t n,
		       const char *words)
{
	struct blob b = {0};

	begin(&b);
	q_be(&b, record, 8);
	if (name)
		q_name(&b, name);
	blob_append(&b, body, n);
	blob_put(&b, b.n + 9000, "", 1);
	damaged(&b, words);
	blob_fini(&b);
}

Test(qemu_hostile, records)
{
	damaged_by(0x8000 | Q_ZERO | Q_CONTINUE, NULL, "", 1, "outside its RAM block");
	damaged_by((UINT64_C(1) << 63) | Q_PAGE | Q_CONTINUE, NULL, "", 1, "outside");
	damaged_by(Q_PAGE, "pc.rom", "", 1, "did not announce");
	damaged_by(Q_PAGE, "", "", 1, "did not announce");
	damaged_by(0, NULL, "", 1, "no record of the kind 0x0");
	damaged_by(Q_PAGE | Q_ZERO, NULL, "", 1, "no record of the kind 0xa");
	damaged_by(Q_COMPRESS | Q_CONTINUE, NULL, "\xff\xff\xff\xff", 4, "compressed page");
	damaged_by(Q_XBZRLE | Q_CONTINUE, NULL, "\2\0\0", 3, "unknown way");
	damaged_by(Q_XBZRLE | Q_CONTINUE, NULL, "\1\x10\1", 3, "unknown way");
}

Test(qemu_hostile, continue_before_any_block)
{
	const struct q_block block = {"pc.ram", PAGE_SIZE};
	struct blob b = {0};
	struct image *img;

	q_head(&b, NULL);
	q_ram(&b, &block, 1);
	q_section(&b, 3, Q_RAM);
	q_fill(&b, 0, NULL, 0);
	q_be(&b, Q_EOS, 8);
	cr_assert_null(open_bytes(b.at, b.n, &img)); // of the first block
	image_close(img);
	blob_fini(&b);
}

Test(qemu_hostile, pages_before_the_list)
{
	struct blob b = {0};

	q_head(&b, NULL);
	q_start(&b, 1, Q_RAM, "ram", 0, 4);
	q_page(&b, 0, "pc.ram", 0);
	refused(&b, ERR_FORMAT, "before the list");
	blob_fini(&b);
}

Test(qemu_hostile, compressed_pages_that_are_none)
{
	struct blob b = {0};
	struct image *img;
	uint8_t byte;

	begin(&b);
	q_record(&b, 0x1000, Q_COMPRESS, NULL);
	q_be(&b, 20, 4);
	blob_put(&b, b.n + 19, "", 1);
	q_zlib(&b, 0x2000, NULL, 2);
	b.at[b.n - 1] ^= 1; // its check sum
	q_be(&b, Q_EOS, 8);
	cr_assert_null(open_bytes(b.at, b.n, &img));
	cr_assert(physmem_read(img->mem, 0, &byte, 1));
	cr_assert_not(physmem_read(img->mem, 0x1000, &byte, 1));
	cr_assert_not(physmem_read(img->mem, 0x2000, &byte, 1));
	image_close(img);
	blob_fini(&b);
}

// More changes of a page than anyone will apply, and each of another page once.
Test(qemu_hostile, endless_chains)
{
	static const uint8_t delta[] = {0, 1, 'x'};
	struct blob b = {0};
	struct image *img;
	uint8_t byte;

	begin(&b);
	q_page(&b, 0x1000, NULL, 1);
	for (int i = 0; i < 70000; i++)
		q_delta(&b, 0, NULL, delta, sizeof(delta));
	for (int i = 0; i < 60000; i++)
		q_delta(&b, 0x1000, NULL, delta, sizeof(delta));
	q_be(&b, Q_EOS, 8);
	cr_assert_null(open_bytes(b.at, b.n, &img));
	cr_assert_not(physmem_read(img->mem, 0, &byte, 1));
	cr_assert(physmem_read(img->mem, 0x1000, &byte, 1));
	cr_assert_eq(byte, 'x');
	image_close(img);
	blob_fini(&b);
}

Test(qemu_hostile, pages_that_are_scattered)
{
	const uint64_t gib = UINT64_C(1) << 30;
	const struct q_block block = {"pc.ram", 1024 * gib};
	struct blob b = {0};

	q_head(&b, NULL);
	q_ram(&b, &block, 1);
	q_section(&b, 2, Q_RAM);
	for (uint64_t i = 0; i < 10000; i++)
		q_fill(&b, i << 21, i ? NULL : "pc.ram", 0);
	damaged(&b, "scattered");
	blob_fini(&b);
}

Test(qemu_hostile, discards_without_end)
{
	uint8_t body[9 + 16 * 4000] = {0, 6, 'p', 'c', '.', 'r', 'a', 'm', 0};
	struct blob b = {0};

	for (size_t i = 0; i < 4000; i++)
		body[9 + 16 * i + 8] = 0xff;
	begin(&b);
	q_be(&b, Q_EOS, 8);
	q_command(&b, 6, body, sizeof(body));
	struct image *img;
	cr_assert_not_null(open_bytes(b.at, b.n, &img), "all its pages were thrown away");
	blob_fini(&b);
}

Test(qemu_hostile, packages)
{
	struct blob b = {0};

	begin(&b);
	q_be(&b, Q_EOS, 8);
	q_command(&b, 7, "\xff\xff\xff\xff", 4);
	damaged(&b, "inside its devices");
	blob_fini(&b);
	begin(&b);
	q_be(&b, Q_EOS, 8);
	for (int i = 0; i < 100; i++) // each in the one before it: none is followed
		q_command(&b, 7, "\0\0\0\x9", 4);
	blob_put(&b, b.n + 9, "", 1);
	struct image *img;
	cr_assert_null(open_bytes(b.at, b.n, &img));
	image_close(img);
	blob_fini(&b);
}

Test(qemu_hostile, unknown_things)
{
	struct blob b = {0};

	begin(&b);
	q_be(&b, Q_EOS, 8);
	q_be(&b, 0x42, 1);
	damaged(&b, "no record of the type 0x42");
	blob_fini(&b);
	begin(&b);
	q_be(&b, Q_EOS, 8);
	q_section(&b, 2, 99);
	blob_put(&b, b.n + 1000, "", 1);
	damaged(&b, "section 99 can't be skipped");
	blob_fini(&b);
	q_head(&b, "pc");
	q_capability(&b, "x-ignore-shared");
	q_start(&b, 1, Q_RAM, "ram", 0, 4);
	q_be(&b, PAGE_SIZE | Q_MEM_SIZE, 8);
	q_name(&b, "pc.ram");
	q_be(&b, PAGE_SIZE, 8);
	q_be(&b, UINT64_C(1) << 32, 8); // an address, though it looks like a page size
	q_be(&b, Q_EOS, 8);
	q_ram_end(&b);
	q_end(&b, false);
	refused(&b, ERR_UNSUPPORTED, "x-ignore-shared");
	blob_fini(&b);
}

// --- mapped-ram ---

static void refused_map(uint32_t version, uint64_t page, uint64_t bitmap, uint64_t pages,
			enum err_code code)
{
	struct blob b = {0};

	q_head(&b, "pc");
	q_capability(&b, "mapped-ram");
	q_start(&b, 1, Q_RAM, "ram", 0, 4);
	q_be(&b, 0x2000 | Q_MEM_SIZE, 8);
	q_name(&b, "pc.ram");
	q_be(&b, 0x2000, 8);
	q_be(&b, version, 4);
	q_be(&b, page, 8);
	q_be(&b, bitmap, 8);
	q_be(&b, pages, 8);
	blob_put(&b, 0x8000, "", 1);
	refused(&b, code, "mapped-ram");
	blob_fini(&b);
}

Test(qemu_hostile, maps)
{
	refused_map(2, 4096, 0x1000, 0x2000, ERR_UNSUPPORTED);
	refused_map(1, 65536, 0x1000, 0x2000, ERR_UNSUPPORTED);
	refused_map(1, 4096, 0, 0x2000, ERR_FORMAT);
	refused_map(1, 4096, 0x2000, 0x1000, ERR_FORMAT);
	refused_map(1, 4096, 0x1000, 0x1000, ERR_FORMAT);
	refused_map(1, 4096, 0x1000, ~UINT64_C(0xfff), ERR_FORMAT);
	refused_map(1, 4096, ~UINT64_C(0), ~UINT64_C(0), ERR_FORMAT);
}

// --- Descriptions ---

static void described(const char *text)
{
	struct vmdesc_device d = {.name = ""};
	struct json_in j;

	if (vmdesc_open(&j, text, strlen(text)))
		for (int i = 0; i < 100 && vmdesc_next(&j, &d); i++)
			;
	vec_fini(&d.fields);
}

Test(qemu_hostile, descriptions)
{
	described("");
	described("{");
	described("{\"devices\"");
	described("{\"devices\":[");
	described("{\"devices\":[{");
	described("{\"devices\":[{\"name\":\"\\");
	described("{\"devices\":[{\"fields\":[{\"size\":99999999999999999999}]}]}");
	described("{\"devices\":[{\"fields\":[{\"size\":4294967296,\"array_len\":4294967296}]}]}");
	described("{\"devices\":[{\"fields\":[{\"size\":18446744073709551615},{\"size\":1}]}]}");
	described("{\"x\":[[[[[[[[[[,\"devices\":[]}");
	described("{\"x\":}}}}]]],\"devices\":[{}]}");
	described("{\"devices\":[{\"subsections\":[{\"subsections\":[{\"subsections\":[{"
		  "\"subsections\":[{\"subsections\":[{\"subsections\":[{\"subsections\":[{"
		  "\"subsections\":[{\"subsections\":[{\"subsections\":[");
}

// --- Cuts and changes ---

static void look(struct image *img)
{
	uint8_t page[PAGE_SIZE];

	for (uint64_t pa = 0; pa < 16 * PAGE_SIZE; pa += PAGE_SIZE)
		(void)physmem_read_bulk(img->mem, pa, page, sizeof(page));
	image_close(img);
}

static void every_kind(struct blob *b)
{
	static const uint8_t delta[] = {3, 2, 'a', 'b'};

	begin(b);
	q_fill(b, 0x1000, NULL, 0);
	q_zlib(b, 0x2000, "pc.ram", 2);
	q_delta(b, 0, NULL, delta, sizeof(delta));
	q_be(b, Q_EOS, 8);
	q_footer(b, Q_RAM);
	q_command(b, 11, "", 0);
	q_ram_end(b);
	q_devices(b, 16 << 20, 0);
	q_end(b, true);
}

Test(qemu_hostile, cut_at_every_byte)
{
	struct blob b = {0};
	struct image *img;

	every_kind(&b);
	for (size_t n = 1; n < b.n; n++)
		if (!open_bytes(b.at, n, &img)) {
			cr_assert(img->truncated, "cut at %zu", n);
			look(img);
		}
	blob_fini(&b);
}

Test(qemu_hostile, bytes_changed)
{
	struct blob b = {0};
	struct image *img;
	uint64_t x = 1;

	every_kind(&b);
	for (int i = 0; i < 10000; i++) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		size_t at = (size_t)(x >> 33) % b.n;
		uint8_t was = b.at[at];
		b.at[at] = (uint8_t)(x >> 25);
		if (!open_bytes(b.at, b.n, &img))
			look(img);
		b.at[at] = was;
	}
	blob_fini(&b);
}
