// SPDX-License-Identifier: LGPL-2.1-or-later
// The ELF core reader: what QEMU and kernels write, and what nobody should.
#include "tests/unit/elf_build.h"

#include <criterion/criterion.h>

#include <string.h>

static struct image *open_elf(const struct blob *file)
{
	struct image *img;
	struct err *e = open_bytes(file->at, file->n, &img);

	cr_assert_null(e, "%s", e ? e->msg : "");
	cr_assert_str_eq(img->fmt->name, "elf");
	return img;
}

static struct image *open_build(struct elf_build *b)
{
	struct blob file = elf_write(b);
	struct image *img = open_elf(&file);

	blob_fini(&file);
	elf_build_fini(b);
	return img;
}

static void refused(const struct blob *file, enum err_code code, const char *word)
{
	struct image *img;
	struct err *e = open_bytes(file->at, file->n, &img);

	cr_assert_not_null(e, "opened, though: %s", word);
	cr_assert_eq(e->code, code, "%s", e->msg);
	cr_assert_not_null(strstr(e->msg, word), "no \"%s\" in: %s", word, e->msg);
}

static void refuse_build(struct elf_build *b, enum err_code code, const char *word)
{
	struct blob file = elf_write(b);

	refused(&file, code, word);
	blob_fini(&file);
	elf_build_fini(b);
}

// The bytes at pa are the noise that elf_load() put there.
static void has_noise(struct image *img, uint64_t pa, size_t n)
{
	uint8_t buf[256], want[256];

	noise_fill(pa, want, n);
	cr_assert(physmem_read(img->mem, pa, buf, n), "nothing at 0x%llx", (unsigned long long)pa);
	cr_assert_arr_eq(buf, want, n);
}

static bool has(struct image *img, uint64_t pa)
{
	uint8_t byte;

	return physmem_read(img->mem, pa, &byte, 1);
}

static uint64_t reg(const struct vcpu *v, enum vcpu_reg r)
{
	cr_assert(v->has >> r & 1);
	return v->reg[r];
}

Test(elf, reads_a_plain_dump_of_qemu)
{
	struct elf_build b;

	elf_build_init(&b);
	elf_qemu_notes(&b, 0, 440);
	elf_qemu_notes(&b, 1, 432);
	elf_load(&b, 0, 0x4000);
	elf_load(&b, 0xfffc0000, 0x2000);
	elf_load(&b, UINT64_C(0x100000000), 0x3000);
	struct image *img = open_build(&b);
	cr_assert_str_eq(img->why, "ELF core with notes of QEMU");
	cr_assert_not(img->truncated);
	has_noise(img, 0x3f80, 128);
	has_noise(img, UINT64_C(0xfffc1ff0), 16);
	has_noise(img, UINT64_C(0x100001ff8), 16);
	cr_assert_not(has(img, 0x4000));
	cr_assert_eq(physmem_end(img->mem), UINT64_C(0x100003000));
	image_close(img);
}

Test(elf, takes_the_registers_from_the_notes)
{
	struct elf_build b;

	elf_build_init(&b);
	elf_qemu_notes(&b, 0, 440);
	elf_qemu_notes(&b, 1, 432);
	elf_load(&b, 0, 0x1000);
	struct image *img = open_build(&b);
	cr_assert_eq(img->n_vcpus, 2);
	const struct vcpu *v = &img->vcpus[1];
	cr_assert_eq(v->cpu, 1);
	cr_assert_eq(reg(v, VCPU_RSP), 1056);
	cr_assert_eq(reg(v, VCPU_RIP), 1136);
	cr_assert_eq(reg(v, VCPU_CS), 1152);
	cr_assert_eq(reg(v, VCPU_GS_BASE), 1264);
	cr_assert_eq(reg(v, VCPU_IDT_BASE), 1384);
	cr_assert_eq(reg(v, VCPU_CR3), 1416);
	cr_assert_eq(reg(v, VCPU_CR4), 1424);
	cr_assert_eq(v->has >> VCPU_KERNEL_GS_BASE & 1, 0);
	cr_assert_eq(v->has >> VCPU_LSTAR & 1, 0);
	cr_assert_eq(reg(&img->vcpus[0], VCPU_KERNEL_GS_BASE), 432);
	image_close(img);
}

