// SPDX-License-Identifier: LGPL-2.1-or-later
// Migration streams of QEMU: every kind of record, and what comes out of the devices.
#include "tests/unit/qemu_build.h"

#include "formats/qemu_index.h"

#include <criterion/criterion.h>

#include <string.h>

enum { MIB = 1 << 20 };

static struct image *opened(struct blob *b)
{
	struct image *img;
	struct err *e = open_bytes(b->at, b->n, &img);

	cr_assert_null(e, "%s", e ? e->msg : "");
	return img;
}

static void closed(struct image *img, struct blob *b)
{
	image_close(img);
	blob_fini(b);
}

static void is_noise(struct image *img, uint64_t pa, uint64_t seed)
{
	uint8_t page[PAGE_SIZE], want[PAGE_SIZE];

	noise_fill(seed, want, sizeof(want));
	cr_assert(physmem_read(img->mem, pa, page, sizeof(page)), "0x%llx", (unsigned long long)pa);
	cr_assert_arr_eq(page, want, sizeof(page));
}

static void is_fill(struct image *img, uint64_t pa, uint8_t byte)
{
	uint8_t page[PAGE_SIZE], want[PAGE_SIZE];

	memset(want, byte, sizeof(want));
	cr_assert(physmem_read(img->mem, pa, page, sizeof(page)));
	cr_assert_arr_eq(page, want, sizeof(page));
}

static const char *fact(const struct image *img, const char *name)
{
	for (const struct image_fact *f = img->facts; f; f = f->next)
		if (strcmp(f->name, name) == 0)
			return f->value;
	return "";
}

// Head and list of one block "pc.ram", and the start of a section of records.
static void begin(struct blob *b, uint64_t pages)
{
	const struct q_block block = {"pc.ram", pages * PAGE_SIZE};

	q_head(b, "pc-i440fx-7.2");
	q_ram(b, &block, 1);
	q_section(b, 2, Q_RAM);
}

static void finish(struct blob *b)
{
	q_be(b, Q_EOS, 8);
	q_footer(b, Q_RAM);
	q_ram_end(b);
	q_end(b, false);
}

Test(qemu, a_plain_stream)
{
	struct blob b = {0};

	q_plain(&b, "pc.ram", 4096);
	struct image *img = opened(&b);
	cr_assert_str_eq(img->fmt->name, "qemu");
	cr_assert_not(img->truncated, "%s", img->truncated_why);
	cr_assert_str_eq(fact(img, "Machine"), "pc-i440fx-7.2");
	cr_assert_str_eq(fact(img, "Guest"), "running when it was saved");
	cr_assert_eq(img->n_runs, 1);
	cr_assert_eq(physmem_end(img->mem), 16 * MIB);
	for (uint64_t i = 0; i < 4096; i += 97)
		is_noise(img, i * PAGE_SIZE, i * PAGE_SIZE);
	cr_assert_eq(img->n_vcpus, 1);
	cr_assert_eq(img->vcpus[0].reg[VCPU_CR3], 0x1234000);
	cr_assert_eq(img->vcpus[0].reg[VCPU_LSTAR], UINT64_MAX);
	closed(img, &b);
}

// As `migrate file:NAME,offset=N` leaves it; what stands there may also be another's, if the user
// says that a stream comes behind.
Test(qemu, a_stream_behind_something_else)
{
	const struct fmt_options said = {.format = "qemu"};
	struct blob stream = {0}, b = {0};

	q_plain(&stream, "pc.ram", 4096);
	for (uint8_t before = 0; before < 2; before++) {
		blob_put(&b, 0, &before, 1);
		blob_put(&b, 0x12345, stream.at, stream.n);
		struct image *img;
		cr_assert_null(image_open(mem_path(b.at, b.n), before ? &said : NULL, &img));
		cr_assert_str_eq(img->fmt->name, "qemu");
		is_noise(img, 97 * PAGE_SIZE, 97 * PAGE_SIZE);
		cr_assert_eq(physmem_end(img->mem), 16 * MIB);
		closed(img, &b);
	}
	blob_fini(&stream);
}

