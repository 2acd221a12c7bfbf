// SPDX-License-Identifier: LGPL-2.1-or-later
// What other readers crash on, hang on or read wrong, each by the name of the one that does, as far
// as no test of a reader has it already: docs/READERS.md lists all of them.
#include "tests/unit/dump_build.h"
#include "tests/unit/elf_build.h"
#include "tests/unit/qemu_build.h"
#include "tests/unit/vmware_build.h"
#include "tests/unit/xen_build.h"

#include "src/base/bytes.h"

#include <criterion/criterion.h>

#include <string.h>

static struct image *opened(struct blob *b, const char *format)
{
	struct image *img;
	struct err *e = open_bytes(b->at, b->n, &img);

	cr_assert_null(e, "%s", e ? e->msg : "");
	cr_assert_str_eq(img->fmt->name, format);
	blob_fini(b);
	return img;
}

static bool is_noise(struct image *img, uint64_t pa, uint64_t seed, size_t n)
{
	uint8_t got[4096], want[4096];

	noise_fill(seed, want, n);
	return physmem_read(img->mem, pa, got, n) && memcmp(got, want, n) == 0;
}

// --- volatility 3 ---

// It takes the 16 bits of e_phnum for the number of headers.
Test(volatility3, headers_beyond_65534)
{
	enum { N = 66000, SIZE = 16 };
	struct elf_build b;

	elf_build_init(&b);
	elf_load(&b, 0, (uint64_t)N * SIZE);
	b.n = 0; // the bytes alone, and other headers for them
	for (uint64_t i = 0; i < N; i++)
		elf_add(&b, (Elf64_Phdr){.p_type = PT_LOAD,
					 .p_offset = i * SIZE,
					 .p_paddr = i * 0x1000,
					 .p_filesz = SIZE,
					 .p_memsz = SIZE});
	struct blob file = elf_write(&b);
	struct image *img = opened(&file, "elf");
	cr_assert_eq(img->n_runs, N);
	for (uint64_t i = 0; i < N; i += i < 65000 ? 997 : 1)
		cr_assert(is_noise(img, i * 0x1000, i * SIZE, SIZE), "%llu", (unsigned long long)i);
	image_close(img);
	elf_build_fini(&b);
}

// It takes 2^32 - 1 for the mark of a page that went away, which is 2^64 - 1; and drops frame 0.
Test(volatility3, frames_of_xen_that_look_like_marks)
{
	struct xen_core c;

	xen_core_init(&c, false, 4);
	c.frame[2] = UINT32_MAX;
	c.frame[3] = XC_NONE;
	struct blob file = xen_core_write(&c);
	struct image *img = opened(&file, "xen-core");
	cr_assert(is_noise(img, 0, 0, 4096));
	cr_assert(is_noise(img, UINT64_C(0xffffffff000), UINT64_C(0xffffffff000), 4096));
	cr_assert_eq(physmem_end(img->mem), UINT64_C(0xffffffff000) + 4096);
	image_close(img);
}

// It passes over a block's padding as if it was not there.
Test(volatility3, blocks_of_vmware_with_padding)
{
	static const uint16_t paddings[] = {0, 1, 77, 4095, UINT16_MAX};
	static const uint32_t index[2];
	uint8_t bytes[2 * 4096];

	noise_fill(0, bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(paddings) / sizeof(paddings[0]); i++) {
		struct vmware_build b;
		vmware_begin(&b, 0xbed2bed2, 2);
		vmware_group(&b, "memory");
		vmware_block(&b, "note", 0, NULL, paddings[i], "before", 6, false);
		vmware_u32(&b, "regionsCount", -1, 1);
		vmware_region(&b, 0, 0, 0, 2);
		vmware_block(&b, "Memory", 2, index, paddings[i], bytes, sizeof(bytes), false);
		vmware_group_end(&b);
		struct image *img = opened(&b.file, "vmware");
		cr_assert_not(img->truncated, "%s", img->truncated_why);
		cr_assert(is_noise(img, 4096, 4096, 4096));
		image_close(img);
	}
}