Test(elf, takes_prstatus_and_vmcoreinfo_of_a_vmcore)
{
	uint64_t prstatus[42];
	struct elf_build b;

	for (size_t i = 0; i < 42; i++)
		prstatus[i] = 5000 + i;
	elf_build_init(&b);
	elf_note(&b, "CORE", 5, NT_PRSTATUS, prstatus, sizeof(prstatus));
	elf_note(&b, "VMCOREINFO", 11, 0, "OSRELEASE=6.1\n", 14);
	elf_load(&b, 0x1000, 0x1000);
	struct image *img = open_build(&b);
	cr_assert_eq(img->n_vcpus, 1);
	cr_assert_eq(reg(&img->vcpus[0], VCPU_RIP), 5030);
	cr_assert_eq(reg(&img->vcpus[0], VCPU_RSP), 5033);
	cr_assert_str_eq(img->vmcoreinfo, "OSRELEASE=6.1\n");
	cr_assert_eq(img->vmcoreinfo_size, 14);
	image_close(img);
}

// x0 to x30, sp, pc and pstate behind 112 bytes; there is no code segment.
Test(elf, takes_prstatus_of_arm64)
{
	uint64_t prstatus[49];
	struct elf_build b;

	for (size_t i = 0; i < 49; i++)
		prstatus[i] = 5000 + i;
	elf_build_init(&b);
	b.ehdr.e_machine = EM_AARCH64;
	elf_note(&b, "CORE", 5, NT_PRSTATUS, prstatus, sizeof(prstatus));
	elf_load(&b, 0x40000000, 0x1000);
	struct image *img = open_build(&b);
	cr_assert_eq(img->n_vcpus, 1);
	cr_assert_eq(reg(&img->vcpus[0], VCPU_RSP), 5045);
	cr_assert_eq(reg(&img->vcpus[0], VCPU_RIP), 5046);
	cr_assert_eq(reg(&img->vcpus[0], VCPU_RFLAGS), 5047);
	cr_assert_not(img->vcpus[0].has & 1U << VCPU_CS);
	image_close(img);
}

Test(elf, notes_that_lie_about_their_size_end_the_notes)
{
	struct elf_build b;

	elf_build_init(&b);
	elf_qemu_notes(&b, 0, 440);
	elf_note(&b, "QEMU", 5, 0, "\1\0\0\0\377\377\377\377\7\7\7\7", 12);
	elf_note(&b, "QEMU", 5, 0, "\1", 1);
	blob_append(&b.notes, "\5\0\0\0\377\377\377\377\0\0\0\0QEMU", 16);
	elf_load(&b, 0, 0x1000);
	struct image *img = open_build(&b);
	cr_assert_eq(img->n_vcpus, 2);
	cr_assert_eq(img->vcpus[1].has, 0);
	image_close(img);
}

// dump-guest-memory -p: a header for each mapping, most of them of the same pages.
Test(elf, lays_a_paging_dump_of_70000_headers_out_once)
{
	struct elf_build b;

	elf_build_init(&b);
	elf_load(&b, 0x10000, 0x10000);
	for (uint64_t i = 0; i < 70000; i++)
		elf_add(&b, (Elf64_Phdr){.p_type = PT_LOAD,
					 .p_offset = i % 16 * 0x1000,
					 .p_vaddr = i << 12,
					 .p_paddr = 0x10000 + i % 16 * 0x1000,
					 .p_filesz = i % 3 ? 0x1000 : 0x800,
					 .p_memsz = 0x1000});
	elf_add(&b, (Elf64_Phdr){.p_type = PT_LOAD,
				 .p_offset = UINT64_MAX,
				 .p_paddr = 0xfee00000,
				 .p_memsz = 0x1000});
	struct image *img = open_build(&b);
	cr_assert_eq(img->n_runs, 1);
	cr_assert_eq(img->runs[0].pa, 0x10000);
	cr_assert_eq(img->runs[0].size, 0x10000);
	cr_assert_not(img->truncated);
	has_noise(img, 0x17ff0, 32);
	cr_assert_not(has(img, 0xfee00000));
	image_close(img);
}