Test(qemu, records_of_every_kind_and_the_last_one_wins)
{
	struct blob b = {0};

	begin(&b, 8);
	q_page(&b, 0x0000, "pc.ram", 1);
	q_fill(&b, 0x1000, NULL, 0);
	q_fill(&b, 0x2000, NULL, 0x5a);
	q_zlib(&b, 0x3000, NULL, 3);
	q_page(&b, 0x4000, NULL, 4);
	q_fill(&b, 0x5000, "pc.ram", 0);
	q_be(&b, Q_FLUSH, 8);
	q_page(&b, 0x6000, NULL, 6);
	q_zlib(&b, 0x7000, NULL, 7);
	q_page(&b, 0x4000, NULL, 44);
	q_fill(&b, 0x7000, NULL, 0);
	q_zlib(&b, 0x5000, NULL, 55);
	finish(&b);
	struct image *img = opened(&b);
	is_noise(img, 0x0000, 1);
	is_fill(img, 0x1000, 0);
	is_fill(img, 0x2000, 0x5a);
	is_noise(img, 0x3000, 3);
	is_noise(img, 0x4000, 44);
	is_noise(img, 0x5000, 55);
	is_noise(img, 0x6000, 6);
	is_fill(img, 0x7000, 0);
	cr_assert_str_eq(fact(img, "Pages"), "plain, zero, zlib");
	closed(img, &b);
}

Test(qemu, changes_are_applied_in_the_order_of_the_stream)
{
	static const uint8_t at_0[] = {0, 2, 'a', 'b'};		       // bytes 0 and 1
	static const uint8_t at_1[] = {1, 1, 'B', 0xfd, 0x1f, 1, 'z'}; // byte 1, the last one
	struct blob b = {0};
	uint8_t page[PAGE_SIZE];

	begin(&b, 3);
	q_page(&b, 0, "pc.ram", 0);
	q_delta(&b, 0, NULL, at_0, sizeof(at_0));
	q_delta(&b, 0, NULL, at_1, sizeof(at_1));
	q_fill(&b, 0x1000, NULL, 0);
	q_delta(&b, 0x1000, NULL, at_0, sizeof(at_0));
	q_page(&b, 0x1000, NULL, 9);
	q_delta(&b, 0x2000, NULL, at_0, sizeof(at_0)); // of nothing
	finish(&b);
	struct image *img = opened(&b);
	cr_assert(physmem_read(img->mem, 0, page, sizeof(page)));
	cr_assert_eq(page[0], 'a');
	cr_assert_eq(page[1], 'B');
	cr_assert_eq(page[2], noise_at(2));
	cr_assert_eq(page[4094], noise_at(4094));
	cr_assert_eq(page[4095], 'z');
	is_noise(img, 0x1000, 9);
	cr_assert_not(physmem_read(img->mem, 0x2000, page, 1));
	closed(img, &b);
}

static bool applies(const char *delta, size_t n)
{
	uint8_t page[PAGE_SIZE] = {0};

	return xbzrle_apply((const uint8_t *)delta, n, page);
}

#define APPLIES(delta) applies(delta, sizeof(delta) - 1)

Test(qemu, encodings_of_changes)
{
	cr_assert(APPLIES(""));
	cr_assert(APPLIES("\0\1a"));
	cr_assert(APPLIES("\x80\x20"));	      // all of it stays
	cr_assert_not(APPLIES("\x81\x20"));   // one more than there is
	cr_assert_not(APPLIES("\0\0"));	      // nothing changes
	cr_assert_not(APPLIES("\0\1a\0\1b")); // nothing stays in between
	cr_assert_not(APPLIES("\0\2a"));      // cut
	cr_assert_not(APPLIES("\0\x80"));     // cut inside a length
	cr_assert_not(APPLIES("\x80\x80\1")); // three bytes
	cr_assert_not(APPLIES("\xff\x1f\2ab"));
}

