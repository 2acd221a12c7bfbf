// SPDX-License-Identifier: LGPL-2.1-or-later
// Cores of VirtualBox, as DBGFCoreWrite.cpp writes them.
#include "src/base/mem.h"
#include "tests/unit/elf_build.h"

#include <criterion/criterion.h>

#include <string.h>

enum { CPU_NOTE = 0x3a0 };

// Name with NUL and the rest are each filled up to 8 bytes, from where they begin.
static void vbox_note(struct blob *b, const char *name, uint32_t type, bool count_nul,
		      const void *desc, size_t n)
{
	uint32_t h[3] = {(uint32_t)(strlen(name) + count_nul), (uint32_t)((n + 7) & ~7ULL), type};
	char padded[8] = {0};

	memcpy(padded, name, strlen(name));
	blob_append(b, h, sizeof(h));
	blob_append(b, padded, 8);
	blob_append(b, desc, n);
	blob_append(b, "\0\0\0\0\0\0\0", -n & 7);
}

static void vbox_notes(struct elf_build *b, uint32_t format, uint32_t n_cpus, bool count_nul)
{
	uint32_t core[6] = {0xc01ac0de, format, 24, 0x0700000a, 1, n_cpus};
	uint64_t cpu[CPU_NOTE / 8];

	vbox_note(&b->notes, "VBCORE", 0xb00, count_nul, core, sizeof(core));
	for (uint64_t i = 0; i < n_cpus; i++) {
		for (size_t k = 0; k < CPU_NOTE / 8; k++)
			cpu[k] = i * 1000 + k * 8;
		vbox_note(&b->notes, "VBCPU", 0xb01, count_nul, cpu, sizeof(cpu));
	}
}

// e_ident[EI_VERSION] is 0, and MMIO ranges have no bytes.
static struct blob vbox_core(uint32_t format, bool count_nul)
{
	struct elf_build b;

	elf_build_init(&b);
	b.ehdr.e_ident[EI_VERSION] = 0;
	b.ehdr.e_ehsize = sizeof(Elf64_Ehdr);
	elf_load(&b, 0, 0x8000);
	b.phdrs[0].p_vaddr = 0;
	elf_add(&b, (Elf64_Phdr){.p_type = PT_LOAD, .p_paddr = 0xe0000000, .p_memsz = 0x1000});
	elf_load(&b, 0x100000, 0x8000);
	vbox_notes(&b, format, 3, count_nul);
	struct blob file = elf_write(&b);
	elf_build_fini(&b);
	return file;
}

static struct image *open_blob(const struct blob *b)
{
	struct image *img;
	struct err *e = open_bytes(b->at, b->n, &img);

	cr_assert_null(e, "%s", e ? e->msg : "");
	return img;
}

static void reads_registers(bool count_nul)
{
	struct blob b = vbox_core(0x00010006, count_nul);
	struct image *img = open_blob(&b);
	uint64_t got, want;

	cr_assert_str_eq(img->why, "ELF core with notes of VirtualBox");
	cr_assert_str_eq(img->facts->value, "VirtualBox 7.0.10, core format 0x10006");
	cr_assert_eq(img->n_runs, 2);
	cr_assert_eq(img->n_vcpus, 3);
	const struct vcpu *v = &img->vcpus[2];
	cr_assert_eq(v->cpu, 2);
	cr_assert_eq(v->reg[VCPU_RIP], 2112);
	cr_assert_eq(v->reg[VCPU_CS], 2160);
	cr_assert_eq(v->reg[VCPU_GS_BASE], 2240);
	cr_assert_eq(v->reg[VCPU_CR3], 2304);
	cr_assert_eq(v->reg[VCPU_IDT_BASE], 2400);
	cr_assert_eq(v->reg[VCPU_EFER], 2488);
	cr_assert_eq(v->reg[VCPU_LSTAR], 2512);
	cr_assert_eq(v->reg[VCPU_KERNEL_GS_BASE], 2536);
	cr_assert_eq(v->has, (1U << VCPU_REG_COUNT) - 1);
	cr_assert(physmem_read(img->mem, 0x100010, &got, 8));
	noise_fill(0x100010, &want, 8);
	cr_assert_eq(got, want);
	image_close(img);
	blob_fini(&b);
}

Test(vbox, registers_whether_the_name_counts_its_nul_or_not)
{
	reads_registers(false);
	reads_registers(true);
}

// Its CPU notes were an internal structure.
Test(vbox, the_first_format_gives_memory_only)
{
	struct blob b = vbox_core(0x00010000, true);
	struct image *img = open_blob(&b);

	cr_assert_eq(img->n_vcpus, 0);
	cr_assert_eq(img->n_runs, 2);
	image_close(img);
	blob_fini(&b);
}

Test(vbox, changed_and_cut_notes_do_no_harm)
{
	struct blob b = vbox_core(0x00010006, false);
	size_t notes = 64 + 64 + 4 * 56, end = notes + 3200;
	uint64_t x = 1;

	for (int i = 0; i < 2000; i++) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		size_t at = (size_t)((x >> 33) % end);
		uint8_t was = b.at[at];
		struct image *img;
		b.at[at] = (uint8_t)(x >> 25);
		if (!open_bytes(b.at, i % 2 ? b.n : at + 1, &img))
			image_close(img);
		b.at[at] = was;
	}
	blob_fini(&b);
}