Test(elf, pieces_that_overlap_are_put_together)
{
	static const struct {
		uint64_t pa, size;
	} piece[] = {{0x3000, 0x2000}, {0x1000, 0x1800}, {0x2000, 0x1800}, {0x8000, 0x1000},
		     {0x1000, 0x400},  {0x8800, 0x1000}, {0x1000, 0}};
	struct elf_build b;

	elf_build_init(&b);
	elf_load(&b, 0, 0x10000); // the data; its header is taken out again
	b.n = 0;
	for (size_t i = 0; i < sizeof(piece) / sizeof(piece[0]); i++)
		elf_add(&b, (Elf64_Phdr){.p_type = PT_LOAD,
					 .p_offset = piece[i].pa,
					 .p_paddr = piece[i].pa,
					 .p_filesz = piece[i].size,
					 .p_memsz = 0x10000});
	struct image *img = open_build(&b);
	cr_assert_eq(img->n_runs, 2);
	cr_assert_eq(img->runs[0].pa, 0x1000);
	cr_assert_eq(img->runs[0].size, 0x4000);
	cr_assert_eq(img->runs[1].pa, 0x8000);
	cr_assert_eq(img->runs[1].size, 0x1800);
	has_noise(img, 0x2f80, 256);
	has_noise(img, 0x8f80, 256);
	cr_assert_not(has(img, 0x5000));
	cr_assert_not(has(img, 0x9800));
	image_close(img);
}

// The kernel's text comes twice in a vmcore, at two offsets.
Test(elf, of_two_offsets_for_a_page_the_lower_range_wins)
{
	struct elf_build b;

	elf_build_init(&b);
	elf_load(&b, 0x1000000, 0x3000);
	elf_load(&b, 0x1000, 0x1000);
	elf_load(&b, 0x0ff0000, 0x20000);
	struct image *img = open_build(&b);
	cr_assert_eq(img->n_runs, 2);
	cr_assert_eq(img->runs[1].pa, 0x0ff0000);
	cr_assert_eq(img->runs[1].size, 0x20000);
	has_noise(img, 0x1000000, 256);
	image_close(img);
}

Test(elf, what_memsz_has_beyond_filesz_is_absent)
{
	struct elf_build b;

	elf_build_init(&b);
	elf_load(&b, 0, 0x2000);
	b.phdrs[0].p_memsz = 0x8000;
	struct image *img = open_build(&b);
	has_noise(img, 0x1fff, 1);
	cr_assert_not(has(img, 0x2000));
	cr_assert_eq(physmem_state(img->mem, 0x2000), MEM_ABSENT);
	cr_assert_not(img->truncated);
	image_close(img);
}

Test(elf, virtual_ranges_of_kcore_are_left_out)
{
	struct elf_build b;

	elf_build_init(&b);
	elf_load(&b, 0x1000, 0x1000);
	elf_load(&b, 0x8000, 0x1000);
	b.phdrs[0].p_paddr = UINT64_MAX;
	struct image *img = open_build(&b);
	cr_assert_eq(img->n_runs, 1);
	cr_assert_not(img->truncated);
	has_noise(img, 0x8000, 16);
	image_close(img);
}

Test(elf, reads_32_bit_headers)
{
	struct elf_build b;

	elf_build_init(&b);
	elf_qemu_notes(&b, 0, 440);
	elf_load(&b, 0, 0x2000);
	elf_load(&b, 0x100000, 0x2000);
	struct blob file = elf_write32(&b);
	struct image *img = open_elf(&file);
	has_noise(img, 0x101ff0, 16);
	cr_assert_eq(img->n_vcpus, 1);
	image_close(img);
	blob_fini(&file);
	elf_build_fini(&b);
}