Test(qemu, pages_without_a_record_are_absent)
{
	struct blob b = {0};

	begin(&b, 8);
	q_page(&b, 0x1000, "pc.ram", 1);
	q_page(&b, 0x2000, NULL, 2);
	q_fill(&b, 0x5000, NULL, 0);
	finish(&b);
	struct image *img = opened(&b);
	cr_assert_eq(img->n_runs, 2);
	cr_assert_eq(physmem_state(img->mem, 0), MEM_ABSENT);
	cr_assert_eq(physmem_state(img->mem, 0x2000), MEM_PRESENT);
	cr_assert_eq(physmem_state(img->mem, 0x3000), MEM_ABSENT);
	cr_assert_eq(physmem_state(img->mem, 0x5000), MEM_PRESENT);
	closed(img, &b);
}

Test(qemu, old_streams_have_neither_configuration_nor_footers)
{
	const struct q_block block = {"pc.ram", PAGE_SIZE};
	struct blob b = {0};

	q_head(&b, NULL);
	q_start(&b, 1, Q_RAM, "ram", 0, 4);
	q_be(&b, block.size | Q_MEM_SIZE, 8);
	q_name(&b, block.name);
	q_be(&b, block.size, 8);
	q_be(&b, Q_EOS, 8);
	q_section(&b, 3, Q_RAM);
	q_page(&b, 0, "pc.ram", 7);
	q_be(&b, Q_EOS, 8);
	q_start(&b, 4, 0, "timer", 0, 2);
	q_be(&b, 0, 8);
	q_be(&b, 0, 1);
	struct image *img = opened(&b);
	cr_assert_not(img->truncated, "%s", img->truncated_why);
	is_noise(img, 0, 7);
	closed(img, &b);
}

Test(qemu, commands_and_a_switch_to_postcopy)
{
	struct blob b = {0}, nested = {0};
	struct {
		uint8_t head[9];
		uint8_t ranges[16];
	} discard = {{0, 6, 'p', 'c', '.', 'r', 'a', 'm', 0}, {0}};

	discard.ranges[6] = 0x10;  // from 0x1000 on,
	discard.ranges[14] = 0x10; // 0x1000 bytes
	begin(&b, 3);
	q_page(&b, 0, "pc.ram", 1);
	q_page(&b, 0x1000, NULL, 2);
	q_page(&b, 0x2000, NULL, 3);
	q_be(&b, Q_EOS, 8);
	q_footer(&b, Q_RAM);
	q_command(&b, 1, "", 0);
	q_command(&b, 2, "\0\0\0\1", 4);
	q_command(&b, 11, "", 0);
	q_command(&b, 6, &discard, sizeof(discard));
	q_command(&nested, 4, "", 0);
	q_devices(&nested, 16 * MIB, 0);
	q_command(&nested, 5, "", 0);
	uint8_t size[4] = {0, 0, (uint8_t)(nested.n >> 8), (uint8_t)nested.n};
	q_command(&b, 7, size, 4);
	blob_append(&b, nested.at, nested.n);
	q_end(&b, false);
	struct image *img = opened(&b);
	is_noise(img, 0, 1);
	cr_assert_eq(physmem_state(img->mem, 0x1000), MEM_ABSENT);
	is_noise(img, 0x2000, 3);
	cr_assert_eq(img->n_vcpus, 1);
	cr_assert_eq(img->vcpus[0].reg[VCPU_CR3], 0x1234000);
	blob_fini(&nested);
	closed(img, &b);
}

Test(qemu, page_sizes_in_the_list_of_a_stream_that_allowed_postcopy)
{
	struct blob b = {0};

	q_head(&b, "pc-q35-7.2");
	q_start(&b, 1, Q_RAM, "ram", 0, 4);
	q_be(&b, (2 * MIB + 2 * PAGE_SIZE) | Q_MEM_SIZE, 8);
	q_name(&b, "pc.ram");
	q_be(&b, 2 * MIB, 8);
	q_be(&b, 2 * MIB, 8); // huge pages
	q_name(&b, "pc.bios");
	q_be(&b, 2 * PAGE_SIZE, 8);
	q_be(&b, Q_EOS, 8);
	q_footer(&b, Q_RAM);
	q_section(&b, 2, Q_RAM);
	q_page(&b, 0, "pc.ram", 5);
	q_page(&b, 0, "pc.bios", 6);
	finish(&b);
	struct image *img = opened(&b);
	cr_assert_not(img->truncated, "%s", img->truncated_why);
	is_noise(img, 0, 5);
	closed(img, &b);
}

