// SPDX-License-Identifier: LGPL-2.1-or-later
// Notes of an ELF core: registers of the virtual CPUs, VMCOREINFO, signs of other formats.
#include "formats/elfcore.h"

#include "formats/vboxnotes.h"
#include "src/base/bytes.h"

#include <gelf.h>

#include <string.h>

enum {
	NOTES_MAX = 64 << 20, // 16384 vCPUs and more; of all note segments together
	VMCOREINFO_MAX = 64 << 10,
	MAX_VCPUS = 8192,	    // what an x86-64 kernel can be built for
	XEN_DUMP_FIRST = 0x2000000, // xen/include/public/elfnote.h, XEN_ELFNOTE_DUMPCORE_*
	XEN_DUMP_LAST = 0x2ffffff,
};

// QEMUCPUState (QEMU target/i386/arch_dump.c, version 1; Cloud Hypervisor writes the same):
// u32 version, u32 size, registers, then segments {u32 selector, limit, flags, pad; u64 base}.
static const struct {
	uint16_t off;
	uint8_t reg, width;
} qemu_fields[] = {
	{56, VCPU_RSP, 8},
	{136, VCPU_RIP, 8},
	{144, VCPU_RFLAGS, 8},
	{152, VCPU_CS, 4},
	{240, VCPU_FS_BASE, 8},
	{264, VCPU_GS_BASE, 8},
	{360, VCPU_GDT_BASE, 8},
	{384, VCPU_IDT_BASE, 8},
	{392, VCPU_CR0, 8},
	{408, VCPU_CR2, 8},
	{416, VCPU_CR3, 8},
	{424, VCPU_CR4, 8},
	{432, VCPU_KERNEL_GS_BASE, 8}, // only where size says so
};

// struct elf_prstatus of x86-64: the user_regs_struct starts at 112. Its segment bases are the
// user's or not filled, depending on the writer, so they are left out.
struct prstatus_field {
	uint16_t off;
	uint8_t reg;
};
static const struct prstatus_field x86_64_fields[] = {
	{112 + 16 * 8, VCPU_RIP},
	{112 + 17 * 8, VCPU_CS},
	{112 + 18 * 8, VCPU_RFLAGS},
	{112 + 19 * 8, VCPU_RSP},
};
// That of arm64: x0 to x30, sp, pc and pstate from 112 on (QEMU target/arm/arch_dump.c).
static const struct prstatus_field arm64_fields[] = {
	{112 + 31 * 8, VCPU_RSP},
	{112 + 32 * 8, VCPU_RIP},
	{112 + 33 * 8, VCPU_RFLAGS},
};
enum { PRSTATUS_SIZE = 336, PRSTATUS_SIZE_ARM64 = 392 };

struct note {
	uint32_t type;
	const uint8_t *name, *desc;
	size_t name_size, desc_size;
};

struct note_walk {
	struct image *img;
	VEC(struct vcpu) qemu, prstatus;
};

// Names end with a NUL that n_namesz counts, except in VirtualBox's.
static bool named(const struct note *n, const char *name)
{
	size_t len = strlen(name);

	return n->name_size >= len && n->name_size <= len + 1 && memcmp(n->name, name, len) == 0;
}

static void set_reg(struct vcpu *v, uint8_t reg, uint64_t value)
{
	v->reg[reg] = value;
	v->has |= 1U << reg;
}

static void take_qemu(struct note_walk *w, const struct note *n)
{
	struct vcpu v = {.cpu = (uint32_t)w->qemu.n};

	if (n->desc_size < 8 || w->qemu.n >= MAX_VCPUS)
		return;
	size_t size = le32(n->desc + 4) < n->desc_size ? le32(n->desc + 4) : n->desc_size;
	for (size_t i = 0; i < sizeof(qemu_fields) / sizeof(qemu_fields[0]); i++)
		if (qemu_fields[i].off + (size_t)qemu_fields[i].width <= size)
			set_reg(&v, qemu_fields[i].reg,
				le_n(n->desc + qemu_fields[i].off, qemu_fields[i].width));
	vec_push(&w->qemu, v);
}