Test(elf, does_not_mind_a_zero_version)
{
	struct elf_build b;

	elf_build_init(&b);
	b.ehdr.e_ident[EI_VERSION] = 0;
	b.ehdr.e_version = 0;
	elf_load(&b, 0, 0x2000);
	struct image *img = open_build(&b);
	has_noise(img, 0x10, 16);
	image_close(img);
}

// Whatever is cut off: an error, or an image that says that it is cut and has what is there.
Test(elf, can_be_cut_anywhere)
{
	struct elf_build b;
	struct image *img;

	elf_build_init(&b);
	elf_qemu_notes(&b, 0, 440);
	elf_load(&b, 0x1000, 0x1000);
	elf_load(&b, 0x4000, 0x1000);
	struct blob file = elf_write(&b);
	size_t data = file.n - 0x2000;
	for (size_t n = 1; n < file.n; n += n < data + 32 || n > data + 0xfe0 ? 1 : 97) {
		struct err *e = open_bytes(file.at, n, &img);
		cr_assert_eq(e == NULL, n > data, "%zu: %s", n, e ? e->msg : "opened");
		if (e)
			continue;
		cr_assert(img->truncated);
		cr_assert(has(img, n - data <= 0x1000 ? n - data + 0xfff : 0x1fff));
		cr_assert_not(has(img, n - data <= 0x1000 ? n - data + 0x1000 : 0x2000));
		cr_assert_eq(has(img, 0x4000), n > data + 0x1000);
		cr_assert_not(has(img, 0x4fff));
		cr_assert_eq(physmem_stats(img->mem).unreadable, 0);
		image_close(img);
	}
	blob_fini(&file);
	elf_build_fini(&b);
}

Test(elf, ranges_that_are_impossible_are_left_out_and_told)
{
	struct elf_build b;

	elf_build_init(&b);
	elf_load(&b, 0x1000, 0x1000);
	elf_load(&b, (UINT64_C(1) << 52) - 0x800, 0x1000);
	elf_load(&b, 0x9000, 0x1000);
	b.phdrs[2].p_filesz = UINT64_MAX;
	struct image *img = open_build(&b);
	cr_assert_eq(img->n_runs, 1);
	cr_assert(img->truncated);
	cr_assert_not_null(strstr(img->truncated_why, "2 program headers"));
	image_close(img);
}

Test(elf, names_what_it_is_instead)
{
	struct elf_build b;

	elf_build_init(&b);
	b.ehdr.e_type = ET_EXEC;
	elf_load(&b, 0, 0x1000);
	refuse_build(&b, ERR_FORMAT, "not a core");
	elf_build_init(&b);
	b.ehdr.e_machine = EM_RISCV;
	elf_load(&b, 0, 0x1000);
	refuse_build(&b, ERR_UNSUPPORTED, "machine");
	elf_build_init(&b);
	b.ehdr.e_ident[EI_DATA] = ELFDATA2MSB;
	elf_load(&b, 0, 0x1000);
	refuse_build(&b, ERR_UNSUPPORTED, "big-endian");
	elf_build_init(&b);
	elf_note(&b, "Xen", 4, 0x2000001, "", 0);
	elf_load(&b, 0, 0x1000);
	refuse_build(&b, ERR_UNSUPPORTED, "Xen");
}