Test(qemu, sections_before_ram_are_skipped_by_their_footers)
{
	const struct q_block block = {"pc.ram", PAGE_SIZE};
	struct blob b = {0};

	q_head(&b, "pc-q35-10.0");
	q_start(&b, 4, 0x31, "virtio-mem-device-early", 0, 1);
	q_be(&b, 0x7e00000031, 5); // looks like a footer, but nothing follows such
	q_be(&b, 0x99, 1);
	q_footer(&b, 0x31);
	q_start(&b, 1, 1, "dirty-bitmap", 0, 1);
	q_be(&b, 1, 4);
	q_footer(&b, 1);
	q_ram(&b, &block, 1);
	q_section(&b, 2, 1);
	q_be(&b, 1, 4);
	q_footer(&b, 1);
	q_section(&b, 3, Q_RAM);
	q_page(&b, 0, "pc.ram", 5);
	q_be(&b, Q_EOS, 8);
	q_footer(&b, Q_RAM);
	q_end(&b, false);
	struct image *img = opened(&b);
	cr_assert_not(img->truncated, "%s", img->truncated_why);
	is_noise(img, 0, 5);
	closed(img, &b);
}

// A background snapshot ends without RAM's last section.
Test(qemu, devices_may_follow_a_part_of_ram)
{
	struct blob b = {0};

	begin(&b, 1);
	q_page(&b, 0, "pc.ram", 5);
	q_be(&b, Q_EOS, 8);
	q_footer(&b, Q_RAM);
	q_devices(&b, 16 * MIB, 0);
	q_end(&b, true);
	struct image *img = opened(&b);
	cr_assert_not(img->truncated, "%s", img->truncated_why);
	cr_assert_eq(img->n_vcpus, 1);
	closed(img, &b);
}

// --- Layout ---

// Memory of these blocks of which a page of each is sent; low and high go to the CMOS.
static struct image *laid_out(struct blob *b, const struct q_block *blocks, size_t n, uint64_t low,
			      uint64_t high)
{
	q_head(b, "pc-q35-7.2");
	q_ram(b, blocks, n);
	q_section(b, 2, Q_RAM);
	for (size_t i = 0; i < n; i++) {
		q_page(b, 0, blocks[i].name, i);
		q_page(b, blocks[i].size - PAGE_SIZE, NULL, 100 + i);
	}
	q_be(b, Q_EOS, 8);
	q_footer(b, Q_RAM);
	q_ram_end(b);
	q_devices(b, low, high);
	q_end(b, true);
	return opened(b);
}

static const uint64_t GIB = UINT64_C(1) << 30;

Test(qemu, the_cmos_says_where_the_hole_is)
{
	const struct q_block blocks[] = {{"pc.ram", 3 * GIB}, {"pc.bios", 0x40000}};
	struct blob b = {0};
	struct image *img = laid_out(&b, blocks, 2, 2 * GIB, GIB);

	is_noise(img, 0, 0);
	is_noise(img, 5 * GIB - PAGE_SIZE, 100);
	cr_assert_not_null(strstr(img->layout_note, "0x80000000"));
	closed(img, &b);
}