static void take_prstatus(struct note_walk *w, const struct note *n)
{
	struct vcpu v = {.cpu = (uint32_t)w->prstatus.n};

	bool arm64 = n->desc_size == PRSTATUS_SIZE_ARM64;
	const struct prstatus_field *fields = arm64 ? arm64_fields : x86_64_fields;
	size_t count = sizeof(x86_64_fields) / sizeof(x86_64_fields[0]);

	if (arm64)
		count = sizeof(arm64_fields) / sizeof(arm64_fields[0]);
	if ((n->desc_size != PRSTATUS_SIZE && !arm64) || w->prstatus.n >= MAX_VCPUS)
		return;
	for (size_t i = 0; i < count; i++)
		set_reg(&v, fields[i].reg, le64(n->desc + fields[i].off));
	vec_push(&w->prstatus, v);
}

static void take_vmcoreinfo(struct image *img, const struct note *n)
{
	if (img->vmcoreinfo || n->desc_size > VMCOREINFO_MAX)
		return;
	img->vmcoreinfo = memcpy(mem_alloc(n->desc_size + 1), n->desc, n->desc_size);
	img->vmcoreinfo[n->desc_size] = '\0';
	img->vmcoreinfo_size = n->desc_size;
}

static struct err *take(struct note_walk *w, const struct note *n)
{
	if (named(n, "Xen") && n->type >= XEN_DUMP_FIRST && n->type <= XEN_DUMP_LAST)
		return err_new(ERR_UNSUPPORTED, "a Xen core (xl dump-core): recognised, not "
						"supported by this version");
	if (named(n, "QEMU") && n->type == 0)
		take_qemu(w, n);
	else if (named(n, "CORE") && n->type == NT_PRSTATUS)
		take_prstatus(w, n);
	else if (named(n, "VMCOREINFO") && n->type == 0)
		take_vmcoreinfo(w->img, n);
	return NULL;
}

// gelf_getnote() checks every length against the segment; it gives 0 at the end and at nonsense.
static struct err *walk_segment(struct note_walk *w, const Elf64_Phdr *p, size_t size)
{
	_cleanup_free_ uint8_t *buf = mem_alloc(size);
	size_t got, at = 0, name, desc;
	GElf_Nhdr h;

	TRY(io_read(w->img->io, p->p_offset, buf, size, &got));
	if (!w->img->vcpus && vbox_notes_are(buf, got)) {
		vbox_notes_take(w->img, buf, got);
		return NULL;
	}
	Elf_Data data = {.d_buf = buf,
			 .d_type = p->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR,
			 .d_version = EV_CURRENT,
			 .d_size = got};
	while ((at = gelf_getnote(&data, at, &h, &name, &desc)) > 0)
		TRY(take(w,
			 &(struct note){h.n_type, buf + name, buf + desc, h.n_namesz, h.n_descsz}));
	return NULL;
}

static struct err *walk_all(const struct elfcore_map *m, struct note_walk *w)
{
	uint64_t budget = NOTES_MAX;

	for (size_t i = 0; i < m->n_notes; i++) {
		uint64_t size = m->notes[i].p_filesz < budget ? m->notes[i].p_filesz : budget;
		if (size > w->img->io->size)
			size = w->img->io->size;
		TRY(walk_segment(w, &m->notes[i], (size_t)size));
		budget -= size;
	}
	return NULL;
}

// QEMU writes both notes for each CPU, and its own knows more.
struct err *elfcore_notes(const struct elfcore_map *m, struct image *img)
{
	struct note_walk w = {.img = img};
	struct err *e = walk_all(m, &w);

	if (!img->vcpus) {
		img->vcpus = w.qemu.n ? w.qemu.at : w.prstatus.at;
		img->n_vcpus = w.qemu.n ? w.qemu.n : w.prstatus.n;
	}
	mem_free(w.qemu.at == img->vcpus ? NULL : w.qemu.at);
	mem_free(w.prstatus.at == img->vcpus ? NULL : w.prstatus.at);
	if (!e && w.qemu.n)
		img->why = "ELF core with notes of QEMU";
	else if (!e && img->vmcoreinfo)
		img->why = "ELF core of a kernel (vmcore), with VMCOREINFO";
	return e;
}