// A stream's block waits for more bytes than it has, and for ever: nothing of one may hang.
Test(volatility3, blocks_of_avml_that_do_not_shrink)
{
	struct blob b = {0};

	lime_header(&b, "AVML", 2, 0x100000, 0x100000 + 4 * 65536 - 1);
	size_t start = b.n;
	uint8_t noise[65536];
	blob_append(&b, "\xff\6\0\0sNaPpY", 10);
	for (uint64_t i = 0; i < 4; i++) {
		noise_fill(i * 65536, noise, sizeof(noise));
		snappy_chunk(&b, noise, sizeof(noise));
	}
	uint64_t length = b.n - start;
	cr_assert_gt(length, 4 * 65536);
	blob_append(&b, &length, 8);
	for (size_t n = start; n < b.n; n += n % 65536 < 64 ? 1 : 4093) { // and cut anywhere
		struct image *cut;
		if (!open_bytes(b.at, n, &cut))
			image_close(cut);
	}
	struct image *img = opened(&b, "avml");
	cr_assert(is_noise(img, 0x100000 + 3 * 65536, (uint64_t)3 * 65536, 4096));
	image_close(img);
}

// What it can't read it tries as raw memory, and finds a kernel's banner at a wrong address.
Test(volatility3, what_was_recognised_is_never_raw)
{
	static const struct {
		const char *magic;
		size_t n;
	} magics[] = {
		{"QEVM", 4},
		{"LibvirtQemudSave", 16},
		{"LibvirtQemudPart", 16},
		{"QFI\xfb", 4},
		{"KDUMP   ", 8},
		{"makedumpfile\0\0\0\0", 16},
		{"\x7f"
		 "ELF",
		 4},
		{"\xd2\xbe\xd2\xbe", 4},
		{"\xd0\xbe\xd0\xbe", 4},
		{"EMiL", 4},
		{"AVML", 4},
		{"LibxlFmt", 8},
		{"\xd1\xba\xd1\xba", 4},
		{"LinuxGuestRecord", 16},
		{"DISKDUMP", 8},
		{"PAGEDU64", 8},
		{"\x14\x20\x28\x01", 4},
		{"\x1f\x8b\x08", 3},
	};
	static uint8_t bytes[16 * 4096];
	struct image *img;

	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		for (uint64_t seed = 0; seed < 50; seed++) {
			noise_fill(seed * 1000003, bytes, sizeof(bytes));
			memcpy(bytes, magics[i].magic, magics[i].n);
			if (open_bytes(bytes, sizeof(bytes), &img))
				continue;
			cr_assert_str_neq(img->fmt->name, "raw", "%s", magics[i].magic);
			image_close(img);
		}
}

// --- crash ---

// It takes any ELF core with sections for one of Xen.
Test(crash, a_core_with_sections_is_none_of_xen)
{
	struct elf_build b;

	elf_build_init(&b);
	elf_qemu_notes(&b, 0, 440);
	elf_load(&b, 0, 0x2000);
	struct blob file = elf_write(&b);
	Elf64_Shdr sections[2] = {{0}, {.sh_type = SHT_STRTAB, .sh_size = 1}};
	Elf64_Ehdr *e = (Elf64_Ehdr *)(void *)file.at; // as QEMU writes them since 7.2
	e->e_shoff = file.n;
	e->e_shnum = 2;
	e->e_shentsize = sizeof(sections[0]);
	e->e_shstrndx = 1;
	blob_append(&file, sections, sizeof(sections));
	struct image *img = opened(&file, "elf");
	cr_assert(is_noise(img, 0, 0, 4096));
	image_close(img);
	elf_build_fini(&b);
}