// QEMU 7.1 and later, with a CPU of AMD and room for more than some 1010 GiB.
Test(qemu, high_memory_may_start_at_1_tib)
{
	const struct q_block blocks[] = {{"pc.ram", 3 * GIB}};
	struct blob b = {0};
	struct image *img = laid_out(&b, blocks, 1, 2 * GIB, GIB);
	struct hole near, far, none;

	cr_assert(image_hole_unknown(img));
	cr_assert(image_hole_candidate(img, 0, &near) && image_hole_candidate(img, 1, &far));
	cr_assert_not(image_hole_candidate(img, 2, &none));
	cr_assert(near.low_end == 2 * GIB && near.high_start == 4 * GIB);
	cr_assert(far.low_end == 2 * GIB && far.high_start == 1024 * GIB);
	cr_assert_null(image_set_hole(img, far, "a try"));
	is_noise(img, 1025 * GIB - PAGE_SIZE, 100);
	is_noise(img, 0, 0);
	cr_assert_not(physmem_read(img->mem, 5 * GIB - PAGE_SIZE, &(uint8_t){0}, 1));
	closed(img, &b);
}

Test(qemu, a_cmos_that_does_not_fit_leaves_the_hole_to_be_tried)
{
	const struct q_block blocks[] = {{"pc.ram", 3 * GIB}};
	struct blob b = {0};
	struct image *img = laid_out(&b, blocks, 1, 2 * GIB, 2 * GIB);

	cr_assert(image_hole_unknown(img));
	is_noise(img, 3 * GIB - PAGE_SIZE, 100);
	cr_assert_null(image_set_hole(img, (struct hole){2 * GIB, 4 * GIB}, "a try"));
	is_noise(img, 5 * GIB - PAGE_SIZE, 100);
	is_noise(img, 0, 0);
	cr_assert_not(physmem_read(img->mem, 3 * GIB - PAGE_SIZE, &(uint8_t){0}, 1));
	closed(img, &b);
}

Test(qemu, machines_of_arm64_have_ram_from_1_gib_on)
{
	const struct q_block blocks[] = {{"mach-virt.ram", 2 * PAGE_SIZE},
					 {"virt.flash0", PAGE_SIZE}};
	struct blob b = {0};

	q_head(&b, "virt-7.2");
	q_ram(&b, blocks, 2);
	q_section(&b, 2, Q_RAM);
	q_page(&b, 0, "mach-virt.ram", 5);
	q_page(&b, PAGE_SIZE, NULL, 6);
	q_page(&b, 0, "virt.flash0", 7);
	finish(&b);
	struct image *img = opened(&b);
	is_noise(img, GIB, 5);
	is_noise(img, GIB + PAGE_SIZE, 6);
	cr_assert_eq(physmem_end(img->mem), GIB + 2 * PAGE_SIZE);
	cr_assert_not(image_hole_unknown(img));
	cr_assert_not_null(strstr(img->layout_note, "virt-7.2"));
	closed(img, &b);
}

Test(qemu, nodes_are_put_together_by_their_numbers)
{
	const struct q_block blocks[] = {
		{"ram-node1", 48 * MIB}, {"ram-node10", 8 * MIB}, {"ram-node0", 8 * MIB}};
	struct blob b = {0};
	struct image *img = laid_out(&b, blocks, 3, 64 * MIB, 0);

	is_noise(img, 0, 2);
	is_noise(img, 8 * MIB, 0);
	is_noise(img, 56 * MIB, 1);
	closed(img, &b);
}

Test(qemu, dimms_are_told_from_ram)
{
	const struct q_block named[] = {{"d0", 256 * MIB}, {"pc.ram", 64 * MIB}};
	const struct q_block backends[] = {{"d0", 256 * MIB}, {"m0", 64 * MIB}, {"d1", 32 * MIB}};
	struct blob b = {0};
	struct image *img = laid_out(&b, named, 2, 64 * MIB, 0);

	is_noise(img, 0, 1);
	is_noise(img, 4 * GIB, 0);
	cr_assert_str_eq(fact(img, "DIMM"), "d0, taken to be at 0x100000000");
	closed(img, &b);
	img = laid_out(&b, backends, 3, 64 * MIB, 0);
	is_noise(img, 0, 1);
	is_noise(img, 4 * GIB, 0);
	is_noise(img, 4 * GIB + 256 * MIB, 2);
	closed(img, &b);
}