Test(elf, refuses_cores_with_virtual_addresses_only)
{
	struct elf_build b;

	elf_build_init(&b);
	elf_load(&b, 0x400000, 0x1000);
	elf_load(&b, 0x500000, 0x1000);
	b.phdrs[0].p_paddr = b.phdrs[1].p_paddr = 0;
	refuse_build(&b, ERR_UNSUPPORTED, "virtual addresses only");
	elf_build_init(&b);
	elf_load(&b, UINT64_C(0xffffffff81000000), 0x1000);
	elf_load(&b, UINT64_C(0xffff888000000000), 0x1000);
	refuse_build(&b, ERR_UNSUPPORTED, "virtual addresses only");
	elf_build_init(&b); // one vCPU's view by vmss2core: the program's part and the kernel's
	elf_load(&b, 0x400000, 0x1000);
	elf_load(&b, UINT64_C(0xffffffff81000000), 0x1000);
	b.phdrs[0].p_vaddr = b.phdrs[0].p_paddr;
	b.phdrs[1].p_vaddr = b.phdrs[1].p_paddr;
	refuse_build(&b, ERR_UNSUPPORTED, "vmss2core -M");
	elf_build_init(&b);
	elf_load(&b, 0x400000, 0x1000);
	elf_load(&b, UINT64_C(0xffffffff81000000), 0x1000);
	b.phdrs[0].p_paddr = 0;
	b.phdrs[1].p_vaddr = b.phdrs[1].p_paddr;
	refuse_build(&b, ERR_UNSUPPORTED, "vmss2core -M");
}

Test(elf, refuses_cores_without_memory)
{
	struct elf_build b;

	elf_build_init(&b);
	refuse_build(&b, ERR_FORMAT, "without program headers");
	elf_build_init(&b);
	elf_load(&b, 0, 0x1000);
	b.phdrs[0].p_filesz = 0;
	refuse_build(&b, ERR_FORMAT, "without memory");
	elf_build_init(&b);
	elf_load(&b, 0, 0x1000);
	b.ehdr.e_phentsize = 40;
	refuse_build(&b, ERR_FORMAT, "headers have 40 bytes");
}

Test(elf, bounds_the_number_of_headers)
{
	struct elf_build b;

	elf_build_init(&b);
	elf_load(&b, 0, 0x1000);
	struct blob file = elf_write(&b);
	Elf64_Shdr zero = {.sh_info = UINT32_MAX};
	Elf64_Ehdr *e = (Elf64_Ehdr *)(void *)file.at;
	e->e_phnum = PN_XNUM;
	e->e_shoff = sizeof(*e);
	blob_put(&file, sizeof(*e), &zero, sizeof(zero));
	refused(&file, ERR_LIMIT, "program headers");
	zero.sh_info = 1 << 20; // as many as may be, but the file has one: the rest is data or cut
	blob_put(&file, sizeof(*e), &zero, sizeof(zero));
	struct image *img = open_elf(&file);
	cr_assert(img->truncated);
	image_close(img);
	e = (Elf64_Ehdr *)(void *)file.at;
	e->e_shoff = UINT64_MAX - 8;
	refused(&file, ERR_FORMAT, "section header");
	blob_fini(&file);
	elf_build_fini(&b);
}

// No input may crash, hang, or read outside: what the sanitizers watch.
Test(elf, survives_random_damage)
{
	struct elf_build b;
	struct image *img;
	uint64_t x = 1;

	elf_build_init(&b);
	elf_qemu_notes(&b, 0, 440);
	elf_note(&b, "VMCOREINFO", 11, 0, "OSRELEASE=6.1\n", 14);
	for (uint64_t i = 0; i < 8; i++)
		elf_load(&b, i * 0x3000, 0x1000);
	struct blob file = elf_write(&b), copy = {0};
	for (int i = 0; i < 20000; i++) {
		blob_put(&copy, 0, file.at, file.n);
		for (int k = 0; k < 1 + i % 4; k++) {
			x = x * 6364136223846793005ULL + 1442695040888963407ULL;
			copy.at[(x >> 33) % 1800] = (uint8_t)(x >> 25);
		}
		if (open_bytes(copy.at, copy.n, &img))
			continue;
		(void)has(img, physmem_end(img->mem) - 1);
		image_close(img);
	}
	blob_fini(&copy);
	blob_fini(&file);
	elf_build_fini(&b);
}