// It subtracts the hole before a third region twice, and has room for three.
Test(crash, seven_regions_of_vmware)
{
	static const uint32_t index[2];
	uint8_t bytes[7 * 4096];
	struct vmware_build b;

	noise_fill(0, bytes, sizeof(bytes));
	vmware_begin(&b, 0xbed2bed2, 1);
	vmware_group(&b, "memory");
	vmware_u32(&b, "regionsCount", -1, 7);
	for (uint32_t i = 0; i < 7; i++)
		vmware_region(&b, i, i * 0x1000, i, 1);
	vmware_block(&b, "Memory", 2, index, 0, bytes, sizeof(bytes), false);
	vmware_group_end(&b);
	struct image *img = opened(&b.file, "vmware");
	for (uint64_t i = 0; i < 7; i++)
		cr_assert(is_noise(img, i << 24, i * 4096, 4096));
	image_close(img);
}

// It writes behind its table of regions where an index says so: SIGSEGV.
Test(crash, indices_of_regions_that_no_table_has)
{
	static const uint32_t wild[] = {3, 4, 0x1000, 0x7fffffff, 0x80000000, UINT32_MAX};
	static const char *const names[] = {"regionPPN", "regionPageNum", "regionSize"};
	static const uint32_t index[2];
	uint8_t page[4096] = {0};

	for (size_t i = 0; i < 18; i++) {
		struct vmware_build b;
		vmware_begin(&b, 0xbed2bed2, 1);
		vmware_group(&b, "memory");
		vmware_u32(&b, "regionsCount", -1, 1);
		vmware_region(&b, 0, 0, 0, 1);
		vmware_tag(&b, names[i % 3], 1, &wild[i / 3], &(uint32_t){1}, 4);
		vmware_block(&b, "Memory", 2, index, 0, page, sizeof(page), false);
		vmware_group_end(&b);
		struct image *img = opened(&b.file, "vmware");
		cr_assert_eq(img->n_runs, 1);
		cr_assert(img->truncated);
		image_close(img);
	}
}

// --- QEMU, as a writer ---

// phys_base in the second header is the decimal number of VMCOREINFO, read as hexadecimal; and
// utsname has nothing in it but "Unknown". Neither may decide anything.
Test(qemu_writer, second_header_of_kdump)
{
	struct kdump_build k = kdump_default();
	struct kdump_places at;

	blob_append(&k.info, "NUMBER(phys_base)=-245366784\n", 29);
	struct blob plain = kdump_write(&k, &at), odd = kdump_write(&k, &at);
	blob_put(&odd, at.sub, &(uint64_t){UINT64_C(0xfffffffdbac9987c)}, 8);
	blob_put(&odd, 12 + 4 * 65, "Unknown", 8);
	struct image *a = opened(&plain, "kdump"), *b = opened(&odd, "kdump");
	cr_assert_str_eq(b->vmcoreinfo, "NUMBER(phys_base)=-245366784\n");
	cr_assert_eq(a->n_runs, b->n_runs);
	for (size_t i = 0; i < a->n_runs; i++)
		cr_assert(a->runs[i].pa == b->runs[i].pa && a->runs[i].size == b->runs[i].size &&
			  a->runs[i].off == b->runs[i].off && a->runs[i].state == b->runs[i].state);
	cr_assert_not(b->truncated);
	image_close(a);
	image_close(b);
	blob_fini(&k.info);
}

// --- Xen's toolstack ---

// xen-api: the length of a record in a suspend image is what the image says (issue 1892).
Test(xen_api, lengths_of_records)
{
	static const uint32_t lies[] = {0, 7, 8, 0x7fffffff, 0x80000000, UINT32_MAX};
	static const uint32_t types[] = {1, 2, 4, 9, 0x0f000000};
	static const uint64_t frames[] = {0, 1};
	struct image *img;

	for (size_t i = 0; i < 30; i++) {
		struct blob b = xen_save_begin(XEN_LIBXC, 2, 3);
		xen_save_pages(&b, frames, 2, 0);
		xen_save_record(&b, types[i % 5], "12345678", 8);
		memcpy(b.at + b.n - 12, &lies[i / 5], 4);
		xen_save_end(&b);
		struct err *e = open_bytes(b.at, b.n, &img);
		cr_assert(!e || e->code == ERR_UNSUPPORTED, "%s", e->msg);
		if (!e) {
			cr_assert(is_noise(img, 4096, 4096, 4096));
			image_close(img);
		}
		blob_fini(&b);
	}
}