Test(qemu, microvm)
{
	const struct q_block blocks[] = {{"microvm.ram", 32 * MIB}, {"pc.bios", 0x10000}};
	struct blob b = {0};
	struct image *img = laid_out(&b, blocks, 2, 16 * MIB, 0);

	is_noise(img, 0, 0);
	is_noise(img, 32 * MIB - PAGE_SIZE, 100);
	cr_assert_not(image_hole_unknown(img), "below any hole");
	closed(img, &b);
}

// --- mapped-ram ---

enum { MAPPED_PAGES = 70, MAPPED_AT = MIB };

// Page 3 is zero with stale bytes; the others are noise.
static void mapped(struct blob *b, bool finished)
{
	uint8_t page[PAGE_SIZE], bits[16] = {0};

	q_head(b, "pc-q35-10.0");
	q_capability(b, "mapped-ram");
	q_start(b, 1, Q_RAM, "ram", 0, 4);
	q_be(b, (MAPPED_PAGES * PAGE_SIZE) | Q_MEM_SIZE, 8);
	q_name(b, "pc.ram");
	q_be(b, MAPPED_PAGES * PAGE_SIZE, 8);
	q_be(b, 1, 4);
	q_be(b, PAGE_SIZE, 8);
	q_be(b, 0x1000, 8); // bitmap
	q_be(b, MAPPED_AT, 8);
	for (unsigned i = 0; i < MAPPED_PAGES; i++) {
		noise_fill(i, page, sizeof(page));
		blob_put(b, MAPPED_AT + i * PAGE_SIZE, page, sizeof(page));
		if (i != 3)
			bits[i / 8] = (uint8_t)(bits[i / 8] | 1U << i % 8);
	}
	if (finished)
		blob_put(b, 0x1000, bits, sizeof(bits));
	q_be(b, Q_EOS, 8);
	q_footer(b, Q_RAM);
	if (!finished)
		return;
	q_ram_end(b);
	q_devices(b, 16 * MIB, 0);
	q_end(b, true);
}

Test(qemu_mapped, the_bitmap_counts)
{
	struct blob b = {0};

	mapped(&b, true);
	struct image *img = opened(&b);
	cr_assert_not(img->truncated, "%s", img->truncated_why);
	for (unsigned i = 0; i < MAPPED_PAGES; i++)
		if (i != 3)
			is_noise(img, i * PAGE_SIZE, i);
	is_fill(img, 3 * PAGE_SIZE, 0);
	cr_assert_eq(img->n_vcpus, 1);
	closed(img, &b);
}

Test(qemu_mapped, an_interrupted_save_is_salvaged)
{
	struct blob b = {0};

	mapped(&b, false);
	struct image *img = opened(&b);
	cr_assert(img->truncated);
	cr_assert_not_null(strstr(img->truncated_why, "interrupted"));
	for (unsigned i = 0; i < MAPPED_PAGES; i++)
		is_noise(img, i * PAGE_SIZE, i);
	closed(img, &b);
}

// A page that the save had not reached is a hole of the file, like one of zeros.
Test(qemu_mapped, zeros_of_an_interrupted_save_are_absent)
{
	const uint8_t zeros[PAGE_SIZE] = {0};
	struct blob b = {0};

	mapped(&b, false);
	blob_put(&b, MAPPED_AT + 7 * PAGE_SIZE, zeros, sizeof(zeros));
	struct image *img = opened(&b);
	cr_assert_not(physmem_read(img->mem, 7 * PAGE_SIZE, &(uint8_t){0}, 1));
	is_noise(img, 6 * PAGE_SIZE, 6);
	is_noise(img, 8 * PAGE_SIZE, 8);
	closed(img, &b);
}

Test(qemu_mapped, a_cut_file_lacks_what_is_cut)
{
	struct blob b = {0};
	struct image *img;

	mapped(&b, true);
	cr_assert_null(open_bytes(b.at, MAPPED_AT + 5 * PAGE_SIZE + 1, &img));
	cr_assert(img->truncated);
	is_noise(img, 4 * PAGE_SIZE, 4);
	cr_assert_eq(physmem_end(img->mem), 5 * PAGE_SIZE);
	closed(img, &b);
}
